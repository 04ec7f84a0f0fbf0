//! The pretend internet, judged by clients that nobody here wrote: curl, OpenSSL and dig.

#[path = "internet/clients.rs"]
mod clients;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clients::{Curl, curl_exit, have, limit, pem_file, url_of};
use cmcomply::probe::ConnectTo;
use lab::internet::{Behaviour, Internet, Manner, Name, ProxySpec, Seen, Spec};

/// A spec with a host of each behaviour and a proxy of each manner.
fn one_of_each() -> Spec {
    use Behaviour as B;
    Spec::default()
        .known("contoso.com")
        .host("missing.contoso.com", B::Status(404))
        .host("captive.contoso.com", B::Status(511))
        .host("moved.contoso.com", B::Redirect(302, "https://healthy.contoso.com/".into()))
        .host("inspected.contoso.com", B::ForeignCa)
        .host("expired.contoso.com", B::Expired)
        .host("wrong.contoso.com", B::WrongName)
        .host("self.contoso.com", B::SelfSigned)
        .host("reset.contoso.com", B::ResetInHandshake)
        .host("alert.contoso.com", B::TlsAlert)
        .host("mute.contoso.com", B::HandshakeSilence)
        .host("late-reset.contoso.com", B::ResetAfterTls)
        .host("late-mute.contoso.com", B::HttpSilence)
        .host("garbage.contoso.com", B::HttpGarbage)
        .host("page.contoso.com", B::BlockPage(200))
        .host("page403.contoso.com", B::BlockPage(403))
        .host("endless.contoso.com", B::EndlessHeaders)
        .host("huge.contoso.com", B::HugeHeaders)
        .host("slow.contoso.com", B::SlowLoris)
        .host("refused.contoso.com", B::Refused)
        .host("half.contoso.com:8531", B::Refused)
        .host("blocked.contoso.com", B::Blocked)
        .name("gone.contoso.com", Name::NxDomain)
        .name("broken.contoso.com", Name::ServFail)
        .name("nothing.contoso.com", Name::NoData)
        .name("quiet.contoso.com", Name::Silence)
        .name("noise.contoso.com", Name::Garbage)
        .name("long.contoso.com", Name::TcpOnly)
        .name(
            "many.contoso.com",
            Name::Addresses(["127.0.0.1", "127.0.0.2", "::1"].map(|a| a.parse().expect("an address")).into()),
        )
        .name("alias.contoso.com", Name::Alias("hop.contoso.com".into()))
        .name("hop.contoso.com", Name::Alias("healthy.contoso.com".into()))
        .name("dead-end.contoso.com", Name::Alias("service.cloudapp.example".into()))
        .name("circle.contoso.com", Name::Alias("circle.contoso.com".into()))
        .proxy(ProxySpec::new("proxy.contoso.com", 8080).host("denied.contoso.com", B::BlockPage(403)))
        .proxy(ProxySpec::new("strict.contoso.com", 3128).manner(Manner::WantsCredentials))
        .proxy(ProxySpec::new("curious.contoso.com", 8080).manner(Manner::Inspecting))
        .proxy(ProxySpec::new("silent.contoso.com", 8080).manner(Manner::Silent))
        .proxy(ProxySpec::new("odd.contoso.com", 8080).manner(Manner::Garbage))
        .https_port(8531)
        .http_port(8530)
}

#[test]
fn https_servers_as_curl_sees_them() {
    let net = Internet::start_blocking(one_of_each());
    let Some(curl) = Curl::new(&net) else { return };
    for (host, status, exit, words) in [
        ("healthy", 200, curl_exit::OK, ""),
        ("missing", 404, curl_exit::OK, ""),
        ("captive", 511, curl_exit::OK, ""),
        ("inspected", 0, curl_exit::CERTIFICATE, "certificate"),
        ("expired", 0, curl_exit::CERTIFICATE, "expired"),
        ("wrong", 0, curl_exit::CERTIFICATE, "no alternative certificate subject name matches"),
        ("self", 0, curl_exit::CERTIFICATE, "self-signed certificate"),
        ("page", 0, curl_exit::CERTIFICATE, "certificate"),
        ("reset", 0, curl_exit::TLS, ""),
        ("alert", 0, curl_exit::TLS, "handshake failure"),
        ("mute", 0, curl_exit::TIMEOUT, ""),
        ("late-reset", 0, curl_exit::RECEIVE, ""),
        ("late-mute", 0, curl_exit::TIMEOUT, ""),
        ("garbage", 0, curl_exit::NO_HTTP, ""),
        ("refused", 0, curl_exit::CONNECT, ""),
        #[cfg(target_os = "linux")]
        ("blocked", 0, curl_exit::TIMEOUT, ""),
    ] {
        let seen = curl.get(&format!("https://{host}.contoso.com/"), limit(exit));
        assert_eq!((seen.status, seen.exit), (status, exit), "{host}: {seen:?}");
        assert!(seen.message.to_lowercase().contains(words), "{host}: {seen:?}");
    }
    let moved = curl.get("https://moved.contoso.com/", &["--location"]);
    assert_eq!((moved.status, moved.exit), (200, curl_exit::OK), "{moved:?}");
}

