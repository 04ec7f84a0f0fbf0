//! Why a command could not be run over WinRM, and what to do about it.
//!
//! The texts are fragments that fit after the name of a host and a colon. None holds a password. Whatever came from the
//! host in them is already harmless text.

use std::time::Duration;

use crate::vantage::{Unreached, UnreachedWhy};

/// Why a command could not be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WinRmError {
    /// Basic without TLS.
    #[error("Basic sends the password as it is, so it is used over HTTPS only; nothing was sent")]
    BasicInClear,
    /// The account is none.
    #[error("{0}")]
    Account(String),
    /// More than the remote shell takes.
    #[error("the command line has {length} characters, and the remote shell takes {limit}; nothing was sent")]
    LineTooLong {
        /// Its length.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
    /// No address.
    #[error("the name cannot be resolved: {0}")]
    NameNotResolved(String),
    /// Nobody listens, or a firewall says no.
    #[error("port {port} is refused ({detail})")]
    Refused {
        /// The port.
        port: u16,
        /// What the system says.
        detail: String,
    },
    /// No answer to the connection.
    #[error("port {port} does not answer within {limit:?}")]
    Unanswered {
        /// The port.
        port: u16,
        /// How long was waited.
        limit: Duration,
    },
    /// The certificate is not good for this machine.
    #[error("its certificate is not trusted: {0}; nothing was sent")]
    CertificateNotTrusted(String),
    /// No TLS session.
    #[error("no TLS session with port {port}: {detail}")]
    Tls {
        /// The port.
        port: u16,
        /// What happened.
        detail: String,
    },
    /// The host does not take the way of signing in.
    #[error("it does not take {wanted} here, it offers {offered}")]
    SchemeNotOffered {
        /// What we speak.
        wanted: &'static str,
        /// What it named, in words.
        offered: String,
    },
    /// The sign-in was refused.
    #[error("it refused to sign {user} in ({scheme}{})", if *.bound { ", bound to the TLS channel" } else { "" })]
    SignInRefused {
        /// The account.
        user: String,
        /// How it signed in.
        scheme: &'static str,
        /// Whether the sign-in was bound to the TLS session.
        bound: bool,
    },
    /// Its NTLM cannot be understood.
    #[error("its part of the sign-in makes no sense: {0}")]
    BadChallenge(String),
    /// The account may not do it.
    #[error("{user} may not run commands there: {detail}")]
    NotAllowed {
        /// The account.
        user: String,
        /// What the host says.
        detail: String,
    },
    /// A limit of the host.
    #[error("a limit of its remote shells is reached: {0}")]
    Quota(String),
    /// Something else that the host says.
    #[error("it refused: {detail} (code {code})")]
    Fault {
        /// The code of the fault, such as `2150858843` or `w:InvalidSelectors`.
        code: String,
        /// What the host says.
        detail: String,
    },
    /// HTTP, but no WinRM.
    #[error("it answered with HTTP status {0}, which is not WinRM's")]
    Status(u16),
    /// In clear.
    #[error("it answered in clear to a sealed message, so the answer was not read")]
    NotSealed,
    /// Sealed by nobody, or changed on the way.
    #[error("its answer does not fit its seal: {0}")]
    Altered(String),
    /// Not an answer to what was asked.
    #[error("its answer is not one to our question: {0}")]
    NotOurs(String),
    /// The connection ended.
    #[error("the connection was cut in the middle: {0}")]
    Cut(String),
    /// More than is taken.
    #[error("its answer has more than {limit} octets")]
    TooLarge {
        /// What is allowed.
        limit: usize,
    },
    /// One answer took too long.
    #[error("it did not answer within {0:?}")]
    Silent(Duration),
    /// The whole took too long.
    #[error("it did not come to its end within {0:?}; what ran there was ended")]
    Deadline(Duration),
    /// The caller gave up.
    #[error("cancelled; what ran there was ended")]
    Cancelled,
    /// The fault of this machine.
    #[error("{0}")]
    Here(String),
}

