//! The answers: XML from a host that may be anything.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use roxmltree::{Document, Node, ParsingOptions};

use super::WinRmError;
use crate::text::printable;

/// What a host said no with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Windows' number of it, if it has one, or the name in the standard, such as `w:TimedOut`.
    pub(super) code: String,
    /// The name in the standard, without its prefix.
    pub(super) name: String,
    /// In the host's words, safe to print.
    pub(super) detail: String,
}

impl Fault {
    /// Nothing happened for as long as the server was to wait.
    pub(super) fn is_timeout(&self) -> bool {
        self.name == "TimedOut" || self.code == "2150858793"
    }

    /// As an error of the account that signed in.
    pub(super) fn into_error(self, user: &str) -> WinRmError {
        let Self { code, name, detail } = self;
        match (name.as_str(), code.as_str()) {
            // 5 is Windows' own "access is denied".
            ("AccessDenied", _) | (_, "5") => WinRmError::NotAllowed { user: printable(user, 80), detail },
            ("QuotaLimit", _) => WinRmError::Quota(detail),
            _ => WinRmError::Fault { code, detail },
        }
    }
}

/// A piece of what the command wrote.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// Whether the command has ended.
    pub(super) done: bool,
    pub(super) code: Option<i32>,
}

/// An answer that is XML and belongs to the question `id`: what `take` makes of its body, or a fault.
pub(super) fn read<T>(
    body: &[u8],
    id: &str,
    take: impl FnOnce(Node<'_, '_>) -> Result<T, &'static str>,
) -> Result<Result<T, Fault>, WinRmError> {
    let not_ours = |what: &str| WinRmError::NotOurs(printable(what, 200));
    let text = std::str::from_utf8(body).map_err(|_| not_ours("it is no UTF-8"))?;
    // The parser's time grows with the square of these.
    let attributes = text.matches(['"', '\'']).take(2 * MAX_ATTRIBUTES + 2).count() / 2;
    let namespaces = text.matches("xmlns").take(MAX_NAMESPACES + 1).count();
    if attributes > MAX_ATTRIBUTES || namespaces > MAX_NAMESPACES {
        return Err(not_ours("it has too many attributes"));
    }
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let text = text.trim_start_matches('\u{feff}');
    let document = Document::parse_with_options(text, options).map_err(|e| not_ours(&format!("it is no XML: {e}")))?;
    let envelope = document.root_element();
    if !is(envelope, SOAP, "Envelope") {
        return Err(not_ours("it is no SOAP"));
    }
    let relates = child(envelope, SOAP, "Header").and_then(|header| child(header, ADDRESSING, "RelatesTo"));
    if relates.is_some_and(|relates| !text_of(relates).eq_ignore_ascii_case(&format!("uuid:{id}"))) {
        return Err(not_ours("it belongs to another question"));
    }
    let body = child(envelope, SOAP, "Body").ok_or_else(|| not_ours("it has no body"))?;
    match child(body, SOAP, "Fault") {
        Some(node) => Ok(Err(fault(node))),
        None => take(body).map(Ok).map_err(not_ours),
    }
}

/// The identifier of the shell that was made.
pub(super) fn shell(body: Node<'_, '_>) -> Result<String, &'static str> {
    let selector = body
        .descendants()
        .find(|node| is(*node, WSMAN, "Selector") && node.attribute("Name") == Some("ShellId"))
        .or_else(|| body.descendants().find(|node| is(*node, SHELL, "ShellId")));
    identifier(selector.ok_or("it names no shell")?)
}

/// The identifier of the command that was started.
pub(super) fn command(body: Node<'_, '_>) -> Result<String, &'static str> {
    identifier(body.descendants().find(|node| is(*node, SHELL, "CommandId")).ok_or("it names no command")?)
}