#[test]
fn answers_that_never_end_as_curl_sees_them() {
    let net = Internet::start_blocking(one_of_each());
    let Some(curl) = Curl::new(&net) else { return };
    // curl's own bounds differ between its versions; none takes this for an answer.
    for host in ["endless", "huge", "slow"] {
        let seen = curl.get(&format!("https://{host}.contoso.com/"), &["--max-time", "4"]);
        assert!(![curl_exit::OK, curl_exit::CONNECT, curl_exit::TLS].contains(&seen.exit), "{host}: {seen:?}");
        assert_eq!(net.count(|seen| matches!(seen, Seen::Request { host: h, .. } if h.starts_with(host))), 1, "{host}");
    }
}

#[test]
fn plain_http_servers_as_curl_sees_them() {
    let net = Internet::start_blocking(one_of_each());
    let Some(curl) = Curl::new(&net) else { return };
    for (host, status, exit) in [
        ("healthy", 200, curl_exit::OK),
        ("missing", 404, curl_exit::OK),
        ("expired", 200, curl_exit::OK),
        ("page", 200, curl_exit::OK),
        ("page403", 403, curl_exit::OK),
        ("reset", 0, curl_exit::RECEIVE),
        ("mute", 0, curl_exit::TIMEOUT),
        ("garbage", 0, curl_exit::NO_HTTP),
        ("refused", 0, curl_exit::CONNECT),
    ] {
        let seen = curl.get(&format!("http://{host}.contoso.com:8530/x"), limit(exit));
        assert_eq!((seen.status, seen.exit), (status, exit), "{host}: {seen:?}");
    }
    let page = curl.get("http://page.contoso.com/", &[]);
    assert!(page.body.contains("blocked by your administrator"), "{page:?}");
    let head = curl.get("http://healthy.contoso.com/", &["--head"]);
    assert_eq!((head.status, head.exit), (200, curl_exit::OK), "{head:?}");
}

#[test]
fn only_the_port_that_is_named_refuses() {
    let net = Internet::start_blocking(one_of_each());
    let Some(curl) = Curl::new(&net) else { return };
    assert_eq!(curl.get("https://half.contoso.com:8531/", &[]).exit, curl_exit::CONNECT);
    assert_eq!(curl.get("https://half.contoso.com/", &[]).status, 200);
    assert_eq!(curl.get("https://healthy.contoso.com:8531/", &[]).status, 200);
}

