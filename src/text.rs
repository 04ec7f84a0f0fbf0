//! Text from outside, made fit to be kept and shown.

use std::borrow::Cow;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// At most `max` characters of `text`, with every control, format and separator character that could act on a
/// terminal or reorder a line written as `\u{…}`. A longer text ends in `…`.
pub fn printable(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max.saturating_add(4)));
    for (count, c) in text.chars().enumerate() {
        if count == max {
            out.push('…');
            break;
        }
        if is_harmless(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

/// As [`printable`], and everything but printable ASCII is escaped: for values that are shown because they are wrong.
pub fn ascii(text: &str, max: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == max {
            out.push_str("...");
            break;
        }
        if c == ' ' || c.is_ascii_graphic() { out.push(c) } else { out.extend(c.escape_unicode()) }
    }
    out
}

/// Adds a text to HTML or XML: as the content of an element, or as the value of an attribute in quotes.
pub(crate) fn escape_markup(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// Bytes in lower-case hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// A path, fit to be shown.
pub(crate) fn path(path: &Path) -> String {
    printable(&path.display().to_string(), 500)
}

/// SHA-256, in lower-case hexadecimal, over the canonical form of a document without its field `sha256`: JSON with sorted
/// keys and no blanks.
pub(crate) fn canonical_sha256(document: Value) -> String {
    canonical_sha256_with::<Value>(document, "", &[])
}

/// The same of a document whose list `name` was taken out of it: item by item, so that a long one is not in memory a
/// second time.
pub(crate) fn canonical_sha256_with<T: Serialize>(mut document: Value, name: &str, items: &[T]) -> String {
    let mut hash = Sha256::new();
    if let Some(fields) = document.as_object_mut() {
        fields.remove("sha256");
    }
    document.sort_all_objects();
    let Value::Object(fields) = document else { return hexadecimal(&Sha256::digest(document.to_string())) };
    hash.update("{");
    for (nth, (key, value)) in fields.iter().enumerate() {
        hash.update(if nth == 0 { "" } else { "," });
        hash.update(Value::from(key.as_str()).to_string());
        hash.update(":");
        if key != name {
            hash.update(value.to_string());
            continue;
        }
        hash.update("[");
        for (nth, item) in items.iter().enumerate() {
            hash.update(if nth == 0 { "" } else { "," });
            let mut item = serde_json::to_value(item).expect("strings, numbers and lists of them become JSON");
            item.sort_all_objects();
            hash.update(item.to_string());
        }
        hash.update("]");
    }
    hash.update("}");
    hexadecimal(&hash.finalize())
}

/// Text as PowerShell and editors of Windows write it, in UTF-8 or UTF-16, and whether all of it is text; what is none
/// stands as replacement characters.
pub(crate) fn decoded(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let pairs = bytes.chunks_exact(2);
        let even = pairs.remainder().is_empty();
        let units: Vec<u16> = pairs.map(|pair| unit([pair[0], pair[1]])).collect();
        match String::from_utf16(&units) {
            Ok(text) => (text.into(), even),
            Err(_) => (String::from_utf16_lossy(&units).into(), false),
        }
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [b'{', 0, ..] => wide(bytes, u16::from_le_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            std::str::from_utf8(bytes)
                .map_or_else(|_| (String::from_utf8_lossy(bytes), false), |text| (text.into(), true))
        }
    }
}

/// What stands for a part that may be a secret. No name and no address has it, so that what was cut is never used.
const CUT: &str = "***";

/// The text without the parts of a URL that may hold a secret: an account before `@`, and a query or fragment.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    if !text.contains(['@', '?', '#']) {
        return Cow::Borrowed(text);
    }
    let (scheme, rest) = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)).unwrap_or(("", text));
    let start = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    // A mark before the last `@` may be one of the password, or the `@` one of the query: nothing of both is kept.
    let account = rest.rfind('@');
    match (account, rest.find(['?', '#'])) {
        (Some(at), Some(mark)) if mark < at => format!("{start}{CUT}"),
        (Some(at), Some(mark)) => format!("{start}{CUT}@{}{CUT}", &rest[at + 1..=mark]),
        (Some(at), None) => format!("{start}{CUT}@{}", &rest[at + 1..]),
        (None, Some(mark)) => format!("{start}{}{CUT}", &rest[..=mark]),
        (None, None) => text.to_owned(),
    }
    .into()
}

