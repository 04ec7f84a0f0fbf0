//! A script for the database administrator: a role with exactly the rights that the statements need.
//!
//! For each fact it grants the first way to ask whose objects this database has, as the reading itself chooses. Where
//! an object holds secrets, or where nobody outside the product knows what it holds, the columns are named: base
//! tables, objects whose name is not documented, and the views listed below.

use std::fmt;
use std::fmt::Write as _;

use super::query::DISCOVERY;
use super::statements::{ObjectUse, Place, Query, Way, queries};
use crate::text;

/// The role that the script makes.
pub const ROLE: &str = "cmcomply_reader";

/// Views and functions over tables with secrets: application secrets, keys, PXE passwords, encrypted URLs, and whatever
/// scripts were given and said.
const OVER_SECRETS: [&str; 6] = [
    "fn_rbac_DistributionPoints",
    "vSMS_AAD_Application_Ex",
    "vSMS_Azure_CloudService",
    "vSMS_SC_Component_PropertyLists",
    "vSMS_ScriptsExecutionStatus",
    "vWSfBConfigurationData",
];

/// A base table of nothing but public endpoints, of which columns are read that only the database knows: granted whole.
const WHOLE: &str = "AzureEnvironments";

/// The name of a login of SQL Server, such as `CONTOSO\reader`, that can stand in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login(String);

/// A text that cannot be the name of a login in a script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Nothing, or too much.
    #[error("the name of a login has 1 to 128 characters")]
    Length,
    /// Characters that print nothing, or change how the rest of the line is shown.
    #[error("`{0}` has a control or format character in it, which no script should hold")]
    Control(String),
    /// `$(`, which sqlcmd would replace.
    #[error("`{0}` has `$(` in it, which sqlcmd takes for a variable")]
    Variable(String),
}

impl Login {
    /// Takes a name of 1 to 128 characters (UTF-16, as SQL Server counts) that only print.
    pub fn parse(name: &str) -> Result<Self, LoginError> {
        if !(1..=128).contains(&name.encode_utf16().count()) {
            return Err(LoginError::Length);
        }
        if text::printable(name, 128) != name {
            return Err(LoginError::Control(text::ascii(name, 140)));
        }
        if name.contains("$(") {
            return Err(LoginError::Variable(text::ascii(name, 140)));
        }
        Ok(Self(name.to_owned()))
    }

    /// As an identifier: `[CONTOSO\reader]`, with `]` doubled.
    fn identifier(&self) -> String {
        format!("[{}]", self.0.replace(']', "]]"))
    }

