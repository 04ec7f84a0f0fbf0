//! The revocation lists, responders and issuers' certificates that served certificates name: fetched, read, and held
//! against the clock.
//!
//! A list that cannot be had makes Windows wait, and refuse where it is strict. Only lists of chains that this machine
//! trusts are fetched: those of an inspecting proxy say nothing about an endpoint. The signature of a list is not
//! checked, and whether it names a certificate is not asked: what counts here is that the current list can be had.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::{select, time};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::document::{self, DocumentEvidence};
use super::ocsp::{self, OcspContents, OcspStatus};
use super::tcp::micros;
use super::{
    Certificate, Failure, FailureCode, Observation, Outcome, Settings, Stage, Ways, block_page, bundle, chain, crl,
};
use crate::derive::Via;
use crate::text::printable;

/// A revocation list, or another place about revocation, that served certificates name, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevocationList {
    /// What it is.
    #[serde(default)]
    pub kind: RevocationKind,
    /// Where it is, as the certificates say. Safe to print.
    pub url: String,
    /// The subjects of certificates that name it; the first few.
    pub named_by: Vec<String>,
    /// The way on which it was fetched; unknown where it was not.
    pub via: Via,
    /// Why it is none of those that are fetched; the stage is then not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_fetched: Option<String>,
    /// How it went.
    pub fetch: Stage<RevocationEvidence>,
}

impl RevocationList {
    /// Fetched, and current at the time of the run.
    pub fn is_current(&self) -> bool {
        self.fetch.outcome == Outcome::Ok
    }

    /// Fetched in vain.
    pub fn is_lost(&self) -> bool {
        self.fetch.outcome == Outcome::Failed
            && self.fetch.failure.as_ref().is_none_or(|failure| failure.code != FailureCode::Internal)
    }

    /// The responder says that the certificate is revoked.
    pub fn is_revoked(&self) -> bool {
        self.fetch.failure.as_ref().is_some_and(|failure| failure.code == FailureCode::CertificateRevoked)
    }

    /// Whether the certificate names it.
    pub fn is_named_by(&self, certificate: &Certificate) -> bool {
        named_places(certificate).any(|(kind, url)| kind == self.kind && normal(url) == self.url)
    }
}

/// What a certificate names a place for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationKind {
    /// A revocation list.
    #[default]
    List,
    /// A responder that is asked for the status of one certificate (OCSP).
    Responder,
    /// The certificate of the issuer (AIA): without it a chain that is not whole cannot be checked.
    Issuer,
}

/// What was seen of a revocation list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevocationEvidence {
    /// The way to it.
    pub document: DocumentEvidence,
    /// What it says of itself, if it is a revocation list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<RevocationContents>,
    /// What it says of the certificate, if it is a responder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<OcspContents>,
    /// The subject of the issuer's certificate, if it is one; of a bundle those of all in it. Safe to print.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// What a revocation list says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevocationContents {
    /// The issuer's distinguished name. Safe to print.
    pub issuer: String,
    /// When it was made.
    pub this_update: Option<Timestamp>,
    /// When the next one will be there at the latest. A list without one is never out of date.
    pub next_update: Option<Timestamp>,
}

