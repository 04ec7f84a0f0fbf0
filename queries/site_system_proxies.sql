-- fact: site_system_proxies
-- The proxy that each site system is set to use. The account for the proxy is not read, only whether there is one.

-- candidate: vSMS_SC_SysResUse AS u, vSMS_SC_SysResUse_Properties AS p
SELECT
    1 AS fact_site_system_proxies,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    p.Name AS property_name,
    CASE WHEN p.Name = N'ProxyUserName' THEN NULL ELSE p.Value1 END AS text1, -- optional
    CASE WHEN p.Name = N'ProxyUserName' THEN NULL ELSE p.Value2 END AS text2, -- optional
    CASE WHEN p.Name = N'ProxyUserName' AND p.Value2 <> N'' THEN 1 ELSE p.Value3 END AS number
FROM dbo.vSMS_SC_SysResUse AS u
LEFT JOIN dbo.vSMS_SC_SysResUse_Properties AS p
    ON p.ID = u.ID AND p.Name IN (N'UseProxy', N'ProxyName', N'ProxyServerPort', N'ProxyUserName')
WHERE u.RoleName = N'SMS Site System';

-- candidate: fn_rbac_SMS_SC_SysResUse AS u, fn_rbac_SMS_SC_SysResUse_Properties AS p
SELECT
    1 AS fact_site_system_proxies,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    p.Name AS property_name,
    CASE WHEN p.Name = N'ProxyUserName' THEN NULL ELSE p.Value1 END AS text1, -- optional
    CASE WHEN p.Name = N'ProxyUserName' THEN NULL ELSE p.Value2 END AS text2, -- optional
    CASE WHEN p.Name = N'ProxyUserName' AND p.Value2 <> N'' THEN 1 ELSE p.Value3 END AS number
FROM dbo.fn_rbac_SMS_SC_SysResUse(N'disabled') AS u
LEFT JOIN dbo.fn_rbac_SMS_SC_SysResUse_Properties(N'disabled') AS p
    ON p.ID = u.ID AND p.Name IN (N'UseProxy', N'ProxyName', N'ProxyServerPort', N'ProxyUserName')
WHERE u.RoleName = N'SMS Site System';
