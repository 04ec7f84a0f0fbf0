-- fact: sync_sources
-- Where the software update point of each site synchronizes from: DefaultUseParentWSUS 0 is Microsoft Update, 1 an
-- upstream server, 2 nothing.

-- candidate: SC_Component AS c, SC_SiteDefinition AS d, SC_Component_Property AS p
SELECT
    1 AS fact_sync_sources,
    d.SiteCode AS site_code,
    p.Name AS property_name,
    p.Value1 AS text1, -- optional
    p.Value2 AS text2, -- optional
    p.Value3 AS number
FROM dbo.SC_Component AS c
JOIN dbo.SC_SiteDefinition AS d ON d.SiteNumber = c.SiteNumber
JOIN dbo.SC_Component_Property AS p ON p.ComponentID = c.ID AND p.SiteNumber = c.SiteNumber
WHERE c.ComponentName = N'SMS_WSUS_CONFIGURATION_MANAGER'
    AND p.Name IN (N'DefaultUseParentWSUS', N'DefaultWSUS', N'ParentWSUS', N'ParentWSUSPort', N'SSLToParentWSUS');

-- candidate: SC_Component AS c, SC_SiteDefinition AS d, SC_Component_Property AS p
SELECT
    1 AS fact_sync_sources,
    d.SiteCode AS site_code,
    p.Name AS property_name,
    p.Value1 AS text1, -- optional
    p.Value2 AS text2, -- optional
    p.Value3 AS number
FROM dbo.SC_Component AS c
JOIN dbo.SC_SiteDefinition AS d ON d.SiteNumber = c.SiteNumber
JOIN dbo.SC_Component_Property AS p ON p.ComponentID = c.ID
WHERE c.ComponentName = N'SMS_WSUS_CONFIGURATION_MANAGER'
    AND p.Name IN (N'DefaultUseParentWSUS', N'DefaultWSUS', N'ParentWSUS', N'ParentWSUSPort', N'SSLToParentWSUS');

-- candidate: vSMS_SC_Component AS c, vSMS_SC_Component_Properties AS p
SELECT
    1 AS fact_sync_sources,
    c.SiteCode AS site_code,
    p.Name AS property_name,
    p.Value1 AS text1, -- optional
    p.Value2 AS text2, -- optional
    p.Value3 AS number
FROM dbo.vSMS_SC_Component AS c
JOIN dbo.vSMS_SC_Component_Properties AS p ON p.ID = c.ID
WHERE c.ComponentName = N'SMS_WSUS_CONFIGURATION_MANAGER'
    AND p.Name IN (N'DefaultUseParentWSUS', N'DefaultWSUS', N'ParentWSUS', N'ParentWSUSPort', N'SSLToParentWSUS');
