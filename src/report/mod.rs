//! Reports: pure renderings of a run, of what a hierarchy needs, and of the catalog.

mod allow_list;
mod catalog;
mod endpoints;
mod endpoints_table;
mod explain;
mod grid;
mod layout;
mod listing;
pub mod lists;
mod revocation;
mod table;
mod words;

pub use allow_list::{AllowListFinding, allow_list_findings, allow_list_rows};
pub use catalog::{entries, entries_brief, entry, page_diff};
pub use endpoints::{
    ADDRESSES_AGE, Addresses, Cited, Decided, ENDPOINTS_FORMAT, Endpoint, Endpoints, NameKind, Origin, PublishedRange,
    SubjectKind, WhatIf, endpoint_rows, endpoints, incomplete, published_ranges,
};
pub use endpoints_table::{By, endpoints_table};
pub use explain::{Explained, explain, explanation};
pub use listing::Listing;
pub use table::{Style, table};
