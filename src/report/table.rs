//! The table: what one reads in a terminal.
//!
//! Colour is laid over the finished lines, because escape codes would count as columns.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use super::grid::grid;
use super::layout::hanging;
use super::{hygiene, revocation, vantages, words};
use crate::assess::{Grade, Judgement, Verdict};
use crate::catalog::CatalogRole;
use crate::derive::{Requirement, Subject, Via};
use crate::evidence::Run;
use crate::probe::Observation;
use crate::site::SqlCertificate;
use crate::text::printable;

/// How the table is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal. Fewer than 60 are taken as 60.
    pub width: usize,
    /// Whether to colour the verdicts.
    pub colour: bool,
}

/// Width of the verdict column: fits `not observed` in two lines.
const VERDICT: usize = 8;

/// The run as a table by host and role, then what to do, the revocation lists, and the result.
pub fn table(run: &Run, style: Style) -> String {
    let width = style.width.max(60);
    let mut out = String::new();
    head(run, width, &mut out);
    for ((subject, role), rows) in groups(run) {
        group(run, subject, role, rows, width, style, &mut out);
    }
    findings(run, width, &mut out);
    to_do(run, width, &mut out);
    retired(run, width, &mut out);
    waivers(run, width, &mut out);
    revocation::section(&run.revocation_lists, width, &mut out);
    result(run, width, style, &mut out);
    out
}

/// A line of a group: a requirement with its verdict.
struct Line<'a> {
    requirement: &'a Requirement,
    judgement: &'a Judgement,
    observations: Vec<&'a Observation>,
}

fn groups(run: &Run) -> BTreeMap<(&Subject, CatalogRole), Vec<Line<'_>>> {
    let seen: HashMap<_, _> = run.observations.iter().map(|o| (&o.probe, o)).collect();
    let mut groups: BTreeMap<_, Vec<Line<'_>>> = BTreeMap::new();
    for (requirement, judgement) in run.requirements.iter().zip(&run.judgements) {
        let observations = judgement.probes.iter().filter_map(|id| seen.get(id).copied()).collect();
        let line = Line { requirement, judgement, observations };
        groups.entry((&requirement.subject, requirement.role)).or_default().push(line);
    }
    for lines in groups.values_mut() {
        lines.sort_by_key(|line| (rank(line.judgement), line.requirement.endpoint()));
        // Two entries may name one endpoint; a reader needs it once, with the grade that counts more.
        let mut shown = HashSet::new();
        lines.retain(|line| {
            let route = &line.requirement.route;
            shown.insert((line.requirement.endpoint(), route.via.clone(), line.judgement.verdict))
        });
    }
    groups
}

/// What decides the result first, and in it what is worst.
fn rank(judgement: &Judgement) -> (Grade, usize) {
    (judgement.grade, Verdict::ALL.iter().position(|v| *v == judgement.verdict).unwrap_or(usize::MAX))
}

/// A line of text, wrapped; what follows the first line is indented by two more columns than the first.
pub(super) fn line(text: &str, width: usize, out: &mut String) {
    let indent = text.len() - text.trim_start_matches(' ').len();
    let wrapped = hanging(&printable(text.trim_start_matches(' '), 4000), width - indent, 2);
    for line in wrapped.lines() {
        let _ = writeln!(out, "{}{line}", " ".repeat(indent));
    }
}

fn head(run: &Run, width: usize, out: &mut String) {
    let facts = &run.facts;
    let site = facts.this_site.known().map_or_else(|| "unknown site".to_owned(), |code| format!("site {code}"));
    line(&format!("Database {} on {}, {site}", facts.connection.database, facts.connection.server), width, out);
    for other in &facts.other_connections {
        line(&format!("Database {} on {} as well", other.database, other.server), width, out);
    }
    line("Looked from", width, out);
    let from = vantages::lines(run);
    if from.is_empty() {
        line(&format!("  {}", run.vantage.title()), width, out);
    }
    for vantage in from {
        line(&format!("  {vantage}"), width, out);
    }
    if run.settings.from_here {
        line(FROM_HERE, width, out);
    }
    for limit in limits(run) {
        line(&limit, width, out);
    }
    out.push('\n');
}

pub(super) const FROM_HERE: &str =
    "What fails from this machine counts as failed for every host that it looks at (--from-here)";

/// What was asked for that makes the result say less, or something else, than a reader would take it to say.
pub(super) fn limits(run: &Run) -> Vec<String> {
    limits_for(run, run.settings.target_version.as_deref())
}