    /// As a text: `N'CONTOSO\reader'`, with `'` doubled.
    fn literal(&self) -> String {
        format!("N'{}'", self.0.replace('\'', "''"))
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The T-SQL script that lets `login` read what the facts need, and nothing else; with `run_script` also what clients said in
/// answer to scripts. It may be run again.
pub fn grant_script(login: &Login, run_script: bool) -> String {
    let mut script = format!(
        "-- cmcomply {}: the rights that its statements need, and no other. Run this in the site database.\n\
         --\n\
         -- It makes the role {ROLE}, gives it SELECT on single objects, and makes the login a member of it. Objects\n\
         -- with secrets, base tables (but for the table of Azure's public endpoints), and objects that are not\n\
         -- documented are granted by column. What this database does not have is skipped. To take the rights back:\n\
         -- remove the members, then DROP ROLE {ROLE}.\n\
         --\n\
         -- It may be run again after an update of the site, which can bring objects that were not there before.\n\n",
        env!("CARGO_PKG_VERSION")
    );
    let (name, text) = (login.identifier(), login.literal());
    let _ = write!(
        script,
        "IF DATABASE_PRINCIPAL_ID(N'{ROLE}') IS NULL\n    CREATE ROLE {ROLE};\nGO\n\
         IF DATABASE_PRINCIPAL_ID({text}) IS NULL\n    CREATE USER {name} FOR LOGIN {name};\nGO\n\
         ALTER ROLE {ROLE} ADD MEMBER {name};\nGO\n"
    );
    let reads = |query: &&Query| match query.place {
        Place::SiteDatabase => true,
        // The discovery of them reads what everyone may.
        Place::Scripts => run_script && query.ways.iter().any(|way| !way.objects.is_empty()),
        Place::EveryConnection | Place::Master | Place::Discovery => false,
    };
    for query in queries().iter().filter(reads) {
        script.push('\n');
        block(query, &mut script);
    }
    script
}

/// The grants of one fact.
fn block(query: &Query, script: &mut String) {
    comment(&format!("{}: {}", query.name, query.purpose), script);
    for way in query.ways.iter().filter(|way| way.found_by_columns) {
        search(query, way, script);
    }
    let mut lead = "IF";
    for way in &query.ways {
        let conditions: Vec<String> = way.objects.iter().flat_map(conditions).collect();
        let _ = write!(script, "{lead} {}\nBEGIN\n", conditions.join("\n    AND "));
        way.objects.iter().for_each(|object| grant(object, way.found_by_columns, script));
        script.push_str("END\n");
        lead = "ELSE IF";
    }
    script.push_str("GO\n");
}

/// How to find an object without a documented name, for a person to do: a script that granted whatever has such
/// columns would grant too much.
fn search(query: &Query, way: &Way, script: &mut String) {
    let Some(stand_in) = way.objects.first() else { return };
    comment(
        &format!(
            "The name {} below is a guess. The real object is found by its columns; this lists what may be it. If it \
             has another name, put that name in place of {} below:",
            stand_in.name, stand_in.name
        ),
        script,
    );
    let columns = signature(&query.name).map(|name| format!("N'{name}'")).collect::<Vec<_>>().join(", ");
    let _ = write!(
        script,
        "--     SELECT o.name FROM sys.objects AS o JOIN sys.columns AS c ON c.object_id = o.object_id\n\
         --     WHERE o.schema_id = SCHEMA_ID(N'dbo') AND o.type IN (N'U', N'V')\n\
         --         AND c.name IN ({columns})\n\
         --     GROUP BY o.name HAVING COUNT(*) >= 3;\n"
    );
}

/// What must be there for a way to be usable. Columns of functions are not looked at: `COL_LENGTH` knows none.
fn conditions(object: &ObjectUse) -> Vec<String> {
    let name = &object.name;
    let needed = object.columns.iter().filter(|column| !column.optional && !object.function);
    let columns: Vec<String> =
        needed.map(|column| format!("COL_LENGTH(N'dbo.{name}', N'{}') IS NOT NULL", column.name)).collect();
    if columns.is_empty() { vec![format!("OBJECT_ID(N'dbo.{name}') IS NOT NULL")] } else { columns }
}

fn grant(object: &ObjectUse, found_by_columns: bool, script: &mut String) {
    let name = &object.name;
    if !by_column(object, found_by_columns) {
        let _ = writeln!(script, "    GRANT SELECT ON OBJECT::dbo.[{name}] TO {ROLE};");
        return;
    }
    let needed: Vec<String> =
        object.columns.iter().filter(|c| !c.optional).map(|column| format!("[{}]", column.name)).collect();
    if !needed.is_empty() {
        let _ = writeln!(script, "    GRANT SELECT ON OBJECT::dbo.[{name}] ({}) TO {ROLE};", needed.join(", "));
    }
    for column in object.columns.iter().filter(|column| column.optional) {
        let column = &column.name;
        if !object.function {
            let _ = writeln!(script, "    IF COL_LENGTH(N'dbo.{name}', N'{column}') IS NOT NULL");
        }
        let indent = if object.function { "    " } else { "        " };
        let _ = writeln!(script, "{indent}GRANT SELECT ON OBJECT::dbo.[{name}] ([{column}]) TO {ROLE};");
    }
}

fn by_column(object: &ObjectUse, found_by_columns: bool) -> bool {
    let is_base_table = !object.function && !object.name.starts_with('v') && object.name != WHOLE;
    found_by_columns || is_base_table || OVER_SECRETS.contains(&object.name.as_str())
}

/// The columns by which the discovery finds the object of a fact.
fn signature(fact: &str) -> impl Iterator<Item = &'static str> {
    static DISCOVER: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| DISCOVERY[2].constant());
    let list = DISCOVER.split_once(&format!("N'{fact}' AS signature")).and_then(|(_, rest)| {
        let (_, rest) = rest.split_once("IN (")?;
        Some(rest.split_once(')')?.0)
    });
    list.unwrap_or_default().split("N'").skip(1).filter_map(|text| text.split('\'').next())
}

