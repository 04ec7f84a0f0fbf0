-- fact: this_site
-- The site whose database this is.
-- at most 1000 rows

-- candidate: SMSData AS d
SELECT
    1 AS fact_this_site,
    d.ThisSiteCode AS site_code
FROM dbo.SMSData AS d;

-- candidate: v_Identification AS i
SELECT
    1 AS fact_this_site,
    i.ThisSiteCode AS site_code
FROM dbo.v_Identification AS i;
