//! The doors where octets of strangers come in, for the fuzz targets and the property tests. No part of the library.

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Failure, FailureCode, block_page, bundle, chain, dns_client, document, http, origin, proxy, revocation};
use crate::host::{HostName, Scheme};
use crate::plan::Target;
use crate::text::printable;

/// What a DNS server sends.
pub fn dns_reply(bytes: &[u8]) {
    dns_client::read_any(&host(), bytes);
}

/// What a proxy answers to CONNECT.
pub fn connect_reply(bytes: &[u8]) {
    if let Ok(Some(reply)) = proxy::parse(bytes) {
        is_printable(&proxy::offered(&reply.headers));
    }
}

/// A certificate of a chain.
pub fn certificate(bytes: &[u8]) {
    let served = chain::keep(&CertificateDer::from(bytes), &[]);
    for certificate in chain::describe(&served) {
        let texts = [&certificate.subject, &certificate.issuer].into_iter();
        let urls = certificate.crl_urls.iter().chain(&certificate.ocsp_urls).chain(&certificate.issuer_urls);
        texts.chain(&certificate.names).chain(urls.clone()).for_each(|text| is_printable(text));
        urls.for_each(|url| document_url(url));
    }
}

/// What stands where an issuer's certificate is said to be.
pub fn issuers(bytes: &[u8]) {
    match bundle::certificates(bytes) {
        Ok(all) => all.iter().for_each(|der| certificate(der)),
        Err(why) => is_printable(&why),
    }
}

/// What a web server sends in the place of a revocation list.
pub fn revocation_list(bytes: &[u8]) {
    if let Ok(contents) = revocation::read(bytes) {
        is_printable(&contents.issuer);
    }
}

/// An address that a certificate or a redirect names.
pub fn document_url(text: &str) {
    if let Ok(url) = document::target(text) {
        assert_eq!(url.scheme(), "http");
    }
}

/// A `Location`.
pub fn redirect(bytes: &[u8]) {
    for scheme in [Scheme::Http, Scheme::Https] {
        let _ = origin::stray_redirect(&target(scheme), 302, [bytes]);
    }
}

/// A page that may be a filter's.
pub fn page(bytes: &[u8]) {
    let _ = block_page::mark_in_body(bytes);
}

/// Everything that a web server or a proxy sends after a request, to HEAD and again to GET.
pub fn http_answer(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    for (scheme, by_proxy) in [(Scheme::Http, false), (Scheme::Http, true), (Scheme::Https, false)] {
        runtime.block_on(visit(bytes, scheme, by_proxy));
    }
}

async fn visit(bytes: &[u8], scheme: Scheme, by_proxy: bool) {
    let answering = || {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        let answer = bytes.to_vec();
        tokio::spawn(async move {
            let _ = far.read_u8().await;
            let _ = far.write_all(&answer).await;
            let _ = far.shutdown().await;
            while far.read_u8().await.is_ok() {}
        });
        Box::new(near) as Box<dyn http::Wire>
    };
    let again = async || Ok::<_, Failure>(answering());
    let seen = http::visit(answering(), &target(scheme), by_proxy, None, Duration::from_secs(20), again).await;
    if let Some(evidence) = &seen.evidence {
        evidence.headers.iter().for_each(|header| is_printable(&header.value));
        evidence.block_page.iter().for_each(|mark| is_printable(mark));
    }
    if let Err(failure) = seen.result {
        is_printable(&failure.detail);
        let codes = [FailureCode::HttpTimeout, FailureCode::TlsProtocol, FailureCode::Internal];
        assert!(!codes.contains(&failure.code), "{failure:?}");
    }
}

fn is_printable(text: &str) {
    assert_eq!(text, printable(text, usize::MAX), "acts on a terminal");
}

fn host() -> HostName {
    HostName::parse("a.contoso.com").expect("a literal")
}

fn target(scheme: Scheme) -> Target {
    Target { scheme, host: host(), port: scheme.default_port(), path: "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Heads that are nearly right, so that what follows is looked at too.
    fn answer() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            "HTTP/1\\.[01] [1-5][0-9]{2} [ -~]{0,9}",
            "Location: [ -~]{0,30}",
            "Content-Type: (text/html|text/plain|[ -~]{0,9})",
            "Content-Length: [0-9]{1,20}",
            "Transfer-Encoding: chunked",
            "Content-Encoding: gzip",
            "Server: [ -~\\x80-\u{ff}]{0,20}",
            "X-Squid-Error: [ -~]{0,9}",
            "[ -~]{0,20}",
        ];
        let head = vec(line, 0..9).prop_map(|lines| format!("HTTP/1.1 200 OK\r\n{}\r\n\r\n", lines.join("\r\n")));
        (head, vec(any::<u8>(), 0..200)).prop_map(|(head, rest)| [head.into_bytes(), rest].concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_answer_of_a_web_server_panics(bytes in prop_oneof![answer(), vec(any::<u8>(), 0..300)]) {
            http_answer(&bytes);
            connect_reply(&bytes);
        }

        #[test]
        fn no_octets_panic_at_any_door(bytes in vec(any::<u8>(), 0..400)) {
            for door in [dns_reply, connect_reply, certificate, issuers, revocation_list, redirect, page] {
                door(&bytes);
            }
            document_url(&String::from_utf8_lossy(&bytes));
        }
    }
}
