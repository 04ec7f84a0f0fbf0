//! The proxy settings of Windows: of WinHTTP (`netsh winhttp set proxy`), and of WinINET for the signed-in user and for
//! SYSTEM.
//!
//! Everything here is pure but [`read`], which asks the registry; only a real Windows can show that the keys are the right
//! ones.

use std::fmt;
use std::time::Instant;

use super::{Choice, Rules, proxy};
use crate::catalog::Context;
use crate::derive::Via;
use crate::registry::{self, value};
use crate::text::{printable, without_secrets};

/// The contents of `WinHttpSettings` and `DefaultConnectionSettings`. The format is not documented; it is 32-bit
/// little-endian numbers (version, counter, flags) and then texts with their length before them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// Such as `proxy.contoso.com:8080` or `http=a:80;https=b:443`, where a proxy is switched on.
    pub proxy: Option<String>,
    /// The bypass list.
    pub bypass: Option<String>,
    /// The address of a script, where that is switched on.
    pub script: Option<String>,
    /// Whether the script's address is to be discovered (WPAD).
    pub discovers: bool,
}

/// Why octets are no connection settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsBlobError {
    /// They end too early.
    #[error("they end in the middle")]
    Short,
    /// They begin with an unknown version.
    #[error("their version {0} is unknown")]
    Version(u32),
    /// A text is not ASCII.
    #[error("they hold a text that is not ASCII")]
    Text,
}

impl ConnectionSettings {
    /// Reads the octets of the registry value.
    pub fn parse(bytes: &[u8]) -> Result<Self, SettingsBlobError> {
        let mut rest = bytes;
        let version = number(&mut rest)?;
        // 0x18 and 0x28: WinHTTP; 0x3c and 0x46: WinINET.
        if !matches!(version, 0x18 | 0x28 | 0x3c | 0x46) {
            return Err(SettingsBlobError::Version(version));
        }
        let _counter = number(&mut rest)?;
        let flags = number(&mut rest)?;
        let (server, list) = (text(&mut rest)?, text(&mut rest)?);
        // WinHTTP's own settings end here.
        let address = if rest.len() >= 4 { text(&mut rest)? } else { None };
        Ok(Self {
            proxy: server.filter(|_| flags & USES_PROXY != 0),
            bypass: list,
            script: address.filter(|_| flags & USES_SCRIPT != 0),
            discovers: flags & DISCOVERS != 0,
        })
    }

    /// The rules that these settings make. A script comes before the proxy, as in Windows; it is not fetched here.
    pub fn rules(&self, origin: &str) -> Rules {
        Rules { origin: origin.to_owned(), choice: self.choice().unwrap_or_else(Choice::Unknown) }
    }

    fn choice(&self) -> Result<Choice, String> {
        if let Some(address) = &self.script {
            let address = printable(&without_secrets(address), 200);
            return Err(format!("a script decides: give it with --proxy CONTEXT=pac:{address}"));
        }
        if self.discovers && self.proxy.is_none() {
            return Err("the proxy is discovered (WPAD), which is not done here: state the route".to_owned());
        }
        let bypass = self.bypass.as_deref().unwrap_or_default().parse()?;
        let server = self.proxy.as_deref().unwrap_or_default();
        let of = |scheme| by_scheme(server, scheme).ok_or_else(|| "the proxy is no HOST:PORT".to_owned());
        Ok(Choice::ByScheme { http: of("http")?, https: of("https")?, bypass })
    }
}

