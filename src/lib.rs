//! cmcomply proves that a Microsoft Configuration Manager hierarchy can reach exactly the internet endpoints it needs.
//!
//! Data flows one way, and each stage is one function:
//!
//! ```text
//! site::read        -> Facts          reads the site database
//! derive            -> Requirements   pure
//! plan              -> Plan           pure
//! probe             -> Observations   opens connections
//! assess            -> Judgements     pure
//! evidence          -> Run            pure
//! report            -> text           pure
//! ```

pub mod assess;
pub mod catalog;
pub mod cli;
pub mod derive;
pub mod evidence;
pub mod glob;
pub mod host;
mod ntlm;
pub mod plan;
pub mod probe;
pub mod proxies;
mod registry;
pub mod report;
pub mod settings;
pub mod site;
pub mod text;
pub mod vantage;
