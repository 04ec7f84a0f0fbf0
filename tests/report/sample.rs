//! A small run with every verdict in both grades, and the same run with hostile text wherever text can stand.

use std::collections::{BTreeMap, BTreeSet};

use cmcomply::assess::{AppliedWaivers, Cause, Grade, Judgement, Verdict, WaiverFinding, WaiverProblem, Waivers};
use cmcomply::catalog::{CatalogRole, Context, Document, EntryId, Inspection, SourceRef, Status, Tier};
use cmcomply::derive::{Decision, Proof, RequiredName, Requirement, RequirementId, Route, RouteBasis, Subject, Via};
use cmcomply::evidence::{
    CatalogRecord, CitedEntry, LookedFor, Moments, Outcome, RUN_FORMAT, Run, RunSettings, Tally, Tool, VantageRecord,
};
use cmcomply::host::{HostName, HostPattern, Scheme};
use cmcomply::plan::{Probe, ProbeId, Target};
use cmcomply::probe::further::{ContentLook, Idle, IdleLook, Range, RangeLook, SuiteAnswer, SuiteLook, VerbLook};
use cmcomply::probe::{
    Certificate, ConnectEvidence, Failure, FailureCode, Further, Header, HttpEvidence, Issuance, NameAnswer,
    NameEvidence, Observation, Oddity, OddityKind, Outcome as Ended, Redirect, RevocationEvidence, RevocationList,
    Stage, StageName, TcpAttempt, TcpEvidence, TlsEvidence, TrustEvidence, Try,
};
use cmcomply::site::{Connection, DataFinding, Fact, Facts, SiteCode, Source, SqlCertificate, SqlSignIn, UnknownWhy};
use cmcomply::vantage::{EvidenceGrade, Unreached, UnreachedWhy, Vantage, VantageKind};

/// How often each verdict stands in the sample, by grade; no two alike, so that no two can be mixed up.
pub(crate) const COUNTS: [(Verdict, usize, usize); 6] = [
    (Verdict::Fail, 3, 2),
    (Verdict::Error, 1, 1),
    (Verdict::NotObserved, 4, 3),
    (Verdict::Waived, 2, 1),
    (Verdict::Pass, 5, 4),
    (Verdict::NotApplicable, 1, 2),
];

/// The sample.
pub(crate) fn run() -> Run {
    made("", &COUNTS)
}

/// The sample with text in it that acts on something: markup, formulas, terminal codes, marks that reorder, quotes of
/// every language; and long. Once more with nothing but long names of characters that nobody sees.
pub(crate) fn hostile() -> [Run; 2] {
    let text = "=HYPERLINK(\"http://x\")</td></script><script>alert(1)</script>\"' onload=x |`a`| [a](b) @all \\ {{7*7}} \
                &lt; ]]> <!-- \u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{200b}\r\n\t\u{0}\u{ffff}\u{e000}\u{85}%00\u{2028}";
    let each = COUNTS.map(|(verdict, _, _)| (verdict, 1, 1));
    let few = [(Verdict::Fail, 1, 0), (Verdict::Pass, 0, 1)];
    [made(&format!("{text}{}", "<b>".repeat(100)), &each), made(&"\u{e0001}".repeat(5000), &few)]
}

/// A run without anything in it.
pub(crate) fn empty() -> Run {
    let mut run = run();
    run.requirements.clear();
    run.judgements.clear();
    run.probes.clear();
    run.observations.clear();
    run.revocation_lists.clear();
    run.catalog.entries.clear();
    run.catalog.documents.clear();
    run.outcome = Outcome::of(&run.facts, &run.judgements, None);
    run
}

