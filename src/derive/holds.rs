//! Whether a condition on the hierarchy holds, for others than requirements.

use super::condition::{Asker, Tri, evaluate};
use super::index::Index;
use crate::catalog::{Cloud, Condition};
use crate::site::Facts;

/// Whether a condition on facts of the hierarchy holds; what is missing where nobody can tell. A condition on facts of
/// single servers cannot be told so.
pub fn holds(condition: &Condition, facts: &Facts) -> Result<bool, Vec<String>> {
    let facts = Index::new(facts);
    match evaluate(condition, Asker { facts: &facts, server: None, clouds: &Cloud::ALL }) {
        Tri::True(_) => Ok(true),
        Tri::False => Ok(false),
        Tri::Unknown(missing) => Err(missing),
    }
}
