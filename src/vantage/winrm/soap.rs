//! The questions. Everything in them is constant but numbers, identifiers that were checked, octets in Base64, and the
//! command line, which is escaped.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::text::escape_markup;

/// A question: what it asks for and where it goes.
pub(super) struct Question<'a> {
    pub(super) verb: Verb<'a>,
    /// `https://cm01.contoso.com:5986/wsman`
    pub(super) to: &'a str,
    /// How long the server may think.
    pub(super) wait: Duration,
    /// A UUID.
    pub(super) id: &'a str,
    /// The shell, once there is one.
    pub(super) shell: Option<&'a str>,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) enum Verb<'a> {
    /// A shell.
    Create,
    /// To run this line.
    Command(&'a str),
    /// To hand this to the command, as the last piece or not.
    Send { command: &'a str, piece: &'a [u8], last: bool },
    /// What the command wrote.
    Receive(&'a str),
    /// To end the command.
    Terminate(&'a str),
    /// To take the shell away.
    Delete,
}

impl Verb<'_> {
    /// The URI of the action.
    pub(super) fn action(&self) -> String {
        match self {
            Self::Create => format!("{TRANSFER}/Create"),
            Self::Command(_) => format!("{SHELL}/Command"),
            Self::Send { .. } => format!("{SHELL}/Send"),
            Self::Receive(_) => format!("{SHELL}/Receive"),
            Self::Terminate(_) => format!("{SHELL}/Signal"),
            Self::Delete => format!("{TRANSFER}/Delete"),
        }
    }

    fn options(&self) -> &'static str {
        match self {
            // UTF-8.
            Self::Create => r#"<w:OptionSet><w:Option Name="WINRS_CODEPAGE">65001</w:Option></w:OptionSet>"#,
            // A pipe and not a console: a console would echo the input and wrap the output.
            Self::Command(_) => {
                r#"<w:OptionSet><w:Option Name="WINRS_CONSOLEMODE_STDIN">FALSE</w:Option><w:Option Name="WINRS_SKIP_CMD_SHELL">FALSE</w:Option></w:OptionSet>"#
            }
            // Without it, a command that is silent for long would be a fault.
            Self::Receive(_) => {
                r#"<w:OptionSet><w:Option Name="WSMAN_CMDSHELL_OPTION_KEEPALIVE">TRUE</w:Option></w:OptionSet>"#
            }
            Self::Send { .. } | Self::Terminate(_) | Self::Delete => "",
        }
    }

    fn body(&self) -> String {
        match self {
            Self::Create => format!(
                "<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams>\
                 <rsp:IdleTimeOut>PT{IDLE_SECONDS}S</rsp:IdleTimeOut></rsp:Shell>"
            ),
            Self::Command(line) => {
                let mut escaped = String::with_capacity(line.len());
                escape_markup(line, &mut escaped);
                format!("<rsp:CommandLine><rsp:Command>{escaped}</rsp:Command></rsp:CommandLine>")
            }
            Self::Send { command, piece, last } => format!(
                r#"<rsp:Send><rsp:Stream Name="stdin" CommandId="{command}"{}>{}</rsp:Stream></rsp:Send>"#,
                if *last { r#" End="true""# } else { "" },
                BASE64_STANDARD.encode(piece)
            ),
            Self::Receive(command) => format!(
                r#"<rsp:Receive><rsp:DesiredStream CommandId="{command}">stdout stderr</rsp:DesiredStream></rsp:Receive>"#
            ),
            Self::Terminate(command) => format!(
                r#"<rsp:Signal CommandId="{command}"><rsp:Code>{SHELL}/signal/terminate</rsp:Code></rsp:Signal>"#
            ),
            Self::Delete => String::new(),
        }
    }
}

impl Question<'_> {
    /// The question as XML.
    pub(super) fn envelope(&self) -> String {
        let Self { verb, to, wait, id, shell } = self;
        let selectors = shell.map_or_else(String::new, |shell| {
            format!(r#"<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>"#)
        });
        format!(
            r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd" xmlns:rsp="{SHELL}"><s:Header><a:To>{to}</a:To><w:ResourceURI s:mustUnderstand="true">{SHELL}/cmd</w:ResourceURI><a:ReplyTo><a:Address s:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo><a:Action s:mustUnderstand="true">{}</a:Action><w:MaxEnvelopeSize s:mustUnderstand="true">{MAX_ENVELOPE}</w:MaxEnvelopeSize><a:MessageID>uuid:{id}</a:MessageID><w:Locale xml:lang="en-US" s:mustUnderstand="false"/><p:DataLocale xml:lang="en-US" s:mustUnderstand="false"/><w:OperationTimeout>PT{}S</w:OperationTimeout>{}{selectors}</s:Header><s:Body>{}</s:Body></s:Envelope>"#,
            verb.action(),
            wait.as_secs().max(1),
            verb.options(),
            verb.body(),
        )
    }
}

/// The largest message that we take; every Windows since 2008 R2 sends so much.
pub(super) const MAX_ENVELOPE: usize = 153_600;
/// After so many seconds without a question the server takes a shell away by itself, should we not be able to.
const IDLE_SECONDS: u32 = 180;
const SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";
const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_xml_and_a_line_stays_text() {
        let line = "echo \"a\" <b> & ]]> 'c' ]]>";
        let verbs = [
            Verb::Create,
            Verb::Command(line),
            Verb::Send { command: "C", piece: b"\0\xff", last: true },
            Verb::Receive("C"),
            Verb::Terminate("C"),
            Verb::Delete,
        ];
        for verb in verbs {
            let to = "http://a.contoso.com:5985/wsman";
            let question = Question { verb, to, wait: Duration::from_secs(20), id: "1", shell: Some("S") };
            let text = question.envelope();
            let document = roxmltree::Document::parse(&text).unwrap();
            let find = |name: &str| document.descendants().find(|n| n.tag_name().name() == name);
            assert_eq!(find("Action").unwrap().text(), Some(verb.action().as_str()));
            assert_eq!(find("OperationTimeout").unwrap().text(), Some("PT20S"));
            if let Verb::Command(_) = verb {
                assert_eq!(find("Command").unwrap().text(), Some(line));
            }
        }
    }
}