/// The proxy of one scheme: `a:8080` is that of all, `http=a:80;https=b:443` names them.
fn by_scheme(server: &str, scheme: &str) -> Option<Via> {
    let entries: Vec<&str> = server.split([';', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).collect();
    let named = entries.iter().filter_map(|entry| entry.split_once('='));
    let own = named.clone().find(|(name, _)| name.eq_ignore_ascii_case(scheme)).map(|(_, proxy)| proxy);
    let Some(entry) = own.or_else(|| entries.iter().copied().find(|entry| !entry.contains('='))) else {
        return Some(Via::Direct);
    };
    let bare = entry.split_once("://").map_or(entry, |(_, rest)| rest);
    proxy(bare.trim_end_matches('/'), 80)
}

/// What Windows says of a context, by `until`.
pub(super) fn read(context: Context, until: Instant) -> Rules {
    of_context(context, |key| registry::query(key, until))
}

/// `query` gives what `reg query KEY` prints, or `None` where there is no such key, or no right to read it.
fn of_context(context: Context, query: impl Fn(&str) -> Result<Option<String>, String>) -> Rules {
    let winhttp = || match query(WINHTTP) {
        Err(why) => unknown(WINHTTP_ORIGIN, &why),
        // Everybody may read this key.
        Ok(output) => match output.as_deref().and_then(|output| value(output, "WinHttpSettings")) {
            Some(octets) => match octets_of(octets).as_deref().map(ConnectionSettings::parse) {
                Some(Ok(settings)) => settings.rules(WINHTTP_ORIGIN),
                Some(Err(error)) => unknown(WINHTTP_ORIGIN, &format!("the settings cannot be read: {error}")),
                None => unknown(WINHTTP_ORIGIN, "the settings cannot be read"),
            },
            None => ConnectionSettings::default().rules("WinHTTP of this machine, not set"),
        },
    };
    let wininet = |key: &str, origin: &str| {
        let output = match query(key) {
            Err(why) => return unknown(origin, &why),
            // Every account has this key, so it is the right to read it that is missing.
            Ok(None) => return unknown(origin, "the settings cannot be read; those of SYSTEM take an administrator"),
            Ok(Some(output)) => output,
        };
        let text = |name: &str| value(&output, name).map(str::to_owned);
        let on = text("ProxyEnable").is_some_and(|number| number.trim_start_matches("0x") == "1");
        let settings = ConnectionSettings {
            proxy: text("ProxyServer").filter(|_| on),
            bypass: text("ProxyOverride"),
            script: text("AutoConfigURL"),
            discovers: false,
        };
        settings.rules(origin)
    };
    match context {
        Context::SystemWininet => wininet(SYSTEM, "WinINET of SYSTEM"),
        Context::ConsoleUser => wininet(USER, "WinINET of the signed-in user"),
        Context::ClientSystem => {
            let own = wininet(SYSTEM, "WinINET of SYSTEM");
            let is_set = |rules: &Rules| {
                !matches!(&rules.choice, Choice::ByScheme { https: Via::Direct, http: Via::Direct, .. })
            };
            if is_set(&own) { own } else { winhttp() }
        }
        _ => winhttp(),
    }
}

fn unknown(origin: &str, why: &str) -> Rules {
    Rules { origin: origin.to_owned(), choice: Choice::Unknown(printable(why, 200)) }
}

fn octets_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits = hexadecimal.as_bytes();
    if !digits.len().is_multiple_of(2) || digits.len() > MAX_DIGITS || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(hexadecimal.get(at..at + 2)?, 16).ok()).collect()
}

fn number(rest: &mut &[u8]) -> Result<u32, SettingsBlobError> {
    let (head, tail) = rest.split_first_chunk().ok_or(SettingsBlobError::Short)?;
    *rest = tail;
    Ok(u32::from_le_bytes(*head))
}

fn text(rest: &mut &[u8]) -> Result<Option<String>, SettingsBlobError> {
    let length = usize::try_from(number(rest)?).map_err(|_| SettingsBlobError::Short)?;
    let (head, tail) = rest.split_at_checked(length).ok_or(SettingsBlobError::Short)?;
    *rest = tail;
    if !head.is_ascii() {
        return Err(SettingsBlobError::Text);
    }
    Ok((length > 0).then(|| String::from_utf8_lossy(head).trim_end_matches('\0').to_owned()))
}

impl fmt::Display for ConnectionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rules("settings"))
    }
}