fn made(mark: &str, counts: &[(Verdict, usize, usize)]) -> Run {
    let text = |text: &str| format!("{mark}{text}");
    let mut parts = Vec::new();
    let mut number = 0;
    for &(verdict, required, advisory) in counts {
        for (grade, count) in [(Grade::Required, required), (Grade::Advisory, advisory)] {
            for _ in 0..count {
                parts.push(part(number, verdict, grade, mark));
                number += 1;
            }
        }
    }
    let (mut requirements, mut judgements, mut probes, mut observations) = (vec![], vec![], vec![], vec![]);
    for (requirement, judgement, looked) in parts {
        requirements.push(requirement);
        judgements.push(judgement);
        if let Some((probe, observation)) = looked {
            probes.push(probe);
            observations.push(observation);
        }
    }
    let hop = hop(&mut observations, mark);
    observations.extend(hop);
    let facts = facts(mark);
    let mut outcome = Outcome::of(&facts, &judgements, None);
    outcome.tally = Tally::of(&judgements);
    Run {
        format: RUN_FORMAT.to_owned(),
        tool: Tool { name: "cmcomply".to_owned(), version: text("0.1.0") },
        redacted: false,
        moments: Moments {
            started: "2026-11-25T08:00:00Z".parse().unwrap(),
            facts_read: "2026-11-25T08:00:02Z".parse().unwrap(),
            finished: "2026-11-25T08:01:00.5Z".parse().unwrap(),
        },
        settings: RunSettings {
            target_version: None,
            retries: 0,
            from_here: true,
            retired: false,
            remote: false,
            dns_server: Some(text("127.0.0.1:53")),
            connect_to: vec![],
            extra_roots: vec![],
            public_roots: vec![],
            stated_proxies: BTreeMap::new(),
            stage_timeout_ms: 5000,
            deadline_ms: 600_000,
        },
        outcome,
        vantage: Vantage::local("audit01.contoso.com"),
        vantages: vantages(&requirements, mark),
        catalog: catalog(mark),
        facts,
        requirements,
        probes,
        observations,
        revocation_lists: vec![RevocationList {
            kind: cmcomply::probe::RevocationKind::List,
            url: text("http://crl.contoso.com/a.crl"),
            named_by: vec![text("CN=a.contoso.com")],
            via: Via::Direct,
            not_fetched: Some(text("in a directory (LDAP)")),
            fetch: Stage::<RevocationEvidence>::not_tried(),
        }],
        clients: None,
        waivers: Some(waivers(mark)),
        judgements,
    }
}

/// This machine, which looks for nobody, one that looks for all, and one that could not be used.
fn vantages(requirements: &[Requirement], mark: &str) -> Vec<VantageRecord> {
    let record = |name: &str, kind, grade| {
        let mut subjects: Vec<Subject> = requirements.iter().map(|r| r.subject.clone()).collect();
        subjects.sort();
        subjects.dedup();
        VantageRecord {
            machine: HostName::parse(name).ok(),
            kind,
            account: Some(format!("{mark}CONTOSO\\audit")),
            os: Some(format!("{mark}windows")),
            tool: None,
            plan_sha256: "c".repeat(64),
            started: Some("2026-11-25T08:00:10Z".parse().unwrap()),
            finished: Some("2026-11-25T08:00:40Z".parse().unwrap()),
            clock_ahead_s: 7200,
            settings: None,
            facts: None,
            complete: false,
            unreached: None,
            looks_for: subjects.into_iter().map(|subject| LookedFor { subject, grade }).collect(),
        }
    };
    let here = VantageRecord { looks_for: Vec::new(), ..record("audit01.contoso.com", VantageKind::Local, None) };
    let unreached =
        Some(Unreached { why: UnreachedWhy::SignIn, detail: format!("{mark}the account was refused"), remedy: None });
    let lost = VantageRecord { unreached, ..record("cm02.contoso.com", VantageKind::Winrm, None) };
    vec![here, record("cm01.contoso.com", VantageKind::Ssh, Some(EvidenceGrade::B)), lost]
}

