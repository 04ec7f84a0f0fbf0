//! From the first failing stage to a cause and a remedy in words. One table.

use super::verdict::Cause;
use crate::derive::Via;
use crate::plan::Probe;
use crate::probe::{Failure, FailureCode, Observation, StageName};

/// What the first failure of an observation means and what to do, for the machine `from`; `None` if nothing failed.
pub fn explain(probe: &Probe, observation: &Observation, from: &str) -> Option<Cause> {
    let (stage, failure) = observation.first_failure()?;
    Some(of_failure(probe.target.host.as_str(), probe, observation, stage, failure, from))
}

/// What a failure means and what to do, for the machine `from`. `name` is what is required: a host or a pattern.
#[expect(clippy::too_many_lines, reason = "one table, one line for each kind of failure")]
pub(super) fn of_failure(
    name: &str,
    probe: &Probe,
    observation: &Observation,
    stage: StageName,
    failure: &Failure,
    from: &str,
) -> Cause {
    let target = &probe.target;
    let endpoint = format!("{}:{}", target.host, target.port);
    // Who is dialled: the target on a direct route, the proxy else.
    let (dialled, what) = match &probe.via {
        Via::Proxy { host, port } => (format!("{host}:{port}"), "the proxy"),
        Via::Direct | Via::Unknown => (endpoint.clone(), "the endpoint"),
    };
    let proxy = match &probe.via {
        Via::Proxy { host, port } => format!("{host}:{port}"),
        _ => "the proxy".to_owned(),
    };
    let proxy = match proxy_is(observation) {
        Some(product) => format!("{proxy} ({product})"),
        None => proxy,
    };
    let addresses = observation.tcp.evidence.as_ref().map_or(0, |tcp| tcp.attempts.len());
    let all = if addresses == 1 { "its address".to_owned() } else { format!("all {addresses} addresses") };
    let open = format!("ask for {from} -> {dialled} (TCP)");
    let dns_name = observation.name.evidence.as_ref().map_or_else(|| dialled.clone(), |name| name.asked.clone());
    let bypass = format!(
        "exempt {} from TLS inspection, or let the inspecting root be trusted where it is allowed",
        target.host
    );
    let (text, remedy) = match failure.code {
        FailureCode::NameNxdomain => (
            format!("the name {dns_name} does not exist (NXDOMAIN)"),
            "check the name and which DNS server answers; a filtering resolver may hide it".to_owned(),
        ),
        FailureCode::NameServfail => (
            format!("the DNS server failed to resolve {dns_name}"),
            "check the forwarders of the DNS server".to_owned(),
        ),
        FailureCode::NameTimeout => (
            format!("the DNS server did not answer for {dns_name}"),
            "check that the DNS server is up and reachable (UDP and TCP 53)".to_owned(),
        ),
        FailureCode::NameNoData => (
            format!("the name {dns_name} has no address"),
            "check which DNS server answers and whether it filters".to_owned(),
        ),
        FailureCode::NameError => {
            (format!("resolving {dns_name} failed"), "check the resolver of this machine".to_owned())
        }
        FailureCode::NameSinkhole => (
            format!("a DNS filter hides {dns_name}: its only address is a sinkhole"),
            format!("allow {dns_name} in the DNS filter, and look into the hosts file of {from}"),
        ),
        FailureCode::TcpRefused => (
            format!("{what} refused the connection on {all}"),
            format!("{open}; a refusal comes from a firewall that rejects, or nothing listens there"),
        ),
        FailureCode::TcpTimeout => {
            (format!("no answer from {all}: dropped on the way"), format!("{open}; a firewall drops it"))
        }
        FailureCode::TcpUnreachable => {
            (format!("the network has no route to {all}"), format!("{open}; check routing and rejecting firewalls"))
        }
        FailureCode::TcpForbidden => (
            format!("the machine itself forbids connections to {dialled}"),
            format!(
                "let the firewall of {from} allow outgoing TCP to {dialled}; look at its routes and security products"
            ),
        ),
        FailureCode::TcpReset => {
            (format!("the connection to {all} was reset"), format!("{open}; a device on the way resets it"))
        }
        FailureCode::TcpError => ("no address could be reached".to_owned(), format!("{open}; see the attempts")),
        FailureCode::ProxyAuthRequired => (
            format!("{proxy} wants credentials (407)"),
            format!(
                "let {from} use {proxy} without sign-in, or give its account with --proxy-user; cmcomply does not know \
                 the account of a site system's proxy"
            ),
        ),
        FailureCode::ProxyAuthFailed => (
            format!("{proxy} refused the account that was given for it (407)"),
            format!("check user and password of --proxy-user, and what {proxy} lets that account do"),
        ),
        FailureCode::ProxyRefused => {
            (proxy_status(observation, &proxy), format!("allow {endpoint} for {from} on {proxy}"))
        }
        FailureCode::ProxyTimeout => {
            (format!("{proxy} did not answer"), format!("check {proxy} and its own way to {endpoint}"))
        }
        FailureCode::ProxyBadReply => {
            (format!("{proxy} gave no HTTP answer"), format!("check that {proxy} is an HTTP proxy"))
        }
        FailureCode::TlsReset => (
            "the connection was cut during the TLS handshake".to_owned(),
            format!("allow {} in the filter that reads the server name (SNI)", target.host),
        ),
        FailureCode::TlsTimeout => (
            "the TLS handshake got no answer".to_owned(),
            format!("allow {} in the filter that reads the server name (SNI)", target.host),
        ),
        FailureCode::TlsAlert => (
            "the other end refused the TLS handshake".to_owned(),
            "check TLS versions and cipher suites, and whether a device inspects TLS".to_owned(),
        ),
        FailureCode::TlsProtocol => (
            "what came back is not TLS".to_owned(),
            format!("check what answers for {endpoint}: a filter or another service"),
        ),
        FailureCode::CertificateUntrusted => (issued_by(observation), bypass),
        FailureCode::CertificateExpired => {
            ("the certificate is out of date".to_owned(), "check the clock, and who serves this certificate".to_owned())
        }
        FailureCode::CertificateWrongName => (
            format!("the certificate is not for {}", target.host),
            "check DNS, and whether a device answers instead".to_owned(),
        ),
        FailureCode::CertificateInvalid => ("the certificate chain is faulty".to_owned(), bypass),
        FailureCode::CertificateTimeout => (
            "the certificate chain could not be judged in time".to_owned(),
            "check that revocation lists can be fetched (TCP 80)".to_owned(),
        ),
        FailureCode::HttpStatus => (
            http_status(observation),
            format!("ask who answers for {endpoint}; the product takes this status as not reached"),
        ),
        FailureCode::HttpBlockPage => (
            "a block page came instead of the endpoint".to_owned(),
            format!("allow {endpoint} for {from} in the web filter"),
        ),
        FailureCode::HttpTimeout => {
            ("connected, and no HTTP answer came".to_owned(), format!("check devices that inspect HTTP to {endpoint}"))
        }
        FailureCode::HttpReset => (
            "connected, and the connection was cut before an answer".to_owned(),
            format!("check devices that inspect HTTP to {endpoint}"),
        ),
        FailureCode::Internal => (
            "the probe itself broke; nothing was learned about the endpoint".to_owned(),
            "run the audit again; if it stays, report it as a defect of cmcomply".to_owned(),
        ),
        FailureCode::HttpProtocol => {
            ("the answer is not HTTP".to_owned(), format!("check what answers for {endpoint}"))
        }
        // Of fetched documents, which no requirement is judged by yet.
        FailureCode::HttpRedirect
        | FailureCode::DocumentTooLarge
        | FailureCode::DocumentInvalid
        | FailureCode::DocumentExpired => {
            ("the document is not as it should be".to_owned(), format!("check what answers for {endpoint}"))
        }
    };
    let for_host = if name == target.host.as_str() { String::new() } else { format!("{}: ", target.host) };
    Cause {
        code: code_name(failure.code),
        stage: Some(stage),
        text: format!("{for_host}{text}"),
        detail: Some(failure.detail.clone()),
        remedy,
    }
}

