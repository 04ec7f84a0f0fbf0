-- fact: entra_user_discovery
-- Microsoft Entra discovery: whether full or delta synchronization is on. The name of the view is not documented: it
-- is found by the columns that it must have (discover_signatures.sql), and takes the place of the one below.
-- at most 1000 rows

-- candidate: vSMS_AAD_Discovery_Settings AS x by signature
SELECT
    1 AS fact_entra_user_discovery,
    x.CloudServiceId AS cloud_service_id, -- optional
    x.FullSyncEnabled AS full_sync, -- optional
    x.DeltaSyncEnabled AS delta_sync -- optional
FROM dbo.vSMS_AAD_Discovery_Settings AS x;
