-- fact: signatures
-- Objects whose names are not documented, found by their columns: at least three of those that the fact needs. All
-- columns of what was found come back, with the right to read each.

-- candidate:
SELECT
    1 AS fact_signatures,
    f.signature AS signature,
    f.hits AS hits,
    o.name AS object_name,
    o.type AS object_type,
    c.name AS column_name,
    HAS_PERMS_BY_NAME(N'dbo.' + QUOTENAME(o.name), N'OBJECT', N'SELECT', c.name, N'COLUMN') AS can_select
FROM (
    SELECT x.object_id AS object_id, N'cmgs' AS signature, COUNT(*) AS hits
    FROM sys.columns AS x
    WHERE x.name IN (N'ServiceCName', N'StorageServiceName', N'AzureEnvironmentId', N'Region')
    GROUP BY x.object_id
    HAVING COUNT(*) >= 3
    UNION ALL
    SELECT x.object_id AS object_id, N'entra_user_discovery' AS signature, COUNT(*) AS hits
    FROM sys.columns AS x
    WHERE x.name IN (N'FullSyncEnabled', N'DeltaSyncEnabled', N'CloudServiceId')
    GROUP BY x.object_id
    HAVING COUNT(*) >= 3
    UNION ALL
    SELECT x.object_id AS object_id, N'third_party_catalogs' AS signature, COUNT(*) AS hits
    FROM sys.columns AS x
    WHERE x.name IN (N'DownloadUrl', N'PublisherName', N'SyncEnabled')
    GROUP BY x.object_id
    HAVING COUNT(*) >= 3
    UNION ALL
    SELECT x.object_id AS object_id, N'consoles' AS signature, COUNT(*) AS hits
    FROM sys.columns AS x
    WHERE x.name IN (N'MachineName', N'ConsoleVersion', N'ConsoleConnectTime')
    GROUP BY x.object_id
    HAVING COUNT(*) >= 3
) AS f
JOIN sys.objects AS o ON o.object_id = f.object_id
JOIN sys.columns AS c ON c.object_id = o.object_id
WHERE o.schema_id = SCHEMA_ID(N'dbo') AND o.type IN (N'U', N'V');
