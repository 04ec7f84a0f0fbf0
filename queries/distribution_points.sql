-- fact: distribution_points
-- Distribution points, and whether each is a Microsoft Connected Cache server (IsDoincEnabled 1). Rows of resource
-- type "Windows Azure" are cloud services, not servers.

-- candidate: DistributionPoints AS d
SELECT
    1 AS fact_distribution_points,
    d.SMSSiteCode AS site_code,
    d.ServerName AS server_name, -- optional
    d.NALPath AS nal_path, -- optional
    d.Type AS resource_type, -- optional
    d.IsDoincEnabled AS connected_cache -- optional
FROM dbo.DistributionPoints AS d;

-- candidate: fn_rbac_DistributionPoints AS d
SELECT
    1 AS fact_distribution_points,
    d.SMSSiteCode AS site_code,
    d.ServerName AS server_name, -- optional
    d.NALPath AS nal_path, -- optional
    d.Type AS resource_type, -- optional
    d.IsDoincEnabled AS connected_cache -- optional
FROM dbo.fn_rbac_DistributionPoints(N'disabled') AS d;

-- candidate: v_DistributionPointInfo AS d
SELECT
    1 AS fact_distribution_points,
    d.SiteCode AS site_code,
    d.ServerName AS server_name, -- optional
    d.NALPath AS nal_path, -- optional
    d.ResourceType AS resource_type, -- optional
    NULL AS connected_cache
FROM dbo.v_DistributionPointInfo AS d;

-- candidate: fn_rbac_DistributionPointInfo AS d
SELECT
    1 AS fact_distribution_points,
    d.SiteCode AS site_code,
    d.ServerName AS server_name, -- optional
    d.NALPath AS nal_path, -- optional
    d.ResourceType AS resource_type, -- optional
    NULL AS connected_cache
FROM dbo.fn_rbac_DistributionPointInfo(N'disabled') AS d;
