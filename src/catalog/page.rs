//! Reading a saved copy of the documentation page: HTML, Markdown or plain text, from anywhere, so nothing is trusted.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::html;
use crate::host::Scheme;
use crate::text::{is_harmless, printable};

/// The most that is read of a page, in bytes. The page has about 100,000 as HTML.
pub const PAGE_LIMIT: usize = 8 << 20;

/// The page's title, with which it begins.
const TITLE: &str = "Internet access requirements";
/// Headings behind which nothing of the page follows, once it has had a row. Before that, they are of a list of contents
/// or of what stands around the page.
const ENDS: [&str; 4] = ["Next steps", "Related content", "Additional resources", "Feedback"];
/// The heading of the list of contents.
const CONTENTS: &str = "In this article";
/// The section of what stands before the first heading.
pub(super) const INTRODUCTION: &str = "Introduction";
/// Last labels of names without a scheme in running text. File names look like hosts too.
const TOP_LABELS: [&str; 6] = ["com", "net", "ms", "us", "org", "io"];
/// Last labels of files. Any other one counts in code and in cells of tables.
const FILE_LABELS: [&str; 22] = [
    "aspx", "bat", "cab", "cer", "cmd", "config", "crt", "csv", "dll", "doc", "exe", "htm", "html", "ini", "json",
    "log", "md", "msi", "pem", "txt", "xml", "zip",
];

/// A host, a wildcard or a placeholder for one that a page names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PageRow {
    /// The heading above it.
    pub section: String,
    /// The name in lower case.
    pub name: String,
    /// The scheme, where the page gives one.
    pub scheme: Option<Scheme>,
    /// The port, where the page gives one.
    pub port: Option<u16>,
    /// The path, where the page gives one that is more than `/`.
    pub path: Option<String>,
}

/// Something on a page that stands where a host could, and is none that can be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Unclear {
    /// The heading above it.
    pub section: String,
    /// What stands there.
    pub text: String,
}

/// What a page says.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) rows: BTreeSet<PageRow>,
    pub(super) not_understood: BTreeSet<Unclear>,
}

/// Why a file is no copy of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// More than [`PAGE_LIMIT`].
    #[error("larger than {} MB: that is no copy of the page", PAGE_LIMIT >> 20)]
    TooLarge,
    /// Not UTF-8.
    #[error("not text (UTF-8)")]
    NotText,
    /// No row: the page was never without, so this is not its text.
    #[error("no host name below the title: that is no copy of the documentation page")]
    NoRows,
    /// The title is not there.
    #[error("the title \"{TITLE}\" is not there: that is no copy of the page")]
    NotThePage,
}

/// A line of a page.
pub(super) struct Line {
    pub(super) text: String,
    /// Whether it is certainly a heading. In plain text, only its words tell.
    pub(super) heading: bool,
    /// Whether it is in a table.
    pub(super) cell: bool,
}

