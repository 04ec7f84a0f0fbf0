//! What the report of each quarter must say of the known changes, part by part.

use jiff::civil::date;
use lab::internet::Behaviour;

use super::lab_year::{Scene, Waiver, parts, store};
use super::quarter::report;
use super::store::Place;
use super::validators;

/// The second gateway of the replica and whatever leads to it go: it is a classic one.
const NO_CLASSIC: [&str; 3] = [
    "DELETE FROM repl.AzureService WHERE Name = N'BlueRidge'",
    "DELETE FROM repl.ProxyRoles WHERE MutualAuthPath LIKE N'%cmg.contoso.com%'",
    "DELETE FROM repl.CloudProxyConnector WHERE ProxyServiceName = N'cmg.contoso.com'",
];
const NO_DISCOVERY: &str = "UPDATE repl.AADDiscoverySettings SET FullSyncEnabled = 0, DeltaSyncEnabled = 0";
const OTHER_PROXY: &str =
    "UPDATE dbo.SC_SysResUse_Property SET Value2 = N'proxy-eu.contoso.com' WHERE Value2 = N'proxy-us.contoso.com'";
const NEW_GATEWAY: &str = "INSERT repl.AzureService (AzureServiceID, Name, ServiceType, ServiceCName, Fqdn, Region, \
    AzureEnvironmentId, NumberOfInstances, State, StorageServiceName, SiteCode) VALUES (16777219, N'SilverPeak', \
    N'CloudProxyService', N'SilverPeak.NorthEurope.CloudApp.Azure.Com', N'SilverPeak.NorthEurope.CloudApp.Azure.Com', \
    N'NorthEurope', 1, 1, 0, N'silverpeak', N'CAS')";
const FEATURE: &str = "UPDATE repl.UpdateFeatures SET Status = 1 WHERE Name = N'Microsoft Connected Cache'";
const NEW_TENANT: &str = "INSERT dbo.AAD_Tenant_Ex (ID, TenantID, Name, Environment, SiteCode) VALUES (16777219, \
    N'22222222-3333-4444-8555-666666666666', N'contoso-eu.onmicrosoft.com', 1, N'CAS')";

/// 2025Q4, 2026Q1, 2026Q3 and 2026Q4; there is no run of 2026Q2.
fn scenes() -> [Scene; 4] {
    let site = |more: &[&'static str]| NO_CLASSIC.iter().chain(more).copied().collect::<Vec<_>>();
    let old = ("cmbitsstore.blob.core.windows.net", Behaviour::ResetInHandshake);
    let broken = ("download.visualstudio.microsoft.com", Behaviour::ResetInHandshake);
    let inspected = ("manage.microsoft.com", Behaviour::ForeignCa);
    let new = ("wustat.windows.com:80", Behaviour::BlockPage(403));
    let granted = |to| Waiver { id: "W-1", requirement: "updates-cmbitsstore", from: date(2026, 2, 1), to };
    let second =
        Waiver { id: "W-2", requirement: "*manage-microsoft-com", from: date(2026, 11, 2), to: date(2027, 2, 28) };
    let unneeded =
        Waiver { id: "W-3", requirement: "updates-go-microsoft-com", from: date(2026, 11, 2), to: date(2027, 6, 30) };
    [
        Scene {
            day: date(2025, 11, 18),
            site: site(&[NO_DISCOVERY]),
            broken: vec![old.clone()],
            waivers: vec![],
            own_catalog: false,
            consoles: true,
        },
        Scene {
            day: date(2026, 2, 10),
            site: site(&[NO_DISCOVERY, OTHER_PROXY]),
            broken: vec![old.clone(), broken],
            waivers: vec![granted(date(2026, 5, 31))],
            own_catalog: false,
            consoles: true,
        },
        Scene {
            day: date(2026, 8, 12),
            site: site(&[NO_DISCOVERY, OTHER_PROXY, NEW_GATEWAY]),
            broken: vec![old.clone()],
            waivers: vec![granted(date(2026, 9, 30))],
            own_catalog: true,
            consoles: true,
        },
        Scene {
            day: date(2026, 11, 20),
            site: site(&[OTHER_PROXY, NEW_GATEWAY, FEATURE, NEW_TENANT]),
            broken: vec![old, inspected, new],
            waivers: vec![granted(date(2026, 9, 30)), second, unneeded],
            own_catalog: true,
            consoles: false,
        },
    ]
}

/// The parts without their titles, empty lines and the names of runs.
fn redacted(place: &Place, quarter: &str) -> Vec<String> {
    let name = |word: &str| {
        if word.starts_with("202") && word.contains("-CAS-") { "RUN".to_owned() } else { word.to_owned() }
    };
    let line = |line: &str| line.split(' ').map(name).collect::<Vec<_>>().join(" ") + "\n";
    let part = |part: String| part.lines().skip(1).filter(|line| !line.is_empty()).map(line).collect();
    parts(place, quarter).into_iter().map(part).collect()
}

/// Lines that begin so.
fn beginning<'a>(part: &'a str, text: &str) -> Vec<&'a str> {
    part.lines().filter(|line| line.trim_start().starts_with(text)).collect()
}

