//! `cmcomply hosts`: from where each host is looked at, and whether that works, before anything is probed.

use std::collections::BTreeMap;

use clap::Args;

use super::facts::FactsArgs;
use super::output::OutputArgs;
use super::{Stop, account, audit, exit, here, progress, vantages};
use crate::derive::Subject;
use crate::report::{self, HOSTS_FORMAT, HostRow, Hosts};
use crate::site::Facts;
use crate::vantage::{self, Check, Seats, THIS_MACHINE, Vantage, VantageKind, VantageRule};

/// Arguments of `cmcomply hosts`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply hosts --sql cm01.contoso.com --settings cmcomply.toml
      each host with its roles, its vantage, and whether that answers
  cmcomply hosts --snapshot site.json --settings cmcomply.toml --format csv
      the same for a spreadsheet, without the database

What is asked: SSH signs in and asks the program for its version. WinRM signs in, makes a shell, which takes the right to
run commands, and deletes it; where no account is stated, only the port is tried. What fails is named first: the name, the
port, the identity of the host, the sign-in, the rights, or what else it was.
A vantage marked (default) is used with `audit --remote` alone. The grade is the best that evidence from there can have.

Exit codes: 0 all that was asked answers, 2 wrong arguments or settings, 3 something does not answer, or the list of hosts
is not whole, 4 the site database could not be read.")]
pub(super) struct HostsArgs {
    #[command(flatten)]
    facts: FactsArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Asks every machine, and lists what became of it.
pub(super) async fn run(args: HostsArgs) -> Result<u8, Stop> {
    let prepared = args.facts.prepare()?;
    if prepared.is_redacted() {
        return Err(Stop::usage(anyhow::anyhow!("the names of a redacted snapshot lead to no machine")));
    }
    let rules = prepared.vantages().to_vec();
    let cancel = audit::cancel_on_ctrl_c("interrupted: writing what is known (Ctrl-C again: end at once)");
    let facts = prepared.read(&cancel).await?;
    let subjects = subjects(&facts);
    let here = Vantage::local(&here::name());
    let seats = vantage::assign(subjects.keys(), &facts, &rules, Some(VantageKind::Winrm), &here, &[]);
    let wheel = progress::wheel("asking the hosts");
    let checks = vantage::check_all(seats.places.iter().map(vantages::access).collect(), &cancel).await;
    wheel.finish_and_clear();
    let rows: Vec<HostRow> =
        subjects.into_iter().map(|(subject, roles)| row(subject, roles, &seats, &rules, &checks)).collect();
    let unanswered = rows.iter().any(|row| row.answers == Some(false));
    let hosts = Hosts { format: HOSTS_FORMAT.to_owned(), hosts: rows };
    args.output.write(&report::hosts(&hosts), &hosts)?;
    let whole = !unanswered && !facts.site_systems.is_unknown() && !cancel.is_cancelled();
    Ok(if whole { exit::COMPLIANT } else { exit::INCOMPLETE })
}

/// Every host with its roles, then clients and consoles.
fn subjects(facts: &Facts) -> BTreeMap<Subject, Vec<String>> {
    let mut subjects: BTreeMap<Subject, Vec<String>> = BTreeMap::new();
    for system in facts.site_systems.rows() {
        let subject = Subject::Host { site: system.site.clone(), host: system.host.clone() };
        let roles = system.roles.iter().map(|installed| installed.role.title().to_owned());
        subjects.entry(subject).or_default().extend(roles);
    }
    subjects.extend([(Subject::Clients, Vec::new()), (Subject::Consoles, Vec::new())]);
    subjects
}

fn row(subject: Subject, roles: Vec<String>, seats: &Seats, rules: &[VantageRule], checks: &[Check]) -> HostRow {
    let seat = seats.seat(&subject);
    let place = &seats.places[seat.place];
    let (checked, unreached) = match &checks[seat.place] {
        Ok(checked) => (checked.map(str::to_owned), None),
        Err(unreached) => (None, Some(unreached.clone())),
    };
    let asked = !matches!(place.rule.kind, VantageKind::Local | VantageKind::Carried | VantageKind::None);
    HostRow {
        // Only SYSTEM gives an A, and no account that signs in from elsewhere is SYSTEM.
        grade: seat
            .standing
            .grade(if seat.place == THIS_MACHINE { account::account() } else { None }.as_deref(), std::env::consts::OS),
        // This machine needs no `--remote`.
        stated: seat.place == THIS_MACHINE || rules.contains(&place.rule) || place.rule.kind == VantageKind::Carried,
        vantage: place.rule.kind,
        machine: place.machine.clone(),
        account: place.rule.account.clone(),
        answers: asked.then_some(unreached.is_none()),
        subject,
        roles,
        checked,
        unreached,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{SiteCode, nothing_known};

    #[test]
    fn this_machine_is_no_default_of_another_one() {
        let facts = nothing_known();
        let host = |name: &str| Subject::Host { site: SiteCode::parse("PS1").unwrap(), host: name.parse().unwrap() };
        let subjects = [host("cm01.contoso.com"), host("cm02.contoso.com")];
        let here = Vantage::local("cm01.contoso.com");
        let seats = vantage::assign(&subjects, &facts, &[], Some(VantageKind::Winrm), &here, &[]);
        let stated = |subject: &Subject| row(subject.clone(), Vec::new(), &seats, &[], &[Ok(None), Ok(None)]).stated;
        assert!(stated(&subjects[0]) && !stated(&subjects[1]));
    }
}
