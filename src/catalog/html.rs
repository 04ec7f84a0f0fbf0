//! The text of an HTML page, line by line. It takes what it gets: there is no error, and no nesting to be trapped in.

use super::page::Line;

/// Elements whose content is not for readers.
const SILENT: [&str; 5] = ["script", "style", "template", "noscript", "svg"];
/// Elements for the use of the page, and not of its text. They nest.
const FURNITURE: [&str; 2] = ["button", "nav"];
/// Elements that may stay open; `hidden` on them would hide all that follows.
const OPEN: [&str; 14] =
    ["p", "li", "dt", "dd", "tr", "td", "th", "option", "br", "hr", "img", "input", "link", "meta"];
/// Elements within a line.
const INLINE: [&str; 13] = ["a", "abbr", "b", "code", "em", "i", "kbd", "small", "span", "strong", "sub", "sup", "u"];

/// Whether a text is HTML: a tag that a page begins with, before long.
pub(super) fn is_html(text: &str) -> bool {
    let head: String = text.chars().take(4096).collect::<String>().to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body", "<main", "<h1", "<div"].iter().any(|tag| head.contains(tag))
}

/// The lines of a page: one for each block.
pub(super) fn lines(html: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = Line { text: String::new(), heading: false, cell: false };
    let mut cell = false;
    // The element that is not shown, and how deep it is nested in its like.
    let mut unseen: Option<(String, usize)> = None;
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        if unseen.is_none() {
            line.text.push_str(&decoded(&rest[..at]));
        }
        rest = &rest[at..];
        let (tag, behind) = tag(rest);
        rest = behind;
        if let Some((within, depth)) = &mut unseen {
            match tag {
                Tag::Element { name, closes: false, .. } if SILENT.contains(&name.as_str()) => {
                    rest = behind_element(rest, &name);
                }
                Tag::Element { name, closes, .. } if name == *within => {
                    *depth = if closes { *depth - 1 } else { *depth + 1 };
                }
                _ => {}
            }
            if *depth == 0 {
                unseen = None;
            }
            continue;
        }
        match tag {
            Tag::None => line.text.push('<'),
            Tag::Other => {}
            Tag::Element { name, closes: false, hidden }
                if !SILENT.contains(&name.as_str())
                    && (FURNITURE.contains(&name.as_str()) || hidden && !OPEN.contains(&name.as_str())) =>
            {
                // What stands on both sides of it is not one word.
                line.text.push(' ');
                unseen = Some((name, 1));
            }
            Tag::Element { name, .. } if INLINE.contains(&name.as_str()) => {
                // As Markdown has it.
                if name == "code" {
                    line.text.push('`');
                }
            }
            Tag::Element { name, closes, .. } => {
                let heading = name.len() == 2 && name.starts_with('h') && name.ends_with(|c: char| c.is_ascii_digit());
                match name.as_str() {
                    "td" | "th" => cell = !closes,
                    "tr" | "table" => cell = false,
                    _ => {}
                }
                let next = Line { text: String::new(), heading: heading && !closes, cell };
                let done = std::mem::replace(&mut line, next);
                push(&mut lines, &done);
                if !closes && SILENT.contains(&name.as_str()) {
                    rest = behind_element(rest, &name);
                }
            }
        }
    }
    if unseen.is_none() {
        line.text.push_str(&decoded(rest));
    }
    push(&mut lines, &line);
    lines
}

/// A line with its blanks made one.
fn push(lines: &mut Vec<Line>, line: &Line) {
    let text = line.text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !text.is_empty() {
        lines.push(Line { text, heading: line.heading, cell: line.cell });
    }
}

enum Tag {
    /// `<` that begins nothing.
    None,
    /// A comment or a declaration.
    Other,
    /// An element, in lower case.
    Element {
        name: String,
        closes: bool,
        /// Whether it says that it is not to be shown.
        hidden: bool,
    },
}

