//! The judgement of a recorded chain, away from the handshake: by the machine's own verifier, and separately against
//! the public roots, so that TLS inspection shows even where this machine trusts it.
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

use super::chain::{self, Chain};
use super::layer::Seen;
use super::public_roots::{self, PublicRoots};
use super::{Checks, Failure, FailureCode, Issuance, SetupError, TrustEvidence};
use crate::host::HostName;

/// The roots of this machine and those given besides. They are read once per run, at the latest when the first chain is
/// judged.
#[derive(Debug)]
pub(super) struct Trust {
    /// Given as this machine's or as public ones.
    extra_roots: Vec<CertificateDer<'static>>,
    /// Given as public ones.
    stated_public: Vec<CertificateDer<'static>>,
    public_thumbprints: Vec<String>,
    provider: Arc<CryptoProvider>,
    judges: OnceCell<Result<Arc<Judges>, String>>,
}

/// Those who judge a chain: this machine, and the public programmes.
#[derive(Debug)]
struct Judges {
    /// The error says why this machine trusts nobody.
    machine: Result<Verifier, String>,
    public: PublicRoots,
}

impl Trust {
    /// Checks that the given roots can be used.
    pub(super) fn new(
        extra_roots: &[Vec<u8>],
        checks: &Checks,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, SetupError> {
        let read = |roots: &[Vec<u8>]| roots.iter().map(|der| CertificateDer::from(der.clone())).collect::<Vec<_>>();
        let stated_public = read(&checks.public_roots);
        let extra_roots = [read(extra_roots), stated_public.clone()].concat();
        for (index, root) in extra_roots.iter().enumerate() {
            RootCertStore::empty()
                .add(root.clone())
                .map_err(|e| SetupError::ExtraRoot { number: index + 1, reason: e.to_string() })?;
        }
        let public_thumbprints = checks.public_thumbprints.clone();
        Ok(Self { extra_roots, stated_public, public_thumbprints, provider, judges: OnceCell::new() })
    }

    /// Reads the roots, if that was not done yet.
    pub(super) async fn prepare(&self) {
        self.judges.get_or_init(|| self.build()).await;
    }

    /// Whether this machine trusts the chain for the name, now, and who issued it.
    pub(super) async fn judge(&self, chain: Chain, host: &HostName, limit: Duration) -> Seen<(), TrustEvidence> {
        let operation = format!("certificate of {host}");
        let evidence = |issuance| TrustEvidence { roots: self.roots(), issuance };
        match timeout(limit, self.verify(chain, host)).await {
            Ok((issuance, Ok(()))) => Seen::ok((), evidence(Some(issuance))),
            Ok((issuance, Err((code, what)))) => {
                Seen::failed_with(Failure::new(code, &format!("{operation}: {what}")), evidence(Some(issuance)))
            }
            Err(_) => {
                let detail = format!(
                    "{operation}: the trust check did not end within {limit:?} (a cause may be that revocation lists \
                     cannot be fetched)"
                );
                Seen::failed_with(Failure::new(FailureCode::CertificateTimeout, &detail), evidence(None))
            }
        }
    }

    async fn verify(&self, chain: Chain, host: &HostName) -> (Issuance, Result<(), (FailureCode, String)>) {
        let invalid = |what: String| (Issuance::Untold, Err((FailureCode::CertificateInvalid, what)));
        let judges = match self.judges.get_or_init(|| self.build()).await {
            Ok(judges) => Arc::clone(judges),
            Err(reason) => return invalid(reason.clone()),
        };
        let name = match ServerName::try_from(host.to_string()) {
            Ok(name) => name,
            Err(error) => return invalid(format!("the name cannot be checked: {error}")),
        };
        let judged = tokio::task::spawn_blocking(move || judges.judge(&chain, &name));
        judged.await.unwrap_or_else(|_| invalid("the verifier broke on this chain".to_owned()))
    }

    async fn build(&self) -> Result<Arc<Judges>, String> {
        let (extra, provider) = (self.extra_roots.clone(), Arc::clone(&self.provider));
        let (stated, thumbprints) = (self.stated_public.clone(), self.public_thumbprints.clone());
        let built = tokio::task::spawn_blocking(move || {
            let of_machine = [public_roots::of_machine(), extra.clone()].concat();
            let public = PublicRoots::new(&stated, &of_machine, &thumbprints, Arc::clone(&provider));
            let machine = if extra.is_empty() {
                Verifier::new(provider)
            } else {
                Verifier::new_with_extra_roots(extra, provider)
            };
            // On Linux this means that the machine has no roots at all, so it trusts nobody.
            let machine = machine.map_err(|error| format!("the roots of this machine cannot be read: {error}"));
            public.map(|public| Arc::new(Judges { machine, public })).map_err(|error| error.to_string())
        });
        built.await.unwrap_or_else(|_| Err("the roots of this machine cannot be read".to_owned()))
    }

    fn roots(&self) -> String {
        match self.extra_roots.len() {
            0 => "this machine's".to_owned(),
            1 => "this machine's and 1 given".to_owned(),
            more => format!("this machine's and {more} given"),
        }
    }
}

impl Judges {
    fn judge(&self, chain: &Chain, name: &ServerName<'_>) -> (Issuance, Result<(), (FailureCode, String)>) {
        let now = UnixTime::now();
        let Some((leaf, intermediates)) = chain.split_first() else {
            let what = "the server sent no certificate".to_owned();
            return (Issuance::Untold, Err((FailureCode::CertificateInvalid, what)));
        };
        let trace = Trace::of(chain);
        let issuance = self.public.issuance_of(chain, name, now, trace);
        let result = match &self.machine {
            Err(reason) => Err((FailureCode::CertificateUntrusted, reason.clone())),
            Ok(machine) => match machine.verify_server_cert(leaf, intermediates, name, &[], now) {
                Ok(_) => Ok(()),
                Err(error) => Err(told((code_of(&error), words_of(&error)), issuance, trace)),
            },
        };
        (issuance, result)
    }
}

/// What a chain itself shows of where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// One certificate that is its own issuer.
    SelfSigned,
    /// One certificate of somebody else, who says where the issuer's certificate is: the server should have sent it.
    Incomplete,
    /// Nothing out of order.
    Whole,
}

