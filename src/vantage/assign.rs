//! Who looks for whom: each host, client and console gets a place from which it is looked at. Pure.

use std::collections::{BTreeMap, HashMap};

use super::{Standing, Vantage, VantageKind, VantageRule};
use crate::derive::{Requirement, Subject};
use crate::host::HostName;
use crate::plan::{self, PlanBounds, PlanDocument, Probe};
use crate::site::{Facts, Role};

/// Where the machine that runs cmcomply stands among the places.
pub const THIS_MACHINE: usize = 0;

/// A machine from which one looks, and how one acts there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its name; `None` where this machine has none.
    pub machine: Option<HostName>,
    /// How one acts there, and as whom.
    pub rule: VantageRule,
}

impl Place {
    /// For people.
    pub fn title(&self) -> &str {
        self.machine.as_ref().map_or("this machine", HostName::as_str)
    }
}

/// From where a subject is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// The place, by its position.
    pub place: usize,
    /// What that machine is to the subject.
    pub standing: Standing,
}

/// The places, and who is looked at from which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seats {
    /// The places; the first one is this machine.
    pub places: Vec<Place>,
    taken: BTreeMap<Subject, Seat>,
    /// Hosts of the site, also those of which nothing is needed.
    hosts: Vec<HostName>,
}

/// Gives each subject its place.
///
/// The first rule that fits counts. Without one, this machine looks for itself, `default` for the other hosts where it is
/// given, and else this machine too, as a stranger. A machine of `carried` has brought a file, whatever its rule says.
pub fn assign<'a>(
    subjects: impl IntoIterator<Item = &'a Subject>,
    facts: &Facts,
    rules: &[VantageRule],
    default: Option<VantageKind>,
    here: &Vantage,
    carried: &[HostName],
) -> Seats {
    let mut roles: HashMap<&HostName, Vec<Role>> = HashMap::new();
    for system in facts.site_systems.rows() {
        roles.entry(&system.host).or_default().extend(system.roles.iter().map(|installed| installed.role.clone()));
    }
    let mut subjects: Vec<&Subject> = subjects.into_iter().collect();
    subjects.sort_unstable();
    subjects.dedup();
    let own = here.host_among(subjects.iter().filter_map(|subject| subject.host()));
    let first = Place { machine: here.host.clone(), rule: VantageRule::default_of(VantageKind::Local) };
    let hosts = facts.site_systems.rows().iter().map(|system| system.host.clone()).collect();
    let mut seats = Seats { places: vec![first], taken: BTreeMap::new(), hosts };
    for subject in subjects {
        let roles = subject.host().and_then(|host| roles.get(host)).map_or(&[][..], Vec::as_slice);
        let rule = rules.iter().find(|rule| rule.fits(subject, roles)).cloned();
        let seat = seats.seat_for(subject, rule, own, default, carried);
        seats.taken.insert(subject.clone(), seat);
    }
    seats
}

impl Seats {
    /// Lets clients look for themselves, by what was collected from them: it counts more than a table for them. The place, if
    /// anything is known to be needed by clients.
    pub fn let_clients_look(&mut self) -> Option<usize> {
        let place = self
            .taken
            .contains_key(&Subject::Clients)
            .then(|| self.place(None, VantageRule::default_of(VantageKind::RunScripts)))?;
        self.taken.insert(Subject::Clients, Seat { place, standing: Standing::Itself });
        Some(place)
    }

    /// From where this subject is looked at.
    pub fn seat(&self, subject: &Subject) -> Seat {
        self.taken.get(subject).copied().unwrap_or(Seat { place: THIS_MACHINE, standing: Standing::Elsewhere })
    }

    /// The place of a machine that is not this one.
    pub fn place_of(&self, machine: &HostName) -> Option<usize> {
        let other = |place: &Place| place.rule.kind != VantageKind::Local && place.machine.as_ref() == Some(machine);
        self.places.iter().position(other)
    }

    /// Every host by its name: those of the site, those that are looked at, and the machines that look. This machine counts
    /// by its full name alone: the short one may be that of a host among them, which it is.
    pub fn known(&self) -> Vec<HostName> {
        let own = |place: &Place| place.rule.kind == VantageKind::Local;
        let machines = self
            .places
            .iter()
            .filter_map(|place| place.machine.as_ref().filter(|machine| !own(place) || machine.as_str().contains('.')));
        let mut known: Vec<HostName> =
            self.taken.keys().filter_map(Subject::host).chain(machines).chain(&self.hosts).cloned().collect();
        known.sort_unstable();
        known.dedup();
        known
    }

