-- fact: entra_apps
-- Applications registered in Microsoft Entra, and when the secret of each ends. The secrets are in other columns of
-- the same table, which are never asked for.
-- at most 1000 rows

-- candidate: AAD_Application_Ex AS a
SELECT
    1 AS fact_entra_apps,
    a.ClientID AS client_id,
    a.Name AS name, -- optional
    a.SecretKeyExpiry AS secret_expires -- optional
FROM dbo.AAD_Application_Ex AS a;

-- candidate: vSMS_AAD_Application_Ex AS a
SELECT
    1 AS fact_entra_apps,
    a.ClientID AS client_id,
    a.Name AS name, -- optional
    a.SecretKeyExpiry AS secret_expires -- optional
FROM dbo.vSMS_AAD_Application_Ex AS a;
