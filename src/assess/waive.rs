//! Waivers applied to verdicts, and what is to be said of the waivers themselves.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::waiver::{Waiver, Waivers};
use super::{Judgement, Verdict};
use crate::derive::Requirement;

/// The waivers of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppliedWaivers {
    /// The file.
    pub list: Waivers,
    /// A later day on which they had to hold as well, in UTC (`readiness --on`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Date>,
    /// What is to be said of its waivers.
    pub findings: Vec<WaiverFinding>,
}

impl AppliedWaivers {
    /// Applies the waivers that hold today and still on the day for which is asked, if that is a later one; see [`waive`].
    pub fn new(
        list: Waivers,
        requirements: &[Requirement],
        judgements: &mut [Judgement],
        today: Date,
        asked: Option<Date>,
    ) -> Self {
        let on = asked.filter(|day| *day > today);
        let findings = waive(&list, requirements, judgements, today, on.unwrap_or(today));
        Self { list, on, findings }
    }
}

/// A waiver that does not do what its author meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverFinding {
    /// The waiver's id.
    pub waiver: String,
    /// What is wrong with it.
    pub problem: WaiverProblem,
    /// The same in words.
    pub text: String,
}

/// What can be wrong with a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaiverProblem {
    /// Its last day has passed.
    Expired,
    /// It was approved for a day that is still to come.
    NotYetValid,
    /// It fits no requirement of this hierarchy.
    Unmatched,
    /// What it is for does not fail.
    Unneeded,
    /// The one who answers for it approved it.
    SelfApproved,
}

/// Turns each failure that a waiver covers from `today` until `day` into [`Verdict::Waived`], and returns what is to be
/// said of the waivers. Only an observed failure can be waived: what was not observed stays so.
///
/// `judgements` are in the order of the requirements; the days are in UTC, and `day` is not before `today`.
pub fn waive(
    waivers: &Waivers,
    requirements: &[Requirement],
    judgements: &mut [Judgement],
    today: Date,
    day: Date,
) -> Vec<WaiverFinding> {
    let mut findings = Vec::new();
    for waiver in &waivers.waivers {
        let covered: Vec<usize> = requirements
            .iter()
            .enumerate()
            .filter(|(_, requirement)| waiver.covers(requirement, &requirement.endpoint()))
            .map(|(index, _)| index)
            .collect();
        let failing = covered.iter().any(|index| matches!(judgements[*index].verdict, Verdict::Fail | Verdict::Waived));
        let mut say = |problem, text: String| {
            findings.push(WaiverFinding { waiver: waiver.id.clone(), problem, text });
        };
        if waiver.owner.trim().eq_ignore_ascii_case(waiver.approved_by.trim()) {
            say(WaiverProblem::SelfApproved, format!("owner and approver are the same ({})", waiver.owner));
        }
        if covered.is_empty() {
            let text = format!("no requirement of this hierarchy fits {} on {}", waiver.requirement, waiver.host);
            say(WaiverProblem::Unmatched, text);
        } else if today > waiver.valid_through {
            let still = if failing { "what it was for still fails" } else { "what it was for does not fail" };
            say(WaiverProblem::Expired, format!("it ended on {}; {still}", waiver.valid_through));
        } else if day > waiver.valid_through {
            let still = if failing { "what it is for fails" } else { "what it is for does not fail" };
            let text = format!("it ends on {}, before {day}, the day that is asked for; {still}", waiver.valid_through);
            say(WaiverProblem::Expired, text);
        } else if today < waiver.approved_on {
            say(WaiverProblem::NotYetValid, format!("it was approved on {}, which is to come", waiver.approved_on));
        } else if !failing {
            let seen = covered.iter().map(|index| judgements[*index].verdict.title()).next().unwrap_or_default();
            say(WaiverProblem::Unneeded, format!("nothing that it is for fails (seen: {seen})"));
        } else {
            for index in covered {
                excuse(waiver, &mut judgements[index]);
            }
        }
    }
    findings
}

/// The first waiver of a failure counts; the others are not mentioned.
fn excuse(waiver: &Waiver, judgement: &mut Judgement) {
    if judgement.verdict != Verdict::Fail {
        return;
    }
    judgement.verdict = Verdict::Waived;
    judgement.waiver = Some(waiver.id.clone());
    judgement.notes.push(format!(
        "waived by {} until {} ({}, {}): {}",
        waiver.id, waiver.valid_through, waiver.owner, waiver.ticket, waiver.reason
    ));
}

#[cfg(test)]
mod tests {
    use super::super::tests::{judged, requirement, reset, seen};
    use super::*;

    const TODAY: Date = Date::constant(2026, 11, 25);

    /// A waiver for one entry on every host, approved before today.
    fn waiver(id: &str, entry: &str, valid_through: &str) -> String {
        format!(
            "[[waiver]]\nid = '{id}'\nrequirement = '{entry}'\nhost = '*.contoso.com'\ncategory = 'waiver'\n\
             reason = 'until the new proxy'\nowner = 'network team'\napproved_by = 'security officer'\n\
             approved_on = 2026-10-01\nticket = 'CHG-1'\nvalid_through = {valid_through}\n"
        )
    }

