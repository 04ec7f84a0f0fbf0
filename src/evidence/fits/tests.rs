//! Documents in which nothing was looked at, or at another time.

use jiff::Timestamp;

use super::*;
use crate::derive::Via;
use crate::evidence::Seeing;
use crate::host::{HostName, Scheme};
use crate::plan::{Asks, PlanBounds};
use crate::probe::Stage;
use crate::vantage::Vantage;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn document() -> (PlanDocument, Observations) {
    let host = HostName::parse("a.contoso.com").unwrap();
    let target = Target { scheme: Scheme::Https, host, port: 443, path: "/".to_owned() };
    let (id, via) = (ProbeId::of(&target, &Via::Direct), Via::Direct);
    let (contexts, requirements, asks) = (std::collections::BTreeSet::new(), Vec::new(), Asks::default());
    let probe = Probe { id: id.clone(), target, via, contexts, requirements, asks };
    let bounds =
        PlanBounds { stage_timeout_ms: 5000, deadline_ms: 60_000, probes_at_once: 64, addresses: 8, retries: 1 };
    let plan = PlanDocument::new(HostName::parse("CM01").ok(), bounds, vec![probe]);
    let settings = Seeing { dns_server: None, connect_to: Vec::new(), extra_roots: Vec::new(), bounds };
    let seen = Observation::not_tried(id, at("2026-11-25T12:00:10Z"));
    let span = (at("2026-11-25T12:00:00Z"), at("2026-11-25T12:01:00Z"));
    let document = Observations::new(&plan, Vantage::local("cm01"), None, settings, span, None, vec![seen]);
    (plan, document)
}

fn said(change: impl Fn(&mut Observations)) -> Result<(), String> {
    let (plan, mut document) = document();
    change(&mut document);
    document.fits(&plan)
}

#[test]
fn a_document_in_which_nothing_was_looked_at_is_refused() {
    assert_eq!(said(|_| {}), Ok(()), "and says so itself");
    let all_left_out = said(|document| {
        let one = &mut document.observations[0];
        (one.name, one.tcp, one.connect) = (Stage::not_needed(), Stage::not_needed(), Stage::not_needed());
        (one.tls, one.trust, one.http) = (Stage::not_needed(), Stage::not_needed(), Stage::not_needed());
    });
    assert!(all_left_out.unwrap_err().contains("does not show"));
    assert!(said(|document| document.settings.connect_to = vec!["x".to_owned()]).is_err());
}

#[test]
fn a_document_of_a_time_that_cannot_be_is_refused() {
    let says = |what: &str, change: &dyn Fn(&mut Observations)| {
        let said = said(change).unwrap_err();
        assert!(said.contains(what), "{said}");
    };
    says("began at 1999", &|d| d.observations[0].started = at("1999-01-01T00:00:00Z"));
    says("began at 2027", &|d| d.observations[0].started = at("2027-01-01T00:00:00Z"));
    says("has a deadline of 60 s", &|d| d.started = at("2020-01-01T00:00:00Z"));
    says("ends before it begins", &|d| d.finished = at("2020-01-01T00:00:00Z"));
    assert_eq!(said(|d| d.observations[0].started = at("2026-11-25T11:59:00Z")), Ok(()), "a clock was set");
}
