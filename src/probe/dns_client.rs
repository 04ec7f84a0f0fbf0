//! A small DNS client: one question to one server, over UDP, and over TCP where the answer was cut.
//!
//! Only the wire format is hickory's. A resolver library would hide which of NXDOMAIN, SERVFAIL and silence it was.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::layer::{io_words, is_exhausted};
use super::{Failure, FailureCode};
use crate::host::HostName;
use crate::text::printable;

/// A or AAAA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

/// What a server answered to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// `NOERROR`, `NXDOMAIN` and so on.
    pub(super) response_code: String,
    /// From the first alias to the name that has the addresses. Safe to print.
    pub(super) canonical_names: Vec<String>,
    /// Those of the last name.
    pub(super) addresses: Vec<IpAddr>,
    /// Why the server refuses, in the words of RFC 8914 and its own. Safe to print.
    pub(super) extended_error: Option<String>,
}

/// Asks the server; the second try is without EDNS, for servers and firewalls that cannot bear it.
pub(super) async fn ask(
    server: SocketAddr,
    name: &HostName,
    family: Family,
    limit: Duration,
) -> Result<Answer, Failure> {
    let operation = format!("ask {server} for {} of {name}", family.record_name());
    let mut garbage = 0;
    let mut last = None;
    let first = FIRST_TRY.min(limit / 2);
    for (with_edns, limit) in [(true, first), (false, limit.saturating_sub(first))] {
        let question = Question::new(name, family, with_edns).map_err(|e| e.failure(&operation))?;
        match timeout(limit, question.send(server, &mut garbage)).await {
            Ok(Ok(answer)) if with_edns && matches!(answer.response_code.as_str(), "FORMERR" | "NOTIMP") => {}
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => last = Some(error.failure(&operation)),
            Err(_) => {}
        }
    }
    Err(match last {
        Some(failure) => failure,
        None if garbage > 0 => {
            Failure::new(FailureCode::NameError, &format!("{operation}: {garbage} replies, none of them an answer"))
        }
        None => Failure::silence(FailureCode::NameTimeout, &operation, limit),
    })
}

impl Family {
    fn record_type(self) -> RecordType {
        match self {
            Self::V4 => RecordType::A,
            Self::V6 => RecordType::AAAA,
        }
    }

    pub(super) fn record_name(self) -> &'static str {
        match self {
            Self::V4 => "A",
            Self::V6 => "AAAA",
        }
    }

    fn address(self, data: &RData) -> Option<IpAddr> {
        match (self, data) {
            (Self::V4, RData::A(a)) => Some(a.0.into()),
            (Self::V6, RData::AAAA(a)) => Some(a.0.into()),
            _ => None,
        }
    }
}

/// Why a question got no answer.
#[derive(Debug)]
enum AskError {
    /// The server's UDP port refuses.
    Refused,
    Io(io::Error),
    /// What came, or what was asked, breaks the rules of DNS.
    Rules(String),
}

impl AskError {
    fn failure(&self, operation: &str) -> Failure {
        match self {
            Self::Io(error) if is_exhausted(error) => {
                Failure::new(FailureCode::Internal, &format!("{operation}: {}", io_words(error)))
            }
            Self::Refused => {
                let what = format!("{operation}: refused, nobody answers DNS at that port");
                Failure::new(FailureCode::NameServerRefused, &what)
            }
            // One that hangs up does not answer.
            Self::Io(error) => Failure::new(FailureCode::NameTimeout, &format!("{operation}: {}", io_words(error))),
            Self::Rules(what) => Failure::new(FailureCode::NameError, &format!("{operation}: {what}")),
        }
    }
}

impl From<io::Error> for AskError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What an error of a datagram means: Windows calls the "port unreachable" of ICMP a reset.
fn of_datagram(error: io::Error) -> AskError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => AskError::Refused,
        _ => AskError::Io(error),
    }
}

/// Waits until there is a datagram, and takes it. A socket may be ready without one, once or twice; one that goes on so
/// has an error that it does not say (Wine, where the port refuses), and waiting for it would only burn the processor.
async fn receive<T, R: Future<Output = io::Result<T>>>(
    ready: impl Fn() -> R,
    mut take: impl FnMut() -> io::Result<usize>,
) -> io::Result<usize> {
    for _ in 0..MAX_WAKES {
        ready().await?;
        match take() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            taken => return taken,
        }
    }
    Err(io::ErrorKind::ConnectionRefused.into())
}

/// A question under way.
struct Question {
    id: u16,
    query: Query,
    family: Family,
    wire: Vec<u8>,
}

