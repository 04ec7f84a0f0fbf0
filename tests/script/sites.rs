//! One target from sites behind different firewalls: the core there says what our own probe says there.
//!
//! Real packets in network namespaces, so it needs Linux and root; elsewhere it says that it was skipped.

use std::collections::BTreeMap;

use cmcomply::probe::{FailureCode, StageName};

use crate::mono::{Machine, differences, plan};
use crate::probing::authority::Authority;
use crate::probing::direct;
use crate::world::{self, World};

#[test]
fn each_site_sees_what_its_firewall_does() {
    if !world::possible() {
        return;
    }
    let (lab, stranger) = (Authority::new("Contoso Lab Test Root CA"), Authority::new("Contoso Web Filter Root CA"));
    let names = ["many.contoso.internal", "blocked.contoso.internal"];
    let addresses = world::ADDRESSES.map(str::to_owned).to_vec();
    let mut hosts: BTreeMap<_, _> = names.map(|name| (name.to_owned(), addresses.clone())).into();
    hosts.insert("both.contoso.internal".to_owned(), vec![world::ADDRESS_V6.to_owned(), addresses[0].clone()]);
    let Some(mut machine) = Machine::with(&hosts, &crate::hostile::pem(&lab)) else { return };
    let folder = tempfile::tempdir().unwrap();
    let [good, foreign] = [(&lab, "good.pem"), (&stranger, "foreign.pem")].map(|(authority, name)| {
        let file = folder.path().join(name);
        let names = [names[0], names[1], "both.contoso.internal"];
        std::fs::write(&file, authority.pem(&names)).unwrap();
        file
    });
    let mut world = World::new();
    let sites = [
        ("open", None),
        ("drop", Some((StageName::Tcp, FailureCode::TcpTimeout))),
        ("reset", Some((StageName::Tcp, FailureCode::TcpRefused))),
        ("prohibited", Some((StageName::Tcp, FailureCode::TcpUnreachable))),
        ("half", None),
        ("hole", Some((StageName::Tls, FailureCode::TlsTimeout))),
        ("captive", Some((StageName::Trust, FailureCode::CertificateUntrusted))),
        ("cut", Some((StageName::Tcp, FailureCode::TcpUnreachable))),
        ("sni", None),
        ("sink", Some((StageName::Tcp, FailureCode::TcpError))),
    ];
    for (site, _) in sites {
        world.site(site, false);
    }
    world.cut("cut");
    world.tell_every_error();
    world.firewall(FIREWALL);
    world.reset_at("sni", "blocked.contoso.internal");
    world.serve(443, &good);
    world.serve(8443, &foreign);
    let probes = ["many", "blocked", "both"].map(|name| direct(&format!("https://{name}.contoso.internal/")));
    let plan = plan(probes.into(), 3000);
    for (site, expected) in sites {
        machine.before = world.at(site).to_vec();
        let (ours, theirs) = (machine.own(&plan), machine.told(&plan));
        let different = differences(&ours, &theirs);
        assert!(different.is_empty(), "{site}: {}", different.concat());
        let failed = theirs.observations[0].first_failure().map(|(stage, failure)| (stage, failure.code));
        assert_eq!(failed, expected, "{site}");
        let blocked = theirs.observations[1].first_failure().map(|(stage, failure)| (stage, failure.code));
        let expected = if site == "sni" { Some((StageName::Tls, FailureCode::TlsReset)) } else { expected };
        assert_eq!(blocked, expected, "{site}");
    }
}

const FIREWALL: &str = r#"
table inet firewall {
    chain input {
        type filter hook input priority 0; policy accept;
        iifname "drop" tcp dport 443 drop
        iifname "reset" tcp dport 443 reject with tcp reset
        iifname "prohibited" tcp dport 443 reject with icmpx type admin-prohibited
        iifname "half" ip daddr 198.51.100.2 tcp dport 443 drop
        iifname "hole" tcp dport 443 meta length > 200 drop
        iifname "sink" ip daddr 198.51.100.1 tcp dport 443 reject with tcp reset
        iifname "sink" ip daddr 198.51.100.2 tcp dport 443 drop
    }
    chain before {
        type nat hook prerouting priority -100; policy accept;
        iifname "captive" tcp dport 443 redirect to :8443
    }
}
"#;