/// The stable name of a failure, as the documents write it.
pub(super) fn code_name(code: FailureCode) -> String {
    serde_json::to_value(code).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn issued_by(observation: &Observation) -> String {
    let chain = observation.tls.evidence.as_ref().map_or(&[][..], |tls| &tls.chain);
    match chain.last() {
        Some(last) => {
            format!("certificate not trusted here, issued by \"{}\": TLS inspection, or a missing root", last.issuer)
        }
        None => "certificate not trusted here".to_owned(),
    }
}

/// Which product the proxy is, where it said so.
fn proxy_is(observation: &Observation) -> Option<String> {
    observation.connect.evidence.as_ref().and_then(|connect| connect.product.clone())
}

fn proxy_status(observation: &Observation, proxy: &str) -> String {
    let connect = observation.connect.evidence.as_ref().and_then(|connect| connect.status);
    let http = observation.http.evidence.as_ref().and_then(|http| http.status);
    match (connect, http) {
        (_, Some(status)) => format!("{proxy} answered itself, with {status}"),
        (Some(status), None) => format!("{proxy} answered CONNECT with {status}"),
        (None, None) => format!("{proxy} refused CONNECT"),
    }
}

fn http_status(observation: &Observation) -> String {
    match observation.http.evidence.as_ref().and_then(|http| http.status) {
        Some(status) => format!("HTTP status {status}, which does not count as reached"),
        None => "an HTTP status that does not count as reached".to_owned(),
    }
}
