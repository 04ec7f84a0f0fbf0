//! One target seen from many networks: each site has its own firewall on the way, and each gets its own right answer.
//!
//! Real packets in network namespaces, so it needs Linux and root; elsewhere it says that it was skipped.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod probing;
#[path = "namespaces/world.rs"]
#[expect(unreachable_pub, reason = "a module of a test program")]
mod world;

use cmcomply::probe::{FailureCode, Observation, Outcome, StageName};
use probing::authority::Authority;
use probing::{Job, direct, failure};
use world::World;

const TARGET: &str = "https://many.contoso.com/";

#[test]
fn a_process_that_probes() {
    probing::child();
}

#[test]
fn each_site_sees_what_its_firewall_does() {
    if !world::possible() {
        return;
    }
    let (lab, stranger) = (Authority::new("Contoso Lab Test Root CA"), Authority::new("Contoso Web Filter Root CA"));
    let folder = tempfile::tempdir().unwrap();
    let [good, foreign] = [(&lab, "good.pem"), (&stranger, "foreign.pem")].map(|(authority, name)| {
        let file = folder.path().join(name);
        std::fs::write(&file, authority.pem(&["many.contoso.com", "blocked.contoso.com", "six.contoso.com"])).unwrap();
        file
    });
    let mut world = World::new();
    let sites =
        ["open", "drop", "reset", "prohibited", "half", "hole", "slow", "captive", "sni", "cut", "mixed", "forbidden"];
    for site in sites {
        world.site(site, false);
    }
    world.site("six", true);
    world.cut("cut");
    world.tell_every_error();
    world.forbid("forbidden");
    world.firewall(FIREWALL);
    world.reset_at("sni", "blocked.contoso.com");
    world.serve(443, &good);
    world.serve(8443, &foreign);

    let look_for = |url: &str, site: &str, short: Option<StageName>| -> Observation {
        let mut job = Job { short, ..Job::new(vec![direct(url)]) };
        job.extra_roots = vec![lab.root()];
        let v4 = world::ADDRESSES.map(|address| address.parse().unwrap()).to_vec();
        let v6 = vec![world::ADDRESS_V6.parse().unwrap()];
        let both = [&v6[..], &v4[..1]].concat();
        job.names = [("many", v4.clone()), ("blocked", v4), ("six", v6), ("both", both)]
            .map(|(name, addresses)| (format!("{name}.contoso.com"), addresses))
            .into();
        let at = world.at(site);
        job.run_apart(&at.each_ref().map(String::as_str)).0.remove(url).unwrap()
    };
    let look = |site| look_for(TARGET, site, None);

    // The same target from three sites: three answers.
    let open = look("open");
    assert!(open.reached(), "{open:#?}");
    assert_eq!(attempts(&open), [None, None]);
    let dropped = look_for(TARGET, "drop", Some(StageName::Tcp));
    let failed = failure(&dropped, StageName::Tcp, FailureCode::TcpTimeout);
    assert!(failed.detail.contains("connect to 198.51.100.1:443: no answer within"), "{failed:?}");
    assert_eq!(attempts(&dropped), [Some(FailureCode::TcpTimeout); 2]);
    let reset = look("reset");
    let failed = failure(&reset, StageName::Tcp, FailureCode::TcpRefused);
    assert!(failed.detail.contains("connect to 198.51.100.1:443: connection refused"), "{failed:?}");

    let prohibited = look("prohibited");
    let failed = failure(&prohibited, StageName::Tcp, FailureCode::TcpUnreachable);
    assert!(failed.detail.contains("host unreachable"), "{failed:?}");
    let cut = look("cut");
    let failed = failure(&cut, StageName::Tcp, FailureCode::TcpUnreachable);
    assert!(failed.detail.contains("network unreachable"), "{failed:?}");

    // The machine's own routes forbid it: nobody on the way is to blame.
    let forbidden = look("forbidden");
    let failed = failure(&forbidden, StageName::Tcp, FailureCode::TcpForbidden);
    assert!(failed.detail.starts_with("connect to 198.51.100.1:443: "), "{failed:?}");

    // One address refuses, and the other swallows.
    let mixed = look_for(TARGET, "mixed", Some(StageName::Tcp));
    failure(&mixed, StageName::Tcp, FailureCode::TcpError);
    assert_eq!(attempts(&mixed), [Some(FailureCode::TcpRefused), Some(FailureCode::TcpTimeout)]);

    // Only one of two addresses is open: reached, and the other is told.
    let half = look_for(TARGET, "half", Some(StageName::Tcp));
    assert!(half.reached(), "{half:#?}");
    assert_eq!(attempts(&half), [None, Some(FailureCode::TcpTimeout)]);

    // The connection opens, and what is long does not come through.
    let hole = look_for(TARGET, "hole", Some(StageName::Tls));
    assert_eq!(hole.tcp.outcome, Outcome::Ok);
    failure(&hole, StageName::Tls, FailureCode::TlsTimeout);

    // A filter that reads the server name: the same address, and one of two names.
    assert!(look("sni").reached());
    let blocked = look_for("https://blocked.contoso.com/", "sni", None);
    assert_eq!(blocked.tcp.outcome, Outcome::Ok);
    let failed = failure(&blocked, StageName::Tls, FailureCode::TlsReset);
    assert!(failed.detail.starts_with("TLS handshake with blocked.contoso.com at 198.51.100."), "{failed:?}");

    // The first packet of each connection is lost: the system sends it again after a second.
    let slow = look("slow");
    assert!(slow.reached(), "{slow:#?}");
    assert!(slow.tcp.took_us.unwrap() > 900_000, "{:?}", slow.tcp);

    // Somebody else answers at the same address.
    let captive = look("captive");
    failure(&captive, StageName::Trust, FailureCode::CertificateUntrusted);

    // IPv6: with a route, without one, and without one where IPv4 works too.
    let six = look_for("https://six.contoso.com/", "six", None);
    assert!(six.reached(), "{six:#?}");
    let no_six = look_for("https://six.contoso.com/", "open", None);
    failure(&no_six, StageName::Tcp, FailureCode::TcpUnreachable);
    let either = look_for("https://both.contoso.com/", "open", None);
    assert_eq!(either.tcp.outcome, Outcome::Ok, "{either:#?}");
    assert_eq!(attempts(&either).iter().filter(|a| **a == Some(FailureCode::TcpUnreachable)).count(), 1);
}

fn attempts(seen: &Observation) -> Vec<Option<FailureCode>> {
    let attempts = &seen.tcp.evidence.as_ref().unwrap().attempts;
    attempts.iter().map(|attempt| attempt.failure.as_ref().map(|failure| failure.code)).collect()
}

const FIREWALL: &str = r#"
table inet firewall {
    set seen { type inet_service; flags dynamic,timeout; timeout 60s; }
    chain input {
        type filter hook input priority 0; policy accept;
        iifname "drop" tcp dport 443 drop
        iifname "reset" tcp dport 443 reject with tcp reset
        iifname "mixed" ip daddr 198.51.100.1 tcp dport 443 reject with tcp reset
        iifname "mixed" tcp dport 443 drop
        iifname "prohibited" tcp dport 443 reject with icmpx type admin-prohibited
        iifname "half" ip daddr 198.51.100.2 tcp dport 443 drop
        iifname "hole" tcp dport 443 meta length > 200 drop
        iifname "slow" tcp dport 443 tcp flags & (syn|ack) == syn tcp sport != @seen add @seen { tcp sport } drop
    }
    chain before {
        type nat hook prerouting priority -100; policy accept;
        iifname "captive" tcp dport 443 redirect to :8443
    }
}
"#;
