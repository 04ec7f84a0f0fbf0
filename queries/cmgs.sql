-- fact: cmgs
-- Cloud management gateways (ServiceType CloudProxyService) and other cloud services. The name of the view is not
-- documented: it is found by the columns that it must have (discover_signatures.sql), and takes the place of the one
-- below.
-- at most 1000 rows

-- candidate: vSMS_AzureService AS a by signature
SELECT
    1 AS fact_cmgs,
    a.AzureServiceID AS service_id, -- optional
    a.Name AS name, -- optional
    a.ServiceType AS service_type, -- optional
    a.ServiceCName AS service_name, -- optional
    a.Fqdn AS deployment_name, -- optional
    a.Region AS region, -- optional
    a.AzureEnvironmentId AS environment, -- optional
    a.NumberOfInstances AS instances, -- optional
    a.State AS state, -- optional
    a.StorageServiceName AS storage_name -- optional
FROM dbo.vSMS_AzureService AS a;
