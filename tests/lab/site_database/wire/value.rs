//! Column types and values: how SQL Server declares them, and how they look on the wire.

use super::to_utf16;

/// A column type, of the few that the site database uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlType {
    Bit,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    DateTime,
    Guid,
    /// `nvarchar(n)`; `None` is `max`.
    NVarChar(Option<u16>),
    VarChar(Option<u16>),
    Char(u16),
    VarBinary,
}

/// A value as the engine gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// `SQL_Latin1_General_CP1_CI_AS`.
pub const COLLATION: [u8; 5] = [0x09, 0x04, 0xd0, 0x00, 0x34];

impl SqlType {
    /// The type that a T-SQL declaration names, e.g. `nvarchar(255)`; `None` for a type outside this lab.
    pub fn parse(declaration: &str) -> Option<Self> {
        let text = declaration.trim_matches('"').to_ascii_lowercase();
        let (name, length) = match text.split_once('(') {
            Some((name, rest)) => (name.trim(), Some(rest.trim_end_matches(')').trim())),
            None => (text.trim(), None),
        };
        let characters = match length {
            Some("max") => None,
            Some(n) => Some(n.parse().ok()?),
            // T-SQL: 30 in a CAST, 1 in a declaration; the wider does no harm here.
            None => Some(30),
        };
        Some(match name {
            "bit" => Self::Bit,
            "tinyint" => Self::TinyInt,
            "smallint" => Self::SmallInt,
            "int" | "integer" => Self::Int,
            "bigint" => Self::BigInt,
            "float" | "real" | "decimal" | "numeric" | "money" => Self::Float,
            "datetime" | "datetime2" | "smalldatetime" | "date" => Self::DateTime,
            "uniqueidentifier" => Self::Guid,
            "sysname" => Self::NVarChar(Some(128)),
            "nvarchar_max" => Self::NVarChar(None),
            "varchar_max" => Self::VarChar(None),
            "nvarchar" | "nchar" => Self::NVarChar(characters),
            "varchar" => Self::VarChar(characters),
            "char" => Self::Char(characters?),
            "varbinary" | "binary" => Self::VarBinary,
            _ => return None,
        })
    }

    /// The declaration, in a form that SQLite's grammar takes as well.
    pub fn declaration(self) -> String {
        match self {
            Self::Bit => "bit".into(),
            Self::TinyInt => "tinyint".into(),
            Self::SmallInt => "smallint".into(),
            Self::Int => "int".into(),
            Self::BigInt => "bigint".into(),
            Self::Float => "float".into(),
            Self::DateTime => "datetime".into(),
            Self::Guid => "uniqueidentifier".into(),
            Self::NVarChar(Some(n)) => format!("nvarchar({n})"),
            Self::NVarChar(None) => "nvarchar_max".into(),
            Self::VarChar(Some(n)) => format!("varchar({n})"),
            Self::VarChar(None) => "varchar_max".into(),
            Self::Char(n) => format!("char({n})"),
            Self::VarBinary => "varbinary".into(),
        }
    }

    /// Whether values are kept as text.
    pub fn is_text(self) -> bool {
        matches!(self, Self::NVarChar(_) | Self::VarChar(_) | Self::Char(_) | Self::Guid)
    }

    /// How many characters fit, if that is limited.
    pub fn limit(self) -> Option<u16> {
        match self {
            Self::NVarChar(n) | Self::VarChar(n) => n,
            Self::Char(n) => Some(n),
            _ => None,
        }
    }

    /// `system_type_id` of `sys.types`.
    pub fn system_id(self) -> u8 {
        match self {
            Self::Bit => 104,
            Self::TinyInt => 48,
            Self::SmallInt => 52,
            Self::Int => 56,
            Self::BigInt => 127,
            Self::Float => 62,
            Self::DateTime => 61,
            Self::Guid => 36,
            Self::NVarChar(_) => 231,
            Self::VarChar(_) => 167,
            Self::Char(_) => 175,
            Self::VarBinary => 165,
        }
    }

    /// `max_length` of `sys.columns`: bytes, -1 for `max`.
    pub fn max_length(self) -> i64 {
        match self {
            Self::Bit | Self::TinyInt => 1,
            Self::SmallInt => 2,
            Self::Int => 4,
            Self::BigInt | Self::Float | Self::DateTime => 8,
            Self::Guid => 16,
            Self::NVarChar(n) => n.map_or(-1, |n| i64::from(n) * 2),
            Self::VarChar(n) => n.map_or(-1, i64::from),
            Self::Char(n) => i64::from(n),
            Self::VarBinary => -1,
        }
    }