fn waivers(mark: &str) -> AppliedWaivers {
    let list: Waivers = serde_json::from_value(serde_json::json!({
        "file": format!("{mark}waivers.toml"),
        "sha256": "b".repeat(64),
        "waivers": [{
            "id": format!("{mark}W-0007"),
            "requirement": "updates-*",
            "host": "*",
            "category": "mitigated",
            "reason": format!("{mark}the updates come from a share"),
            "owner": format!("{mark}Server Team"),
            "approved_by": format!("{mark}Security Office"),
            "approved_on": "2026-11-01",
            "ticket": format!("{mark}CHG-42"),
            "valid_through": "2027-01-31",
        }],
    }))
    .unwrap();
    let finding = WaiverFinding {
        waiver: format!("{mark}W-0007"),
        problem: WaiverProblem::Unneeded,
        text: format!("{mark}it is needed no more"),
    };
    AppliedWaivers { list, on: None, findings: vec![finding] }
}

fn facts(mark: &str) -> Facts {
    let connection = Connection {
        server: format!("{mark}sql01.contoso.com"),
        database: format!("{mark}CM_PS1"),
        server_version: None,
        certificate: SqlCertificate::NotChecked,
        sign_in: SqlSignIn::WindowsCurrent,
    };
    let mut facts = Facts::unknown(connection, UnknownWhy::NotPermitted, &format!("{mark}SELECT was denied"));
    let source = Source::of("dbo.SMSData");
    facts.this_site = Fact::Known { value: SiteCode::parse("PS1").unwrap(), source };
    facts.data_findings.push(DataFinding {
        object: "dbo.v_Site".to_owned(),
        column: "ServerName".to_owned(),
        row: format!("{mark}PS9"),
        problem: "no host name".to_owned(),
        value: format!("{mark}a b"),
    });
    facts
}

fn catalog(mark: &str) -> CatalogRecord {
    let document = Document {
        title: format!("{mark}Internet access requirements"),
        url: if mark.is_empty() { "https://learn.microsoft.com/a".to_owned() } else { format!("javascript:{mark}") },
    };
    let source = SourceRef {
        document: format!("{mark}internet-access"),
        section: format!("{mark}Updates and servicing"),
        date: jiff::civil::date(2026, 6, 8),
    };
    CatalogRecord {
        version: format!("{mark}2026.11.22"),
        sha256: "0".repeat(64),
        all: vec![],
        documents: BTreeMap::from([(source.document.clone(), document)]),
        entries: vec![CitedEntry {
            id: EntryId(format!("{mark}updates-a")),
            endpoint: "a.contoso.com".to_owned(),
            when: "always".to_owned(),
            note: Some(format!("{mark}a note")),
            sources: vec![source],
        }],
    }
}

type Part = (Requirement, Judgement, Option<(Probe, Observation)>);