/// Fetches each distinct list of the chains that were judged trusted, once and each on its own way, and returns them by
/// URL: one for each that is named, also where it is not fetched.
///
/// `now` is the time at which a list must be current. After `cancel`, or the total deadline of the settings, what is
/// not done is [`Outcome::Cancelled`].
pub async fn fetch(
    observations: &[Observation],
    ways: impl Into<Ways>,
    settings: &Settings,
    now: Timestamp,
    cancel: &CancellationToken,
) -> Vec<RevocationList> {
    let cancel = cancel.child_token();
    let fetcher = Arc::new(Fetcher {
        ways: ways.into(),
        settings: settings.clone(),
        now,
        cancel: cancel.clone(),
        places: Semaphore::new(AT_ONCE),
        reader: Semaphore::new(1),
    });
    let mut tasks = JoinSet::new();
    let mut lists = Vec::new();
    for ((kind, url), named) in named_by_trusted(observations) {
        let target = document::target(&url).and_then(|url| named.asked(kind, url));
        let target = if tasks.len() < MAX_FETCHED { target } else { Err(format!("more than {MAX_FETCHED} lists")) };
        let (named_by, via, fetch) = (named.by, Via::Unknown, Stage::not_tried());
        let mut list = RevocationList { kind, url, named_by, via, not_fetched: None, fetch };
        match target {
            Err(why) => list.not_fetched = Some(why),
            Ok(target) => {
                // Stands only if the task breaks.
                list.fetch = failed(FailureCode::Internal, "the fetch itself broke (a defect of this program)");
                let (fetcher, index) = (Arc::clone(&fetcher), lists.len());
                tasks.spawn(async move { (index, fetcher.take(kind, target).await) });
            }
        }
        lists.push(list);
    }
    let work = async {
        while let Some(ended) = tasks.join_next().await {
            if let Ok((index, taken)) = ended {
                let list = &mut lists[index];
                (list.via, list.not_fetched, list.fetch) = (taken.via, taken.not_fetched, taken.fetch);
            }
        }
    };
    let too_late = async {
        if let Some(limit) = settings.deadlines.total {
            time::sleep(limit).await;
            cancel.cancel();
        }
        pending::<()>().await; // the work ends by itself now
    };
    select! {
        () = work => {}
        () = too_late => {}
    }
    lists
}

/// Who names a place, and what to ask there.
#[derive(Debug, Default)]
struct Named {
    /// The first few subjects.
    by: Vec<String>,
    /// The OCSP request of the first certificate that has one.
    request: Option<String>,
}

impl Named {
    /// What is fetched: of a responder, the answer to a request that stands in the URL (RFC 6960, appendix A.1).
    fn asked(&self, kind: RevocationKind, url: Url) -> Result<Url, String> {
        if kind != RevocationKind::Responder {
            return Ok(url);
        }
        let request =
            self.request.as_ref().ok_or("the issuer's certificate was not served, so nothing can be asked")?;
        let mut url = url;
        let escaped = request.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        url.set_path(&format!("{}/{escaped}", url.path().trim_end_matches('/')));
        Ok(url)
    }
}

/// The distinct places with the subjects of those that name them.
fn named_by_trusted(observations: &[Observation]) -> BTreeMap<(RevocationKind, String), Named> {
    let trusted = observations.iter().filter(|seen| seen.trust.outcome == Outcome::Ok);
    let certificates = trusted.flat_map(|seen| {
        let served = seen.tls.evidence.iter().flat_map(|tls| &tls.chain);
        let fetched = seen.trust.evidence.iter().flat_map(|trust| &trust.fetched);
        served.chain(fetched.map(|issuer| &issuer.certificate))
    });
    let mut places: BTreeMap<(RevocationKind, String), Named> = BTreeMap::new();
    for certificate in certificates {
        for (kind, url) in named_places(certificate) {
            let key = (kind, normal(url));
            if places.len() >= MAX_LISTED && !places.contains_key(&key) {
                continue;
            }
            let named = places.entry(key).or_default();
            if named.by.len() < MAX_SUBJECTS && !named.by.contains(&certificate.subject) {
                named.by.push(certificate.subject.clone());
            }
            named.request = named.request.take().or_else(|| certificate.ocsp_request.clone());
        }
    }
    places
}

/// The places that a certificate names.
fn named_places(certificate: &Certificate) -> impl Iterator<Item = (RevocationKind, &String)> {
    let lists = certificate.crl_urls.iter().map(|url| (RevocationKind::List, url));
    let responders = certificate.ocsp_urls.iter().map(|url| (RevocationKind::Responder, url));
    lists.chain(responders).chain(certificate.issuer_urls.iter().map(|url| (RevocationKind::Issuer, url)))
}

/// The URL in its normal form, if it is one.
fn normal(url: &str) -> String {
    document::target(url).map_or_else(|_| url.to_owned(), String::from)
}

/// What all fetches share.
struct Fetcher {
    ways: Ways,
    settings: Settings,
    now: Timestamp,
    cancel: CancellationToken,
    /// Bounds the documents in memory.
    places: Semaphore,
    /// One list is read at a time: read, it is larger than on the wire.
    reader: Semaphore,
}

