//! SQL Server Browser: which TCP port a named instance listens on (the SQL Server Resolution Protocol, MS-SQLR).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Asks about one instance: `CLNT_UCAST_INST` (0x04) and its name. Three tries, since UDP may lose one.
///
/// The error is a text: silence, or an answer that names no port.
pub(super) async fn port_of(browser: SocketAddr, instance: &str, wait: Duration) -> Result<u16, String> {
    let local: SocketAddr = match browser {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let asking = async {
        let socket = UdpSocket::bind(local).await?;
        // Only datagrams of the one that was asked get through a connected socket.
        socket.connect(browser).await?;
        let question = [&[0x04], instance.as_bytes()].concat();
        let mut buffer = vec![0; 65_535];
        for _ in 0..3 {
            socket.send(&question).await?;
            if let Ok(received) = timeout(wait / 3, socket.recv(&mut buffer)).await {
                buffer.truncate(received?);
                return Ok::<_, std::io::Error>(buffer);
            }
        }
        Err(std::io::ErrorKind::TimedOut.into())
    };
    match asking.await {
        Ok(answer) => port_in(&answer).ok_or_else(|| "its answer names no TCP port".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => Err("no answer".to_owned()),
        Err(error) => Err(format!("no answer ({error})")),
    }
}

/// `SVR_RESP` (0x05), the length, and `name;value;` pairs with the port after `tcp`.
fn port_in(answer: &[u8]) -> Option<u16> {
    let (0x05, data) = (*answer.first()?, answer.get(3..)?) else { return None };
    let data = String::from_utf8_lossy(data);
    let mut words = data.split(';');
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case("tcp") {
            return words.next()?.parse().ok().filter(|port| *port > 0);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(900);

    #[test]
    fn the_port_stands_after_tcp() {
        let answer =
            b"\x05\x30\x00ServerName;CM01;InstanceName;CMINST;IsClustered;No;Version;15.0.2000.5;tcp;50123;np;x;;";
        assert_eq!(port_in(answer), Some(50_123));
        for hostile in [&b""[..], b"\x05", b"\x05\x01\x00", b"\x05\x01\x00tcp;", b"\x05\x01\x00tcp;0;", b"\x04..tcp;1;"]
        {
            assert_eq!(port_in(hostile), None);
        }
    }

    #[tokio::test]
    async fn a_lost_question_is_asked_again() {
        let browser = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = browser.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let mut buffer = [0; 64];
            browser.recv_from(&mut buffer).await.unwrap();
            let (length, from) = browser.recv_from(&mut buffer).await.unwrap();
            browser.send_to(b"\x05\x09\x00tcp;1500;;", from).await.unwrap();
            buffer[..length].to_vec()
        });
        assert_eq!(port_of(address, "CMINST", WAIT).await, Ok(1500));
        assert_eq!(server.await.unwrap(), b"\x04CMINST");
    }

    #[tokio::test]
    async fn silence_is_said() {
        let browser = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let said = port_of(browser.local_addr().unwrap(), "CMINST", Duration::from_millis(90)).await;
        assert_eq!(said, Err("no answer".to_owned()));
    }
}