#[test]
fn proxies_as_curl_sees_them() {
    let net = Internet::start_blocking(one_of_each());
    let Some(curl) = Curl::new(&net) else { return };
    // proxy, URL, the proxy's answer to CONNECT, the status, curl's exit code
    for (proxy, url, connect, status, exit) in [
        ("proxy", "https://healthy.contoso.com/", 200, 200, curl_exit::OK),
        ("proxy", "https://missing.contoso.com/", 200, 404, curl_exit::OK),
        ("proxy", "https://inspected.contoso.com/", 200, 0, curl_exit::CERTIFICATE),
        ("proxy", "https://reset.contoso.com/", 200, 0, curl_exit::TLS),
        ("proxy", "https://denied.contoso.com/", 403, 0, curl_exit::RECEIVE),
        ("proxy", "https://page403.contoso.com/", 403, 0, curl_exit::RECEIVE),
        ("proxy", "https://page.contoso.com/", 200, 0, curl_exit::TLS),
        ("proxy", "https://gone.contoso.com/", 503, 0, curl_exit::RECEIVE),
        ("proxy", "https://refused.contoso.com/", 503, 0, curl_exit::RECEIVE),
        ("proxy", "https://blocked.contoso.com/", 504, 0, curl_exit::RECEIVE),
        ("proxy", "https://healthy.contoso.com:9/", 503, 0, curl_exit::RECEIVE),
        ("proxy", "http://healthy.contoso.com/", 0, 200, curl_exit::OK),
        ("proxy", "http://page.contoso.com/", 0, 200, curl_exit::OK),
        ("proxy", "http://denied.contoso.com/", 0, 403, curl_exit::OK),
        ("proxy", "http://gone.contoso.com/", 0, 503, curl_exit::OK),
        ("proxy", "http://blocked.contoso.com/", 0, 504, curl_exit::OK),
        ("proxy", "http://reset.contoso.com/", 0, 502, curl_exit::OK),
        ("proxy", "http://garbage.contoso.com/", 0, 502, curl_exit::OK),
        ("strict", "https://healthy.contoso.com/", 407, 0, curl_exit::RECEIVE),
        ("strict", "http://healthy.contoso.com/", 0, 407, curl_exit::OK),
        ("curious", "https://healthy.contoso.com/", 200, 0, curl_exit::CERTIFICATE),
        ("silent", "https://healthy.contoso.com/", 0, 0, curl_exit::TIMEOUT),
        ("silent", "http://healthy.contoso.com/", 0, 0, curl_exit::TIMEOUT),
        ("odd", "http://healthy.contoso.com/", 0, 0, curl_exit::NO_HTTP),
    ] {
        let seen = curl.get(url, &[limit(exit), &["--proxy", &url_of(&net, proxy)]].concat());
        assert_eq!((seen.connect, seen.status, seen.exit), (connect, status, exit), "{proxy} {url}: {seen:?}");
    }
    let odd = curl.get("https://healthy.contoso.com/", &["--proxy", &url_of(&net, "odd")]);
    assert!(odd.connect == 0 && odd.exit != curl_exit::OK, "{odd:?}");
    let refused = curl.get("http://denied.contoso.com/", &["--include", "--proxy", &url_of(&net, "proxy")]);
    assert!(refused.body.contains("X-Squid-Error: ERR_ACCESS_DENIED 0"), "{refused:?}");
    assert!(refused.body.contains("Via: 1.1 proxy.contoso.com (squid)"), "{refused:?}");
    let strict = curl.get("http://healthy.contoso.com/", &["--include", "--proxy", &url_of(&net, "strict")]);
    for scheme in ["Negotiate", "NTLM", "Basic realm="] {
        assert!(strict.body.contains(&format!("Proxy-Authenticate: {scheme}")), "{strict:?}");
    }
}

#[test]
fn openssl_verifies_the_chain_in_both_versions_of_tls() {
    let net = Internet::start_blocking(one_of_each());
    if !have("openssl", "version", "OpenSSL") {
        return;
    }
    let ca = pem_file(&net.ca_pem());
    let foreign = pem_file(&net.foreign_ca_pem());
    let ask = |host: &str, ca: &tempfile::NamedTempFile, version: &str| {
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", version, "-showcerts", "-verify_return_error", "-CAfile"]).arg(ca.path());
        openssl.args(["-servername", host, "-verify_hostname", host, "-connect", &net.server(443).to_string()]);
        let output = openssl.stdin(Stdio::null()).output().unwrap();
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
    };
    for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let good = ask("healthy.contoso.com", &ca, version);
        assert!(good.contains("Verification: OK") && good.contains(name), "{good}");
        assert!(good.contains("Contoso Lab Issuing CA"), "{good}");
        assert_eq!(good.matches("BEGIN CERTIFICATE").count(), 2, "leaf and intermediate: {good}");
        let inspected = ask("inspected.contoso.com", &foreign, version);
        assert!(inspected.contains("Verification: OK"), "{inspected}");
        assert!(inspected.contains("Contoso Web Filter Issuing CA"), "{inspected}");
        let alert = ask("alert.contoso.com", &ca, version);
        assert!(alert.contains("alert handshake failure"), "{alert}");
        let reset = ask("reset.contoso.com", &ca, version);
        assert!(
            reset.contains(if cfg!(windows) { "errno=10054" } else { "errno=104" }) || cfg!(target_os = "macos"),
            "{reset}"
        );
    }
}

