//! A certificate authority of the lab, and what it signs.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// An authority that exists for one test.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority with a key of its own.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("the library can make a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names to refuse");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, key).expect("the key can sign");
        Self { issuer }
    }

    /// The certificate of the authority.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// TLS for a server with these names. TDS 7 goes up to TLS 1.2, as SQL Server does; `strict` is TDS 8.0.
    pub fn server(&self, names: &[String], strict: bool) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("the library can make a key");
        let mut params = CertificateParams::new(names.to_vec()).expect("names of a test are host names");
        params.distinguished_name.push(DnType::CommonName, names.first().map_or("sql", String::as_str));
        let certificate = params.signed_by(&key, &self.issuer).expect("the authority can sign");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain = vec![certificate.der().clone()];
        #[cfg(not(windows))]
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        #[cfg(windows)]
        let provider = rustls::crypto::ring::default_provider();
        let versions = if strict { rustls::ALL_VERSIONS } else { &[&rustls::version::TLS12] };
        let mut config = ServerConfig::builder_with_provider(provider.into())
            .with_protocol_versions(versions)
            .expect("the provider speaks TLS 1.2")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("key and certificate belong together");
        if strict {
            config.alpn_protocols.push(b"tds/8.0".to_vec());
        }
        Arc::new(config)
    }
}
