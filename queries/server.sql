-- fact: server
-- What the server says of itself.

-- candidate:
SELECT
    1 AS fact_server,
    CAST(SERVERPROPERTY(N'ProductVersion') AS nvarchar(128)) AS product_version;
