//! SQL Server Browser: says on UDP which port an instance listens on ([MC-SQLR]).

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

const ONE_INSTANCE: u8 = 4;
const ANSWER: u8 = 5;

/// Answers questions for `instance` until it is dropped.
pub async fn serve(socket: UdpSocket, instance: String, tcp_port: u16) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        let (length, client) = socket.recv_from(&mut buffer).await?;
        answer(&socket, client, &buffer[..length], &instance, tcp_port).await?;
    }
}

async fn answer(socket: &UdpSocket, client: SocketAddr, question: &[u8], instance: &str, port: u16) -> io::Result<()> {
    let asked = match question {
        [ONE_INSTANCE, name @ ..] => String::from_utf8_lossy(name).trim_end_matches('\0').to_owned(),
        _ => instance.to_owned(),
    };
    // Browser says nothing at all about an instance that it does not know.
    if asked.eq_ignore_ascii_case(instance) {
        let text =
            format!("ServerName;CM-CAS-SQL;InstanceName;{instance};IsClustered;No;Version;16.0.1000.6;tcp;{port};;");
        let mut message = vec![ANSWER];
        message.extend(u16::try_from(text.len()).expect("a short text").to_le_bytes());
        message.extend(text.as_bytes());
        socket.send_to(&message, client).await?;
    }
    Ok(())
}
