//! Where a password comes from: never from an argument.

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::site::Secret;
use crate::vantage::SecretSource;

/// The environment variable that is read where neither a file nor standard input is named.
pub(super) const VARIABLE: &str = "CMCOMPLY_SQL_PASSWORD";

/// The most that is read of a file or of standard input.
const LIMIT: u64 = 4096;

/// A token is not longer.
const TOKEN_LIMIT: u64 = 16_384;

/// The same for a proxy's account.
const PROXY_VARIABLE: &str = "CMCOMPLY_PROXY_PASSWORD";

/// The same for a key that signs.
const SIGN_VARIABLE: &str = "CMCOMPLY_SIGN_PASSWORD";

/// The password of `user`: from the file, from standard input, from the environment, or from a prompt.
pub(super) fn password(user: &str, file: Option<&Path>, stdin: bool) -> anyhow::Result<Secret> {
    let whose = format!("SQL login {}", crate::text::printable(user, 80));
    Source { variable: VARIABLE, option: "--sql-password", whose }.read(file, stdin)
}

/// The password of a proxy's account, likewise.
pub(super) fn proxy_password(user: &str, proxy: &str, file: Option<&Path>, stdin: bool) -> anyhow::Result<Secret> {
    let whose = format!("{} at proxy {proxy}", crate::text::printable(user, 80));
    Source { variable: PROXY_VARIABLE, option: "--proxy-password", whose }.read(file, stdin)
}

/// The password of an account of `cmcomply.toml`, from the place that is named there. Nobody is asked.
pub(super) fn stated(source: &SecretSource) -> anyhow::Result<Secret> {
    match source {
        SecretSource::Variable(name) => match std::env::var(name) {
            Ok(password) if !password.is_empty() => Ok(Secret::new(password)),
            _ => bail!("the environment variable of its password is not set"),
        },
        SecretSource::File(path) => {
            let file = std::fs::File::open(path).context("the file of its password cannot be read")?;
            first_line(file).context("the file of its password")
        }
    }
}

/// The password of a key that signs.
pub(super) fn sign_password(key: &str, file: Option<&Path>) -> anyhow::Result<Secret> {
    Source { variable: SIGN_VARIABLE, option: "--sign-password", whose: format!("key {key}") }.read(file, false)
}

/// Where one kind of password comes from.
struct Source {
    variable: &'static str,
    /// The beginning of its options: `-file` and `-stdin` follow.
    option: &'static str,
    whose: String,
}

impl Source {
    fn read(&self, file: Option<&Path>, stdin: bool) -> anyhow::Result<Secret> {
        let Self { variable, option, whose } = self;
        if let Some(path) = file {
            let open = std::fs::File::open(path);
            let file = open.with_context(|| format!("cannot read {option}-file {}", path.display()))?;
            return first_line(file).with_context(|| format!("{option}-file {}", path.display()));
        }
        if stdin {
            return first_line(io::stdin()).with_context(|| format!("{option}-stdin"));
        }
        match std::env::var(variable) {
            Ok(password) => return Ok(Secret::new(password)),
            Err(std::env::VarError::NotUnicode(_)) => bail!("{variable} is not valid Unicode"),
            Err(std::env::VarError::NotPresent) => {}
        }
        if !io::stdin().is_terminal() {
            // Where there is no such option it is not named.
            let stdin = if *option == "--sign-password" { String::new() } else { format!(" or {option}-stdin") };
            bail!(
                "no password for {whose}: set {variable}, or give {option}-file{stdin} (without a terminal there is no \
                 prompt)"
            );
        }
        let guard = tokio::spawn(restore_terminal_on_ctrl_c());
        let password = rpassword::prompt_password(format!("Password of {whose}: "))
            .map(Secret::new)
            .context("cannot read the password from the terminal");
        guard.abort();
        password
    }
}

/// The prompt switches the terminal's echo off. Ctrl-C there ends the program, and must not leave it off.
async fn restore_terminal_on_ctrl_c() {
    if tokio::signal::ctrl_c().await.is_ok() {
        #[cfg(unix)]
        let _ = std::process::Command::new("stty").arg("echo").status();
        super::console::note("interrupted: nothing was read");
        std::process::exit(i32::from(super::exit::INCOMPLETE));
    }
}

/// A Microsoft Entra access token from an environment variable or a file, if one of them was named.
pub(super) fn token(variable: Option<&str>, file: Option<&Path>) -> anyhow::Result<Option<Secret>> {
    let (text, place) = match (variable, file) {
        (Some(name), _) => match std::env::var(name) {
            Ok(text) => (text, "--sql-token-env"),
            Err(_) => bail!("--sql-token-env: the environment variable {} is not set", crate::text::ascii(name, 80)),
        },
        (None, Some(path)) => {
            let open = std::fs::File::open(path);
            let file = open.with_context(|| format!("cannot read --sql-token-file {}", path.display()))?;
            let mut text = String::new();
            file.take(TOKEN_LIMIT + 8).read_to_string(&mut text).context("--sql-token-file cannot be read as text")?;
            (text, "--sql-token-file")
        }
        (None, None) => return Ok(None),
    };
    one_token(&text).map(Some).context(place)
}

/// A token is one word of visible ASCII characters (RFC 6750, section 2.1).
fn one_token(text: &str) -> anyhow::Result<Secret> {
    let token = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    if token.is_empty() || token.len() as u64 > TOKEN_LIMIT || !token.bytes().all(|b| b.is_ascii_graphic()) {
        bail!("holds no access token (one word of visible ASCII characters, at most {TOKEN_LIMIT} of them)");
    }
    Ok(Secret::new(token))
}

/// The first line, without its end.
fn first_line(source: impl Read) -> anyhow::Result<Secret> {
    let mut text = String::new();
    source.take(LIMIT + 1).read_to_string(&mut text).context("cannot be read as text (UTF-8)")?;
    if text.len() as u64 > LIMIT {
        bail!("longer than {LIMIT} bytes: that is no password");
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Secret::new(line)),
        _ => bail!("holds no password"),
    }
}

/// The arguments that say where the password comes from.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct PasswordArgs {
    /// Read the password from the first line of a file.
    #[arg(long = "sql-password-file", value_name = "FILE", conflicts_with = "sql_password_stdin")]
    pub(super) sql_password_file: Option<PathBuf>,
    /// Read the password from the first line of standard input.
    #[arg(long = "sql-password-stdin")]
    pub(super) sql_password_stdin: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word() {
        for text in ["eyJ0.abc-_", "eyJ0.abc-_\r\n", "\u{feff}eyJ0.abc-_ "] {
            assert_eq!(one_token(text).unwrap().expose(), "eyJ0.abc-_");
        }
        for text in ["", "\n", "two words", "na\u{ef}ve", "a\nb", &"x".repeat(16_385)] {
            let error = one_token(text).unwrap_err().to_string();
            assert!(error.contains("no access token") && (text.len() < 2 || !error.contains(text)), "{error}");
        }
        assert!(token(None, None).unwrap().is_none());
        assert!(token(Some("CMCOMPLY_NO_SUCH_VARIABLE"), None).is_err());
    }

    #[test]
    fn the_first_line_counts_with_or_without_a_mark_and_an_end() {
        for text in ["pw", "pw\n", "pw\r\nmore", "\u{feff}pw\n"] {
            assert_eq!(first_line(text.as_bytes()).unwrap().expose(), "pw");
        }
        assert!(first_line(&b"\n"[..]).is_err());
        assert!(first_line(&b"\xff\xfe"[..]).is_err());
        assert!(first_line("x".repeat(5000).as_bytes()).is_err());
    }
}
