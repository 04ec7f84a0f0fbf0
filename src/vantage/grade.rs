//! The grade of evidence: how near to the role the machine was that looked.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How near to the role the machine was that looked. What is worth less stands later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EvidenceGrade {
    /// The role's own host, as SYSTEM: the account whose proxy settings most components use.
    A,
    /// The role's own host, as another account.
    B,
    /// Another machine that stands in for the host, as the operator states: one of its subnet; of clients and consoles, a
    /// machine that the operator names for them.
    C,
    /// Any other machine, such as the operator's. Alone it never makes a requirement pass.
    D,
}

impl EvidenceGrade {
    /// Every grade, the best first.
    pub const ALL: [Self; 4] = [Self::A, Self::B, Self::C, Self::D];

    /// The letter.
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }

    /// What the letter stands for.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::A => "the host itself, as SYSTEM",
            Self::B => "the host itself, as another account",
            Self::C => "a machine that stands in for the host, as the operator states",
            Self::D => "another machine, which alone proves nothing",
        }
    }

    /// Whether such evidence can make a requirement pass.
    pub fn proves(self) -> bool {
        self < Self::D
    }

    /// Whether the role's own host looked.
    pub fn is_of_the_host(self) -> bool {
        self <= Self::B
    }
}

impl fmt::Display for EvidenceGrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.letter())
    }
}

/// What a machine is to whom it looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// The host itself.
    Itself,
    /// Stated to stand in for it.
    StandsIn,
    /// Neither.
    Elsewhere,
}

impl Standing {
    /// The grade of what it sees as this account of this operating system.
    pub fn grade(self, account: Option<&str>, os: &str) -> EvidenceGrade {
        match self {
            Self::Itself if os == "windows" && account == Some(SYSTEM) => EvidenceGrade::A,
            Self::Itself => EvidenceGrade::B,
            Self::StandsIn => EvidenceGrade::C,
            Self::Elsewhere => EvidenceGrade::D,
        }
    }
}

/// The account that the machine's own services use. Its name is another one on a Windows in another language, and a name may
/// come from an environment that anybody can set, so only the identifier counts, which the system itself gives.
pub const SYSTEM: &str = "S-1-5-18";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_itself_as_system_is_an_a_and_a_d_proves_nothing() {
        let grade = |standing: Standing, account| standing.grade(account, "windows");
        assert_eq!(grade(Standing::Itself, Some("S-1-5-18")), EvidenceGrade::A);
        for account in [
            None,
            Some("CONTOSO\\admin"),
            Some("CONTOSO\\SYSTEM"),
            Some("CONTOSO\\CM01$"),
            Some("NT AUTHORITY\\SYSTEM"),
        ] {
            assert_eq!(grade(Standing::Itself, account), EvidenceGrade::B, "{account:?}");
        }
        assert_eq!(Standing::Itself.grade(Some("S-1-5-18"), "linux"), EvidenceGrade::B, "who has no SYSTEM is not it");
        assert_eq!(grade(Standing::StandsIn, Some("S-1-5-18")), EvidenceGrade::C);
        assert_eq!(grade(Standing::Elsewhere, Some("S-1-5-18")), EvidenceGrade::D);
        assert_eq!(EvidenceGrade::ALL.map(EvidenceGrade::proves), [true, true, true, false]);
    }
}
