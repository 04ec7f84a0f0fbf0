//! A certificate authority of the tests' own.

use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};

/// A root that the probe is told to trust.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// With a new key.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("rcgen makes it")).expect("rcgen makes it"),
        )
    }

    /// In DER.
    pub fn root(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    /// In PEM.
    pub fn root_pem(&self) -> String {
        self.0.pem()
    }

    /// The chain (of one) of a server with these names, and its key.
    pub fn chain(&self, names: &[&str]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let names = names.iter().map(|name| SanType::DnsName(Ia5String::try_from(*name).expect("rcgen makes it")));
        self.chain_of(names.collect(), "Contoso")
    }

    /// The same with alternative names of any kind, and a subject.
    pub fn chain_of(&self, names: Vec<SanType>, subject: &str) -> (Vec<Vec<u8>>, Vec<u8>) {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.distinguished_name.push(DnType::CommonName, subject);
        let key = KeyPair::generate().expect("rcgen makes it");
        let leaf = params.signed_by(&key, &self.0).expect("rcgen makes it").der().to_vec();
        (vec![leaf], key.serialize_der())
    }

    /// Chain and key of a server with these names, as a server of others reads them.
    pub fn pem(&self, names: &[&str]) -> String {
        let mut params =
            CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).expect("rcgen makes it");
        params.distinguished_name.push(DnType::CommonName, "Contoso");
        let key = KeyPair::generate().expect("rcgen makes it");
        let leaf = params.signed_by(&key, &self.0).expect("rcgen makes it");
        format!("{}{}", leaf.pem(), key.serialize_pem())
    }
}
