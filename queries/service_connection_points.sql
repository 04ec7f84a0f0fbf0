-- fact: service_connection_points
-- Service connection points: OfflineMode 0 is online, 1 offline.
-- at most 1000 rows

-- candidate: vSMS_SC_SysResUse AS u, vSMS_SC_SysResUse_Properties AS p
SELECT
    1 AS fact_service_connection_points,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    p.Name AS property_name,
    p.Value3 AS number
FROM dbo.vSMS_SC_SysResUse AS u
LEFT JOIN dbo.vSMS_SC_SysResUse_Properties AS p ON p.ID = u.ID AND p.Name = N'OfflineMode'
WHERE u.RoleName = N'SMS Dmp Connector';

-- candidate: fn_rbac_SMS_SC_SysResUse AS u, fn_rbac_SMS_SC_SysResUse_Properties AS p
SELECT
    1 AS fact_service_connection_points,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    p.Name AS property_name,
    p.Value3 AS number
FROM dbo.fn_rbac_SMS_SC_SysResUse(N'disabled') AS u
LEFT JOIN dbo.fn_rbac_SMS_SC_SysResUse_Properties(N'disabled') AS p ON p.ID = u.ID AND p.Name = N'OfflineMode'
WHERE u.RoleName = N'SMS Dmp Connector';

-- candidate: v_SystemResourceList AS u
SELECT
    1 AS fact_service_connection_points,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    NULL AS property_name,
    NULL AS number
FROM dbo.v_SystemResourceList AS u
WHERE u.RoleName = N'SMS Dmp Connector';

-- candidate: fn_rbac_SystemResourceList AS u
SELECT
    1 AS fact_service_connection_points,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    NULL AS property_name,
    NULL AS number
FROM dbo.fn_rbac_SystemResourceList(N'disabled') AS u
WHERE u.RoleName = N'SMS Dmp Connector';
