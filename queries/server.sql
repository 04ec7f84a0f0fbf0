-- fact: server
-- What the server says of itself, and whether this login may read the whole database: to such a login, an object that
-- is not listed is not there.

-- candidate:
SELECT
    1 AS fact_server,
    CAST(SERVERPROPERTY(N'ProductVersion') AS nvarchar(128)) AS product_version,
    HAS_PERMS_BY_NAME(NULL, N'DATABASE', N'SELECT') AS reads_all;
