//! Certificates as they were served: kept within bounds, described without trusting them.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::extensions::{DistributionPointName, ParsedExtension};
use x509_parser::oid_registry::{OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS, OID_PKIX_ACCESS_DESCRIPTOR_OCSP};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::time::ASN1Time;

use super::{Certificate, ocsp};
use crate::text::{hexadecimal, printable};

/// The certificates as the server sent them, its own first.
pub(super) type Chain = Vec<CertificateDer<'static>>;

/// Copies as much of what was sent as a real chain may have.
pub(super) fn keep(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Chain {
    let mut room = MAX_BYTES;
    std::iter::once(end_entity)
        .chain(intermediates)
        .take(MAX_CERTIFICATES)
        .take_while(|der| {
            let fits = der.len() <= room;
            room = room.saturating_sub(der.len());
            fits
        })
        .map(|der| der.clone().into_owned())
        .collect()
}

/// What each certificate says of itself.
pub(super) fn describe(chain: &Chain) -> Vec<Certificate> {
    let issuers = chain.iter().skip(1).map(|der| Some(der.as_ref())).chain([None]);
    chain.iter().zip(issuers).map(|(der, issuer)| describe_one(der, issuer)).collect()
}

/// `issuer` is the certificate that follows it in the chain.
pub(super) fn describe_one(der: &[u8], issuer: Option<&[u8]>) -> Certificate {
    let sha256 = hexadecimal(&Sha256::digest(der));
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        let unreadable = || "(not readable)".to_owned();
        return Certificate {
            subject: unreadable(),
            issuer: unreadable(),
            names: Vec::new(),
            not_before: None,
            not_after: None,
            sha256,
            crl_urls: Vec::new(),
            ocsp_urls: Vec::new(),
            ocsp_request: None,
            issuer_urls: Vec::new(),
        };
    };
    let urls = Urls::of(&certificate);
    Certificate {
        subject: printable(&certificate.subject().to_string(), MAX_NAME),
        issuer: printable(&certificate.issuer().to_string(), MAX_NAME),
        names: names(&certificate),
        not_before: moment(certificate.validity().not_before),
        not_after: moment(certificate.validity().not_after),
        sha256,
        crl_urls: urls.crl,
        ocsp_request: issuer.filter(|_| !urls.ocsp.is_empty()).and_then(|issuer| ocsp::request(&certificate, issuer)),
        ocsp_urls: urls.ocsp,
        issuer_urls: urls.issuer,
    }
}

/// The addresses that a certificate names, each once.
#[derive(Debug, Default)]
struct Urls {
    crl: Vec<String>,
    ocsp: Vec<String>,
    issuer: Vec<String>,
}

impl Urls {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let mut urls = Self::default();
        for extension in certificate.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::CRLDistributionPoints(points) => {
                    for point in &points.points {
                        if let Some(DistributionPointName::FullName(names)) = &point.distribution_point {
                            for name in names {
                                keep_url(&mut urls.crl, name);
                            }
                        }
                    }
                }
                ParsedExtension::AuthorityInfoAccess(access) => {
                    for described in &access.accessdescs {
                        if described.access_method == OID_PKIX_ACCESS_DESCRIPTOR_OCSP {
                            keep_url(&mut urls.ocsp, &described.access_location);
                        } else if described.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS {
                            keep_url(&mut urls.issuer, &described.access_location);
                        }
                    }
                }
                _ => {}
            }
        }
        urls
    }
}

fn keep_url(urls: &mut Vec<String>, name: &GeneralName<'_>) {
    let GeneralName::URI(url) = name else { return };
    let url = printable(url, MAX_URL);
    if urls.len() < MAX_URLS && !urls.contains(&url) {
        urls.push(url);
    }
}

/// The DNS names of the alternative names.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let names = extension.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(printable(name, MAX_NAME)),
        _ => None,
    });
    names.take(MAX_NAMES).collect()
}

/// A time of X.509.
pub(super) fn moment(time: ASN1Time) -> Option<Timestamp> {
    Timestamp::from_second(time.timestamp()).ok()
}

