//! The one table of causes: what each code means, its words and its remedy.
//!
//! `{…}` stands for a value of [`super::cause::Words`]. The codes are stable: reports, tickets and waivers name them.
//! `schema/causes.md` is made from this table.

/// A kind of cause.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Stable, kebab-case, unique.
    pub(super) code: &'static str,
    /// When it is given, for the documentation.
    pub(super) meaning: &'static str,
    /// What it is, in words.
    pub(super) text: &'static str,
    /// What to do, or to ask of whom.
    pub(super) remedy: &'static str,
}

/// The row of a code. A code without a row is a defect that a test shows.
pub(super) fn row(code: &str) -> &'static Row {
    TABLE.iter().find(|row| row.code == code).unwrap_or(&TABLE[0])
}

const fn row_of(code: &'static str, meaning: &'static str, text: &'static str, remedy: &'static str) -> Row {
    Row { code, meaning, text, remedy }
}

/// From the name up to the application; then what concerns no layer.
#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    row_of("internal", "The probe broke, by a defect of cmcomply or because the machine had no sockets left.",
        "the probe itself broke; nothing was learned about the endpoint",
        "run the audit again; if it stays, report it as a defect of cmcomply"),
    // Names
    row_of("name-nxdomain", "The DNS server says that the name does not exist.",
        "the name {name} does not exist (NXDOMAIN)",
        "check the name and which DNS server answers; a filtering resolver may hide it"),
    row_of("name-servfail", "The DNS server failed or refused.",
        "the DNS server failed to resolve {name}",
        "check the forwarders of the DNS server"),
    row_of("name-timeout", "The DNS server did not answer.",
        "the DNS server did not answer for {name}",
        "check that the DNS server is up and reachable (UDP and TCP 53)"),
    row_of("name-server-refused", "Nobody answers DNS at the port of the DNS server: the port refuses.",
        "the DNS server refuses questions: nobody answers DNS at its port",
        "check the address and port of the DNS server that {at} asks"),
    row_of("name-no-data", "The name exists and has no address.",
        "the name {name} has no address",
        "check which DNS server answers and whether it filters"),
    row_of("name-error", "The resolver gave something that is no answer.",
        "resolving {name} failed",
        "check the resolver of {at}"),
    row_of("name-sinkhole", "The only addresses are such as DNS filters give in the place of real ones.",
        "a DNS filter hides {name}: its only address is a sinkhole",
        "allow {name} in the DNS filter, and look into the hosts file of {from}"),
    // TCP
    row_of("tcp-refused", "Every address refused the connection.",
        "{tcp} refused the connection to {at}: a firewall rejects it, or nothing listens there",
        "ask for {from} -> {dialled} (TCP)"),
    row_of("tcp-timeout", "No address answered: packets are dropped.",
        "{tcp} timed out from {at}: dropped on the way by a firewall",
        "ask for {from} -> {dialled} (TCP)"),
    row_of("tcp-unreachable", "The network says that there is no way.",
        "the network of {at} has no route to {tcp}",
        "ask for {from} -> {dialled} (TCP); check routing and rejecting firewalls"),
    row_of("tcp-forbidden", "The machine itself forbids the connection.",
        "{at} itself forbids connections to {dialled}",
        "let the firewall of {from} allow outgoing TCP to {dialled}; look at its routes and security products"),
    row_of("tcp-reset", "The connection was reset as soon as it was open.",
        "{tcp} was reset as soon as it was open",
        "ask for {from} -> {dialled} (TCP); a device on the way resets it"),
    row_of("tcp-error", "The addresses failed in different ways; the attempts show how.",
        "{tcp} cannot be reached from {at}, each in its own way",
        "ask for {from} -> {dialled} (TCP); see the attempts"),
    // Proxy
    row_of("proxy-auth-required", "The proxy wants credentials (407).",
        "{proxy} wants credentials (407)",
        "let {from} use {proxy} without sign-in, or give its account with --proxy-user or in cmcomply.toml; cmcomply does not know the account \
         of a site system's proxy"),
    row_of("proxy-auth-failed", "The proxy refused the account that was given for it (407).",
        "{proxy} refused the account that was given for it (407)",
        "check the account and its password (--proxy-user, or cmcomply.toml), and what {proxy} lets that account do"),
    row_of("proxy-refused", "The proxy answered in the endpoint's place, with another status than success.",
        "{proxy} answered itself{status}",
        "allow {endpoint} for {from} on {proxy}"),
    row_of("proxy-timeout", "The proxy did not answer.",
        "{proxy} did not answer",
        "check {proxy} and its own way to {endpoint}"),
    row_of("proxy-bad-reply", "What answered is no HTTP proxy.",
        "{proxy} gave no HTTP answer",
        "check that {proxy} is an HTTP proxy"),
    // TLS
    row_of("tls-reset", "The connection was cut after the server name had been sent.",
        "the connection was cut during the TLS handshake: a filter that reads the server name (SNI)",
        "allow {host} for {from} in the filter that reads the server name"),
    row_of("tls-timeout", "TCP opened, and the handshake got no answer.",
        "connected, and the TLS handshake got no answer: a device on the way holds it back",
        "check devices that inspect TLS between {from} and {endpoint}"),
    row_of("tls-alert", "The other end refused the handshake.",
        "the other end refused the TLS handshake",
        "check TLS versions and cipher suites, and whether a device inspects TLS"),
    row_of("tls-no-suite", "None of the cipher suites that are documented for the endpoint is taken.",
        "none of the documented cipher suites is taken ({suites}): a device on the way ends TLS with suites of its own",
        "exempt {host} from TLS inspection, or allow the documented suites on the device that inspects"),
    row_of("tls-version", "The other end speaks no TLS 1.2 or 1.3, which the documentation asks for.",
        "what answers for {endpoint} speaks TLS 1.1 or older only",
        "turn TLS 1.2 on there, or exempt {host} from the device on the way that ends TLS"),
    row_of("tls-protocol", "What came back is no TLS, or broke its rules.",
        "what came back is not TLS",
        "check what answers for {endpoint}: a filter or another service"),
    // Certificates
    row_of("tls-inspected", "The certificate was issued by an authority of the customer's own, and TLS inspection is \
            documented as not supported for the endpoint.",
        "TLS is inspected, by \"{issuer}\", which is not supported for this endpoint",
        "exempt {host} from TLS inspection"),
    row_of("tls-inspected-untrusted", "The certificate of a public service was issued by an authority that neither the \
            public nor the machine trusts.",
        "TLS is inspected, by \"{issuer}\", whom {at} does not trust",
        "exempt {host} from TLS inspection, or let {from} trust the inspecting root where inspection is allowed"),
    row_of("tls-issuer-untold", "The other end sent its own certificate only, and who issued it does not show; TLS inspection \
            is documented as not supported for the endpoint. Nothing is proved.",
        "reached, and whether TLS is inspected on the way does not show: \"{issuer}\" issued the certificate, and nothing says \
         who that is",
        "check whether \"{issuer}\" is a device that inspects, and exempt {host} if so; else let {at} fetch issuers' \
         certificates over TCP 80 (AIA)"),
    row_of("certificate-untrusted", "The certificate of a host that may have its own authority leads to no trusted root.",
        "the certificate was issued by \"{issuer}\", whom {at} does not trust",
        "let {from} trust the authority of {host}, or exempt {host} from TLS inspection"),
    row_of("certificate-root-missing", "The chain leads to a public root that the machine lacks.",
        "the certificate leads to a public root that {at} lacks: \"{issuer}\"",
        "install the root on {from}, or let it fetch roots from Windows Update (ctldl.windowsupdate.com)"),
    row_of("certificate-self-signed", "One certificate, signed by itself.",
        "the certificate is signed by itself (\"{issuer}\"): the block page of a filter or a sign-in portal",
        "allow {endpoint} for {from} in the web filter"),
    row_of("certificate-incomplete", "The server sent its own certificate without that of the issuer.",
        "the certificates between the server's and the root were not sent (issued by \"{issuer}\")",
        "let {from} fetch issuers' certificates over TCP 80 (AIA), or check who answers for {endpoint}"),
    row_of("certificate-revoked", "An OCSP responder that the certificate names says that it is revoked. The responder's \
            signature is not checked.",
        "the certificate is revoked: {what}",
        "Windows refuses it where it checks revocation: ask who runs {endpoint}, or what issued the certificate on the way"),
    row_of("certificate-expired", "The certificate is out of date or not yet valid.",
        "the certificate is out of date (valid {validity})",
        "check the clock of {from}, and who serves this certificate"),
    row_of("certificate-wrong-name", "The certificate is for another name.",
        "the certificate is not for {host} but for {names}",
        "check DNS, and whether a device answers in the place of {host}"),
    row_of("certificate-invalid", "The chain is faulty in another way.",
        "the certificate chain is faulty",
        "exempt {host} from TLS inspection, and check who answers for it"),
    row_of("certificate-timeout", "The machine's verifier did not come to an end, as a rule because of revocation.",
        "the certificate chain could not be judged in time",
        "check that revocation lists can be fetched from {from} (TCP 80)"),
    row_of("revocation-unreachable", "A revocation list or OCSP responder that the certificate names cannot be had, or \
            is out of date. Given as a note.",
        "revocation not reachable: {what}",
        "ask for {from} -> the host of the list (TCP 80)"),
    // HTTP
    row_of("http-status", "A status that the product takes as not reached (407, 408, 426, 451, 502, 511, 598, 599).",
        "HTTP{status}, which does not count as reached",
        "ask who answers for {endpoint}; the product takes this status as not reached"),
    row_of("http-block-page", "A page or redirect of a filter, proxy or portal in the endpoint's place.",
        "a block page came instead of the endpoint",
        "allow {endpoint} for {from} in the web filter"),
    row_of("http-unproved", "An answer came in clear, or out of TLS that somebody inspects, and nothing shows that it is the \
            endpoint's: not observed.",
        "reached, and nothing shows that it is {host} that answered{status}",
        "look at what answers from {from} (`curl -v`); if it is a filter or a proxy, allow {endpoint} there"),
    row_of("http-timeout", "Connected, and no HTTP answer came.",
        "connected, and no HTTP answer came",
        "check devices that inspect HTTP to {endpoint}"),
    row_of("http-reset", "The connection was cut before an HTTP answer.",
        "connected, and the connection was cut before an answer",
        "check devices that inspect HTTP to {endpoint}"),
    row_of("http-protocol", "What came is no HTTP.",
        "the answer is not HTTP",
        "check what answers for {endpoint}"),
    row_of("http-redirect", "A redirect led to where nobody is sent.",
        "a redirect leads to where it is not followed",
        "check what answers for {endpoint}"),
    row_of("document-too-large", "A document is larger than any real one.",
        "the document is larger than any real one", "check what answers for {endpoint}"),
    row_of("document-invalid", "What came is not the document that it should be.",
        "what came is not the document that it should be", "check what answers for {endpoint}"),
    row_of("document-expired", "The document is out of date.",
        "the document is out of date", "check what answers for {endpoint}"),
    // Beyond the layers
    row_of("redirect-target", "The endpoint only forwards, and where it leads cannot be reached.",
        "{host} forwards to {hop}, which cannot be reached: {what}",
        "allow {hop} too: {more}"),
    row_of("redirect-refused", "The endpoint forwards to where nobody is sent.",
        "{host} forwards to {hop}: {what}",
        "check what answers for {endpoint}"),
    row_of("redirect-circle", "The endpoint forwards in a circle, or too far.",
        "{host} forwards {what}",
        "check what answers for {endpoint}; a portal that wants cookies may do so"),
    row_of("redirect-missing", "The endpoint only forwards, and forwarded nowhere.",
        "{host} forwards nowhere: HTTP{status} instead of a redirect",
        "check what answers for {endpoint}, and whether the link still exists"),
    row_of("range-stopped", "The endpoint answers, and a part of a file is denied, cut off or not answered.",
        "a part of a file cannot be had, though {host} answers",
        "let the proxy or filter pass Range headers to {endpoint} (HTTP 206)"),
    row_of("range-ignored", "A part of a file was asked for and the whole came: BITS and Delivery Optimization fail so.",
        "a part of a file was asked for and the whole came: something on the way leaves the Range header out",
        "let the proxy pass Range headers to {endpoint} (HTTP 206)"),
    row_of("content-wrong", "The document of the tenant is not what it should be, so it is not the endpoint's.",
        "reached, and what came is not the document of the tenant: {what}",
        "check what answers for {endpoint}; a portal or another cloud may do so"),
    row_of("gateway-verb-stopped", "A verb or header of clients does not pass on the way to a cloud management gateway.",
        "{what} does not pass to the cloud management gateway",
        "let devices between clients and {host} pass the verbs HEAD, CCM_POST, BITS_POST, GET, PROPFIND and the headers \
         Range and CCMClient*"),
    row_of("not-seen", "The endpoint is reached, and what the documentation asks besides did not come to light: not observed.",
        "reached, and it does not show {what}: {why}",
        "look again; for an idle connection give --idle-test the whole time that it needs"),
    row_of("gateway-alias", "The service name of a cloud management gateway does not lead to its deployment name.",
        "the service name leads to {what}, and not to the deployment name {deployment}",
        "let the DNS record of {host} be an alias (CNAME) of {deployment}"),
    row_of("idle-cut", "An idle connection was cut earlier than the documentation allows.",
        "an idle connection was cut after {what}; it must stay open for {needed} s",
        "let proxies and firewalls on the way to {host} leave idle connections open for {needed} s"),
    // No layer
    row_of("retired", "The service behind it is gone.",
        "the service behind it is retired; an allow rule for it can go", "remove the rule"),
    row_of("retired-reached", "The service behind it is gone, nothing here needs the name, and it is still reached: looked at \
            with --retired only. It decides nothing.",
        "the service behind it is retired, nothing here needs {host}, and {at} still reaches it: an allow rule for it can go",
        "remove the rule that lets {from} reach {endpoint}, unless something else than Configuration Manager needs it"),
    row_of("undecided", "A fact is unknown, so nobody can tell whether it is needed.",
        "cannot be decided; unknown: {what}", "settle this: {what}"),
    row_of("not-testable", "No host is documented that would prove it.",
        "not testable: {what}", "check the firewall's rules for it"),
    row_of("route-unknown", "Which proxy is used is unknown.",
        "which proxy is used is unknown: {what}", "let the login read the proxy settings, or correct them"),
    row_of("interrupted", "The run ended before it was probed.",
        "the run ended before this was probed", "run the audit again and let it end"),
    row_of("other-host", "Another machine than the role's host looked, and may not stand in for it.",
        "not observed from {from}; seen from {at}: {what}",
        "give that host a vantage in cmcomply.toml, carry its plan there (`cmcomply plan`), or run cmcomply on it"),
    row_of("host-not-reached", "Nobody could look from the machine that was to.",
        "not observed from {from}; looking from {at}: {what}", "{remedy}"),
    row_of("clients-silent", "Not every client that the site knows answered, so nothing is proved for all of them.",
        "{what}",
        "run the script again where clients were offline, collect again, and look into those that never answer"),
    row_of("clients-untold", "Clients answered, and their answers cannot tell.",
        "{what}",
        "look from a machine that stands in for clients ([[vantages]] with hosts = [\"clients\"])"),
    row_of("no-result", "The probe ended without a result: a defect.",
        "the probe ended without a result", "run the audit again; if it stays, report it"),
];

