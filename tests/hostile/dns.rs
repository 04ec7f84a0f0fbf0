//! DNS servers that mean harm.

use std::net::SocketAddr;

use cmcomply::probe::{FailureCode, StageName};
use lab::internet::{Behaviour, Hostile, Internet, Spec, Talk};

use super::probing::{Job, direct};
use super::{ROOM, Want, is_as_wanted, is_harmless};

#[test]
fn resolvers() {
    use FailureCode as C;
    let error = |words| Want::Fails(StageName::Name, C::NameError, words);
    let aliases = |count: u16| (0..count).map(|n| alias(&format!("n{n}"), &format!("n{}", n + 1)));
    let long: Vec<u8> = [alias("a.contoso.com", "n0")].into_iter().chain(aliases(1000)).flatten().collect();
    let circle = [alias("a.contoso.com", "b.contoso.com"), alias("b.contoso.com", "a.contoso.com")].concat();
    let harmful =
        [alias("a.contoso.com", "\u{1b}[2J\0\u{7f}.example"), address("\u{1b}[2J\0\u{7f}.example", 1)].concat();
    let thousand: Vec<u8> = (0..1000).flat_map(|n| address("a.contoso.com", n * 256 + 1)).collect();
    let hostile = Hostile::new();
    let udp = |reply: fn(&[u8]) -> Vec<Vec<u8>>| hostile.dns(reply, None::<fn(&[u8]) -> Talk>);
    let tcp = |count: u16, records: Vec<u8>| {
        let talk = move |query: &[u8]| Talk::Say(framed(&reply(query, 0x8180, count, &records)));
        hostile.dns(|query| vec![reply(query, 0x8380, 0, &[])], Some(talk))
    };
    let at_once = [
        ("thousand-addresses", tcp(1000, thousand), Want::Reached),
        ("harmful-alias", tcp(2, harmful), Want::Reached),
        ("circle", tcp(2, circle), error("aliases without end")),
        ("long-chain", tcp(1001, long), error("aliases without end")),
        ("flood", udp(|_| vec![b"\x1b[2J no DNS".to_vec(); 100]), error("64 replies, none of them an answer")),
        ("flood-of-questions", udp(|query| vec![query.to_vec(); 100]), error("none of them an answer")),
        ("tcp-noise", hostile.dns(cut, Some(|_: &[u8]| Talk::Say(framed(b"\x1b[2J no DNS")))), error("is no answer")),
        (
            "tcp-closed",
            hostile.dns(cut, Some(|_: &[u8]| Talk::Say(Vec::new()))),
            Want::Fails(StageName::Name, C::NameTimeout, ""),
        ),
        (
            "odd-code",
            udp(|query| vec![reply(query, 0x818f, 0, &[])]),
            Want::Fails(StageName::Name, C::NameServfail, "RCODE15"),
        ),
        (
            "circle-of-octets",
            udp(|query| vec![reply(query, 0x8180, 1, b"\xc0\x1f\0\x05\0\x01\0\0\0\x3c\0\x02\xc0\x1f"); 100]),
            error("none of them an answer"),
        ),
    ];
    let late = [
        ("cut-short", udp(|query| vec![reply(query, 0x8180, 9, b"\xc0\x0c\0\x01")]), error("none of them an answer")),
        (
            "other-id",
            udp(|query| vec![[&[!query[0]], &reply(query, 0x8180, 0, &[])[1..]].concat()]),
            error("none of them an answer"),
        ),
        ("counts", udp(|query| vec![reply(query, 0x8180, 0xffff, &[])]), error("none of them an answer")),
        (
            "tcp-endless",
            hostile.dns(cut, Some(|_: &[u8]| Talk::Drip(b"\xff\xff".into(), b"x".into()))),
            Want::Fails(StageName::Name, C::NameTimeout, "no answer within"),
        ),
    ];
    for (short, rows) in [(None, &at_once[..]), (Some(StageName::Name), &late[..])] {
        for (name, server, want) in rows {
            check(name, *server, short, *want);
        }
    }
}

/// One probe of `a.contoso.com`, with this resolver.
fn check(name: &str, server: SocketAddr, short: Option<StageName>, want: Want) {
    let net = Internet::start_blocking(Spec::default().host("a.contoso.com", Behaviour::Status(404)));
    let mut job = Job { dns_server: Some(server), ..Job::of(&net, vec![direct("https://a.contoso.com/")]) };
    job.short = short;
    let (seen, grown) = job.run_apart(&[]);
    let seen = &seen["https://a.contoso.com/"];
    assert!(is_as_wanted(seen, want), "{name} {want:?}: {seen:#?}");
    is_harmless(seen);
    assert!(grown < ROOM, "{name}: {grown} KiB");
    if name == "thousand-addresses" {
        let tcp = seen.tcp.evidence.as_ref().unwrap();
        assert_eq!(seen.name.evidence.as_ref().unwrap().addresses.len(), 64);
        assert_eq!((tcp.attempts.len(), tcp.untried), (8, 56));
    }
    if name == "harmful-alias" {
        let aliases = &seen.name.evidence.as_ref().unwrap().canonical_names;
        assert!(aliases.len() == 1 && aliases[0].is_ascii(), "{aliases:?}");
    }
}

/// The reply with these flags to a query, with so many answers; `records` is what they are on the wire.
fn reply(query: &[u8], flags: u16, answers: u16, records: &[u8]) -> Vec<u8> {
    // The question ends four octets behind the end of its name; behind it stands EDNS.
    let end = 12 + query[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
    let counts = [1, answers, 0, 0].map(u16::to_be_bytes).concat();
    [&query[..2], &flags.to_be_bytes(), &counts, &query[12..end], records].concat()
}

/// The reply that sends the client to TCP.
fn cut(query: &[u8]) -> Vec<Vec<u8>> {
    vec![reply(query, 0x8380, 0, &[])]
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

fn alias(from: &str, to: &str) -> Vec<u8> {
    record(from, 5, &name(to))
}

/// 127.0.0.0 and so many.
fn address(owner: &str, host: u32) -> Vec<u8> {
    record(owner, 1, &(0x7f00_0000 + host).to_be_bytes())
}

fn record(owner: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [&name(owner), kind.to_be_bytes().as_slice(), b"\0\x01\0\0\0\x3c", &length, data].concat()
}

fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat());
    labels.chain([0]).collect()
}
