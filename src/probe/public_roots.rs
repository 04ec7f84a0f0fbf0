//! The roots of the public programmes, against which TLS inspection shows: what this machine trusts and the public does
//! not was issued by somebody in between, or by the customer's own authority.
//!
//! They are Mozilla's list, the roots that the operator states as public, and roots of this machine whose thumbprints
//! are known: Microsoft has roots outside the public programmes.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::trust::Trace;
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
        let is_known = |root: &[u8]| {
            let thumbprint = hexadecimal(&Sha1::digest(root));
            MICROSOFT.contains(&thumbprint.as_str()) || thumbprints.contains(&thumbprint)
        };
        let known = machine.iter().filter(|root| is_known(root));
        for root in stated.iter().chain(known) {
            // One that cannot be used stands for nobody.
            let _ = store.add(root.clone());
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
        Ok(Self { verifier: verifier.map_err(|error| SetupError::Tls(error.to_string()))? })
    }

    /// Who issued the chain, as far as it shows, seen what the chain itself shows.
    pub(super) fn issuance_of(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
        trace: Trace,
    ) -> Issuance {
        match self.issuance(chain, name, now) {
            // The machine that looked may know or fetch the certificate in between.
            Issuance::Private if trace == Trace::Incomplete => Issuance::Untold,
            issuance => issuance,
        }
    }

    fn issuance(&self, chain: &[CertificateDer<'_>], name: &ServerName<'_>, now: UnixTime) -> Issuance {
        let Some((leaf, intermediates)) = chain.split_first() else { return Issuance::Untold };
        match self.verifier.verify_server_cert(leaf, intermediates, name, &[], now) {
            // The second is the name of a public authority with another key.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            )) => Issuance::Private,
            // A fault that both sides see comes before the question who issued it.
            Err(_) => Issuance::Untold,
            Ok(_) => Issuance::Public,
        }
    }
}

/// What tells public roots to a machine that has not this program: of the public programmes the first 12 octets of the
/// SHA-256 over the key of each (the contents of `subjectPublicKeyInfo`), in Base64; of others their thumbprints.
pub(crate) fn public_root_marks(thumbprints: &[String]) -> Vec<String> {
    let keys = webpki_roots::TLS_SERVER_ROOTS.iter().map(|root| {
        let hash = Sha256::digest(&root.subject_public_key_info);
        STANDARD.encode(&hash[..12])
    });
    let known = MICROSOFT.iter().map(|thumbprint| (*thumbprint).to_owned());
    let mut marks: Vec<String> = keys.chain(known).chain(thumbprints.iter().cloned()).collect();
    marks.sort_unstable();
    marks.dedup();
    marks
}

/// Thumbprints, as Windows shows them, of Microsoft's roots outside the public programmes: Microsoft Root Certificate
/// Authority 2010 and 2011. Microsoft's article "Required trusted root certificates" (KB 293781) lists them; updates
/// and synchronization of updates come under them.
const MICROSOFT: [&str; 2] = ["3b1efd3a66ea28b16697394703a72ca340a05bd5", "8f43288ad272f3103b6fb1428485ea3014c0bcfe"];

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

    use super::*;
    use crate::probe::tls::provider;

    #[test]
    fn a_root_of_the_machine_counts_as_public_by_its_thumbprint_only() {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "Contoso Root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let leaf = CertificateParams::new(vec!["a.microsoft.com".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &ca).unwrap().der().clone();
        let name = ServerName::try_from("a.microsoft.com").unwrap();
        let judged = |stated: &[CertificateDer<'static>], thumbprints: &[String]| {
            let roots = PublicRoots::new(stated, &[ca.der().clone()], thumbprints, provider()).unwrap();
            roots.issuance(std::slice::from_ref(&leaf), &name, UnixTime::now())
        };
        assert_eq!(judged(&[], &[]), Issuance::Private);
        assert_eq!(judged(&[], &[hexadecimal(&Sha1::digest(ca.der()))]), Issuance::Public);
        assert_eq!(judged(&[ca.der().clone()], &[]), Issuance::Public);
        assert!(webpki_roots::TLS_SERVER_ROOTS.len() > 100);
    }
}