    /// Writes the `TYPE_INFO` of a nullable column.
    pub fn write_info(self, out: &mut Vec<u8>) {
        let mut text = |code: u8, bytes: u16| {
            out.push(code);
            out.extend(bytes.to_le_bytes());
            out.extend(COLLATION);
        };
        match self {
            Self::NVarChar(n) => text(0xe7, n.map_or(0xffff, |n| n * 2)),
            Self::VarChar(n) => text(0xa7, n.unwrap_or(0xffff)),
            Self::Char(n) => text(0xaf, n),
            Self::Bit => out.extend([0x68, 1]),
            Self::TinyInt => out.extend([0x26, 1]),
            Self::SmallInt => out.extend([0x26, 2]),
            Self::Int => out.extend([0x26, 4]),
            Self::BigInt => out.extend([0x26, 8]),
            Self::Float => out.extend([0x6d, 8]),
            Self::DateTime => out.extend([0x6f, 8]),
            Self::Guid => out.extend([0x24, 16]),
            Self::VarBinary => out.extend([0xa5, 0xff, 0xff]),
        }
    }

    /// Writes a value of this type; `Err` says why the value is none.
    pub fn write_value(self, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        if *value == Value::Null {
            match self {
                Self::NVarChar(None) | Self::VarChar(None) | Self::VarBinary => out.extend([0xff; 8]),
                Self::NVarChar(_) | Self::VarChar(_) | Self::Char(_) => out.extend([0xff; 2]),
                _ => out.push(0),
            }
            return Ok(());
        }
        let misfit = || format!("{value:?} is no {}", self.declaration());
        match (self, value) {
            (Self::NVarChar(limit), Value::Text(text)) => write_bytes(out, &to_utf16(text), limit.is_none(), misfit)?,
            (Self::VarChar(limit), Value::Text(text)) => write_bytes(out, &latin1(text), limit.is_none(), misfit)?,
            (Self::Char(n), Value::Text(text)) => {
                let padded = format!("{text:width$}", width = usize::from(n));
                write_bytes(out, &latin1(&padded), false, misfit)?;
            }
            (Self::VarBinary, Value::Blob(bytes)) => write_bytes(out, bytes, true, misfit)?,
            (Self::Bit, Value::Integer(n)) => out.extend([1, u8::from(*n != 0)]),
            (Self::TinyInt, Value::Integer(n)) => out.extend([1, u8::try_from(*n).map_err(|_| misfit())?]),
            (Self::SmallInt, Value::Integer(n)) => {
                out.push(2);
                out.extend(i16::try_from(*n).map_err(|_| misfit())?.to_le_bytes());
            }
            (Self::Int, Value::Integer(n)) => {
                out.push(4);
                out.extend(i32::try_from(*n).map_err(|_| misfit())?.to_le_bytes());
            }
            (Self::BigInt, Value::Integer(n)) => {
                out.push(8);
                out.extend(n.to_le_bytes());
            }
            (Self::Float, Value::Real(n)) => {
                out.push(8);
                out.extend(n.to_le_bytes());
            }
            #[expect(clippy::cast_precision_loss, reason = "as SQL Server does")]
            (Self::Float, Value::Integer(n)) => {
                out.push(8);
                out.extend((*n as f64).to_le_bytes());
            }
            (Self::DateTime, Value::Text(text)) => {
                let (days, ticks) = datetime(text).ok_or_else(misfit)?;
                out.push(8);
                out.extend(days.to_le_bytes());
                out.extend(ticks.to_le_bytes());
            }
            (Self::Guid, Value::Text(text)) => {
                out.push(16);
                out.extend(guid(text).ok_or_else(misfit)?);
            }
            _ => return Err(misfit()),
        }
        Ok(())
    }
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8], chunked: bool, misfit: impl Fn() -> String) -> Result<(), String> {
    if chunked {
        out.extend((bytes.len() as u64).to_le_bytes());
        // Chunks of an odd size on purpose: a reader must join them before it decodes.
        for chunk in bytes.chunks(1021) {
            out.extend(u32::try_from(chunk.len()).map_err(|_| misfit())?.to_le_bytes());
            out.extend(chunk);
        }
        out.extend(0_u32.to_le_bytes());
    } else {
        out.extend(u16::try_from(bytes.len()).map_err(|_| misfit())?.to_le_bytes());
        out.extend(bytes);
    }
    Ok(())
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
}

/// Days since 1900-01-01, and 1/300 seconds of the day.
fn datetime(text: &str) -> Option<(i32, u32)> {
    let at: jiff::civil::DateTime = text.trim().replace(' ', "T").parse().ok().or_else(|| {
        let day: jiff::civil::Date = text.trim().parse().ok()?;
        Some(day.into())
    })?;
    let days = (at.date() - jiff::civil::date(1900, 1, 1)).get_days();
    let millis = u32::try_from(at.duration_since(at.date().into()).as_millis()).ok()?;
    Some((days, (millis * 3 + 5) / 10))
}

/// The 16 bytes in SQL Server's order: the first three groups are little-endian.
fn guid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.trim().trim_matches(['{', '}']).chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 {
        return None;
    }
    let n = u128::from_str_radix(&digits, 16).ok()?;
    let mut bytes = n.to_be_bytes();
    bytes[0..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    Some(bytes)
}