    /// Who is looked at from a place.
    pub fn subjects(&self, place: usize) -> impl Iterator<Item = (&Subject, Seat)> {
        self.taken.iter().filter(move |(_, seat)| seat.place == place).map(|(subject, seat)| (subject, *seat))
    }

    /// The plan of each place.
    pub fn plans(&self, requirements: &[Requirement], bounds: PlanBounds) -> Vec<PlanDocument> {
        let plan = |(at, place): (usize, &Place)| {
            let needed = requirements.iter().filter(|requirement| self.seat(&requirement.subject).place == at);
            PlanDocument::new(place.machine.clone(), bounds, plan::build(needed).probes)
        };
        self.places.iter().enumerate().map(plan).collect()
    }

    /// Of each place, the probes of what is retired and needed by nothing else ([`plan::spare`]).
    pub fn retired(&self, requirements: &[Requirement]) -> Vec<Vec<Probe>> {
        let spare = plan::spare(requirements);
        let of_place = |at: usize| {
            let here = spare.iter().copied().filter(|requirement| self.seat(&requirement.subject).place == at);
            plan::retired(here).probes
        };
        (0..self.places.len()).map(of_place).collect()
    }

    fn seat_for(
        &mut self,
        subject: &Subject,
        rule: Option<VantageRule>,
        own: Option<&HostName>,
        default: Option<VantageKind>,
        carried: &[HostName],
    ) -> Seat {
        let stands_in = match (subject, &rule) {
            (Subject::Host { .. }, Some(rule)) if rule.same_subnet => Standing::StandsIn,
            // Naming a machine for them is the statement: they have no host of their own.
            (Subject::Clients | Subject::Consoles, Some(_)) => Standing::StandsIn,
            _ => Standing::Elsewhere,
        };
        let machine = rule.as_ref().and_then(|rule| rule.machine.as_ref()).or(subject.host()).cloned();
        let is_it = machine.is_some() && machine.as_ref() == subject.host();
        let standing = if is_it { Standing::Itself } else { stands_in };
        let here = |standing| Seat { place: THIS_MACHINE, standing };
        let is_own = own.is_some() && subject.host() == own;
        let brought = machine.as_ref().is_some_and(|machine| carried.contains(machine));
        let place = match rule {
            _ if brought => self.place(machine, VantageRule::default_of(VantageKind::Carried)),
            Some(rule) if rule.kind == VantageKind::Carried => {
                self.place(machine, VantageRule::default_of(VantageKind::Carried))
            }
            Some(rule) if rule.kind == VantageKind::None => self.place(machine, rule),
            // No detour to oneself.
            _ if is_own => return here(Standing::Itself),
            Some(rule) if rule.kind == VantageKind::Local => return here(stands_in),
            Some(rule) => self.place(machine, rule),
            None => match default.filter(|_| machine.is_some()) {
                Some(kind) => self.place(machine, VantageRule::default_of(kind)),
                None => return here(Standing::Elsewhere),
            },
        };
        Seat { place, standing }
    }