impl Question {
    fn new(name: &HostName, family: Family, with_edns: bool) -> Result<Self, AskError> {
        let rules = |e: &dyn std::fmt::Display| AskError::Rules(e.to_string());
        let mut name = Name::from_ascii(name.as_str()).map_err(|e| rules(&e))?;
        name.set_fqdn(true);
        let query = Query::query(name, family.record_type());
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.add_query(query.clone());
        if with_edns {
            let mut edns = Edns::new();
            edns.set_max_payload(MAX_UDP);
            message.set_edns(edns);
        }
        let wire = message.to_vec().map_err(|e| rules(&e))?;
        Ok(Self { id: message.metadata.id, query, family, wire })
    }

    /// Over UDP, then over TCP if the answer was cut. `garbage` counts the datagrams that were no answer.
    async fn send(&self, server: SocketAddr, garbage: &mut usize) -> Result<Answer, AskError> {
        let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(server).await?; // from here on the system drops what others send
        socket.send(&self.wire).await.map_err(of_datagram)?;
        let mut buffer = vec![0; usize::from(MAX_UDP)];
        while *garbage < MAX_GARBAGE {
            let length = receive(
                || socket.ready(Interest::READABLE | Interest::ERROR),
                || {
                    // Where the port refuses, Linux says so here, and Windows at the next receipt.
                    socket.take_error()?.map_or_else(|| socket.try_recv(&mut buffer), Err)
                },
            );
            let length = length.await.map_err(of_datagram)?;
            match self.reply(&buffer[..length]) {
                Some(reply) if reply.metadata.truncation => {
                    drop(socket); // one at a time
                    return self.send_over_tcp(server).await;
                }
                Some(reply) => return self.read(&reply),
                None => *garbage += 1,
            }
        }
        Err(AskError::Rules(format!("{garbage} replies, none of them an answer")))
    }

    async fn send_over_tcp(&self, server: SocketAddr) -> Result<Answer, AskError> {
        let mut stream = TcpStream::connect(server).await?;
        let length = u16::try_from(self.wire.len()).expect("a question fits in a datagram");
        stream.write_all(&[&length.to_be_bytes(), self.wire.as_slice()].concat()).await?;
        let mut buffer = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut buffer).await?;
        match self.reply(&buffer) {
            Some(reply) => self.read(&reply),
            None => Err(AskError::Rules("the reply over TCP is no answer".to_owned())),
        }
    }

    /// The message, if it is the reply to this question.
    fn reply(&self, bytes: &[u8]) -> Option<Message> {
        let message = Message::from_vec(bytes).ok()?;
        let head = &message.metadata;
        let answers_us = match message.queries.as_slice() {
            [query] => {
                query.name() == self.query.name()
                    && query.query_type() == self.query.query_type()
                    && query.query_class() == self.query.query_class()
            }
            // A server that could not read the question sends none back.
            [] => head.response_code != ResponseCode::NoError,
            _ => false,
        };
        (head.id == self.id && head.message_type == MessageType::Response && answers_us).then_some(message)
    }

    /// Follows the aliases from the name that was asked for to the one that has the addresses.
    fn read(&self, reply: &Message) -> Result<Answer, AskError> {
        let mut chain: Vec<&Name> = vec![self.query.name()];
        let mut owner = self.query.name();
        while let Some(alias) = reply.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == *owner => Some(&target.0),
            _ => None,
        }) {
            if chain.contains(&alias) || chain.len() > MAX_ALIASES {
                return Err(AskError::Rules(format!("aliases without end ({alias} comes again, or is one too many)")));
            }
            chain.push(alias);
            owner = alias;
        }
        // With an error, what else stands in the reply is no answer (RFC 2308): no resolver takes it.
        let fine = reply.metadata.response_code == ResponseCode::NoError;
        let addresses = reply.answers.iter().filter(|record| fine && record.name == *owner);
        Ok(Answer {
            response_code: mnemonic(reply.metadata.response_code),
            canonical_names: chain[1..]
                .iter()
                .map(|name| printable(name.to_ascii().trim_end_matches('.'), 255))
                .collect(),
            addresses: addresses.filter_map(|record| self.family.address(&record.data)).take(MAX_ADDRESSES).collect(),
            extended_error: extended_error(reply),
        })
    }
}

/// Reads what a server sent, as if it was the reply to a question for this name.
#[cfg(any(test, fuzzing))]
pub(super) fn read_any(name: &HostName, bytes: &[u8]) {
    let question = Question::new(name, Family::V4, true).expect("a host name is a DNS name");
    let mut bytes = bytes.to_vec();
    // Nobody guesses the number of a question; here they may.
    bytes.iter_mut().zip(question.id.to_be_bytes()).for_each(|(to, from)| *to = from);
    if let Some(reply) = question.reply(&bytes) {
        let _ = question.read(&reply);
    }
}

