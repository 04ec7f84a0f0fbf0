-- fact: site_databases
-- The database of each site: SQLServerName is a host, or a host and an instance.
-- at most 10000 rows

-- candidate: v_SC_SiteDefinition AS d
SELECT
    1 AS fact_site_databases,
    d.SiteCode AS site_code,
    d.SQLServerName AS sql_server_name,
    d.SQLDatabaseName AS database_name -- optional
FROM dbo.v_SC_SiteDefinition AS d;

-- candidate: SC_SiteDefinition AS d
SELECT
    1 AS fact_site_databases,
    d.SiteCode AS site_code,
    d.SQLServerName AS sql_server_name,
    d.SQLDatabaseName AS database_name -- optional
FROM dbo.SC_SiteDefinition AS d;
