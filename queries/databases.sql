-- fact: databases
-- Sent to master when no database is named: databases whose names are those of site databases (CM_ and a site code).

-- candidate:
SELECT
    1 AS fact_databases,
    d.name AS database_name,
    d.state_desc AS state,
    HAS_DBACCESS(d.name) AS can_open
FROM sys.databases AS d
WHERE d.name LIKE N'CM[_]___'
ORDER BY d.name;