/// The tag at the beginning of the text, and what stands behind it.
fn tag(text: &str) -> (Tag, &str) {
    let inner = &text[1..];
    if let Some(comment) = inner.strip_prefix("!--") {
        return (Tag::Other, comment.split_once("-->").map_or("", |(_, behind)| behind));
    }
    if inner.starts_with(['!', '?']) {
        return (Tag::Other, inner.split_once('>').map_or("", |(_, behind)| behind));
    }
    let closes = inner.starts_with('/');
    let named = if closes { &inner[1..] } else { inner };
    let end = named.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(named.len());
    if !named.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return (Tag::None, inner);
    }
    let name = named[..end].to_ascii_lowercase();
    let behind = behind_attributes(&named[end..]);
    let hidden = is_hidden(&named[end..named.len() - behind.len()]);
    (Tag::Element { name, closes, hidden }, behind)
}

/// Whether `hidden` is among the attributes; within the value of another it does not count.
fn is_hidden(attributes: &str) -> bool {
    let mut quote = None;
    let bare = attributes.chars().map(|c| {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => return '.',
            _ => {}
        }
        c
    });
    let bare: String = bare.collect();
    bare.split([' ', '\t', '\n', '\r', '\u{c}', '/', '>', '"', '\''])
        .any(|word| word.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case("hidden")))
}

/// What stands behind the `>` of a tag; one within quotes does not count.
fn behind_attributes(text: &str) -> &str {
    let mut quote = None;
    for (index, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return &text[index + 1..],
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    ""
}

/// What stands behind the end of an element whose content is skipped.
fn behind_element<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("</") {
        if behind.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return behind_attributes(&behind[name.len()..]);
        }
        rest = behind;
    }
    ""
}

/// The references that a page with host names has, as characters.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        let found = behind.split_once(';').filter(|(name, _)| name.len() <= 8);
        if let Some((c, behind)) = found.and_then(|(name, behind)| Some((character(name)?, behind))) {
            out.push(c);
            rest = behind;
        } else {
            out.push('&');
            rest = behind;
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ast" => '*',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(html: &str) -> Vec<String> {
        lines(html).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn blocks_are_lines_and_scripts_are_silent() {
        assert_eq!(text("<p>a <b>b</b></p><p>c<br>d"), ["a b", "c", "d"]);
        assert_eq!(text("a<script>if (a<b) { '</scrip' }</SCRIPT >b<!-- c > --><style>x"), ["a", "b"]);
        assert_eq!(text("<a title='>'>x</a> &lt;y&gt; &#x41;&#66;&bad; & &"), ["x <y> AB&bad; & &"]);
        assert_eq!(text("1 < 2 <"), ["1 < 2 <"]);
        assert!(lines("<h2>x</h2>y")[0].heading && !lines("<h2>x</h2>y")[1].heading);
    }

    #[test]
    fn what_a_reader_does_not_see_is_no_text() {
        assert_eq!(
            text("a<button class=x><span>b</span></button>c<nav><h2>d</h2><nav>e</nav>f</nav><p>g"),
            ["a c", "g"]
        );
        assert_eq!(text("<div hidden><div>a</div><script>'</div>'</script>b</div>c"), ["c"]);
        assert_eq!(text("<span HIDDEN=\"until-found\">a</span>b<div class='x'hidden>c</div>d"), ["b d"]);
        assert_eq!(text("<div aria-hidden=true title='a hidden b' data-hidden>a</div>"), ["a"]);
        assert_eq!(text("<p hidden>a<p>b<input hidden>c"), ["a", "b", "c"]);
    }

    proptest! {
        #[test]
        fn any_text_comes_to_an_end(text in "[<>/!&;#a-z\"' é\u{0}-]{0,300}") {
            let long: usize = lines(&text).iter().map(|line| line.text.len()).sum();
            prop_assert!(long <= text.len() * 2 + 1);
        }
    }
}
