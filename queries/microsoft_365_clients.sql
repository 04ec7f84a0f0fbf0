-- fact: microsoft_365_clients
-- Clients with Microsoft 365 Apps, counted: all, and those whose updates come from Configuration Manager.
-- heavy

-- candidate: v_GS_OFFICE365PROPLUSCONFIGURATIONS AS o
SELECT
    1 AS fact_microsoft_365_clients,
    COUNT(*) AS clients,
    SUM(CASE WHEN CAST(o.CCMManaged0 AS nvarchar(16)) IN (N'1', N'True') THEN 1 ELSE 0 END) AS managed
FROM dbo.v_GS_OFFICE365PROPLUSCONFIGURATIONS AS o;
