-- fact: group_syncs
-- How many collections are synchronized to Microsoft Entra groups.

-- candidate: CollectionAADGroupMapping AS g
SELECT
    1 AS fact_group_syncs,
    COUNT(g.CollectionSiteID) AS amount
FROM dbo.CollectionAADGroupMapping AS g;
