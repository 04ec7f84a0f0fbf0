//! WinRM: a command on a Windows host, with nothing installed there.
//!
//! The five verbs that this needs of WS-Management (Create, Command, Send, Receive, Signal and Delete: MS-WSMV and DMTF
//! DSP0226) are written here, over hyper on a connection of our own: NTLM signs in a *connection*, and its seals are
//! numbered along it, so one must know which connection a message takes. NTLM itself is that of `sspi`, a library that is
//! kept by a company for its own products. `winrm-rs`, a whole client, was not taken: it wants a newer compiler than this
//! crate, and its releases for older ones send in clear what a Windows host with its default settings wants sealed.
//!
//! What is spoken:
//! - HTTPS with the machine's own judgement of the certificate and roots given besides; NTLM with channel binding, or
//!   Basic;
//! - HTTP with every message sealed by NTLM. Nothing ever goes out in clear, and no answer in clear is read. NTLM does
//!   not prove who the *server* is, so HTTPS is better.
//! - Kerberos is not spoken. A domain that allows nothing else is reached on Windows through the system's own client,
//!   [`invoke_command`].
//!
//! The shell is deleted whatever happens, after its command was ended if that still ran: also when the caller cancels
//! and when time is up. To stop early, use the token: dropping the future of [`run`] leaves the shell to its idle time.
//!
//! Every answer is hostile: its size, the number of its elements, and the time it takes are bounded, and it must be the
//! answer to our question.

mod answer;
mod client;
mod dial;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod invoke_command;
mod seal;
mod shell;
mod soap;

use std::net::SocketAddr;
use std::time::Duration;

pub use dial::{Trust, knock};
pub use error::WinRmError;
pub use shell::{run, sign_in};

use crate::host::HostName;
use crate::site::Secret;

/// Where WinRM listens.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The host.
    pub host: HostName,
    /// 5986 or 5985 unless an administrator moved it.
    pub port: u16,
    /// What the messages travel in.
    pub transport: Transport,
    /// Where to connect instead of what the name resolves to; certificate and messages stay with the name.
    pub address: Option<SocketAddr>,
}

/// What the messages travel in.
#[derive(Debug, Clone)]
pub enum Transport {
    /// TLS, whose certificate these judge.
    Https(Trust),
    /// HTTP with sealed messages.
    Http,
}

impl Endpoint {
    /// The host at the port that Windows has for the transport.
    pub fn usual(host: HostName, transport: Transport) -> Self {
        let port = match transport {
            Transport::Https(_) => 5986,
            Transport::Http => 5985,
        };
        Self { host, port, transport, address: None }
    }

    /// Such as `https://cm01.contoso.com:5986/wsman`, made of a name and a number only.
    fn url(&self) -> String {
        let scheme = match self.transport {
            Transport::Https(_) => "https",
            Transport::Http => "http",
        };
        format!("{scheme}://{}:{}{PATH}", self.host, self.port)
    }

    fn is_encrypted(&self) -> bool {
        matches!(self.transport, Transport::Https(_))
    }
}

/// Who signs in.
#[derive(Debug, Clone)]
pub struct Account {
    /// `DOMAIN\user`, `user@domain`, or `user` for one of the host itself.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// How.
    pub scheme: Scheme,
}

/// How one signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `Negotiate` with NTLM.
    Ntlm,
    /// `Basic`: over HTTPS only, and Windows has it switched off.
    Basic,
}

/// How long, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Each of: the name, the connection, the TLS handshake.
    pub connect: Duration,
    /// From the beginning to the end of the command. Taking the shell down has a few seconds of its own.
    pub total: Duration,
    /// Standard output and standard error together, in octets.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), total: Duration::from_mins(5), output: 64 << 20 }
    }
}

const PATH: &str = "/wsman";
