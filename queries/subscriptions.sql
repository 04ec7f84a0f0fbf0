-- fact: subscriptions
-- Products and classifications that the top-level software update point synchronizes, by id.

-- candidate: CI_CategoryInstances AS c, CI_UpdateCategorySubscription AS s, CI_LocalizedCategoryInstances AS l
SELECT
    1 AS fact_subscriptions,
    c.CategoryTypeName AS kind,
    c.CategoryInstance_UniqueID AS unique_id,
    l.CategoryInstanceName AS name -- optional
FROM dbo.CI_CategoryInstances AS c
JOIN dbo.CI_UpdateCategorySubscription AS s ON s.CategoryInstanceID = c.CategoryInstanceID AND s.IsSubscribed = 1
LEFT JOIN dbo.CI_LocalizedCategoryInstances AS l ON l.CategoryInstanceID = c.CategoryInstanceID
WHERE c.CategoryTypeName IN (N'Product', N'UpdateClassification');

-- candidate: CI_CategoryInstances AS c, CI_UpdateCategorySubscription AS s
SELECT
    1 AS fact_subscriptions,
    c.CategoryTypeName AS kind,
    c.CategoryInstance_UniqueID AS unique_id,
    NULL AS name
FROM dbo.CI_CategoryInstances AS c
JOIN dbo.CI_UpdateCategorySubscription AS s ON s.CategoryInstanceID = c.CategoryInstanceID AND s.IsSubscribed = 1
WHERE c.CategoryTypeName IN (N'Product', N'UpdateClassification');

-- candidate: v_UpdateCategoryInstances AS c
SELECT
    1 AS fact_subscriptions,
    c.CategoryTypeName AS kind,
    c.CategoryInstance_UniqueID AS unique_id,
    NULL AS name
FROM dbo.v_UpdateCategoryInstances AS c
WHERE c.IsSubscribed = 1 AND c.CategoryTypeName IN (N'Product', N'UpdateClassification');
