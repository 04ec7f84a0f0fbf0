//! Name resolution: by the system, as the machine's own services do, or by asking one DNS server.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::timeout;

use super::dns_client::{self, Answer, Family};
use super::layer::{Seen, io_words, is_exhausted};
use super::oddity::{self, OddityKind};
use super::{Failure, FailureCode, NameAnswer, NameEvidence, Outcome, Stage};
use crate::host::HostName;

/// All addresses of the name, by the system's resolver (`server` is `None`) or by the DNS server.
///
/// `connect_to` only goes into the evidence.
pub(super) async fn resolve(
    name: &HostName,
    server: Option<SocketAddr>,
    connect_to: Option<String>,
    limit: Duration,
) -> Seen<Vec<IpAddr>, NameEvidence> {
    let evidence = NameEvidence {
        asked: name.to_string(),
        resolver: server.map_or_else(|| SYSTEM.to_owned(), |server| server.to_string()),
        connect_to,
        response_code: None,
        canonical_names: Vec::new(),
        addresses: Vec::new(),
        answers: Vec::new(),
        oddities: Vec::new(),
    };
    let seen = match server {
        Some(server) => by_server(name, server, limit, evidence).await,
        None => by_system(name, limit, evidence).await,
    };
    refuse_sinkholes(name, seen)
}

/// Marks odd addresses. A sinkhole is never dialled, since whoever answers there is not the endpoint (for `0.0.0.0` it
/// is this machine), and a name of which there is nothing else is blocked. With a `--connect-to` rule it is the operator's
/// word where the endpoint is.
fn refuse_sinkholes(name: &HostName, seen: Seen<Vec<IpAddr>, NameEvidence>) -> Seen<Vec<IpAddr>, NameEvidence> {
    let (Some(mut evidence), Ok(addresses)) = (seen.evidence.clone(), &seen.result) else { return seen };
    if evidence.connect_to.is_some() {
        return seen;
    }
    evidence.oddities = oddity::of(name, addresses);
    let sinkholes: Vec<_> = evidence.oddities.iter().filter(|odd| odd.kind == OddityKind::Sinkhole).collect();
    let Some(first) = sinkholes.first().filter(|_| sinkholes.len() == addresses.len()) else {
        let dialled = addresses.iter().filter(|address| sinkholes.iter().all(|odd| odd.address != **address));
        return Seen { result: Ok(dialled.copied().collect()), evidence: Some(evidence) };
    };
    let detail = format!("{name} has the address {} alone: {}", first.address, first.detail);
    Seen::failed_with(Failure::new(FailureCode::NameSinkhole, &detail), evidence)
}

/// The same of what another machine resolved.
pub(crate) fn judge_again(name: &HostName, stage: Stage<NameEvidence>) -> Stage<NameEvidence> {
    let result = match (&stage.outcome, &stage.evidence) {
        (Outcome::Ok, Some(evidence)) => Ok(evidence.addresses.clone()),
        _ => return stage,
    };
    let seen = refuse_sinkholes(name, Seen { evidence: stage.evidence, result });
    let failure = seen.result.err();
    let outcome = if failure.is_some() { Outcome::Failed } else { Outcome::Ok };
    Stage { outcome, failure, evidence: seen.evidence, ..stage }
}

/// Hosts file, search list, policies, cache: what the machine really uses. It shows no response codes.
async fn by_system(name: &HostName, limit: Duration, mut evidence: NameEvidence) -> Seen<Vec<IpAddr>, NameEvidence> {
    let operation = format!("resolve {name} with the system's resolver");
    let found = match timeout(limit, tokio::net::lookup_host((name.as_str(), 0))).await {
        Err(_) => {
            return Seen::failed_with(Failure::silence(FailureCode::NameTimeout, &operation, limit), evidence);
        }
        Ok(Err(error)) => {
            let failure = match exhausted(&error) {
                Some(words) => Failure::new(FailureCode::Internal, &format!("{operation}: {error}; {words}")),
                None => Failure::new(system_code(&error), &format!("{operation}: {error}")),
            };
            return Seen::failed_with(failure, evidence);
        }
        Ok(Ok(found)) => found,
    };
    for address in found.take(MAX_ADDRESSES) {
        push_new(&mut evidence.addresses, address.ip());
    }
    if evidence.addresses.is_empty() {
        let failure = Failure::new(FailureCode::NameNoData, &format!("{operation}: no address"));
        return Seen::failed_with(failure, evidence);
    }
    Seen::ok(evidence.addresses.clone(), evidence)
}

/// A and AAAA at the same time.
async fn by_server(
    name: &HostName,
    server: SocketAddr,
    limit: Duration,
    mut evidence: NameEvidence,
) -> Seen<Vec<IpAddr>, NameEvidence> {
    let (v4, v6) = tokio::join!(
        dns_client::ask(server, name, Family::V4, limit),
        dns_client::ask(server, name, Family::V6, limit)
    );
    evidence.answers = [(Family::V4, &v4), (Family::V6, &v6)].map(|(family, answer)| note(family, answer)).into();
    // Half of the addresses would be tried as if they were all.
    if let Some(failure) = [&v4, &v6].into_iter().filter_map(|a| a.as_ref().err()).find(|f| spent(f)) {
        return Seen::failed_with(failure.clone(), evidence);
    }
    let best = if rank(&v6) < rank(&v4) { &v6 } else { &v4 };
    if let Ok(answer) = best {
        evidence.response_code = Some(answer.response_code.clone());
        evidence.canonical_names.clone_from(&answer.canonical_names);
    }
    for address in [&v4, &v6].into_iter().flatten().flat_map(|answer| &answer.addresses).take(MAX_ADDRESSES) {
        push_new(&mut evidence.addresses, *address);
    }
    if !evidence.addresses.is_empty() {
        return Seen::ok(evidence.addresses.clone(), evidence);
    }
    let failure = match best {
        Err(failure) => failure.clone(),
        Ok(answer) => {
            Failure::new(code_of(answer), &format!("ask {server} for addresses of {name}: {}", words_of(answer)))
        }
    };
    Seen::failed_with(failure, evidence)
}