#[test]
fn the_dns_server_as_dig_sees_it() {
    let net = Internet::start_blocking(one_of_each());
    if !have("dig", "-v", "DiG") {
        return;
    }
    let ask = |arguments: &[&str]| {
        let mut dig = Command::new("dig");
        dig.args([&format!("@{}", net.dns().ip()), "-p", &net.dns().port().to_string(), "+tries=1", "+time=1"]);
        String::from_utf8_lossy(&dig.args(arguments).output().unwrap().stdout).into_owned()
    };
    for (arguments, status, answers) in [
        (&["healthy.contoso.com", "A"][..], "NOERROR", 1),
        (&["HeaLthy.Contoso.com", "A", "+tcp"], "NOERROR", 1),
        (&["healthy.contoso.com", "AAAA"], "NOERROR", 0),
        (&["many.contoso.com", "A"], "NOERROR", 2),
        (&["many.contoso.com", "AAAA"], "NOERROR", 1),
        (&["proxy.contoso.com", "A"], "NOERROR", 1),
        (&["elsewhere.example", "A"], "NXDOMAIN", 0),
        (&["gone.contoso.com", "A"], "NXDOMAIN", 0),
        (&["broken.contoso.com", "A"], "SERVFAIL", 0),
        (&["nothing.contoso.com", "A"], "NOERROR", 0),
        (&["alias.contoso.com", "A"], "NOERROR", 3),
        (&["dead-end.contoso.com", "A"], "NXDOMAIN", 1),
        (&["circle.contoso.com", "A"], "SERVFAIL", 0),
        (&["long.contoso.com", "A"], "NOERROR", 1),
    ] {
        let said = ask(arguments);
        assert!(said.contains(&format!("status: {status},")), "{arguments:?}: {said}");
        assert!(said.contains(&format!("ANSWER: {answers},")), "{arguments:?}: {said}");
        assert!(!said.contains("WARNING") && !said.contains("malformed"), "{arguments:?}: {said}");
    }
    assert!(ask(&["long.contoso.com", "A"]).contains("Truncated, retrying in TCP mode"));
    assert!(ask(&["alias.contoso.com", "A"]).contains("CNAME\thop.contoso.com."));
    for name in ["quiet.contoso.com", "noise.contoso.com"] {
        assert!(!ask(&[name, "A"]).contains("status:"), "{name}");
    }
}

#[test]
fn the_record_tells_who_was_asked_for_what() {
    let net = Internet::start_blocking(one_of_each());
    let Some(curl) = Curl::new(&net) else { return };
    curl.get("https://healthy.contoso.com/a?b", &[]);
    curl.get("https://healthy.contoso.com/", &["--head", "--proxy", &url_of(&net, "proxy")]);
    curl.get("http://healthy.contoso.com:8530/c", &["--proxy", &url_of(&net, "proxy")]);
    let (host, proxy) = ("healthy.contoso.com".to_owned(), "proxy.contoso.com".to_owned());
    let request = |via: Option<&String>, port, method: &str, path: &str| Seen::Request {
        via: via.cloned(),
        host: host.clone(),
        port,
        method: method.into(),
        path: path.into(),
    };
    let handshake = |via: Option<&String>| Seen::Handshake { via: via.cloned(), host: host.clone(), port: 443 };
    let expected = [
        Seen::Connection { port: 443, proxy: None },
        handshake(None),
        request(None, 443, "GET", "/a?b"),
        Seen::Connection { port: 8080, proxy: Some(proxy.clone()) },
        Seen::Connect { proxy: proxy.clone(), host: host.clone(), port: 443 },
        handshake(Some(&proxy)),
        request(Some(&proxy), 443, "HEAD", "/"),
        Seen::Connection { port: 8080, proxy: Some(proxy.clone()) },
        request(Some(&proxy), 8530, "GET", "/c"),
    ];
    assert_eq!(net.seen(), expected);
    assert_eq!(net.count(|seen| matches!(seen, Seen::Connect { .. })), 1);
}

#[test]
fn queries_are_counted() {
    let net = Internet::start_blocking(one_of_each());
    if !have("dig", "-v", "DiG") {
        return;
    }
    let port = net.dns().port().to_string();
    let dig = Command::new("dig").args(["@127.0.0.1", "-p", &port, "Healthy.contoso.com", "AAAA"]).output().unwrap();
    assert!(dig.status.success());
    let expected = Seen::Query { name: "healthy.contoso.com".into(), kind: "AAAA".into(), tcp: false };
    assert_eq!(net.seen(), [expected]);
}