/// A comment of lines that are not too long.
fn comment(text: &str, script: &mut String) {
    let mut line = String::from("--");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > 116 {
            script.push_str(&line);
            script.push('\n');
            line = String::from("--");
        }
        line.push(' ');
        line.push_str(word);
    }
    script.push_str(&line);
    script.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_stays_inside_its_brackets_and_quotes() {
        let login = Login::parse("O'Brien]; DROP ROLE x;--").unwrap();
        let script = grant_script(&login, true);
        assert!(script.contains("ADD MEMBER [O'Brien]]; DROP ROLE x;--];\n"));
        assert!(script.contains("DATABASE_PRINCIPAL_ID(N'O''Brien]; DROP ROLE x;--') IS NULL"));
        assert!(
            grant_script(&Login::parse("CONTOSO\\reader").unwrap(), false).contains("FOR LOGIN [CONTOSO\\reader];")
        );
    }

    #[test]
    fn a_login_that_would_break_out_of_a_line_is_refused() {
        assert_eq!(Login::parse(""), Err(LoginError::Length));
        assert_eq!(Login::parse(&"x".repeat(129)), Err(LoginError::Length));
        for name in ["a\nGO\nDROP ROLE x", "a\r", "a\0", "a\u{2028}b", "a\u{202e}b", "a\u{85}"] {
            let error = Login::parse(name).unwrap_err();
            assert!(matches!(error, LoginError::Control(_)), "{name:?}");
            assert!(error.to_string().bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "{error}");
        }
        assert!(matches!(Login::parse("$(USERNAME)"), Err(LoginError::Variable(_))));
    }

    #[test]
    fn every_object_by_column_has_columns_and_every_stand_in_a_search() {
        for query in queries() {
            for way in &query.ways {
                for object in way.objects.iter().filter(|object| by_column(object, way.found_by_columns)) {
                    assert!(!object.columns.is_empty(), "{}: {}", query.name, object.name);
                }
                if way.found_by_columns {
                    assert!(signature(&query.name).count() >= 3, "{}", query.name);
                }
            }
        }
        let named: Vec<String> =
            queries().iter().flat_map(|q| &q.ways).flat_map(|w| &w.objects).map(|o| o.name.clone()).collect();
        for name in OVER_SECRETS {
            assert!(named.iter().any(|other| other == name), "{name} is read by no statement");
        }
    }

    #[test]
    fn no_line_of_the_script_is_long_and_none_but_the_first_is_an_accident() {
        let script = grant_script(&Login::parse("reader").unwrap(), true);
        assert!(script.is_ascii() && script.lines().all(|line| line.len() <= 200), "{script}");
        assert!(script.contains("GRANT SELECT ON OBJECT::dbo.[AAD_Application_Ex] ([ClientID]) TO cmcomply_reader;"));
        assert!(!script.contains("SecretKey]") && !script.contains("[SecretKeyForSCP]"));
        assert!(script.contains("[ScriptOutput]"));
        let of_audits = grant_script(&Login::parse("reader").unwrap(), false);
        assert!(!of_audits.contains("Script"), "what scripts said is nothing for an audit");
    }
}
