-- fact: cmg_addresses
-- The addresses of cloud management gateways that clients are given. Only the host of the path is kept.

-- candidate: vProxy_Roles AS r
SELECT
    1 AS fact_cmg_addresses,
    r.MutualAuthPath AS path
FROM dbo.vProxy_Roles AS r;