#[test]
fn the_black_hole_swallows_and_the_closed_port_refuses() {
    let net = Internet::start_blocking(Spec::default());
    let refused = TcpStream::connect_timeout(&net.closed(), Duration::from_secs(10)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    // A second and a half holds the first repetition of the SYN too.
    let swallowed = TcpStream::connect_timeout(&net.black_hole(), Duration::from_millis(1500)).unwrap_err();
    let expected = if cfg!(windows) { ErrorKind::ConnectionRefused } else { ErrorKind::TimedOut };
    assert_eq!(swallowed.kind(), expected);
}

#[test]
fn it_ends_when_it_is_dropped() {
    let net = Internet::start_blocking(one_of_each());
    let (server, mute) = (net.server(80), TcpStream::connect(net.server(443)).unwrap());
    TcpStream::connect(server).unwrap().write_all(b"GET / HTTP/1.1\r\n").unwrap();
    drop(net);
    mute.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let end = (&mute).read(&mut [0]);
    assert!(matches!(&end, Ok(0)) || end.as_ref().is_err_and(|e| e.kind() == ErrorKind::ConnectionReset), "{end:?}");
    let limit = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(server).is_ok() {
        assert!(Instant::now() < limit, "the server still listens");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn it_starts_and_ends_inside_a_runtime_too() {
    let net = Internet::start(one_of_each()).await;
    assert!(TcpStream::connect(net.server(443)).is_ok());
}

#[test]
fn every_rule_is_one_that_the_product_reads() {
    let net = Internet::start_blocking(Spec::contoso());
    let rules = net.connect_to();
    for rule in &rules {
        assert_eq!(&rule.parse::<ConnectTo>().unwrap().to_string(), rule);
    }
    let first = |host: &str, port: u16| {
        let host = cmcomply::host::HostOrAddress::parse(host).unwrap();
        let rules = rules.iter().map(|rule| rule.parse::<ConnectTo>().unwrap());
        rules.into_iter().find(|rule| rule.applies(&host, port)).unwrap().to_port.unwrap()
    };
    assert_eq!(first("granitefalls.westus.cloudapp.azure.com", 10_125), net.closed().port());
    assert_eq!(first("granitefalls.westus.cloudapp.azure.com", 10_124), net.server(10_124).port());
    assert_eq!(first("ceuswatcab02.blob.core.windows.net", 443), net.black_hole().port());
    assert_eq!(first("proxy.contoso.com", 8080), net.proxy("proxy.contoso.com").port());
    assert_eq!(first("graph.microsoft.com", 443), net.server(443).port());
}

#[test]
fn contoso_has_its_picture() {
    let net = Internet::start_blocking(Spec::contoso());
    let Some(curl) = Curl::new(&net) else { return };
    let (open, strict) = (url_of(&net, "proxy"), url_of(&net, "proxy-us"));
    for (url, proxy, status, exit) in [
        ("https://graph.microsoft.com/", None, 200, curl_exit::OK),
        ("https://management.azure.com/", Some(&open), 400, curl_exit::OK),
        ("https://aka.ms/configmgrgateway", Some(&open), 301, curl_exit::OK),
        ("https://login.microsoftonline.com/", None, 0, curl_exit::CERTIFICATE),
        ("https://login.microsoftonline.com/", Some(&open), 200, curl_exit::OK),
        ("https://definitionupdates.microsoft.com/", None, 200, curl_exit::OK),
        ("https://definitionupdates.microsoft.com/", Some(&open), 0, curl_exit::CERTIFICATE),
        ("https://umwatsonc.events.data.microsoft.com/", Some(&open), 0, curl_exit::RECEIVE),
        ("https://ceuswatcab01.blob.core.windows.net/", Some(&open), 0, curl_exit::TLS),
        ("https://graph.microsoft.com/", Some(&strict), 0, curl_exit::RECEIVE),
        ("https://granitefalls.westus.cloudapp.azure.com:10124/", None, 403, curl_exit::OK),
        ("https://granitefalls.westus.cloudapp.azure.com:10125/", None, 0, curl_exit::CONNECT),
        ("https://cmg.contoso.com/", Some(&open), 0, curl_exit::RECEIVE),
        ("http://windowsupdate.microsoft.com/", Some(&open), 200, curl_exit::OK),
        ("http://ntservicepack.microsoft.com/", Some(&open), 503, curl_exit::OK),
        ("http://cm-cas.corp.contoso.com:8530/", None, 200, curl_exit::OK),
    ] {
        let seen = match proxy {
            Some(proxy) => curl.get(url, &["--proxy", proxy]),
            None => curl.get(url, &[]),
        };
        assert_eq!((seen.status, seen.exit), (status, exit), "{url} {proxy:?}: {seen:?}");
    }
}
