-- fact: service_connectors
-- A trace of cloud attach, no proof of it: servers with the component that uploads, counted.

-- candidate: v_ServerComponents AS c
SELECT
    1 AS fact_service_connectors,
    COUNT(*) AS amount
FROM dbo.v_ServerComponents AS c
WHERE c.ComponentName LIKE N'SMS_SERVICE_CONNECTOR%';

-- candidate: fn_rbac_ServerComponents AS c
SELECT
    1 AS fact_service_connectors,
    COUNT(*) AS amount
FROM dbo.fn_rbac_ServerComponents(N'disabled') AS c
WHERE c.ComponentName LIKE N'SMS_SERVICE_CONNECTOR%';
