//! Servers and proxies that mean harm: the core ends, in bounded time and with a bounded answer, and says the same as our
//! own probe.

use std::net::SocketAddr;

use cmcomply::plan::Probe;
use lab::internet::{Hostile, Talk};

use crate::mono::{Machine, differences, plan};
use crate::probing::authority::Authority;
use crate::probing::{direct, through};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\n";

fn web_rows() -> Vec<(&'static str, Talk)> {
    let with = |head: &[u8]| [OK, head, b"\r\n"].concat();
    vec![
        ("endless-headers", Talk::Endless(OK.into(), b"X-Filler: on and on\r\n".into())),
        ("endless-header", Talk::Endless([OK, b"X-Filler: "].concat(), b"x".into())),
        ("endless-name", Talk::Endless(OK.into(), b"x".into())),
        ("endless-reason", Talk::Endless(b"HTTP/1.1 200 ".into(), b"x".into())),
        ("endless-noise", Talk::Endless(b"\x1b[2J".into(), b"\xff\x00\x07".into())),
        ("header-bomb", Talk::Say([OK, &b"A: b\r\n".repeat(10_000), b"\r\n"].concat())),
        ("nul", Talk::Say(b"HTTP/1.1 200 OK\r\nServer: a\0b\r\n\r\n".into())),
        ("escape", Talk::Say(b"HTTP/1.1 200 OK\r\nServer: \x1b[2J\r\n\r\n".into())),
        ("no-such-status", Talk::Say(b"HTTP/1.1 099 x\r\n\r\n".into())),
        ("length", Talk::Say(b"HTTP/1.1 404 x\r\nContent-Length: 99999999999999999999\r\n\r\n".into())),
        ("other-letters", Talk::Say(b"HTTP/1.1 404 \xff\xfe\r\nServer: \xc3\x28\xe2\x80\xae\r\n\r\n".into())),
        ("endless-page", Talk::Endless(with(b"Content-Type: text/html\r\nX-Azure-Ref: 0\r\n"), b"<p>x".into())),
        (
            "endless-chunk-size",
            Talk::Endless(
                with(b"Content-Type: text/html\r\nTransfer-Encoding: chunked\r\nX-Azure-Ref: 0\r\n"),
                b"f".into(),
            ),
        ),
        (
            "wrong-chunk",
            Talk::Say(
                [&with(b"Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n"), &b"2\r\nabc\r\n0\r\n\r\n"[..]]
                    .concat(),
            ),
        ),
        (
            "chunks",
            Talk::Say(
                [
                    &with(b"Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n"),
                    b"6\r\n<title\r\n5;x=y\r\n>Web \r\n18\r\nPage Blocked</title></p>\r\n0\r\n\r\n".as_slice(),
                ]
                .concat(),
            ),
        ),
    ]
}

#[test]
fn web_servers() {
    let authority = Authority::new("Contoso Lab Test Root CA");
    let hostile = Hostile::new();
    let (mut names, mut probes) = (Vec::new(), Vec::new());
    for (name, talk) in web_rows() {
        let host = format!("{name}.contoso.internal");
        let (chain, key) = authority.chain(&[&host]);
        probes.push(at(direct(&format!("http://{host}/")), hostile.http(talk.clone())));
        probes.push(at(direct(&format!("https://{host}/")), hostile.https(&chain, &key, talk)));
        names.push(host);
    }
    same(&names, &pem(&authority), probes, 20_000);
}