fn has(part: &str, lines: &[&str]) {
    for line in lines {
        assert!(part.lines().any(|own| own.trim() == *line), "not in the part: {line}\n{part}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_quarters_of_the_lab_give_the_report_that_one_would_write_by_hand() {
    let place = store(&scenes()).await;
    the_first(&place);
    the_second(&place);
    the_third(&place);
    the_fourth(&place);
    the_fourth_in_its_lists(&place);
    in_html_and_workbook(&place);
    under_pseudonyms(&place);
}

/// One failure, and nothing before it.
fn the_first(place: &Place) {
    let all = redacted(place, "2025Q4");
    let part = |number: usize| all[number].clone();
    has(&part(1), &["period: 2025Q4, 2025-10-01 to 2025-12-31 (UTC)", "hierarchy: site CAS, sites in it: 4"]);
    assert!(part(2).starts_with(
        "non-compliant: of 140 required endpoints, 139 pass, 1 do not (0 of them waived), and 0 were not observed.\n"
    ));
    assert_eq!(beginning(&part(4), "FAIL").len(), 1);
    for (number, none) in [
        (5, "There is no run of an earlier quarter to compare with.\n"),
        (6, "The file of waivers holds none.\n"),
        (7, "There is no run of an earlier quarter to compare with.\n"),
        (8, "There is no run of an earlier quarter to compare with.\n"),
    ] {
        assert_eq!(part(number), none, "part {number}");
    }
    let none = "None of the certificates that were seen shows an inspection. What was not seen says nothing.";
    has(&part(11), &[none]);
}

/// An endpoint breaks, the old failure is waived, and a connection point uses another proxy.
fn the_second(place: &Place) {
    let all = redacted(place, "2026Q1");
    let part = |number: usize| all[number].clone();
    assert!(part(2).starts_with(
        "non-compliant: of 140 required endpoints, 138 pass, 2 do not (1 of them waived), and 0 were not observed.\n"
    ));
    let failing = part(4);
    let [broken] = beginning(&failing, "FAIL")[..] else { panic!("{failing}") };
    assert!(
        broken.contains("| https://download.visualstudio.microsoft.com |")
            && broken.contains("| 2026-02-10 | 0 | nobody |")
    );
    let [waived] = beginning(&failing, "waived")[..] else { panic!("{failing}") };
    // From 18 November to 10 February.
    assert!(
        waived.contains("| https://cmbitsstore.blob.core.windows.net |")
            && waived.contains("| 2025-11-18 | 84 | network team |")
    );
    let moved =
        "site configuration; the route was proxy proxy-us.contoso.com:3128 and is proxy proxy-eu.contoso.com:3128";
    let point = "cm-ps1-ccp.corp.contoso.com | CMG connection point | https://granitefalls";
    assert_eq!(
        part(5),
        format!(
            "Compared with run RUN\n\
             - Less comparable than it looks: the --connect-to rules differ.\n\
             - Less comparable than it looks: the roots taken for public ones (--public-ca-file) differ.\n\
             - Less comparable than it looks: the DNS servers (--dns-server) differ.\n\
             [Required endpoints by what became of them]\n  \
               change | number\n  \
               new failure | 1\n  \
               requirement changed | 2\n  \
               waiver started | 1\n  \
               still passing | 136\n\
             - Not listed below, because nobody saw them in either run: 17 endpoints.\n\
             [What changed, and on whose side]\n  \
               change | host | role | endpoint | before | after | cause\n  \
               new failure | cm-cas.corp.contoso.com | service connection point | https://download.visualstudio.microsoft.com | pass | FAIL | network or endpoint\n  \
               requirement changed | {point}.westus.cloudapp.azure.com:10124 | pass | pass | {moved}\n  \
               requirement changed | {point}.westus.cloudapp.azure.com:10125 | pass | pass | {moved}\n  \
               waiver started | cm-cas.corp.contoso.com | service connection point | https://cmbitsstore.blob.core.windows.net | FAIL | waived | waivers\n  \
               requirement changed (advisory) | {point}.blob.core.windows.net | pass | pass | {moved}\n  \
               requirement changed (advisory) | {point}.westus.cloudapp.azure.com:10124 | pass | pass | {moved}\n  \
               requirement changed (advisory) | {point}.westus.cloudapp.azure.com:10125 | pass | pass | {moved}\n  \
               requirement changed (advisory) | {point}.vault.azure.net | pass | pass | {moved}\n  \
               requirement changed (advisory) | {point}.table.core.windows.net | pass | pass | {moved}\n"
        )
    );
    has(
        &part(6),
        &[
            "W-1 | open, ends before the next quarter does | 1 | 2026-05-31 | 0 | the new firewall comes | network team | security officer on 2026-02-01 | CHG-1",
        ],
    );
    assert_eq!(
        part(7),
        "Changes of requirements or verdicts that come from the site: 7; of these 0 newly required and 0 no longer.\n\
         [What the site database says now and said before]\n  \
           what | which | before | now\n  \
           proxy | of cm-ps1-ccp.corp.contoso.com in site PS1 | proxy-us.contoso.com:3128 with an account | \
         proxy-eu.contoso.com:3128 with an account\n"
    );
    assert_eq!(part(8).lines().count(), 1, "nothing of the catalog: {}", part(8));
}

/// After a quarter without a run: the endpoint is mended, the waiver renewed, a gateway is added, and an entry to the
/// catalog. Which newly required endpoint comes from which of the two is told apart.
fn the_third(place: &Place) {
    let all = redacted(place, "2026Q3");
    let part = |number: usize| all[number].clone();
    has(&part(1), &["- There is no run of 2026Q2: what changed then shows in the quarter after."]);
    assert!(part(2).starts_with(
        "compliant, with waivers: of 150 required endpoints, 149 pass, 1 do not (1 of them waived), and 0 were not observed.\n"
    ));
    let changes = part(5);
    assert!(changes.starts_with("Compared with run RUN There is none of the quarter before this one.\n"), "{changes}");
    has(&changes, &["newly required | 10", "still waived | 1", "fixed | 1", "still passing | 138"]);
    let newly = beginning(&changes, "newly required");
    let of_catalog: Vec<_> = newly.iter().filter(|line| line.ends_with("| catalog")).collect();
    assert_eq!(
        of_catalog,
        [
            &"  newly required | cm-cas.corp.contoso.com | service connection point | https://portal.contoso.com | - | pass | catalog"
        ]
    );
    // The gateway brings all others, and each names it. The first of these lines is that of the counts.
    assert!(
        newly[1..].iter().filter(|line| !line.ends_with("| catalog")).all(|line| {
            line.contains("| https://silverpeak.") && line.ends_with("| - | pass | site configuration")
        }),
        "{newly:?}"
    );
    assert_eq!(newly.len(), 1 + 10 + 10, "10 required, 10 advisory: {newly:?}");
    assert_eq!(
        beginning(&changes, "fixed")[1..],
        [
            "  fixed | cm-cas.corp.contoso.com | service connection point | https://download.visualstudio.microsoft.com | FAIL | pass | network or endpoint"
        ]
    );
    has(
        &part(6),
        &[
            "W-1 | open, ends before the next quarter does | 1 | 2026-09-30 | 1 | the new firewall comes | network team | security officer on 2026-02-01 | CHG-1",
        ],
    );
    assert_eq!(
        part(7),
        "Changes of requirements or verdicts that come from the site: 19; of these 19 newly required and 0 no longer.\n\
         [What the site database says now and said before]\n  \
           what | which | before | now\n  \
           cloud management gateway | silverpeak.northeurope.cloudapp.azure.com | - | 1 instance, ready, NorthEurope\n"
    );
    let version = &cmcomply::catalog::Catalog::embedded().version;
    assert_eq!(
        part(8),
        format!(
            "From catalog {version} to {version}+contoso-1.\n\
             Entries that do not apply to this hierarchy: 0 added, 0 removed.\n\
             [Entries that differ]\n  \
               change | entry | endpoint | what differs | documented in\n  \
               added | contoso-portal | portal.contoso.com |  | Network handbook, 2024-01-15\n"
        )
    );
}

/// The waiver has expired, another excuses what a new web filter inspects, a third is not needed; one more endpoint
/// breaks; discovery, a feature and a tenant are new; and nobody looks from the consoles any more.
fn the_fourth(place: &Place) {
    let all = redacted(place, "2026Q4");
    let part = |number: usize| all[number].clone();
    assert_eq!(
        part(2),
        "non-compliant and incomplete: of 151 required endpoints, 135 pass, 3 do not (1 of them waived), and 13 were not observed.\n\
         [Required endpoints]\n  \
           endpoints | number | of all that is required\n  \
           required | 151 | 151 of 151 (100.0 %)\n  \
           passing | 135 | 135 of 151 (89.4 %)\n  \
           not passing | 3 | 3 of 151 (1.9 %)\n  \
           of these waived | 1 | 1 of 151 (0.6 %)\n  \
           not observed | 13 | 13 of 151 (8.6 %)\n\
         - 13 required endpoints not observed\n"
    );
    let coverage = part(3);
    assert!(coverage.starts_with("10 hosts in the site database; 0 of them were observed from themselves. Roles without any observation: 1.\n"), "{coverage}");
    assert!(coverage.contains(": 2026-11-20, 41 days before the end of the quarter."), "{coverage}");
    let table = coverage.split("not seen\n").nth(1).unwrap();
    assert!(
        table.starts_with("  any console | console | 13 | 0 | 0 | 13\n  any client | client | 40 | 0 | 40 | 0\n"),
        "{table}"
    );
    assert_eq!(
        part(6),
        "[Waivers of the run]\n  \
           waiver | state | endpoints | valid through | renewals | reason | owner | approved by | ticket\n  \
           W-1 | expired | 0 | 2026-09-30 | 1 | the new firewall comes | network team | security officer on 2026-02-01 | CHG-1\n  \
           W-2 | open, ends before the next quarter does | 2 | 2027-02-28 | 0 | the new firewall comes | network team | security officer on 2026-11-02 | CHG-1\n  \
           W-3 | not needed | 0 | 2027-06-30 | 0 | the new firewall comes | network team | security officer on 2026-11-02 | CHG-1\n\
         - W-1: it ended on 2026-09-30; what it was for still fails.\n\
         - W-3: nothing that it is for fails (seen: pass).\n"
    );
    assert_eq!(
        part(7),
        "Changes of requirements or verdicts that come from the site: 1; of these 1 newly required and 0 no longer.\n\
         [What the site database says now and said before]\n  \
           what | which | before | now\n  \
           tenant | contoso-eu.onmicrosoft.com | - | Azure public cloud\n  \
           feature | Microsoft Connected Cache | off | on\n  \
           what endpoints depend on | Microsoft Entra user discovery is on | no | yes\n"
    );
    let version = &cmcomply::catalog::Catalog::embedded().version;
    assert_eq!(part(8), format!("None: both runs have catalog {version}+contoso-1.\n"));
    assert_eq!(
        part(9),
        format!(
            "The last run of each quarter; required endpoints. Only what is not passing is drawn.\n\
             [Required endpoints by quarter]\n  \
               quarter | result | pass | fail | error | not observed | waived | catalog\n  \
               2025Q4 | non-compliant | 139 | 1 | 0 | 0 | 0 | {version}\n  \
               2026Q1 | non-compliant | 138 | 1 | 0 | 0 | 1 | {version}\n  \
               2026Q2 | no run | - | - | - | - | - | -\n  \
               2026Q3 | compliant, with waivers | 149 | 0 | 0 | 0 | 1 | {version}+contoso-1\n  \
               2026Q4 | non-compliant and incomplete | 135 | 2 | 0 | 13 | 1 | {version}+contoso-1\n"
        )
    );
}

fn the_fourth_in_its_lists(place: &Place) {
    let all = redacted(place, "2026Q4");
    let part = |number: usize| all[number].clone();
    let failing = part(4);
    let [old, new] = beginning(&failing, "FAIL")[..] else { panic!("{failing}") };
    // From 18 November to 20 November of the next year.
    assert!(
        old.contains("| https://cmbitsstore.blob.core.windows.net |") && old.contains("| 2025-11-18 | 367 | nobody |"),
        "{old}"
    );
    assert!(
        new.contains("| http://wustat.windows.com | HTTP: a block page") && new.contains("| 2026-11-20 | 0 | nobody |"),
        "{new}"
    );
    let [waived] = beginning(&failing, "waived")[..] else { panic!("{failing}") };
    assert!(
        waived.contains("any client | client | https://manage.microsoft.com | certificate: TLS is inspected"),
        "{waived}"
    );
    // Two of the 13 have the same endpoint.
    assert_eq!(beginning(&failing, "not observed | any console | console |").len(), 12, "{failing}");
    assert!(failing.contains("| https://aka.ms (2 requirements) |"), "{failing}");

    let changes = part(5);
    has(
        &changes,
        &[
            "new failure | 2",
            "waiver ended | 1",
            "not comparable | 13",
            "newly required | 1",
            "still passing | 134",
            "new failure | cm-cas.corp.contoso.com | software update point | http://wustat.windows.com | pass | FAIL | network or endpoint",
            "new failure | any client | client | https://manage.microsoft.com | pass | waived | network or endpoint",
            "waiver ended | cm-cas.corp.contoso.com | service connection point | https://cmbitsstore.blob.core.windows.net | waived | FAIL | waivers",
            "newly required | cm-cas.corp.contoso.com | service connection point | https://graph.microsoft.com | - | pass | site configuration",
        ],
    );
    let unseen = beginning(&changes, "not comparable | any console | console |");
    assert!(
        unseen.len() == 12
            && unseen.iter().all(|line| line.ends_with("| pass | not observed | nobody looked in one of the runs")),
        "{changes}"
    );

    let register = part(10);
    let rows = register.lines().filter(|line| {
        line.contains(" | pass | ")
            || line.contains(" | FAIL | ")
            || line.contains(" | waived | ")
            || line.contains(" | not observed | ")
    });
    assert_eq!(rows.count(), 151, "one for each required endpoint: {register}");
    let of_the_portal: Vec<&str> = register.lines().filter(|line| line.contains("portal.contoso.com")).collect();
    assert!(
        of_the_portal.len() == 1
            && of_the_portal[0]
                .contains("| 443 | proxy proxy.contoso.com:8080 (the site system's proxy) | required | pass |")
            && of_the_portal[0].ends_with("| Network handbook, section \"Portals\", 2024-01-15"),
        "{of_the_portal:?}"
    );

    let inspected = part(11);
    let lines: Vec<&str> = inspected.lines().filter(|line| line.contains("https://")).collect();
    assert_eq!(lines.len(), 2, "{inspected}");
    for (line, host) in lines.iter().zip(["cm-cas.corp.contoso.com", "any client"]) {
        let issuer = "O=Contoso Web Filter, CN=Contoso Web Filter Issuing CA";
        assert!(line.starts_with(&format!("  {host} | https://manage.microsoft.com | waived | {issuer} | ")), "{line}");
    }
    has(&part(12), &["name: ____________________", "signature: ____________________", "- sha256sum -c SHA256SUMS"]);
    assert!(part(13).contains("  Network handbook | 2024-01-15 | https://docs.contoso.com/handbook\n"));
}

/// The same numbers and words in the formats that an auditor gets.
fn in_html_and_workbook(place: &Place) {
    for format in ["html", "xlsx"] {
        let file = format!("report.{format}");
        let done = report(place, &["--quarter=2026Q4", "--format", format, "-o", &file]);
        assert_eq!(done.status.code(), Some(0), "{}", super::store::said(&done));
    }
    let html = std::fs::read_to_string(place.path("report.html")).unwrap();
    let text = parts(place, "2026Q4").concat();
    for line in text.lines().filter(|line| line.starts_with("  ") && line.contains(" | ")) {
        for cell in line.split(" | ").filter(|cell| !cell.contains(['"', '\'', '<', '>', '&'])) {
            assert!(html.contains(cell.trim()), "{cell}");
        }
    }
    // The hash stands in the margin of every sheet.
    let name = std::fs::read_to_string(place.path("cmcomply-runs/HEAD")).unwrap();
    let (hash, run) = name.split_once("  ").unwrap();
    let run = run.split('/').next().unwrap();
    let margin = format!("@bottom-left {{ content: \"2026Q4, run {run}, SHA-256 of its SHA256SUMS: {hash}\";");
    assert!(html.contains(&margin), "{margin}");
    validators::judge_page(&place.path("report.html"));
}

/// An export under pseudonyms gives the same report, without the names.
fn under_pseudonyms(place: &Place) {
    let done = place.runs(&["export", "--to=out", "--redact"]);
    assert_eq!(done.status.code(), Some(0), "{}", super::store::said(&done));
    for quarter in ["2026Q1", "2026Q3", "2026Q4"] {
        let told = report(place, &["--quarter", quarter, "--store=out"]);
        let told = String::from_utf8(told.stdout).unwrap();
        let whole = parts(place, quarter);
        // What is counted is the same.
        has(&told, &[whole[2].lines().nth(1).unwrap()]);
        let counts: Vec<&str> = whole[5].lines().filter(|line| line.matches(" | ").count() == 1).collect();
        has(&told, &counts.iter().map(|line| line.trim()).collect::<Vec<_>>());
        let causes =
            |text: &str, cause: &str| text.lines().filter(|line| line.ends_with(&format!("| {cause}"))).count();
        for cause in ["catalog", "site configuration", "network or endpoint", "waivers"] {
            assert_eq!(causes(&told, cause), causes(&whole.concat(), cause), "{quarter}: {cause}");
        }
        assert!(!told.to_lowercase().contains("contoso") && !told.contains("cm-cas"), "{quarter}");
    }
}
