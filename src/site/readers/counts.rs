//! Facts that are counted in SQL: one row of numbers.

use super::super::fact::{Fact, UnknownWhy};
use super::super::facts::{
    ClientCounts, ClientsOfSystem, CoManagedClients, Microsoft365Clients, OnlineClients, StoreForBusiness,
};
use super::super::read::Raw;
use super::cells::{Cells, Findings};
use super::known;

/// One number under `amount`.
pub(super) fn amount(raw: Raw, findings: &mut Findings) -> Fact<u64> {
    single(raw, findings, |cells| cells.count("amount"))
}

/// Clients in co-management.
pub(super) fn co_managed_clients(raw: Raw, findings: &mut Findings) -> Fact<CoManagedClients> {
    single(raw, findings, |cells| {
        let reported = cells.count("reported")?;
        let (with_policy, enrolled) = (sum(cells, "with_policy", reported), sum(cells, "enrolled", reported));
        Some(CoManagedClients { reported, with_policy: with_policy?, enrolled: enrolled? })
    })
}

/// Clients with Microsoft 365 Apps.
pub(super) fn microsoft_365_clients(raw: Raw, findings: &mut Findings) -> Fact<Microsoft365Clients> {
    single(raw, findings, |cells| {
        let clients: u64 = cells.count("clients")?;
        let managed = sum(cells, "managed", clients)?;
        Some(Microsoft365Clients { managed, unmanaged: clients - managed })
    })
}

/// Microsoft Store for Business.
pub(super) fn store_for_business(raw: Raw, findings: &mut Findings) -> Fact<StoreForBusiness> {
    single(raw, findings, |cells| {
        let accounts = cells.count("accounts")?;
        Some(StoreForBusiness { accounts, last_sync: cells.date("last_sync") })
    })
}

/// Clients online through the internet or a gateway.
pub(super) fn online_clients(raw: Raw, findings: &mut Findings) -> Fact<OnlineClients> {
    single(raw, findings, |cells| Some(OnlineClients { internet: cells.count("internet"), cmg: cells.count("cmg") }))
}

/// All clients.
pub(super) fn client_counts(raw: Raw, findings: &mut Findings) -> Fact<ClientCounts> {
    single(raw, findings, |cells| {
        let clients = cells.count("clients")?;
        Some(ClientCounts {
            clients,
            always_internet: sum(cells, "always_internet", clients),
            on_internet: sum(cells, "on_internet", clients),
            co_managed: sum(cells, "co_managed", clients),
        })
    })
}

/// Clients by operating system, most first.
pub(super) fn clients_by_system(raw: Raw, findings: &mut Findings) -> Fact<Vec<ClientsOfSystem>> {
    known(raw, |rows, object| {
        let mut systems = Vec::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let Some(clients) = cells.count("clients") else {
                cells.needed("clients", "no number of clients");
                continue;
            };
            systems.push(ClientsOfSystem { system: cells.name("system"), build: cells.name("build"), clients });
        }
        systems
            .sort_by(|a, b| b.clients.cmp(&a.clients).then_with(|| (&a.system, &a.build).cmp(&(&b.system, &b.build))));
        systems
    })
}

/// The fact of the only row; unknown if there is another number of rows, or `read` finds none in it.
fn single<T>(raw: Raw, findings: &mut Findings, read: impl FnOnce(&mut Cells<'_>) -> Option<T>) -> Fact<T> {
    let fact = known(raw, |rows, object| match rows {
        [row] => read(&mut Cells { object, row, findings }),
        _ => None,
    });
    match fact {
        Fact::Known { value: Some(value), source } => Fact::Known { value, source },
        Fact::Known { value: None, source } => {
            Fact::Unknown { why: UnknownWhy::NotEvidenced, detail: format!("{} gave no usable number", source.object) }
        }
        Fact::Unknown { why, detail } => Fact::Unknown { why, detail },
    }
}

/// A sum over `total` rows: of none it is NULL, and it is never more than one for each.
fn sum(cells: &mut Cells<'_>, column: &str, total: u64) -> Option<u64> {
    if total == 0 {
        return Some(0);
    }
    let sum = cells.count(column)?;
    if sum > total {
        cells.report(column, "more than there are");
        return None;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::super::test_rows::{raw, with_findings};
    use super::*;

    #[test]
    fn a_count_is_one_row_with_a_number() {
        let count = |rows: &[&str]| with_findings(|f| amount(raw("amount", rows), f));
        assert_eq!(count(&["0"]).0.known(), Some(&0));
        assert_eq!(count(&["7"]).0.known(), Some(&7));
        for (rows, found) in [(&[][..], 0), (&["1", "2"], 0), (&["NULL"], 0), (&["-1"], 1), (&["many"], 1)] {
            let (fact, findings) = count(rows);
            assert!(matches!(fact, Fact::Unknown { why: UnknownWhy::NotEvidenced, .. }), "{rows:?}");
            assert_eq!(findings.len(), found, "{rows:?}");
        }
    }

    #[test]
    fn sums_of_no_rows_are_zero_and_none_is_more_than_all() {
        let counts = |row: &str| {
            with_findings(|f| client_counts(raw("clients|always_internet|on_internet|co_managed", &[row]), f))
        };
        let (none, findings) = counts("0|NULL|NULL|NULL");
        assert_eq!((none.known().unwrap().co_managed, findings.len()), (Some(0), 0));
        let (some, findings) = counts("5|1|NULL|6");
        let some = some.known().unwrap();
        assert_eq!((some.always_internet, some.on_internet, some.co_managed), (Some(1), None, None));
        assert_eq!(findings[0].column, "co_managed");

        let office = |row: &str| with_findings(|f| microsoft_365_clients(raw("clients|managed", &[row]), f)).0;
        assert_eq!(office("3|2").known(), Some(&Microsoft365Clients { managed: 2, unmanaged: 1 }));
        assert_eq!(office("0|NULL").known(), Some(&Microsoft365Clients { managed: 0, unmanaged: 0 }));
        assert!(office("1|2").is_unknown());
        let managed =
            |row: &str| with_findings(|f| co_managed_clients(raw("reported|with_policy|enrolled", &[row]), f)).0;
        assert_eq!(managed("4|3|2").known().unwrap().with_policy, 3);
        assert!(managed("4|NULL|2").is_unknown());
    }

    #[test]
    fn operating_systems_are_ordered_by_clients() {
        let rows = ["Windows 10|19045|2", "Windows 11|22631|9", "NULL|NULL|2", "x|y|z"];
        let (fact, findings) = with_findings(|f| clients_by_system(raw("system|build|clients", &rows), f));
        let order: Vec<_> = fact.rows().iter().map(|s| (s.build.as_deref(), s.clients)).collect();
        assert_eq!(order, [(Some("22631"), 9), (None, 2), (Some("19045"), 2)]);
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn the_last_synchronization_is_a_date_or_a_finding() {
        let store = |row: &str| with_findings(|f| store_for_business(raw("accounts|last_sync", &[row]), f));
        let (fact, _) = store("1|2024-06-30T04:00:00");
        assert_eq!(fact.known().unwrap().last_sync.unwrap().to_string(), "2024-06-30T04:00:00");
        let (fact, findings) = store("1|yesterday");
        assert_eq!((fact.known().unwrap().last_sync, findings[0].problem.as_str()), (None, "not a date"));
        let online = with_findings(|f| online_clients(raw("internet|cmg", &["4|NULL"]), f)).0;
        assert_eq!(online.known(), Some(&OnlineClients { internet: Some(4), cmg: None }));
    }
}
