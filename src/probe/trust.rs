//! The judgement of a recorded chain, away from the handshake: by the machine's own verifier, and separately against
//! the public roots, so that TLS inspection shows even where this machine trusts it.
//!
//! On Windows the verifier may go to the network for revocation and wait; so it runs on its own thread, under its own
//! deadline. Windows also fetches issuers' certificates that a server left out; where the machine's verifier does not,
//! that is done here, so that a chain is judged as a Windows client would.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::chain::{self, Chain};
use super::issuers::{Issuer, Issuers};
use super::layer::Seen;
use super::machine_roots;
use super::public_roots::PublicRoots;
use super::{Failure, FailureCode, FetchedIssuer, Issuance, Settings, SetupError, TrustEvidence};
use crate::derive::Via;
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
    issuers: Issuers,
    /// Whether random numbers were drawn.
    random: OnceCell<()>,
}

/// Those who judge a chain: this machine, and the public programmes.
#[derive(Debug)]
struct Judges {
    /// The error says why this machine trusts nobody.
    machine: Result<Arc<dyn ServerCertVerifier>, String>,
    public: PublicRoots,
}

impl Trust {
    /// Checks that the given roots can be used.
    pub(super) fn new(settings: &Settings, provider: Arc<CryptoProvider>) -> Result<Self, SetupError> {
        let read = |roots: &[Vec<u8>]| roots.iter().map(|der| CertificateDer::from(der.clone())).collect::<Vec<_>>();
        let trusted = read(&settings.checks.public_roots);
        let stated_public = [trusted.clone(), read(&settings.checks.public_elsewhere)].concat();
        let extra_roots = [read(&settings.extra_roots), trusted].concat();
        for (index, root) in extra_roots.iter().enumerate() {
            RootCertStore::empty()
                .add(root.clone())
                .map_err(|e| SetupError::ExtraRoot { number: index + 1, reason: e.to_string() })?;
        }
        let public_thumbprints = settings.checks.public_thumbprints.clone();
        let (judges, issuers, random) = (OnceCell::new(), Issuers::new(settings), OnceCell::new());
        Ok(Self { extra_roots, stated_public, public_thumbprints, provider, judges, issuers, random })
    }

    /// Does what would else hold up the first handshakes, and all that wait behind them for a processor: reads the roots,
    /// and draws the first random numbers. These take AWS-LC some 50 to 150 ms once in a process, since it measures the
    /// jitter of the machine. There is time while all wait for names; who comes earlier waits here, outside of a stage.
    pub(super) async fn prepare(&self) {
        let draw = || async {
            let provider = Arc::clone(&self.provider);
            let random = move || provider.secure_random.fill(&mut [0; 32]).is_ok();
            // A machine without random numbers says so in the handshake.
            let _ = tokio::task::spawn_blocking(random).await;
        };
        self.random.get_or_init(draw).await;
        self.judges.get_or_init(|| self.build()).await;
    }

    /// Whether this machine trusts the chain for the name, now, and who issued it. What the server left out is fetched by
    /// way of `via`.
    pub(super) async fn judge(
        &self,
        chain: Chain,
        host: &HostName,
        via: &Via,
        limit: Duration,
    ) -> Seen<(), TrustEvidence> {
        let operation = format!("certificate of {host}");
        let evidence = |issuance, fetched| TrustEvidence { roots: self.roots(), issuance, fetched };
        match timeout(limit, self.verify(chain, host, via, limit)).await {
            Ok((Told { issuance, result: Ok(()) }, fetched)) => Seen::ok((), evidence(Some(issuance), fetched)),
            Ok((Told { issuance, result: Err((code, what)) }, fetched)) => {
                let failure = Failure::new(code, &format!("{operation}: {what}"));
                Seen::failed_with(failure, evidence(Some(issuance), fetched))
            }
            Err(_) => {
                let detail = format!(
                    "{operation}: the trust check did not end within {limit:?} (a cause may be that revocation lists \
                     cannot be fetched)"
                );
                let failure = Failure::new(FailureCode::CertificateTimeout, &detail);
                Seen::failed_with(failure, evidence(None, Vec::new()))
            }
        }
    }

    /// The judgement of the chain as it was served; and where only issuers are missing, of the chain with them.
    async fn verify(
        &self,
        mut chain: Chain,
        host: &HostName,
        via: &Via,
        limit: Duration,
    ) -> (Told, Vec<FetchedIssuer>) {
        let invalid = |what: String| Told::failed(Issuance::Untold, FailureCode::CertificateInvalid, what);
        let judges = match self.judges.get_or_init(|| self.build()).await {
            Ok(judges) => Arc::clone(judges),
            Err(reason) => return (invalid(reason.clone()), Vec::new()),
        };
        let name = match ServerName::try_from(host.to_string()) {
            Ok(name) => name,
            Err(error) => return (invalid(format!("the name cannot be checked: {error}")), Vec::new()),
        };
        let mut fetched = Vec::new();
        loop {
            let (judges, name, judged) = (Arc::clone(&judges), name.clone(), chain.clone());
            let told = tokio::task::spawn_blocking(move || judges.judge(&judged, &name)).await;
            let mut told = told.unwrap_or_else(|_| invalid("the verifier broke on this chain".to_owned()));
            let Some(issuer) = told.missing(&chain).filter(|_| fetched.len() < MAX_FETCHED) else {
                told.say_what_was_fetched(&fetched);
                return (told, fetched);
            };
            // Boxed: few probes need it, and all would carry it.
            match Box::pin(self.issuers.fetch(&issuer, via, limit / FETCHES)).await {
                Ok((issuers, url)) => {
                    let told = |der| FetchedIssuer { url: url.clone(), certificate: chain::describe_one(der, None) };
                    fetched.extend(issuers.iter().map(|der| told(der)));
                    chain.extend(issuers);
                }
                Err(why) => {
                    told.say_what_was_fetched(&fetched);
                    told.add(&format!("the issuer's certificate cannot be had ({why})"));
                    return (told, fetched);
                }
            }
        }
    }

