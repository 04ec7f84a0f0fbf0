//! Quarters of the calendar, in UTC.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::text;

/// A quarter of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quarter {
    year: i16,
    /// 1 to 4.
    number: i8,
}

/// A text that names no quarter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no quarter: a year and Q1, Q2, Q3 or Q4, such as 2026Q4")]
pub struct NoQuarter(String);

impl Quarter {
    /// The one that holds this moment.
    pub fn of(moment: Timestamp) -> Self {
        let day = moment.to_zoned(TimeZone::UTC).date();
        Self { year: day.year(), number: (day.month() - 1) / 3 + 1 }
    }

    /// The one before.
    #[must_use]
    pub fn before(self) -> Self {
        if self.number > 1 { Self { number: self.number - 1, ..self } } else { Self { year: self.year - 1, number: 4 } }
    }

    /// Its last day.
    pub fn last_day(self) -> Date {
        Date::constant(self.year, self.number * 3, 1).last_of_month()
    }

    /// Its first day.
    pub fn first_day(self) -> Date {
        Date::constant(self.year, self.number * 3 - 2, 1)
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Q{}", self.year, self.number)
    }
}

impl FromStr for Quarter {
    type Err = NoQuarter;

    fn from_str(s: &str) -> Result<Self, NoQuarter> {
        let parse = || {
            let (year, number) = s.split_once(['Q', 'q'])?;
            let digits = year.len() == 4 && year.bytes().chain(number.bytes()).all(|byte| byte.is_ascii_digit());
            let (year, number) = (year.parse().ok()?, number.parse().ok()?);
            (digits && (2000..=2999).contains(&year) && (1..=4).contains(&number) && s.len() == 6)
                .then_some(Self { year, number })
        };
        parse().ok_or_else(|| NoQuarter(text::ascii(s, 40)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_are_read_and_counted_back() {
        let quarter: Quarter = "2026Q1".parse().unwrap();
        assert_eq!((quarter.to_string().as_str(), quarter.before().to_string().as_str()), ("2026Q1", "2025Q4"));
        assert_eq!(
            (quarter.first_day().to_string(), quarter.last_day().to_string()),
            ("2026-01-01".into(), "2026-03-31".into())
        );
        assert_eq!(Quarter::of("2026-12-31T23:59:59Z".parse().unwrap()).to_string(), "2026Q4");
        assert_eq!(Quarter::of("2027-01-01T00:00:00Z".parse().unwrap()).to_string(), "2027Q1");
        for wrong in
            ["", "2026", "2026Q5", "2026Q0", "2026Q", "Q1", "26Q1", "2026-Q1", "2026Q01", "+026Q1", "1999Q4", "2026Q1 "]
        {
            assert!(wrong.parse::<Quarter>().is_err(), "{wrong}");
        }
    }
}
