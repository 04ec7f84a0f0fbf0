//! One row at a time: each cell as what it should be, or a finding.

use std::collections::HashSet;

use jiff::civil::DateTime;

use super::super::facts::DataFinding;
use super::super::names::SiteCode;
use super::super::value::{Row, Unexpected, Value};
use crate::host::HostName;
use crate::text::{self, without_secrets};

/// More findings than this are counted, not kept.
const MAX_FINDINGS: usize = 1000;
/// A name for people is cut here.
const MAX_NAME: usize = 255;

/// What was wrong with the data.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<DataFinding>,
    /// Object, column, problem and value of what is in the list: one bad name stands in many rows.
    seen: HashSet<[String; 4]>,
    dropped: usize,
}

impl Findings {
    /// Adds a finding; `row` and `value` may be hostile, and what may be a secret in `value` is cut out. The same bad value in the same column is listed once, with
    /// the first row that has it; a missing one for each row.
    pub(super) fn add(&mut self, object: &str, column: &str, row: &str, problem: &str, value: &str) {
        let (problem, value) = (text::ascii(problem, 200), text::ascii(&without_secrets(value), 80));
        let key = [object, column, &problem, &value].map(str::to_owned);
        if value != "NULL" && !value.trim().is_empty() && self.seen.contains(&key) {
            return;
        }
        if self.list.len() >= MAX_FINDINGS {
            self.dropped += 1;
            return;
        }
        self.seen.insert(key);
        let (object, column) = (object.to_owned(), column.to_owned());
        self.list.push(DataFinding { object, column, row: text::ascii(row, 200), problem, value });
    }

    /// All findings, with a last one for those that were too many.
    pub(super) fn into_list(mut self) -> Vec<DataFinding> {
        if self.dropped > 0 {
            self.list.push(DataFinding {
                object: String::new(),
                column: String::new(),
                row: String::new(),
                problem: format!("{} more findings are not listed", self.dropped),
                value: String::new(),
            });
        }
        self.list
    }
}

/// A row of an object, with the place to report to.
pub(super) struct Cells<'a> {
    pub(super) object: &'a str,
    pub(super) row: &'a Row,
    pub(super) findings: &'a mut Findings,
}

impl Cells<'_> {
    /// Reports a cell.
    pub(super) fn report(&mut self, column: &str, problem: &str) {
        let key = row_key(self.row);
        self.findings.add(self.object, column, &key, problem, &self.row.get(column).shown());
    }

    /// Reports a cell whose value may hold a secret, without it.
    pub(super) fn report_unseen(&mut self, column: &str, problem: &str) {
        let key = row_key(self.row);
        self.findings.add(self.object, column, &key, problem, "");
    }

    /// A text as it stands; `None` for NULL, an empty text, and what is no text.
    pub(super) fn raw_text(&mut self, column: &str) -> Option<String> {
        match self.row.get(column).text() {
            Ok(found) => found.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()),
            // The path of a URL may hold a secret too.
            Err(Unexpected(problem)) if column.ends_with("_url") => {
                self.report_unseen(column, &problem);
                None
            }
            Err(Unexpected(problem)) => {
                self.report(column, &problem);
                None
            }
        }
    }

    /// A text for people, made harmless.
    pub(super) fn name(&mut self, column: &str) -> Option<String> {
        self.raw_text(column).map(|text| text::printable(&text, MAX_NAME))
    }

    /// A host name; `None` for NULL and an empty text.
    pub(super) fn host(&mut self, column: &str) -> Option<HostName> {
        let text = self.raw_text(column)?;
        match HostName::parse(&text) {
            Ok(host) => Some(host),
            Err(error) => {
                self.report(column, &format!("not a host name: {error}"));
                None
            }
        }
    }

    /// The site code, without which a row has no place.
    pub(super) fn site(&mut self, column: &str) -> Option<SiteCode> {
        match self.optional_site(column) {
            Ok(Some(site)) => Some(site),
            Ok(None) => {
                self.report(column, "no site code where one is needed");
                None
            }
            Err(()) => None,
        }
    }

    /// A site code that may be missing; the error has been reported.
    pub(super) fn optional_site(&mut self, column: &str) -> Result<Option<SiteCode>, ()> {
        if matches!(self.row.get(column), Value::TooLong(..) | Value::Other(_)) {
            self.report(column, "not a site code");
            return Err(());
        }
        let Some(text) = self.raw_text(column) else { return Ok(None) };
        SiteCode::parse(&text).map(Some).map_err(|error| self.report(column, &error.to_string()))
    }

    /// The server of a row: `server_name`, or else the host in `nal_path`. A row without one has a finding, always: what
    /// it says of a server would be lost without a word.
    pub(super) fn server(&mut self) -> Option<HostName> {
        if let Some(host) = self.host("server_name") {
            return Some(host);
        }
        let Some(path) = self.raw_text("nal_path") else {
            self.needed("server_name", "no server name where one is needed");
            return None;
        };
        let host = host_of_nal_path(&path).and_then(|host| HostName::parse(host).ok());
        if host.is_none() {
            self.report("nal_path", "no host name in this path");
        }
        host
    }

    /// A whole number.
    pub(super) fn number(&mut self, column: &str) -> Option<i64> {
        self.row.get(column).number().unwrap_or_else(|Unexpected(problem)| {
            self.report(column, &problem);
            None
        })
    }

    /// A whole number that fits `T`.
    pub(super) fn count<T: TryFrom<i64>>(&mut self, column: &str) -> Option<T> {
        let number = self.number(column)?;
        T::try_from(number).map_err(|_| self.report(column, "out of range")).ok()
    }

    /// A date with a time; `None` for NULL.
    pub(super) fn date(&mut self, column: &str) -> Option<DateTime> {
        let text = self.raw_text(column)?;
        text.parse().map_err(|_| self.report(column, "not a date")).ok()
    }

    /// A GUID in lower case, without braces; `None` for NULL and an empty text.
    pub(super) fn guid(&mut self, column: &str) -> Option<String> {
        let text = self.raw_text(column)?;
        let guid = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(&text);
        if !is_guid(guid) {
            self.report(column, "not a GUID");
            return None;
        }
        Some(guid.to_ascii_lowercase())
    }

    /// Reports that a cell is empty which a row needs; one that has been reported already is not empty.
    pub(super) fn needed(&mut self, column: &str, problem: &str) {
        let empty = match self.row.get(column) {
            Value::Null => true,
            Value::Text(text) => text.trim().is_empty(),
            _ => false,
        };
        if empty {
            self.report(column, problem);
        }
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, column: &str) -> Option<bool> {
        self.row.get(column).flag().unwrap_or_else(|Unexpected(problem)| {
            self.report(column, &problem);
            None
        })
    }
}

