//! The driver's errors, said so that an operator can act on them.

use std::io;
use std::time::Duration;

use tiberius::error::Error as DriverError;

use super::error::ConnectError;
use super::options::{Certificate, Options, SignIn};
use crate::text;

/// Where a handshake failed.
pub(super) struct Place<'a> {
    /// `host:port`
    pub(super) address: &'a str,
    pub(super) host: &'a str,
    pub(super) database: &'a str,
    pub(super) options: &'a Options,
}

/// A failure of the handshake.
pub(super) fn explain(error: &DriverError, place: &Place<'_>) -> ConnectError {
    let address = place.address.to_owned();
    match error {
        DriverError::Server(token) => {
            explain_login(token.code(), text::printable(token.message().trim_end_matches('.'), 300), place)
        }
        DriverError::Io { kind: io::ErrorKind::TimedOut, .. } => {
            ConnectError::HandshakeStalled { address, limit: place.options.connect_timeout }
        }
        DriverError::Io { kind, .. } if is_cut(*kind) => ConnectError::Cut { address, detail: kind.to_string() },
        // The kinds under which the TLS library and the loading of roots report.
        DriverError::Io { kind: io::ErrorKind::InvalidData | io::ErrorKind::NotFound, message }
        | DriverError::Tls(message) => explain_tls(message, address, place),
        DriverError::Protocol(message) if message.contains("requested encryption level") => {
            ConnectError::TlsNotOffered { address }
        }
        // The driver says so when the stream ends between two packets.
        DriverError::Protocol(message) if message.contains("DONE token") => {
            ConnectError::Cut { address, detail: text::printable(message, 200) }
        }
        // Kerberos and SSPI fail on this machine; the server has said nothing that would be wrong.
        DriverError::Io { message, .. } if is_windows(&place.options.sign_in) && message.contains("os error") => {
            not_begun(message, place)
        }
        #[cfg(all(unix, feature = "gssapi"))]
        DriverError::Gssapi(message) => not_begun(message, place),
        other => ConnectError::NotSqlServer { address, detail: text::printable(&other.to_string(), 200) },
    }
}

/// A failure to connect.
pub(super) fn explain_tcp(error: &io::Error, address: String, limit: Duration) -> ConnectError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectError::Refused { address },
        io::ErrorKind::TimedOut => ConnectError::TcpTimeout { address, limit },
        _ => ConnectError::Unreachable { address, detail: text::printable(&error.to_string(), 200) },
    }
}

fn is_cut(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// Error numbers of SQL Server's documentation ("Database engine events and errors").
fn explain_login(number: u32, message: String, place: &Place<'_>) -> ConnectError {
    let server = place.options.server.to_string();
    match number {
        // Login failed; not trusted; disabled; locked; password expired; password must be changed; no Windows login.
        18450..=18470 | 18486 | 18487 | 18488 => {
            let (sign_in, advice) = (&place.options.sign_in, refused(number, &place.options.sign_in));
            ConnectError::LoginRefused { server, user: account(sign_in), number, message, advice }
        }
        // Cannot open; default database; does not exist; no user in it; offline, suspect, loading, single user.
        911 | 916 | 922..=929 | 942 | 945 | 4060 | 4063 | 4064 => ConnectError::DatabaseUnavailable {
            server,
            database: text::printable(place.database, 128),
            number,
            message,
        },
        _ => ConnectError::ServerRefused { server, number, message },
    }
}

fn not_begun(message: &str, place: &Place<'_>) -> ConnectError {
    let sign_in = &place.options.sign_in;
    ConnectError::SignInNotBegun {
        server: place.options.server.to_string(),
        user: account(sign_in),
        detail: text::printable(message.trim_end_matches('.'), 200),
    }
}

/// Whether the account is one of Windows or of a domain, of which SQL Server sees no password.
fn is_windows(sign_in: &SignIn) -> bool {
    !matches!(sign_in, SignIn::SqlLogin { .. } | SignIn::EntraToken { .. })
}

/// What to do where the server refused the account.
fn refused(number: u32, sign_in: &SignIn) -> &'static str {
    match (number, sign_in) {
        (18470, _) => "the login is disabled: ask the database administrator to enable it",
        (18486, _) => "the login is locked: ask the database administrator to unlock it",
        (18487 | 18488, _) => "the password has expired or must be changed: do that first",
        (18452, _) if is_windows(sign_in) => {
            "the server does not trust the domain of the account, or no domain controller vouched for it: use an account \
             of a domain that it trusts, and in --sql the server's full name"
        }
        _ if is_windows(sign_in) => {
            "the server has no login for this account or a group that it is in (ask the database administrator for one), \
             or Windows did not accept its password"
        }
        (_, SignIn::EntraToken { .. }) => {
            "check that the token is for https://database.windows.net/ and has not expired, and that the server takes \
             Microsoft Entra accounts"
        }
        (_, SignIn::SqlLogin { user, .. }) if user.contains('\\') => {
            "this looks like a Windows account, and was tried as a SQL login of that name: give a SQL login, or sign in \
             from Windows"
        }
        _ => "check the login and the password, and that the server allows SQL logins (mixed mode)",
    }
}

