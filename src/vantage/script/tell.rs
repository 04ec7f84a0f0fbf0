//! From what the script saw to observations, by the tables of the probe.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;

use super::AnswerError;
use super::seen::{Octets, Seen, SeenAnswer, SeenFailure, SeenProbe, SeenStage};
use crate::derive::Via;
use crate::host::Scheme;
use crate::plan::ProbeId;
use crate::probe::elsewhere::{self, Complaints, Elsewhere, Raw};
use crate::probe::{
    Checks, Failure, FailureCode, HttpEvidence, NameEvidence, Observation, Outcome, Redirect, Stage, TcpAttempt,
    TcpEvidence, TlsEvidence, TrustEvidence, Try, judge_again,
};
use crate::text::printable;

/// The observations of a document, each of them once. Hops get the names that our own probe would give them.
pub(super) fn observations(seen: &Seen, checks: &Checks) -> Result<Vec<Observation>, AnswerError> {
    let roots: Vec<Vec<u8>> = seen
        .observations
        .iter()
        .filter_map(|one| one.trust.evidence.as_ref()?.root.as_ref().map(|Octets(root)| root.clone()))
        .take(MAX_ROOTS)
        .collect();
    let judges = Elsewhere::new(&roots, &checks.public_roots, &checks.public_thumbprints)
        .map_err(|error| AnswerError::Contradicts { what: error.to_string() })?;
    // The script's own names of hops, and ours.
    let mut names: HashMap<&str, ProbeId> = HashMap::new();
    let mut all: Vec<Observation> = Vec::new();
    let mut places: HashMap<ProbeId, usize> = HashMap::new();
    for one in &seen.observations {
        let contradicts =
            |what: &str| AnswerError::Contradicts { what: format!("{}: {what}", printable(&one.probe, 200)) };
        let told = Told { seen: one, judges: &judges, now: moment(one.started) };
        let mut observation = told.observation().map_err(contradicts)?;
        if let Some(parent) = &one.hop_of {
            let parent = names.get(parent.as_str()).ok_or_else(|| contradicts("a hop that nothing leads to"))?;
            let http = places.get(parent).and_then(|place| all[*place].http.evidence.as_ref());
            let leads = http.and_then(|http| http.redirect.as_ref()) == Some(&Redirect::To(one.target.clone()));
            observation.probe = ProbeId::of(&one.target, &one.via);
            observation.redirected_from = Some(parent.clone());
            // Where the answer does not lead by our reading, or somebody was there already, it is nobody's hop.
            if !leads || places.contains_key(&observation.probe) {
                names.insert(&one.probe, observation.probe);
                continue;
            }
        }
        if names.insert(&one.probe, observation.probe.clone()).is_some() {
            return Err(contradicts("it stands there twice"));
        }
        places.insert(observation.probe.clone(), all.len());
        all.push(observation);
    }
    Ok(all)
}

/// One probe as the script saw it.
struct Told<'a> {
    seen: &'a SeenProbe,
    judges: &'a Elsewhere,
    now: UnixTime,
}

