//! Values and rows as the readers see them: no driver, no server needed to make one.

use std::sync::Arc;

use tiberius::ColumnData;

/// A longer text is not kept: nothing that we read is that long.
pub(super) const MAX_TEXT: usize = 64 * 1024;

/// A value of the site database.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// NULL.
    Null,
    /// Any text, also GUIDs and dates in their usual form.
    Text(String),
    /// Any whole number.
    Number(i64),
    /// A bit.
    Bool(bool),
    /// A text over [`MAX_TEXT`]: its length in octets and its beginning.
    TooLong(usize, String),
    /// A type that no fact is made of.
    Other(&'static str),
}

/// Why a value is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unexpected(pub(super) String);

impl Value {
    /// The value as a text; `None` for NULL.
    pub(super) fn text(&self) -> Result<Option<String>, Unexpected> {
        match self {
            Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(text.clone())),
            Self::Number(number) => Ok(Some(number.to_string())),
            Self::Bool(bit) => Ok(Some(u8::from(*bit).to_string())),
            Self::TooLong(octets, _) => Err(Unexpected(format!("a text of {octets} octets (at most {MAX_TEXT})"))),
            Self::Other(name) => Err(Unexpected(format!("a value of type {name}, not a text"))),
        }
    }

    /// The value as a whole number; `None` for NULL.
    pub(super) fn number(&self) -> Result<Option<i64>, Unexpected> {
        match self {
            Self::Null => Ok(None),
            Self::Number(number) => Ok(Some(*number)),
            Self::Bool(bit) => Ok(Some((*bit).into())),
            Self::Text(text) => match text.trim().parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Unexpected("not a whole number".to_owned())),
            },
            Self::TooLong(..) | Self::Other(_) => Err(Unexpected("not a whole number".to_owned())),
        }
    }

    /// The value as yes (1) or no (0); `None` for NULL.
    pub(super) fn flag(&self) -> Result<Option<bool>, Unexpected> {
        let text = match self {
            Self::Text(text) => text.trim(),
            _ => "",
        };
        if text.eq_ignore_ascii_case("true") {
            return Ok(Some(true));
        }
        if text.eq_ignore_ascii_case("false") {
            return Ok(Some(false));
        }
        match self.number() {
            Ok(None) => Ok(None),
            Ok(Some(0)) => Ok(Some(false)),
            Ok(Some(1)) => Ok(Some(true)),
            _ => Err(Unexpected("neither 0 nor 1".to_owned())),
        }
    }

    /// The value's beginning, for a finding.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::TooLong(_, head) => head.clone(),
            Self::Other(name) => (*name).to_owned(),
            Self::Text(_) | Self::Number(_) | Self::Bool(_) => self.text().ok().flatten().unwrap_or_default(),
        }
    }
}

/// A row: values under lower-case column names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    /// A row of a result set whose columns are `columns`.
    pub(super) fn new(columns: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// The value of a column; a column that is not there is NULL.
    pub(super) fn get(&self, column: &str) -> &Value {
        self.cells().find(|(name, _)| *name == column).map_or(&Value::Null, |(_, value)| value)
    }

    /// Puts a value into the place of another one; a column that is not there stays so.
    pub(super) fn put(&mut self, column: &str, value: Value) {
        let place = self.columns.iter().position(|name| name == column);
        if let Some(old) = place.and_then(|place| self.values.get_mut(place)) {
            *old = value;
        }
    }

    /// Columns and values, in order.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.columns.iter().map(String::as_str).zip(&self.values)
    }
}

impl From<&ColumnData<'static>> for Value {
    fn from(data: &ColumnData<'static>) -> Self {
        match data {
            ColumnData::U8(v) => number(*v),
            ColumnData::I16(v) => number(*v),
            ColumnData::I32(v) => number(*v),
            ColumnData::I64(v) => number(*v),
            ColumnData::F32(v) => v.map_or(Self::Null, |v| Self::Text(v.to_string())),
            ColumnData::F64(v) => v.map_or(Self::Null, |v| Self::Text(v.to_string())),
            ColumnData::Bit(v) => v.map_or(Self::Null, Self::Bool),
            ColumnData::String(v) => v.as_deref().map_or(Self::Null, text),
            ColumnData::Guid(v) => v.map_or(Self::Null, |v| Self::Text(v.hyphenated().to_string())),
            ColumnData::Numeric(v) => v.map_or(Self::Null, |v| match i64::try_from(v.value()) {
                Ok(whole) if v.scale() == 0 => Self::Number(whole),
                _ => Self::Text(v.to_string()),
            }),
            ColumnData::Xml(v) => v.as_deref().map_or(Self::Null, |v| text(v.as_ref())),
            ColumnData::DateTime(v) => {
                v.map_or(Self::Null, |v| date(1900, v.days().into(), u64::from(v.seconds_fragments()) / 300))
            }
            ColumnData::SmallDateTime(v) => {
                v.map_or(Self::Null, |v| date(1900, v.days().into(), u64::from(v.seconds_fragments()) * 60))
            }
            ColumnData::Date(v) => v.map_or(Self::Null, |v| date(1, v.days().into(), 0)),
            ColumnData::DateTime2(v) => v.map_or(Self::Null, |v| {
                let per_second = 10u64.checked_pow(v.time().scale().into()).unwrap_or(u64::MAX);
                date(1, v.date().days().into(), v.time().increments() / per_second)
            }),
            ColumnData::Binary(v) => v.as_ref().map_or(Self::Null, |_| Self::Other("binary")),
            ColumnData::Time(v) => v.map_or(Self::Null, |_| Self::Other("time")),
            ColumnData::DateTimeOffset(v) => v.map_or(Self::Null, |_| Self::Other("datetimeoffset")),
        }
    }
}

