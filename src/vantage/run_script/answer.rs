//! The answer of one client, as the site database has it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Mark, plan_mark};
use crate::text::hexadecimal;

/// What one client saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAnswer {
    /// When it had looked, by its own clock.
    pub at: Timestamp,
    /// Whether SYSTEM looked.
    pub system: bool,
    /// What each probe came to, in the order of the plan. What the client left out stands there as not seen.
    pub marks: Vec<Mark>,
}

/// Why nothing is known of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// The site has no result of the script from it: it was not asked, or was not online.
    NoResult,
    /// There is a result, and it says nothing.
    Empty,
    /// Configuration Manager says that the script failed there, or it says so itself.
    ScriptFailed,
    /// A policy there holds PowerShell in the constrained language.
    Blocked,
    /// The answer was cut or changed: its hash is another one.
    Cut,
    /// Something else than an answer of this version.
    NotOurs,
    /// An answer to another plan: the script was run before it was changed.
    OtherPlan,
    /// Older than is asked for.
    Old,
    /// Of the future: the clock there is wrong, or the one here.
    Clock,
}

impl Silence {
    /// For people: of how many clients it is said.
    pub fn title(self) -> &'static str {
        match self {
            Self::NoResult => "no result",
            Self::Empty => "an empty answer",
            Self::ScriptFailed => "the script failed",
            Self::Blocked => "blocked by a policy",
            Self::Cut => "an answer that was cut or changed",
            Self::NotOurs => "an answer that is none",
            Self::OtherPlan => "an answer to another plan",
            Self::Old => "an old answer",
            Self::Clock => "an answer of the future",
        }
    }
}

/// Reads the answer to a plan of so many probes. The database may have it as it was printed, or as JSON, with or without
/// quotes: an answer has no character that JSON writes otherwise.
pub fn read_answer(output: &str, plan_sha256: &str, probes: usize) -> Result<ClientAnswer, Silence> {
    if output.chars().count() > MOST_STORED {
        return Err(Silence::Cut);
    }
    let line = output.trim().trim_start_matches(['[', '"']).trim_end_matches([']', '"']);
    let line = line.trim_end_matches("\\n").trim_end_matches("\\r").trim();
    if line.is_empty() {
        return Err(Silence::Empty);
    }
    let rest = line.strip_prefix(NAME).ok_or(Silence::NotOurs)?;
    if rest.starts_with("blocked ") {
        return Err(Silence::Blocked);
    }
    if rest.starts_with("failed ") {
        return Err(Silence::ScriptFailed);
    }
    let (said, hash) = line.rsplit_once(' ').ok_or(Silence::Cut)?;
    if hash.len() != HASH || hexadecimal(&Sha256::digest(said))[..HASH] != *hash {
        return Err(Silence::Cut);
    }
    let mut words = said.strip_prefix(NAME).ok_or(Silence::NotOurs)?.split(' ');
    let mut word = || words.next().ok_or(Silence::NotOurs);
    let (plan, at, account, count, left, marks) = (word()?, word()?, word()?, word()?, word()?, word()?);
    if words.next().is_some() {
        return Err(Silence::NotOurs);
    }
    if plan != plan_mark(plan_sha256) {
        return Err(Silence::OtherPlan);
    }
    let number = |text: &str| text.parse::<usize>().map_err(|_| Silence::NotOurs);
    let (count, left) = (number(count)?, number(left)?);
    if count != probes || left > count || marks.len() != 2 * (count - left) || !marks.is_ascii() {
        return Err(Silence::NotOurs);
    }
    let two = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(Mark::parse).ok_or(Silence::NotOurs);
    let mut marks = marks.as_bytes().chunks_exact(2).map(two).collect::<Result<Vec<_>, _>>()?;
    marks.resize(count, Mark::NotSeen);
    let at = at.parse().map_err(|_| Silence::NotOurs)?;
    Ok(ClientAnswer { at, system: account == "SYSTEM", marks })
}

