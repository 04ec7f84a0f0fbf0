-- fact: objects
-- Which of the objects that the other files name are there, with which columns, and which of them may be read. A
-- login sees only what it has some right on, so "absent" and "not permitted" can look alike.

-- candidate:
SELECT
    1 AS fact_objects,
    o.name AS object_name,
    o.type AS object_type,
    c.name AS column_name,
    HAS_PERMS_BY_NAME(N'dbo.' + QUOTENAME(o.name), N'OBJECT', N'SELECT', c.name, N'COLUMN') AS can_select
FROM sys.objects AS o
JOIN sys.columns AS c ON c.object_id = o.object_id
WHERE o.schema_id = SCHEMA_ID(N'dbo')
    AND o.name IN (
        N'AAD_Tenant_Ex',
        N'AzureEnvironments',
        N'fn_rbac_Site',
        N'fn_rbac_SMS_SC_SysResUse',
        N'fn_rbac_SMS_SC_SysResUse_Properties',
        N'fn_rbac_SystemResourceList',
        N'SC_Component',
        N'SC_Component_Property',
        N'SC_SiteDefinition',
        N'Sites',
        N'SMSData',
        N'v_Identification',
        N'v_Site',
        N'v_SystemResourceList',
        N'vSMS_SC_Component',
        N'vSMS_SC_Component_Properties',
        N'vSMS_SC_SysResUse',
        N'vSMS_SC_SysResUse_Properties'
    );