#[test]
fn what_never_ends() {
    let authority = Authority::new("Contoso Lab Test Root CA");
    let hostile = Hostile::new();
    let record = |kind: u8, data: &[u8]| {
        [&[kind, 3, 3], u16::try_from(data.len()).unwrap().to_be_bytes().as_slice(), data].concat()
    };
    let rows = [
        ("slow-loris", Talk::Drip(OK.into(), b"X-Filler: on\r\n".into())),
        ("slow-status", Talk::Drip(b"HTTP/1.".into(), b"1 200 OOOOOOOOOOOOOOOOO".into())),
        ("continue", Talk::Endless(Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".into())),
        ("slow-page", Talk::Drip([OK, b"Content-Type: text/html\r\n\r\n"].concat(), b"<p>".into())),
    ];
    let (mut names, mut probes) = (Vec::new(), Vec::new());
    for (name, talk) in rows {
        let host = format!("{name}.contoso.internal");
        let (chain, key) = authority.chain(&[&host]);
        probes.push(at(direct(&format!("http://{host}/")), hostile.http(talk.clone())));
        probes.push(at(direct(&format!("https://{host}/")), hostile.https(&chain, &key, talk)));
        names.push(host);
    }
    names.push("slow-tls.contoso.internal".to_owned());
    let slow = hostile.raw(Talk::Drip(Vec::new(), record(22, &[2; 9000])));
    probes.push(at(direct("https://slow-tls.contoso.internal/"), slow));
    for (name, talk) in [
        ("slow-proxy", Talk::Drip(OK.into(), b"Via: on\r\n".into())),
        ("slow-answer", Talk::Drip(b"HTTP/1.1".into(), b" 200 OOOOOOOOOOOOOO".into())),
    ] {
        probes.push(through(&format!("https://{name}.contoso.internal/"), hostile.http(talk)));
    }
    same(&names, &pem(&authority), probes, 3000);
}

#[test]
fn proxies_and_what_is_no_tls() {
    let hostile = Hostile::new();
    let challenges = b"Proxy-Authenticate: Negotiate oooooooooooooooooooooooooooooooooooooooooooooooooo\r\n".repeat(60);
    let mut probes = Vec::new();
    for (name, talk) in [
        ("endless-headers", Talk::Endless(OK.into(), b"Via: on and on\r\n".into())),
        ("endless-header", Talk::Endless([OK, b"Via: "].concat(), b"x".into())),
        ("endless-reason", Talk::Endless(b"HTTP/1.1 200 ".into(), b"x".into())),
        ("endless-noise", Talk::Endless(b"SSH-2.0-x\r\n".into(), b"\xff\x00\x07".into())),
        ("endless-tunnel", Talk::Endless([OK, &b"\r\n\x1b[2J"[..]].concat(), b"\x1b[2J".into())),
        ("header-bomb", Talk::Say([OK, &b"A: b\r\n".repeat(1000), b"\r\n"].concat())),
        ("nul", Talk::Say(b"HTTP/1.1 200 \0\r\n\r\n".into())),
        ("challenges", Talk::Say([b"HTTP/1.1 407 \xff\r\n".as_slice(), &challenges, b"\r\n"].concat())),
        ("no-such-status", Talk::Say(b"HTTP/1.1 999 \x80\r\n\r\n".into())),
    ] {
        probes.push(through(&format!("https://{name}.contoso.internal/"), hostile.http(talk)));
    }
    let record = |kind: u8, data: &[u8]| {
        [&[kind, 3, 3], u16::try_from(data.len()).unwrap().to_be_bytes().as_slice(), data].concat()
    };
    let mut names = Vec::new();
    for (name, talk) in [
        ("noise", Talk::Say(b"\x1b[2J 220 mail.contoso.com ESMTP \xff\0\r\n".into())),
        ("endless-noise-tls", Talk::Endless(Vec::new(), b"\xff\x00\x07\x1b".into())),
        ("http", Talk::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n".into())),
        ("endless-message", Talk::Endless(record(22, b"\x0b\xff\xff\xff"), record(22, &[0; 1 << 14]))),
        ("endless-empty-records", Talk::Endless(Vec::new(), record(22, b""))),
        ("endless-warnings", Talk::Endless(Vec::new(), record(21, b"\x01\x5a"))),
        ("large-record", Talk::Endless(b"\x16\x03\x03\xff\xff".into(), b"x".into())),
    ] {
        names.push(format!("{name}.contoso.internal"));
        probes.push(at(direct(&format!("https://{name}.contoso.internal/")), hostile.raw(talk)));
    }
    same(&names, &pem(&Authority::new("Contoso Lab Test Root CA")), probes, 20_000);
}

fn at(mut probe: Probe, address: SocketAddr) -> Probe {
    probe.target.port = address.port();
    probe
}

pub fn pem(authority: &Authority) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(authority.root());
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn same(names: &[String], root: &str, probes: Vec<Probe>, limit: u64) {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let Some(machine) = Machine::new(&names, root) else { return };
    let plan = plan(probes, limit);
    assert!(machine.script(&plan).len() < 4 << 20);
    let different = differences(&machine.own(&plan), &machine.told(&plan));
    assert!(different.is_empty(), "{}", different.concat());
}
