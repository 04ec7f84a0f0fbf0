//! The certificates that a server left out, fetched from where its own certificate says they are (authority information
//! access), as Windows does it. Each place is asked once in a run.
//!
//! What is fetched is a stranger's word until a chain with it leads to a root of this machine; then it was the right one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::document::{self, DocumentEvidence};
use super::{Settings, Ways, bundle, chain};
use crate::derive::Via;

/// Fetches issuers' certificates.
#[derive(Debug)]
pub(super) struct Issuers {
    settings: Settings,
    places: Mutex<Places>,
    /// Bounds the documents in memory.
    gate: Semaphore,
}

/// By way and URL.
type Places = HashMap<(String, String), Arc<OnceCell<Fetched>>>;

/// The certificates there, or why there is none.
type Fetched = Result<Arc<[CertificateDer<'static>]>, String>;

/// What a certificate says of its issuer.
pub(super) struct Issuer {
    /// The name, in DER.
    name: Vec<u8>,
    /// Where its certificate is.
    urls: Vec<String>,
}

impl Issuer {
    /// `None` if the certificate is its own issuer, or says of nowhere that its issuer's certificate is there.
    pub(super) fn of(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let name = certificate.issuer().as_raw().to_vec();
        let urls = chain::describe_one(der, None).issuer_urls;
        (certificate.subject().as_raw() != name && !urls.is_empty()).then_some(Self { name, urls })
    }
}

impl Issuers {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone(), places: Mutex::default(), gate: Semaphore::new(AT_ONCE) }
    }

    /// The certificates of the issuer, and where they were: one, but in a bundle it may have several keys, and which of
    /// them signed is for the verifier. The error says of the last place why it has none.
    pub(super) async fn fetch(
        &self,
        issuer: &Issuer,
        via: &Via,
        limit: Duration,
    ) -> Result<(Vec<CertificateDer<'static>>, String), String> {
        let mut why = "it names no place that is asked".to_owned();
        for url in issuer.urls.iter().take(MAX_PLACES) {
            let fetched = match timeout(limit, self.at(url, via)).await {
                Ok(fetched) => fetched,
                Err(_) => Err(format!("{url}: no answer within {limit:?}")),
            };
            let of_issuer = |all: Arc<[CertificateDer<'static>]>| -> Vec<_> {
                all.iter().filter(|der| is_of(der, &issuer.name)).take(MAX_KEYS).cloned().collect()
            };
            match fetched.map(of_issuer) {
                Ok(own) if !own.is_empty() => return Ok((own, url.clone())),
                Ok(_) => why = format!("{url}: the certificate there is not that of the issuer"),
                Err(other) => why = other,
            }
        }
        Err(why)
    }

    async fn at(&self, url: &str, via: &Via) -> Fetched {
        let place = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (via.to_string(), url.to_owned());
            if places.len() >= MAX_KEPT && !places.contains_key(&key) {
                return Err(format!("{url}: more than {MAX_KEPT} such places in one run, so it was not asked"));
            }
            Arc::clone(places.entry(key).or_default())
        };
        place.get_or_init(|| self.get(url, via)).await.clone()
    }

    async fn get(&self, url: &str, via: &Via) -> Fetched {
        let target = document::target(url).map_err(|why| format!("{url}: not asked, {why}"))?;
        let _place = self.gate.acquire().await.expect("the gate is never closed");
        let mut evidence = DocumentEvidence::default();
        let ways = Ways::from(via);
        let fetched = document::fetch(target, via.clone(), &ways, &self.settings, &mut evidence).await;
        let bytes = fetched.map_err(|failure| failure.detail)?;
        bundle::certificates(&bytes).map(Arc::from).map_err(|what| format!("{url}: {what}"))
    }
}

/// Whether the certificate is that of somebody with this name.
fn is_of(der: &[u8], name: &[u8]) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(_, certificate)| certificate.subject().as_raw() == name)
}

/// Keys of one name that are tried.
const MAX_KEYS: usize = 4;
/// Places that one certificate may name and that are asked.
const MAX_PLACES: usize = 2;
/// Places of a whole run: no real hierarchy meets so many.
const MAX_KEPT: usize = 64;
const AT_ONCE: usize = 4;
