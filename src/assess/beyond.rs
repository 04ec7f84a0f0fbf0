//! What counts besides the layers: who issued the certificate, where redirects lead, and what the plan asked for.

use std::collections::{HashMap, HashSet};

use super::cause::{self, Words, of_code};
use super::verdict::Cause;
use crate::catalog::Inspection;
use crate::derive::Requirement;
use crate::plan::{Probe, ProbeId};
use crate::probe::further::{GATEWAY_VERBS, Idle, IdleLook, Range, SuiteAnswer};
use crate::probe::{Failure, FailureCode, Issuance, Observation, Outcome, Redirect, StageName, publicly_certified};

/// What the observations of a run say of one probe that got through every layer.
pub(super) struct Beyond<'a> {
    pub(super) requirement: &'a Requirement,
    pub(super) probe: &'a Probe,
    pub(super) seen: &'a Observation,
    pub(super) all: &'a HashMap<&'a ProbeId, &'a Observation>,
    pub(super) words: &'a Words,
}

impl Beyond<'_> {
    /// Why the requirement is not met although every layer is in order.
    pub(super) fn cause(&self) -> Option<Cause> {
        let found = self.inspected().or_else(|| self.suites()).or_else(|| self.content()).or_else(|| self.range());
        let found = found.or_else(|| self.redirect()).or_else(|| self.gateway()).or_else(|| self.idle());
        let found = found.or_else(|| self.not_looked_at()).or_else(|| self.not_seen())?;
        let text = cause::for_host(self.requirement, self.probe, &found.text);
        Some(Cause { text, in_product: cause::in_product(self.requirement), ..found })
    }

    /// What is worth a word and no failure.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match self.issuance() {
            Some(Issuance::Private) if self.requirement.inspection != Inspection::Unsupported => notes.push(format!(
                "TLS is inspected on the way, by \"{}\"; the documentation does not rule that out here",
                cause::issuer(self.seen)
            )),
            Some(Issuance::Untold) => notes.push("whether TLS is inspected on the way does not show".to_owned()),
            _ => {}
        }
        for issuer in self.seen.trust.evidence.iter().flat_map(|trust| &trust.fetched) {
            notes.push(format!(
                "the server leaves out the certificate of \"{}\", which was fetched from {}, as a Windows client does",
                issuer.certificate.subject, issuer.url
            ));
        }
        let looks = &self.seen.further.suites;
        if looks.is_empty() && self.probe.asks.tls.is_some() {
            notes.push("which of the documented cipher suites are taken was not tried".to_owned());
        }
        if !looks.is_empty() {
            let of = |answer| looks.iter().filter(move |look| look.answer == answer).map(|look| look.suite.as_str());
            let list = |what: &str, answer| {
                let names: Vec<&str> = of(answer).collect();
                (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
            };
            let parts = [
                list("takes", SuiteAnswer::Taken),
                list("refuses", SuiteAnswer::Refused),
                list("not tried, since our TLS library has no", SuiteAnswer::NotOffered),
                list("not seen", SuiteAnswer::NotSeen),
            ];
            notes.push(format!("cipher suites: {}", parts.into_iter().flatten().collect::<Vec<_>>().join("; ")));
        }
        notes.extend(self.redirect_notes());
        if let Some(look) = &self.seen.further.byte_range {
            match look.answer {
                Range::Served => {}
                // It is the cause itself.
                _ if self.range().is_some() => {}
                Range::NoFile if self.has_path() => notes.push(format!(
                    "whether parts of files can be had was not tested: the file is not there ({})",
                    look.detail
                )),
                _ if !self.has_path() => notes.push(format!(
                    "whether parts of files can be had was not tested: no file is documented here ({})",
                    look.detail
                )),
                _ => notes.push(format!("parts of files: {}", look.detail)),
            }
        }
        if let Some(IdleLook { end, idle_ms, detail, .. }) = &self.seen.further.idle
            && *end != Idle::Cut
        {
            let what = match end {
                Idle::Held | Idle::Cut => "was still good",
                Idle::ClosedByEndpoint => "was ended by the endpoint itself",
                Idle::NotSeen => "could not be tested",
            };
            notes.push(format!("an idle connection {what} after {} s ({detail})", idle_ms / 1000));
        } else if self.requirement.idle_seconds.is_some() && self.seen.further.idle.is_none() {
            notes.push("how long an idle connection stays open was not tested (--idle-test)".to_owned());
        }
        notes
    }

    /// Who issued the certificate, of a service whose certificates are public ones.
    fn issuance(&self) -> Option<Issuance> {
        let trust = self.seen.trust.evidence.as_ref().filter(|_| self.seen.trust.outcome == Outcome::Ok)?;
        trust.issuance.filter(|_| publicly_certified(&self.probe.target.host))
    }

    fn inspected(&self) -> Option<Cause> {
        let inspected = self.issuance() == Some(Issuance::Private);
        let forbidden = self.requirement.inspection == Inspection::Unsupported;
        (inspected && forbidden).then(|| Cause {
            stage: Some(StageName::Trust),
            detail: Some(format!("issued by \"{}\", which no public programme knows", cause::issuer(self.seen))),
            ..of_code("tls-inspected", self.words)
        })
    }

    /// Nobody can tell whether TLS is inspected, where that is not supported.
    pub(super) fn untold(&self) -> Option<Cause> {
        let untold = self.issuance() == Some(Issuance::Untold);
        let forbidden = self.requirement.inspection == Inspection::Unsupported;
        (untold && forbidden).then(|| Cause {
            stage: Some(StageName::Trust),
            detail: Some(format!("issued by \"{}\", whose own certificate was not seen", cause::issuer(self.seen))),
            ..of_code("tls-issuer-untold", self.words)
        })
    }

    fn any_suite(&self, answer: SuiteAnswer) -> bool {
        self.seen.further.suites.iter().any(|look| look.answer == answer)
    }

    /// Whether a documented suite is taken: when it is tried, or by the probe itself where the try did not come through.
    fn takes_a_suite(&self) -> bool {
        let agreed = self.seen.tls.evidence.as_ref().and_then(|tls| tls.suite.as_deref());
        self.seen.further.suites.iter().any(|look| match look.answer {
            SuiteAnswer::Taken => true,
            SuiteAnswer::NotSeen => agreed == Some(look.suite.as_str()),
            SuiteAnswer::Refused | SuiteAnswer::NotOffered => false,
        })
    }

    fn suites(&self) -> Option<Cause> {
        let refused =
            self.any_suite(SuiteAnswer::Refused) && !self.takes_a_suite() && !self.any_suite(SuiteAnswer::NotSeen);
        let tls = self.seen.tls.evidence.as_ref();
        let agreed = tls.and_then(|tls| tls.suite.clone()).unwrap_or_default();
        refused.then(|| Cause {
            stage: Some(StageName::Tls),
            detail: Some(format!("agreed on {agreed}")),
            ..of_code("tls-no-suite", self.words)
        })
    }

    fn content(&self) -> Option<Cause> {
        let fault = self.seen.further.content.as_ref()?.fault.as_ref()?;
        let words = self.words.clone().with("what", fault.as_str());
        Some(Cause { stage: Some(StageName::Http), ..of_code("content-wrong", &words) })
    }

    /// Where no path is documented, a start page need not be a file. It still must be had as the probe had it.
    fn range(&self) -> Option<Cause> {
        let look = self.seen.further.byte_range.as_ref()?;
        let status = self.seen.http.evidence.as_ref().and_then(|http| http.status);
        let there = matches!(status, Some(200..=299));
        let code = match look.answer {
            Range::Ignored if self.has_path() => "range-ignored",
            Range::Stopped => "range-stopped",
            Range::Denied if there => "range-stopped",
            Range::NoFile if there && self.has_path() => "range-stopped",
            Range::Served | Range::Ignored | Range::NoFile | Range::Denied | Range::NotSeen => return None,
        };
        let detail = Some(look.detail.clone());
        Some(Cause { stage: Some(StageName::Http), detail, ..of_code(code, self.words) })
    }

    /// Whether a document names what is there.
    fn has_path(&self) -> bool {
        self.requirement.path.as_ref().is_some_and(|path| path != "/")
    }

    /// What was asked for and not looked at, because the time was over: that is no proof.
    fn not_looked_at(&self) -> Option<Cause> {
        let (asks, further) = (&self.probe.asks, &self.seen.further);
        let content = asks.content.is_some() && further.content.is_none();
        let range = asks.byte_range && further.byte_range.is_none() && self.requirement.path.is_some();
        let gateway = asks.gateway && further.gateway.len() < GATEWAY_VERBS.len();
        (content || range || gateway).then(|| of_code("interrupted", self.words))
    }

    /// What was looked at, and did not come to light.
    fn not_seen(&self) -> Option<Cause> {
        let further = &self.seen.further;
        let lost = |what: &str, why: &str| {
            let words = self.words.clone().with("what", what).with("why", why);
            Cause { detail: Some(why.to_owned()), ..of_code("not-seen", &words) }
        };
        let suite = further.suites.iter().find(|look| look.answer == SuiteAnswer::NotSeen);
        if let Some(look) = suite.filter(|_| !self.takes_a_suite()) {
            let why = look.detail.as_deref().unwrap_or_default();
            return Some(lost("whether a documented cipher suite is taken", why));
        }
        let range = further.byte_range.as_ref().filter(|look| look.answer == Range::NotSeen);
        if let Some(look) = range {
            return Some(lost("whether parts of files can be had", &look.detail));
        }
        let doubtful: Vec<_> = further.gateway.iter().filter(|look| look.doubt.is_some()).collect();
        if let Some(why) = doubtful.first().and_then(|look| look.doubt.as_ref()) {
            let verbs = doubtful.iter().map(|look| look.verb.as_str()).collect::<Vec<_>>().join(", ");
            return Some(lost(&format!("whether {verbs} pass to the cloud management gateway"), why));
        }
        let look = further.idle.as_ref()?;
        let what = "whether an idle connection stays open long enough";
        let short = look.idle_ms < u64::from(look.needed_seconds) * 1000;
        match look.end {
            Idle::NotSeen => Some(lost(what, &look.detail)),
            Idle::Held if short => {
                let why =
                    format!("held for {} s, and it must stay open for {} s", look.idle_ms / 1000, look.needed_seconds);
                Some(lost(what, &why))
            }
            _ => None,
        }
    }

    fn gateway(&self) -> Option<Cause> {
        let stopped: Vec<_> = self.seen.further.gateway.iter().filter(|look| look.stopped.is_some()).collect();
        let first = stopped.first()?;
        let verbs = stopped.iter().map(|look| look.verb.as_str()).collect::<Vec<_>>().join(", ");
        let words = self.words.clone().with("what", verbs);
        Some(Cause {
            stage: Some(StageName::Http),
            detail: first.stopped.clone(),
            ..of_code("gateway-verb-stopped", &words)
        })
    }

    fn idle(&self) -> Option<Cause> {
        // The farewell of an inspecting device is not the endpoint's.
        let inspected = self.issuance() == Some(Issuance::Private);
        let look = self.seen.further.idle.as_ref()?;
        let is_cut = look.end == Idle::Cut || (look.end == Idle::ClosedByEndpoint && inspected);
        if !is_cut {
            return None;
        }
        let after = format!("{}.{} s", look.idle_ms / 1000, look.idle_ms % 1000 / 100);
        let words = self.words.clone().with("what", after).with("needed", look.needed_seconds.to_string());
        Some(Cause { detail: Some(look.detail.clone()), ..of_code("idle-cut", &words) })
    }

    /// The failure of a redirect, where the documentation names the path: what an unnamed start page leads to is not
    /// needed.
    fn redirect(&self) -> Option<Cause> {
        self.requirement.path.as_ref()?;
        let http = self.seen.http.evidence.as_ref()?;
        // A forwarder is worth nothing without what it leads to.
        if self.probe.asks.redirects && http.redirect.is_none() {
            let cause = of_code("redirect-missing", self.words);
            return Some(Cause { stage: Some(StageName::Http), ..cause });
        }
        self.follow().err().map(|cause| *cause)
    }

    fn redirect_notes(&self) -> Vec<String> {
        let mut notes = match self.follow() {
            Ok(hops) if hops.is_empty() => Vec::new(),
            Ok(hops) => vec![format!("leads to {}", hops.join(", then to "))],
            Err(cause) => vec![cause.text],
        };
        if self.redirect_of(self.seen).is_some_and(|redirect| redirect.leaves_tls(&self.probe.target)) {
            notes.push("the redirect leaves TLS for plain HTTP".to_owned());
        }
        notes
    }

    fn redirect_of<'o>(&self, seen: &'o Observation) -> Option<&'o Redirect> {
        seen.http.evidence.as_ref().filter(|_| self.probe.asks.redirects)?.redirect.as_ref()
    }

    /// The hosts of the chain, or what is wrong with it.
    fn follow(&self) -> Result<Vec<String>, Box<Cause>> {
        let (mut hops, mut met) = (Vec::new(), HashSet::from([&self.probe.id]));
        let mut seen = self.seen;
        let stage =
            |code: &str, words: &Words| Box::new(Cause { stage: Some(StageName::Http), ..of_code(code, words) });
        loop {
            let target = match self.redirect_of(seen) {
                None => return Ok(hops),
                Some(Redirect::NotFollowed { to, why }) => {
                    let words =
                        self.words.clone().with("hop", to.as_str()).with("what", format!("not followed, {why}"));
                    return Err(stage("redirect-refused", &words));
                }
                Some(Redirect::To(target)) => target,
            };
            let hop = format!("{}:{}", target.host, target.port);
            let id = ProbeId::of(target, &self.probe.via);
            // Hops are bounded in number, so the last one may have led on to nobody's look.
            let Some((id, next)) = self.all.get_key_value(&id) else {
                let words = self.words.clone().with("what", format!("too far ({} hops, then {hop})", hops.len()));
                return Err(stage("redirect-circle", &words));
            };
            if !met.insert(*id) {
                return Err(stage("redirect-circle", &self.words.clone().with("what", format!("in a circle ({hop})"))));
            }
            if let Some((stage, failure)) = next.first_failure() {
                return Err(Box::new(self.lost(&hop, stage, failure)));
            }
            if !next.reached() {
                let words = self.words.clone().with("hop", hop).with("what", "the run ended before it was probed");
                let cause = Cause { code: "interrupted".to_owned(), ..of_code("redirect-target", &words) };
                return Err(Box::new(cause));
            }
            hops.push(hop);
            seen = next;
        }
    }

    /// A hop that cannot be reached, with what to do about the hop itself.
    fn lost(&self, hop: &str, stage: StageName, failure: &Failure) -> Cause {
        if failure.code == FailureCode::Internal {
            return Cause { detail: Some(failure.detail.clone()), ..of_code("internal", self.words) };
        }
        let (host, _) = hop.rsplit_once(':').unwrap_or((hop, ""));
        let of_hop = self.words.clone().with("endpoint", hop).with("host", host).with("dialled", hop);
        let own = of_code(&cause::code_name(failure.code), &of_hop);
        let words = self.words.clone().with("hop", hop).with("what", failure.detail.as_str()).with("more", own.remedy);
        Cause { stage: Some(stage), detail: Some(failure.detail.clone()), ..of_code("redirect-target", &words) }
    }
}
