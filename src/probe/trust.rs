//! The judgement of a recorded chain, by the machine's own verifier, away from the handshake.
//!
//! On Windows the verifier may go to the network for revocation and wait; so it runs on its own thread, under its own
//! deadline.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::chain::Chain;
use super::layer::Seen;
use super::{Failure, FailureCode, SetupError, TrustEvidence};
use crate::host::HostName;

/// The roots of this machine and those given besides. They are read once per run, at the latest when the first chain is
/// judged.
#[derive(Debug)]
pub(super) struct Trust {
    extra_roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    verifier: OnceCell<Result<Arc<Verifier>, String>>,
}

impl Trust {
    /// Checks that the given roots can be used.
    pub(super) fn new(extra_roots: &[Vec<u8>], provider: Arc<CryptoProvider>) -> Result<Self, SetupError> {
        let extra_roots: Vec<_> = extra_roots.iter().map(|der| CertificateDer::from(der.clone())).collect();
        for (index, root) in extra_roots.iter().enumerate() {
            RootCertStore::empty()
                .add(root.clone())
                .map_err(|e| SetupError::ExtraRoot { number: index + 1, reason: e.to_string() })?;
        }
        Ok(Self { extra_roots, provider, verifier: OnceCell::new() })
    }

    /// Reads the roots, if that was not done yet.
    pub(super) async fn prepare(&self) {
        self.verifier.get_or_init(|| self.build()).await;
    }

    /// Whether this machine trusts the chain for the name, now.
    pub(super) async fn judge(&self, chain: Chain, host: &HostName, limit: Duration) -> Seen<(), TrustEvidence> {
        let evidence = TrustEvidence { roots: self.roots() };
        let operation = format!("certificate of {host}");
        match timeout(limit, self.verify(chain, host)).await {
            Ok(Ok(())) => Seen::ok((), evidence),
            Ok(Err((code, what))) => Seen::failed_with(Failure::new(code, &format!("{operation}: {what}")), evidence),
            Err(_) => {
                let detail = format!(
                    "{operation}: the trust check did not end within {limit:?} (a cause may be that revocation lists \
                     cannot be fetched)"
                );
                Seen::failed_with(Failure::new(FailureCode::CertificateTimeout, &detail), evidence)
            }
        }
    }

    async fn verify(&self, chain: Chain, host: &HostName) -> Result<(), (FailureCode, String)> {
        let verifier = match self.verifier.get_or_init(|| self.build()).await {
            Ok(verifier) => Arc::clone(verifier),
            // On Linux this means that the machine has no roots at all, so it trusts nobody.
            Err(reason) => return Err((FailureCode::CertificateUntrusted, reason.clone())),
        };
        let name = ServerName::try_from(host.to_string())
            .map_err(|e| (FailureCode::CertificateInvalid, format!("the name cannot be checked: {e}")))?;
        let judged = tokio::task::spawn_blocking(move || {
            let (end_entity, intermediates) = chain.split_first()?;
            Some(verifier.verify_server_cert(end_entity, intermediates, &name, &[], UnixTime::now()))
        });
        match judged.await {
            Ok(Some(Ok(_))) => Ok(()),
            Ok(Some(Err(error))) => Err((code_of(&error), words_of(&error))),
            Ok(None) => Err((FailureCode::CertificateInvalid, "the server sent no certificate".to_owned())),
            Err(_) => Err((FailureCode::CertificateInvalid, "the verifier broke on this chain".to_owned())),
        }
    }

    async fn build(&self) -> Result<Arc<Verifier>, String> {
        let (extra, provider) = (self.extra_roots.clone(), Arc::clone(&self.provider));
        let built = tokio::task::spawn_blocking(move || {
            if extra.is_empty() { Verifier::new(provider) } else { Verifier::new_with_extra_roots(extra, provider) }
        });
        match built.await {
            Ok(Ok(verifier)) => Ok(Arc::new(verifier)),
            Ok(Err(error)) => Err(format!("the roots of this machine cannot be read: {error}")),
            Err(_) => Err("the roots of this machine cannot be read".to_owned()),
        }
    }

    fn roots(&self) -> String {
        match self.extra_roots.len() {
            0 => "this machine's".to_owned(),
            1 => "this machine's and 1 given".to_owned(),
            more => format!("this machine's and {more} given"),
        }
    }
}

