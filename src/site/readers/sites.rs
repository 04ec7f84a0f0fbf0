//! The sites of the hierarchy.

use std::collections::BTreeMap;

use super::super::fact::{Fact, UnknownWhy};
use super::super::facts::{Site, SiteKind};
use super::super::names::SiteCode;
use super::super::read::Raw;
use super::cells::{Cells, Findings};
use super::known;

/// Builds have been four digits since the product's beginning: 7711 in 2012, 9141 in 2025.
const LAST_BUILD: u32 = 9999;

/// The site whose database this is: the one row of `SMSData`.
pub(super) fn this_site(raw: Raw, findings: &mut Findings) -> Fact<SiteCode> {
    let codes = known(raw, |rows, object| {
        let mut codes: Vec<SiteCode> =
            rows.iter().filter_map(|row| Cells { object, row, findings }.site("site_code")).collect();
        codes.dedup();
        if let ([_, .., _], Some(row)) = (codes.as_slice(), rows.last()) {
            Cells { object, row, findings }.report("site_code", "several sites claim this database");
        }
        codes
    });
    match codes {
        Fact::Known { mut value, source } if value.len() == 1 => Fact::Known { value: value.remove(0), source },
        Fact::Known { source, .. } => {
            let detail = format!("{} does not name one site", source.object);
            Fact::Unknown { why: UnknownWhy::NotEvidenced, detail }
        }
        Fact::Unknown { why, detail } => Fact::Unknown { why, detail },
    }
}

/// The sites. A row whose parent is no site code is left out: without one it would look like a top-level site.
pub(super) fn sites(raw: Raw, findings: &mut Findings) -> Fact<Vec<Site>> {
    known(raw, |rows, object| {
        let mut sites: BTreeMap<SiteCode, Site> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let (Some(code), Ok(parent)) = (cells.site("site_code"), cells.optional_site("parent_site_code")) else {
                continue;
            };
            let site = Site {
                code,
                name: cells.name("site_name"),
                kind: kind(&mut cells),
                parent,
                build: build(&mut cells),
                version: cells.name("version"),
                server: cells.host("server_name"),
            };
            match sites.get(&site.code) {
                None => drop(sites.insert(site.code.clone(), site)),
                Some(known) if *known == site => {}
                Some(_) => cells.report("site_code", "two sites with one code; the first is used"),
            }
        }
        sites.into_values().collect()
    })
}

/// The build number. The version has it too; one that says another, or that no version will have for a long time, is
/// not used.
fn build(cells: &mut Cells<'_>) -> Option<u32> {
    let build = cells.count("build_number")?;
    if build > LAST_BUILD {
        cells.report("build_number", "a build from a far future");
        return None;
    }
    let version = cells.raw_text("version").unwrap_or_default();
    match version.split('.').nth(2).map(str::parse::<u32>) {
        Some(Ok(other)) if build != other => {
            cells.report("build_number", "not the build of the version");
            None
        }
        _ => Some(build),
    }
}

fn kind(cells: &mut Cells<'_>) -> Option<SiteKind> {
    match cells.number("site_type")? {
        1 => Some(SiteKind::Secondary),
        2 => Some(SiteKind::Primary),
        4 => Some(SiteKind::CentralAdministration),
        _ => {
            cells.report("site_type", "no known kind of site (1, 2 or 4)");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_rows::{raw, with_findings};
    use super::*;

    const COLUMNS: &str = "site_code|site_name|site_type|parent_site_code|build_number|version|server_name";

    #[test]
    fn a_site_has_a_parent_or_is_at_the_top() {
        let rows = [
            "PS1|Contoso Americas|2|CAS|9128|5.00.9128.1000|CM-PS1.corp.contoso.com",
            "CAS|Contoso|4||9128|5.00.9128.1000|CM-CAS.corp.contoso.com",
        ];
        let (fact, findings) = with_findings(|f| sites(raw(COLUMNS, &rows), f));
        let sites = fact.known().unwrap();
        assert_eq!(findings, []);
        assert_eq!(sites[0].code.as_str(), "CAS");
        assert_eq!((sites[0].parent.as_ref(), sites[0].kind), (None, Some(SiteKind::CentralAdministration)));
        assert_eq!(sites[1].parent.as_ref().unwrap().as_str(), "CAS");
        assert_eq!((sites[1].build, sites[1].kind), (Some(9128), Some(SiteKind::Primary)));
        assert_eq!(sites[1].server.as_ref().unwrap().as_str(), "cm-ps1.corp.contoso.com");
    }

    #[test]
    fn bad_rows_are_reported_and_bad_values_are_not_used() {
        let rows = [
            "NULL|x|2||1|v|s",
            "PS1!|x|2||1|v|s",
            "PS2|x|2|C'S|1|v|s",
            "PS3|x|7|NULL|-1|v|a b",
            "PS4|x|2||1|v|s",
            "PS4|y|2||1|v|s",
        ];
        let (fact, findings) = with_findings(|f| sites(raw(COLUMNS, &rows), f));
        let sites = fact.known().unwrap();
        assert_eq!(sites.iter().map(|s| s.code.as_str()).collect::<Vec<_>>(), ["PS3", "PS4"]);
        assert_eq!((sites[0].kind, sites[0].build, &sites[0].server), (None, None, &None));
        assert_eq!(sites[1].name.as_deref(), Some("x"));
        let columns: Vec<_> = findings.iter().map(|f| f.column.as_str()).collect();
        assert_eq!(
            columns,
            ["site_code", "site_code", "parent_site_code", "site_type", "build_number", "server_name", "site_code"]
        );
    }

    #[test]
    fn a_build_is_that_of_the_version_and_not_from_the_future() {
        let build = |number: &str, version: &str| {
            let row = format!("PS1|x|2||{number}|{version}|s");
            let (fact, findings) = with_findings(|f| sites(raw(COLUMNS, &[&row]), f));
            (fact.rows()[0].build, findings.len())
        };
        assert_eq!(build("9128", "5.00.9128.1000"), (Some(9128), 0));
        assert_eq!(build("9128", "NULL"), (Some(9128), 0));
        assert_eq!(build("9128", "5.00.9132.1000"), (None, 1));
        assert_eq!(build("99999", "5.00.99999.1000"), (None, 1));
        assert_eq!(build("-1", "NULL"), (None, 1));
    }

    #[test]
    fn one_row_names_this_site_and_two_do_not() {
        let this = |rows: &[&str]| with_findings(|f| this_site(raw("site_code", rows), f));
        assert_eq!(this(&["cas"]).0.known().unwrap().as_str(), "CAS");
        assert_eq!(this(&["CAS", "CAS"]).0.known().unwrap().as_str(), "CAS");
        for rows in [&[][..], &["CAS", "PS1"], &["NULL"]] {
            let (fact, findings) = this(rows);
            assert!(matches!(fact, Fact::Unknown { why: UnknownWhy::NotEvidenced, .. }));
            assert_eq!(findings.len(), usize::from(!rows.is_empty()));
        }
    }
}
