-- fact: sites
-- The sites of the hierarchy that this database knows: kind (1 secondary, 2 primary, 4 central administration site),
-- parent, version and site server.
-- at most 10000 rows

-- candidate: v_Site AS s
SELECT
    1 AS fact_sites,
    s.SiteCode AS site_code,
    s.SiteName AS site_name, -- optional
    s.Type AS site_type, -- optional
    s.ReportingSiteCode AS parent_site_code,
    s.BuildNumber AS build_number, -- optional
    s.Version AS version, -- optional
    s.ServerName AS server_name -- optional
FROM dbo.v_Site AS s;

-- candidate: fn_rbac_Site AS s
SELECT
    1 AS fact_sites,
    s.SiteCode AS site_code,
    s.SiteName AS site_name, -- optional
    s.Type AS site_type, -- optional
    s.ReportingSiteCode AS parent_site_code,
    s.BuildNumber AS build_number, -- optional
    s.Version AS version, -- optional
    s.ServerName AS server_name -- optional
FROM dbo.fn_rbac_Site(N'disabled') AS s;

-- candidate: Sites AS s
SELECT
    1 AS fact_sites,
    s.SiteCode AS site_code,
    s.SiteName AS site_name, -- optional
    s.SiteType AS site_type, -- optional
    s.ReportToSite AS parent_site_code,
    s.BuildNumber AS build_number, -- optional
    s.Version AS version, -- optional
    s.SiteServer AS server_name -- optional
FROM dbo.Sites AS s;