/// The response code as `dig` writes it.
fn mnemonic(code: ResponseCode) -> String {
    match code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => format!("RCODE{}", u16::from(other)),
    }
}

/// The first extended DNS error: how a resolver says that it filters.
fn extended_error(reply: &Message) -> Option<String> {
    let option = reply.edns.as_ref()?.option(EdnsCode::Unknown(EXTENDED_ERROR))?;
    let EdnsOption::Unknown(_, bytes) = option else { return None };
    let (code, text) = bytes.split_first_chunk()?;
    let code = u16::from_be_bytes(*code);
    let words = match code {
        3 => "stale answer",
        4 => "forged answer",
        6 => "DNSSEC bogus",
        15 => "blocked",
        16 => "censored",
        17 => "filtered",
        18 => "prohibited",
        22 => "no reachable authority",
        23 => "network error",
        _ => "other",
    };
    let text = printable(&String::from_utf8_lossy(text), MAX_ERROR_TEXT);
    Some(if text.is_empty() { format!("{words} ({code})") } else { format!("{words} ({code}): {text}") })
}

/// The code of the EDNS option of RFC 8914.
const EXTENDED_ERROR: u16 = 15;
const MAX_ERROR_TEXT: usize = 200;
/// When a datagram counts as lost. A server that is only slow has the answer ready when it is asked again.
const FIRST_TRY: Duration = Duration::from_secs(2);
/// What a datagram may have without being cut up on the way (DNS flag day 2020).
const MAX_UDP: u16 = 1232;
const MAX_GARBAGE: usize = 64;
/// How often a socket may be ready without a datagram.
const MAX_WAKES: usize = 64;
const MAX_ALIASES: usize = 16;
const MAX_ADDRESSES: usize = 64;

#[cfg(test)]
mod tests {
    use hickory_proto::rr::Record;
    use hickory_proto::rr::rdata::{A, CNAME};
    use proptest::prelude::*;

    use super::*;

    fn question() -> Question {
        Question::new(&HostName::parse("a.contoso.com").unwrap(), Family::V4, true).unwrap()
    }

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn reply_to(question: &Question, records: Vec<Record>) -> Message {
        let mut message = Message::from_vec(&question.wire).unwrap().into_response();
        message.metadata.message_type = MessageType::Response;
        message.queries = vec![question.query.clone()];
        message.add_answers(records);
        message
    }

    fn alias(from: &str, to: &str) -> Record {
        Record::from_rdata(name(from), 60, RData::CNAME(CNAME(name(to))))
    }

    #[test]
    fn aliases_are_followed_whatever_their_order() {
        let asked = question();
        let address = Record::from_rdata(name("c.cdn.example."), 60, RData::A(A::new(127, 0, 0, 9)));
        let stray = Record::from_rdata(name("other.example."), 60, RData::A(A::new(127, 0, 0, 8)));
        let records =
            vec![address, stray, alias("b.cdn.example.", "c.cdn.example."), alias("A.contoso.com.", "b.cdn.example.")];
        let answer = asked.read(&reply_to(&asked, records)).unwrap();
        assert_eq!(answer.canonical_names, ["b.cdn.example", "c.cdn.example"]);
        assert_eq!(answer.addresses, [IpAddr::from([127, 0, 0, 9])]);
        assert_eq!(answer.response_code, "NOERROR");
    }

    #[test]
    fn an_error_has_no_addresses() {
        let asked = question();
        for code in [ResponseCode::NXDomain, ResponseCode::ServFail, ResponseCode::Refused] {
            let address = Record::from_rdata(name("a.contoso.com."), 60, RData::A(A::new(127, 0, 0, 9)));
            let mut reply = reply_to(&asked, vec![address]);
            reply.metadata.response_code = code;
            assert_eq!(asked.read(&reply).unwrap().addresses, Vec::<IpAddr>::new(), "{code}");
        }
    }

    #[test]
    fn alias_loops_and_endless_chains_are_refused() {
        let asked = question();
        let circle = vec![alias("a.contoso.com.", "b.example."), alias("b.example.", "a.contoso.com.")];
        assert!(matches!(asked.read(&reply_to(&asked, circle)), Err(AskError::Rules(_))));
        let mut long = vec![alias("a.contoso.com.", "n0.example.")];
        long.extend((0..1000).map(|n| alias(&format!("n{n}.example."), &format!("n{}.example.", n + 1))));
        assert!(matches!(asked.read(&reply_to(&asked, long)), Err(AskError::Rules(_))));
    }

