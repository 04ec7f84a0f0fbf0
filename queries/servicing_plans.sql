-- fact: servicing_plans
-- Servicing plans that are enabled, counted.

-- candidate: vSMS_AutoDeployments AS a
SELECT
    1 AS fact_servicing_plans,
    COUNT(*) AS amount
FROM dbo.vSMS_AutoDeployments AS a
WHERE a.IsServicingPlan = 1 AND a.AutoDeploymentEnabled = 1;
