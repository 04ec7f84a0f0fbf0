//! OCSP (RFC 6960): the smallest request for one certificate, and what the answer says. Signatures are not checked:
//! what counts here is that the current answer can be had.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::der::{OID, SEQUENCE, context, next, take};

/// What a responder says of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OcspContents {
    /// Whether the certificate is revoked.
    pub status: OcspStatus,
    /// When that was known to be right.
    pub this_update: Option<Timestamp>,
    /// When there is newer information at the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_update: Option<Timestamp>,
}

/// The status of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OcspStatus {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// The responder does not know it.
    Unknown,
}

/// The request for a certificate, in base64. `None` if the issuer's certificate is not readable or too much is asked.
pub(super) fn request(certificate: &X509Certificate<'_>, issuer: &[u8]) -> Option<String> {
    let (_, issuer) = X509Certificate::from_der(issuer).ok()?;
    let id = [
        tlv(SEQUENCE, &[SHA1_OID, &[0x05, 0x00]].concat())?,
        tlv(OCTETS, &Sha1::digest(certificate.issuer().as_raw()))?,
        tlv(OCTETS, &Sha1::digest(&issuer.public_key().subject_public_key.data))?,
        tlv(INTEGER, certificate.raw_serial())?,
    ];
    // CertID, Request, the list of them, TBSRequest, OCSPRequest.
    let der = (0..5).try_fold(id.concat(), |inner, _| tlv(SEQUENCE, &inner))?;
    Some(STANDARD.encode(der))
}

/// What the answer says, or what is wrong with it.
pub(super) fn read(answer: &[u8]) -> Result<OcspContents, String> {
    let no_answer = || format!("{} bytes that are no OCSP response", answer.len());
    let mut response = take(&mut { answer }, SEQUENCE).ok_or_else(no_answer)?;
    match take(&mut response, ENUMERATED).ok_or_else(no_answer)? {
        [0] => {}
        [code] => return Err(format!("the OCSP responder answers with an error ({})", error_name(*code))),
        _ => return Err(no_answer()),
    }
    single(response).ok_or_else(no_answer)
}

/// Down to the first single response.
fn single(mut response: &[u8]) -> Option<OcspContents> {
    let mut bytes = take(&mut take(&mut response, context(0))?, SEQUENCE)?;
    (take(&mut bytes, OID)? == BASIC_OID).then_some(())?;
    let mut basic = take(&mut take(&mut bytes, OCTETS)?, SEQUENCE)?;
    let mut data = take(&mut basic, SEQUENCE)?;
    let _version = take(&mut data, context(0));
    take(&mut data, context(1)).or_else(|| take(&mut data, context(2)))?;
    take(&mut data, TIME)?;
    let mut one = take(&mut take(&mut data, SEQUENCE)?, SEQUENCE)?;
    take(&mut one, SEQUENCE)?;
    let (tag, _) = next(&mut one)?;
    let status = match tag {
        0x80 => OcspStatus::Good,
        0xa1 => OcspStatus::Revoked,
        0x82 => OcspStatus::Unknown,
        _ => return None,
    };
    let this_update = Some(moment(take(&mut one, TIME)?)?);
    let next_update = take(&mut one, context(0)).and_then(|mut inner| take(&mut inner, TIME)).and_then(moment);
    Some(OcspContents { status, this_update, next_update })
}

/// `20261125120000Z`
fn moment(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let time = DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// An element. `None` if it is longer than any that we write.
fn tlv(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let length = u8::try_from(content.len()).ok()?;
    let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
    Some([head.as_slice(), content].concat())
}

fn error_name(code: u8) -> &'static str {
    match code {
        1 => "malformedRequest",
        2 => "internalError",
        3 => "tryLater",
        5 => "sigRequired",
        6 => "unauthorized",
        _ => "unnamed",
    }
}

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const TIME: u8 = 0x18;
/// id-sha1, with tag and length.
const SHA1_OID: &[u8] = &[0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// id-pkix-ocsp-basic, without.
const BASIC_OID: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(status: u8, next_update: Option<&str>) -> Vec<u8> {
        let element = |tag, content: &[u8]| tlv(tag, content).unwrap();
        let mut one = [element(SEQUENCE, b""), element(status, b""), element(TIME, b"20261124000000Z")].concat();
        if let Some(time) = next_update {
            one.extend(element(context(0), &element(TIME, time.as_bytes())));
        }
        let responses = element(SEQUENCE, &element(SEQUENCE, &one));
        let data = [element(context(2), &element(OCTETS, b"key")), element(TIME, b"20261124000000Z"), responses];
        let basic = element(SEQUENCE, &element(SEQUENCE, &data.concat()));
        let bytes = element(SEQUENCE, &[element(OID, BASIC_OID), element(OCTETS, &basic)].concat());
        element(SEQUENCE, &[element(ENUMERATED, &[0]), element(context(0), &bytes)].concat())
    }

    #[test]
    fn answers_are_read() {
        let contents = read(&answer(0x80, Some("20261201000000Z"))).unwrap();
        assert_eq!(contents.status, OcspStatus::Good);
        assert_eq!(contents.this_update.unwrap().to_string(), "2026-11-24T00:00:00Z");
        assert_eq!(contents.next_update.unwrap().to_string(), "2026-12-01T00:00:00Z");
        assert_eq!(read(&answer(0xa1, None)).unwrap().status, OcspStatus::Revoked);
        assert_eq!(read(&answer(0x82, None)).unwrap().status, OcspStatus::Unknown);
    }

    #[test]
    fn what_is_none_says_so() {
        assert!(read(&[0x30, 3, 0x0a, 1, 6]).unwrap_err().contains("unauthorized"));
        for bad in [&b"<html>"[..], b"", &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 1], &answer(0x81, None)] {
            assert!(read(bad).unwrap_err().contains("no OCSP response"), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..100, value in any::<u8>()) {
            let _ = read(&bytes);
            let mut damaged = answer(0x80, Some("20261201000000Z"));
            let at = at % damaged.len();
            damaged[at] = value;
            let _ = read(&damaged);
        }
    }
}