fn number(value: Option<impl Into<i64>>) -> Value {
    value.map_or(Value::Null, |v| Value::Number(v.into()))
}

fn text(text: &str) -> Value {
    if text.len() > MAX_TEXT {
        Value::TooLong(text.len(), text.chars().take(80).collect())
    } else {
        Value::Text(text.to_owned())
    }
}

/// `YYYY-MM-DDTHH:MM:SS`, from days since the first of January of `year` and seconds of the day.
fn date(year: i16, days: i64, seconds: u64) -> Value {
    let moment = jiff::civil::date(year, 1, 1).at(0, 0, 0, 0);
    let span = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Span::new().try_days(days).and_then(|span| span.try_seconds(seconds)).ok());
    match span.and_then(|span| moment.checked_add(span).ok()) {
        Some(moment) => Value::Text(moment.to_string()),
        None => Value::Other("date"),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use tiberius::{Uuid, numeric::Numeric, time as tds};

    use super::*;

    #[test]
    fn every_type_of_the_wire_has_a_value() {
        let guid = Uuid::from_u128(0x1111_1111_2222_4333_8444_5555_5555_5555);
        let cases: Vec<(ColumnData<'static>, Value)> = vec![
            (ColumnData::U8(Some(255)), Value::Number(255)),
            (ColumnData::I64(Some(72_057_594_037_927_946)), Value::Number(72_057_594_037_927_946)),
            (ColumnData::I32(None), Value::Null),
            (ColumnData::Bit(Some(true)), Value::Bool(true)),
            (ColumnData::Guid(Some(guid)), Value::Text("11111111-2222-4333-8444-555555555555".to_owned())),
            (ColumnData::Numeric(Some(Numeric::new_with_scale(7, 0))), Value::Number(7)),
            (ColumnData::Numeric(Some(Numeric::new_with_scale(75, 1))), Value::Text("7.5".to_owned())),
            (ColumnData::String(Some(Cow::Borrowed("PS1"))), Value::Text("PS1".to_owned())),
            (
                ColumnData::DateTime(Some(tds::DateTime::new(45_471, 300 * 3661))),
                Value::Text("2024-06-30T01:01:01".to_owned()),
            ),
            (
                ColumnData::DateTime2(Some(tds::DateTime2::new(
                    tds::Date::new(738_701),
                    tds::Time::new(600_000_000, 7),
                ))),
                Value::Text("2023-07-01T00:01:00".to_owned()),
            ),
            (ColumnData::DateTime(Some(tds::DateTime::new(i32::MAX, 0))), Value::Other("date")),
            (ColumnData::Binary(Some(Cow::Borrowed(b"x"))), Value::Other("binary")),
        ];
        for (data, value) in cases {
            assert_eq!(Value::from(&data), value);
        }
    }

    #[test]
    fn a_text_of_a_megabyte_is_measured_and_not_kept() {
        let value = Value::from(&ColumnData::String(Some(Cow::Owned("x".repeat(1 << 20)))));
        assert!(matches!(&value, Value::TooLong(1_048_576, head) if head.len() == 80));
        assert!(value.text().is_err() && value.number().is_err() && value.flag().is_err());
    }

    #[test]
    fn values_are_read_as_what_they_mean() {
        assert_eq!(Value::Bool(true).number(), Ok(Some(1)));
        assert_eq!(Value::Text(" 8530 ".to_owned()).number(), Ok(Some(8530)));
        assert_eq!(Value::Text("true".to_owned()).flag(), Ok(Some(true)));
        assert_eq!(Value::Number(0).flag(), Ok(Some(false)));
        assert!(Value::Number(2).flag().is_err() && Value::Text("8530x".to_owned()).number().is_err());
        assert_eq!(Value::Null.flag(), Ok(None));
    }
}
