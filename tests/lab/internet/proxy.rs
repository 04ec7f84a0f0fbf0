//! The HTTP proxies: CONNECT, and plain HTTP with absolute URLs.
//!
//! A proxy resolves nothing and dials nobody: it looks into the lab's own tables and hands the connection to the lab's
//! own server, or answers as a real proxy would whose own attempt failed.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use url::Url;

use super::World;
use super::http::{self, BLOCKED, Ending, GARBAGE, Page, Request};
use super::record::Seen;
use super::server::{self, Way};
use super::spec::{Behaviour, Manner, Name, ProxySpec};

/// Serves one connection.
pub(super) async fn serve(world: Arc<World>, proxy: Arc<ProxySpec>, mut tcp: TcpStream) -> io::Result<()> {
    let Some(request) = http::read_request(&mut tcp).await else { return Ok(()) };
    let connect = request.method == "CONNECT";
    let Some((host, port, path)) = target(&request) else {
        let ending = http::send(&mut tcp, &request.method, &squid(&proxy, 400, "ERR_INVALID_URL 0")).await?;
        return server::end(tcp, ending).await;
    };
    world.record.push(if connect {
        Seen::Connect { proxy: proxy.name.clone(), host: host.clone(), port }
    } else {
        let method = request.method.clone();
        Seen::Request { via: Some(proxy.name.clone()), host: host.clone(), port, method, path }
    });
    match proxy.manner {
        Manner::Silent => return server::end(tcp, Ending::Silence).await,
        Manner::Garbage => {
            tcp.write_all(GARBAGE).await?;
            return server::end(tcp, Ending::Close).await;
        }
        Manner::WantsBasic(value) if request.proxy_authorization == Some(format!("Basic {value}")) => {}
        Manner::WantsCredentials | Manner::WantsBasic(_) | Manner::WantsNtlm => {
            let ending = http::send(&mut tcp, &request.method, &wants_credentials(&proxy)).await?;
            return server::end(tcp, ending).await;
        }
        Manner::Open | Manner::Inspecting => {}
    }
    let behaviour = world.spec.behaviour(Some(&proxy), &host, port);
    if let Some(page) = refusal(&world, &proxy, &host, port, connect, &behaviour) {
        let ending = http::send(&mut tcp, &request.method, &page).await?;
        return server::end(tcp, ending).await;
    }
    if connect {
        tcp.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        let way = Way { port, via: Some((proxy, host)) };
        return if world.spec.https_ports.contains(&port) {
            server::https(world, tcp, way).await
        } else {
            server::http(world, tcp, way).await
        };
    }
    let ending = http::answer(&mut tcp, &request, &behaviour, &via(&proxy), &world.certificates).await?;
    server::end(tcp, ending).await
}

/// Host in lower case, port and path of what the client wants.
fn target(request: &Request) -> Option<(String, u16, String)> {
    if request.method == "CONNECT" {
        let (host, port) = request.target.rsplit_once(':')?;
        return Some((host.to_ascii_lowercase(), port.parse().ok()?, String::new()));
    }
    let url = Url::parse(&request.target).ok().filter(|url| url.scheme() == "http")?;
    let path = url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
    Some((url.host_str()?.to_owned(), url.port_or_known_default()?, path))
}

/// The proxy's own answer, where it does not or cannot let the client through.
fn refusal<'a>(
    world: &World,
    proxy: &ProxySpec,
    host: &str,
    port: u16,
    connect: bool,
    behaviour: &Behaviour,
) -> Option<Page<'a>> {
    // In clear, a filter behind the proxy sends its page through it.
    let own = proxy.behaviour(host, port).is_some();
    if let Behaviour::BlockPage(status) = behaviour
        && (connect || own)
    {
        return Some(squid(proxy, *status, "ERR_ACCESS_DENIED 0"));
    }
    match world.spec.resolve(host).1 {
        Name::Addresses(addresses) if !addresses.is_empty() => {}
        Name::TcpOnly => {}
        Name::Silence => return Some(squid(proxy, 504, "ERR_DNS_FAIL 0")),
        _ => return Some(squid(proxy, 503, "ERR_DNS_FAIL 0")),
    }
    let served = [&world.spec.http_ports, &world.spec.https_ports].iter().any(|ports| ports.contains(&port));
    match behaviour {
        _ if !served => Some(squid(proxy, 503, "ERR_CONNECT_FAIL 111")),
        Behaviour::Refused => Some(squid(proxy, 503, "ERR_CONNECT_FAIL 111")),
        Behaviour::Blocked => Some(squid(proxy, 504, "ERR_CONNECT_FAIL 110")),
        // In clear, the proxy itself is the one that finds no HTTP answer.
        Behaviour::ResetInHandshake | Behaviour::ResetAfterTls if !connect => {
            Some(squid(proxy, 502, "ERR_READ_ERROR 104"))
        }
        Behaviour::HttpGarbage if !connect => Some(squid(proxy, 502, "ERR_INVALID_RESP 0")),
        _ => None,
    }
}

fn wants_credentials(proxy: &ProxySpec) -> Page<'static> {
    let mut page = squid(proxy, 407, "ERR_CACHE_ACCESS_DENIED 0");
    page.headers += "Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n";
    if proxy.manner != Manner::WantsNtlm {
        page.headers += "Proxy-Authenticate: Basic realm=\"Contoso proxy\"\r\n";
    }
    page
}

fn squid<'a>(proxy: &ProxySpec, status: u16, error: &str) -> Page<'a> {
    let headers = format!("Server: squid/5.7\r\nX-Squid-Error: {error}\r\n{}", via(proxy));
    let body = match status {
        403 | 200 => BLOCKED,
        _ => {
            "<!DOCTYPE html><html><head><title>ERROR: The requested URL could not be retrieved</title></head></html>\n"
        }
    };
    Page { status, headers, body }
}

fn via(proxy: &ProxySpec) -> String {
    format!("Via: 1.1 {} (squid)\r\n", proxy.name)
}
