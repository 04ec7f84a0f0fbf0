//! Rules on endpoints, by what was observed of them.

use super::Case;
use super::answer::{Answer, Answered};
use crate::assess::{Judgement, Verdict};
use crate::catalog::{CatalogRole, Status};
use crate::derive::Requirement;

fn judged<'a>(case: &Case<'a>) -> impl Iterator<Item = (&'a Requirement, &'a Judgement)> {
    case.requirements.iter().zip(case.judgements)
}

/// What a verdict of one endpoint says.
fn says(requirement: &Requirement, judgement: &Judgement) -> Answer {
    let (endpoint, subject) = (requirement.endpoint(), &requirement.subject);
    let cause = judgement.cause.as_ref();
    let seen = cause.map_or("nothing was seen", |cause| cause.text.as_str());
    match judgement.verdict {
        Verdict::Pass => Answer::fine(format!("{subject} reaches {endpoint}")),
        // A waiver changes who answers for it, not what is reached.
        Verdict::Waived => Answer::wrong(format!("{subject} does not reach {endpoint}, which is waived: {seen}")),
        Verdict::Fail => Answer::wrong(format!("{subject} does not reach {endpoint}: {seen}")),
        Verdict::NotObserved | Verdict::Error => Answer::missing(
            format!("whether {subject} reaches {endpoint}"),
            seen,
            cause.map_or_else(|| "probe it from there".to_owned(), |cause| cause.remedy.clone()),
        ),
        Verdict::NotApplicable => Answer::default(),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of the table")]
pub(super) fn management_points(case: &Case<'_>) -> Answered {
    let since = |requirement: &Requirement| case.catalog.entry(&requirement.entry).and_then(|entry| entry.since_build);
    let new = judged(case)
        .filter(|(requirement, _)| requirement.role == CatalogRole::ManagementPoint && since(requirement).is_some());
    let answer: Answer = new.map(|(requirement, judgement)| says(requirement, judgement)).collect();
    if answer == Answer::default() {
        let why = "management points need no endpoint on the internet with this version, or there is no tenant";
        return Ok(Answer::needless(why));
    }
    Ok(answer)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of the table")]
pub(super) fn successors(case: &Case<'_>) -> Answered {
    let pairs = judged(case).filter(|(old, _)| old.status == Status::Superseded).filter_map(|(old, before)| {
        let same = |new: &Requirement| new.subject == old.subject && new.role == old.role;
        let successor = old.replaced_by.as_ref()?;
        let (new, after) = judged(case).find(|(new, _)| new.entry == *successor && same(new))?;
        Some((old, before, new, after))
    });
    let answer: Answer = pairs
        .map(|(old, before, new, after)| {
            let (subject, gone, next) = (&old.subject, old.endpoint(), new.endpoint());
            match (before.verdict, after.verdict) {
                (_, Verdict::Pass) => {
                    Answer::fine(format!("{subject} reaches {next}, which takes the place of {gone}"))
                }
                (Verdict::Pass, Verdict::Fail | Verdict::Waived) => {
                    Answer::wrong(format!("{subject} reaches {gone} and not {next}, which takes its place"))
                }
                // That neither is reached is a failure of the endpoints themselves.
                (_, Verdict::Fail | Verdict::Waived | Verdict::NotApplicable) => Answer::default(),
                (_, Verdict::NotObserved | Verdict::Error) => says(new, after),
            }
        })
        .collect();
    if answer == Answer::default() {
        return Ok(Answer::needless("nothing that is needed here is being replaced, or nothing of it is reached"));
    }
    Ok(answer)
}
