-- fact: desktop_analytics
-- A trace of Desktop Analytics, which has been retired: its properties, counted.

-- candidate: M365AProperties AS p
SELECT
    1 AS fact_desktop_analytics,
    COUNT(p.Name) AS amount
FROM dbo.M365AProperties AS p;
