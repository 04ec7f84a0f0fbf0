//! Hostile servers against the core.
