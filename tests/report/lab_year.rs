//! Four quarters of real audits of the lab, with changes that the test makes: the report must be the one that somebody
//! would write by hand who knows them.
//!
//! Every audit runs now, with the built binary against a site database and a pretend internet. Its record is then moved
//! to the day on which it is to have been: all its moments, and the days of its waivers with them.

use std::process::{Command, Stdio};

use cmcomply::evidence::Run;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use lab::internet::{Behaviour, Internet, ProxySpec, Spec};
use lab::site_database::{Options, SiteDatabase};

use super::store::Place;

/// What stands in the lab on one day.
pub(super) struct Scene {
    pub(super) day: Date,
    /// T-SQL on the Contoso hierarchy, from its beginning on.
    pub(super) site: Vec<&'static str>,
    /// Servers that are not as they should be.
    pub(super) broken: Vec<(&'static str, Behaviour)>,
    pub(super) waivers: Vec<Waiver>,
    pub(super) own_catalog: bool,
    /// Whether somebody looks from where the console is used.
    pub(super) consoles: bool,
}

/// A waiver of the file, from a day to a day.
#[derive(Clone, Copy)]
pub(super) struct Waiver {
    pub(super) id: &'static str,
    pub(super) requirement: &'static str,
    pub(super) from: Date,
    pub(super) to: Date,
}

const STATED: &str = "[stated]\ntenant_attach = true\nendpoint_analytics = true\nrevocation_restricted = true\n\
                      notification_hosts = [\"prod1.westus2.logic.azure.com\"]\n";

const OWN_HEAD: &str = "format = 1\nversion = \"contoso-1\"\nas_of = \"2024-01-15\"\n\n[documents.contoso]\n\
                        title = \"Network handbook\"\nurl = \"https://docs.contoso.com/handbook\"\n";

const OWN: &str = r#"section = "Contoso"

[[entry]]
id = "contoso-portal"
roles = ["service-connection-point"]
endpoint = "portal.contoso.com"
scheme = "https"
ports = [443]
clouds = ["public", "us-government"]
when = "scp.online"
context = "site-system-proxy"
tier = "required"
status = "active"
sources = [{ document = "contoso", section = "Portals", date = "2024-01-15" }]
"#;

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

impl Scene {
    /// The record of an audit of that day.
    pub(super) async fn audit(&self) -> Run {
        loop {
            let base = today();
            let run = self.audit_on(base).await;
            // An audit over midnight would have one day more than its waivers.
            if today() == base {
                return moved(run, base, self.day);
            }
        }
    }

