//! Two certificate authorities, the lab's own and a foreign one, and the TLS settings of every pretend server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{ToSpan, Zoned};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Makes certificates on demand and keeps them.
pub(super) struct Certificates {
    lab: Authority,
    foreign: Authority,
    /// One key for all servers: what differs between them is the certificate.
    key: KeyPair,
    configs: Mutex<HashMap<(Kind, String), Arc<ServerConfig>>>,
}

/// What kind of certificate a server shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Of the lab CA, in order.
    Good,
    /// Of the foreign CA, else in order.
    Foreign,
    /// Of the lab CA, and its time is over.
    Expired,
    /// Of the lab CA, for another name.
    WrongName,
    /// Signed by itself.
    SelfSigned,
}

impl Certificates {
    /// New authorities, with new keys.
    pub(super) fn new() -> Self {
        Self {
            lab: Authority::new("Contoso Lab"),
            foreign: Authority::new("Contoso Web Filter"),
            key: new_key(),
            configs: Mutex::default(),
        }
    }

    /// The lab's root certificate, in PEM.
    pub(super) fn lab_pem(&self) -> String {
        self.lab.root.pem()
    }

    /// The foreign root certificate, in PEM.
    pub(super) fn foreign_pem(&self) -> String {
        self.foreign.root.pem()
    }

    /// The TLS settings of the server with this name.
    pub(super) fn config(&self, kind: Kind, name: &str) -> Arc<ServerConfig> {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        configs.entry((kind, name.to_owned())).or_insert_with(|| self.new_config(kind, name)).clone()
    }

    fn new_config(&self, kind: Kind, name: &str) -> Arc<ServerConfig> {
        let chain = match kind {
            Kind::Good => self.lab.chain(&leaf(name, -30, 90), &self.key),
            Kind::Foreign => self.foreign.chain(&leaf(name, -30, 90), &self.key),
            Kind::Expired => self.lab.chain(&leaf(name, -400, -30), &self.key),
            Kind::WrongName => self.lab.chain(&leaf("default.hosting.example", -30, 90), &self.key),
            Kind::SelfSigned => {
                vec![leaf(name, -30, 90).self_signed(&self.key).expect("a P-256 key signs").der().clone()]
            }
        };
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).expect("rcgen writes PKCS #8");
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("the provider has suites of TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("the certificate is for this key");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

/// A root with one intermediate, which signs the servers' certificates.
struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new(organisation: &str) -> Self {
        let authority = |role: &str| {
            let mut params = validity(CertificateParams::default(), -400, 3650);
            params.distinguished_name = subject(organisation, &format!("{organisation} {role} CA"));
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params
        };
        let root = CertifiedIssuer::self_signed(authority("Root"), new_key()).expect("a P-256 key signs");
        let intermediate =
            CertifiedIssuer::signed_by(authority("Issuing"), new_key(), &root).expect("a P-256 key signs");
        Self { root, intermediate }
    }

    /// The server's certificate and the intermediate, as a well-kept server sends them.
    fn chain(&self, leaf: &CertificateParams, key: &KeyPair) -> Vec<CertificateDer<'static>> {
        let leaf = leaf.signed_by(key, &self.intermediate).expect("a P-256 key signs");
        vec![leaf.der().clone(), self.intermediate.der().clone()]
    }
}

/// A server's certificate, valid from so many days to so many days from now.
fn leaf(name: &str, from: i64, to: i64) -> CertificateParams {
    let params = CertificateParams::new([name.to_owned()]).expect("names come from SNI, which is ASCII");
    let mut params = validity(params, from, to);
    params.distinguished_name = subject("Contoso", name);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn validity(mut params: CertificateParams, from: i64, to: i64) -> CertificateParams {
    let day = |days: i64| {
        let date = Zoned::now().date() + days.days();
        let part = |number: i8| u8::try_from(number).expect("months and days are positive");
        rcgen::date_time_ymd(i32::from(date.year()), part(date.month()), part(date.day()))
    };
    params.not_before = day(from);
    params.not_after = day(to);
    params
}

fn subject(organisation: &str, common_name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, organisation);
    // X.520 allows 64 characters; the name that counts is in the alternative names.
    subject.push(DnType::CommonName, common_name.chars().take(64).collect::<String>());
    subject
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("the system has random numbers")
}

fn provider() -> Arc<CryptoProvider> {
    #[cfg(not(windows))]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(windows)]
    let provider = rustls::crypto::ring::default_provider();
    Arc::new(provider)
}