    fn place(&mut self, machine: Option<HostName>, rule: VantageRule) -> usize {
        let place = Place { machine, rule };
        self.places.iter().position(|known| *known == place).unwrap_or_else(|| {
            self.places.push(place);
            self.places.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glob::Glob;
    use crate::site::{InstalledRole, SiteCode, SiteSystem, Source, nothing_known};

    fn host(name: &str) -> Subject {
        Subject::Host { site: SiteCode::parse("PS1").unwrap(), host: name.parse().unwrap() }
    }

    fn facts(role: &str, of: &str) -> Facts {
        let mut facts = nothing_known();
        let system = SiteSystem {
            site: SiteCode::parse("PS1").unwrap(),
            host: of.parse().unwrap(),
            roles: vec![InstalledRole { role: Role::from_database(role), properties: None }],
        };
        facts.site_systems = crate::site::Fact::Known { value: vec![system], source: Source::of("dbo.x") };
        facts
    }

    fn rule(kind: VantageKind, hosts: &[&str]) -> VantageRule {
        VantageRule { hosts: hosts.iter().map(|&host| Glob::new(host)).collect(), ..VantageRule::default_of(kind) }
    }

    fn seats(rules: &[VantageRule], default: Option<VantageKind>, carried: &[&str]) -> Seats {
        let subjects = [host("cm01.contoso.com"), host("cm02.contoso.com"), Subject::Clients, Subject::UnknownHosts];
        let carried: Vec<HostName> = carried.iter().map(|name| name.parse().unwrap()).collect();
        let facts = facts("SMS Distribution Point", "cm02.contoso.com");
        assign(&subjects, &facts, rules, default, &Vantage::local("cm01"), &carried)
    }

    fn at(seats: &Seats, subject: &Subject) -> (VantageKind, Standing) {
        let seat = seats.seat(subject);
        (seats.places[seat.place].rule.kind, seat.standing)
    }

    #[test]
    fn without_rules_this_machine_looks_for_itself_and_is_a_stranger_to_others() {
        let seats = seats(&[], None, &[]);
        assert_eq!(seats.places.len(), 1);
        assert_eq!(at(&seats, &host("cm01.contoso.com")), (VantageKind::Local, Standing::Itself));
        for other in [host("cm02.contoso.com"), Subject::Clients, Subject::UnknownHosts] {
            assert_eq!(at(&seats, &other), (VantageKind::Local, Standing::Elsewhere));
        }
    }

    #[test]
    fn the_default_is_for_other_hosts_and_the_first_rule_that_fits_counts() {
        let winrm = seats(&[], Some(VantageKind::Winrm), &[]);
        assert_eq!(at(&winrm, &host("cm01.contoso.com")), (VantageKind::Local, Standing::Itself));
        assert_eq!(at(&winrm, &host("cm02.contoso.com")), (VantageKind::Winrm, Standing::Itself));
        assert_eq!(at(&winrm, &Subject::Clients), (VantageKind::Local, Standing::Elsewhere));
        let by_role = VantageRule { roles: vec![Role::DistributionPoint], ..rule(VantageKind::None, &[]) };
        let ruled = seats(&[by_role, rule(VantageKind::Ssh, &["*"])], Some(VantageKind::Winrm), &[]);
        assert_eq!(at(&ruled, &host("cm02.contoso.com")).0, VantageKind::None);
        assert_eq!(
            at(&ruled, &host("cm01.contoso.com")),
            (VantageKind::Local, Standing::Itself),
            "no detour to itself"
        );
    }

    #[test]
    fn who_stands_in_is_stated() {
        let same = VantageRule { same_subnet: true, ..rule(VantageKind::Local, &["*", "clients"]) };
        let here = seats(&[same], None, &[]);
        assert_eq!(at(&here, &host("cm02.contoso.com")), (VantageKind::Local, Standing::StandsIn));
        assert_eq!(at(&here, &Subject::Clients), (VantageKind::Local, Standing::StandsIn));
        assert_eq!(at(&here, &Subject::UnknownHosts), (VantageKind::Local, Standing::Elsewhere));
        let through = VantageRule { machine: "lt-002".parse().ok(), ..rule(VantageKind::Ssh, &["*", "clients"]) };
        let by = seats(&[through], None, &[]);
        assert_eq!(
            at(&by, &host("cm02.contoso.com")),
            (VantageKind::Ssh, Standing::Elsewhere),
            "nobody says the subnet"
        );
        assert_eq!(at(&by, &Subject::Clients), (VantageKind::Ssh, Standing::StandsIn));
        assert_eq!(by.places.len(), 2, "one machine looks once");
    }

    #[test]
    fn a_file_that_was_brought_counts_more_than_a_rule() {
        let seats = seats(&[rule(VantageKind::Ssh, &["*"])], None, &["cm02.contoso.com"]);
        assert_eq!(at(&seats, &host("cm02.contoso.com")), (VantageKind::Carried, Standing::Itself));
        assert_eq!(seats.place_of(&"cm02.contoso.com".parse().unwrap()), Some(1));
    }

    #[test]
    fn whom_nobody_looks_at_has_no_machine_that_is_itself() {
        let nobody = seats(&[rule(VantageKind::None, &["clients"])], None, &[]);
        assert_eq!(at(&nobody, &Subject::Clients), (VantageKind::None, Standing::StandsIn));
    }

    #[test]
    fn what_clients_said_counts_more_than_a_table_for_them() {
        let mut by = seats(&[rule(VantageKind::Local, &["clients"])], None, &[]);
        assert_eq!(by.let_clients_look(), Some(1));
        assert_eq!(at(&by, &Subject::Clients), (VantageKind::RunScripts, Standing::Itself));
        let facts = facts("SMS Distribution Point", "cm02.contoso.com");
        let mut none = assign(&[host("cm01.contoso.com")], &facts, &[], None, &Vantage::local("cm01"), &[]);
        assert_eq!((none.let_clients_look(), none.places.len()), (None, 1));
    }

    #[test]
    fn known_are_who_is_looked_at_and_who_looks() {
        let through = VantageRule { machine: "lt-002".parse().ok(), ..rule(VantageKind::Ssh, &["clients"]) };
        let known: Vec<String> = seats(&[through], None, &[]).known().iter().map(ToString::to_string).collect();
        assert_eq!(known, ["cm01.contoso.com", "cm02.contoso.com", "lt-002"], "this machine is cm01.contoso.com");
    }
}
