-- fact: asset_intelligence
-- Asset intelligence synchronization points, and whether they synchronize by themselves.

-- candidate: v_AIProxy AS a
SELECT
    1 AS fact_asset_intelligence,
    a.SiteCode AS site_code,
    a.ProxyName AS server_name,
    a.ProxyEnabled AS enabled, -- optional
    a.PeriodicCatalogUpdateEnabled AS periodic -- optional
FROM dbo.v_AIProxy AS a;
