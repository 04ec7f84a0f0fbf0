-- fact: internet_names
-- The names under which clients on the internet know servers.

-- candidate: SysResList AS r
SELECT
    1 AS fact_internet_names,
    r.SiteCode AS site_code,
    r.ServerName AS server_name, -- optional
    r.NALPath AS nal_path, -- optional
    r.ServerRemoteName AS internet_name
FROM dbo.SysResList AS r
WHERE r.ServerRemoteName <> N'';

-- candidate: vSMS_SC_SysResUse AS u, vSMS_SC_SysResUse_Properties AS p
SELECT
    1 AS fact_internet_names,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    COALESCE(NULLIF(p.Value1, N''), p.Value2) AS internet_name
FROM dbo.vSMS_SC_SysResUse AS u
JOIN dbo.vSMS_SC_SysResUse_Properties AS p ON p.ID = u.ID
WHERE p.Name = N'Server Remote Public Name';

-- candidate: fn_rbac_SMS_SC_SysResUse AS u, fn_rbac_SMS_SC_SysResUse_Properties AS p
SELECT
    1 AS fact_internet_names,
    u.SiteCode AS site_code,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    COALESCE(NULLIF(p.Value1, N''), p.Value2) AS internet_name
FROM dbo.fn_rbac_SMS_SC_SysResUse(N'disabled') AS u
JOIN dbo.fn_rbac_SMS_SC_SysResUse_Properties(N'disabled') AS p ON p.ID = u.ID
WHERE p.Name = N'Server Remote Public Name';