    #[test]
    fn a_thousand_addresses_are_bounded() {
        let asked = question();
        let record = |n: u16| {
            let [high, low] = n.to_be_bytes();
            Record::from_rdata(name("a.contoso.com."), 60, RData::A(A::new(127, 1, high, low)))
        };
        let answer = asked.read(&reply_to(&asked, (0..1000).map(record).collect())).unwrap();
        assert_eq!(answer.addresses.len(), MAX_ADDRESSES);
    }

    #[test]
    fn a_server_may_say_that_it_filters() {
        let asked = question();
        let mut reply = reply_to(&asked, Vec::new());
        let mut edns = Edns::new();
        edns.options_mut().insert(EdnsOption::Unknown(EXTENDED_ERROR, b"\x00\x11by policy\x1b[2J".to_vec()));
        reply.set_edns(edns);
        let reply = Message::from_vec(&reply.to_vec().unwrap()).unwrap();
        let said = asked.read(&reply).unwrap().extended_error.unwrap();
        assert_eq!(said, "filtered (17): by policy\\u{1b}[2J");
    }

    #[test]
    fn only_the_reply_to_the_question_counts() {
        let asked = question();
        let good = reply_to(&asked, Vec::new());
        assert!(asked.reply(&good.to_vec().unwrap()).is_some());
        let mut forged = good.clone();
        forged.metadata.id = asked.id.wrapping_add(1);
        assert!(asked.reply(&forged.to_vec().unwrap()).is_none());
        let other = Question::new(&HostName::parse("b.contoso.com").unwrap(), Family::V4, true).unwrap();
        let mut forged = good.clone();
        forged.queries = vec![other.query];
        assert!(asked.reply(&forged.to_vec().unwrap()).is_none());
        assert!(asked.reply(&asked.wire).is_none(), "a question is no reply");
    }

    #[test]
    fn a_machine_without_sockets_is_no_silent_server() {
        let failure = |error: io::Error| AskError::Io(error).failure("ask").code;
        let exhausted = io::Error::from_raw_os_error(if cfg!(windows) { 10024 } else { 24 });
        assert_eq!(failure(exhausted), FailureCode::Internal);
        assert_eq!(failure(io::ErrorKind::UnexpectedEof.into()), FailureCode::NameTimeout);
    }

    #[test]
    fn a_port_that_refuses_is_told_apart_from_silence_also_as_windows_says_it() {
        for kind in [io::ErrorKind::ConnectionRefused, io::ErrorKind::ConnectionReset] {
            let failure = of_datagram(kind.into()).failure("ask 10.0.0.1:53 for A of a.contoso.com");
            assert_eq!(failure.code, FailureCode::NameServerRefused);
            assert!(failure.detail.ends_with("for A of a.contoso.com: refused, nobody answers DNS at that port"));
        }
    }

    #[tokio::test]
    async fn a_socket_that_is_always_ready_and_has_nothing_is_a_refusal_and_no_endless_loop() {
        let nothing = || Err(io::ErrorKind::WouldBlock.into());
        let ended = receive(|| std::future::ready(Ok(())), nothing).await;
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        let mut wakes = 0;
        let late = receive(
            || std::future::ready(Ok(())),
            || {
                wakes += 1;
                if wakes < 3 { nothing() } else { Ok(12) }
            },
        );
        assert_eq!(late.await.unwrap(), 12);
    }

    #[tokio::test]
    async fn a_server_that_refuses_is_one_clear_outcome() {
        let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let limit = Duration::from_mins(1);
        let failure = ask(closed, &HostName::parse("a.contoso.com").unwrap(), Family::V4, limit).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::NameServerRefused, "{failure:?}");
    }

    #[test]
    fn response_codes_have_their_usual_names() {
        assert_eq!(mnemonic(ResponseCode::NXDomain), "NXDOMAIN");
        assert_eq!(mnemonic(ResponseCode::Refused), "REFUSED");
        assert_eq!(mnemonic(ResponseCode::YXDomain), "RCODE6");
    }

    proptest! {
        #[test]
        fn no_reply_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let asked = question();
            if let Some(reply) = asked.reply(&bytes) {
                let _ = asked.read(&reply);
            }
        }

        #[test]
        fn no_damaged_reply_panics(at in 0usize..200, value in any::<u8>(), cut in 0usize..200) {
            let asked = question();
            let records = vec![alias("a.contoso.com.", "b.example."), alias("b.example.", "c.example.")];
            let mut bytes = reply_to(&asked, records).to_vec().unwrap();
            let at = at % bytes.len();
            bytes[at] = value;
            bytes.truncate(bytes.len() - cut % bytes.len());
            if let Some(reply) = asked.reply(&bytes) {
                let _ = asked.read(&reply);
            }
        }
    }
}
