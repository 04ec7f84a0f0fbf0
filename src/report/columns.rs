//! The columns of the CSV and of the workbook: one table, one value in each cell.

use jiff::Timestamp;

use super::row::Row;
use super::{layers, vantages};
use crate::assess::Grade;
use crate::probe::Observation;
use crate::text::printable;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    Number(u32),
    Moment(Timestamp),
    Empty,
}

/// A column: its title, its width in a workbook, its value in a row.
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) width: u16,
    value: fn(&Row<'_>) -> Cell,
}

impl Column {
    pub(super) fn cell(&self, row: &Row<'_>) -> Cell {
        (self.value)(row)
    }
}

/// Characters of a cell; escaped, each is ten at most, and a workbook takes 32767.
const CELL: usize = 3000;

pub(super) const COLUMNS: [Column; 53] = [
    column("verdict", 13, |row| text(row.judgement.verdict.title())),
    column("counts", 10, |row| {
        text(match row.judgement.grade {
            Grade::Required => "required",
            Grade::Advisory => "advisory",
        })
    }),
    column("site", 6, |row| text(row.site())),
    column("host", 30, |row| text(row.requirement.subject.to_string())),
    column("role", 25, |row| text(row.requirement.role.title())),
    column("endpoint", 50, |row| text(row.endpoint())),
    column("name", 40, |row| text(row.requirement.name.to_string())),
    column("scheme", 8, |row| text(row.requirement.scheme.to_string())),
    column("port", 7, |row| row.requirement.port.map_or(Cell::Empty, |port| Cell::Number(port.into()))),
    column("path", 12, |row| text(row.requirement.path.as_deref().unwrap_or_default())),
    column("route", 28, |row| text(row.requirement.route.via.to_string())),
    column("proxy context", 18, |row| text(row.requirement.context.name())),
    column("route according to", 30, |row| text(&row.requirement.route.detail)),
    column("failed stage", 12, |row| text(row.stage())),
    column("cause", 20, |row| text(row.code())),
    column("what was seen", 60, |row| text(row.seen())),
    column("in detail", 60, |row| text(row.detail())),
    column("what to do", 60, |row| text(row.remedy())),
    column("Configuration Manager shows it in", 30, |row| text(row.in_product())),
    column("limits of the verdict", 50, |row| text(row.judgement.notes.join("; "))),
    column("waiver", 12, |row| text(row.judgement.waiver.as_deref().unwrap_or_default())),
    column("waived until", 12, |row| text(row.waiver().map_or_else(String::new, |w| w.valid_through.to_string()))),
    column("waiver answered for by", 20, |row| text(row.waiver().map_or("", |waiver| &waiver.owner))),
    column("probed at (UTC)", 20, |row| row.observed().map_or(Cell::Empty, Cell::Moment)),
    column("probed on the host itself", 12, |row| text(row.probed_on_the_host())),
    column("evidence grade", 10, |row| text(row.grade_of_evidence())),
    column("looked at from", 30, |row| text(row.machine())),
    column("looked at by", 12, |row| text(row.vantage().map_or("", |vantage| vantage.kind.name()))),
    column("looked at as", 24, |row| text(row.vantage().and_then(|vantage| vantage.account.as_deref()).unwrap_or(""))),
    column("clock there", 14, |row| text(row.vantage().map_or_else(String::new, vantages::clock))),
    column("tries", 7, |row| {
        let tries = row.observations.iter().filter(|seen| !seen.was_cancelled()).map(|seen| seen.earlier.len() + 1);
        tries.max().map_or(Cell::Empty, |tries| Cell::Number(u32::try_from(tries).unwrap_or(u32::MAX)))
    }),
    column("earlier tries", 40, |row| each(row, |seen| Some(layers::tries(seen)))),
    column("DNS answers", 40, |row| each(row, |seen| Some(layers::answers(&seen.name.evidence.as_ref()?.answers)))),
    column("addresses", 30, |row| {
        each(row, |seen| {
            let addresses = seen.name.evidence.as_ref()?.addresses.iter().map(ToString::to_string);
            Some(addresses.collect::<Vec<_>>().join(", "))
        })
    }),
    column("proxy product", 20, |row| each(row, |seen| seen.connect.evidence.as_ref()?.product.clone())),
    column("account at the proxy", 20, |row| each(row, |seen| seen.connect.evidence.as_ref()?.account.clone())),
    column("HTTP status", 12, |row| {
        let status = row.observations.iter().find_map(|seen| seen.http.evidence.as_ref()?.status);
        status.map_or(Cell::Empty, |status| Cell::Number(status.into()))
    }),
    column("leads to", 40, |row| text(row.leads_to().join("; "))),
    column("TLS version", 12, |row| {
        let version = row.observations.iter().find_map(|seen| seen.tls.evidence.as_ref()?.version.clone());
        text(version.unwrap_or_default())
    }),
    column("certificate issued by", 40, |row| {
        let served = row.observations.iter().find_map(|seen| seen.tls.evidence.as_ref()?.chain.first());
        text(served.map_or("", |certificate| &certificate.issuer))
    }),
    column("certificate valid through (UTC)", 20, |row| {
        let served = row.observations.iter().find_map(|seen| seen.tls.evidence.as_ref()?.chain.first()?.not_after);
        served.map_or(Cell::Empty, Cell::Moment)
    }),
    column("certificate SHA-256", 20, |row| {
        let served = row.observations.iter().find_map(|seen| seen.tls.evidence.as_ref()?.chain.first());
        text(served.map_or("", |certificate| &certificate.sha256))
    }),
    column("TLS inspection", 14, |row| text(row.inspection())),
    column("tier", 10, |row| text(row.requirement.tier.name())),
    column("status of the entry", 12, |row| text(row.requirement.status.name())),
    column("replaced by", 20, |row| text(row.requirement.replaced_by.as_ref().map_or("", |entry| &entry.0))),
    column("why it is needed", 80, |row| text(row.requirement.reasons.join("; "))),
    column("catalog entry", 30, |row| text(row.requirement.entry.to_string())),
    column("documented in", 60, |row| {
        text(row.documents().iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }),
    column("probes", 60, |row| text(row.all_seen().map(|seen| seen.probe.0.as_str()).collect::<Vec<_>>().join("; "))),
    column("id", 60, |row| text(row.requirement.id.to_string())),
    column("needed for version", 12, |row| text(row.run.settings.target_version.as_deref().unwrap_or_default())),
    column("run begun (UTC)", 20, |row| Cell::Moment(row.run.moments.started)),
];

/// What each of its observations says, each thing once.
fn each(row: &Row<'_>, say: impl Fn(&Observation) -> Option<String>) -> Cell {
    let mut said: Vec<String> = row.observations.iter().filter_map(|seen| say(seen)).collect();
    said.dedup();
    said.retain(|said| !said.is_empty());
    text(said.join("; "))
}

const fn column(title: &'static str, width: u16, value: fn(&Row<'_>) -> Cell) -> Column {
    Column { title, width, value }
}

pub(super) fn text(text: impl AsRef<str>) -> Cell {
    match text.as_ref() {
        "" => Cell::Empty,
        text => Cell::Text(printable(text, CELL)),
    }
}
