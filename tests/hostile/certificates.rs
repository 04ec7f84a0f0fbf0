//! Certificates that mean harm; those that shall be trusted all the same are of the tests' own authority.

use std::net::SocketAddr;

use cmcomply::probe::{FailureCode, StageName};
use lab::internet::{Hostile, Talk};
use rcgen::SanType;
use rcgen::string::Ia5String;

use super::probing::authority::Authority;
use super::probing::{Job, direct};
use super::{ROOM, Want, is_as_wanted, is_harmless};

#[test]
fn chains() {
    use FailureCode as C;
    let authority = Authority::new("Contoso Lab Test Root CA");
    let good = |name: &str| authority.chain(&[&format!("{name}.contoso.com")]);
    let with = |name: &str, more: Vec<Vec<u8>>| {
        let (chain, key) = good(name);
        ([chain, more].concat(), key)
    };
    let many_names: Vec<String> =
        (0..2000).map(|n| format!("n{n}.contoso.com")).chain(["many-names.contoso.com".into()]).collect();
    let nested = (0..10_000).fold(Vec::new(), |_, _| vec![0x30, 0x80]).repeat(10_000);
    let harmful = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\u{202e}\0 Contoso";
    let rows = [
        ("tickets", good("tickets"), Want::Reached),
        ("thousand", with("thousand", vec![authority.root(); 1000]), no_tls()),
        ("thousand-small", with("thousand-small", vec![vec![0x30, 0]; 1000]), Want::Reached),
        ("mebibyte", with("mebibyte", vec![vec![0x30; 1 << 20]]), no_tls()),
        ("nested", with("nested", vec![nested]), Want::Reached),
        ("many-names", authority.chain(&many_names.iter().map(String::as_str).collect::<Vec<_>>()), Want::Reached),
        (
            "harmful-subject",
            authority
                .chain_of(vec![SanType::DnsName(Ia5String::try_from("harmful-subject.contoso.com").unwrap())], harmful),
            Want::Reached,
        ),
        ("nul-name", authority.chain(&["nul-name.contoso.com\0.contoso.example"]), wrong_name()),
        ("harmful-name", authority.chain(&["harmful-name.contoso.com\u{1b}[2J\r\n"]), wrong_name()),
        ("wildcard", authority.chain(&["*.com", "*", "*.*.com", "*.contoso.com.", ""]), wrong_name()),
        ("no-der", (vec![b"no DER \x1b[2J\0".to_vec()], good("x").1), unusable()),
        ("cut-der", (vec![good("x").0[0][..200].to_vec()], good("x").1), unusable()),
        ("nothing", (vec![Vec::new()], good("x").1), unusable()),
        ("nobody", (Vec::new(), good("x").1), no_tls()),
        (
            "somebody-elses",
            (good("somebody-elses").0, good("x").1),
            Want::Fails(StageName::Tls, C::CertificateInvalid, ""),
        ),
    ];
    let hostile = Hostile::new();
    let mut job = Job::new(Vec::new());
    job.extra_roots = vec![authority.root()];
    let answer = Talk::Say(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into());
    for (name, (chain, key), _) in &rows {
        let address: SocketAddr = hostile.https(chain, key, answer.clone());
        job.connect_to.push(format!("{name}.contoso.com:443:127.0.0.1:{}", address.port()));
        job.probes.push(direct(&url(name)));
    }
    let (seen, grown) = job.run_apart(&[]);
    for (name, _, want) in &rows {
        let seen = &seen[&url(name)];
        assert!(is_as_wanted(seen, *want), "{name} {want:?}: {seen:#?}");
        is_harmless(seen);
        let chain = seen.tls.evidence.as_ref().map_or(&[][..], |tls| &tls.chain);
        assert!(chain.len() <= 16 && chain.iter().all(|certificate| certificate.names.len() <= 64), "{name}");
    }
    assert!(grown < ROOM, "{grown} KiB");
}

fn url(name: &str) -> String {
    format!("https://{name}.contoso.com/")
}

fn no_tls() -> Want {
    Want::Fails(StageName::Tls, FailureCode::TlsProtocol, "TLS handshake with")
}

fn wrong_name() -> Want {
    Want::Fails(StageName::Trust, FailureCode::CertificateWrongName, "certificate of")
}

fn unusable() -> Want {
    Want::Fails(StageName::Tls, FailureCode::CertificateInvalid, "cannot be used")
}
