//! The roots of the public programmes, against which TLS inspection shows: what this machine trusts and the public does
//! not was issued by somebody in between, or by the customer's own authority.
//!
//! They are Mozilla's list, the roots that the operator states as public, and roots of this machine whose thumbprints
//! are known: Microsoft has roots outside the public programmes.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};
use sha1::{Digest, Sha1};

use super::{Issuance, SetupError};
use crate::text::hexadecimal;

/// Says of a chain whether it leads to a public root.
#[derive(Debug)]
pub(super) struct PublicRoots {
    verifier: Arc<WebPkiServerVerifier>,
}

impl PublicRoots {
    /// `stated` count as public; of `machine`, those with one of these thumbprints do.
    pub(super) fn new(
        stated: &[CertificateDer<'static>],
        machine: &[CertificateDer<'static>],
        thumbprints: &[String],
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, SetupError> {
        let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let known = machine.iter().filter(|root| thumbprints.contains(&thumbprint(root)));
        for root in stated.iter().chain(known) {
            // One that cannot be used stands for nobody.
            let _ = store.add(root.clone());
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
        Ok(Self { verifier: verifier.map_err(|error| SetupError::Tls(error.to_string()))? })
    }

    /// Who issued the chain, as far as it shows.
    pub(super) fn issuance(&self, chain: &[CertificateDer<'_>], name: &ServerName<'_>, now: UnixTime) -> Issuance {
        let Some((leaf, intermediates)) = chain.split_first() else { return Issuance::Untold };
        match self.verifier.verify_server_cert(leaf, intermediates, name, &[], now) {
            Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => Issuance::Private,
            // A name of a public authority and another key.
            Err(rustls::Error::InvalidCertificate(CertificateError::BadSignature)) => Issuance::Private,
            // A fault that both sides see comes before the question who issued it.
            Err(_) => Issuance::Untold,
            Ok(_) => Issuance::Public,
        }
    }
}

/// The roots of this machine, read only where thumbprints are to be looked for.
pub(super) fn of_machine(thumbprints: &[String]) -> Vec<CertificateDer<'static>> {
    if thumbprints.is_empty() { Vec::new() } else { rustls_native_certs::load_native_certs().certs }
}

/// SHA-1 over the DER, as Windows shows it.
fn thumbprint(root: &[u8]) -> String {
    hexadecimal(&Sha1::digest(root))
}
