//! The roots of this machine, and its verifier.
//!
//! Windows and Apple's systems judge chains themselves: with their own stores, and by fetching what a server left out.
//! Elsewhere there is a file of roots. It is read once and serves both the verifier and the look for known public roots.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;

/// The roots of this machine one by one, as far as they can be read.
pub(super) fn read() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// Whether this machine fetches issuers' certificates itself while it judges a chain.
pub(super) const FETCHES_ISSUERS: bool = cfg!(any(windows, target_vendor = "apple"));

/// What judges a chain as this machine does; `extra` are trusted besides `roots`, which [`read`] gave. The error says why
/// this machine trusts nobody.
#[cfg(any(windows, target_vendor = "apple"))]
pub(super) fn verifier(
    _roots: &[CertificateDer<'static>],
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    use rustls_platform_verifier::Verifier;
    let made = if extra.is_empty() { Verifier::new(provider) } else { Verifier::new_with_extra_roots(extra, provider) };
    made.map(|verifier| Arc::new(verifier) as _).map_err(|error| unreadable(&error))
}

/// What judges a chain as this machine does; `extra` are trusted besides `roots`, which [`read`] gave. The error says why
/// this machine trusts nobody.
#[cfg(not(any(windows, target_vendor = "apple")))]
pub(super) fn verifier(
    roots: &[CertificateDer<'static>],
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    let mut store = RootCertStore::empty();
    // One that cannot be used stands for nobody.
    store.add_parsable_certificates(extra.into_iter().chain(roots.iter().cloned()));
    if store.is_empty() {
        return Err(unreadable(&"there are none"));
    }
    let made = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
    made.map(|verifier| verifier as _).map_err(|error| unreadable(&error))
}

/// [`verifier`] with the roots of this machine, for those who do nothing else with them.
pub(crate) fn machine_verifier(
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    verifier(&read(), extra, provider)
}

fn unreadable(why: &dyn std::fmt::Display) -> String {
    format!("the roots of this machine cannot be read: {why}")
}
