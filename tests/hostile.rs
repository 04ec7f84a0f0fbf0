//! Servers, proxies and resolvers that mean harm: one clear outcome each, in bounded memory and time, and never a panic.
//!
//! Each table is probed at once, by a process of its own whose memory is measured.
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

#[path = "hostile/certificates.rs"]
mod certificates;
#[path = "hostile/dns.rs"]
mod dns;
#[path = "hostile/lists.rs"]
mod lists;
mod probing;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use cmcomply::plan::Probe;
use cmcomply::probe::{FailureCode, Observation, StageName};
use lab::internet::{Behaviour, Hostile, Internet, Seen, Spec, Talk};

use probing::authority::Authority;
use probing::{Job, direct, failure, through};

/// More than all hostile servers of a table together may cost, in KiB. One server that is not bounded costs more
/// within a second.
const ROOM: u64 = 48 * 1024;

/// What must come of a hostile server.
#[derive(Debug, Clone, Copy)]
enum Want {
    Reached,
    /// Reached, and in clear this failure of HTTP: there, nothing shows whose answer it is.
    OverTls(FailureCode),
    Fails(StageName, FailureCode, &'static str),
}

/// A hostile server: what it is called, what it says, what must come of it.
type Row = (&'static str, Talk, Want);

#[test]
fn a_process_that_probes() {
    probing::child();
}

/// In clear and over TLS with a certificate that is trusted: whoever has one may still mean harm.
#[test]
fn web_servers() {
    use FailureCode as C;
    let no_http = Want::Fails(StageName::Http, C::HttpProtocol, "no HTTP");
    let rows = [
        ("endless-headers", Talk::Endless(OK.into(), b"X-Filler: on and on\r\n".into()), no_http),
        ("endless-header", Talk::Endless([OK, b"X-Filler: "].concat(), b"x".into()), no_http),
        ("endless-name", Talk::Endless(OK.into(), b"x".into()), no_http),
        ("endless-reason", Talk::Endless(b"HTTP/1.1 200 ".into(), b"x".into()), no_http),
        ("endless-noise", Talk::Endless(b"\x1b[2J".into(), b"\xff\x00\x07".into()), no_http),
        ("header-bomb", Talk::Say([OK, &b"A: b\r\n".repeat(10_000), b"\r\n"].concat()), no_http),
        ("nul", Talk::Say(b"HTTP/1.1 200 OK\r\nServer: a\0b\r\n\r\n".into()), no_http),
        ("escape", Talk::Say(b"HTTP/1.1 200 OK\r\nServer: \x1b[2J\r\n\r\n".into()), no_http),
        ("no-such-status", Talk::Say(b"HTTP/1.1 099 x\r\n\r\n".into()), no_http),
        (
            "length",
            Talk::Say(b"HTTP/1.1 404 x\r\nContent-Length: 99999999999999999999\r\n\r\n".into()),
            Want::OverTls(C::HttpProtocol),
        ),
        (
            "other-letters",
            Talk::Say(b"HTTP/1.1 404 \xff\xfe\r\nServer: \xc3\x28\xe2\x80\xae\r\n\r\n".into()),
            Want::OverTls(C::HttpUnproved),
        ),
    ];
    let rows = rows.into_iter().chain(
        PAGES.map(|(name, head, body, want)| (name, Talk::Endless([OK, head, b"\r\n"].concat(), body.to_vec()), want)),
    );
    web(None, &rows.collect::<Vec<_>>());
}

/// Pages for GET, in answers that look like a filter's: of them only the beginning is read.
const PAGES: [(&str, &[u8], &[u8], Want); 3] = [
    (
        "endless-page",
        b"Content-Type: text/html\r\nServer: Microsoft-IIS/10.0\r\nX-Azure-Ref: 0\r\n",
        b"<p>x",
        Want::Reached,
    ),
    // The head of a gzip stream, and then what would be zeros without end. Nothing is ever decompressed.
    (
        "compressed-bomb",
        b"Content-Type: text/html\r\nContent-Encoding: gzip\r\nX-Azure-Ref: 0\r\n",
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xec\xc1\x01\x01\0\0\0\x80\x90\xfe\xaf\xee\x08\x0a\0\0",
        Want::Reached,
    ),
    (
        "endless-chunk-size",
        b"Content-Type: text/html\r\nTransfer-Encoding: chunked\r\nX-Azure-Ref: 0\r\n",
        b"f",
        Want::Fails(StageName::Http, FailureCode::HttpProtocol, "GET "),
    ),
];

#[test]
fn web_servers_that_never_end() {
    let timeout = Want::Fails(StageName::Http, FailureCode::HttpTimeout, "no answer within");
    web(
        Some(StageName::Http),
        &[
            ("slow-loris", Talk::Drip(OK.into(), b"X-Filler: on\r\n".into()), timeout),
            ("slow-status", Talk::Drip(Vec::new(), b"HTTP/1.1 200 OOOOOOOOOOOOOOOOO".into()), timeout),
            ("continue", Talk::Endless(Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".into()), timeout),
            ("slow-page", Talk::Drip([OK, b"Content-Type: text/html\r\n\r\n"].concat(), b"<p>".into()), timeout),
        ],
    );
}

#[test]
fn proxies() {
    use FailureCode as C;
    let bad = |words| Want::Fails(StageName::Connect, C::ProxyBadReply, words);
    let challenges = b"Proxy-Authenticate: Negotiate oooooooooooooooooooooooooooooooooooooooooooooooooo\r\n".repeat(60);
    let at_once = run(
        None,
        &[
            ("endless-headers", Talk::Endless(OK.into(), b"Via: on and on\r\n".into()), bad("")),
            ("endless-header", Talk::Endless([OK, b"Via: "].concat(), b"x".into()), bad("more than 16384 bytes")),
            ("endless-reason", Talk::Endless(b"HTTP/1.1 200 ".into(), b"x".into()), bad("more than 16384 bytes")),
            ("endless-noise", Talk::Endless(b"SSH-2.0-x\r\n".into(), b"\xff\x00\x07".into()), bad("no HTTP")),
            (
                "endless-tunnel",
                // In one piece with the answer, so that it is there when the answer is read.
                Talk::Endless([OK, &b"\r\n\x1b[2J"[..]].concat(), b"\x1b[2J".into()),
                bad("came through the tunnel"),
            ),
            ("header-bomb", Talk::Say([OK, &b"A: b\r\n".repeat(1000), b"\r\n"].concat()), bad("no HTTP")),
            ("nul", Talk::Say(b"HTTP/1.1 200 \0\r\n\r\n".into()), bad("no HTTP")),
            (
                "challenges",
                Talk::Say([b"HTTP/1.1 407 \xff\r\n".as_slice(), &challenges, b"\r\n"].concat()),
                Want::Fails(StageName::Connect, C::ProxyAuthRequired, "it offers Negotiate"),
            ),
            (
                "no-such-status",
                Talk::Say(b"HTTP/1.1 999 \x80\r\n\r\n".into()),
                Want::Fails(StageName::Connect, C::ProxyRefused, "999"),
            ),
        ],
        |hostile, name, talk| vec![through(&format!("https://{name}.contoso.com/"), hostile.http(talk))],
    );
    let silence = Want::Fails(StageName::Connect, C::ProxyTimeout, "no answer within");
    let slow = run(
        Some(StageName::Connect),
        &[
            ("slow", Talk::Drip(OK.into(), b"Via: on\r\n".into()), silence),
            ("slow-status", Talk::Drip(Vec::new(), b"HTTP/1.1 200 OOOOOOOOOOOOOO".into()), silence),
        ],
        |hostile, name, talk| vec![through(&format!("https://{name}.contoso.com/"), hostile.http(talk))],
    );
    assert!(at_once < ROOM && slow < ROOM, "{at_once} and {slow} KiB");
}

#[test]
fn servers_that_speak_no_tls() {
    use FailureCode as C;
    let no_tls = Want::Fails(StageName::Tls, C::TlsProtocol, "TLS handshake with");
    let record = |kind: u8, data: &[u8]| {
        [&[kind, 3, 3], u16::try_from(data.len()).unwrap().to_be_bytes().as_slice(), data].concat()
    };
    let rows = [
        ("noise", Talk::Say(b"\x1b[2J 220 mail.contoso.com ESMTP \xff\0\r\n".into()), no_tls),
        ("endless-noise", Talk::Endless(Vec::new(), b"\xff\x00\x07\x1b".into()), no_tls),
        ("http", Talk::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n".into()), no_tls),
        // A message of 16 MiB, and the records that bring it.
        ("endless-message", Talk::Endless(record(22, b"\x0b\xff\xff\xff"), record(22, &[0; 1 << 14])), no_tls),
        ("endless-empty-records", Talk::Endless(Vec::new(), record(22, b"")), no_tls),
        ("endless-cipher-changes", Talk::Endless(Vec::new(), record(20, b"\x01")), no_tls),
        ("endless-warnings", Talk::Endless(Vec::new(), record(21, b"\x01\x5a")), no_tls),
        ("large-record", Talk::Endless(b"\x16\x03\x03\xff\xff".into(), b"x".into()), no_tls),
    ];
    let route = |hostile: &Hostile, name: &str, talk| {
        let url = format!("https://{name}.contoso.com/");
        vec![(direct(&url), hostile.raw(talk))]
    };
    let at_once = run_direct(None, &rows, route);
    let silence = Want::Fails(StageName::Tls, C::TlsTimeout, "no answer within");
    let slow =
        run_direct(Some(StageName::Tls), &[("slow", Talk::Drip(Vec::new(), record(22, &[2; 9000])), silence)], route);
    assert!(at_once < ROOM && slow < ROOM, "{at_once} and {slow} KiB");
}

/// They may send one anywhere; it is told where to, and nothing of ours goes there without end, or to this machine.
#[test]
fn redirects() {
    let to = |place: &str| Behaviour::Redirect(302, place.to_owned());
    let strange = [
        ("file", "file:///etc/passwd", "no web address"),
        ("script", "javascript:alert(1)", "no web address"),
        ("data", "data:text/html,x", "no web address"),
        ("home", "http://127.0.0.1:22/", "127.0.0.1"),
        ("home6", "http://[::1]/", "[::1]"),
        ("home-number", "http://2130706433/", "127.0.0.1"),
        ("home-name", "http://localhost/", "localhost"),
        ("metadata", "http://169.254.169.254/latest/meta-data", "169.254.169.254"),
        ("long", &format!("http://{}/", "x".repeat(9000)), ""),
    ];
    let mut spec = Spec::default().known("contoso.com");
    for (name, place, _) in strange {
        spec = spec.host(&format!("{name}.contoso.com"), to(place));
    }
    spec = spec
        .host("circle.contoso.com", to("/"))
        .host("ping.contoso.com", to("//pong.contoso.com/"))
        .host("pong.contoso.com", to("//ping.contoso.com/"));
    let net = Internet::start_blocking(spec);
    let urls = |name: &str| [format!("https://{name}.contoso.com/"), format!("http://{name}.contoso.com/")];
    let names = strange.iter().map(|(name, ..)| *name).chain(["circle", "ping"]);
    let job = Job::of(&net, names.flat_map(urls).map(|url| direct(&url)).collect());
    let (seen, grown) = job.run_apart(&[]);
    for (name, _, words) in strange {
        for url in urls(name) {
            let failure = failure(&seen[&url], StageName::Http, FailureCode::HttpBlockPage);
            assert!(failure.detail.contains("redirected to") && failure.detail.contains(words), "{url}: {failure:?}");
        }
    }
    for url in ["circle", "ping"].iter().flat_map(|name| urls(name)) {
        let http = seen[&url].http.evidence.as_ref().unwrap();
        assert_eq!(http.status, Some(302), "{url}: {http:?}");
    }
    let requests = net.count(|seen| matches!(seen, Seen::Request { .. }));
    assert!(requests <= 22 + 4 * 10, "{requests} requests");
    let home = net.count(|seen| matches!(seen, Seen::Query { name, .. } if name == "localhost"));
    assert_eq!(home, 0);
    for seen in seen.values() {
        is_harmless(seen);
    }
    assert!(grown < ROOM, "{grown} KiB");
}

/// Each row in clear and over TLS.
fn web(short: Option<StageName>, rows: &[Row]) {
    let authority = Authority::new("Contoso Lab Test Root CA");
    let grown = run_with(short, &authority, rows, |hostile, name, talk| {
        let host = format!("{name}.contoso.com");
        let (chain, key) = authority.chain(&[&host]);
        vec![
            (direct(&format!("http://{host}/")), hostile.http(talk.clone())),
            (direct(&format!("https://{host}/")), hostile.https(&chain, &key, talk)),
        ]
    });
    assert!(grown < ROOM, "{grown} KiB");
}

fn run_direct(
    short: Option<StageName>,
    rows: &[Row],
    start: impl Fn(&Hostile, &str, Talk) -> Vec<(Probe, SocketAddr)>,
) -> u64 {
    run_with(short, &Authority::new("Contoso Lab Test Root CA"), rows, start)
}

/// Starts the servers of all rows, probes them at once, and holds each outcome against the row.
fn run_with(
    short: Option<StageName>,
    authority: &Authority,
    rows: &[Row],
    start: impl Fn(&Hostile, &str, Talk) -> Vec<(Probe, SocketAddr)>,
) -> u64 {
    let hostile = Hostile::new();
    let mut job = Job { short, ..Job::new(Vec::new()) };
    job.extra_roots = vec![authority.root()];
    let mut wanted = BTreeMap::new();
    for (name, talk, want) in rows {
        for (probe, address) in start(&hostile, name, talk.clone()) {
            let target = &probe.target;
            job.connect_to.push(format!("{}:{}:127.0.0.1:{}", target.host, target.port, address.port()));
            wanted.insert(probe.id.0.clone(), *want);
            job.probes.push(probe);
        }
    }
    judge(&job, &wanted)
}

fn run(short: Option<StageName>, rows: &[Row], start: impl Fn(&Hostile, &str, Talk) -> Vec<Probe>) -> u64 {
    let hostile = Hostile::new();
    let mut job = Job { short, ..Job::new(Vec::new()) };
    let mut wanted = BTreeMap::new();
    for (name, talk, want) in rows {
        for probe in start(&hostile, name, talk.clone()) {
            wanted.insert(probe.id.0.clone(), *want);
            job.probes.push(probe);
        }
    }
    judge(&job, &wanted)
}

/// How much memory it took, in KiB.
fn judge(job: &Job, wanted: &BTreeMap<String, Want>) -> u64 {
    let (seen, grown) = job.run_apart(&[]);
    let wrong: Vec<_> = wanted.iter().filter(|(id, want)| !is_as_wanted(&seen[*id], **want)).collect();
    assert!(wrong.is_empty(), "{wrong:#?} {:#?}", wrong.iter().map(|(id, _)| &seen[*id]).collect::<Vec<_>>());
    for seen in seen.values() {
        is_harmless(seen);
    }
    grown
}

fn is_as_wanted(seen: &Observation, want: Want) -> bool {
    match (want, seen.first_failure()) {
        (Want::Reached, None) => seen.reached(),
        (Want::OverTls(_), None) => seen.reached() && seen.probe.0.starts_with("https://"),
        (Want::OverTls(code), Some((StageName::Http, failure))) => {
            failure.code == code && seen.probe.0.starts_with("http://")
        }
        (Want::Fails(stage, code, words), Some((failed, failure))) => {
            (failed, failure.code) == (stage, code) && failure.detail.contains(words)
        }
        _ => false,
    }
}

/// Nothing in the observation acts on a terminal, and it is of a size that one may keep ten thousand of.
fn is_harmless(seen: &Observation) {
    fn look(value: &serde_json::Value) {
        match value {
            serde_json::Value::String(text) => {
                let inert = cmcomply::text::printable(text, usize::MAX);
                assert_eq!(*text, inert, "acts on a terminal");
            }
            serde_json::Value::Array(all) => all.iter().for_each(look),
            serde_json::Value::Object(all) => all.values().for_each(look),
            _ => {}
        }
    }
    look(&serde_json::to_value(seen).unwrap());
    let size = serde_json::to_vec(seen).unwrap().len();
    assert!(size < 256 * 1024, "{size} bytes of observation");
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\n";
