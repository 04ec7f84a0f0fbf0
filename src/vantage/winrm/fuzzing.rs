//! The door where answers of WinRM come in, for the fuzz target and the property tests. No part of the library.

use super::answer::{self, Fault};
use super::{WinRmError, seal};
use crate::text::printable;

/// The question that the answers belong to.
const ID: &str = "ab";
/// The command that they are about.
const COMMAND: &str = "C";

/// What a host sends in clear to any of our questions, or in the place of a sealed answer.
pub fn soap(bytes: &[u8]) {
    for identifier in [told(answer::read(bytes, ID, answer::shell)), told(answer::read(bytes, ID, answer::command))] {
        let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        assert!(identifier.is_none_or(|id| id.len() <= 64 && id.bytes().all(is_part)), "goes into the next question");
    }
    told(answer::read(bytes, ID, answer::nothing));
    if let Some(output) = told(answer::read(bytes, ID, |body| answer::output(body, COMMAND))) {
        assert!(output.stdout.len() + output.stderr.len() <= bytes.len(), "more than came");
    }
    seal::split(bytes);
}

/// What was read; the words of what was not must be harmless.
fn told<T>(read: Result<Result<T, Fault>, WinRmError>) -> Option<T> {
    let error = match read {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(fault)) => fault.into_error("svc-cm"),
        Err(error) => error,
    };
    let words = error.to_string();
    assert_eq!(words, printable(&words, usize::MAX), "acts on a terminal");
    None
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const BODIES: [&str; 4] = [
        r#"<w:Selector Name="ShellId">4283CBDC-3706-415B-88BD-B385F3E51A53</w:Selector>"#,
        "<rsp:CommandResponse><rsp:CommandId>C</rsp:CommandId></rsp:CommandResponse>",
        r#"<rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="C">aGk=</rsp:Stream><rsp:CommandState CommandId="C" State="http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done"><rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>"#,
        r#"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:AccessDenied</s:Value></s:Subcode></s:Code><s:Reason><s:Text>why</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="5"><f:Message>no</f:Message></f:WSManFault></s:Detail></s:Fault>"#,
    ];

    fn envelope(body: &str) -> String {
        format!(
            r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"><s:Header><a:RelatesTo>uuid:AB</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"#
        )
    }

    /// Pieces that mean something where they land.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            "[ -~\u{1b}\u{202e}\u{0}é]{0,12}",
            Just("&#x1b;[2J".to_owned()),
            Just("<rsp:Stream Name=\"stderr\" CommandId=\"C\">!</rsp:Stream>".to_owned()),
            Just("</s:Body><s:Body>".to_owned()),
            Just("<![CDATA[<x>]]>".to_owned()),
            Just("99999999999999999999".to_owned()),
        ]
    }

    #[test]
    fn the_bodies_are_what_hosts_say() {
        let read = |body: &str| answer::read(envelope(body).as_bytes(), ID, answer::nothing).unwrap();
        assert!(BODIES[..3].iter().all(|body| read(body).is_ok()) && read(BODIES[3]).is_err());
        let output = answer::read(envelope(BODIES[2]).as_bytes(), ID, |body| answer::output(body, COMMAND));
        assert!(output.unwrap().unwrap().done);
    }

    proptest! {
        #[test]
        fn no_octets_panic(bytes in vec(any::<u8>(), 0..300)) {
            soap(&bytes);
        }

        #[test]
        fn no_change_of_an_answer_panics(
            which in 0..BODIES.len(), whole in any::<bool>(), at in any::<usize>(), length in 0usize..30, piece in piece(),
        ) {
            // In the body alone, where most of it is looked at, or anywhere.
            let text = if whole { envelope(BODIES[which]) } else { BODIES[which].to_owned() };
            let at = at % text.len();
            let changed = format!("{}{piece}{}", &text[..at], &text[(at + length).min(text.len())..]);
            soap(if whole { changed } else { envelope(&changed) }.as_bytes());
        }
    }
}
