//! The errors of SQL Server that the lab can give, with its numbers and texts.

/// An error as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    pub number: i32,
    pub class: u8,
    pub message: String,
}

/// Stands around the number that an SQLite function of ours puts into its error text.
const MARK: char = '\u{1}';

impl SqlError {
    pub fn new(number: i32, class: u8, message: impl Into<String>) -> Self {
        Self { number, class, message: message.into() }
    }

    /// 102, from the message of the parser ("Expected: x, found: y at Line: 1, Column: 2").
    pub fn syntax(parser_message: &str) -> Self {
        let near = parser_message.rsplit_once("found: ").map_or(parser_message, |(_, found)| found);
        let near = near.split(" at Line").next().unwrap_or(near);
        Self::new(102, 15, format!("Incorrect syntax near '{near}'."))
    }

    pub fn invalid_object(name: &str) -> Self {
        Self::new(208, 16, format!("Invalid object name '{name}'."))
    }

    pub fn invalid_column(name: &str) -> Self {
        Self::new(207, 16, format!("Invalid column name '{name}'."))
    }

    pub fn denied(permission: &str, object: &str, database: &str, schema: &str) -> Self {
        let text = format!(
            "The {permission} permission was denied on the object '{object}', database '{database}', schema '{schema}'."
        );
        Self::new(229, 14, text)
    }

    pub fn column_denied(column: &str, object: &str, database: &str, schema: &str) -> Self {
        let text = format!(
            "The SELECT permission was denied on the column '{column}' of the object '{object}', database '{database}', \
             schema '{schema}'."
        );
        Self::new(230, 14, text)
    }

    pub fn unknown_function(name: &str) -> Self {
        Self::new(195, 15, format!("'{name}' is not a recognized built-in function name."))
    }

    pub fn conversion(why: &str) -> Self {
        Self::new(245, 16, format!("Conversion failed: {why}."))
    }

    pub fn deadlock() -> Self {
        Self::new(
            1205,
            13,
            "Transaction (Process ID 52) was deadlocked on lock resources with another process and has been chosen as \
             the deadlock victim. Rerun the transaction.",
        )
    }

    pub fn lock_timeout() -> Self {
        Self::new(1222, 16, "Lock request time out period exceeded.")
    }

    /// Something that SQL Server may do and this lab does not: a fault of the lab, said loudly.
    pub fn not_in_lab(what: impl std::fmt::Display) -> Self {
        Self::new(50_000, 16, format!("the lab's site database cannot do this: {what}"))
    }

    /// The text with which a function of ours fails inside SQLite; [`SqlError::from_sqlite`] reads it back.
    pub fn in_sqlite(&self) -> rusqlite::Error {
        rusqlite::Error::UserFunctionError(
            format!("{MARK}{}{MARK}{}{MARK}{}", self.number, self.class, self.message).into(),
        )
    }

    /// What SQL Server would say where SQLite says `error`.
    pub fn from_sqlite(error: &rusqlite::Error, aliases: &[String]) -> Self {
        let text = error.to_string();
        if let Some(own) = text.split_once(MARK).and_then(|(_, own)| {
            let mut parts = own.splitn(3, MARK);
            Some(Self::new(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?))
        }) {
            return own;
        }
        let after = |prefix: &str| {
            let (_, rest) = text.split_once(prefix)?;
            let name = rest.split(" in ").next().unwrap_or(rest);
            // `"x" - should this be a string literal ...`
            let name = name.split(" - should this").next().unwrap_or(name);
            Some(name.replace('"', ""))
        };
        if let Some(column) = after("no such column: ") {
            return match column.rsplit_once('.') {
                Some((table, _)) if !aliases.iter().any(|a| a.eq_ignore_ascii_case(table)) => {
                    Self::new(4104, 16, format!("The multi-part identifier \"{column}\" could not be bound."))
                }
                Some((_, name)) => Self::invalid_column(name),
                None => Self::invalid_column(&column),
            };
        }
        if let Some(table) = after("no such table: ") {
            return Self::invalid_object(table.trim_start_matches("main."));
        }
        if let Some(column) = after("ambiguous column name: ") {
            return Self::new(209, 16, format!("Ambiguous column name '{column}'."));
        }
        if text.contains("do not have the same number of result columns") {
            let why = "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of \
                       expressions in their target lists.";
            return Self::new(205, 16, why);
        }
        Self::not_in_lab(text)
    }
}
