-- fact: co_management_policies
-- How many co-management policies there are. 1033 is the language of texts that are not asked for.

-- candidate: fn_listCoManagementSettings_List AS s
SELECT
    1 AS fact_co_management_policies,
    COUNT(*) AS amount
FROM dbo.fn_listCoManagementSettings_List(1033) AS s;
