//! Elements of HTML, SVG and XML. Names come from this program, all text and attributes are made harmless and escaped:
//! there is no other way to write one.

use crate::text::{escape_markup, printable};
use std::borrow::Cow;

/// Characters of a text or an attribute; no real one is so long.
pub(super) const TEXT: usize = 4000;

/// An element with what is in it.
#[derive(Debug, Clone)]
pub(super) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Node>,
}

#[derive(Debug, Clone)]
enum Node {
    Element(Element),
    Text(String),
    LineEnd,
    Style(Cow<'static, str>),
}

/// How elements without content are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Void elements have no end tag, others always have one.
    Html,
    /// `<empty/>`
    Xml,
}

/// An empty element.
pub(super) fn el(name: &'static str) -> Element {
    Element { name, attributes: Vec::new(), children: Vec::new() }
}

impl Element {
    pub(super) fn attr(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.attributes.push((name, printable(value.as_ref(), TEXT)));
        self
    }

    pub(super) fn class(self, name: &'static str) -> Self {
        self.attr("class", name)
    }

    pub(super) fn text(mut self, text: impl AsRef<str>) -> Self {
        self.children.push(Node::Text(printable(text.as_ref(), TEXT)));
        self
    }

    /// Lines of text, each with its end.
    pub(super) fn lines(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        for line in lines {
            self = self.text(line);
            self.children.push(Node::LineEnd);
        }
        self
    }

    pub(super) fn child(mut self, element: Element) -> Self {
        self.children.push(Node::Element(element));
        self
    }

    pub(super) fn children(mut self, elements: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(elements.into_iter().map(Node::Element));
        self
    }

    /// A style sheet that is part of this program.
    pub(super) fn style(mut self, sheet: impl Into<Cow<'static, str>>) -> Self {
        self.children.push(Node::Style(sheet.into()));
        self
    }

    /// The element as text.
    pub(super) fn write(&self, syntax: Syntax, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            escape_markup(value, out);
            out.push('"');
        }
        let void = syntax == Syntax::Html && VOID.contains(&self.name);
        if void || (syntax == Syntax::Xml && self.children.is_empty()) {
            out.push_str(if void { ">" } else { "/>" });
        } else {
            out.push('>');
            for child in &self.children {
                match child {
                    Node::Element(element) => element.write(syntax, out),
                    Node::Text(text) => escape_markup(text, out),
                    Node::LineEnd => out.push('\n'),
                    Node::Style(sheet) => out.push_str(sheet),
                }
            }
            out.push_str("</");
            out.push_str(self.name);
            out.push('>');
        }
        // Lines for whoever reads or compares the file; inside a line of text a break would be a blank.
        if !INLINE.contains(&self.name) {
            out.push('\n');
        }
    }
}

const VOID: [&str; 2] = ["meta", "br"];
const INLINE: [&str; 6] = ["a", "code", "span", "strong", "summary", "text"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_element() {
        let hostile = "</td><script>alert('x')</script>\" onload=\"y\u{0}\u{1b}[2J\u{202e}\u{ffff}&amp;";
        let mut out = String::new();
        el("td").attr("title", hostile).text(hostile).write(Syntax::Xml, &mut out);
        let inner = out.strip_prefix("<td title=\"").unwrap().strip_suffix("</td>\n").unwrap();
        let (attribute, text) = inner.split_once("\">").unwrap();
        assert_eq!(attribute, text);
        assert!(!text.contains(['<', '>', '"', '\'']) && text.contains("&amp;amp;"), "{text}");
        assert!(text.chars().all(crate::text::is_harmless), "{text}");
    }

    #[test]
    fn empty_elements_follow_the_syntax() {
        let write = |name, syntax| {
            let mut out = String::new();
            el(name).write(syntax, &mut out);
            out
        };
        assert_eq!(write("meta", Syntax::Html), "<meta>\n");
        assert_eq!(write("td", Syntax::Html), "<td></td>\n");
        assert_eq!(write("td", Syntax::Xml), "<td/>\n");
    }
}