/// The same, where the version is said elsewhere or here.
pub(super) fn limits_for(run: &Run, target_version: Option<&str>) -> Vec<String> {
    let settings = &run.settings;
    let mut limits: Vec<String> = run.moments.old_facts().into_iter().collect();
    if let Some(on) = run.waivers.as_ref().and_then(|applied| applied.on) {
        limits.push(format!("A waiver counts only if it lasts to {on} (--on)"));
    }
    if run.redacted {
        limits.push("Names were replaced by pseudonyms (--redact)".to_owned());
    }
    if let Some(version) = target_version {
        limits.push(format!("For what is needed after an update to version {version} (--target-version)"));
    }
    if run.facts.connection.certificate == SqlCertificate::NotChecked {
        limits.push("The SQL Server's certificate was not checked (--trust-server-certificate)".to_owned());
    }
    if let Some(server) = &settings.dns_server {
        limits.push(format!("Names were resolved by {server} (--dns-server), not as this machine does"));
    }
    match settings.connect_to.len() {
        0 => {}
        n => limits.push(format!("Connections were led elsewhere by {n} rules (--connect-to): not the real endpoints")),
    }
    match settings.extra_roots.len() {
        0 => {}
        n => limits.push(format!("Certificate authorities trusted besides this machine's (--ca-file): {n}")),
    }
    match settings.public_roots.len() {
        0 => {}
        n => limits.push(format!("Certificate authorities trusted and taken for public (--public-ca-file): {n}")),
    }
    limits
}

fn group(
    run: &Run,
    subject: &Subject,
    role: CatalogRole,
    lines: Vec<Line<'_>>,
    width: usize,
    style: Style,
    out: &mut String,
) {
    let site = match subject {
        Subject::Host { site, .. } => format!(", site {site}"),
        _ => String::new(),
    };
    line(&format!("{subject}, {}{site}", role.title()), width, out);
    // One machine looks for all that a subject needs.
    let evidence = lines.iter().map(|line| vantages::evidence(run, line.judgement)).find(|text| !text.is_empty());
    line(&format!(" {}", evidence.unwrap_or_else(|| "nobody looked".to_owned())), width, out);
    let mut by_route: Vec<(&Via, &str, Vec<Line<'_>>)> = Vec::new();
    for line in lines {
        let route = &line.requirement.route;
        match by_route.iter_mut().find(|(via, detail, _)| *via == &route.via && *detail == route.detail) {
            Some((_, _, lines)) => lines.push(line),
            None => by_route.push((&route.via, &route.detail, vec![line])),
        }
    }
    for (via, detail, lines) in by_route {
        let way = match via {
            Via::Direct => "direct".to_owned(),
            Via::Proxy { host, port } => format!("through proxy {host}:{port}"),
            Via::Unknown => "route unknown".to_owned(),
        };
        line(&format!(" {way}: {detail}"), width, out);
        let (required, advisory): (Vec<_>, Vec<_>) =
            lines.iter().partition(|line| line.judgement.grade == Grade::Required);
        out.push_str(&draw(&required, width, style));
        if !advisory.is_empty() {
            line("  advisory, decides nothing:", width, out);
            out.push_str(&draw(&advisory, width, style));
        }
    }
    out.push('\n');
}

fn draw(lines: &[&Line<'_>], width: usize, style: Style) -> String {
    // Two spaces before each of the three columns, which are as wide in every group.
    let room = width - VERDICT - 6;
    let endpoint = (room / 2 + 2).min(60);
    let rows: Vec<[(String, usize); 3]> = lines
        .iter()
        .map(|line| {
            [
                (line.judgement.verdict.title().to_owned(), VERDICT),
                (line.requirement.endpoint(), endpoint),
                (words::seen(line.judgement, &line.observations), room - endpoint),
            ]
        })
        .collect();
    let drawn = grid(rows.iter().map(|row| row.iter().map(|(text, width)| (text.as_str(), *width)).collect()));
    drawn.lines().fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "{}", if style.colour { paint(line) } else { line.to_owned() });
        all
    })
}

/// Colours the verdict at the beginning of a finished line.
fn paint(line: &str) -> String {
    const COLOURS: [(&str, &str); 5] =
        [("  FAIL", "31;1"), ("  ERROR", "31;1"), ("  not", "33"), ("  waived", "36"), ("  pass", "32")];
    for (word, code) in COLOURS {
        if let Some(rest) = line.strip_prefix(word) {
            return format!("\x1b[{code}m{word}\x1b[0m{rest}");
        }
    }
    line.to_owned()
}

fn findings(run: &Run, width: usize, out: &mut String) {
    let findings = &run.facts.data_findings;
    if findings.is_empty() {
        return;
    }
    line("Unusable values in the site database", width, out);
    for finding in findings.iter().take(20) {
        let text = format!(
            "  {}.{}, row {}: {} (\"{}\")",
            finding.object, finding.column, finding.row, finding.problem, finding.value
        );
        line(&text, width, out);
    }
    if findings.len() > 20 {
        line(&format!("  and {} more in the record", findings.len() - 20), width, out);
    }
    out.push('\n');
}

