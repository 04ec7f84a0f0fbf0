//! Running a command on another machine through the system's own `ssh`, which knows the operator's keys, agents, jumps
//! and known hosts.

use super::process::{self, Broke};
use super::{Answer, Command, Place, Unreached, UnreachedWhy};

/// Seconds for the connection to be there.
const CONNECT: u32 = 15;

/// Runs the command there and returns what came back, however it ended. At most `most` octets of standard output are
/// taken. Whoever drops this ends the `ssh`; what it started there ends by its own deadline.
pub(super) async fn run(place: &Place, command: &Command, most: u64) -> Result<Answer, Unreached> {
    let mut ssh = tokio::process::Command::new("ssh");
    ssh.args(arguments(place, &command.line)?);
    let answer = process::run(ssh, &command.stdin, most).await.map_err(|broke| match broke {
        Broke::Start(error) => {
            Unreached::new(UnreachedWhy::Program, format!("the program `ssh` cannot be started here: {error}"))
        }
        Broke::TooMuch => too_much(most),
        Broke::End(error) => Unreached::new(UnreachedWhy::Answer, format!("how `ssh` ended cannot be told: {error}")),
    })?;
    match explain(&answer) {
        Some(unreached) if answer.stdout.is_empty() => Err(unreached),
        _ => Ok(answer),
    }
}

fn too_much(most: u64) -> Unreached {
    let megabytes = most >> 20;
    Unreached::new(UnreachedWhy::Answer, format!("it answers with more than {megabytes} MB: that is no answer of ours"))
}

