-- fact: clients_by_system
-- Clients by operating system and build, counted.
-- heavy

-- candidate: v_GS_OPERATING_SYSTEM AS o, v_R_System_Valid AS v
SELECT
    1 AS fact_clients_by_system,
    o.Caption0 AS system,
    o.BuildNumber0 AS build,
    COUNT(*) AS clients
FROM dbo.v_GS_OPERATING_SYSTEM AS o
JOIN dbo.v_R_System_Valid AS v ON v.ResourceID = o.ResourceID
GROUP BY o.Caption0, o.BuildNumber0;

-- candidate: v_R_System AS v
SELECT
    1 AS fact_clients_by_system,
    v.Operating_System_Name_and0 AS system,
    v.Build01 AS build,
    COUNT(*) AS clients
FROM dbo.v_R_System AS v
WHERE v.Client0 = 1 AND COALESCE(v.Decommissioned0, 0) = 0
GROUP BY v.Operating_System_Name_and0, v.Build01;
