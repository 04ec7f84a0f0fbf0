-- fact: store_for_business
-- Microsoft Store for Business accounts (retired), counted, and the last synchronization.

-- candidate: vWSfBConfigurationData AS w
SELECT
    1 AS fact_store_for_business,
    COUNT(*) AS accounts,
    MAX(w.LastSuccessfulSyncTime) AS last_sync -- optional
FROM dbo.vWSfBConfigurationData AS w;
