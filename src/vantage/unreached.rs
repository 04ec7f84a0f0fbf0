//! Why nobody looked from a machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::printable;

/// Why nobody looked from a machine, or not to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{detail}")]
pub struct Unreached {
    /// In kind.
    pub why: UnreachedWhy,
    /// In words.
    pub detail: String,
    /// What to do, where more is known than the kind says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnreachedWhy {
    /// Its name leads nowhere.
    Name,
    /// Nobody answers at the port.
    Port,
    /// It could not show who it is: its key or certificate is not the known one.
    Identity,
    /// The account was refused, or there is none.
    SignIn,
    /// The account may not do it.
    Rights,
    /// A policy of that machine forbids it.
    Policy,
    /// A program that is needed there, or here, is not there.
    Program,
    /// The answer was cut, too large, or not ours.
    Answer,
    /// Another machine than the one that was asked for answered.
    OtherMachine,
    /// It took too long.
    Deadline,
    /// The operator ended it.
    Interrupted,
    /// The settings give it no vantage, or one that this version does not have.
    Settings,
    /// No file was brought back from it.
    NoFile,
}

impl UnreachedWhy {
    /// What it was that failed, in a word or two.
    pub fn title(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Port => "port",
            Self::Identity => "identity",
            Self::SignIn => "sign-in",
            Self::Rights => "rights",
            Self::Policy => "policy",
            Self::Program => "program",
            Self::Answer => "answer",
            Self::OtherMachine => "other machine",
            Self::Deadline => "deadline",
            Self::Interrupted => "interrupted",
            Self::Settings => "settings",
            Self::NoFile => "no file",
        }
    }
}

impl Unreached {
    /// A reason; the words may come from outside.
    pub fn new(why: UnreachedWhy, detail: impl AsRef<str>) -> Self {
        Self { why, detail: printable(detail.as_ref(), 400), remedy: None }
    }

    /// What to do.
    pub fn remedy(&self) -> &str {
        if let Some(remedy) = &self.remedy {
            return remedy;
        }
        match self.why {
            UnreachedWhy::Name => "correct the name, or the DNS record of the host",
            UnreachedWhy::Port => "let this machine reach the port of that host, or carry the plan there",
            UnreachedWhy::Identity => {
                "find out whether it is the right host, then make its key or certificate known here"
            }
            UnreachedWhy::SignIn => "check the account and its secret in cmcomply.toml",
            UnreachedWhy::Rights => {
                "give the account the right to sign in there from the network, or carry the plan there"
            }
            UnreachedWhy::Policy => "let the policy of that host allow it, or carry the plan there",
            UnreachedWhy::Program => "install the program that is named, or choose another vantage",
            UnreachedWhy::Answer => {
                "run the audit again; if it stays, run the plan there by hand and look at what it prints"
            }
            UnreachedWhy::OtherMachine => "correct the name, its DNS record, or the vantage of the host",
            UnreachedWhy::Deadline => "run the audit again with a longer --deadline",
            UnreachedWhy::Interrupted => "run the audit again and let it end",
            UnreachedWhy::Settings => "give the host a vantage in cmcomply.toml",
            UnreachedWhy::NoFile => {
                "write the plan of the host with `cmcomply plan`, run it there, and give the file that \
                                     comes back with --observations"
            }
        }
    }
}