impl Told<'_> {
    /// Stage after stage until one did not succeed. The error says what cannot be.
    fn observation(&self) -> Result<Observation, &'static str> {
        let SeenProbe { target, via, .. } = self.seen;
        let mut to = Observation::not_tried(ProbeId(self.seen.probe.clone()), self.seen.started);
        if self.seen.name.outcome == Outcome::NotTried {
            return Ok(to);
        }
        let proxied = match via {
            Via::Proxy { .. } => true,
            Via::Direct => false,
            Via::Unknown => return Err("its route is unknown"),
        };
        let secure = target.scheme == Scheme::Https;
        if !(proxied && secure) {
            to.connect = Stage::not_needed();
        }
        if !secure {
            (to.tls, to.trust) = (Stage::not_needed(), Stage::not_needed());
        }
        to.earlier = self.earlier();
        self.walk(proxied, secure, &mut to)?;
        self.questions(&mut to);
        Ok(to)
    }

    fn walk(&self, proxied: bool, secure: bool, to: &mut Observation) -> Result<(), &'static str> {
        let SeenProbe { target, via, .. } = self.seen;
        to.name = self.name(matches!(via, Via::Proxy { host: crate::host::HostOrAddress::Address(_), .. }))?;
        if !matches!(to.name.outcome, Outcome::Ok | Outcome::NotNeeded) {
            return Ok(());
        }
        // A hop that was refused has no further stage.
        if self.seen.tcp.outcome == Outcome::NotTried && self.seen.http.outcome == Outcome::Failed {
            to.http = self.seen.http.told(None);
            return Ok(());
        }
        to.tcp = self.tcp()?;
        if to.tcp.outcome != Outcome::Ok {
            return Ok(());
        }
        if proxied && secure {
            let by = via.to_string();
            to.connect = self.seen.connect.judged(|raw| elsewhere::connect(target, &by, &raw.raw()))?;
            if to.connect.outcome != Outcome::Ok {
                return Ok(());
            }
        }
        if secure {
            to.tls = self.tls()?;
            if to.tls.outcome != Outcome::Ok {
                return Ok(());
            }
            to.trust = self.trust()?;
            if to.trust.outcome != Outcome::Ok {
                return Ok(());
            }
        }
        to.http = self.http(proxied && !secure)?;
        Ok(())
    }

    fn name(&self, given: bool) -> Result<Stage<NameEvidence>, &'static str> {
        let stage = &self.seen.name;
        let evidence = stage.evidence.as_ref().map(|name| NameEvidence {
            asked: printable(&name.asked, MAX_NAME),
            resolver: printable(&name.resolver, MAX_NAME),
            connect_to: None,
            response_code: None,
            canonical_names: Vec::new(),
            addresses: name.addresses.iter().copied().take(MAX_ADDRESSES).collect(),
            answers: Vec::new(),
            oddities: Vec::new(),
        });
        let addresses = evidence.as_ref().map_or(0, |name| name.addresses.len());
        let expected = if given { Outcome::NotNeeded } else { Outcome::Ok };
        match stage.outcome {
            outcome if outcome == expected && addresses > 0 => {}
            Outcome::Ok | Outcome::NotNeeded => return Err("a name without an address"),
            _ => {}
        }
        let told = stage.told(evidence);
        Ok(if matches!(self.seen.via, Via::Direct) { judge_again(&self.seen.target.host, told) } else { told })
    }

    fn tcp(&self) -> Result<Stage<TcpEvidence>, &'static str> {
        let stage = &self.seen.tcp;
        let evidence = stage.evidence.as_ref().map(|tcp| {
            let attempts = tcp.attempts.iter().take(MAX_ADDRESSES).map(|attempt| TcpAttempt {
                address: attempt.address,
                took_us: attempt.took_us,
                failure: attempt.failure.as_ref().map(SeenFailure::told),
            });
            TcpEvidence { attempts: attempts.collect(), untried: tcp.untried, used: None }
        });
        let attempts = evidence.as_ref().map_or(&[][..], |tcp| &tcp.attempts);
        let opened = attempts
            .iter()
            .any(|attempt| attempt.failure.as_ref().is_none_or(|failure| failure.code == FailureCode::TcpReset));
        match stage.outcome {
            Outcome::Ok if !opened => Err("a connection that no address opened"),
            Outcome::NotNeeded => Err("no connection was needed"),
            _ => Ok(stage.told(evidence)),
        }
    }

    fn tls(&self) -> Result<Stage<TlsEvidence>, &'static str> {
        let stage = &self.seen.tls;
        let evidence = stage.evidence.as_ref().map(|tls| TlsEvidence {
            version: tls.version.as_ref().map(|text| printable(text, MAX_WORD)),
            suite: tls.suite.as_ref().map(|text| printable(text, MAX_WORD)),
            alpn: None,
            chain: elsewhere::certificates(&self.served()),
        });
        match stage.outcome {
            Outcome::Ok if evidence.is_none() => Err("a handshake without evidence"),
            Outcome::NotNeeded => Err("no TLS was needed"),
            _ => Ok(stage.told(evidence)),
        }
    }

    fn served(&self) -> Vec<Vec<u8>> {
        let served = self.seen.tls.evidence.as_ref().map_or(&[][..], |tls| &tls.served);
        served.iter().map(|Octets(der)| der.clone()).collect()
    }

    fn trust(&self) -> Result<Stage<TrustEvidence>, &'static str> {
        self.seen.trust.judged(|said| {
            let said = Complaints {
                name_mismatch: said.name_mismatch,
                chain_errors: said.chain_errors,
                no_certificate: said.no_certificate,
                status: said.status.iter().take(MAX_STATUS).map(|text| printable(text, MAX_WORD)).collect(),
            };
            self.judges.trust(&self.seen.target.host, &self.served(), &said, self.now)
        })
    }

    fn http(&self, by_proxy: bool) -> Result<Stage<HttpEvidence>, &'static str> {
        self.seen.http.judged(|seen| {
            let get = seen.get.as_ref().map(SeenAnswer::raw);
            let lost = seen.get_failure.as_ref().map(|failure| Err(failure.told()));
            elsewhere::http(&self.seen.target, by_proxy, &seen.head.raw(), get.as_ref().map(Ok).or(lost))
        })
    }

    fn earlier(&self) -> Vec<Try> {
        let tries = self.seen.earlier.iter().take(MAX_TRIES);
        tries.map(|one| Try { stage: one.stage, failure: one.failure.told() }).collect()
    }

    /// What was asked besides counts where the layers are in order.
    fn questions(&self, to: &mut Observation) {
        if to.http.outcome != Outcome::Ok {
            return;
        }
        for question in self.seen.asked.iter().take(MAX_QUESTIONS) {
            let answer = match (&question.answer, &question.failure) {
                (Some(answer), _) => Ok(answer.raw()),
                (None, Some(failure)) => Err(failure.told()),
                (None, None) => continue,
            };
            elsewhere::further(&self.seen.target, &question.what, &question.method, answer, &mut to.further);
        }
    }
}