/// Names of services that are gone and still reached, where somebody looked.
fn retired(run: &Run, width: usize, out: &mut String) {
    let Some(said) = hygiene::said(run) else { return };
    line(&format!("Hygiene, decides nothing: {said}"), width, out);
    for (endpoint, subjects) in hygiene::still_reached(run) {
        line(&format!("  {endpoint} from {}", subjects.join(", ")), width, out);
    }
    out.push('\n');
}

/// What to do about each failure, once for each remedy, with what it is good for.
fn to_do(run: &Run, width: usize, out: &mut String) {
    let mut remedies: Vec<(&str, Option<&str>, Vec<String>)> = Vec::new();
    for (requirement, judgement) in run.requirements.iter().zip(&run.judgements) {
        let (Verdict::Fail, Grade::Required, Some(cause)) = (judgement.verdict, judgement.grade, &judgement.cause)
        else {
            continue;
        };
        let endpoint = format!("{} for {}", requirement.endpoint(), requirement.subject);
        match remedies.iter_mut().find(|(remedy, ..)| *remedy == cause.remedy) {
            Some((.., endpoints)) if endpoints.contains(&endpoint) => {}
            Some((.., endpoints)) => endpoints.push(endpoint),
            None => remedies.push((&cause.remedy, cause.in_product.as_deref(), vec![endpoint])),
        }
    }
    if remedies.is_empty() {
        return;
    }
    line("What to do", width, out);
    for (number, (remedy, in_product, endpoints)) in remedies.iter().enumerate() {
        let more = match endpoints.len() {
            1 => String::new(),
            n => format!(", and {} more", n - 1),
        };
        let shown = in_product.map(|place| format!("; Configuration Manager shows it in {place}")).unwrap_or_default();
        line(&format!(" {}. {remedy} [{}{more}]{shown}", number + 1, endpoints[0]), width, out);
    }
    out.push('\n');
}

/// The waivers that are in force, and what is wrong with the others.
fn waivers(run: &Run, width: usize, out: &mut String) {
    let Some(waivers) = run.waivers.as_ref().filter(|waivers| !waivers.list.waivers.is_empty()) else { return };
    line("Waivers", width, out);
    for waiver in &waivers.list.waivers {
        let of = |judgement: &&Judgement| judgement.waiver.as_ref() == Some(&waiver.id);
        let excused = run.judgements.iter().filter(of).count();
        let about = format!("{}, until {}, {}: {}", waiver.id, waiver.valid_through, waiver.owner, waiver.reason);
        line(&format!("  {about} [{excused} waived]"), width, out);
        for finding in waivers.findings.iter().filter(|finding| finding.waiver == waiver.id) {
            line(&format!("    to be looked at: {}", finding.text), width, out);
        }
    }
    out.push('\n');
}

fn result(run: &Run, width: usize, style: Style, out: &mut String) {
    let outcome = &run.outcome;
    let colour = match (style.colour, outcome.exit_code()) {
        (false, _) => None,
        (true, 0) => Some("32;1"),
        (true, 1) => Some("31;1"),
        (true, _) => Some("33;1"),
    };
    let title = match colour {
        Some(code) => format!("\x1b[{code}m{}\x1b[0m", outcome.title()),
        None => outcome.title().to_owned(),
    };
    let _ = writeln!(out, "Result: {title} (exit code {})", outcome.exit_code());
    for (grade, counts) in [("required", &outcome.tally.required), ("advisory", &outcome.tally.advisory)] {
        let counts: Vec<String> = Verdict::ALL
            .iter()
            .filter_map(|v| counts.get(v).map(|n| format!("{n} {}", v.title().to_lowercase())))
            .collect();
        if !counts.is_empty() {
            line(&format!("  {grade}: {}", counts.join(", ")), width, out);
        }
    }
    for reason in &outcome.incomplete {
        line(&format!("  incomplete: {reason}"), width, out);
    }
    let text = format!(
        "  {} of {} endpoints probed in {}; catalog {}",
        run.observations.iter().filter(|o| o.redirected_from.is_none() && !o.was_cancelled()).count(),
        run.probes.len(),
        seconds(run.moments.finished.duration_since(run.moments.facts_read.max(run.moments.started)).as_millis()),
        run.catalog.version
    );
    line(&text, width, out);
}

fn seconds(millis: i128) -> String {
    format!("{}.{} s", millis / 1000, millis % 1000 / 100)
}