impl WinRmError {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::BasicInClear => "use HTTPS (port 5986), or NTLM",
            Self::Account(_) => "give the account as DOMAIN\\user, user@domain or user",
            Self::LineTooLong { .. } => "send what is long on standard input",
            Self::NameNotResolved(_) => "check the name in the site database and the DNS suffixes of this machine",
            Self::Refused { .. } => "switch WinRM on there (`winrm quickconfig`), or allow the port from this machine",
            Self::Unanswered { .. } => {
                "allow the port from this machine in the firewalls between, and in the host's own"
            }
            Self::CertificateNotTrusted(_) => {
                "give the CA of the host's certificate as a file, or give the host a certificate for its full name"
            }
            Self::Tls { .. } => {
                "check that the port is WinRM's HTTPS listener (`winrm enumerate winrm/config/listener`)"
            }
            Self::SchemeNotOffered { .. } => {
                "allow Negotiate (or, over HTTPS, Basic) in winrm/config/service/auth there; where only Kerberos is \
                 allowed, run cmcomply on Windows and use Invoke-Command"
            }
            Self::SignInRefused { bound: true, .. } => {
                "check account and password; if both are right, something between opens TLS and the host insists on \
                 the channel binding (CbtHardeningLevel)"
            }
            Self::SignInRefused { .. } => "check account and password, and whether the domain still allows NTLM",
            Self::NotAllowed { .. } => {
                "make the account an administrator or a member of Remote Management Users there; a local account that is \
                 not the built-in administrator also needs LocalAccountTokenFilterPolicy"
            }
            Self::Quota(_) => "wait for other shells of this account to end, or raise the limits in winrm/config/winrs",
            Self::Fault { .. } => "look up the code, or see the log Microsoft-Windows-WinRM/Operational there",
            Self::Status(_) => {
                "check that the port is WinRM's, with its usual path /wsman, and no proxy stands between"
            }
            Self::BadChallenge(_) | Self::NotSealed | Self::Altered(_) | Self::NotOurs(_) => {
                "something between changes the messages, or this is no WinRM; use HTTPS"
            }
            Self::Cut(_) | Self::Silent(_) => "try again; see whether the host or its WinRM service was restarted",
            Self::TooLarge { .. } => "this is no answer of ours; look at what runs there",
            Self::Deadline(_) => "give more time, or look at why the host is slow",
            Self::Cancelled => "run it again",
            Self::Here(_) => "see the message",
        }
    }
}

impl From<WinRmError> for Unreached {
    fn from(error: WinRmError) -> Self {
        use WinRmError as E;
        let why = match &error {
            E::NameNotResolved(_) => UnreachedWhy::Name,
            E::Refused { .. } | E::Unanswered { .. } | E::Tls { .. } | E::Status(_) => UnreachedWhy::Port,
            E::CertificateNotTrusted(_) => UnreachedWhy::Identity,
            E::Account(_) | E::SignInRefused { .. } => UnreachedWhy::SignIn,
            E::NotAllowed { .. } => UnreachedWhy::Rights,
            E::SchemeNotOffered { .. } | E::Quota(_) => UnreachedWhy::Policy,
            E::BasicInClear | E::LineTooLong { .. } => UnreachedWhy::Settings,
            E::Silent(_) | E::Deadline(_) => UnreachedWhy::Deadline,
            E::Cancelled => UnreachedWhy::Interrupted,
            E::Here(_) => UnreachedWhy::Program,
            E::BadChallenge(_)
            | E::Fault { .. }
            | E::NotSealed
            | E::Altered(_)
            | E::NotOurs(_)
            | E::Cut(_)
            | E::TooLarge { .. } => UnreachedWhy::Answer,
        };
        Self { remedy: Some(error.remedy().to_owned()), ..Self::new(why, format!("WinRM: {error}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_keeps_its_words_and_says_what_to_do() {
        let refused = WinRmError::SignInRefused { user: r"CONTOSO\a".into(), scheme: "NTLM", bound: true };
        let unreached = Unreached::from(refused);
        assert_eq!(unreached.why, UnreachedWhy::SignIn);
        assert_eq!(unreached.to_string(), r"WinRM: it refused to sign CONTOSO\a in (NTLM, bound to the TLS channel)");
        assert!(unreached.remedy().ends_with("(CbtHardeningLevel)"), "{}", unreached.remedy());
    }
}