/// The rows of a page, each once in its section. `headings`: the sections that are known, for pages in plain text.
pub(super) fn rows(page: &[u8], headings: &BTreeSet<&str>) -> Result<Page, PageError> {
    if page.len() > PAGE_LIMIT {
        return Err(PageError::TooLarge);
    }
    let text = std::str::from_utf8(page).map_err(|_| PageError::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_html = html::is_html(text);
    let lines = if is_html { html::lines(text) } else { text.lines().map(plain).collect() };
    let mut section: Option<String> = None;
    let mut page = Page::default();
    for line in &lines {
        let heading = line.heading.then(|| line.text.replace('`', ""));
        let words = heading.as_deref().unwrap_or(&line.text).trim();
        if section.is_none() {
            // Plain text has the title as a line, HTML as a heading, perhaps with the product's name behind it.
            section = words.starts_with(TITLE).then(|| INTRODUCTION.to_owned());
            continue;
        }
        // In plain text, a heading is a line like others.
        if ENDS.contains(&words) && (line.heading || !is_html) && !page.rows.is_empty() {
            break;
        }
        // The title of the window, and then that of the page; the list of contents is no section.
        if line.heading && (words.starts_with(TITLE) || words == CONTENTS || ENDS.contains(&words)) {
            continue;
        }
        if line.heading || headings.contains(words) {
            section = Some(printable(words, 100));
            continue;
        }
        let section = section.as_deref().unwrap_or_default();
        for found in found(&line.text, line.cell) {
            match found {
                Found::Name(name) => drop(page.rows.insert(name.row(section))),
                Found::Unclear(text) => {
                    page.not_understood.insert(Unclear { section: section.to_owned(), text });
                }
            }
        }
    }
    match section {
        None => Err(PageError::NotThePage),
        Some(_) if page.rows.is_empty() => Err(PageError::NoRows),
        Some(_) => Ok(page),
    }
}

/// A line of plain text or Markdown: without marks of headings and emphasis, and without the targets of links.
fn plain(line: &str) -> Line {
    let heading = line.trim_start().starts_with('#');
    let mut text = String::with_capacity(line.len());
    let mut rest = if heading { line.trim_start().trim_start_matches('#') } else { line };
    while let Some((before, behind)) = rest.split_once("](") {
        text.push_str(before);
        text.push(' ');
        rest = behind.split_once(')').map_or("", |(_, behind)| behind);
    }
    text.push_str(rest);
    Line { text: text.replace('\\', ""), heading, cell: line.trim_start().starts_with('|') }
}

/// A name as it was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// In lower case.
    pub(super) host: String,
    pub(super) scheme: Option<Scheme>,
    pub(super) port: Option<u16>,
    pub(super) path: Option<String>,
}

/// What a word is.
enum Found {
    Name(Name),
    /// Meant as an address, and not one that is understood.
    Unclear(String),
}

impl Name {
    fn row(self, section: &str) -> PageRow {
        PageRow { section: section.to_owned(), name: self.host, scheme: self.scheme, port: self.port, path: self.path }
    }
}

/// Everything in a text that looks like a host, a wildcard or a placeholder for one.
pub(super) fn names(text: &str) -> Vec<Name> {
    let name = |found| match found {
        Found::Name(name) => Some(name),
        Found::Unclear(_) => None,
    };
    found(text, false).into_iter().filter_map(name).collect()
}

/// The words of a text that are addresses, or meant as such. What stands between backticks is code.
fn found(text: &str, cell: bool) -> Vec<Found> {
    let separator = |c: char| c.is_whitespace() || "|()[]\"'“”‘’,;".contains(c);
    let text = joined_placeholders(text);
    let parts = text.split('`').enumerate();
    let words = parts.flat_map(|(i, part)| part.split(separator).map(move |word| (word, cell || i % 2 == 1)));
    words.filter_map(|(word, marked)| word_of(word, marked)).collect()
}

/// What a word is, if it is an address. `marked`: it stands in code or in a table.
fn word_of(word: &str, marked: bool) -> Option<Found> {
    let unclear = || Some(Found::Unclear(printable(word, 300)));
    if word.contains('.') && word.contains('{') && word.contains('}') {
        return unclear();
    }
    let trimmed = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && !"*<>/?=&-".contains(c));
    let (scheme, rest) = match trimmed.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Some(Scheme::Http), rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Some(Scheme::Https), rest),
        Some((_, rest)) => return if rest.is_empty() { None } else { unclear() },
        None => (None, trimmed),
    };
    // Of `https://` alone, prose speaks.
    if rest.is_empty() {
        return None;
    }
    match name(scheme, rest, marked) {
        Some(name) => Some(Found::Name(name)),
        None if scheme.is_some() || has_bad_port(rest, marked) => unclear(),
        None => None,
    }
}

/// Whether a word that is no name would be one without its port, such as `a.contoso.com:10124-10139`.
fn has_bad_port(word: &str, marked: bool) -> bool {
    word.split_once(':').is_some_and(|(host, _)| name(None, host, marked).is_some())
}

