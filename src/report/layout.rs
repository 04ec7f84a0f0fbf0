//! Text in columns: wrapping by the width that a terminal shows.

use unicode_width::UnicodeWidthStr;

/// Breaks a text into lines of at most `width` columns: at blanks first, else behind `.`, `/`, `-` or `:`, else anywhere.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let mut word = word;
        loop {
            let space = if line.is_empty() { "" } else { " " };
            // Measured as a whole: marks may join with what stands before them and widen it.
            let joined = format!("{line}{space}{word}");
            if joined.width() <= width {
                line = joined;
                break;
            }
            let room = width.saturating_sub(line.width() + space.len());
            if word.width() <= width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                continue;
            }
            // Longer than a whole line: fill what is left of this one if that is worth it, else begin a new one.
            if room < width / 2 && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                continue;
            }
            let cut = break_at(word, room);
            line.push_str(space);
            line.push_str(&word[..cut]);
            lines.push(std::mem::take(&mut line));
            word = &word[cut..];
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// The byte after the last good place to break within `room` columns; at least one character.
fn break_at(word: &str, room: usize) -> usize {
    let (mut last, mut good) = (0, 0);
    for (index, c) in word.char_indices() {
        let end = index + c.len_utf8();
        if last > 0 && word[..end].width() > room {
            break;
        }
        last = end;
        if matches!(c, '.' | '/' | '-' | ':') {
            good = last;
        }
    }
    if good * 2 > last { good } else { last }
}

/// `wrap`, joined, with every line after the first indented.
pub(super) fn hanging(text: &str, width: usize, indent: usize) -> String {
    wrap(text, width.saturating_sub(indent)).join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_names_break_behind_a_dot() {
        assert_eq!(
            wrap("https://download.visualstudio.microsoft.com", 30),
            ["https://download.visualstudio.", "microsoft.com"]
        );
        assert_eq!(wrap("a b c", 8), ["a b c"]);
        assert_eq!(wrap("", 8), [""]);
        assert_eq!(wrap("no answer from its address", 10), ["no answer", "from its", "address"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_line_is_too_wide(text in "[a-z./ é日⛓\u{fe0f}｡\u{ff9e}]{0,120}", width in 8usize..40) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|l| l.width() <= width));
            let kept: String = lines.concat().chars().filter(|c| *c != ' ').collect();
            let asked: String = text.chars().filter(|c| *c != ' ').collect();
            prop_assert_eq!(kept, asked);
        }
    }
}
