//! The two characters that an answer has for each probe.

use crate::probe::{FailureCode, StageName};

/// What a client says of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Reached: in clear, or over TLS that leads to a public root.
    Reached,
    /// Reached in clear, and what came may be the page of a filter: nobody looked at it.
    Page,
    /// Reached over TLS that the client trusts and the public does not.
    OtherRoot,
    /// Both.
    OtherRootPage,
    /// Not gone through to its end, or it broke.
    NotSeen,
    /// The first stage that failed.
    Failed(FailureCode),
}

impl Mark {
    /// Reads two characters.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "ok" => Self::Reached,
            "dp" => Self::Page,
            "pr" => Self::OtherRoot,
            "px" => Self::OtherRootPage,
            "--" => Self::NotSeen,
            _ => Self::Failed(FAILURES.iter().find(|(_, mark)| *mark == text)?.0),
        })
    }
}

/// The stage that fails with this code.
pub fn stage_of(code: FailureCode) -> Option<StageName> {
    let (_, mark) = FAILURES.iter().find(|(known, _)| *known == code)?;
    Some(match mark.as_bytes()[0] {
        b'n' => StageName::Name,
        b't' => StageName::Tcp,
        b'c' => StageName::Connect,
        b's' => StageName::Tls,
        b'i' => StageName::Trust,
        _ => StageName::Http,
    })
}

/// The failures that the script tells apart. The first character is that of the stage. They travel with the plan, so that
/// they stand here alone.
pub(super) const FAILURES: [(FailureCode, &str); 26] = [
    (FailureCode::NameNxdomain, "nx"),
    (FailureCode::NameServfail, "nf"),
    (FailureCode::NameTimeout, "nt"),
    (FailureCode::NameNoData, "nd"),
    (FailureCode::NameError, "ne"),
    (FailureCode::TcpRefused, "tr"),
    (FailureCode::TcpTimeout, "tt"),
    (FailureCode::TcpUnreachable, "tu"),
    (FailureCode::TcpForbidden, "tf"),
    (FailureCode::TcpError, "te"),
    (FailureCode::ProxyAuthRequired, "ca"),
    (FailureCode::ProxyRefused, "cr"),
    (FailureCode::ProxyTimeout, "ct"),
    (FailureCode::ProxyBadReply, "cb"),
    (FailureCode::TlsReset, "sr"),
    (FailureCode::TlsTimeout, "st"),
    (FailureCode::TlsAlert, "sa"),
    (FailureCode::TlsProtocol, "sp"),
    (FailureCode::CertificateUntrusted, "iu"),
    (FailureCode::CertificateExpired, "ie"),
    (FailureCode::CertificateWrongName, "iw"),
    (FailureCode::CertificateInvalid, "ii"),
    (FailureCode::HttpStatus, "hs"),
    (FailureCode::HttpTimeout, "ht"),
    (FailureCode::HttpReset, "hr"),
    (FailureCode::HttpProtocol, "hp"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn marks_are_two_letters_unique_and_read_back() {
        let marks: BTreeSet<&str> = FAILURES.iter().map(|(_, mark)| *mark).collect();
        assert_eq!(marks.len(), FAILURES.len());
        for (code, mark) in FAILURES {
            assert!(mark.len() == 2 && mark.bytes().all(|b| b.is_ascii_lowercase()), "{mark}");
            assert_eq!(Mark::parse(mark), Some(Mark::Failed(code)));
        }
        for (text, mark) in [("ok", Mark::Reached), ("px", Mark::OtherRootPage), ("--", Mark::NotSeen)] {
            assert_eq!(Mark::parse(text), Some(mark));
        }
        for text in ["", "o", "OK", "zz", "okk", "n", "–"] {
            assert_eq!(Mark::parse(text), None, "{text}");
        }
    }

    #[test]
    fn each_failure_has_its_stage() {
        assert_eq!(stage_of(FailureCode::NameNxdomain), Some(StageName::Name));
        assert_eq!(stage_of(FailureCode::ProxyRefused), Some(StageName::Connect));
        assert_eq!(stage_of(FailureCode::TlsReset), Some(StageName::Tls));
        assert_eq!(stage_of(FailureCode::CertificateExpired), Some(StageName::Trust));
        assert_eq!(stage_of(FailureCode::HttpStatus), Some(StageName::Http));
        assert_eq!(stage_of(FailureCode::Internal), None);
    }
}