    async fn audit_on(&self, base: Date) -> Run {
        let variants = self.site.iter().map(|sql| (*sql).to_owned()).collect();
        let database = SiteDatabase::start(Options { variants, ..Options::default() }).await;
        let mut spec = Spec::healthy().proxy(ProxySpec::new("proxy-eu.contoso.com", 3128));
        for (host, behaviour) in &self.broken {
            spec = spec.host(host, behaviour.clone());
        }
        let internet = Internet::start(spec).await;
        let folder = tempfile::tempdir().unwrap();
        let hosts = if self.consoles { "['*', 'clients', 'consoles']" } else { "['*', 'clients']" };
        let settings = format!("[[vantages]]\nhosts = {hosts}\nkind = 'here'\nsame_subnet = true\n{STATED}");
        let waivers: Vec<String> = self.waivers.iter().map(|waiver| waiver.toml(base, self.day)).collect();
        std::fs::create_dir(folder.path().join("own")).unwrap();
        for (name, text) in [
            ("sql-ca.pem", database.ca_pem()),
            ("ca.pem", &internet.ca_pem()),
            ("cmcomply.toml", &settings),
            ("waivers.toml", &waivers.concat()),
            ("own/catalog.toml", OWN_HEAD),
            ("own/contoso.toml", OWN),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
        command.current_dir(folder.path()).stdin(Stdio::null());
        command.args(["audit", "--output=run.json", "--sql-ca-file=sql-ca.pem", "--public-ca-file=ca.pem"]);
        command.args(["--settings=cmcomply.toml", "--waivers=waivers.toml", "--stage-timeout=5"]);
        command.arg(format!("--sql=localhost,{}", database.address().port()));
        command.arg(format!("--sql-user={}", Options::default().user));
        command.env("CMCOMPLY_SQL_PASSWORD", Options::default().password);
        command.arg(format!("--dns-server={}", internet.dns()));
        command.args(internet.connect_to().iter().map(|rule| format!("--connect-to={rule}")));
        if self.own_catalog {
            command.arg("--catalog=own");
        }
        let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = || super::store::said(&done);
        assert!(done.status.code().is_some_and(|code| code != 2 && code != 4), "{}", said());
        Run::read(&folder.path().join("run.json")).unwrap_or_else(|error| panic!("{error}: {}", said()))
    }
}

impl Waiver {
    /// In the file of an audit that runs on the day `base` and is to have been on `day`.
    fn toml(&self, base: Date, day: Date) -> String {
        let days = (base - day).get_days();
        let (from, to) = (self.from + days.days(), self.to + days.days());
        format!(
            "[[waiver]]\nid = '{}'\nrequirement = '{}'\nhost = '*'\ncategory = 'waiver'\nreason = 'the new firewall comes'\n\
             owner = 'network team'\napproved_by = 'security officer'\napproved_on = {from}\nticket = 'CHG-1'\n\
             valid_through = {to}\n",
            self.id, self.requirement
        )
    }
}

/// The record as if the clock of the machine had been on that day, at 8:00.
fn moved(mut run: Run, base: Date, day: Date) -> Run {
    let began = day.at(8, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
    let later: SignedDuration = began.duration_since(run.moments.started);
    let Run { moments, observations, vantages, waivers, judgements, .. } = &mut run;
    for moment in [&mut moments.started, &mut moments.facts_read, &mut moments.finished]
        .into_iter()
        .chain(observations.iter_mut().map(|seen| &mut seen.started))
        .chain(vantages.iter_mut().flat_map(|vantage| vantage.started.iter_mut().chain(&mut vantage.finished)))
    {
        *moment += later;
    }
    let days = (day - base).get_days();
    let applied = waivers.as_mut().unwrap();
    for waiver in &mut applied.list.waivers {
        let said = waiver.valid_through;
        for date in [&mut waiver.approved_on, &mut waiver.valid_through] {
            *date += days.days();
        }
        // Findings and notes say the last day too.
        let texts = applied.findings.iter_mut().map(|finding| &mut finding.text);
        for text in texts.chain(judgements.iter_mut().flat_map(|judgement| &mut judgement.notes)) {
            *text = text.replace(&said.to_string(), &waiver.valid_through.to_string());
        }
    }
    run
}

/// A store with the runs of these days.
pub(super) async fn store(scenes: &[Scene]) -> Place {
    let place = Place::new();
    for scene in scenes {
        let run = scene.audit().await;
        place.add(&run, &["--store-formats=none"]);
    }
    place
}

/// The report of a quarter as plain text, by the numbers of its parts.
pub(super) fn parts(place: &Place, quarter: &str) -> Vec<String> {
    let done = super::quarter::report(place, &["--quarter", quarter]);
    assert_eq!(done.status.code(), Some(0), "{}", super::store::said(&done));
    let text = String::from_utf8(done.stdout).unwrap();
    let mut parts = vec![String::new()];
    for line in text.lines() {
        let begins = line.split_once(". ").is_some_and(|(number, _)| number.parse() == Ok(parts.len()));
        if begins {
            parts.push(String::new());
        }
        let part = parts.last_mut().unwrap();
        part.push_str(line);
        part.push('\n');
    }
    assert_eq!(parts.len(), 14, "{text}");
    parts
}