fn account(sign_in: &SignIn) -> String {
    match sign_in {
        SignIn::SqlLogin { user, .. } => format!("SQL login {}", text::printable(user, 128)),
        SignIn::EntraToken { .. } => "the Microsoft Entra access token".to_owned(),
        #[cfg(all(unix, feature = "gssapi"))]
        SignIn::Kerberos => "the account of the Kerberos ticket".to_owned(),
        #[cfg(windows)]
        SignIn::WindowsAccount { user, .. } => format!("Windows account {}", text::printable(user, 128)),
        #[cfg(windows)]
        SignIn::WindowsCurrent => "the signed-in Windows account".to_owned(),
    }
}

/// The TLS libraries tell causes apart only in their texts (rustls) or in system error numbers (SChannel).
fn explain_tls(message: &str, address: String, place: &Place<'_>) -> ConnectError {
    let lower = message.to_ascii_lowercase();
    let any = |needles: &[&str]| needles.iter().any(|needle| lower.contains(needle));
    // The driver adds advice about its own programming interface.
    let fact = message.split(" To connect anyway").next().unwrap_or_default();
    let fact = fact.trim_start_matches("the server's certificate was rejected during the TLS handshake: ");
    let detail = text::printable(fact.trim_end_matches('.'), 200);
    // CERT_E_CN_NO_MATCH, SEC_E_WRONG_PRINCIPAL
    if any(&["not valid for name", "notvalidforname", "-2146762481", "-2146893022"]) {
        return ConnectError::CertificateWrongName { address, host: place.host.to_owned(), detail };
    }
    // CERT_E_*, CRYPT_E_REVOKED and its like, SEC_E_UNTRUSTED_ROOT, SEC_E_CERT_EXPIRED, SEC_E_CERT_UNKNOWN
    let windows = ["-21467624", "-214688561", "-2146893019", "-2146893016", "-2146893017"];
    if any(&windows)
        || any(&["certificate was rejected", "invalid peer certificate", "ca certificates", "platform cert"])
    {
        let advice = match place.options.certificate {
            Certificate::CaFile(_) => {
                "neither this machine nor the file given with --sql-ca-file has the CA that issued it: give that one"
            }
            Certificate::MachineRoots | Certificate::NotChecked => "give the CA that issued it with --sql-ca-file",
        };
        return ConnectError::CertificateUntrusted { address, advice, detail };
    }
    // SEC_E_ALGORITHM_MISMATCH, SEC_E_UNSUPPORTED_FUNCTION
    let windows = ["-2146893007", "-2146893054"];
    let alerts =
        ["protocolversion", "protocol version", "handshakefailure", "handshake failure", "peer is incompatible"];
    if any(&windows) || any(&alerts) {
        return ConnectError::TlsTooOld { address, detail };
    }
    ConnectError::Tls { address, detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Network, Secret, Server};

    fn options() -> Options {
        Options {
            server: Server::parse("cm01.contoso.com").unwrap(),
            database: None,
            sign_in: SignIn::SqlLogin { user: "reader".to_owned(), password: Secret::new("hunter2") },
            certificate: Certificate::MachineRoots,
            network: Network::default(),
            connect_timeout: Duration::from_secs(15),
            query_timeout: Duration::from_mins(1),
        }
    }

    fn said(error: &DriverError) -> ConnectError {
        let options = options();
        let place =
            Place { address: "cm01.contoso.com:1433", host: "cm01.contoso.com", database: "CM_CHQ", options: &options };
        explain(error, &place)
    }

    #[test]
    fn tls_failures_are_told_apart_on_both_systems() {
        let tls = |text: &str| said(&DriverError::Tls(text.to_owned()));
        let driver = "the server's certificate was rejected during the TLS handshake: invalid peer certificate: \
                      UnknownIssuer. To connect anyway you can: (1) trust a specific CA";
        let ConnectError::CertificateUntrusted { detail, .. } = tls(driver) else { panic!("{:?}", tls(driver)) };
        assert_eq!(detail, "invalid peer certificate: UnknownIssuer");
        for (text, wanted) in [
            ("certificate was rejected: certificate not valid for name \"x\"", "name"),
            ("The certificate's CN name does not match the passed value. (os error -2146762481)", "name"),
            ("A certificate chain processed, but terminated in a root. (os error -2146762487)", "trust"),
            ("no usable CA certificates found in the platform trust store", "trust"),
            ("received fatal alert: ProtocolVersion", "old"),
            ("peer is incompatible: ServerDoesNotSupportTls12Or13", "old"),
            ("(os error -2146893007)", "old"),
            ("something else", "tls"),
        ] {
            let kind = match tls(text) {
                ConnectError::CertificateWrongName { .. } => "name",
                ConnectError::CertificateUntrusted { .. } => "trust",
                ConnectError::TlsTooOld { .. } => "old",
                ConnectError::Tls { .. } => "tls",
                other => panic!("{other:?}"),
            };
            assert_eq!(kind, wanted, "{text}");
        }
    }

    #[test]
    fn whoever_gave_a_ca_is_not_told_to_give_one() {
        let options = Options { certificate: Certificate::CaFile("ca.pem".into()), ..options() };
        let place = Place { address: "a:1", host: "a", database: "CM_CHQ", options: &options };
        let error = DriverError::Tls("invalid peer certificate: UnknownIssuer".to_owned());
        let given = explain(&error, &place).to_string();
        assert!(given.contains("nor the file given with --sql-ca-file has the CA that issued it"), "{given}");
        let none = said(&error).to_string();
        assert!(none.contains("; give the CA that issued it with --sql-ca-file"), "{none}");
    }

    #[test]
    fn the_other_errors_of_the_driver_have_their_own_words() {
        let io = |kind| DriverError::Io { kind, message: "x".to_owned() };
        assert!(matches!(said(&io(io::ErrorKind::TimedOut)), ConnectError::HandshakeStalled { .. }));
        assert!(matches!(said(&io(io::ErrorKind::UnexpectedEof)), ConnectError::Cut { .. }));
        let no_tls = DriverError::Protocol("Server does not allow the requested encryption level.".into());
        assert!(matches!(said(&no_tls), ConnectError::TlsNotOffered { .. }));
        let rest = DriverError::Io { kind: io::ErrorKind::Other, message: "bytes remaining on stream".to_owned() };
        assert!(matches!(said(&rest), ConnectError::NotSqlServer { .. }));
        let garbage = said(&DriverError::Protocol("invalid token type \u{1b}[2J".into()));
        assert!(matches!(garbage, ConnectError::NotSqlServer { .. }));
        assert!(!garbage.to_string().contains('\u{1b}'));
    }

    #[test]
    fn login_errors_are_told_apart_and_name_no_password() {
        let options = options();
        let place = Place { address: "a:1", host: "a", database: "CM_CHQ", options: &options };
        let login = |number| explain_login(number, "Login failed".to_owned(), &place);
        assert!(matches!(login(18456), ConnectError::LoginRefused { .. }));
        assert!(login(18456).to_string().contains("SQL login reader"));
        for number in [4060, 911, 916] {
            assert!(matches!(login(number), ConnectError::DatabaseUnavailable { .. }));
            assert!(login(number).to_string().contains("CM_CHQ"));
        }
        assert!(login(18456).to_string().contains("mixed mode"));
        assert!(login(18486).to_string().contains("locked"));
        let windows = SignIn::SqlLogin { user: "CONTOSO\\reader".to_owned(), password: Secret::new("hunter2") };
        assert!(refused(18456, &windows).contains("looks like a Windows account"));
        assert!(matches!(login(17142), ConnectError::ServerRefused { .. }));
        assert!(!login(18456).to_string().contains("hunter2"));
    }
}
