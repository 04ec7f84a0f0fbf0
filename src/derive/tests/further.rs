//! Hosts in columns of `AzureEnvironments` that nobody has described.

use super::*;
use crate::site::DataFinding;

fn of_further(facts: &Facts) -> Vec<(String, Decision)> {
    let all = derive(facts).into_iter().filter(|requirement| requirement.entry.0 == "scp-azure-further");
    all.map(|requirement| (requirement.name.to_string(), requirement.decision)).collect()
}

fn environments(facts: &mut Facts) -> &mut Vec<AzureEnvironment> {
    match &mut facts.azure_environments {
        Fact::Known { value, .. } => value,
        Fact::Unknown { .. } => panic!("known"),
    }
}

#[test]
fn described_columns_are_left_to_their_own_entries() {
    assert_eq!(of_further(&contoso()), []);
    let mut facts = contoso();
    facts.azure_environments = unknown();
    assert_eq!(of_further(&facts), [], "the other entries say that it is unknown");
}

#[test]
fn a_host_of_a_row_in_use_is_needed() {
    let mut facts = contoso();
    let rows = environments(&mut facts);
    rows[0].hosts.insert("OfficeEndpoint".to_owned(), host("new.office.com"));
    rows[0].suffixes.insert("MailSuffix".to_owned(), host("mail.office.com"));
    let elsewhere = [("OfficeEndpoint".to_owned(), host("new.office365.us"))].into();
    rows.push(AzureEnvironment { id: 2, name: None, hosts: elsewhere, suffixes: BTreeMap::new() });
    assert_eq!(of_further(&facts), [("new.office.com".to_owned(), Decision::Needed)]);
    // Where not everyone who may use a row is known, the other one may be in use.
    facts.tenants = unknown();
    let all = of_further(&facts);
    assert!(all.iter().any(|(name, decision)| name == "{azure.further}" && *decision != Decision::Needed), "{all:?}");
}

#[test]
fn a_column_that_was_not_read_is_undecided() {
    let mut facts = contoso();
    let Fact::Known { source, .. } = &mut facts.azure_environments else { panic!() };
    source.missing_columns = ["GalleryEndpoint", "TokenEndpoint"].map(str::to_owned).into();
    let object = source.object.clone();
    let finding = |column: &str| DataFinding {
        object: object.clone(),
        column: column.to_owned(),
        row: "id=1".to_owned(),
        problem: "no host".to_owned(),
        value: String::new(),
    };
    facts.data_findings = vec![finding("gateway_service"), finding("officeendpoint"), finding("id")];
    let [(name, Decision::Undecided { missing })] = &of_further(&facts)[..] else { panic!("{:?}", of_further(&facts)) };
    assert_eq!(name, "{azure.further}");
    assert_eq!(
        missing,
        &[
            "column TokenEndpoint of AzureEnvironments was not read".to_owned(),
            "column officeendpoint of AzureEnvironments: see the data findings".to_owned()
        ]
    );
}