const USES_PROXY: u32 = 2;
const USES_SCRIPT: u32 = 4;
const DISCOVERS: u32 = 8;
const MAX_DIGITS: usize = 64 * 1024;
const WINHTTP_ORIGIN: &str = "WinHTTP of this machine";
const WINHTTP: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections";
const SYSTEM: &str = r"HKU\S-1-5-18\Software\Microsoft\Windows\CurrentVersion\Internet Settings";
const USER: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blob(version: u32, flags: u32, texts: &[&str]) -> Vec<u8> {
        let mut bytes: Vec<u8> = [version, 1, flags].iter().flat_map(|number| number.to_le_bytes()).collect();
        for text in texts {
            bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes
    }

    fn shown(bytes: &[u8]) -> String {
        ConnectionSettings::parse(bytes).map_or_else(|error| error.to_string(), |settings| settings.to_string())
    }

    #[test]
    fn the_octets_of_the_registry_become_rules() {
        let set = blob(0x28, 3, &["proxy.contoso.com:8080", "*.contoso.com;<local>"]);
        assert_eq!(
            shown(&set),
            "http proxy proxy.contoso.com:8080, https proxy proxy.contoso.com:8080, past it: *.contoso.com;<local> (settings)"
        );
        let by_scheme = blob(0x46, 3, &["http=a:80;https=https://b:443/;ftp=c:21", "", ""]);
        assert_eq!(shown(&by_scheme), "http proxy a:80, https proxy b:443, past it:  (settings)");
        assert_eq!(shown(&blob(0x28, 1, &["left-over:8080", ""])), "direct (settings)", "switched off");
        let script = blob(0x46, 5, &["", "", "http://wpad.contoso.com/p.pac"]);
        assert!(shown(&script).starts_with("unknown: a script decides: give it with --proxy CONTEXT=pac:http://wpad"));
        let secret = shown(&blob(0x46, 5, &["", "", "http://svc:hunter2@wpad.contoso.com/p.pac?sig=hunter2"]));
        assert!(
            secret.contains("pac:http://***@wpad.contoso.com/p.pac?***") && !secret.contains("hunter2"),
            "{secret}"
        );
        assert!(shown(&blob(0x46, 9, &["", "", ""])).contains("WPAD"));
        assert!(shown(&blob(0x46, 3, &["a/b:80", "", ""])).starts_with("unknown: the proxy is no HOST:PORT"));
    }

    #[test]
    fn broken_octets_are_refused() {
        assert_eq!(ConnectionSettings::parse(&[]), Err(SettingsBlobError::Short));
        assert_eq!(ConnectionSettings::parse(&blob(7, 3, &["a", "b"])), Err(SettingsBlobError::Version(7)));
        let mut long = blob(0x28, 3, &[]);
        long.extend(u32::MAX.to_le_bytes());
        assert_eq!(ConnectionSettings::parse(&long), Err(SettingsBlobError::Short));
        assert_eq!(ConnectionSettings::parse(&blob(0x28, 3, &["pröxy", ""])), Err(SettingsBlobError::Text));
    }

    #[test]
    fn each_context_has_its_own_place_in_the_registry() {
        let hexadecimal = crate::text::hexadecimal(&blob(0x28, 3, &["winhttp:8080", ""]));
        let line = |name: &str, kind: &str, data: &str| format!("    {name}    REG_{kind}    {data}\r\n");
        let printed = |key: &str| {
            let values = match key {
                WINHTTP => line("WinHttpSettings", "BINARY", &hexadecimal.to_uppercase()),
                USER => line("ProxyEnable", "DWORD", "0x1") + &line("ProxyServer", "SZ", "user:8080"),
                SYSTEM => line("proxyenable", "DWORD", "0x0") + &line("ProxyServer", "SZ", "off:8080"),
                _ => return None,
            };
            Some(format!("\r\n{key}\r\n    (Default)    REG_SZ    \r\n{values}\r\n{key}\\Zones\r\n"))
        };
        let query = |key: &str| Ok(printed(key));
        let of = |context| of_context(context, query).to_string();
        assert_eq!(of(Context::SystemWinhttp), "proxy winhttp:8080 (WinHTTP of this machine)");
        assert_eq!(of(Context::ConsoleUser), "proxy user:8080 (WinINET of the signed-in user)");
        assert_eq!(of(Context::SystemWininet), "direct (WinINET of SYSTEM)");
        assert_eq!(of(Context::ClientSystem), "proxy winhttp:8080 (WinHTTP of this machine)");
        let nothing = |context| of_context(context, |_| Ok(None)).to_string();
        assert_eq!(nothing(Context::SystemWinhttp), "direct (WinHTTP of this machine, not set)");
        // Who may not read them does not know them.
        for context in [Context::SystemWininet, Context::ClientSystem, Context::ConsoleUser] {
            assert!(nothing(context).starts_with("unknown: the settings cannot be read"), "{}", nothing(context));
        }
    }

    #[test]
    fn a_registry_that_does_not_answer_leaves_the_way_unknown() {
        let late = |_: &str| Err("reg.exe did not end in time, and was killed".to_owned());
        for context in [Context::SystemWinhttp, Context::SystemWininet, Context::ClientSystem, Context::ConsoleUser] {
            let rules = of_context(context, late);
            assert!(matches!(rules.choice, Choice::Unknown(_)), "{rules}");
            assert!(rules.to_string().contains("did not end in time"), "{rules}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in prop::sample::select(vec![0x28u32, 0x46])) {
            let _ = ConnectionSettings::parse(&bytes);
            let _ = shown(&[version.to_le_bytes().as_slice(), &bytes].concat());
        }
    }
}
