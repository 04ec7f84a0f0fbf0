-- fact: cmg_connection_points
-- CMG connection points.
-- at most 1000 rows

-- candidate: vSMS_SC_SysResUse AS u
SELECT
    1 AS fact_cmg_connection_points,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path -- optional
FROM dbo.vSMS_SC_SysResUse AS u
WHERE u.RoleName = N'SMS Cloud Proxy Connector';

-- candidate: fn_rbac_SMS_SC_SysResUse AS u
SELECT
    1 AS fact_cmg_connection_points,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path -- optional
FROM dbo.fn_rbac_SMS_SC_SysResUse(N'disabled') AS u
WHERE u.RoleName = N'SMS Cloud Proxy Connector';

-- candidate: v_SystemResourceList AS u
SELECT
    1 AS fact_cmg_connection_points,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path -- optional
FROM dbo.v_SystemResourceList AS u
WHERE u.RoleName = N'SMS Cloud Proxy Connector';

-- candidate: fn_rbac_SystemResourceList AS u
SELECT
    1 AS fact_cmg_connection_points,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path -- optional
FROM dbo.fn_rbac_SystemResourceList(N'disabled') AS u
WHERE u.RoleName = N'SMS Cloud Proxy Connector';
