-- fact: script_results
-- What clients said in answer to a script of Run Scripts: every client that the site knows, the newest result first, with
-- its boundary group or else its network. Sent by `cmcomply run-script collect` alone, in pages: @P1 is the script, @P2 the
-- last client of the page before. One character more than a site keeps of an answer shows that it is longer.
-- at most 500 rows

-- candidate: v_R_System_Valid AS v, vSMS_ScriptsExecutionStatus AS s, vSMS_CombinedDeviceResources AS d
SELECT
    1 AS fact_script_results,
    v.ResourceID AS resource_id,
    N'boundary_group' AS grouped_by,
    (SELECT MIN(d.BoundaryGroups) AS lowest FROM dbo.vSMS_CombinedDeviceResources AS d WHERE d.MachineID = v.ResourceID) AS client_group,
    s.ScriptExecutionState AS state, -- optional
    LEFT(s.ScriptOutput, 4001) AS output,
    s.LastUpdateTime AS updated
FROM dbo.v_R_System_Valid AS v
LEFT JOIN dbo.vSMS_ScriptsExecutionStatus AS s
    ON s.ResourceID = v.ResourceID AND s.ScriptGuid = @P1
WHERE v.ResourceID > @P2
ORDER BY v.ResourceID, s.LastUpdateTime DESC
OFFSET 0 ROWS FETCH NEXT 500 ROWS ONLY;

-- candidate: v_R_System_Valid AS v, vSMS_ScriptsExecutionStatus AS s, v_CollectionMemberClientBaselineStatus AS d
SELECT
    1 AS fact_script_results,
    v.ResourceID AS resource_id,
    N'boundary_group' AS grouped_by,
    (SELECT MIN(d.BoundaryGroups) AS lowest FROM dbo.v_CollectionMemberClientBaselineStatus AS d WHERE d.ResourceID = v.ResourceID) AS client_group,
    s.ScriptExecutionState AS state, -- optional
    LEFT(s.ScriptOutput, 4001) AS output,
    s.LastUpdateTime AS updated
FROM dbo.v_R_System_Valid AS v
LEFT JOIN dbo.vSMS_ScriptsExecutionStatus AS s
    ON s.ResourceID = v.ResourceID AND s.ScriptGuid = @P1
WHERE v.ResourceID > @P2
ORDER BY v.ResourceID, s.LastUpdateTime DESC
OFFSET 0 ROWS FETCH NEXT 500 ROWS ONLY;

-- candidate: v_R_System_Valid AS v, vSMS_ScriptsExecutionStatus AS s, v_RA_System_IPSubnets AS n
SELECT
    1 AS fact_script_results,
    v.ResourceID AS resource_id,
    N'network' AS grouped_by,
    (SELECT MIN(n.IP_Subnets0) AS lowest FROM dbo.v_RA_System_IPSubnets AS n WHERE n.ResourceID = v.ResourceID) AS client_group,
    s.ScriptExecutionState AS state, -- optional
    LEFT(s.ScriptOutput, 4001) AS output,
    s.LastUpdateTime AS updated
FROM dbo.v_R_System_Valid AS v
LEFT JOIN dbo.vSMS_ScriptsExecutionStatus AS s
    ON s.ResourceID = v.ResourceID AND s.ScriptGuid = @P1
WHERE v.ResourceID > @P2
ORDER BY v.ResourceID, s.LastUpdateTime DESC
OFFSET 0 ROWS FETCH NEXT 500 ROWS ONLY;

-- candidate: v_R_System_Valid AS v, vSMS_ScriptsExecutionStatus AS s
SELECT
    1 AS fact_script_results,
    v.ResourceID AS resource_id,
    N'nothing' AS grouped_by,
    NULL AS client_group,
    s.ScriptExecutionState AS state, -- optional
    LEFT(s.ScriptOutput, 4001) AS output,
    s.LastUpdateTime AS updated
FROM dbo.v_R_System_Valid AS v
LEFT JOIN dbo.vSMS_ScriptsExecutionStatus AS s
    ON s.ResourceID = v.ResourceID AND s.ScriptGuid = @P1
