-- fact: tenants
-- Microsoft Entra tenants: Environment 1 is the public cloud, 2 US Government.
-- at most 1000 rows

-- candidate: AAD_Tenant_Ex AS t
SELECT
    1 AS fact_tenants,
    t.TenantID AS tenant_id,
    t.Name AS name, -- optional
    t.Environment AS environment -- optional
FROM dbo.AAD_Tenant_Ex AS t;
