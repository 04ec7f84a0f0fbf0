-- fact: co_managed_clients
-- Clients in co-management, counted.
-- heavy

-- candidate: v_ClientCoManagementState AS s
SELECT
    1 AS fact_co_managed_clients,
    COUNT(*) AS reported,
    SUM(CASE WHEN s.ComgmtPolicyPresent = 1 THEN 1 ELSE 0 END) AS with_policy,
    SUM(CASE WHEN s.MDMEnrolled = 1 THEN 1 ELSE 0 END) AS enrolled
FROM dbo.v_ClientCoManagementState AS s;