const NAME: &str = "CMCOMPLY-CLIENT/1 ";
/// Characters of the hash.
const HASH: usize = 16;
/// What a site keeps of an answer. One that is longer, or that was cut there, is not whole.
const MOST_STORED: usize = 4000;

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::probe::FailureCode;

    /// An answer as the script writes it.
    pub(crate) fn line(plan: &str, at: &str, count: usize, left: usize, marks: &str) -> String {
        let said = format!("{NAME}{} {at} SYSTEM {count} {left} {marks}", plan_mark(plan));
        let hash = hexadecimal(&Sha256::digest(&said));
        format!("{said} {}", &hash[..HASH])
    }

    const AT: &str = "2026-11-25T18:27:01Z";

    fn plan() -> String {
        "ab".repeat(32)
    }

    fn read(output: &str) -> Result<ClientAnswer, Silence> {
        read_answer(output, &plan(), 3)
    }

    #[test]
    fn an_answer_is_read_in_each_form_that_a_database_has() {
        let plain = line(&plan(), AT, 3, 0, "oknx--");
        let marks = vec![Mark::Reached, Mark::Failed(FailureCode::NameNxdomain), Mark::NotSeen];
        let expected = ClientAnswer { at: AT.parse().unwrap(), system: true, marks };
        for output in [
            plain.clone(),
            format!("\"{plain}\""),
            format!("[\"{plain}\"]"),
            format!("{plain}\\r\\n"),
            format!("{plain}\r\n"),
        ] {
            assert_eq!(read(&output), Ok(expected.clone()), "{output}");
        }
    }

    #[test]
    fn what_a_client_left_out_was_not_seen() {
        let answer = read(&line(&plan(), AT, 3, 2, "ok")).unwrap();
        assert_eq!(answer.marks, [Mark::Reached, Mark::NotSeen, Mark::NotSeen]);
    }

    #[test]
    fn each_kind_of_silence_is_told() {
        let good = line(&plan(), AT, 3, 0, "oktrdp");
        let other = good.replace("SYSTEM", "other");
        for (output, silence) in [
            ("", Silence::Empty),
            (" \r\n", Silence::Empty),
            ("\"\"", Silence::Empty),
            ("Access denied", Silence::NotOurs),
            ("CMCOMPLY-CLIENT/2 x", Silence::NotOurs),
            ("CMCOMPLY-CLIENT/1 blocked ConstrainedLanguage", Silence::Blocked),
            ("CMCOMPLY-CLIENT/1 failed compiling", Silence::ScriptFailed),
            (&good[..good.len() - 1], Silence::Cut),
            (&good[..40], Silence::Cut),
            (&other, Silence::Cut),
            (&format!("{good}{good}"), Silence::Cut),
            (&"x".repeat(4001), Silence::Cut),
            (&line(&"cd".repeat(32), AT, 3, 0, "okokok"), Silence::OtherPlan),
            (&line(&plan(), AT, 4, 0, "okokokok"), Silence::NotOurs),
            (&line(&plan(), AT, 3, 4, ""), Silence::NotOurs),
            (&line(&plan(), AT, 3, 0, "okok"), Silence::NotOurs),
            (&line(&plan(), AT, 3, 0, "okokzz"), Silence::NotOurs),
            (&line(&plan(), AT, 3, 0, "okok\u{2013}"), Silence::NotOurs),
            (&line(&plan(), "yesterday", 3, 0, "okokok"), Silence::NotOurs),
            (&line(&plan(), AT, 3, 0, "okokok more"), Silence::NotOurs),
        ] {
            assert_eq!(read(output), Err(silence), "{output}");
        }
    }

    /// With the hash that it should have: whoever writes a line can make that too.
    fn hashed(said: &str) -> String {
        format!("{said} {}", &hexadecimal(&Sha256::digest(said))[..HASH])
    }

    #[test]
    fn a_good_hash_makes_no_answer() {
        for said in
            ["CMCOMPLY-CLIENT/1", "CMCOMPLY-CLIENT/1 ", "CMCOMPLY-CLIENT/1  ", "CMCOMPLY-CLIENT/1 a b c d e f g"]
        {
            assert_eq!(read(&hashed(said)), Err(Silence::NotOurs), "{said}");
        }
        let endless = format!("{NAME}{} {AT} SYSTEM 3 18446744073709551615 ok", plan_mark(&plan()));
        assert_eq!(read(&hashed(&endless)), Err(Silence::NotOurs));
    }

    proptest! {
        #[test]
        fn no_output_panics(text in ".{0,300}", cut in 0usize..120) {
            let _ = read(&text);
            let _ = read(&format!("{NAME}{text}"));
            let _ = read(&hashed(&format!("{NAME}{text}")));
            let _ = read(&hashed(&format!("{NAME}{} {AT} SYSTEM {text}", plan_mark(&plan()))));
            let _ = read(line(&plan(), AT, 3, 0, "okokok").get(..cut).unwrap_or_default());
        }
    }
}
