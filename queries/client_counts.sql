-- fact: client_counts
-- All clients, counted. The view joins many tables, so it is asked last.
-- heavy

-- candidate: v_CombinedDeviceResources AS c
SELECT
    1 AS fact_client_counts,
    COUNT(*) AS clients,
    SUM(CASE WHEN c.IsAlwaysInternet = 1 THEN 1 ELSE 0 END) AS always_internet, -- optional
    SUM(CASE WHEN c.CNIsOnInternet = 1 THEN 1 ELSE 0 END) AS on_internet, -- optional
    SUM(CASE WHEN c.CoManaged = 1 THEN 1 ELSE 0 END) AS co_managed -- optional
FROM dbo.v_CombinedDeviceResources AS c
WHERE c.IsClient = 1;

-- candidate: fn_rbac_CombinedDeviceResources AS c
SELECT
    1 AS fact_client_counts,
    COUNT(*) AS clients,
    SUM(CASE WHEN c.IsAlwaysInternet = 1 THEN 1 ELSE 0 END) AS always_internet, -- optional
    SUM(CASE WHEN c.CNIsOnInternet = 1 THEN 1 ELSE 0 END) AS on_internet, -- optional
    SUM(CASE WHEN c.CoManaged = 1 THEN 1 ELSE 0 END) AS co_managed -- optional
FROM dbo.fn_rbac_CombinedDeviceResources(N'disabled') AS c
WHERE c.IsClient = 1;