    /// `a.example` works, `b.example` fails.
    fn applied(text: &str) -> (Vec<Judgement>, Vec<(String, WaiverProblem)>) {
        applied_on(text, None)
    }

    fn applied_on(text: &str, asked: Option<&str>) -> (Vec<Judgement>, Vec<(String, WaiverProblem)>) {
        let requirements = [requirement("a.example"), requirement("b.example")];
        let mut judgements = judged(&requirements, "cm01", false, |probe| {
            let fails = probe.target.host.as_str() == "b.example";
            Some(seen(probe, |o| {
                if fails {
                    reset(o);
                }
            }))
        });
        let list = Waivers::parse("waivers.toml", text).unwrap();
        let asked = asked.map(|day| day.parse().unwrap());
        let AppliedWaivers { findings, .. } = AppliedWaivers::new(list, &requirements, &mut judgements, TODAY, asked);
        (judgements, findings.into_iter().map(|finding| (finding.waiver, finding.problem)).collect())
    }

    #[test]
    fn a_waiver_holds_today_and_on_the_day_that_is_asked_for() {
        let until = waiver("W-1", "b-example", "2026-11-30");
        for day in ["2026-11-01", "2026-11-25", "2026-11-30"] {
            let (judgements, findings) = applied_on(&until, Some(day));
            assert_eq!((judgements[1].verdict, findings.as_slice()), (Verdict::Waived, &[][..]), "{day}");
        }
        let ended = [("W-1".to_owned(), WaiverProblem::Expired)];
        let (judgements, findings) = applied_on(&until, Some("2026-12-01"));
        assert_eq!((judgements[1].verdict, findings.as_slice()), (Verdict::Fail, &ended[..]));
        // A day in the past brings no waiver back, and one in the future approves none.
        let over = waiver("W-1", "b-example", "2026-11-24");
        assert_eq!(applied_on(&over, Some("2026-11-20")).0[1].verdict, Verdict::Fail);
        let to_come = waiver("W-1", "b-example", "2027-01-31").replace("2026-10-01", "2026-11-26");
        assert_eq!(applied_on(&to_come, Some("2026-12-12")).0[1].verdict, Verdict::Fail);
    }

    #[test]
    fn a_failure_is_waived_until_the_last_day_and_keeps_its_cause() {
        for last in ["2026-11-25", "2027-01-31"] {
            let (judgements, findings) = applied(&waiver("W-1", "b-example", last));
            let verdicts: Vec<Verdict> = judgements.iter().map(|judgement| judgement.verdict).collect();
            assert_eq!(verdicts, [Verdict::Pass, Verdict::Waived]);
            assert_eq!(judgements[1].waiver.as_deref(), Some("W-1"));
            assert_eq!(judgements[1].cause.as_ref().unwrap().code, "tls-reset");
            assert!(judgements[1].notes.last().unwrap().contains("until the new proxy"));
            assert_eq!(findings, []);
        }
    }

    #[test]
    fn a_waiver_that_does_nothing_is_a_finding() {
        let finding = |text: &str| {
            let (judgements, findings) = applied(text);
            assert_eq!(judgements[1].verdict, Verdict::Fail, "{text}");
            findings.into_iter().map(|(_, problem)| problem).collect::<Vec<_>>()
        };
        assert_eq!(finding(&waiver("W-1", "b-example", "2026-11-24")), [WaiverProblem::Expired]);
        assert_eq!(finding(&waiver("W-1", "a-example", "2027-01-31")), [WaiverProblem::Unneeded]);
        assert_eq!(finding(&waiver("W-1", "c-example", "2027-01-31")), [WaiverProblem::Unmatched]);
        let to_come = waiver("W-1", "*", "2027-01-31").replace("2026-10-01", "2026-11-26");
        assert_eq!(finding(&to_come), [WaiverProblem::NotYetValid]);
        let elsewhere = waiver("W-1", "*", "2027-01-31").replace("*.contoso.com", "cm02.contoso.com");
        assert_eq!(finding(&elsewhere), [WaiverProblem::Unmatched]);
        let other = format!("{}endpoint = 'https://b.example:8531'\n", waiver("W-1", "*", "2027-01-31"));
        assert_eq!(finding(&other), [WaiverProblem::Unmatched]);
    }

    #[test]
    fn one_who_approves_for_himself_is_named_and_the_first_of_two_waivers_counts() {
        let own = waiver("W-1", "b-*", "2027-01-31").replace("security officer", "Network team");
        let (judgements, findings) = applied(&format!("{own}\n{}", waiver("W-2", "b-example", "2027-01-31")));
        assert_eq!(judgements[1].waiver.as_deref(), Some("W-1"));
        assert_eq!(findings, [("W-1".to_owned(), WaiverProblem::SelfApproved)]);
    }

    #[test]
    fn what_was_not_observed_cannot_be_waived() {
        let requirements = [requirement("b.example")];
        let mut judgements = judged(&requirements, "cm01", false, |_| None);
        let list = Waivers::parse("waivers.toml", &waiver("W-1", "*", "2027-01-31")).unwrap();
        let findings = waive(&list, &requirements, &mut judgements, TODAY, TODAY);
        assert_eq!((judgements[0].verdict, findings[0].problem), (Verdict::NotObserved, WaiverProblem::Unneeded));
    }
}