WHERE v.ResourceID > @P2
ORDER BY v.ResourceID, s.LastUpdateTime DESC
OFFSET 0 ROWS FETCH NEXT 500 ROWS ONLY;

-- candidate: v_R_System_Valid AS v, ScriptsExecutionStatus AS s, vSMS_CombinedDeviceResources AS d
SELECT
    1 AS fact_script_results,
    v.ResourceID AS resource_id,
    N'boundary_group' AS grouped_by,
    (SELECT MIN(d.BoundaryGroups) AS lowest FROM dbo.vSMS_CombinedDeviceResources AS d WHERE d.MachineID = v.ResourceID) AS client_group,
    s.ScriptExecutionState AS state, -- optional
    LEFT(s.ScriptOutput, 4001) AS output,
    s.LastUpdateTime AS updated
FROM dbo.v_R_System_Valid AS v
LEFT JOIN dbo.ScriptsExecutionStatus AS s
    ON s.ResourceID = v.ResourceID AND s.ScriptGuid = @P1
WHERE v.ResourceID > @P2
ORDER BY v.ResourceID, s.LastUpdateTime DESC
OFFSET 0 ROWS FETCH NEXT 500 ROWS ONLY;

-- candidate: v_R_System_Valid AS v, ScriptsExecutionStatus AS s, v_CollectionMemberClientBaselineStatus AS d
SELECT
    1 AS fact_script_results,
    v.ResourceID AS resource_id,
    N'boundary_group' AS grouped_by,
    (SELECT MIN(d.BoundaryGroups) AS lowest FROM dbo.v_CollectionMemberClientBaselineStatus AS d WHERE d.ResourceID = v.ResourceID) AS client_group,
    s.ScriptExecutionState AS state, -- optional
    LEFT(s.ScriptOutput, 4001) AS output,
    s.LastUpdateTime AS updated
FROM dbo.v_R_System_Valid AS v
LEFT JOIN dbo.ScriptsExecutionStatus AS s
    ON s.ResourceID = v.ResourceID AND s.ScriptGuid = @P1
WHERE v.ResourceID > @P2
ORDER BY v.ResourceID, s.LastUpdateTime DESC
OFFSET 0 ROWS FETCH NEXT 500 ROWS ONLY;

-- candidate: v_R_System_Valid AS v, ScriptsExecutionStatus AS s, v_RA_System_IPSubnets AS n
SELECT
    1 AS fact_script_results,
    v.ResourceID AS resource_id,
    N'network' AS grouped_by,
    (SELECT MIN(n.IP_Subnets0) AS lowest FROM dbo.v_RA_System_IPSubnets AS n WHERE n.ResourceID = v.ResourceID) AS client_group,
    s.ScriptExecutionState AS state, -- optional
    LEFT(s.ScriptOutput, 4001) AS output,
    s.LastUpdateTime AS updated
FROM dbo.v_R_System_Valid AS v
LEFT JOIN dbo.ScriptsExecutionStatus AS s
    ON s.ResourceID = v.ResourceID AND s.ScriptGuid = @P1
WHERE v.ResourceID > @P2
ORDER BY v.ResourceID, s.LastUpdateTime DESC
OFFSET 0 ROWS FETCH NEXT 500 ROWS ONLY;

-- candidate: v_R_System_Valid AS v, ScriptsExecutionStatus AS s
SELECT
    1 AS fact_script_results,
    v.ResourceID AS resource_id,
    N'nothing' AS grouped_by,
    NULL AS client_group,
    s.ScriptExecutionState AS state, -- optional
    LEFT(s.ScriptOutput, 4001) AS output,
    s.LastUpdateTime AS updated
FROM dbo.v_R_System_Valid AS v
LEFT JOIN dbo.ScriptsExecutionStatus AS s
    ON s.ResourceID = v.ResourceID AND s.ScriptGuid = @P1
WHERE v.ResourceID > @P2
ORDER BY v.ResourceID, s.LastUpdateTime DESC
OFFSET 0 ROWS FETCH NEXT 500 ROWS ONLY;
