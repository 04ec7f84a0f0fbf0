//! The head of a revocation list, read without keeping its entries: a list of 16 MiB has a million of them, and each is
//! several times as large in memory.

use x509_parser::asn1_rs::{Any, BitString, Sequence};
use x509_parser::error::X509Error;
use x509_parser::extensions::X509Extension;
use x509_parser::nom::Err;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::RevokedCertificate;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AlgorithmIdentifier, X509Name};

use super::chain::moment;
use super::revocation::RevocationContents;
use crate::text::printable;

/// What a list (DER, RFC 5280 section 5.1) says of itself, and what stands behind it. Every entry is looked at, so that
/// a damaged list is none.
pub(super) fn read(bytes: &[u8]) -> Result<(&[u8], RevocationContents), Err<X509Error>> {
    let (behind, list) = Sequence::from_der(bytes).map_err(Err::convert)?;
    let (rest, signed) = Sequence::from_der(&list.content).map_err(Err::convert)?;
    let (rest, _) = AlgorithmIdentifier::from_der(rest)?;
    let (rest, _) = BitString::from_der(rest).map_err(Err::convert)?;
    nothing_in(rest)?;

    let mut rest = &*signed.content;
    if begins(rest, VERSION) {
        (rest, _) = u32::from_der(rest).map_err(Err::convert)?;
    }
    let (rest, _) = AlgorithmIdentifier::from_der(rest)?;
    let (rest, issuer) = X509Name::from_der(rest)?;
    let (mut rest, this_update) = ASN1Time::from_der(rest)?;
    let mut next_update = None;
    if TIMES.iter().any(|tag| begins(rest, *tag)) {
        let (behind, time) = ASN1Time::from_der(rest)?;
        (rest, next_update) = (behind, moment(time));
    }
    if begins(rest, ENTRIES) {
        let (behind, entries) = Sequence::from_der(rest).map_err(Err::convert)?;
        let mut entries = &*entries.content;
        while !entries.is_empty() {
            (entries, _) = RevokedCertificate::from_der(entries)?;
        }
        rest = behind;
    }
    if begins(rest, EXTENSIONS) {
        let (behind, tagged) = Any::from_der(rest).map_err(Err::convert)?;
        let (inside, extensions) = Sequence::from_der(tagged.data).map_err(Err::convert)?;
        nothing_in(inside)?;
        let mut extensions = &*extensions.content;
        while !extensions.is_empty() {
            (extensions, _) = X509Extension::from_der(extensions)?;
        }
        rest = behind;
    }
    nothing_in(rest)?;
    let issuer = printable(&issuer.to_string(), MAX_NAME);
    Ok((behind, RevocationContents { issuer, this_update: moment(this_update), next_update }))
}

fn begins(bytes: &[u8], tag: u8) -> bool {
    bytes.first() == Some(&tag)
}

fn nothing_in(rest: &[u8]) -> Result<(), Err<X509Error>> {
    if rest.is_empty() { Ok(()) } else { Err(Err::Error(X509Error::Generic)) }
}

const VERSION: u8 = 0x02;
/// A time with two and one with four digits of the year.
const TIMES: [u8; 2] = [0x17, 0x18];
const ENTRIES: u8 = 0x30;
const EXTENSIONS: u8 = 0xa0;
const MAX_NAME: usize = 255;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{
        CertificateParams, CertificateRevocationListParams, CertifiedIssuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
        RevocationReason, RevokedCertParams, SerialNumber,
    };
    use x509_parser::revocation_list::CertificateRevocationList;

    use super::*;

    /// With so many entries.
    fn list(entries: u64) -> Vec<u8> {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(rcgen::DnType::CommonName, "Contoso \u{1b}[2J");
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let revoked = |n| RevokedCertParams {
            serial_number: SerialNumber::from(n),
            revocation_time: rcgen::date_time_ymd(2025, 1, 2),
            reason_code: (n % 2 == 0).then_some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2025, 1, 1),
            next_update: rcgen::date_time_ymd(2055, 1, 1),
            crl_number: SerialNumber::from(7),
            issuing_distribution_point: None,
            revoked_certs: (1..=entries).map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&issuer).unwrap().der().to_vec()
    }

    #[test]
    fn lists_with_and_without_entries_are_read() {
        for entries in [0, 1, 300] {
            let (behind, seen) = read(&list(entries)).map(|(behind, seen)| (behind.len(), seen)).unwrap();
            assert_eq!((behind, seen.issuer.as_str()), (0, "CN=Contoso \\u{1b}[2J"));
            assert_eq!(seen.this_update.unwrap().to_string(), "2025-01-01T00:00:00Z");
            assert_eq!(seen.next_update.unwrap().to_string(), "2055-01-01T00:00:00Z");
        }
        assert_eq!(read(&[list(1), b"more".to_vec()].concat()).unwrap().0, b"more");
    }

    #[test]
    fn a_version_below_zero_is_no_list() {
        let mut bytes = list(1);
        let version = bytes.windows(4).position(|window| window == [VERSION, 1, 1, 0x30]).unwrap() + 2;
        bytes[version] = 0x80;
        assert!(read(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn garbage_is_no_list_and_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&bytes).is_err());
        }

        /// The parser that keeps the entries is the judge.
        #[test]
        fn a_damaged_list_is_one_only_if_the_other_parser_says_so(at in 0usize..4096, value in any::<u8>(), cut in 0usize..8) {
            use std::sync::LazyLock;
            static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| list(3));
            let mut bytes = GOOD.clone();
            let at = at % bytes.len();
            bytes[at] = value;
            bytes.truncate(bytes.len() - cut);
            let (ours, theirs) = (read(&bytes), CertificateRevocationList::from_der(&bytes));
            prop_assert!(ours.is_err() || theirs.is_ok(), "{:?}", theirs.err());
        }
    }
}
