-- fact: online_clients
-- Clients online through the internet or a cloud management gateway, by the newest count of each management point.

-- candidate: fn_rbac_BGB_Statistics AS b
SELECT
    1 AS fact_online_clients,
    SUM(x.internet) AS internet,
    SUM(x.cmg) AS cmg
FROM (
    SELECT
        b.InternetOnlineClients AS internet,
        b.CMGOnlineClients AS cmg,
        ROW_NUMBER() OVER (PARTITION BY b.ServerID ORDER BY b.TimeStamp DESC) AS place
    FROM dbo.fn_rbac_BGB_Statistics(N'disabled') AS b
) AS x
WHERE x.place = 1;

-- candidate: BGB_Statistics AS b
SELECT
    1 AS fact_online_clients,
    SUM(x.internet) AS internet,
    SUM(x.cmg) AS cmg
FROM (
    SELECT
        b.InternetOnlineClients AS internet,
        b.CMGOnlineClients AS cmg,
        ROW_NUMBER() OVER (PARTITION BY b.ServerID ORDER BY b.TimeStamp DESC) AS place
    FROM dbo.BGB_Statistics AS b
) AS x
WHERE x.place = 1;