fn part(number: usize, verdict: Verdict, grade: Grade, mark: &str) -> Part {
    let name = HostName::parse(&format!("e{number}.contoso.com")).unwrap();
    let (subject, role) = match number % 4 {
        0 => (Subject::Clients, CatalogRole::Client),
        1 => (host("cm02.contoso.com"), CatalogRole::SoftwareUpdatePoint),
        _ => (host("cm01.contoso.com"), CatalogRole::ServiceConnectionPoint),
    };
    let id = RequirementId(format!("{mark}{subject}/{number}"));
    let requirement = Requirement {
        id: id.clone(),
        subject,
        role,
        entry: EntryId(format!("{mark}updates-a")),
        section: format!("{mark}Updates and servicing"),
        name: if number == 7 {
            RequiredName::Template(format!("{mark}{{cmg.service-name}}"))
        } else {
            RequiredName::Pattern(HostPattern::Exact(name.clone()))
        },
        scheme: Scheme::Https,
        port: if number == 7 { None } else { Some(443) },
        path: number.is_multiple_of(5).then(|| format!("/{mark}path")),
        context: Context::SiteSystemProxy,
        route: Route { via: Via::Direct, basis: RouteBasis::Database, detail: format!("{mark}no proxy is set") },
        tier: if grade == Grade::Required { Tier::Required } else { Tier::Advisory },
        status: Status::Active,
        replaced_by: None,
        inspection: Inspection::Unsupported,
        tls: None,
        byte_ranges: false,
        idle_seconds: None,
        proof: Proof::Itself,
        decision: if verdict == Verdict::NotApplicable { Decision::Retired } else { Decision::Needed },
        reasons: vec![format!("{mark}cm01.contoso.com is service connection point")],
    };
    let looked = matches!(verdict, Verdict::Pass | Verdict::Fail | Verdict::Waived | Verdict::Error);
    let probe = Probe {
        id: ProbeId(format!("{mark}https://{name}:443/ direct")),
        target: Target { scheme: Scheme::Https, host: name, port: 443, path: "/".to_owned() },
        via: Via::Direct,
        contexts: BTreeSet::from([Context::SiteSystemProxy]),
        requirements: vec![id.clone()],
        asks: cmcomply::plan::Asks::default(),
    };
    let cause = (verdict != Verdict::Pass).then(|| Cause {
        code: if mark.is_empty() { "tls-reset".to_owned() } else { format!("{mark}code") },
        stage: looked.then_some(StageName::Tls),
        text: format!("{mark}the connection was cut"),
        detail: Some(format!("{mark}TLS handshake: connection reset")),
        remedy: format!("{mark}allow it, number {}", number % 3),
        in_product: Some(format!("{mark}dmpdownloader.log")),
    });
    let judgement = Judgement {
        requirement: id,
        verdict,
        grade,
        probes: if looked { vec![probe.id.clone()] } else { vec![] },
        observed_from_role_host: false,
        vantage: 1,
        evidence_grade: looked.then_some(EvidenceGrade::B),
        cause,
        waiver: (verdict == Verdict::Waived).then(|| format!("{mark}W-0007")),
        notes: [Some("probed from audit01, not from cm01"), (number == 0).then_some("e0: flapping: failed (refused)")]
            .into_iter()
            .flatten()
            .map(|note| format!("{mark}{note}"))
            .collect(),
    };
    let observation = observation(probe.id.clone(), verdict == Verdict::Pass, mark);
    (requirement, judgement, looked.then_some((probe, observation)))
}

fn host(name: &str) -> Subject {
    Subject::Host { site: SiteCode::parse("PS1").unwrap(), host: HostName::parse(name).unwrap() }
}

