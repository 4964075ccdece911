//! A register's value: JSON that has passed the parser of its field, and the small types all fields share.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::actor::Millis;
use crate::id::RowId;
use crate::phi::Phi;

/// The value of one register, in the canonical JSON of its field's type.
///
/// It comes from [`Value::parse`] (through `FieldName::parse`) or from our own log. Kept as JSON so that the fold is
/// the same few lines for every field, and a value written ten years ago still reads.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct Value(#[cfg_attr(feature = "typescript", ts(type = "unknown"))] Phi<serde_json::Value>);

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Value {
    /// Parses JSON as `T`, checks it and keeps its canonical form: strings in NFC, defaults left out.
    ///
    /// # Errors
    /// The JSON is not a `T`, or breaks one of its rules.
    pub fn parse<T: DeserializeOwned + Serialize + Check>(
        json: &serde_json::Value,
    ) -> Result<Self, ValueError> {
        let parsed = T::deserialize(&nfc(json)).map_err(|_wrong| ValueError::Shape)?;
        parsed.check()?;
        Self::of(&parsed)
    }

    /// The canonical form of a typed value.
    ///
    /// # Errors
    /// The value breaks one of its rules.
    pub fn of<T: Serialize + Check>(value: &T) -> Result<Self, ValueError> {
        value.check()?;
        serde_json::to_value(value)
            .map(|json| Self(Phi::new(json)))
            .map_err(|_wrong| ValueError::Shape)
    }

    /// The canonical form of a value that needs no check: ours, or from our own log.
    pub(crate) fn trusted<T: Serialize>(value: &T) -> Self {
        Self(Phi::new(serde_json::to_value(value).unwrap_or(serde_json::Value::Null)))
    }

    /// Reads the value as its type; `None` if it was written by another version that meant something else.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(self.0.expose()).ok()
    }

    /// Length as JSON, in bytes.
    pub fn encoded_len(&self) -> usize {
        self.0.expose().to_string().len()
    }
}

/// A rule beyond the shape.
pub trait Check {
    /// Whether the value may stand.
    ///
    /// # Errors
    /// The first rule it breaks.
    fn check(&self) -> Result<(), ValueError> {
        Ok(())
    }
}

impl Check for bool {}

impl Check for RowId {}

/// Why a value was refused. Names the place, never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not the type this field has.
    #[error("not the shape this field has")]
    Shape,
    /// Text that must say something, or says too much for one line.
    #[error("{path}: {length} characters where {least} to {limit} are allowed")]
    Length {
        /// Inside the value.
        path: &'static str,
        /// In UTF-16 code units, as the browser counts.
        length: usize,
        /// The least.
        least: usize,
        /// The most.
        limit: usize,
    },
    /// A number or list outside what makes sense.
    #[error("{path}: out of range")]
    OutOfRange {
        /// Inside the value.
        path: &'static str,
    },
    /// Control characters have no place in a clinical value.
    #[error("{path}: holds a control character")]
    ControlCharacter {
        /// Inside the value.
        path: &'static str,
    },
}

/// Checks a short text: length in UTF-16 code units, no control characters.
pub(crate) fn short(
    path: &'static str,
    text: &str,
    least: usize,
    limit: usize,
) -> Result<(), ValueError> {
    let length = text.encode_utf16().count();
    if length < least || length > limit {
        return Err(ValueError::Length { path, length, least, limit });
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(ValueError::ControlCharacter { path });
    }
    Ok(())
}

/// Checks a small set kept as a list: nothing stands in it twice.
pub(crate) fn each_once<T: PartialEq>(path: &'static str, items: &[T]) -> Result<(), ValueError> {
    let twice =
        items.iter().enumerate().any(|(at, item)| items.iter().take(at).any(|one| one == item));
    if twice { Err(ValueError::OutOfRange { path }) } else { Ok(()) }
}

/// Checks references to rows: at most twenty, each once.
pub(crate) fn few_rows(path: &'static str, rows: &[RowId]) -> Result<(), ValueError> {
    if rows.len() > 20 {
        return Err(ValueError::OutOfRange { path });
    }
    each_once(path, rows)
}

fn nfc(json: &serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::String(text) => serde_json::Value::String(text.nfc().collect()),
        serde_json::Value::Array(items) => {
            serde_json::Value::Array(items.iter().map(nfc).collect())
        }
        serde_json::Value::Object(map) => serde_json::Value::Object(
            map.iter().map(|(key, value)| (key.clone(), nfc(value))).collect(),
        ),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
            json.clone()
        }
    }
}

