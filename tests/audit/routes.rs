//! Whose proxy: what the operator states of a context, from the command line to the record and to the wire.

use std::collections::BTreeSet;

use lab::internet::Manner;

use super::*;

const THROUGH: &str = "proxy proxy.contoso.com:8080";

/// An audit of the healthy internet, with these arguments and variables besides.
async fn audit(spec: Spec, arguments: &[&str], variables: &[(&str, &str)]) -> (Lab, Output) {
    let lab = Lab::new(Options::default(), spec).await;
    let mut command = lab.command();
    for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"] {
        command.env_remove(name);
    }
    command.args([&lab.settings(), "--stage-timeout=5"]).args(arguments).envs(variables.iter().copied());
    let done = output(command).await;
    (lab, done)
}

/// The ways of a context's requirements, by whether their host ends so.
fn ways(run: &Value, context: &str, end: &str) -> [BTreeSet<String>; 2] {
    let mut ways = [BTreeSet::new(), BTreeSet::new()];
    for probe in run["probes"].as_array().unwrap() {
        if probe["contexts"].as_array().unwrap().iter().any(|one| one == context) {
            let bypassed = probe["target"]["host"].as_str().unwrap().ends_with(end);
            let id = probe["id"].as_str().unwrap();
            ways[usize::from(bypassed)].insert(id.split_once(' ').unwrap().1.to_owned());
        }
    }
    ways
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Requests for a host, with and without the proxy.
fn asked(lab: &Lab, host: &str) -> [usize; 2] {
    [Some("proxy.contoso.com"), None].map(|by| {
        lab.internet
            .count(|seen| matches!(seen, Seen::Request { via, host: h, .. } if via.as_deref() == by && h == host))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_bypassed_goes_directly_also_for_revocation_lists() {
    let arguments = [
        "--proxy=client-system=proxy.contoso.com:8080",
        "--no-proxy=client-system=*.notify.windows.com;<local>",
        "--proxy=system-winhttp=proxy.contoso.com:8080",
        "--no-proxy=system-winhttp=root-crl.contoso.example",
    ];
    let (lab, done) = audit(Spec::healthy(), &arguments, &[]).await;
    let run = lab.run();
    let errors = text(&done.stderr);
    assert_eq!(ways(&run, "client-system", ".notify.windows.com"), [set(&[THROUGH]), set(&["direct"])], "{errors}");
    let stated = run["settings"]["stated_proxies"].to_string();
    assert!(stated.contains("past it: *.notify.windows.com;<local>"), "{stated}");
    assert_eq!(asked(&lab, "crl.contoso.example"), [1, 0], "{}", run["revocation_lists"]);
    assert_eq!(asked(&lab, "root-crl.contoso.example"), [0, 1], "{}", run["revocation_lists"]);
    let routes: Vec<_> = run["requirements"].as_array().unwrap().iter().map(|r| r["route"].to_string()).collect();
    assert!(routes.iter().any(|route| route.contains("is on the bypass list")), "{routes:?}");
}

/// Elsewhere the settings of Windows count, which a test does not change.
#[cfg(not(windows))]
#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_this_machine_are_its_variables() {
    let variables = [
        ("https_proxy", "http://svc:hunter2@proxy.contoso.com:8080"),
        ("http_proxy", "http://proxy.contoso.com:8080"),
        ("no_proxy", "notify.windows.com"),
    ];
    let (lab, done) = audit(Spec::healthy(), &["--proxy=client-system=system"], &variables).await;
    let run = lab.run();
    let shown = [text(&done.stdout), text(&done.stderr), run.to_string()].concat();
    assert_eq!(ways(&run, "client-system", ".notify.windows.com"), [set(&[THROUGH]), set(&["direct"])], "{shown}");
    assert!(run["settings"]["stated_proxies"].to_string().contains("environment variables"), "{shown}");
    assert!(!shown.contains("hunter2"), "the password of a proxy is nobody's business");
    // A variable that cannot be followed leaves the way unknown, and that is no pass.
    let (lab, done) =
        audit(Spec::healthy(), &["--proxy=client-system=system"], &[("all_proxy", "socks5://proxy.contoso.com:1080")])
            .await;
    let run = lab.run();
    assert!(causes(&run, "not_observed").contains_key("route-unknown"), "{}", text(&done.stdout));
    assert_eq!(ways(&run, "client-system", "x"), [set(&[]), set(&[])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_decides_for_each_endpoint_and_each_revocation_list() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("proxy.pac");
    let text_of_script = "function FindProxyForURL(url, host) {
        if (dnsDomainIs(host, '.notify.windows.com') || host == 'root-crl.contoso.example') return 'DIRECT';
        return 'PROXY proxy.contoso.com:8080';
    }";
    std::fs::write(&script, text_of_script).unwrap();
    let places = ["client-system", "system-winhttp"].map(|of| format!("--proxy={of}=pac:{}", script.display()));
    let (lab, done) = audit(Spec::healthy(), &places.each_ref().map(String::as_str), &[]).await;
    if !cfg!(feature = "pac") {
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains("built without `pac`"), "{said}");
        return;
    }
    let run = lab.run();
    assert_eq!(ways(&run, "client-system", ".notify.windows.com"), [set(&[THROUGH]), set(&["direct"])]);
    assert!(run["settings"]["stated_proxies"].to_string().contains("script"), "{}", run["settings"]);
    assert_eq!(asked(&lab, "crl.contoso.example"), [1, 0], "{}", run["revocation_lists"]);
    assert_eq!(asked(&lab, "root-crl.contoso.example"), [0, 1], "{}", run["revocation_lists"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_of_a_proxy_is_used_and_its_password_kept() {
    let spec = || {
        let mut spec = Spec::healthy();
        for proxy in spec.proxies.iter_mut().filter(|proxy| proxy.name == "proxy.contoso.com") {
            proxy.manner = Manner::WantsBasic("c3ZjLWNtOmh1bnRlcjI6eA==");
        }
        spec
    };
    let account = ["--proxy=client-system=proxy.contoso.com:8080", "--proxy-user=proxy.contoso.com:8080=svc-cm"];
    let of_clients = |run: &Value| -> Vec<Value> {
        let id = |probe: &Value| probe["id"].as_str().unwrap().to_owned();
        let probes = run["probes"].as_array().unwrap().iter();
        let ids: BTreeSet<_> = probes.filter(|p| p["contexts"].to_string().contains("client-system")).map(id).collect();
        let seen = run["observations"].as_array().unwrap().iter();
        seen.filter(|seen| ids.contains(seen["probe"].as_str().unwrap())).cloned().collect()
    };
    let (lab, done) = audit(spec(), &account, &[("CMCOMPLY_PROXY_PASSWORD", "hunter2:x")]).await;
    let run = lab.run();
    let shown = [text(&done.stdout), text(&done.stderr), run.to_string()].concat();
    let seen = of_clients(&run);
    let tunnels = seen.iter().filter(|seen| seen["connect"]["evidence"]["account"] == "svc-cm").count();
    assert!(tunnels > 0 && seen.iter().all(|seen| seen["http"]["outcome"] == "ok"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("c3ZjLWNt"), "a password is in the output");

    let (lab, done) = audit(spec(), &account, &[("CMCOMPLY_PROXY_PASSWORD", "wrong")]).await;
    let failures = causes(&lab.run(), "fail");
    assert!(failures.contains_key("proxy-auth-failed"), "{failures:?}");
    assert_eq!(done.status.code(), Some(1));
    let (lab, _) = audit(spec(), &account[..1], &[]).await;
    assert!(causes(&lab.run(), "fail").contains_key("proxy-auth-required"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_whose_service_name_leads_elsewhere_is_named() {
    let spec = Spec::healthy()
        .name("cmg.contoso.com", lab::internet::Name::Alias("former.cloudapp.net".into()))
        // In the lab all names have one address, which would show that the two are the same.
        .name("blueridge.cloudapp.net", lab::internet::Name::NoData);
    let (lab, done) = audit(spec, &[], &[]).await;
    let run = lab.run();
    let found = run["judgements"].as_array().unwrap().iter().find(|one| one["cause"]["code"] == "gateway-alias");
    let found = found.unwrap_or_else(|| panic!("{}", text(&done.stdout)));
    let words = found["cause"]["text"].as_str().unwrap();
    assert!(
        words.starts_with("the service name leads to former.cloudapp.net, and not to the deployment name"),
        "{words}"
    );
    assert!(
        found["cause"]["remedy"].as_str().unwrap().starts_with("let the DNS record of cmg.contoso.com be an alias")
    );
}
