-- fact: features
-- Optional features of the product, with their names in English (language 1033).

-- candidate: fn_ListCMUpdateFeatures AS f
SELECT
    1 AS fact_features,
    f.Name AS name,
    f.FeatureType AS kind, -- optional
    f.Exposed AS exposed, -- optional
    f.Status AS status -- optional
FROM dbo.fn_ListCMUpdateFeatures(1033) AS f;

-- candidate: vSMS_CM_UpdateFeatures AS f
SELECT
    1 AS fact_features,
    f.Name AS name,
    f.FeatureType AS kind, -- optional
    f.Exposed AS exposed, -- optional
    f.Status AS status -- optional
FROM dbo.vSMS_CM_UpdateFeatures AS f;