fn note(family: Family, answer: &Result<Answer, Failure>) -> NameAnswer {
    let (answer, failure) = (answer.as_ref().ok(), answer.as_ref().err());
    NameAnswer {
        record: family.record_name().to_owned(),
        response_code: answer.map(|answer| answer.response_code.clone()),
        extended_error: answer.and_then(|answer| answer.extended_error.clone()),
        failure: failure.cloned(),
        addresses: answer.map_or(0, |answer| answer.addresses.len()),
    }
}

fn spent(failure: &Failure) -> bool {
    failure.code == FailureCode::Internal
}

/// What the machine lacks, if the system's resolver failed by that. The resolver itself may call it a temporary failure,
/// so a socket is tried.
fn exhausted(error: &io::Error) -> Option<String> {
    let now = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0)).err();
    [Some(error), now.as_ref()].into_iter().flatten().find(|error| is_exhausted(error)).map(io_words)
}

/// Which of two answers speaks for the name; the lowest.
fn rank(answer: &Result<Answer, Failure>) -> u8 {
    match answer {
        Ok(answer) if !answer.addresses.is_empty() => 0,
        Ok(answer) if answer.response_code == "NXDOMAIN" => 1,
        Ok(answer) if answer.response_code != "NOERROR" => 2,
        Err(_) => 3,
        Ok(_) => 4,
    }
}

/// The failure that an answer without addresses means.
fn code_of(answer: &Answer) -> FailureCode {
    match answer.response_code.as_str() {
        "NXDOMAIN" => FailureCode::NameNxdomain,
        "NOERROR" => FailureCode::NameNoData,
        _ => FailureCode::NameServfail,
    }
}

fn words_of(answer: &Answer) -> String {
    let words = match answer.response_code.as_str() {
        "NOERROR" => "the name exists and has neither A nor AAAA records",
        code => code,
    };
    match &answer.extended_error {
        Some(error) => format!("{words}; the server says: {error}"),
        None => words.to_owned(),
    }
}

/// What an error of the system's resolver means.
///
/// Windows gives codes; elsewhere the standard library keeps only the words of `gai_strerror`, which are the C
/// locale's. "Temporary failure" stands for silence and SERVFAIL alike; the detail keeps the words.
fn system_code(error: &io::Error) -> FailureCode {
    const HOST_NOT_FOUND: i32 = 11001;
    const TRY_AGAIN: i32 = 11002;
    const NO_RECOVERY: i32 = 11003;
    const NO_DATA: i32 = 11004;
    let words = error.to_string().to_ascii_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    match error.raw_os_error() {
        Some(HOST_NOT_FOUND) => FailureCode::NameNxdomain,
        Some(TRY_AGAIN | NO_RECOVERY) => FailureCode::NameServfail,
        Some(NO_DATA) => FailureCode::NameNoData,
        _ if says(&["not known", "does not resolve", "nodename nor servname"]) => FailureCode::NameNxdomain,
        _ if says(&["no address associated", "has no usable address"]) => FailureCode::NameNoData,
        _ if says(&["temporary failure", "try again", "non-recoverable"]) => FailureCode::NameServfail,
        _ => FailureCode::NameError,
    }
}

fn push_new(addresses: &mut Vec<IpAddr>, address: IpAddr) {
    if !addresses.contains(&address) {
        addresses.push(address);
    }
}

/// The name of the system's resolver in the evidence.
pub(super) const SYSTEM: &str = "system";
/// More addresses of one name are not kept.
const MAX_ADDRESSES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_are_told_apart() {
        let code = |text: &str| system_code(&io::Error::other(text));
        assert_eq!(code("failed to lookup address information: Name or service not known"), FailureCode::NameNxdomain);
        assert_eq!(
            code("failed to lookup address information: No address associated with hostname"),
            FailureCode::NameNoData
        );
        assert_eq!(
            code("failed to lookup address information: Temporary failure in name resolution"),
            FailureCode::NameServfail
        );
        assert_eq!(code("something else"), FailureCode::NameError);
        assert_eq!(system_code(&io::Error::from_raw_os_error(11001)), FailureCode::NameNxdomain);
    }

    #[test]
    fn the_answer_that_says_most_speaks() {
        let answer = |code: &str| {
            Ok(Answer {
                response_code: code.into(),
                canonical_names: Vec::new(),
                addresses: Vec::new(),
                extended_error: None,
            })
        };
        let silent = Err(Failure::new(FailureCode::NameTimeout, "silence"));
        let order = [answer("NXDOMAIN"), answer("SERVFAIL"), silent, answer("NOERROR")];
        assert!(order.windows(2).all(|pair| rank(&pair[0]) < rank(&pair[1])));
    }

    #[tokio::test]
    async fn the_system_resolves_localhost() {
        let name = HostName::parse("localhost").unwrap();
        let seen = resolve(&name, None, None, Duration::from_secs(10)).await;
        let addresses = seen.result.unwrap();
        assert!(!addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback));
        assert_eq!(seen.evidence.unwrap().resolver, "system");
    }
}