/// A plain line of text in a register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct Line(pub String);

impl Line {
    /// Its longest, in UTF-16 code units.
    pub const MOST: usize = 400;
}

impl Check for Line {
    fn check(&self) -> Result<(), ValueError> {
        short("", &self.0, 0, Self::MOST)
    }
}

/// A coded concept: FHIR `Coding`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// "http://www.nlm.nih.gov/research/umls/rxnorm".
    pub system: String,
    /// The code in that system.
    pub code: String,
}

/// Exact decimal text, "0.5": digits, at most one point, no sign, no leading or trailing zero that misreads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct Decimal(String);

impl Decimal {
    /// Parses a decimal. ".5" and "5.0" are refused: one is read as 5, the other as 50 (Joint Commission, "Do Not
    /// Use" list).
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) =
            text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
        let digits = |part: &str, most: usize| {
            !part.is_empty() && part.len() <= most && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let whole_ok = digits(whole, 9) && (whole == "0" || !whole.starts_with('0'));
        let fraction_ok = fraction.is_none_or(|part| digits(part, 6) && !part.ends_with('0'));
        (whole_ok && fraction_ok).then(|| Self(text.to_owned()))
    }

    /// "0".
    pub(crate) fn zero() -> Self {
        Self("0".to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn check_positive(&self, path: &'static str) -> Result<(), ValueError> {
        if self.0 == "0" { Err(ValueError::OutOfRange { path }) } else { Ok(()) }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a decimal"))
    }
}

/// A date as exactly as it is known: "2019", "2019-04" or "2019-04-30" (FHIR `date`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct PartialDate(String);

impl PartialDate {
    /// Parses a FHIR `date`; days are checked against the month.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let number = |part: &str, digits: usize| {
            (part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse::<u16>().ok())?
        };
        let year = number(parts.next()?, 4)?;
        if let Some(month) = parts.next() {
            let month = number(month, 2)?;
            let leap =
                year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
            let last = match month {
                1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
                4 | 6 | 9 | 11 => 30,
                2 => 28 + u16::from(leap),
                _ => return None,
            };
            if let Some(day) = parts.next()
                && !(1..=last).contains(&number(day, 2)?)
            {
                return None;
            }
        }
        parts.next().is_none().then(|| Self(text.to_owned()))
    }

    /// The day of an instant, UTC (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`). Of
    /// a clock that stands outside the years 0 to 9999, the nearest day inside.
    pub fn of(at: Millis) -> Self {
        const DAY_MS: i64 = 86_400_000;
        // 0000-01-01 and 9999-12-31.
        let day = at.0.div_euclid(DAY_MS).clamp(-719_528, 2_932_896);
        // Days since 0000-03-01: the year then ends with its leap day.
        let days = day + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self(format!("{year:04}-{month:02}-{day:02}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Check for PartialDate {}

impl<'de> Deserialize<'de> for PartialDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a date"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_that_could_be_misread_is_refused() {
        for good in ["0", "5", "0.5", "12.125", "100"] {
            assert!(Decimal::parse(good).is_some(), "{good}");
        }
        for bad in ["", ".5", "5.", "5.0", "05", "1,5", "-1", "1e3", "٥", "1.2.3", "1234567890"] {
            assert!(Decimal::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_date_is_as_exact_as_it_is_known() {
        for good in ["2019", "2019-04", "2019-04-30", "2020-02-29"] {
            assert!(PartialDate::parse(good).is_some(), "{good}");
        }
        for bad in [
            "19",
            "2019-13",
            "2019-04-31",
            "2019-02-29",
            "2019-4-3",
            "2019-04-30T00:00:00Z",
            "1900-02-29",
        ] {
            assert!(PartialDate::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_day_is_the_calendars() {
        for (ms, day) in [
            (0, "1970-01-01"),
            (951_782_400_000, "2000-02-29"),
            (951_868_800_000, "2000-03-01"),
            (1_798_761_599_999, "2026-12-31"),
            (-86_400_000, "1969-12-31"),
            (i64::MIN, "0000-01-01"),
            (i64::MAX, "9999-12-31"),
        ] {
            assert_eq!(PartialDate::of(Millis(ms)).as_str(), day);
        }
    }
}
