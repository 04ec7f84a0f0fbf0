-- fact: script_objects
-- Which of the objects that script_results.sql names are there, with which columns, and which of them may be read. Sent by
-- `cmcomply run-script collect` alone, so that an audit asks for none of them.

-- candidate:
SELECT
    1 AS fact_script_objects,
    o.name AS object_name,
    o.type AS object_type,
    c.name AS column_name,
    HAS_PERMS_BY_NAME(N'dbo.' + QUOTENAME(o.name), N'OBJECT', N'SELECT', c.name, N'COLUMN') AS can_select
FROM sys.objects AS o
JOIN sys.columns AS c ON c.object_id = o.object_id
WHERE o.schema_id = SCHEMA_ID(N'dbo')
    AND o.name IN (
        N'ScriptsExecutionStatus',
        N'v_CollectionMemberClientBaselineStatus',
        N'v_R_System_Valid',
        N'v_RA_System_IPSubnets',
        N'vSMS_CombinedDeviceResources',
        N'vSMS_ScriptsExecutionStatus'
    );