    async fn build(&self) -> Result<Arc<Judges>, String> {
        let (extra, provider) = (self.extra_roots.clone(), Arc::clone(&self.provider));
        let (stated, thumbprints) = (self.stated_public.clone(), self.public_thumbprints.clone());
        let built = tokio::task::spawn_blocking(move || {
            let roots = machine_roots::read();
            let known = [roots.as_slice(), &extra].concat();
            let public = PublicRoots::new(&stated, &known, &thumbprints, Arc::clone(&provider));
            let machine = machine_roots::verifier(&roots, extra, provider);
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
    fn judge(&self, chain: &Chain, name: &ServerName<'_>) -> Told {
        let now = UnixTime::now();
        let Some((leaf, intermediates)) = chain.split_first() else {
            let what = "the server sent no certificate".to_owned();
            return Told::failed(Issuance::Untold, FailureCode::CertificateInvalid, what);
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
        Told { issuance, result }
    }
}

/// A judgement.
struct Told {
    issuance: Issuance,
    result: Result<(), (FailureCode, String)>,
}

impl Told {
    fn failed(issuance: Issuance, code: FailureCode, what: String) -> Self {
        Self { issuance, result: Err((code, what)) }
    }

    /// The issuer whose certificate may be all that is missing: to trust the chain, where this machine does not look for it
    /// itself, or to tell who issued one that the machine trusts by itself.
    fn missing(&self, chain: &Chain) -> Option<Issuer> {
        use FailureCode as C;
        let unknown = matches!(self.result, Err((C::CertificateUntrusted | C::CertificateIncomplete, _)));
        let untold = self.result.is_ok() && self.issuance == Issuance::Untold && chain.len() == 1;
        let wanted = (unknown && !machine_roots::FETCHES_ISSUERS) || untold;
        chain.last().filter(|_| wanted).and_then(|last| Issuer::of(last))
    }

    fn say_what_was_fetched(&mut self, fetched: &[FetchedIssuer]) {
        if let Some(last) = fetched.last() {
            self.add(&format!("also with the certificate of \"{}\" from {}", last.certificate.subject, last.url));
        }
    }

    /// Adds to why it failed, if it did.
    fn add(&mut self, more: &str) {
        if let Err((_, what)) = &mut self.result {
            *what = format!("{what}; {more}");
        }
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

/// More issuers than these no real chain leaves out.
const MAX_FETCHED: usize = 3;
/// The part of the deadline that a place may take: all of them leave time for an answer that says which one is silent.
const FETCHES: u32 = 8;

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

    use super::*;
    use crate::probe::tls::provider;
    use crate::probe::{Bounds, Checks, Deadlines, ProxyAccounts};

    const LIMIT: Duration = Duration::from_secs(20);

    fn settings(roots: &[&[u8]]) -> Settings {
        Settings {
            dns_server: None,
            connect_to: Vec::new(),
            proxy_accounts: ProxyAccounts::new(),
            extra_roots: roots.iter().map(|root| root.to_vec()).collect(),
            deadlines: Deadlines::all(LIMIT),
            bounds: Bounds::default(),
            checks: Checks::default(),
        }
    }

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
        trust.judge(vec![leaf], &host, &Via::Direct, LIMIT).await.result.map_err(|failure| failure.code)
    }

    #[tokio::test]
    async fn each_fault_has_its_code() {
        let (ca, stranger, imitator) = (authority("Lab"), authority("Stranger"), authority("Lab"));
        let trust = Trust::new(&settings(&[ca.der()]), provider()).unwrap();
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
        let given = Trust::new(&settings(&[ca.der()]), provider()).unwrap();
        assert_eq!(judged(&given, leaf(&ca, 2020..4000), "a.contoso.com").await, Ok(()));
        let bare = Trust::new(&settings(&[]), provider()).unwrap();
        let host = HostName::parse("a.contoso.com").unwrap();
        let failure = bare.judge(vec![leaf(&ca, 2020..4000)], &host, &Via::Direct, LIMIT).await.result.unwrap_err();
        assert_eq!(failure.code, FailureCode::CertificateUntrusted);
        assert!(failure.detail.contains("the roots of this machine cannot be read"), "{}", failure.detail);
    }

    #[tokio::test]
    async fn a_check_that_does_not_end_is_one_failure() {
        let trust = Trust::new(&settings(&[]), provider()).unwrap();
        let host = HostName::parse("a.contoso.com").unwrap();
        let chain = vec![leaf(&authority("Lab"), 2020..4000)];
        let seen = tokio::select! {
            biased;
            _ = trust.judges.get_or_init(std::future::pending) => unreachable!("it waits for ever"),
            seen = trust.judge(chain, &host, &Via::Direct, Duration::from_millis(50)) => seen,
        };
        let failure = seen.result.unwrap_err();
        assert_eq!(failure.code, FailureCode::CertificateTimeout);
        assert!(failure.detail.contains("did not end within 50ms"), "{}", failure.detail);
    }

    #[test]
    fn a_root_that_is_none_is_refused_before_anything_is_sent() {
        let ca = authority("Lab");
        let error = Trust::new(&settings(&[ca.der(), b"no certificate"]), provider()).unwrap_err();
        assert!(matches!(error, SetupError::ExtraRoot { number: 2, .. }), "{error}");
    }
}
