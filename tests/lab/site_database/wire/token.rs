//! The tokens of an answer.

use super::super::sql::SqlError;
use super::to_utf16;
use super::value::{COLLATION, SqlType, Value};

/// A column of a result set; an empty name is a column without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub sql_type: SqlType,
}

/// DONE, of a statement, a procedure, or a statement inside one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoneKind {
    Statement = 0xfd,
    Procedure = 0xfe,
    InProcedure = 0xff,
}

/// Bits of DONE.
pub mod done {
    pub const MORE: u16 = 1;
    pub const ERROR: u16 = 2;
    pub const COUNT: u16 = 0x10;
    pub const ATTENTION: u16 = 0x20;
}

const SERVER: &str = "CM-CAS-SQL";

/// Bytes of an answer in the making.
#[derive(Default)]
pub struct Tokens(pub Vec<u8>);

impl Tokens {
    /// COLMETADATA.
    pub fn columns(&mut self, columns: &[Column]) {
        self.0.push(0x81);
        self.u16(columns.len());
        for column in columns {
            self.0.extend([0, 0, 0, 0]); // user type
            self.0.extend([1, 0]); // nullable
            column.sql_type.write_info(&mut self.0);
            self.short_text(&column.name);
        }
    }

    /// ROW.
    pub fn row(&mut self, columns: &[Column], row: &[Value]) -> Result<(), SqlError> {
        let start = self.0.len();
        self.0.push(0xd1);
        for (column, value) in columns.iter().zip(row) {
            if let Err(why) = column.sql_type.write_value(value, &mut self.0) {
                self.0.truncate(start);
                return Err(SqlError::conversion(&why));
            }
        }
        Ok(())
    }

    /// DONE, DONEPROC or DONEINPROC.
    pub fn done(&mut self, kind: DoneKind, status: u16, rows: Option<u64>) {
        self.0.push(kind as u8);
        let count = if rows.is_some() { done::COUNT } else { 0 };
        self.0.extend((status | count).to_le_bytes());
        self.0.extend(if rows.is_some() { 0xc1_u16 } else { 0 }.to_le_bytes()); // 0xc1 is SELECT
        self.0.extend(rows.unwrap_or(0).to_le_bytes());
    }

    /// RETURNSTATUS of a procedure.
    pub fn return_status(&mut self, status: i32) {
        self.0.push(0x79);
        self.0.extend(status.to_le_bytes());
    }

    /// ERROR.
    pub fn error(&mut self, error: &SqlError) {
        self.message(0xaa, error.number, error.class, &error.message);
    }

    /// INFO.
    pub fn info(&mut self, number: i32, class: u8, text: &str) {
        self.message(0xab, number, class, text);
    }

    /// LOGINACK.
    pub fn login_ack(&mut self, tds_version: u32) {
        let mut body = vec![1];
        body.extend(tds_version.to_be_bytes());
        let name = to_utf16("Microsoft SQL Server");
        body.push(u8::try_from(name.len() / 2).expect("short name"));
        body.extend(name);
        body.extend([16, 0, 0x03, 0xe8]);
        self.0.push(0xad);
        self.u16(body.len());
        self.0.extend(body);
    }

    /// FEATUREEXTACK: the access token was taken.
    pub fn federated(&mut self) {
        self.0.extend([0xae, 2, 0, 0, 0, 0, 0xff]);
    }

    /// ENVCHANGE of a text: 1 database, 2 language, 4 packet size.
    pub fn environment(&mut self, what: u8, new: &str, old: &str) {
        let mut body = Tokens(vec![what]);
        body.short_text(new);
        body.short_text(old);
        self.environment_bytes(&body.0);
    }

    /// ENVCHANGE of the collation.
    pub fn collation(&mut self) {
        let mut body = vec![7, 5];
        body.extend(COLLATION);
        body.push(0);
        self.environment_bytes(&body);
    }

    /// ENVCHANGE for the begin (8) or the end (9, 10) of a transaction.
    pub fn transaction(&mut self, what: u8) {
        let (begun, id) = (what == 8, [1_u8, 0, 0, 0, 0, 0, 0, 1]);
        let mut body = vec![what, if begun { 8 } else { 0 }];
        body.extend(&id[..if begun { 8 } else { 0 }]);
        body.push(if begun { 0 } else { 8 });
        body.extend(&id[..if begun { 0 } else { 8 }]);
        self.environment_bytes(&body);
    }

    fn environment_bytes(&mut self, body: &[u8]) {
        self.0.push(0xe3);
        self.u16(body.len());
        self.0.extend(body);
    }

    fn message(&mut self, token: u8, number: i32, class: u8, text: &str) {
        let text: String = text.chars().take(2000).collect();
        let mut body = Tokens(number.to_le_bytes().to_vec());
        body.0.extend([1, class]);
        body.u16(text.encode_utf16().count());
        body.0.extend(to_utf16(&text));
        body.short_text(SERVER);
        body.short_text("");
        body.0.extend(1_u32.to_le_bytes());
        self.0.push(token);
        self.u16(body.0.len());
        self.0.extend(body.0);
    }

    fn short_text(&mut self, text: &str) {
        let units: Vec<u16> = text.encode_utf16().take(255).collect();
        self.0.push(u8::try_from(units.len()).expect("at most 255"));
        self.0.extend(units.into_iter().flat_map(u16::to_le_bytes));
    }

    fn u16(&mut self, n: usize) {
        self.0.extend(u16::try_from(n).expect("fits in 16 bits").to_le_bytes());
    }
}
