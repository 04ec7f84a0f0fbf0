//! The columns of the CSV and of the workbook: one table, one value in each cell.

use jiff::Timestamp;

use super::row::Row;
use crate::assess::Grade;
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

pub(super) const COLUMNS: [Column; 35] = [
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
    column("route according to", 30, |row| text(&row.requirement.route.detail)),
    column("failed stage", 12, |row| text(row.stage())),
    column("cause", 20, |row| text(row.code())),
    column("what was seen", 60, |row| text(row.seen())),
    column("in detail", 60, |row| text(row.detail())),
    column("what to do", 60, |row| text(row.remedy())),
    column("limits of the verdict", 50, |row| text(row.judgement.notes.join("; "))),
    column("waiver", 12, |row| text(row.judgement.waiver.as_deref().unwrap_or_default())),
    column("waived until", 12, |row| text(row.waiver().map_or_else(String::new, |w| w.valid_through.to_string()))),
    column("waiver answered for by", 20, |row| text(row.waiver().map_or("", |waiver| &waiver.owner))),
    column("probed at (UTC)", 20, |row| row.observed().map_or(Cell::Empty, Cell::Moment)),
    column("probed on the host itself", 12, |row| text(row.probed_on_the_host())),
    column("evidence grade", 10, |row| text(row.grade_of_evidence())),
    column("looked at from", 30, |row| text(row.machine())),
    column("HTTP status", 12, |row| {
        let status = row.observations.iter().find_map(|seen| seen.http.evidence.as_ref()?.status);
        status.map_or(Cell::Empty, |status| Cell::Number(status.into()))
    }),
    column("TLS version", 12, |row| {
        let version = row.observations.iter().find_map(|seen| seen.tls.evidence.as_ref()?.version.clone());
        text(version.unwrap_or_default())
    }),
    column("certificate issued by", 40, |row| {
        let served = row.observations.iter().find_map(|seen| seen.tls.evidence.as_ref()?.chain.first());
        text(served.map_or("", |certificate| &certificate.issuer))
    }),
    column("TLS inspection", 14, |row| text(row.inspection())),
    column("tier", 10, |row| text(row.requirement.tier.name())),
    column("status of the entry", 12, |row| text(row.requirement.status.name())),
    column("why it is needed", 80, |row| text(row.requirement.reasons.join("; "))),
    column("catalog entry", 30, |row| text(row.requirement.entry.to_string())),
    column("documented in", 60, |row| {
        text(row.documents().iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }),
    column("id", 60, |row| text(row.requirement.id.to_string())),
];

const fn column(title: &'static str, width: u16, value: fn(&Row<'_>) -> Cell) -> Column {
    Column { title, width, value }
}

fn text(text: impl AsRef<str>) -> Cell {
    match text.as_ref() {
        "" => Cell::Empty,
        text => Cell::Text(printable(text, CELL)),
    }
}
