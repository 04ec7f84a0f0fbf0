-- fact: third_party_catalogs
-- Third-party update catalogs, and where each is downloaded from. The name of the view is not documented: it is found
-- by the columns that it must have (discover_signatures.sql), and takes the place of the one below.
-- at most 10000 rows

-- candidate: vSMS_ISVCatalogs AS c by signature
SELECT
    1 AS fact_third_party_catalogs,
    c.Name AS name, -- optional
    c.PublisherName AS publisher, -- optional
    c.DownloadUrl AS download_url, -- optional
    c.SyncEnabled AS synchronized -- optional
FROM dbo.vSMS_ISVCatalogs AS c;
