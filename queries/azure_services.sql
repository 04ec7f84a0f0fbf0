-- fact: azure_services
-- Azure services of the console.
-- at most 1000 rows

-- candidate: Azure_CloudService AS s
SELECT
    1 AS fact_azure_services,
    s.ID AS id,
    s.Name AS name, -- optional
    s.ServiceType AS service_type -- optional
FROM dbo.Azure_CloudService AS s;

-- candidate: vSMS_Azure_CloudService AS s
SELECT
    1 AS fact_azure_services,
    s.ID AS id,
    s.Name AS name, -- optional
    s.ServiceType AS service_type -- optional
FROM dbo.vSMS_Azure_CloudService AS s;
