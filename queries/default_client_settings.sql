-- fact: default_client_settings
-- Client settings that decide endpoints, of the default settings. The components are not documented, the names of
-- their properties are.

-- candidate: vSMS_SC_ClientComponent_Properties AS p
SELECT
    1 AS fact_default_client_settings,
    p.Name AS property_name,
    p.Value3 AS number
FROM dbo.vSMS_SC_ClientComponent_Properties AS p
WHERE p.Name IN (
    N'AllowCMG', N'AllowCloudDP', N'EnableWindowsDO', N'StampDOINC', N'O365Management', N'EnableThirdPartyUpdates',
    N'WUfBEnabled', N'WAEnable'
);
