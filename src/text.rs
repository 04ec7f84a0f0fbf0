//! Text from outside, made fit to be kept and shown.

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

/// Bytes in lower-case hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
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
    fn long_texts_are_cut() {
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(ascii(&"x".repeat(1_000_000), 4), "xxxx...");
    }
}