fn name(scheme: Option<Scheme>, rest: &str, marked: bool) -> Option<Name> {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let path = Some(tail).filter(|path| !path.is_empty() && *path != "/").map(|path| printable(path, 300));
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
        None => (authority, None),
    };
    let host = host.to_ascii_lowercase();
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_*<>".contains(&b))
    };
    let placeholder = host.starts_with('<') && host.ends_with('>') && scheme.is_some() && host.chars().all(is_harmless);
    let top = host.rsplit_once('.').map(|(_, top)| top);
    let named = host.split('.').all(label)
        && top.is_some_and(|top| {
            let alphabetic = top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic());
            let likely = TOP_LABELS.contains(&top) || marked && !FILE_LABELS.contains(&top);
            alphabetic && (scheme.is_some() || likely)
        });
    (named || placeholder).then_some(Name { host, scheme, port, path })
}

/// `<FQDN of a server>` as `<FQDN-of-a-server>`, so that it is one word.
fn joined_placeholders(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        out.push_str(before);
        out.push('<');
        rest = behind;
        if let Some(end) = behind.bytes().take(LONGEST).position(|b| b == b'>' || b == b'<')
            && behind.as_bytes()[end] == b'>'
        {
            out.push_str(&behind[..end].replace(' ', "-"));
            rest = &behind[end..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Vec<String> {
        let show = |name: Name| {
            let scheme = name.scheme.map(|scheme| format!("{scheme} ")).unwrap_or_default();
            let port = name.port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("{scheme}{}{port}{}", name.host, name.path.unwrap_or_default())
        };
        names(text).into_iter().map(show).collect()
    }

    #[test]
    fn names_are_found_and_nothing_else() {
        assert_eq!(
            found("• http://*.update.microsoft.com, (go.microsoft.com)."),
            ["http *.update.microsoft.com", "go.microsoft.com"]
        );
        assert_eq!(found("5.00.9128 e.g. dmpdownloader.log Microsoft.Exe.config ftp://x.com a@b.com"), [""; 0]);
        assert_eq!(found("https://x.contoso.com:8443/a?b=c."), ["https x.contoso.com:8443/a?b=c"]);
        assert_eq!(found("https://x.contoso.com/ `a.net``b.net`"), ["https x.contoso.com", "a.net", "b.net"]);
        assert_eq!(found("<prefix>.vault.azure.net"), ["<prefix>.vault.azure.net"]);
        assert_eq!(found("http://<FQDN for it> < no > <"), ["http <fqdn-for-it>"]);
        assert_eq!(found("https://\u{1b}2J.com https://é.com https://a\u{202e}.com"), [""; 0]);
    }

    #[test]
    fn in_code_and_in_tables_any_name_counts_and_what_is_none_is_told() {
        let rows = |page: &str| {
            let page = rows(page.as_bytes(), &BTreeSet::new()).unwrap();
            let rows: Vec<String> = page.rows.into_iter().map(|row| row.name).collect();
            (rows, page.not_understood.into_iter().map(|unclear| unclear.text).collect::<Vec<_>>())
        };
        let text = "Internet access requirements\n`a.example.de` b.example.de `setup.exe` `5.00.9128` c.com\n| d.cloud | e.log |\n";
        assert_eq!(rows(text).0, ["a.example.de", "c.com", "d.cloud"]);
        let html = "<h1>Internet access requirements</h1><p><code>a.example.de</code> b.example.de <code>setup.exe</code> c.com\
            <table><tr><td><p>d.cloud</p><td>e.log</table>f.cloud<h2><code>g.de</code></h2>";
        assert_eq!(rows(html).0, ["a.example.de", "c.com", "d.cloud"]);
        let odd = "wss://a.com tcp://b.com:443 `{region}.c.com` https://d.com:99999 https://é.com";
        let (names, unclear) = rows(&format!("Internet access requirements\n{odd} e.com https:// and (wss://)"));
        assert_eq!(names, ["e.com"]);
        assert_eq!(
            unclear,
            ["https://d.com:99999", "https://é.com", "tcp://b.com:443", "wss://a.com", "{region}.c.com"]
        );
        // A bad port never hides a name.
        let ports = "a.contoso.com:10124-10139 b.com:443 (c.com:) note:d.com `e.cloud:http`";
        let (names, unclear) = rows(&format!("Internet access requirements\n{ports}"));
        assert_eq!(names, ["b.com", "c.com"]);
        assert_eq!(unclear, ["a.contoso.com:10124-10139", "e.cloud:http"]);
    }

    #[test]
    fn a_page_that_is_none_is_refused() {
        let rows = |page: &[u8]| rows(page, &BTreeSet::new()).unwrap_err();
        assert_eq!(rows(b"Hello"), PageError::NotThePage);
        assert_eq!(rows(b""), PageError::NotThePage);
        assert_eq!(rows(b"Internet access requirements\nSign in to see this page."), PageError::NoRows);
        assert_eq!(rows(b"\xff"), PageError::NotText);
        assert_eq!(rows(&vec![b' '; PAGE_LIMIT + 1]), PageError::TooLarge);
    }

    #[test]
    fn the_three_forms_of_a_page_say_the_same() {
        let text = "x.com\nInternet access requirements\nFeedback\nNext steps\nhttps://aka.ms\n\nCloud\n\nA a.com\n<b>.c.com\nNext steps\nz.com";
        let markdown = "# Internet access requirements - CM\n- `https://aka.ms`\n## Cloud\n[A](https://no.com) `a.com`|\n`<b>.c.com`\n## Next steps\nz.com";
        let html = "<!DOCTYPE html><html><head><title>Internet access requirements | Docs</title></head><body>\
            <div hidden><div>x.com</div>y.com</div><nav><h2>In this article</h2><a>n.com</a></nav>\
            <h1>Internet access requirements</h1>\
            <button id=\"user-feedback-button\"><span>Feedback</span></button><p>Feedback</p><h2>Feedback</h2>\
            <h2>In this article</h2>\
            <p>https://aka.ms</p><h2 id='z.com'>Cloud</h2><ul><li><a href=\"https://no.com\">A</a> a.com</li>\
            <li><code>&lt;b&gt;.c.com</code></li></ul><script>var a = 's.com';</script><h2>Next steps</h2>z.com";
        let read = |page: &str| rows(page.as_bytes(), &BTreeSet::from(["Cloud"])).unwrap().rows;
        assert_eq!(read(text).len(), 3);
        assert_eq!(read(text), read(markdown));
        assert_eq!(read(text), read(html));
    }

    #[test]
    fn a_placeholder_that_acts_on_a_terminal_is_none() {
        let page = rows(b"Internet access requirements\nhttps://<a> https://<\0\x1b[2J>", &BTreeSet::new()).unwrap();
        assert_eq!(page.rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["<a>"]);
        let unclear: Vec<_> = page.not_understood.iter().map(|unclear| unclear.text.as_str()).collect();
        assert!(unclear.iter().all(|text| text.chars().all(is_harmless)), "{unclear:?}");
    }

    proptest! {
        #[test]
        fn any_page_gives_rows_that_are_fit_to_be_shown(text in "[ -~é\u{0}\u{1b}\u{202e}\n]{0,400}", html in any::<bool>()) {
            let begin = if html { "<!DOCTYPE html><h1>" } else { "" };
            let page = format!("{begin}Internet access requirements\n{text} https://{text}.com/{text}");
            let page = rows(page.as_bytes(), &BTreeSet::new()).unwrap_or_default();
            for unclear in page.not_understood {
                prop_assert!(!unclear.text.contains(['\u{1b}', '\u{0}', '\u{202e}', '\n']), "{unclear:?}");
            }
            for row in page.rows {
                let all = format!("{}{}{}", row.section, row.name, row.path.unwrap_or_default());
                prop_assert!(!all.contains(['\u{1b}', '\u{0}', '\u{202e}', '\n']), "{all:?}");
            }
        }
    }
}
