-- fact: role_properties
-- Properties of roles: a number is in Value3, a text in Value2 or Value1. Only the names in this list are asked for;
-- none of them holds an account or a secret.

-- candidate: vSMS_SC_SysResUse AS u, vSMS_SC_SysResUse_Properties AS p
SELECT
    1 AS fact_role_properties,
    u.SiteCode AS site_code,
    u.RoleName AS role_name,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    p.Name AS property_name,
    p.Value1 AS text1, -- optional
    p.Value2 AS text2, -- optional
    p.Value3 AS number -- optional
FROM dbo.vSMS_SC_SysResUse AS u
JOIN dbo.vSMS_SC_SysResUse_Properties AS p ON p.ID = u.ID
WHERE p.Name IN (
    N'UseProxy', N'ProxyName', N'ProxyServerPort', N'AnonymousProxyAccess', N'Server Remote Public Name',
    N'OfflineMode', N'Enabled', N'UseProxyForADR', N'SSLWSUS', N'WSUSIISPort', N'WSUSIISSSLPort', N'IsINF',
    N'IsIntranet', N'AllowProxyTraffic', N'MPInternetFacing', N'IsPullDP', N'DBServerName', N'SQLServerName'
);

-- candidate: fn_rbac_SMS_SC_SysResUse AS u, fn_rbac_SMS_SC_SysResUse_Properties AS p
SELECT
    1 AS fact_role_properties,
    u.SiteCode AS site_code,
    u.RoleName AS role_name,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    p.Name AS property_name,
    p.Value1 AS text1, -- optional
    p.Value2 AS text2, -- optional
    p.Value3 AS number -- optional
FROM dbo.fn_rbac_SMS_SC_SysResUse(N'disabled') AS u
JOIN dbo.fn_rbac_SMS_SC_SysResUse_Properties(N'disabled') AS p ON p.ID = u.ID
WHERE p.Name IN (
    N'UseProxy', N'ProxyName', N'ProxyServerPort', N'AnonymousProxyAccess', N'Server Remote Public Name',
    N'OfflineMode', N'Enabled', N'UseProxyForADR', N'SSLWSUS', N'WSUSIISPort', N'WSUSIISSSLPort', N'IsINF',
    N'IsIntranet', N'AllowProxyTraffic', N'MPInternetFacing', N'IsPullDP', N'DBServerName', N'SQLServerName'
);
