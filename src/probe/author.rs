//! Who can have written an answer, and whether something shows that the endpoint did.

use super::origin::{answered, is_public_service, publicly_certified, signed};
use super::{HttpEvidence, Issuance};
use crate::host::Scheme;
use crate::plan::Target;

/// Who can have written an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    /// Whom the certificate names.
    Certified,
    /// Anybody on the way: it came in clear, or out of TLS that somebody inspects.
    Anybody,
}

impl Author {
    /// Of an answer of this target. `issuance` says who issued the certificate.
    pub(super) fn of(target: &Target, issuance: Option<Issuance>) -> Self {
        let ends_here = issuance == Some(Issuance::Public) || !publicly_certified(&target.host);
        if target.scheme == Scheme::Https && ends_here { Self::Certified } else { Self::Anybody }
    }

    /// Whether the head of the answer shows that it is the endpoint's, or nobody else can have written it.
    pub(super) fn is_shown(self, target: &Target, seen: &HttpEvidence) -> bool {
        // For content that is public, a web server of Microsoft is no sign: anybody can have one there.
        let content = matches!(seen.status, Some(200..=299)) && is_public_service(&target.host);
        self == Self::Certified || if content { signed(&seen.headers) } else { answered(&seen.headers) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HostName;
    use crate::probe::Header;

    fn target(scheme: Scheme, host: &str) -> Target {
        Target { scheme, host: HostName::parse(host).unwrap(), port: scheme.default_port(), path: "/".into() }
    }

    #[test]
    fn in_clear_and_under_inspection_anybody_writes() {
        let of = |scheme, host, issuance| Author::of(&target(scheme, host), issuance);
        let microsoft = "download.microsoft.com";
        assert_eq!(of(Scheme::Http, microsoft, None), Author::Anybody);
        assert_eq!(of(Scheme::Http, "cm01.contoso.com", None), Author::Anybody);
        assert_eq!(of(Scheme::Https, microsoft, Some(Issuance::Private)), Author::Anybody);
        assert_eq!(of(Scheme::Https, microsoft, Some(Issuance::Untold)), Author::Anybody);
        assert_eq!(of(Scheme::Https, microsoft, Some(Issuance::Public)), Author::Certified);
        // Customers have authorities of their own.
        assert_eq!(of(Scheme::Https, "cm01.contoso.com", Some(Issuance::Private)), Author::Certified);
    }

    #[test]
    fn what_shows_the_endpoint_depends_on_the_answer() {
        let shown = |host: &str, status, name: &str, value: &str| {
            let headers = vec![Header { name: name.into(), value: value.into() }];
            let seen = HttpEvidence { method: "HEAD".into(), status: Some(status), headers, ..HttpEvidence::default() };
            Author::Anybody.is_shown(&target(Scheme::Http, host), &seen)
        };
        let update = "windowsupdate.microsoft.com";
        for (host, status, name, value, expected) in [
            (update, 200, "x-azure-ref", "0abc", true),
            (update, 200, "server", "ECAcc (frc/8F5B)", true),
            (update, 200, "server", "Microsoft-IIS/10.0", false),
            (update, 200, "server", "nginx", false),
            (update, 404, "server", "Microsoft-IIS/10.0", true),
            (update, 302, "server", "Kestrel", true),
            (update, 302, "server", "Contoso-Portal", false),
            (update, 470, "content-type", "text/plain", false),
            (update, 999, "content-type", "text/html", false),
            (update, 300, "server", "nginx", false),
            // In a site's own network, a web server of Microsoft is what is expected.
            ("cm01.corp.contoso.com", 200, "server", "Microsoft-IIS/10.0", true),
            ("cm01.corp.contoso.com", 200, "server", "nginx", false),
        ] {
            assert_eq!(shown(host, status, name, value), expected, "{host} {status} {name}: {value}");
        }
    }
}
