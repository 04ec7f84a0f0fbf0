//! The revocation lists that served certificates name: fetched, read, and held against the clock.
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
use super::tcp::micros;
use super::{Failure, FailureCode, Observation, Outcome, Settings, Stage, block_page, crl};
use crate::derive::Via;

/// A revocation list that served certificates name, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevocationList {
    /// Where it is, as the certificates say. Safe to print.
    pub url: String,
    /// The subjects of certificates that name it; the first few.
    pub named_by: Vec<String>,
    /// The way on which it was fetched.
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
}

/// What was seen of a revocation list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevocationEvidence {
    /// The way to it.
    pub document: DocumentEvidence,
    /// What it says of itself, if it is a revocation list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<RevocationContents>,
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

/// Fetches each distinct list of the chains that were judged trusted, once, and returns them by URL: one for each that
/// is named, also where it is not fetched.
///
/// `now` is the time at which a list must be current. After `cancel`, or the total deadline of the settings, what is
/// not done is [`Outcome::Cancelled`].
pub async fn fetch(
    observations: &[Observation],
    via: &Via,
    settings: &Settings,
    now: Timestamp,
    cancel: &CancellationToken,
) -> Vec<RevocationList> {
    let cancel = cancel.child_token();
    let fetcher = Arc::new(Fetcher {
        via: via.clone(),
        settings: settings.clone(),
        now,
        cancel: cancel.clone(),
        places: Semaphore::new(AT_ONCE),
        reader: Semaphore::new(1),
    });
    let mut tasks = JoinSet::new();
    let mut lists = Vec::new();
    for (url, named_by) in named_by_trusted(observations) {
        let target = document::target(&url);
        let target = if tasks.len() < MAX_FETCHED { target } else { Err(format!("more than {MAX_FETCHED} lists")) };
        let mut list = RevocationList { url, named_by, via: via.clone(), not_fetched: None, fetch: Stage::not_tried() };
        match target {
            Err(why) => list.not_fetched = Some(why),
            Ok(target) => {
                // Stands only if the task breaks.
                list.fetch = failed(FailureCode::Internal, "the fetch itself broke (a defect of this program)");
                let (fetcher, index) = (Arc::clone(&fetcher), lists.len());
                tasks.spawn(async move { (index, fetcher.stage(target).await) });
            }
        }
        lists.push(list);
    }
    let work = async {
        while let Some(ended) = tasks.join_next().await {
            if let Ok((index, stage)) = ended {
                lists[index].fetch = stage;
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

/// The distinct URLs with the subjects of those that name them.
fn named_by_trusted(observations: &[Observation]) -> BTreeMap<String, Vec<String>> {
    let trusted = observations.iter().filter(|seen| seen.trust.outcome == Outcome::Ok);
    let certificates = trusted.filter_map(|seen| seen.tls.evidence.as_ref()).flat_map(|tls| &tls.chain);
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for certificate in certificates {
        for url in &certificate.crl_urls {
            let url = document::target(url).map_or_else(|_| url.clone(), String::from);
            if lists.len() >= MAX_LISTED && !lists.contains_key(&url) {
                continue;
            }
            let subjects = lists.entry(url).or_default();
            if subjects.len() < MAX_SUBJECTS && !subjects.contains(&certificate.subject) {
                subjects.push(certificate.subject.clone());
            }
        }
    }
    lists
}

/// What all fetches share.
struct Fetcher {
    via: Via,
    settings: Settings,
    now: Timestamp,
    cancel: CancellationToken,
    /// Bounds the documents in memory.
    places: Semaphore,
    /// One list is read at a time: read, it is larger than on the wire.
    reader: Semaphore,
}

impl Fetcher {
    async fn stage(&self, url: Url) -> Stage<RevocationEvidence> {
        let cancelled = || Stage { outcome: Outcome::Cancelled, ..Stage::not_tried() };
        let _place = select! {
            biased;
            () = self.cancel.cancelled() => return cancelled(),
            place = self.places.acquire() => place.expect("the gates are never closed"),
        };
        let clock = Instant::now();
        let mut evidence = RevocationEvidence::default();
        let result = select! {
            biased;
            () = self.cancel.cancelled() => return Stage { took_us: Some(micros(clock)), ..cancelled() },
            result = self.fetch(url, &mut evidence) => result,
        };
        let (outcome, failure) = match result {
            Ok(()) => (Outcome::Ok, None),
            Err(failure) => (Outcome::Failed, Some(failure)),
        };
        Stage { outcome, took_us: Some(micros(clock)), failure, evidence: Some(evidence) }
    }

    async fn fetch(&self, url: Url, evidence: &mut RevocationEvidence) -> Result<(), Failure> {
        let shown = url.to_string();
        let bytes = document::fetch(url, &self.via, &self.settings, &mut evidence.document).await?;
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
    match (list.this_update, list.next_update) {
        (None, _) => Err("a revocation list whose time cannot be read".to_owned()),
        (Some(from), _) if now < from => Err(format!("a revocation list that is valid from {from} on")),
        (_, Some(until)) if until < now => Err(format!("a revocation list that was to be renewed by {until}")),
        _ => Ok(()),
    }
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
