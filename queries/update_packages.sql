-- fact: update_packages
-- Updates of the product itself and how far each is: 196612 installed, 262146 ready to install, 327682 available to
-- download, 393213 hidden, 393214 not applicable.

-- candidate: CM_UpdatePackages AS p, v_LocalizedUpdatePackageMetaData_SiteLoc AS n
SELECT
    1 AS fact_update_packages,
    n.Name AS name, -- optional
    p.FullVersion AS version, -- optional
    p.State AS state, -- optional
    p.DateReleased AS released -- optional
FROM dbo.CM_UpdatePackages AS p
LEFT JOIN dbo.v_LocalizedUpdatePackageMetaData_SiteLoc AS n ON n.PackageGuid = p.PackageGuid;

-- candidate: vSMS_CM_UpdatePackages AS p
SELECT
    1 AS fact_update_packages,
    p.Name AS name, -- optional
    p.FullVersion AS version, -- optional
    p.State AS state, -- optional
    p.DateReleased AS released -- optional
FROM dbo.vSMS_CM_UpdatePackages AS p;

-- candidate: CM_UpdatePackages AS p
SELECT
    1 AS fact_update_packages,
    NULL AS name,
    p.FullVersion AS version, -- optional
    p.State AS state, -- optional
    p.DateReleased AS released -- optional
FROM dbo.CM_UpdatePackages AS p;

-- candidate: v_LocalizedUpdatePackageMetaData_SiteLoc AS n
SELECT
    1 AS fact_update_packages,
    n.Name AS name,
    NULL AS version,
    NULL AS state,
    NULL AS released
FROM dbo.v_LocalizedUpdatePackageMetaData_SiteLoc AS n;
