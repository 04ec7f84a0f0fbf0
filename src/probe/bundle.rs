//! What stands where an issuer's certificate is said to be (RFC 5280, section 4.2.2.1): one certificate, or a bundle of
//! them, which is CMS signed data that holds nothing else (PKCS #7, `.p7c`; RFC 5652, section 5.1). Both in DER.
//!
//! Nothing of a bundle is believed: whether one of them is the issuer's is for the verifier of the chain.

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::der::{OID, SEQUENCE, context, next, take};

/// The certificates of a document, or why it has none.
pub(super) fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("{} bytes, which no certificates have", bytes.len()));
    }
    if is_certificate(bytes) {
        return Ok(vec![CertificateDer::from(bytes.to_vec())]);
    }
    let Some(mut set) = bundled(bytes) else {
        return Err(format!("{} bytes that are no certificate (DER)", bytes.len()));
    };
    let mut all = Vec::new();
    while !set.is_empty() {
        let before = set;
        let Some((tag, _)) = next(&mut set) else { return Err("a bundle that is damaged".to_owned()) };
        let one = &before[..before.len() - set.len()];
        match tag {
            SEQUENCE if !is_certificate(one) => return Err("a bundle with something that is no certificate".to_owned()),
            SEQUENCE if all.len() == MAX_CERTIFICATES => {
                return Err(format!("a bundle of more than {MAX_CERTIFICATES} certificates"));
            }
            SEQUENCE => all.push(CertificateDer::from(one.to_vec())),
            // Other kinds than X.509's.
            _ => {}
        }
    }
    if all.is_empty() { Err("a bundle without certificates".to_owned()) } else { Ok(all) }
}

fn is_certificate(bytes: &[u8]) -> bool {
    matches!(X509Certificate::from_der(bytes), Ok(([], _)))
}

/// The set of certificates in signed data; empty where it has none.
fn bundled(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    let mut info = take(&mut rest, SEQUENCE)?;
    (rest.is_empty() && take(&mut info, OID)? == SIGNED_DATA).then_some(())?;
    let mut signed = take(&mut take(&mut info, context(0))?, SEQUENCE)?;
    take(&mut signed, INTEGER)?;
    take(&mut signed, SET)?;
    // What is signed: nothing, where it only carries certificates.
    take(&mut signed, SEQUENCE)?;
    Some(take(&mut signed, context(0)).unwrap_or_default())
}

const INTEGER: u8 = 0x02;
const SET: u8 = 0x31;
/// id-signedData, without tag and length.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// No real bundle has so many.
const MAX_CERTIFICATES: usize = 64;
const MAX_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    static CERTIFICATE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["a.contoso.com".to_owned()]).unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    });

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x84], length.as_slice(), content].concat()
    }

    /// Signed data with this in the place of its certificates.
    fn bundle(set: Option<&[u8]>) -> Vec<u8> {
        let set = set.map(|set| element(context(0), set)).unwrap_or_default();
        let data = element(SEQUENCE, &element(OID, &SIGNED_DATA[..8]));
        let signed = [element(INTEGER, &[1]), element(SET, b""), data, set, element(SET, b"")].concat();
        let info = [element(OID, SIGNED_DATA), element(context(0), &element(SEQUENCE, &signed))].concat();
        element(SEQUENCE, &info)
    }

    #[test]
    fn one_certificate_or_all_of_a_bundle() {
        let one = CERTIFICATE.as_slice();
        assert_eq!(certificates(one).unwrap(), [CertificateDer::from(one)]);
        let foreign = element(context(1), b"of another kind");
        let two = certificates(&bundle(Some(&[one, &foreign, one].concat()))).unwrap();
        assert_eq!(two, [CertificateDer::from(one), CertificateDer::from(one)]);
    }

    #[test]
    fn what_is_none_says_so() {
        let one = CERTIFICATE.as_slice();
        let said = |bytes: &[u8]| certificates(bytes).unwrap_err();
        assert_eq!(said(b"<html>"), "6 bytes that are no certificate (DER)");
        assert_eq!(said(&[one, b"x"].concat()), format!("{} bytes that are no certificate (DER)", one.len() + 1));
        assert!(said(&[bundle(Some(one)).as_slice(), b"x"].concat()).contains("no certificate"));
        assert_eq!(said(&bundle(None)), "a bundle without certificates");
        assert_eq!(said(&bundle(Some(&element(SEQUENCE, b"x")))), "a bundle with something that is no certificate");
        assert_eq!(said(&bundle(Some(&one[..one.len() - 1]))), "a bundle that is damaged");
        assert_eq!(said(&bundle(Some(&one.repeat(65)))), "a bundle of more than 64 certificates");
        assert!(said(&vec![0x30; MAX_BYTES + 1]).contains("which no certificates have"));
    }

    proptest! {
        #[test]
        fn no_document_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in any::<usize>(), value in any::<u8>()) {
            let _ = certificates(&bytes);
            let mut damaged = bundle(Some(&CERTIFICATE));
            let at = at % damaged.len();
            damaged[at] = value;
            let _ = certificates(&damaged);
        }
    }
}