/// What an error of the verifier means.
fn code_of(error: &rustls::Error) -> FailureCode {
    use CertificateError as E;
    let rustls::Error::InvalidCertificate(error) = error else { return FailureCode::CertificateInvalid };
    match error {
        E::UnknownIssuer => FailureCode::CertificateUntrusted,
        E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. } => {
            FailureCode::CertificateExpired
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => FailureCode::CertificateWrongName,
        _ => FailureCode::CertificateInvalid,
    }
}

fn words_of(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "it was issued by nobody whom this machine trusts".to_owned()
        }
        rustls::Error::InvalidCertificate(error) => error.to_string(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

    use super::*;
    use crate::probe::tls::provider;

    const LIMIT: Duration = Duration::from_secs(20);

    fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    fn leaf(ca: &CertifiedIssuer<'static, KeyPair>, years: std::ops::Range<i32>) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["a.contoso.com".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        params.signed_by(&KeyPair::generate().unwrap(), ca).unwrap().der().clone()
    }

    async fn judged(trust: &Trust, leaf: CertificateDer<'static>, host: &str) -> Result<(), FailureCode> {
        let host = HostName::parse(host).unwrap();
        trust.judge(vec![leaf], &host, LIMIT).await.result.map_err(|failure| failure.code)
    }

    #[tokio::test]
    async fn each_fault_has_its_code() {
        let (ca, stranger, imitator) = (authority("Lab"), authority("Stranger"), authority("Lab"));
        let trust = Trust::new(&[ca.der().to_vec()], provider()).unwrap();
        assert_eq!(judged(&trust, leaf(&ca, 2020..4000), "a.contoso.com").await, Ok(()));
        assert_eq!(
            judged(&trust, leaf(&ca, 2020..4000), "b.contoso.com").await,
            Err(FailureCode::CertificateWrongName)
        );
        assert_eq!(judged(&trust, leaf(&ca, 2020..2021), "a.contoso.com").await, Err(FailureCode::CertificateExpired));
        assert_eq!(judged(&trust, leaf(&ca, 3000..3001), "a.contoso.com").await, Err(FailureCode::CertificateExpired));
        assert_eq!(
            judged(&trust, leaf(&stranger, 2020..4000), "a.contoso.com").await,
            Err(FailureCode::CertificateUntrusted)
        );
        // The name of a trusted authority and another key.
        assert_eq!(
            judged(&trust, leaf(&imitator, 2020..4000), "a.contoso.com").await,
            Err(FailureCode::CertificateInvalid)
        );
        let garbage = CertificateDer::from(vec![0x30, 0x82, 0xff, 0xff]);
        assert_eq!(judged(&trust, garbage, "a.contoso.com").await, Err(FailureCode::CertificateInvalid));
    }

    /// The environment of a process cannot be changed in a test, so this test runs itself again in another one.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_machine_without_roots_trusts_those_that_are_given_and_nobody_else() {
        const NOWHERE: &str = "/nonexistent";
        if std::env::var("SSL_CERT_FILE").as_deref() != Ok(NOWHERE) {
            let again = std::process::Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "probe::trust::tests::a_machine_without_roots_trusts_those_that_are_given_and_nobody_else",
                ])
                .envs([("SSL_CERT_FILE", NOWHERE), ("SSL_CERT_DIR", NOWHERE)])
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&again.stdout);
            assert!(again.status.success() && told.contains("1 passed"), "{told}");
            return;
        }
        let ca = authority("Lab");
        let given = Trust::new(&[ca.der().to_vec()], provider()).unwrap();
        assert_eq!(judged(&given, leaf(&ca, 2020..4000), "a.contoso.com").await, Ok(()));
        let bare = Trust::new(&[], provider()).unwrap();
        let host = HostName::parse("a.contoso.com").unwrap();
        let failure = bare.judge(vec![leaf(&ca, 2020..4000)], &host, LIMIT).await.result.unwrap_err();
        assert_eq!(failure.code, FailureCode::CertificateUntrusted);
        assert!(failure.detail.contains("the roots of this machine cannot be read"), "{}", failure.detail);
    }

    #[test]
    fn a_root_that_is_none_is_refused_before_anything_is_sent() {
        let ca = authority("Lab");
        let error = Trust::new(&[ca.der().to_vec(), b"no certificate".to_vec()], provider()).unwrap_err();
        assert!(matches!(error, SetupError::ExtraRoot { number: 2, .. }), "{error}");
    }
}
