//! Derivation: facts and catalog to requirements. Pure.

mod requirement;

pub use requirement::{Decision, Proof, RequiredName, Requirement, RequirementId, Route, RouteBasis, Subject, Via};
