-- fact: site_systems
-- The roles of each server, by the names that the product gives them. Rows of resource type "Windows Azure" are cloud
-- services, not servers.

-- candidate: vSMS_SC_SysResUse AS u
SELECT
    1 AS fact_site_systems,
    u.SiteCode AS site_code,
    u.RoleName AS role_name,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    u.NALResType AS resource_type -- optional
FROM dbo.vSMS_SC_SysResUse AS u;

-- candidate: fn_rbac_SMS_SC_SysResUse AS u
SELECT
    1 AS fact_site_systems,
    u.SiteCode AS site_code,
    u.RoleName AS role_name,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    u.NALResType AS resource_type -- optional
FROM dbo.fn_rbac_SMS_SC_SysResUse(N'disabled') AS u;

-- candidate: v_SystemResourceList AS u
SELECT
    1 AS fact_site_systems,
    u.SiteCode AS site_code,
    u.RoleName AS role_name,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    u.ResourceType AS resource_type -- optional
FROM dbo.v_SystemResourceList AS u;

-- candidate: fn_rbac_SystemResourceList AS u
SELECT
    1 AS fact_site_systems,
    u.SiteCode AS site_code,
    u.RoleName AS role_name,
    u.ServerName AS server_name, -- optional
    u.NALPath AS nal_path, -- optional
    u.ResourceType AS resource_type -- optional
FROM dbo.fn_rbac_SystemResourceList(N'disabled') AS u;
