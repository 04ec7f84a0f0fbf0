-- fact: edge_policies
-- Microsoft Edge browser policies, counted. 1033 is the language of texts that are not asked for.

-- candidate: fn_listEdgeBrowserSettings_List AS e
SELECT
    1 AS fact_edge_policies,
    COUNT(*) AS amount
FROM dbo.fn_listEdgeBrowserSettings_List(1033) AS e;