fn observation(id: ProbeId, reached: bool, mark: &str) -> Observation {
    let ok = Ended::Ok;
    let started = "2026-11-25T08:00:10Z".parse().unwrap();
    let mut seen = Observation::not_tried(id, started);
    let name = NameEvidence {
        asked: format!("{mark}e.contoso.com"),
        resolver: "system".to_owned(),
        connect_to: None,
        response_code: Some("NOERROR".to_owned()),
        canonical_names: vec![format!("{mark}cdn.contoso.com")],
        addresses: vec!["192.0.2.1".parse().unwrap()],
        answers: vec![
            NameAnswer {
                record: "A".to_owned(),
                response_code: Some("NOERROR".to_owned()),
                extended_error: None,
                failure: None,
                addresses: 1,
            },
            NameAnswer {
                record: "AAAA".to_owned(),
                response_code: None,
                extended_error: Some(format!("{mark}Filtered")),
                failure: Some(failure(FailureCode::NameTimeout, mark, "no answer within 5 s")),
                addresses: 0,
            },
        ],
        oddities: vec![Oddity {
            address: "192.0.2.1".parse().unwrap(),
            kind: OddityKind::Private,
            detail: format!("{mark}of a private network"),
        }],
    };
    seen.name = stage(ok, Some(name));
    let attempt = TcpAttempt { address: "192.0.2.1:443".parse().unwrap(), took_us: 12_300, failure: None };
    seen.tcp = stage(ok, Some(TcpEvidence { attempts: vec![attempt], untried: 1, used: None }));
    seen.connect = Stage::not_needed();
    let refused = failure(FailureCode::TcpRefused, mark, "refused at first");
    seen.earlier = vec![Try { stage: StageName::Tcp, failure: refused }];
    seen.further = further(mark);
    let certificate = Certificate {
        subject: format!("{mark}CN=e.contoso.com"),
        issuer: format!("{mark}CN=Contoso Root"),
        names: vec![format!("{mark}*.contoso.com")],
        not_before: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        not_after: Some("2027-01-01T00:00:00Z".parse().unwrap()),
        sha256: "a".repeat(64),
        crl_urls: vec![],
        ocsp_urls: vec![],
        ocsp_request: None,
        issuer_urls: vec![],
    };
    let version = Some(format!("{mark}TLSv1.3"));
    seen.tls = stage(ok, Some(TlsEvidence { version, suite: None, alpn: None, chain: vec![certificate] }));
    if !reached {
        seen.tls.outcome = Ended::Failed;
        seen.tls.failure = Some(failure(FailureCode::TlsReset, mark, "connection reset"));
        let connect = ConnectEvidence {
            status: Some(200),
            headers: vec![],
            product: Some(format!("{mark}Squid 5.7")),
            account: Some(format!("{mark}CONTOSO\\proxy")),
            scheme: Some("NTLM".to_owned()),
        };
        seen.connect = stage(ok, Some(connect));
        return seen;
    }
    seen.trust = stage(
        ok,
        Some(TrustEvidence {
            roots: format!("{mark}this machine"),
            issuance: Some(Issuance::Public),
            fetched: Vec::new(),
        }),
    );
    let header = Header { name: "server".to_owned(), value: format!("{mark}web") };
    let http = HttpEvidence {
        method: "HEAD".to_owned(),
        status: Some(200),
        headers: vec![header],
        redirect: Some(Redirect::NotFollowed { to: format!("{mark}ftp://x"), why: format!("{mark}no web address") }),
        ..HttpEvidence::default()
    };
    seen.http = stage(ok, Some(http));
    seen
}

/// Leads the last observation, which reached its endpoint, to one more, and that to nowhere.
fn hop(observations: &mut [Observation], mark: &str) -> Option<Observation> {
    let from = observations.last_mut().filter(|seen| seen.reached())?;
    let host = HostName::parse("hop.contoso.com").unwrap();
    let target = Target { scheme: Scheme::Https, host, port: 443, path: format!("/{mark}hop") };
    let id = ProbeId::of(&target, &Via::Direct);
    from.http.evidence.as_mut()?.redirect = Some(Redirect::To(target));
    let redirected_from = Some(from.probe.clone());
    Some(Observation { redirected_from, ..observation(id, true, mark) })
}

fn further(mark: &str) -> Further {
    let text = |text: &str| format!("{mark}{text}");
    let suite = |suite: &str, answer| SuiteLook {
        suite: text(suite),
        version: text("TLSv1.3"),
        answer,
        detail: Some(text("an alert came")),
    };
    Further {
        suites: vec![suite("SUITE_A", SuiteAnswer::Taken), suite("SUITE_B", SuiteAnswer::Refused)],
        byte_range: Some(RangeLook { answer: Range::Ignored, detail: text("the whole came") }),
        content: Some(ContentLook {
            status: Some(200),
            issuer: Some(text("https://sts.contoso.com")),
            token_endpoint: Some(text("https://login.contoso.com/token")),
            fault: Some(text("another tenant")),
        }),
        gateway: vec![VerbLook {
            verb: text("CCM_POST"),
            status: Some(403),
            stopped: Some(text("a page of a proxy")),
            doubt: Some(text("nobody is shown")),
        }],
        idle: Some(IdleLook { needed_seconds: 240, idle_ms: 200_500, end: Idle::Cut, detail: text("a reset came") }),
    }
}

fn failure(code: FailureCode, mark: &str, detail: &str) -> Failure {
    Failure { code, detail: format!("{mark}{detail}") }
}

fn stage<E>(outcome: Ended, evidence: Option<E>) -> Stage<E> {
    Stage { outcome, took_us: Some(1500), failure: None, evidence }
}
