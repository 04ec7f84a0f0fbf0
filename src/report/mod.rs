//! Reports: pure renderings of a run, of what a hierarchy needs, and of the catalog.

mod allow_list;
mod catalog;
mod clients;
mod columns;
mod comparison;
mod csv;
mod endpoints;
mod endpoints_table;
mod explain;
mod explain_document;
mod format;
mod further;
mod grid;
mod hdf;
mod hosts;
mod html;
mod hygiene;
mod junit;
mod layers;
mod layout;
mod lint;
mod listing;
pub mod lists;
mod markdown;
mod markup;
mod oscal;
mod prometheus;
pub mod quarter;
mod readiness;
mod revocation;
mod row;
mod runs;
mod summary;
mod table;
mod tree;
mod vantages;
mod words;
mod xlsx;

pub use allow_list::{
    ALLOW_LIST_FORMAT, AllowListCheck, AllowListFinding, FindingKind, allow_list_check, allow_list_findings,
    allow_list_rows,
};
pub use catalog::{entries, entries_brief, entry, page_diff};
pub use clients::{clients, clients_summary};
pub use comparison::{comparison, comparison_rows};
pub use endpoints::{
    ADDRESSES_AGE, Addresses, Cited, Decided, ENDPOINTS_FORMAT, Endpoint, Endpoints, NameKind, Origin, PublishedRange,
    SubjectKind, WhatIf, endpoint_rows, endpoints, incomplete, published_ranges,
};
pub use endpoints_table::{By, endpoints_table};
pub use explain::{Asked, Explained, Relation, Sum, explain, explanation};
pub use explain_document::{
    EXPLANATION_FORMAT, ExplainedEntry, Explanation, FactSaid, StandingHere, explanation_document, explanation_rows,
};
pub use format::{Format, RenderError, UnknownReportFormat};
pub use hosts::{HOSTS_FORMAT, HostRow, Hosts, hosts};
pub use html::{HtmlPage, html_pages};
pub use lint::{LintReport, Mistake};
pub use listing::Listing;
pub use readiness::{
    Assessed, Hierarchy, READINESS_FORMAT, Readiness, ReadinessEndpoint, ReadinessError, ReadinessFormat,
    ReadinessOrigin, ReadinessVerdict, Target, UnknownReadinessFormat, readiness, readiness_table,
};
pub use runs::{finding, run_rows, runs_brief, verification, verification_rows};
pub use table::{Style, table};
pub use tree::tree;