impl Trace {
    pub(super) fn of(chain: &Chain) -> Self {
        let [only] = chain.as_slice() else { return Self::Whole };
        let only = chain::describe_one(only, None);
        if only.not_before.is_some() && only.subject == only.issuer {
            Self::SelfSigned
        } else if only.issuer_urls.is_empty() {
            Self::Whole
        } else {
            Self::Incomplete
        }
    }
}

/// What a verifier's complaint means for this chain.
pub(super) fn told((code, words): (FailureCode, String), issuance: Issuance, trace: Trace) -> (FailureCode, String) {
    if trace == Trace::SelfSigned && code != FailureCode::CertificateWrongName {
        return (FailureCode::CertificateSelfSigned, "it is signed by itself".to_owned());
    }
    match (code, issuance, trace) {
        (FailureCode::CertificateUntrusted, Issuance::Public, _) => {
            let what = "it leads to a root of the public programmes that this machine does not trust";
            (FailureCode::CertificateRootMissing, what.to_owned())
        }
        (FailureCode::CertificateUntrusted, _, Trace::Incomplete) => {
            let what = "the server sent its own certificate only, without that of its issuer";
            (FailureCode::CertificateIncomplete, what.to_owned())
        }
        (code, ..) => (code, words),
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
        let trust = Trust::new(&[ca.der().to_vec()], &Checks::default(), provider()).unwrap();
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
        let given = Trust::new(&[ca.der().to_vec()], &Checks::default(), provider()).unwrap();
        assert_eq!(judged(&given, leaf(&ca, 2020..4000), "a.contoso.com").await, Ok(()));
        let bare = Trust::new(&[], &Checks::default(), provider()).unwrap();
        let host = HostName::parse("a.contoso.com").unwrap();
        let failure = bare.judge(vec![leaf(&ca, 2020..4000)], &host, LIMIT).await.result.unwrap_err();
        assert_eq!(failure.code, FailureCode::CertificateUntrusted);
        assert!(failure.detail.contains("the roots of this machine cannot be read"), "{}", failure.detail);
    }

    #[test]
    fn a_root_that_is_none_is_refused_before_anything_is_sent() {
        let ca = authority("Lab");
        let error =
            Trust::new(&[ca.der().to_vec(), b"no certificate".to_vec()], &Checks::default(), provider()).unwrap_err();
        assert!(matches!(error, SetupError::ExtraRoot { number: 2, .. }), "{error}");
    }
}
