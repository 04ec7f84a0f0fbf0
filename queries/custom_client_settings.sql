-- fact: custom_client_settings
-- Client settings that decide endpoints, of custom settings: agents 22 cloud services, 9 software updates, 32
-- Delivery Optimization, 29 Windows analytics.

-- candidate: vSMS_ClientAgentConfig_Base AS c, vSMS_ClientSettings AS s
SELECT
    1 AS fact_custom_client_settings,
    s.Name AS settings_name,
    c.PropertyName AS property_name,
    c.DwordValue AS number
FROM dbo.vSMS_ClientAgentConfig_Base AS c
JOIN dbo.vSMS_ClientSettings AS s ON s.ID = c.SettingsID
WHERE (c.AgentID = 22 AND c.PropertyName IN (N'AllowCMG', N'AllowCloudDP'))
    OR (c.AgentID = 9 AND c.PropertyName IN (N'O365Management', N'EnableThirdPartyUpdates', N'WUfBEnabled'))
    OR (c.AgentID = 32 AND c.PropertyName IN (N'EnableWindowsDO', N'StampDOINC'))
    OR (c.AgentID = 29 AND c.PropertyName = N'WAEnable');

-- candidate: vSMS_ClientAgentConfig_Base AS c
SELECT
    1 AS fact_custom_client_settings,
    c.SettingsID AS settings_name,
    c.PropertyName AS property_name,
    c.DwordValue AS number
FROM dbo.vSMS_ClientAgentConfig_Base AS c
WHERE (c.AgentID = 22 AND c.PropertyName IN (N'AllowCMG', N'AllowCloudDP'))
    OR (c.AgentID = 9 AND c.PropertyName IN (N'O365Management', N'EnableThirdPartyUpdates', N'WUfBEnabled'))
    OR (c.AgentID = 32 AND c.PropertyName IN (N'EnableWindowsDO', N'StampDOINC'))
    OR (c.AgentID = 29 AND c.PropertyName = N'WAEnable');
