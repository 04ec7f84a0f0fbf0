//! Any rows that a database might hold, and the facts that they give: for property tests.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::fact::{Source, UnknownWhy};
use super::super::facts::{Connection, Facts, SqlCertificate, SqlSignIn};
use super::super::query::{FACTS, QueryFile};
use super::super::read::{Answers, Raw};
use super::super::value::{Row, Value};

/// The facts that any rows give.
pub(in crate::site) fn any_facts() -> impl Strategy<Value = Facts> {
    any_answers().prop_map(|answers| super::facts(connection(), answers))
}

/// Facts of a database that shows nothing.
pub(crate) fn nothing_known() -> Facts {
    Facts::unknown(connection(), UnknownWhy::NotVisible, "not visible")
}

/// A connection.
pub(crate) fn connection() -> Connection {
    Connection {
        server: "cm01.contoso.com".to_owned(),
        database: "CM_CHQ".to_owned(),
        server_version: None,
        certificate: SqlCertificate::MachineRoots,
        sign_in: SqlSignIn::SqlLogin { user: "reader".to_owned() },
    }
}

/// What a database might hold where a name, a number or a path is expected.
fn any_value() -> impl Strategy<Value = Value> {
    let plausible = prop::sample::select(vec![
        "PS1",
        "CAS",
        "CM01.contoso.com",
        "cm01",
        "UseProxy",
        "ProxyName",
        "ProxyServerPort",
        "OfflineMode",
        "SMS Site System",
        "SMS Dmp Connector",
        "CloudProxyService",
        "ParentWSUS",
        "DefaultUseParentWSUS",
        "https://management.azure.com/",
        "core.windows.net",
        "Windows Azure",
        "Product",
        "Product:30eb551c-6288-4716-9a78-f300ec36d72b",
        "AllowCMG",
        "2024-06-30T04:00:00",
        "5.00.9128.1000",
        "11111111-2222-4333-8444-555555555555",
        "",
        "1",
        "[\"Display=\\\\CM01\\\"]MSWNET:[\"SMS_SITE=PS1\"]\\\\CM01\\",
    ]);
    prop_oneof![
        4 => plausible.prop_map(|text| Value::Text(text.to_owned())),
        2 => (-2i64..9).prop_map(Value::Number),
        1 => any::<i64>().prop_map(Value::Number),
        1 => any::<String>().prop_map(Value::Text),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<String>().prop_map(|head| Value::TooLong(1 << 20, head)),
        1 => Just(Value::Other("binary")),
    ]
}

/// Any rows for every fact.
pub(super) fn any_answers() -> impl Strategy<Value = Answers> {
    let answer = |file: &'static QueryFile| {
        let candidate = &file.candidates[0];
        let columns: Vec<(String, String)> =
            candidate.aliases().map(|(alias, column)| (alias.to_owned(), column.to_owned())).collect();
        let names: Arc<[String]> = candidate.results().into_iter().map(str::to_owned).collect();
        let row = prop::collection::vec(any_value(), names.len());
        prop::collection::vec(row, 0..6).prop_map(move |rows| {
            let rows = rows.into_iter().map(|values| Row::new(names.clone(), values)).collect();
            let source = Source::of("dbo.vTest");
            (file.fact.clone(), Raw::Rows { rows, source, columns: columns.clone() })
        })
    };
    FACTS.iter().map(answer).collect::<Vec<_>>().prop_map(|answers| answers.into_iter().collect())
}