/// What became of one place.
struct Taken {
    via: Via,
    not_fetched: Option<String>,
    fetch: Stage<RevocationEvidence>,
}

impl Fetcher {
    async fn take(&self, kind: RevocationKind, url: Url) -> Taken {
        let nothing =
            |outcome| Taken { via: Via::Unknown, not_fetched: None, fetch: Stage { outcome, ..Stage::not_tried() } };
        let way = async {
            let place = self.places.acquire().await.expect("the gates are never closed");
            (place, self.ways.to(&url).await)
        };
        let (_place, (via, words)) = select! {
            biased;
            () = self.cancel.cancelled() => return nothing(Outcome::Cancelled),
            way = way => way,
        };
        if via == Via::Unknown {
            let why = format!("which proxy is used is unknown: {}", printable(&words, MAX_NAME));
            return Taken { not_fetched: Some(why), ..nothing(Outcome::NotTried) };
        }
        Taken { fetch: self.stage(kind, url, via.clone()).await, not_fetched: None, via }
    }

    async fn stage(&self, kind: RevocationKind, url: Url, via: Via) -> Stage<RevocationEvidence> {
        let clock = Instant::now();
        let mut evidence = RevocationEvidence::default();
        let result = select! {
            biased;
            () = self.cancel.cancelled() => {
                return Stage { outcome: Outcome::Cancelled, took_us: Some(micros(clock)), ..Stage::not_tried() };
            }
            result = self.fetch(kind, url, via, &mut evidence) => result,
        };
        let (outcome, failure) = match result {
            Ok(()) => (Outcome::Ok, None),
            Err(failure) => (Outcome::Failed, Some(failure)),
        };
        Stage { outcome, took_us: Some(micros(clock)), failure, evidence: Some(evidence) }
    }

    async fn fetch(
        &self,
        kind: RevocationKind,
        url: Url,
        via: Via,
        evidence: &mut RevocationEvidence,
    ) -> Result<(), Failure> {
        let shown = url.to_string();
        let bytes = document::fetch(url, via, &self.ways, &self.settings, &mut evidence.document).await?;
        let invalid = |what: String| Failure::new(FailureCode::DocumentInvalid, &format!("{shown}: {what}"));
        match kind {
            RevocationKind::List => {}
            RevocationKind::Responder => {
                let status = ocsp::read(&bytes).map_err(invalid)?;
                let judged = judge_times(status.this_update, status.next_update, "an OCSP answer", self.now);
                let revoked = status.status == OcspStatus::Revoked;
                evidence.status = Some(status);
                if revoked {
                    let what = format!("{shown}: the responder says that the certificate is revoked");
                    return Err(Failure::new(FailureCode::CertificateRevoked, &what));
                }
                return judged.map_err(|what| Failure::new(FailureCode::DocumentExpired, &format!("{shown}: {what}")));
            }
            RevocationKind::Issuer => {
                evidence.certificate = Some(issuers_certificate(&bytes).map_err(invalid)?);
                return Ok(());
            }
        }
        let _reader = self.reader.acquire().await.expect("the gates are never closed");
        let read = spawn_blocking(move || read(&bytes)).await;
        let read = read.unwrap_or_else(|_| Err((FailureCode::DocumentInvalid, "the reader broke on it".to_owned())));
        let contents = read.map_err(|(code, what)| Failure::new(code, &format!("{shown}: {what}")))?;
        let judged = judge(&contents, self.now)
            .map_err(|what| Failure::new(FailureCode::DocumentExpired, &format!("{shown}: {what}")));
        evidence.contents = Some(contents);
        judged
    }
}

/// The list, or what came in its place.
pub(super) fn read(bytes: &[u8]) -> Result<RevocationContents, (FailureCode, String)> {
    match crl::read(bytes) {
        Ok(([], contents)) => Ok(contents),
        Ok((rest, _)) => {
            Err((FailureCode::DocumentInvalid, format!("a revocation list with {} bytes behind it", rest.len())))
        }
        Err(_) => Err(match block_page::mark_in_body(&bytes[..bytes.len().min(MAX_PAGE)]) {
            Some(mark) => (FailureCode::HttpBlockPage, mark),
            None => (FailureCode::DocumentInvalid, format!("{} bytes that are no revocation list (DER)", bytes.len())),
        }),
    }
}

