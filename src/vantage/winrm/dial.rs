//! From a name to a connection on which HTTP can be spoken.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Endpoint, Limits, Transport, WinRmError};
use crate::host::HostName;
use crate::probe::{Wire, crypto_provider, io_words, machine_verifier};
use crate::text::printable;

/// Who is trusted: this machine's own roots, and those given. One for all hosts, since reading the roots takes time.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}

impl Trust {
    /// Trusts this machine's roots and these besides (DER).
    pub fn new(extra_roots: &[Vec<u8>]) -> Result<Self, WinRmError> {
        let here = |what: &dyn fmt::Display| WinRmError::Here(printable(&what.to_string(), MAX_DETAIL));
        let mut roots = Vec::new();
        for (index, root) in extra_roots.iter().enumerate() {
            let root = CertificateDer::from(root.clone());
            let checked = RootCertStore::empty().add(root.clone());
            checked.map_err(|e| here(&format!("CA certificate {} cannot be used: {e}", index + 1)))?;
            roots.push(root);
        }
        let provider = crypto_provider();
        let verifier = machine_verifier(roots, Arc::clone(&provider)).map_err(|e| here(&e))?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| here(&e))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

/// An open connection.
pub(super) struct Line {
    pub(super) stream: Box<dyn Wire>,
    /// What a sign-in is bound to, with TLS.
    pub(super) binding: Option<Vec<u8>>,
}

/// Connects to the endpoint, with TLS if it has that.
pub(super) async fn dial(endpoint: &Endpoint, limits: &Limits) -> Result<Line, WinRmError> {
    let limit = limits.connect;
    let stream = reach(endpoint, limit).await?;
    let Transport::Https(trust) = &endpoint.transport else {
        return Ok(Line { stream: Box::new(stream), binding: None });
    };
    let tls = |detail: String| WinRmError::Tls { port: endpoint.port, detail: printable(&detail, MAX_DETAIL) };
    let name = ServerName::try_from(endpoint.host.to_string()).map_err(|e| tls(e.to_string()))?;
    let shake = TlsConnector::from(Arc::clone(&trust.0)).connect(name, stream);
    let stream = match timeout(limit, shake).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(explain(&error).unwrap_or_else(tls)),
        Err(_) => return Err(tls(format!("no answer within {limit:?}"))),
    };
    let leaf = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let binding = leaf.map(|leaf| binding(leaf));
    Ok(Line { stream: Box::new(stream), binding })
}

/// Connects to the port and says nothing there.
pub async fn knock(endpoint: &Endpoint, limits: &Limits) -> Result<(), WinRmError> {
    reach(endpoint, limits.connect).await.map(drop)
}

async fn reach(endpoint: &Endpoint, limit: Duration) -> Result<TcpStream, WinRmError> {
    match endpoint.address {
        Some(address) => open(address, limit).await,
        None => first(&resolve(&endpoint.host, endpoint.port, limit).await?, limit).await,
    }
}

async fn resolve(host: &HostName, port: u16, limit: Duration) -> Result<Vec<SocketAddr>, WinRmError> {
    let none = |detail: &str| WinRmError::NameNotResolved(printable(detail, MAX_DETAIL));
    let found = match timeout(limit, lookup_host((host.as_str(), port))).await {
        Ok(Ok(found)) => found.take(MAX_ADDRESSES).collect::<Vec<_>>(),
        Ok(Err(error)) => return Err(none(&error.to_string())),
        Err(_) => return Err(none(&format!("no answer within {limit:?}"))),
    };
    if found.is_empty() { Err(none("it has no address")) } else { Ok(found) }
}

/// The first address that answers; a host may have one that is dead.
async fn first(addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, WinRmError> {
    let mut failure = WinRmError::NameNotResolved("it has no address".to_owned());
    for address in addresses {
        match open(*address, limit).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn open(address: SocketAddr, limit: Duration) -> Result<TcpStream, WinRmError> {
    let port = address.port();
    match timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            let _ = stream.set_nodelay(true); // slower without, and no worse
            Ok(stream)
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => Err(WinRmError::Unanswered { port, limit }),
        Ok(Err(error)) => Err(WinRmError::Refused { port, detail: printable(&io_words(&error), MAX_DETAIL) }),
        Err(_) => Err(WinRmError::Unanswered { port, limit }),
    }
}

/// A certificate that is not good, or the words for another error.
fn explain(error: &io::Error) -> Result<WinRmError, String> {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => {
            Ok(WinRmError::CertificateNotTrusted(printable(&why.to_string(), MAX_DETAIL)))
        }
        Some(other) => Err(other.to_string()),
        None => Err(io_words(error)),
    }
}

/// `tls-server-end-point` (RFC 5929, section 4): the certificate under the hash of its own signature, SHA-256 if that is
/// weaker or has no hash of its own.
fn binding(certificate: &[u8]) -> Vec<u8> {
    let signature = X509Certificate::from_der(certificate).map(|(_, c)| c.signature_algorithm.algorithm.to_id_string());
    let hash = match signature.as_deref() {
        // sha384WithRSAEncryption, ecdsa-with-SHA384
        Ok("1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3") => Sha384::digest(certificate).to_vec(),
        // sha512WithRSAEncryption, ecdsa-with-SHA512
        Ok("1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4") => Sha512::digest(certificate).to_vec(),
        _ => Sha256::digest(certificate).to_vec(),
    };
    [b"tls-server-end-point:".as_slice(), &hash].concat()
}

const MAX_ADDRESSES: usize = 4;
const MAX_DETAIL: usize = 300;

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};

    use super::*;

    #[test]
    fn the_binding_uses_the_hash_of_the_signature() {
        for (algorithm, octets) in [(&PKCS_ECDSA_P256_SHA256, 32), (&PKCS_ECDSA_P384_SHA384, 48)] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let certificate =
                CertificateParams::new(vec!["a.contoso.com".to_owned()]).unwrap().self_signed(&key).unwrap();
            let binding = binding(certificate.der());
            assert_eq!(binding.len(), "tls-server-end-point:".len() + octets);
        }
        assert_eq!(binding(b"no certificate").len(), "tls-server-end-point:".len() + 32);
    }

    #[test]
    fn a_ca_that_is_none_is_refused_before_anything_is_sent() {
        let error = Trust::new(&[b"no certificate".to_vec()]).unwrap_err();
        assert!(error.to_string().starts_with("CA certificate 1 cannot be used"), "{error}");
    }
}
