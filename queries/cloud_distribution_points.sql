-- fact: cloud_distribution_points
-- Cloud distribution points, and cloud management gateways that serve content: roles whose resource is in Azure.
-- at most 10000 rows

-- candidate: vSMS_SC_SysResUse AS u
SELECT
    1 AS fact_cloud_distribution_points,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path -- optional
FROM dbo.vSMS_SC_SysResUse AS u
WHERE u.NALResType = N'Windows Azure';

-- candidate: fn_rbac_SMS_SC_SysResUse AS u
SELECT
    1 AS fact_cloud_distribution_points,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path -- optional
FROM dbo.fn_rbac_SMS_SC_SysResUse(N'disabled') AS u
WHERE u.NALResType = N'Windows Azure';

-- candidate: v_SystemResourceList AS u
SELECT
    1 AS fact_cloud_distribution_points,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path -- optional
FROM dbo.v_SystemResourceList AS u
WHERE u.ResourceType = N'Windows Azure';

-- candidate: fn_rbac_SystemResourceList AS u
SELECT
    1 AS fact_cloud_distribution_points,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path -- optional
FROM dbo.fn_rbac_SystemResourceList(N'disabled') AS u
WHERE u.ResourceType = N'Windows Azure';