/// Whether the list is current. The error says since when it is not.
fn judge(list: &RevocationContents, now: Timestamp) -> Result<(), String> {
    judge_times(list.this_update, list.next_update, "a revocation list", now)
}

fn judge_times(this: Option<Timestamp>, next: Option<Timestamp>, what: &str, now: Timestamp) -> Result<(), String> {
    match (this, next) {
        (None, _) => Err(format!("{what} whose time cannot be read")),
        (Some(from), _) if now < from => Err(format!("{what} that is valid from {from} on")),
        (_, Some(until)) if until < now => Err(format!("{what} that was to be renewed by {until}")),
        _ => Ok(()),
    }
}

/// The subject of the certificate, or those of a bundle.
fn issuers_certificate(bytes: &[u8]) -> Result<String, String> {
    let certificates = bundle::certificates(bytes)?;
    let subjects: Vec<String> = certificates.iter().map(|der| chain::describe_one(der, None).subject).collect();
    Ok(printable(&subjects.join("; "), MAX_NAME))
}

fn failed<E>(code: FailureCode, what: &str) -> Stage<E> {
    Stage { outcome: Outcome::Failed, failure: Some(Failure::new(code, what)), ..Stage::not_tried() }
}

const AT_ONCE: usize = 8;
/// More lists than this are named in the record and not fetched.
const MAX_FETCHED: usize = 64;
/// More lists than this are not even named: no real hierarchy meets so many.
const MAX_LISTED: usize = 1000;
const MAX_SUBJECTS: usize = 4;
const MAX_NAME: usize = 255;
/// How much of a document is searched for the marks of a block page.
const MAX_PAGE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa, KeyIdMethod,
        KeyPair, RevocationReason, RevokedCertParams, SerialNumber,
    };

    use super::*;

    static LIST: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "Contoso \u{1b}[2J Lab");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(42),
            revocation_time: rcgen::date_time_ymd(2024, 1, 1),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2025, 1, 1),
            next_update: rcgen::date_time_ymd(2025, 2, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&ca).unwrap().der().to_vec()
    });

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn a_list_is_current_from_its_date_to_the_next() {
        let list = read(&LIST).unwrap();
        assert!(list.issuer.contains("Contoso \\u{1b}[2J Lab"), "{}", list.issuer);
        assert!(judge(&list, at("2025-01-01T00:00:00Z")).is_ok() && judge(&list, at("2025-02-01T00:00:00Z")).is_ok());
        let early = judge(&list, at("2024-12-31T23:59:59Z")).unwrap_err();
        assert_eq!(early, "a revocation list that is valid from 2025-01-01T00:00:00Z on");
        let late = judge(&list, at("2025-02-01T00:00:01Z")).unwrap_err();
        assert_eq!(late, "a revocation list that was to be renewed by 2025-02-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_list_is_told_apart_from_a_block_page() {
        let code = |bytes: &[u8]| read(bytes).unwrap_err().0;
        assert_eq!(code(b""), FailureCode::DocumentInvalid);
        assert_eq!(code(&[LIST.as_slice(), b"x"].concat()), FailureCode::DocumentInvalid);
        assert_eq!(code(b"<html><title>Welcome</title>"), FailureCode::DocumentInvalid);
        assert_eq!(code(b"<html><title>Site blocked</title>"), FailureCode::HttpBlockPage);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&bytes).is_err());
        }

        #[test]
        fn a_damaged_list_never_panics(at in 0usize..4096, value in any::<u8>(), cut in 0usize..64) {
            let mut bytes = LIST.clone();
            let at = at % bytes.len();
            bytes[at] = value;
            bytes.truncate(bytes.len() - cut);
            if let Ok(list) = read(&bytes) {
                let _ = judge(&list, Timestamp::UNIX_EPOCH);
            }
        }
    }
}
