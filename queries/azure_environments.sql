-- fact: azure_environments
-- The endpoints of each Azure cloud, used or not: hosts, URLs, and suffixes in the columns whose name ends so. Columns of
-- texts that are not named here are read too where their names end as those of hosts do (Endpoint, URL, Host, Domain,
-- Suffix and the like) and have no word of a secret in them.
-- at most 1000 rows

-- candidate: AzureEnvironments AS e
SELECT
    1 AS fact_azure_environments,
    e.ID AS id,
    e.EnvironmentName AS environment_name, -- optional
    e.ManagementPortalURL AS management_portal_url, -- optional
    e.PublishSettingsURL AS publish_settings_url, -- optional
    e.ServiceManagementEndpoint AS service_management_endpoint, -- optional
    e.ResourceManagerEndpoint AS resource_manager_endpoint, -- optional
    e.ActiveDirectoryEndpoint AS active_directory_endpoint, -- optional
    e.GraphEndpoint AS graph_endpoint, -- optional
    e.MicrosoftGraphEndpoint AS microsoft_graph_endpoint, -- optional
    e.GalleryEndpoint AS gallery_endpoint, -- optional
    e.GatewayService AS gateway_service, -- optional
    e.CMMicroServiceResourceEndpoint AS cm_micro_service_resource_endpoint, -- optional
    e.KeyVaultDNSSuffix AS key_vault_dns_suffix, -- optional
    e.KeyVaultEndpoint AS key_vault_endpoint, -- optional
    e.StorageEndpointSuffix AS storage_endpoint_suffix, -- optional
    e.CloudServiceSuffix AS cloud_service_suffix, -- optional
    e.SQLDatabaseDNSSuffix AS sql_database_dns_suffix, -- optional
    e.TrafficManagerDNSSuffix AS traffic_manager_dns_suffix, -- optional
    e.ServiceBusEndpointSuffix AS service_bus_endpoint_suffix, -- optional
    e.IntuneWebPortalLoginURL AS intune_web_portal_login_url, -- optional
    -- further columns
    e.MDMEnrollmentURL AS mdm_enrollment_url -- optional
FROM dbo.AzureEnvironments AS e;