const MAX_CERTIFICATES: usize = 16;
const MAX_BYTES: usize = 256 * 1024;
/// The most names that are kept of a certificate.
pub(super) const MAX_NAMES: usize = 64;
const MAX_NAME: usize = 255;
const MAX_URLS: usize = 8;
/// Room for the LDAP addresses of a deep directory.
const MAX_URL: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, CrlDistributionPoint, CustomExtension, DnType, KeyPair};

    use super::*;

    fn certificate(name: &str) -> Vec<u8> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "Contoso \u{1b}[2J\u{202e} Lab");
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        params.crl_distribution_points = vec![
            CrlDistributionPoint { uris: vec!["http://crl.contoso.com/a\u{1b}.crl".into(), "ldap:///CN=Lab".into()] },
            CrlDistributionPoint { uris: vec!["ldap:///CN=Lab".into()] },
        ];
        params.custom_extensions.push(access());
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_is_described_and_made_harmless() {
        let seen = describe_one(&certificate("a.contoso.com"), None);
        assert_eq!(seen.names, ["a.contoso.com"]);
        assert!(seen.subject.contains("Contoso \\u{1b}[2J\\u{202e} Lab"), "{}", seen.subject);
        assert_eq!(seen.not_before.unwrap().to_string(), "2020-01-01T00:00:00Z");
        assert_eq!(seen.not_after.unwrap().to_string(), "2021-01-01T00:00:00Z");
        assert_eq!(seen.sha256.len(), 64);
    }

    /// Authority information access with an OCSP responder and an issuer's certificate.
    fn access() -> CustomExtension {
        fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
            [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
        }
        let method = |last: u8| tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 48, last]);
        let description = |last, url: &str| tlv(0x30, &[method(last), tlv(0x86, url.as_bytes())].concat());
        let both =
            [description(1, "http://ocsp.contoso.com/"), description(2, "http://pki.contoso.com/ca.crt")].concat();
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], tlv(0x30, &both))
    }

    #[test]
    fn the_addresses_it_names_are_kept_once_and_made_harmless() {
        let seen = describe_one(&certificate("a.contoso.com"), None);
        assert_eq!(seen.crl_urls, ["http://crl.contoso.com/a\\u{1b}.crl", "ldap:///CN=Lab"]);
        assert_eq!(seen.ocsp_urls, ["http://ocsp.contoso.com/"]);
        assert_eq!(seen.issuer_urls, ["http://pki.contoso.com/ca.crt"]);
    }

    #[test]
    fn addresses_are_bounded_in_number_and_length() {
        let mut params = CertificateParams::new(vec!["a.contoso.com".to_owned()]).unwrap();
        let uris = (0..500).map(|n| format!("http://crl.contoso.com/{n}/{}", "x".repeat(2000)));
        params.crl_distribution_points = vec![CrlDistributionPoint { uris: uris.collect() }];
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let urls = describe_one(&der, None).crl_urls;
        assert_eq!(urls.len(), MAX_URLS);
        assert!(urls.iter().all(|url| url.chars().count() == MAX_URL + 1 && url.ends_with('…')));
    }

    #[test]
    fn long_chains_are_bounded_in_number_and_in_bytes() {
        let small = CertificateDer::from(vec![1; 10]);
        assert_eq!(keep(&small, &vec![small.clone(); 1000]).len(), MAX_CERTIFICATES);
        let large = CertificateDer::from(vec![1; 100 * 1024]);
        assert_eq!(keep(&large, &vec![large.clone(); 10]).len(), 2);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(describe_one(&bytes, None).sha256.len(), 64);
        }

        #[test]
        fn a_damaged_certificate_never_panics(at in 0usize..4096, value in any::<u8>(), cut in 0usize..64) {
            use std::sync::LazyLock;
            static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| certificate("a.contoso.com"));
            let mut bytes = GOOD.clone();
            let at = at % bytes.len();
            bytes[at] = value;
            bytes.truncate(bytes.len() - cut);
            prop_assert_eq!(describe_one(&bytes, None).sha256.len(), 64);
        }
    }
}