/// The table for people: every code with its meaning, its words and its remedy.
pub fn causes_document() -> String {
    let line = |row: &Row| {
        format!("### `{}`\n\n{}\n\n- words: {}\n- remedy: {}\n", row.code, row.meaning, row.text, row.remedy)
    };
    let places = IN_PRODUCT.iter().map(|(role, section, place)| format!("- {role}, {section}: {place}\n"));
    format!(
        "{HEAD}{}{PLACES}{}",
        TABLE.iter().map(|row| line(row) + "\n").collect::<String>(),
        places.collect::<String>()
    )
}

const HEAD: &str = "# Codes of causes\n\nMade from `src/assess/causes.rs`. The codes stay as they are; `{…}` stands for \
    what was seen.\n\n";
const PLACES: &str = "## Where Configuration Manager shows the same\n\n";

/// Where Configuration Manager itself shows the same: role, section of the catalog (empty: any), and what to look at.
#[rustfmt::skip]
pub(super) const IN_PRODUCT: &[(&str, &str, &str)] = &[
    ("management point", "Management point",
        "CCM_STS_ManagedBase.log on the management point (MISE12034), 0x87d00231 on clients"),
    ("service connection point", "Tenant attach",
        "EndpointConnectivityCheckWorker.log and GenericUploadWorker.log; status messages 11411, 11412 and 11488 of \
         SMS_SERVICE_CONNECTOR"),
    ("service connection point", "Endpoint analytics", "UXAnalyticsUploadWorker.log"),
    ("service connection point", "Manage Microsoft 365 Apps", "OfficeCDNWorker.log"),
    ("service connection point", "Updates and servicing", "dmpdownloader.log, dmpuploader.log and hman.log"),
    ("site server", "Software updates", "ruleengine.log (error 12007 where the name or the proxy fails)"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let codes: BTreeSet<&str> = TABLE.iter().map(|row| row.code).collect();
        assert_eq!(codes.len(), TABLE.len());
        let kebab = |code: &str| {
            code.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        };
        for row in TABLE {
            assert!(kebab(row.code), "{}", row.code);
            assert!(row.meaning.ends_with('.') && !row.text.is_empty() && !row.remedy.is_empty(), "{}", row.code);
        }
    }

    #[test]
    fn every_code_is_documented() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/causes.md");
        if std::env::var_os("CMCOMPLY_UPDATE_SCHEMA").is_some() {
            std::fs::write(path, causes_document()).unwrap();
        }
        // Git may check it out with other line ends.
        let written = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
        assert!(
            written == causes_document(),
            "schema/causes.md is out of date: CMCOMPLY_UPDATE_SCHEMA=1 cargo test --lib causes"
        );
    }
}
