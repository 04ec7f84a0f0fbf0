//! The TLS handshake. It only records the chain; [`super::trust`] judges it afterwards.
//!
//! That the server has the key of its certificate is still checked, and nothing is sent over a session before the
//! chain was judged.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, PeerIncompatible, SignatureScheme, SupportedCipherSuite};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::chain::{self, Chain};
use super::layer::{Seen, io_words, is_cut};
use super::{Failure, FailureCode, SetupError, TlsEvidence};
use crate::host::HostName;
use crate::text::printable;

/// The crypto library: ring where C is a burden, elsewhere the one that the database client brings along.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    #[cfg(windows)]
    let provider = rustls::crypto::ring::default_provider();
    #[cfg(not(windows))]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    Arc::new(provider)
}

/// A client that shakes hands with anybody and remembers the chain.
#[derive(Debug, Clone)]
pub(super) struct Client {
    config: ClientConfig,
    provider: Arc<CryptoProvider>,
}

impl Client {
    /// TLS 1.2 and 1.3, HTTP/1.1, every handshake a full one.
    pub(super) fn new(provider: Arc<CryptoProvider>) -> Result<Self, SetupError> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| SetupError::Tls(e.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Recorder::new(&provider))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::disabled();
        Ok(Self { config, provider })
    }

    /// The same with one cipher suite only.
    pub(super) fn offering(suite: SupportedCipherSuite, provider: &CryptoProvider) -> Result<Self, SetupError> {
        Self::new(Arc::new(CryptoProvider { cipher_suites: vec![suite], ..provider.clone() }))
    }

    /// Shakes hands with `host` at `address` (where the stream leads: the server or the proxy).
    pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        address: SocketAddr,
        host: &HostName,
        limit: Duration,
    ) -> Seen<(TlsStream<S>, Chain), TlsEvidence> {
        let operation = format!("TLS handshake with {host} at {address}");
        let Ok(name) = ServerName::try_from(host.to_string()) else {
            let detail = format!("{operation}: the name cannot be sent as a server name");
            return Seen::failed(Failure::new(FailureCode::TlsProtocol, &detail));
        };
        let recorder = Recorder::new(&self.provider);
        let mut config = self.config.clone();
        config.dangerous().set_certificate_verifier(Arc::clone(&recorder) as Arc<dyn ServerCertVerifier>);
        let ended = timeout(limit, TlsConnector::from(Arc::new(config)).connect(name, stream)).await;
        let served = recorder.take();
        let certificates = chain::describe(&served);
        let failure = match ended {
            Ok(Ok(stream)) => {
                let (_, session) = stream.get_ref();
                let evidence = TlsEvidence {
                    version: session.protocol_version().and_then(|v| v.as_str()).map(version_name),
                    suite: session.negotiated_cipher_suite().map(|s| suite_name(s.suite())),
                    alpn: session.alpn_protocol().map(|p| printable(&String::from_utf8_lossy(p), 32)),
                    chain: certificates,
                };
                return Seen::ok((stream, served), evidence);
            }
            Ok(Err(error)) => {
                let (code, what) = explain(&error);
                Failure::new(code, &format!("{operation}: {what}"))
            }
            Err(_) => Failure::silence(FailureCode::TlsTimeout, &operation, limit),
        };
        let evidence = TlsEvidence { version: None, suite: None, alpn: None, chain: certificates };
        let evidence = (!evidence.chain.is_empty()).then_some(evidence);
        Seen { evidence, result: Err(failure) }
    }
}

/// What an error of a TLS stream means.
pub(super) fn explain(error: &io::Error) -> (FailureCode, String) {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::AlertReceived(alert)) => (FailureCode::TlsAlert, format!("alert {alert:?} received")),
        Some(rustls::Error::InvalidCertificate(what)) => {
            (FailureCode::CertificateInvalid, format!("the server's certificate cannot be used: {what}"))
        }
        Some(rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )) => (FailureCode::TlsVersion, "the other end answered with TLS 1.1 or older".to_owned()),
        Some(other) => (FailureCode::TlsProtocol, other.to_string()),
        None if error.kind() == io::ErrorKind::UnexpectedEof => (FailureCode::TlsReset, "connection closed".to_owned()),
        None if is_cut(error) => (FailureCode::TlsReset, io_words(error)),
        None if error.kind() == io::ErrorKind::TimedOut => (FailureCode::TlsTimeout, io_words(error)),
        None => (FailureCode::TlsProtocol, io_words(error)),
    }
}

/// Whether an error of a stream is one of TLS, and not of what is carried by it.
pub(super) fn is_of_tls(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some()
}

/// Accepts every chain, and keeps it.
#[derive(Debug)]
struct Recorder {
    chain: Mutex<Chain>,
    provider: Arc<CryptoProvider>,
}

impl Recorder {
    fn new(provider: &Arc<CryptoProvider>) -> Arc<Self> {
        Arc::new(Self { chain: Mutex::default(), provider: Arc::clone(provider) })
    }

    fn take(&self) -> Chain {
        std::mem::take(&mut self.chain.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = chain::keep(end_entity, intermediates);
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// `TLSv1_3` as everybody writes it: `TLSv1.3`.
pub(super) fn version_name(name: &str) -> String {
    name.replace('_', ".")
}

/// The name in the standard's registry: rustls says `TLS13_` where the registry says `TLS_`.
pub(super) fn suite_name(suite: rustls::CipherSuite) -> String {
    let name = suite.as_str().unwrap_or("unknown");
    name.strip_prefix("TLS13_").map_or_else(|| name.to_owned(), |rest| format!("TLS_{rest}"))
}

#[cfg(test)]
mod tests {
    use rustls::{AlertDescription, CertificateError, CipherSuite, Error};

    use super::*;

    #[test]
    fn names_are_those_of_the_standard() {
        assert_eq!(version_name("TLSv1_3"), "TLSv1.3");
        assert_eq!(suite_name(CipherSuite::TLS13_AES_256_GCM_SHA384), "TLS_AES_256_GCM_SHA384");
        assert_eq!(
            suite_name(CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
        );
    }

    #[test]
    fn errors_are_told_apart() {
        let tls = |error: Error| explain(&io::Error::new(io::ErrorKind::InvalidData, error));
        let (code, words) = tls(Error::AlertReceived(AlertDescription::HandshakeFailure));
        assert_eq!((code, words.as_str()), (FailureCode::TlsAlert, "alert HandshakeFailure received"));
        let old = Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13);
        assert_eq!(tls(old).0, FailureCode::TlsVersion);
        assert_eq!(tls(Error::PeerSentOversizedRecord).0, FailureCode::TlsProtocol);
        assert_eq!(tls(Error::InvalidCertificate(CertificateError::BadEncoding)).0, FailureCode::CertificateInvalid);
        assert_eq!(explain(&io::ErrorKind::UnexpectedEof.into()).0, FailureCode::TlsReset);
        assert_eq!(explain(&io::ErrorKind::ConnectionReset.into()).0, FailureCode::TlsReset);
    }
}