/// By the clock there, as the machine itself judges.
fn moment(of: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(of.as_second().try_into().unwrap_or(0)))
}

impl<E> SeenStage<E> {
    /// As it was told, with this evidence.
    fn told<T>(&self, evidence: Option<T>) -> Stage<T> {
        let untold = || Failure::new(FailureCode::Internal, "it failed, and nothing says why");
        let failure =
            (self.outcome == Outcome::Failed).then(|| self.failure.as_ref().map_or_else(untold, SeenFailure::told));
        Stage { outcome: self.outcome, took_us: self.took_us, failure, evidence }
    }

    /// Judged anew, where something was seen. What failed there without an answer stays failed.
    fn judged<T>(&self, judge: impl FnOnce(&E) -> (T, Result<(), Failure>)) -> Result<Stage<T>, &'static str> {
        let (evidence, result) = match (self.outcome, &self.evidence) {
            (Outcome::NotNeeded | Outcome::NotTried, _) => return Err("a stage was left out"),
            (Outcome::Ok, None) => return Err("a stage is in order, and nothing was seen"),
            (Outcome::Cancelled, _) | (Outcome::Failed, None) => return Ok(self.told(None)),
            (Outcome::Ok | Outcome::Failed, Some(seen)) => judge(seen),
        };
        // A failure that does not show in what was seen, such as octets before their time.
        let result = result.and_then(|()| self.told::<()>(None).failure.map_or(Ok(()), Err));
        let outcome = if result.is_ok() { Outcome::Ok } else { Outcome::Failed };
        Ok(Stage { outcome, took_us: self.took_us, failure: result.err(), evidence: Some(evidence) })
    }
}

impl SeenFailure {
    fn told(&self) -> Failure {
        Failure::new(self.code, &self.detail)
    }
}

impl SeenAnswer {
    fn raw(&self) -> Raw {
        let headers = self.headers.iter().take(MAX_HEADERS).map(|one| (one.name.clone(), one.value.0.clone()));
        Raw { status: self.status, headers: headers.collect(), body: self.body.0.clone() }
    }
}

const MAX_ADDRESSES: usize = 64;
const MAX_HEADERS: usize = 100;
const MAX_NAME: usize = 255;
const MAX_QUESTIONS: usize = 16;
const MAX_ROOTS: usize = 256;
const MAX_STATUS: usize = 16;
const MAX_TRIES: usize = 5;
const MAX_WORD: usize = 64;
