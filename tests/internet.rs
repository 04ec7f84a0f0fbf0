//! The pretend internet, judged by clients that nobody here wrote: curl, OpenSSL and dig.

mod lab;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use cmcomply::probe::ConnectTo;
use lab::internet::{Behaviour, Internet, Manner, Name, ProxySpec, Seen, Spec};

/// A spec with one host of each behaviour.
fn one_of_each() -> Spec {
    use Behaviour::*;
    Spec::default()
        .known("contoso.com")
        .host("missing.contoso.com", Status(404))
        .host("captive.contoso.com", Status(511))
        .host("moved.contoso.com", Redirect(302, "https://healthy.contoso.com/".into()))
        .host("inspected.contoso.com", ForeignCa)
        .host("expired.contoso.com", Expired)
        .host("wrong.contoso.com", WrongName)
        .host("self.contoso.com", SelfSigned)
        .host("reset.contoso.com", ResetInHandshake)
        .host("alert.contoso.com", TlsAlert)
        .host("mute.contoso.com", HandshakeSilence)
        .host("late-reset.contoso.com", ResetAfterTls)
        .host("late-mute.contoso.com", HttpSilence)
        .host("garbage.contoso.com", HttpGarbage)
        .host("page.contoso.com", BlockPage(200))
        .host("page403.contoso.com", BlockPage(403))
        .host("endless.contoso.com", EndlessHeaders)
        .host("huge.contoso.com", HugeHeaders)
        .host("slow.contoso.com", SlowLoris)
        .host("refused.contoso.com", Refused)
        .host("half.contoso.com:8443", Refused)
        .host("blocked.contoso.com", Blocked)
        .name("gone.contoso.com", Name::NxDomain)
        .proxy(ProxySpec::new("proxy.contoso.com", 8080).host("denied.contoso.com", BlockPage(403)))
        .proxy(ProxySpec::new("strict.contoso.com", 3128).manner(Manner::WantsCredentials))
        .proxy(ProxySpec::new("curious.contoso.com", 8080).manner(Manner::Inspecting))
        .proxy(ProxySpec::new("silent.contoso.com", 8080).manner(Manner::Silent))
        .proxy(ProxySpec::new("odd.contoso.com", 8080).manner(Manner::Garbage))
}

#[test]
fn https_servers_behave_as_curl_sees_it() {
    let net = Internet::start_blocking(one_of_each());
    let Some(curl) = Curl::new(&net) else { return };
    for (host, status, exit) in [
        ("healthy", 200, curl_exit::OK),
        ("missing", 404, curl_exit::OK),
        ("captive", 511, curl_exit::OK),
        ("moved", 302, curl_exit::OK),
        ("inspected", 0, curl_exit::CERTIFICATE),
        ("expired", 0, curl_exit::CERTIFICATE),
        ("wrong", 0, curl_exit::CERTIFICATE),
        ("self", 0, curl_exit::CERTIFICATE),
        ("page", 0, curl_exit::CERTIFICATE),
        ("reset", 0, curl_exit::TLS),
        ("alert", 0, curl_exit::TLS),
        ("mute", 0, curl_exit::TIMEOUT),
        ("late-reset", 0, curl_exit::RECEIVE),
        ("late-mute", 0, curl_exit::TIMEOUT),
        ("garbage", 0, curl_exit::NO_HTTP),
        ("slow", 200, curl_exit::TIMEOUT),
        ("refused", 0, curl_exit::CONNECT),
        #[cfg(target_os = "linux")]
        ("blocked", 0, curl_exit::TIMEOUT),
    ] {
        let seen = curl.get(&format!("https://{host}.contoso.com/"), &[]);
        assert_eq!((seen.status, seen.exit), (status, exit), "{host}: {seen:?}");
    }
}