/// The first three cells that are not NULL, which tell the row from others in every statement of ours. URLs are left
/// out: they tell little, and may hold a key.
fn row_key(row: &Row) -> String {
    let tells = |name: &str| !name.starts_with("fact_") && !name.ends_with("_url");
    let cells = row.cells().filter(|(name, value)| tells(name) && **value != Value::Null).take(3);
    cells
        .map(|(name, value)| format!("{name}={}", text::ascii(&without_secrets(&value.shown()), 60)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Eight, four, four, four and twelve hexadecimal digits.
pub(super) fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.len() == 5
        && groups
            .iter()
            .zip([8, 4, 4, 4, 12])
            .all(|(group, length)| group.len() == length && group.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The host of `["Display=\\SRV\"]MSWNET:["SMS_SITE=PS1"]\\SRV\`: what follows the second bracket.
pub(super) fn host_of_nal_path(path: &str) -> Option<&str> {
    let (_, rest) = path.rsplit_once("\"]\\\\")?;
    rest.split('\\').next().filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::super::value::MAX_TEXT;
    use super::super::test_rows::{value, with_findings};
    use super::*;

    fn row(columns: &[&str], values: Vec<Value>) -> Row {
        Row::new(columns.iter().map(|c| (*c).to_owned()).collect(), values)
    }

    #[test]
    fn the_host_of_a_nal_path_follows_the_second_bracket() {
        let path = r#"["Display=\\CM01.CONTOSO.COM\"]MSWNET:["SMS_SITE=PS1"]\\CM02.CONTOSO.COM\"#;
        assert_eq!(host_of_nal_path(path), Some("CM02.CONTOSO.COM"));
        assert_eq!(host_of_nal_path(&format!("{path}SMSPKG$\\")), Some("CM02.CONTOSO.COM"));
        for path in ["", "CM01", r#"["Display=\\CM01\"]MSWNET:["SMS_SITE=PS1"]"#, r#"["Display=\\CM01\"]\\"#] {
            assert_eq!(host_of_nal_path(path), None, "{path}");
        }
    }

    #[test]
    fn a_missing_server_name_is_taken_from_the_path() {
        let path = r#"["Display=\\CM01\"]MSWNET:["SMS_SITE=PS1"]\\CM01\"#;
        let columns = ["server_name", "nal_path"];
        let server = |name: &str, path: &str| {
            let row = row(&columns, vec![value(name), value(path)]);
            with_findings(|findings| Cells { object: "dbo.v", row: &row, findings }.server())
        };
        assert_eq!(server("NULL", path), (Some(HostName::parse("cm01").unwrap()), Vec::new()));
        assert_eq!(server("cm02", "NULL").0, Some(HostName::parse("cm02").unwrap()));
        let (host, findings) = server("a b", path);
        assert_eq!(host.unwrap().as_str(), "cm01");
        assert_eq!(findings[0].column, "server_name");
        let (host, findings) = server("NULL", "nonsense");
        assert_eq!((host, findings[0].column.as_str()), (None, "nal_path"));
        let (host, findings) = server("NULL", "NULL");
        assert_eq!((host, findings[0].column.as_str()), (None, "server_name"));
        for (name, path) in [("", "NULL"), ("  ", ""), ("", "\t"), ("NULL", " "), (" ", "nonsense"), ("a b", "NULL")] {
            let (host, findings) = server(name, path);
            assert_eq!((host, findings.len()), (None, 1), "{name:?} {path:?}: {findings:?}");
        }
    }

    #[test]
    fn a_finding_says_where_and_is_harmless() {
        let row = row(
            &["fact_x", "site_code", "other", "server_name"],
            vec![Value::Number(1), value("PS1"), Value::Null, value("<b>\u{1b}[2J</b>")],
        );
        let (_, findings) =
            with_findings(|findings| Cells { object: "dbo.v", row: &row, findings }.host("server_name"));
        assert_eq!(findings[0].object, "dbo.v");
        assert_eq!(findings[0].row, "site_code=PS1, server_name=<b>\\u{1b}[2J</b>");
        assert_eq!(findings[0].value, "<b>\\u{1b}[2J</b>");
        assert!(findings[0].problem.contains("U+003C"));
    }

    #[test]
    fn a_finding_holds_no_account_and_no_query() {
        for (text, shown) in [
            ("svc-proxy:Hunter2Secret@proxy.contoso.com:8080", "***@proxy.contoso.com:8080"),
            ("https://svc:Hunter2Secret@10.0.0.1/x", "https://***@10.0.0.1/x"),
            ("https://10.0.0.1/x?sv=1&sig=Hunter2Secret", "https://10.0.0.1/x?***"),
            ("https://10.0.0.1/x#token=Hunter2Secret", "https://10.0.0.1/x#***"),
            ("https://svc:Hunter2Secret@h/x?sig=Hunter2Secret", "https://***@h/x?***"),
            ("https://svc:Hunter2?Secret@h/x", "https://***"),
            ("https://h/x?mail=a@b&sig=Hunter2Secret", "https://***"),
            ("svc:Hunter2://Secret@h", "***@h"),
            ("two words", "two words"),
        ] {
            assert_eq!(without_secrets(text), shown);
            let row = row(&["fact_x", "name", "server_name"], vec![Value::Number(1), value(text), value("a b")]);
            let (_, findings) = with_findings(|findings| {
                let mut cells = Cells { object: "dbo.v", row: &row, findings };
                (cells.host("name"), cells.host("server_name"))
            });
            assert_eq!(findings[0].value, shown);
            assert_eq!(findings[1].row, format!("name={shown}, server_name=a b"));
        }
        let long = format!("https://{}:Hunter2Secret@h", "x".repeat(100));
        let ((), findings) = with_findings(|findings| findings.add("o", "c", "r", "p", &long));
        assert_eq!(findings[0].value, "https://***@h");
    }

    #[test]
    fn a_text_of_a_megabyte_is_a_finding_in_any_column() {
        let row = row(&["a"], vec![Value::TooLong(1 << 20, "x".repeat(80))]);
        let (used, findings) = with_findings(|findings| {
            let mut cells = Cells { object: "dbo.v", row: &row, findings };
            (cells.name("a"), cells.host("a"), cells.site("a"), cells.number("a"), cells.flag("a"))
        });
        assert_eq!(used, (None, None, None, None, None));
        assert_eq!(findings.len(), 4, "name and host find the same: {findings:?}");
        assert!(findings[0].problem.contains(&MAX_TEXT.to_string()));
    }

    #[test]
    fn findings_are_bounded_and_not_repeated() {
        let ((), list) = with_findings(|findings| {
            for row in 0..5000 {
                findings.add("o", "c", &row.to_string(), "p", &(row / 2).to_string());
            }
        });
        assert_eq!(list.len(), MAX_FINDINGS + 1);
        assert_eq!((list[1].row.as_str(), list[1].value.as_str()), ("2", "1"));
        assert!(list[MAX_FINDINGS].problem.contains("more findings"));
        let ((), list) = with_findings(|findings| (0..3).for_each(|_| findings.add("o", "c", "r", "p", "NULL")));
        assert_eq!(list.len(), 3);
    }
}
