-- fact: intune_accounts
-- A trace of cloud attach, no proof of it: Intune accounts, counted.

-- candidate: v_IntuneAccountInfo AS i
SELECT
    1 AS fact_intune_accounts,
    COUNT(*) AS amount
FROM dbo.v_IntuneAccountInfo AS i;
