-- fact: consoles
-- Computers from which the console is used. The name of the view is not documented: it is found by the columns that
-- it must have (discover_signatures.sql), and takes the place of the first one below. Else the inventory says where a
-- console is installed.
-- heavy

-- candidate: vSMS_ConsoleAdminsData AS c by signature
SELECT
    1 AS fact_consoles,
    c.MachineName AS machine_name,
    MAX(c.ConsoleVersion) AS version, -- optional
    MAX(c.ConsoleConnectTime) AS last_seen -- optional
FROM dbo.vSMS_ConsoleAdminsData AS c
GROUP BY c.MachineName;

-- candidate: v_Add_Remove_Programs AS a, v_R_System AS s
SELECT
    1 AS fact_consoles,
    s.Netbios_Name0 AS machine_name,
    a.Version0 AS version, -- optional
    NULL AS last_seen
FROM dbo.v_Add_Remove_Programs AS a
JOIN dbo.v_R_System AS s ON s.ResourceID = a.ResourceID
WHERE a.DisplayName0 LIKE N'%Configuration Manager Console%';
