//! One probe, layer by layer, as a tree: what one reads after a quick look at one endpoint.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::Style;
use super::layout::wrap;
use super::words;
use crate::assess::{self, Found};
use crate::derive::Via;
use crate::plan::Probe;
use crate::probe::{Certificate, Header, Observation, Outcome, Stage, StageName, TcpAttempt};
use crate::text::printable;

/// The probe with all its stages and what the look came to. `from` is the machine that probed.
pub fn tree(probe: &Probe, seen: &Observation, look: &Found, from: &str, style: Style) -> String {
    let mut tree = Tree { width: style.width.max(60), colour: style.colour, out: String::new() };
    let route = match &probe.via {
        Via::Proxy { host, port } => format!("through the proxy {host}:{port}"),
        other => other.to_string(),
    };
    tree.text("", &probe.target.to_string());
    tree.text("  ", &format!("{route}, from {from}"));
    tree.stage(StageName::Name, &seen.name, &name(seen));
    tree.stage(StageName::Tcp, &seen.tcp, &tcp(seen));
    tree.stage(StageName::Connect, &seen.connect, &connect(seen));
    tree.stage(StageName::Tls, &seen.tls, &tls(seen));
    tree.stage(StageName::Trust, &seen.trust, &trust(seen));
    tree.stage(StageName::Http, &seen.http, &http(seen));
    tree.end(seen, look);
    tree.out
}

struct Tree {
    width: usize,
    colour: bool,
    out: String,
}

impl Tree {
    /// A text from anywhere, wrapped under what leads each of its lines. Two blanks before it indent all of them.
    fn text(&mut self, lead: &str, text: &str) {
        let lead = if text.starts_with("  ") { format!("{lead}  ") } else { lead.to_owned() };
        let room = self.width.saturating_sub(lead.chars().count());
        for line in wrap(&printable(text, MAX_TEXT), room) {
            let _ = writeln!(self.out, "{}", format!("{lead}{line}").trim_end());
        }
    }

    /// One layer: its line, what was seen, and why it failed. The last one closes the tree.
    fn stage<E>(&mut self, name: StageName, stage: &Stage<E>, evidence: &[String]) {
        let (branch, lead) = if name == StageName::Http { ("└ ", "    ") } else { ("├ ", "│   ") };
        let (word, code) = match stage.outcome {
            Outcome::Ok => ("ok", GREEN),
            Outcome::Failed => ("FAIL", RED),
            Outcome::NotTried => ("not tried", PLAIN),
            Outcome::NotNeeded => ("not needed", PLAIN),
            Outcome::Cancelled => ("interrupted", YELLOW),
        };
        let took = stage.took_us.map(millis).unwrap_or_default();
        let line = format!("{branch}{:11}  {}{took:>14}", words::stage(name), self.paint(&format!("{word:11}"), code));
        let _ = writeln!(self.out, "{}", line.trim_end());
        for line in evidence {
            self.text(lead, line);
        }
        // The lines of TCP say already how each address failed.
        if let Some(failure) = stage.failure.as_ref().filter(|_| name != StageName::Tcp || evidence.is_empty()) {
            self.text(lead, &failure.detail);
        }
    }

    /// What it came to.
    fn end(&mut self, seen: &Observation, look: &Found) {
        self.out.push('\n');
        if let Some(cause) = &look.cause {
            let stage = cause.stage.map(|stage| format!("{}: ", words::stage(stage))).unwrap_or_default();
            // What fails beyond the layers was reached, and does not serve.
            let word = if seen.reached() { "not well" } else { "not reached" };
            self.result(word, RED, &format!("{stage}{} ({})", cause.text, cause.code));
            self.result("what to do", PLAIN, &cause.remedy);
            if let Some(place) = &cause.in_product {
                self.result("see also", PLAIN, place);
            }
        } else if seen.reached() {
            let status = seen.http.evidence.as_ref().and_then(|http| http.status);
            let status = status.map(|status| format!("HTTP {status}")).unwrap_or_default();
            self.result("reached", GREEN, &status);
        } else {
            self.result("incomplete", YELLOW, "it was interrupted, so nothing is known of what lies behind");
        }
        for note in &look.notes {
            self.result("also", PLAIN, note);
        }
        if let Some(part) = assess::partly_reached(seen) {
            self.result("also", YELLOW, &part);
        }
    }