/// What the command wrote.
pub(super) fn output(body: Node<'_, '_>, command: &str) -> Result<Output, &'static str> {
    let response = child(body, SHELL, "ReceiveResponse").ok_or("it holds no output")?;
    let mut output = Output::default();
    for node in response.children().filter(Node::is_element) {
        let whose = node.attribute("CommandId");
        if whose.is_some_and(|whose| !whose.eq_ignore_ascii_case(command)) {
            return Err("it is about another command");
        }
        if is(node, SHELL, "Stream") {
            let stream = match node.attribute("Name") {
                Some("stdout") => &mut output.stdout,
                Some("stderr") => &mut output.stderr,
                _ => return Err("it holds a stream that was not asked for"),
            };
            let text: String = text_of(node).split_ascii_whitespace().collect();
            BASE64_STANDARD.decode_vec(text, stream).map_err(|_| "a stream is no Base64")?;
        } else if is(node, SHELL, "CommandState") {
            output.done = node.attribute("State").is_some_and(|state| state.ends_with("/CommandState/Done"));
            output.code = child(node, SHELL, "ExitCode").and_then(exit_code);
        }
    }
    Ok(output)
}

/// Nothing is wanted of it.
#[expect(clippy::unnecessary_wraps, reason = "as the others")]
pub(super) fn nothing(_: Node<'_, '_>) -> Result<(), &'static str> {
    Ok(())
}

/// Windows' codes have 32 bits, with a sign or without.
fn exit_code(node: Node<'_, '_>) -> Option<i32> {
    let code: i64 = text_of(node).trim().parse().ok()?;
    i32::try_from(code).ok().or_else(|| u32::try_from(code).ok().map(u32::cast_signed))
}

/// It goes into our next questions, so it holds nothing that means anything in XML.
fn identifier(node: Node<'_, '_>) -> Result<String, &'static str> {
    let text = text_of(node);
    let text = text.trim();
    let good =
        (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if good { Ok(text.to_owned()) } else { Err("an identifier in it is none") }
}

fn fault(node: Node<'_, '_>) -> Fault {
    let value = |node: Node<'_, '_>| child(node, SOAP, "Value").map(|v| text_of(v).trim().to_owned());
    let code = child(node, SOAP, "Code");
    let standard = code.and_then(|c| child(c, SOAP, "Subcode")).and_then(value).or_else(|| code.and_then(value));
    let standard = printable(&standard.unwrap_or_else(|| "none".to_owned()), 80);
    let own = child(node, SOAP, "Detail").and_then(|detail| child(detail, FAULT, "WSManFault"));
    let message = own.and_then(|own| child(own, FAULT, "Message")).map(all_text).filter(|text| !text.is_empty());
    let reason = child(node, SOAP, "Reason").map(all_text).unwrap_or_default();
    let detail = printable(&message.unwrap_or(reason), MAX_DETAIL);
    let code = own.and_then(|own| own.attribute("Code")).map_or_else(|| standard.clone(), |code| printable(code, 20));
    let name = standard.rsplit(':').next().unwrap_or(&standard).to_owned();
    Fault { code, name, detail }
}

fn is(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    node.has_tag_name((namespace, name))
}

fn child<'a, 'i>(node: Node<'a, 'i>, namespace: &str, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| is(*child, namespace, name))
}

fn text_of(node: Node<'_, '_>) -> String {
    node.children().filter_map(|child| child.is_text().then(|| child.text()).flatten()).collect()
}

/// The words of an element and of those in it, with single spaces.
fn all_text(node: Node<'_, '_>) -> String {
    let mut words: Vec<&str> = Vec::new();
    for text in node.descendants().filter(Node::is_text).filter_map(|node| node.text()) {
        words.extend(text.split_whitespace().take(MAX_DETAIL));
    }
    words.join(" ")
}

