//! Two certificate authorities, the lab's own and a foreign one, and the TLS settings of every pretend server.

use std::collections::HashMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{ToSpan, Zoned};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, CrlDistributionPoint,
    CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    SerialNumber,
};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::spec::List;

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
    /// Of the lab CA, without the certificate of the issuer, which it names.
    LeafOnly,
    /// Of the lab CA, with a responder and the place of the issuer's certificate.
    Responder,
    /// Of the lab CA, with a thousand certificates behind it.
    HugeChain,
}

impl Certificates {
    /// New authorities, with new keys.
    pub(super) fn new() -> Self {
        Self {
            lab: Authority::new("Contoso Lab", "crl.contoso.example"),
            foreign: Authority::new("Contoso Web Filter", "filter-crl.contoso.example"),
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

    /// The octets of a revocation list of the lab: its root's or its issuing CA's.
    pub(super) fn list(&self, list: List, of_root: bool) -> Vec<u8> {
        let issuer = if of_root { &self.lab.root } else { &self.lab.intermediate };
        match list {
            List::Current => revocation_list(issuer, -1, 6),
            List::Expired => revocation_list(issuer, -30, -2),
            List::Garbage => b"\x30\x82\x01\x00 no list \x1b[2J\xff\x00".to_vec(),
            List::TooLarge | List::Endless => vec![0x30; 17 << 20],
        }
    }

    /// The issuing CA's certificate and its key, in PEM.
    pub(super) fn issuing_pem(&self) -> (String, String) {
        (self.lab.intermediate.pem(), self.lab.intermediate.key().serialize_pem())
    }

    /// The issuing CA's certificate, in DER.
    pub(super) fn issuing_der(&self) -> Vec<u8> {
        self.lab.intermediate.der().to_vec()
    }

    /// The certificates of the root and the issuing CA in a bundle (PKCS #7, DER), made by `openssl`.
    pub(super) fn bundle(&self) -> Vec<u8> {
        let mut openssl = Command::new("openssl");
        openssl.args(["crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin", "-outform", "DER"]);
        let mut openssl = openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("openssl is here");
        let pem = self.lab.root.pem() + &self.lab.intermediate.pem();
        openssl.stdin.take().expect("a pipe").write_all(pem.as_bytes()).expect("openssl reads");
        openssl.wait_with_output().expect("openssl ends").stdout
    }

    /// The TLS settings of a server that takes these cipher suites only.
    pub(super) fn config_with(&self, suites: &[String], name: &str) -> Arc<ServerConfig> {
        let mut provider = CryptoProvider::clone(&provider());
        provider.cipher_suites.retain(|suite| {
            let known = suite.suite().as_str().unwrap_or_default().replace("TLS13_", "TLS_");
            suites.contains(&known)
        });
        Arc::new(self.settings(Kind::Good, name, provider.into()))
    }

    /// The TLS settings of the server with this name.
    pub(super) fn config(&self, kind: Kind, name: &str) -> Arc<ServerConfig> {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        configs.entry((kind, name.to_owned())).or_insert_with(|| self.new_config(kind, name)).clone()
    }

    fn new_config(&self, kind: Kind, name: &str) -> Arc<ServerConfig> {
        Arc::new(self.settings(kind, name, provider()))
    }

    fn settings(&self, kind: Kind, name: &str, provider: Arc<CryptoProvider>) -> ServerConfig {
        let chain = match kind {
            Kind::Good => self.lab.chain(leaf(name, -30, 90), &self.key),
            Kind::Foreign => self.foreign.chain(leaf(name, -30, 90), &self.key),
            Kind::Expired => self.lab.chain(leaf(name, -400, -30), &self.key),
            Kind::WrongName => self.lab.chain(leaf("default.hosting.example", -30, 90), &self.key),
            Kind::LeafOnly => self.lab.chain(with_access(leaf(name, -30, 90)), &self.key)[..1].to_vec(),
            Kind::Responder => self.lab.chain(with_access(leaf(name, -30, 90)), &self.key),
            Kind::HugeChain => {
                let chain = self.lab.chain(leaf(name, -30, 90), &self.key);
                chain.iter().chain(std::iter::repeat_n(&chain[1], 999)).cloned().collect()
            }
            Kind::SelfSigned => {
                vec![leaf(name, -30, 90).self_signed(&self.key).expect("a P-256 key signs").der().clone()]
            }
        };
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).expect("rcgen writes PKCS #8");
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has suites of TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("the certificate is for this key");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config
    }
}

/// A root with one intermediate, which signs the servers' certificates.
struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
    /// Where the revocation list of the intermediate is.
    list: String,
}

impl Authority {
    /// `lists` serves the revocation list of the intermediate, and `root-` before it that of the root.
    fn new(organisation: &str, lists: &str) -> Self {
        let authority = |role: &str| {
            let mut params = validity(CertificateParams::default(), -400, 3650);
            params.distinguished_name = subject(organisation, &format!("{organisation} {role} CA"));
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params
        };
        let root = CertifiedIssuer::self_signed(authority("Root"), new_key()).expect("a P-256 key signs");
        let issuing = revoked_at(authority("Issuing"), &format!("http://root-{lists}/root.crl"));
        let intermediate = CertifiedIssuer::signed_by(issuing, new_key(), &root).expect("a P-256 key signs");
        Self { root, intermediate, list: format!("http://{lists}/issuing.crl") }
    }

    /// The server's certificate and the intermediate, as a well-kept server sends them.
    fn chain(&self, leaf: CertificateParams, key: &KeyPair) -> Vec<CertificateDer<'static>> {
        let leaf = revoked_at(leaf, &self.list).signed_by(key, &self.intermediate).expect("a P-256 key signs");
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

/// Names an OCSP responder and the place of the issuer's certificate.
fn with_access(mut params: CertificateParams) -> CertificateParams {
    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).expect("short")], content].concat()
    }
    let place = |method: u8, url: &str| {
        tlv(0x30, &[tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 48, method]), tlv(0x86, url.as_bytes())].concat())
    };
    let both = [place(1, "http://ocsp.contoso.example/"), place(2, "http://aia.contoso.example/issuing.crt")].concat();
    let access = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], tlv(0x30, &both));
    params.custom_extensions.push(access);
    params
}

/// Names the revocation list.
fn revoked_at(mut params: CertificateParams, list: &str) -> CertificateParams {
    params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![list.to_owned()] }];
    params
}

/// An empty list, from so many days to so many days from now.
fn revocation_list(issuer: &CertifiedIssuer<'static, KeyPair>, from: i64, to: i64) -> Vec<u8> {
    let params = CertificateRevocationListParams {
        this_update: day(from, rcgen::date_time_ymd),
        next_update: day(to, rcgen::date_time_ymd),
        crl_number: SerialNumber::from(7),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).expect("a P-256 key signs").der().to_vec()
}

fn validity(mut params: CertificateParams, from: i64, to: i64) -> CertificateParams {
    params.not_before = day(from, rcgen::date_time_ymd);
    params.not_after = day(to, rcgen::date_time_ymd);
    params
}

/// Midnight, so many days from now. `midnight` is rcgen's function for it, whose type is not rcgen's own.
fn day<T>(days: i64, midnight: fn(i32, u8, u8) -> T) -> T {
    let date = Zoned::now().date() + days.days();
    let part = |number: i8| u8::try_from(number).expect("months and days are positive");
    midnight(i32::from(date.year()), part(date.month()), part(date.day()))
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

pub(super) fn provider() -> Arc<CryptoProvider> {
    #[cfg(not(windows))]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(windows)]
    let provider = rustls::crypto::ring::default_provider();
    Arc::new(provider)
}