/// Of a repeated option the first one counts, so these win over the operator's configuration. The host is a
/// [`crate::host::HostName`] and stands behind `--`: it is no option, whatever the site database says.
fn arguments(place: &Place, line: &str) -> Result<Vec<String>, Unreached> {
    let host = place
        .machine
        .as_ref()
        .ok_or_else(|| Unreached::new(UnreachedWhy::Settings, "nothing names the machine to sign in to"))?;
    let rule = &place.rule;
    let mut arguments = vec!["-T".to_owned()];
    let connect = format!("ConnectTimeout={CONNECT}");
    for option in [
        "BatchMode=yes",
        &connect,
        "StrictHostKeyChecking=yes",
        "ServerAliveInterval=5",
        "ServerAliveCountMax=3",
        "LogLevel=ERROR",
        "ForwardAgent=no",
        "ForwardX11=no",
        "ClearAllForwardings=yes",
        "PermitLocalCommand=no",
    ] {
        arguments.extend(["-o".to_owned(), option.to_owned()]);
    }
    if let Some(port) = rule.port {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(account) = &rule.account {
        arguments.extend(["-l".to_owned(), account.clone()]);
    }
    if let Some(file) = &rule.key_file {
        arguments.extend(["-o".to_owned(), "IdentitiesOnly=yes".to_owned(), "-i".to_owned(), path(file)?]);
    }
    if let Some(file) = &rule.known_hosts_file {
        // A value of an option is words: quotes hold one together.
        arguments.extend(["-o".to_owned(), format!("UserKnownHostsFile=\"{}\"", path(file)?)]);
        arguments.extend(["-o".to_owned(), "GlobalKnownHostsFile=none".to_owned()]);
    }
    arguments.extend(["--".to_owned(), host.to_string(), line.to_owned()]);
    Ok(arguments)
}

fn path(file: &std::path::Path) -> Result<String, Unreached> {
    let text = file.to_str().filter(|text| !text.contains(['"', '\n', '%']));
    text.map(str::to_owned).ok_or_else(|| {
        Unreached::new(UnreachedWhy::Settings, "the path of a file for ssh has quotes, % or no Unicode name")
    })
}

/// What `ssh`, or the shell there, says is wrong. Its words are those of OpenSSH, which speaks one language.
pub(super) fn explain(answer: &Answer) -> Option<Unreached> {
    use UnreachedWhy::{Answer as Cut, Identity, Name, Port, Program, Rights, SignIn};
    if answer.code == Some(0) {
        return None;
    }
    let text = String::from_utf8_lossy(&answer.stderr);
    let told = |words: &[&str]| text.lines().find(|line| words.iter().any(|word| line.contains(word)));
    let kinds: [(UnreachedWhy, &[&str]); 6] = [
        (Name, &["Could not resolve hostname", "Name or service not known"]),
        (
            Identity,
            &["Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED", "host key is known for"],
        ),
        (Rights, &["account is currently not available", "account is locked", "administratively prohibited"]),
        (Program, &["not found", "is not recognized as", "No such file or directory"]),
        (SignIn, &["Permission denied (", "Too many authentication failures", "No more authentication methods"]),
        (
            Port,
            &["onnection refused", "timed out", "No route to host", "etwork is unreachable", "losed by", "reset by"],
        ),
    ];
    let found = kinds.iter().find_map(|(why, words)| told(words).map(|line| (*why, line.to_owned())));
    let (why, line) = match (found, answer.code) {
        (Some(found), _) => found,
        (None, Some(126)) => (Rights, format!("the program there cannot be run: {}", first_line(&text))),
        (None, code) => {
            let code = code.map_or_else(|| "a signal".to_owned(), |code| format!("code {code}"));
            (Cut, format!("it ended with {code} and without an answer: {}", first_line(&text)))
        }
    };
    Some(Unreached::new(why, line.trim()))
}

fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("nothing was said")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vantage::{VantageKind, VantageRule};

    fn place(change: impl Fn(&mut VantageRule)) -> Place {
        let mut rule = VantageRule::default_of(VantageKind::Ssh);
        change(&mut rule);
        Place { machine: "cm01.contoso.com".parse().ok(), rule }
    }

    #[test]
    fn the_host_is_no_option_and_the_line_comes_last() {
        let arguments = arguments(&place(|rule| rule.account = Some("audit".to_owned())), "cmcomply probe").unwrap();
        assert_eq!(arguments[arguments.len() - 3..], ["--", "cm01.contoso.com", "cmcomply probe"]);
        let at = |what: &str| arguments.iter().position(|argument| argument == what).unwrap();
        assert!(at("StrictHostKeyChecking=yes") < at("--") && at("BatchMode=yes") < at("--"));
        assert_eq!(arguments[at("-l") + 1], "audit");
        let odd = place(|rule| rule.known_hosts_file = Some("a\" -oProxyCommand=x".into()));
        assert!(super::arguments(&odd, "x").is_err());
    }

    #[test]
    fn every_way_to_fail_has_its_kind() {
        let why = |code, text: &str| {
            let answer = Answer { stdout: Vec::new(), stderr: text.as_bytes().to_vec(), code: Some(code) };
            explain(&answer).map(|unreached| unreached.why)
        };
        for (code, text, kind) in [
            (255, "ssh: Could not resolve hostname cm09: Name or service not known", UnreachedWhy::Name),
            (255, "ssh: connect to host a port 22: Connection refused", UnreachedWhy::Port),
            (255, "ssh: connect to host a port 22: Connection timed out", UnreachedWhy::Port),
            (
                255,
                "No ED25519 host key is known for a and you have requested strict checking.\nHost key verification \
                   failed.",
                UnreachedWhy::Identity,
            ),
            (255, "audit@a: Permission denied (publickey).", UnreachedWhy::SignIn),
            (127, "bash: line 1: cmcomply: command not found", UnreachedWhy::Program),
            (126, "bash: line 1: /x/cmcomply: Permission denied", UnreachedWhy::Rights),
            (1, "'cmcomply' is not recognized as an internal or external command,", UnreachedWhy::Program),
            (1, "This account is currently not available.", UnreachedWhy::Rights),
            (255, "", UnreachedWhy::Answer),
        ] {
            assert_eq!(why(code, text), Some(kind), "{text}");
        }
        assert_eq!(why(0, "a banner with the words Permission denied ("), None);
    }
}