// More than the largest answer has room for, if it is one of ours.
const MAX_NODES: u32 = 50_000;
const MAX_ATTRIBUTES: usize = 20_000;
const MAX_NAMESPACES: usize = 256;
const MAX_DETAIL: usize = 300;
const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const ADDRESSING: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
const WSMAN: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd";
const SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";
const FAULT: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault";

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(body: &str) -> String {
        format!(
            r#"<s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}" xmlns:rsp="{SHELL}"><s:Header><a:RelatesTo>uuid:AB</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"#
        )
    }

    fn received(body: &str) -> Result<Result<Output, Fault>, WinRmError> {
        read(envelope(body).as_bytes(), "ab", |body| output(body, "C"))
    }

    fn not_ours(text: &str) -> String {
        match read(text.as_bytes(), "ab", nothing) {
            Err(WinRmError::NotOurs(what)) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn output_comes_in_pieces_and_ends_with_a_code() {
        let body = r#"<rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="c">aGk=</rsp:Stream>
            <rsp:Stream Name="stderr" CommandId="C">bm8=</rsp:Stream><rsp:Stream Name="stdout" CommandId="C">IQ==</rsp:Stream>
            <rsp:Stream Name="stdout" End="true"/>
            <rsp:CommandState CommandId="C" State="http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done">
            <rsp:ExitCode>3221225786</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>"#;
        let output = received(body).unwrap().unwrap();
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (b"hi!".as_slice(), b"no".as_slice()));
        assert_eq!((output.done, output.code), (true, Some(-1_073_741_510)));
    }

    #[test]
    fn what_does_not_belong_to_the_command_is_refused() {
        for stream in [
            r#"<rsp:Stream Name="stdout" CommandId="D">aGk=</rsp:Stream>"#,
            r#"<rsp:Stream Name="pr" CommandId="C">aGk=</rsp:Stream>"#,
            r#"<rsp:Stream Name="stdout" CommandId="C">a</rsp:Stream>"#,
        ] {
            let body = format!("<rsp:ReceiveResponse>{stream}</rsp:ReceiveResponse>");
            assert!(matches!(received(&body), Err(WinRmError::NotOurs(_))), "{stream}");
        }
        assert!(matches!(received("<rsp:SignalResponse/>"), Err(WinRmError::NotOurs(_))));
        let other = read(envelope("").as_bytes(), "cd", nothing);
        assert_eq!(other, Err(WinRmError::NotOurs("it belongs to another question".into())));
    }

    #[test]
    fn a_fault_says_its_number_and_its_words() {
        let fault = |name: &str, code: &str| {
            format!(
                r#"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:{name}</s:Value></s:Subcode></s:Code>
                <s:Reason><s:Text>why</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f="{FAULT}" Code="{code}">
                <f:Message>Access is  denied.&#xd;</f:Message></f:WSManFault></s:Detail></s:Fault>"#
            )
        };
        let read = |name, code| received(&fault(name, code)).unwrap().unwrap_err();
        assert!(read("TimedOut", "2150858793").is_timeout());
        let denied = read("AccessDenied", "5").into_error("CONTOSO\\a");
        assert_eq!(denied, WinRmError::NotAllowed { user: "CONTOSO\\a".into(), detail: "Access is denied.".into() });
        assert!(matches!(read("QuotaLimit", "7").into_error("a"), WinRmError::Quota(_)));
        assert!(matches!(read("InvalidSelectors", "7").into_error("a"), WinRmError::Fault { code, .. } if code == "7"));
    }

    #[test]
    fn an_identifier_goes_into_the_next_question_only_if_it_is_one() {
        let made = |id: &str| {
            let body = format!(r#"<w:Selector Name="ShellId">{id}</w:Selector>"#);
            read(envelope(&body).as_bytes(), "ab", shell)
        };
        assert_eq!(made("4283CBDC-3706-415B-88BD-B385F3E51A53").unwrap().unwrap().len(), 36);
        for id in ["", "a\"b", "a&lt;b", "a b", &"x".repeat(65)] {
            assert!(matches!(made(id), Err(WinRmError::NotOurs(_))), "{id}");
        }
    }

    #[test]
    fn bombs_do_not_go_off() {
        let entities = r#"<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>"#;
        assert!(not_ours(entities).starts_with("it is no XML"));
        assert!(not_ours(&"<a>".repeat(100_000)).starts_with("it is no XML"));
        let deep = format!("{}{}", "<a>".repeat(40_000), "</a>".repeat(40_000));
        assert_eq!(not_ours(&deep), "it is no SOAP");
        let attributes = " a=''".repeat(60_000);
        assert_eq!(not_ours(&format!("<a{attributes}/>")), "it has too many attributes");
        assert_eq!(not_ours(&"<a xmlns:b='c'>".repeat(10_000)), "it has too many attributes");
    }
}