    fn result(&mut self, word: &str, code: &str, text: &str) {
        let lines = wrap(&printable(text, MAX_TEXT), self.width - RESULT);
        for (index, line) in lines.iter().enumerate() {
            let head = format!("{:RESULT$}", if index == 0 { format!("{word}:") } else { String::new() });
            let line = format!("{}{line}", self.paint(&head, code));
            let _ = writeln!(self.out, "{}", line.trim_end());
        }
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.colour && code != PLAIN { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn name(seen: &Observation) -> Vec<String> {
    let Some(name) = &seen.name.evidence else { return Vec::new() };
    let by = match name.resolver.as_str() {
        "system" => "by this machine's resolver".to_owned(),
        "none" => "given, not resolved".to_owned(),
        server => format!("by the DNS server {server}"),
    };
    let mut lines = vec![format!("{} {by}", name.asked)];
    lines.extend(name.connect_to.iter().map(|rule| format!("changed by --connect-to {rule}")));
    lines.extend(name.canonical_names.iter().map(|canonical| format!("is another name for {canonical}")));
    if !name.addresses.is_empty() && name.resolver != "none" {
        let addresses: Vec<String> = name.addresses.iter().map(ToString::to_string).collect();
        lines.push(addresses.join(", "));
    }
    lines
}

fn tcp(seen: &Observation) -> Vec<String> {
    let Some(tcp) = &seen.tcp.evidence else { return Vec::new() };
    let several = tcp.attempts.iter().filter(|attempt| attempt.failure.is_none()).count() > 1;
    let used = |address: &SocketAddr| if several && tcp.used == Some(*address) { ", used" } else { "" };
    let line = |TcpAttempt { address, took_us, failure }: &TcpAttempt| match failure {
        None => format!("{address}: open{}, {}", used(address), millis(*took_us)),
        Some(failure) => {
            // The operation names the address once more.
            let operation = format!("connect to {address}: ");
            let detail = failure.detail.strip_prefix(&operation).unwrap_or(&failure.detail);
            format!("{address}: {detail}, {}", millis(*took_us))
        }
    };
    let mut lines: Vec<String> = tcp.attempts.iter().map(line).collect();
    if tcp.untried > 0 {
        lines.push(format!("{} more not tried", tcp.untried));
    }
    lines
}

fn connect(seen: &Observation) -> Vec<String> {
    let Some(connect) = &seen.connect.evidence else { return Vec::new() };
    let status = connect.status.map(|status| format!("status {status}"));
    status.into_iter().chain(headers(&connect.headers)).collect()
}

fn tls(seen: &Observation) -> Vec<String> {
    let Some(tls) = &seen.tls.evidence else { return Vec::new() };
    let mut agreed: Vec<String> = [&tls.version, &tls.suite].into_iter().flatten().cloned().collect();
    agreed.extend(tls.alpn.iter().map(|protocol| format!("ALPN {protocol}")));
    let mut lines = Vec::new();
    if !agreed.is_empty() {
        lines.push(agreed.join(", "));
    }
    for (index, certificate) in tls.chain.iter().enumerate() {
        lines.extend(certificate_lines(index + 1, certificate));
    }
    lines
}

fn certificate_lines(number: usize, certificate: &Certificate) -> Vec<String> {
    let Certificate { subject, issuer, names, not_before, not_after, sha256, .. } = certificate;
    let mut lines = vec![format!("certificate {number}: {subject}"), format!("  issued by {issuer}")];
    if !names.is_empty() {
        let more = names.len().saturating_sub(SHOWN_NAMES);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        lines.push(format!("  for {}{more}", names[..names.len().min(SHOWN_NAMES)].join(", ")));
    }
    let moment = |moment: &Option<jiff::Timestamp>| moment.map_or_else(|| "unknown".to_owned(), |m| m.to_string());
    lines.push(format!("  valid {} to {}", moment(not_before), moment(not_after)));
    lines.push(format!("  SHA-256 {sha256}"));
    lines
}

fn trust(seen: &Observation) -> Vec<String> {
    let Some(trust) = &seen.trust.evidence else { return Vec::new() };
    let fetched = trust.fetched.iter().map(|issuer| format!("left out by the server, fetched from {}", issuer.url));
    fetched.chain([format!("judged by roots: {}", trust.roots)]).collect()
}

fn http(seen: &Observation) -> Vec<String> {
    let Some(http) = &seen.http.evidence else { return Vec::new() };
    let status = http.status.map_or_else(|| "no status".to_owned(), |status| format!("status {status}"));
    let mut lines = vec![format!("{}: {status}", http.method)];
    lines.extend(headers(&http.headers));
    lines.extend(http.block_page.iter().map(|mark| format!("looks like a block page: {mark}")));
    lines
}

fn headers(headers: &[Header]) -> impl Iterator<Item = String> {
    headers.iter().map(|header| format!("{}: {}", header.name, header.value))
}

fn millis(microseconds: u64) -> String {
    format!("{}.{} ms", microseconds / 1000, microseconds % 1000 / 100)
}

const GREEN: &str = "32";
const RED: &str = "31";
const YELLOW: &str = "33";
const PLAIN: &str = "";
/// Columns before the text of a result.
const RESULT: usize = 13;
/// Names of a certificate that are shown.
const SHOWN_NAMES: usize = 8;
const MAX_TEXT: usize = 1000;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::json;
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::host::{HostName, Scheme};
    use crate::plan::{ProbeId, Target};

    fn probe() -> Probe {
        let host = HostName::parse("configmgrbits.azureedge.net").unwrap();
        let target = Target { scheme: Scheme::Https, host, port: 443, path: "/".to_owned() };
        let id = ProbeId("p".to_owned());
        Probe {
            id,
            target,
            via: Via::Direct,
            contexts: BTreeSet::new(),
            requirements: Vec::new(),
            asks: crate::plan::Asks::default(),
        }
    }

    /// An observation whose every text is `text`.
    fn observation(text: &str) -> Observation {
        let certificate = json!({
            "subject": text, "issuer": text, "names": vec![text; 20], "not_before": "2026-01-01T00:00:00Z",
            "not_after": null, "sha256": text,
        });
        let header = json!({ "name": text, "value": text });
        let failure = json!({ "code": "http-block-page", "detail": text });
        let stage = |evidence: serde_json::Value| json!({ "outcome": "ok", "took_us": 50_049, "evidence": evidence });
        serde_json::from_value(json!({
            "probe": "p",
            "started": "2026-01-01T00:00:00Z",
            "name": stage(json!({
                "asked": text, "resolver": text, "connect_to": text, "canonical_names": [text],
                "addresses": ["10.0.0.1", "2001:db8::1"],
            })),
            "tcp": stage(json!({
                "attempts": [
                    { "address": "10.0.0.1:443", "took_us": 50_000 },
                    { "address": "[2001:db8::1]:443", "took_us": 5_000_000,
                      "failure": { "code": "tcp-timeout", "detail": text } },
                ],
                "untried": 3,
            })),
            "connect": stage(json!({ "status": 200, "headers": [header] })),
            "tls": stage(json!({ "version": text, "suite": text, "alpn": text, "chain": [certificate, certificate] })),
            "trust": stage(json!({ "roots": text })),
            "http": {
                "outcome": "failed", "took_us": 1_234_567, "failure": failure,
                "evidence": { "method": "GET", "status": 200, "headers": [header], "block_page": text },
            },
        }))
        .unwrap()
    }

    fn drawn(seen: &Observation, width: usize) -> String {
        let look = assess::look(&[], &probe(), std::slice::from_ref(seen), "cm01");
        tree(&probe(), seen, &look, "cm01", Style { width, colour: false })
    }

    #[test]
    fn every_layer_has_its_line_and_the_end_says_what_to_do() {
        insta::assert_snapshot!(drawn(&observation("words"), 80), @"
        https://configmgrbits.azureedge.net:443/
          direct, from cm01
        ├ DNS          ok                50.0 ms
        │   words by the DNS server words
        │   changed by --connect-to words
        │   is another name for words
        │   10.0.0.1, 2001:db8::1
        ├ TCP          ok                50.0 ms
        │   10.0.0.1:443: open, 50.0 ms
        │   [2001:db8::1]:443: words, 5000.0 ms
        │   3 more not tried
        ├ proxy        ok                50.0 ms
        │   status 200
        │   words: words
        ├ TLS          ok                50.0 ms
        │   words, words, ALPN words
        │   certificate 1: words
        │     issued by words
        │     for words, words, words, words, words, words, words, words and 12 more
        │     valid 2026-01-01T00:00:00Z to unknown
        │     SHA-256 words
        │   certificate 2: words
        │     issued by words
        │     for words, words, words, words, words, words, words, words and 12 more
        │     valid 2026-01-01T00:00:00Z to unknown
        │     SHA-256 words
        ├ certificate  ok                50.0 ms
        │   judged by roots: words
        └ HTTP         FAIL            1234.5 ms
            GET: status 200
            words: words
            looks like a block page: words
            words

        not reached: HTTP: a block page came instead of the endpoint (http-block-page)
        what to do:  allow configmgrbits.azureedge.net:443 for cm01 in the web filter
        also:        1 of 2 addresses cannot be reached (2001:db8::1)
        ");
    }

    #[test]
    fn what_was_not_tried_or_interrupted_is_no_success() {
        let mut seen = Observation::not_tried(ProbeId("p".to_owned()), jiff::Timestamp::UNIX_EPOCH);
        let nothing = drawn(&seen, 80);
        assert!(nothing.contains("incomplete:") && !nothing.contains("reached:"), "{nothing}");
        seen.name = Stage { outcome: Outcome::Cancelled, ..Stage::not_tried() };
        assert!(drawn(&seen, 80).contains("interrupted"));
    }

    #[test]
    fn colour_is_laid_over_words_only() {
        let plain = drawn(&observation("words"), 80);
        let seen = observation("words");
        let look = assess::look(&[], &probe(), std::slice::from_ref(&seen), "cm01");
        let painted = tree(&probe(), &seen, &look, "cm01", Style { width: 80, colour: true });
        assert!(painted.contains("\u{1b}[31mFAIL"));
        let mut bare = painted;
        for code in ["\u{1b}[0m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"] {
            bare = bare.replace(code, "");
        }
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert_eq!(trimmed(&bare), trimmed(&plain));
    }

    #[test]
    fn marks_that_join_what_stands_before_them_leave_no_columns() {
        for width in 60..100 {
            for text in ["\u{1e4ec} a🕨 ｡0 ", "⛓\u{fe0f}⛓\u{fe0f}⛓\u{fe0f}".repeat(40).as_str()] {
                let drawn = drawn(&observation(&format!("{text}\u{1b}[2J\u{202e}")), width);
                assert!(drawn.lines().all(|line| line.width() <= width), "{width}: {drawn}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_acts_on_the_terminal_or_leaves_its_columns(text in "\\PC{0,80}|.{0,80}", width in 60usize..100) {
            let drawn = drawn(&observation(&format!("{text}\u{1b}[2J\u{202e}")), width);
            prop_assert!(drawn.lines().all(|line| line.width() <= width), "{drawn}");
            let acts = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            prop_assert_eq!(drawn.find(acts), None);
        }
    }
}
