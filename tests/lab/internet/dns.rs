//! The DNS server, over UDP and TCP on one port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_proto::op::{Edns, Message, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, SOA};
use hickory_proto::rr::{Name as DnsName, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::World;
use super::record::Seen;
use super::spec::Name;

/// The longest answer over UDP; a longer one is cut, so that one must ask again over TCP.
const MAX_UDP: usize = 1232;
/// Seconds for which an answer may be kept.
const TTL: u32 = 60;

/// Binds both sockets to one free port of 127.0.0.1.
pub(super) async fn bind() -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = None;
    for _ in 0..32 {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(tcp) => return Ok((udp, tcp)),
            // Somebody else has this port for TCP.
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("the loop ran and every turn failed"))
}

/// Answers over UDP, for ever.
pub(super) async fn serve_udp(world: Arc<World>, socket: UdpSocket) {
    let mut buffer = [0; 4096];
    loop {
        // An error is a client's closed port (Windows says so here): not our matter.
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
        if let Some(reply) = reply(&world, &buffer[..length], false) {
            send(&socket, &reply, client).await;
        }
    }
}

/// Answers over one TCP connection until the client ends it.
pub(super) async fn serve_tcp(world: Arc<World>, mut stream: TcpStream) -> io::Result<()> {
    loop {
        let mut query = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut query).await?;
        if let Some(reply) = reply(&world, &query, true) {
            let length = u16::try_from(reply.len()).map_err(io::Error::other)?;
            stream.write_all(&[&length.to_be_bytes()[..], &reply].concat()).await?;
        }
    }
}

async fn send(socket: &UdpSocket, reply: &[u8], client: SocketAddr) {
    // A client that went away has no use for the answer.
    let _ = socket.send_to(reply, client).await;
}

/// The answer to a message; none to what is no query, and none where silence is asked for.
fn reply(world: &World, query: &[u8], tcp: bool) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let question = query.queries.first()?.clone();
    let name = question.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
    world.record.push(Seen::Query { name: name.clone(), kind: question.query_type().to_string(), tcp });

    let (aliases, end) = world.spec.resolve(&name);
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.recursion_desired = query.metadata.recursion_desired;
    reply.metadata.recursion_available = true;
    if query.edns.is_some() {
        reply.set_edns(Edns::new());
    }
    let mut owner = question.name().clone();
    for alias in aliases {
        let alias = DnsName::from_ascii(alias + ".").ok()?;
        reply.add_answer(Record::from_rdata(owner, TTL, RData::CNAME(CNAME(alias.clone()))));
        owner = alias;
    }
    match end {
        Name::Silence => return None,
        Name::Garbage => return Some(b"\x1b[2Jno DNS here".to_vec()),
        Name::ServFail => reply.metadata.response_code = ResponseCode::ServFail,
        Name::NxDomain => reply.metadata.response_code = ResponseCode::NXDomain,
        Name::TcpOnly if !tcp => reply.metadata.truncation = true,
        Name::TcpOnly => add_addresses(&mut reply, &owner, question.query_type(), &[Ipv4Addr::LOCALHOST.into()]),
        Name::Addresses(addresses) => add_addresses(&mut reply, &owner, question.query_type(), &addresses),
        Name::NoData | Name::Alias(_) => {}
    }
    if reply.metadata.response_code == ResponseCode::ServFail {
        reply.answers.clear();
    } else if reply.answers.iter().all(|answer| answer.record_type() == RecordType::CNAME) {
        reply.add_authority(start_of_authority());
    }
    reply.add_query(question);
    let bytes = reply.to_vec().ok()?;
    if tcp || bytes.len() <= MAX_UDP {
        return Some(bytes);
    }
    reply.answers.clear();
    reply.metadata.truncation = true;
    reply.to_vec().ok()
}

fn add_addresses(reply: &mut Message, owner: &DnsName, kind: RecordType, addresses: &[IpAddr]) {
    for address in addresses {
        match (kind, address) {
            (RecordType::A, IpAddr::V4(v4)) => {
                reply.add_answer(Record::from_rdata(owner.clone(), TTL, RData::A(A(*v4))));
            }
            (RecordType::AAAA, IpAddr::V6(v6)) => {
                reply.add_answer(Record::from_rdata(owner.clone(), TTL, RData::AAAA(AAAA(*v6))));
            }
            _ => {}
        }
    }
}

/// Goes with every negative answer (RFC 2308); for the lab, the root is the zone of everything.
fn start_of_authority() -> Record {
    let name = |text| DnsName::from_ascii(text).expect("a literal that is a name");
    let soa = SOA::new(name("ns.contoso.com."), name("hostmaster.contoso.com."), 1, 3600, 600, 86_400, TTL);
    Record::from_rdata(DnsName::root(), TTL, RData::SOA(soa))
}
