//! What a machine without this program saw, in the words of this program.
//!
//! A script there only looks: it brings back octets, addresses, statuses, and what the machine's own TLS says of a chain.
//! Whatever is a judgement (block pages, odd addresses, who issued a chain, what a redirect means) is made here, by the
//! same tables as for our own probe. All of it is hostile text.

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::chain::{self, Chain};
use super::further::{Further, content, gateway, range};
use super::http::{self, Answer};
use super::layer::telling_headers;
use super::public_roots::PublicRoots;
use super::trust::{Trace, told};
use super::{
    Certificate, ConnectEvidence, Failure, FailureCode, HttpEvidence, Issuance, SetupError, TrustEvidence, proxy, tls,
};
use crate::host::HostName;
use crate::plan::Target;
use crate::text::printable;

/// The head of an answer and the beginning of its body, as they came.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// What a machine's own TLS said of a chain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Complaints {
    pub(crate) name_mismatch: bool,
    pub(crate) chain_errors: bool,
    pub(crate) no_certificate: bool,
    /// In the words of .NET (`X509ChainStatusFlags`).
    pub(crate) status: Vec<String>,
}

/// What a proxy answered to CONNECT, and what that means.
pub(crate) fn connect(target: &Target, by: &str, raw: &Raw) -> (ConnectEvidence, Result<(), Failure>) {
    let headers = telling_headers(raw.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
    proxy::judge(&format!("CONNECT {}:{} through {by}", target.host, target.port), raw.status, "", headers)
}

/// What the served certificates say of themselves.
pub(crate) fn certificates(served: &[Vec<u8>]) -> Vec<Certificate> {
    chain::describe(&kept(served))
}

/// What the answers to HEAD and GET mean.
pub(crate) fn http(
    target: &Target,
    by_proxy: bool,
    head: &Raw,
    get: Option<Result<&Raw, Failure>>,
) -> (HttpEvidence, Result<(), Failure>) {
    let describe = |method, raw: &Raw| {
        let all: Vec<_> = raw.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        http::describe(target, method, raw.status, &all)
    };
    let seen = describe("HEAD", head);
    let needs_page = seen.block_page.is_none() && http::needs_page(&seen);
    let seen = match get.filter(|_| needs_page) {
        None if needs_page => {
            let what = format!("GET {target}: not asked, and without it the answer to HEAD says nothing");
            return (seen, Err(Failure::new(FailureCode::Internal, &what)));
        }
        None => seen,
        Some(Err(failure)) => return (seen, Err(failure)),
        Some(Ok(raw)) => {
            let mut answer = describe("GET", raw);
            http::look_at_page(target, &mut answer, &raw.body);
            answer
        }
    };
    let result = http::judge(target, by_proxy, &seen);
    (seen, result)
}

/// What was asked besides the layers.
pub(crate) fn further(target: &Target, what: &str, verb: &str, answer: Result<Raw, Failure>, all: &mut Further) {
    let answer = answer.map(|raw| {
        let named = raw.headers.iter().find(|(name, _)| name == "content-range");
        Answer {
            status: raw.status,
            headers: telling_headers(raw.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))),
            content_range: named.map(|(_, value)| printable(&String::from_utf8_lossy(value), 100)),
            body: raw.body,
        }
    });
    match what {
        "byte_range" => all.byte_range = Some(range::judge(answer, target)),
        "content" => all.content = Some(content::judge(answer, target)),
        "gateway" if gateway::VERBS.contains(&verb) => all.gateway.push(gateway::judge(verb, answer)),
        _ => {}
    }
}

/// Judges chains by what other machines said of them.
pub(crate) struct Elsewhere {
    public: PublicRoots,
}

impl Elsewhere {
    /// `roots` are those that the machines' chains end at, `stated` count as public.
    pub(crate) fn new(roots: &[Vec<u8>], stated: &[Vec<u8>], thumbprints: &[String]) -> Result<Self, SetupError> {
        let read = |roots: &[Vec<u8>]| roots.iter().map(|der| CertificateDer::from(der.clone())).collect::<Vec<_>>();
        let public = PublicRoots::new(&read(stated), &read(roots), thumbprints, tls::provider())?;
        Ok(Self { public })
    }

    /// Who issued the chain, and whether the machine trusts it for the name.
    pub(crate) fn trust(
        &self,
        host: &HostName,
        served: &[Vec<u8>],
        said: &Complaints,
        now: UnixTime,
    ) -> (TrustEvidence, Result<(), Failure>) {
        let chain = kept(served);
        let trace = Trace::of(&chain);
        let issuance = ServerName::try_from(host.to_string())
            .map_or(Issuance::Untold, |name| self.public.issuance_of(&chain, &name, now, trace));
        let result = match complaint(said, chain.is_empty()) {
            None => Ok(()),
            Some(complaint) => {
                let (code, what) = told(complaint, issuance, trace);
                Err(Failure::new(code, &format!("certificate of {host}: {what}")))
            }
        };
        let roots = "this machine's".to_owned();
        (TrustEvidence { roots, issuance: Some(issuance), fetched: Vec::new() }, result)
    }
}

fn kept(served: &[Vec<u8>]) -> Chain {
    let all: Vec<CertificateDer<'_>> = served.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    all.split_first().map(|(leaf, rest)| chain::keep(leaf, rest)).unwrap_or_default()
}

/// The complaint that counts, in the order in which our own verifier looks.
fn complaint(said: &Complaints, nothing: bool) -> Option<(FailureCode, String)> {
    let has = |name: &str| said.status.iter().any(|status| status == name);
    if said.no_certificate || nothing {
        return Some((FailureCode::CertificateInvalid, "the server sent no certificate".to_owned()));
    }
    if said.name_mismatch && !said.chain_errors {
        return Some((FailureCode::CertificateWrongName, "it is for another name".to_owned()));
    }
    // Also where the machine says that all is well and then names a fault.
    if !said.chain_errors && said.status.iter().all(|status| status == "NoError") {
        return None;
    }
    let words = |what: &str| format!("{what} (this machine says: {})", said.status.join(", "));
    Some(if has("NotTimeValid") {
        (FailureCode::CertificateExpired, words("it is expired or not yet valid"))
    } else if has("UntrustedRoot") || has("PartialChain") {
        (FailureCode::CertificateUntrusted, words("it was issued by nobody whom this machine trusts"))
    } else {
        (FailureCode::CertificateInvalid, words("its chain is faulty"))
    })
}