/// As [`without_secrets`] for settings of proxies as Windows has them: entries between `;` and blanks, `scheme=` before
/// some. Nothing stands where an account stood, so that the rest reads as it would without one.
pub(crate) fn proxies_without_secrets(text: &str) -> String {
    let entries = || text.split_inclusive([';', ' ']);
    // An account without a password may be the end of one that has our separators in it; so may whatever follows a query.
    let torn = |entry: &str| {
        entry.contains(['?', '#']) || entry.rsplit_once('@').is_some_and(|(account, _)| !account.contains(':'))
    };
    let cut = if entries().any(torn) { without_secrets(text).into_owned() } else { entries().map(entry).collect() };
    cut.replace(&format!("{CUT}@"), "")
}

/// `a:80`, `https=a:443` or a URL.
fn entry(text: &str) -> String {
    let named = text.split_once('=').filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric()));
    match named {
        Some((name, proxy)) => format!("{name}={}", without_secrets(proxy)),
        None => without_secrets(text).into_owned(),
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// Whether a character only prints: no control, no bidirectional override, no zero-width or line separator character, and
/// none that Unicode keeps from ever being one, which XML and HTML refuse.
pub(crate) fn is_harmless(c: char) -> bool {
    !(c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_codes_and_bidi_marks_come_out_inert() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\u{9b}", 99), "a\\u{1b}[2Jb\\u{202e}c\\u{9b}");
        assert_eq!(printable("Contoso – Genève", 99), "Contoso – Genève");
        assert_eq!(printable("\u{ffff}\u{1fffe}\u{fdd0}", 99), "\\u{ffff}\\u{1fffe}\\u{fdd0}");
        assert_eq!(ascii("<b>é\n", 99), "<b>\\u{e9}\\u{a}");
    }

    #[test]
    fn bytes_in_hexadecimal() {
        assert_eq!(hexadecimal(&[0, 0x1f, 0xff]), "001fff");
    }

    #[test]
    fn settings_of_proxies_keep_no_secret() {
        for (text, shown) in [
            (
                "proxy.contoso.com:8080 bypass <local>;*.contoso.com",
                "proxy.contoso.com:8080 bypass <local>;*.contoso.com",
            ),
            ("http=a:80;https=b:443", "http=a:80;https=b:443"),
            ("svc:hunter2@proxy:8080", "proxy:8080"),
            ("http=svc:hunter2@proxy:80;https=https://svc:hunter2@b:443/", "http=proxy:80;https=https://b:443/"),
            ("http://svc:hunter2@proxy:80 bypass <local>", "http://proxy:80 bypass <local>"),
            ("https=svc:hunter2=hunter2@b:443", "https=b:443"),
            ("svc:hunter2;hunter2@proxy:80", "proxy:80"),
            ("svc:hunter2 hunter2=hunter2@proxy:80", "proxy:80"),
            ("http://wpad.contoso.com/p.pac?sig=hunter2", "http://wpad.contoso.com/p.pac?***"),
            ("http://wpad.contoso.com/p.pac?a=b;token=hunter2", "http://wpad.contoso.com/p.pac?***"),
            ("http://svc:hunter2@wpad/p.pac?token=hunter2 hunter2", "http://wpad/p.pac?***"),
        ] {
            assert_eq!(proxies_without_secrets(text), shown);
        }
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(ascii(&"x".repeat(1_000_000), 4), "xxxx...");
    }
}
