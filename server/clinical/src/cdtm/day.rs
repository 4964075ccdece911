//! A whole day of the calendar, with the arithmetic that terms and due dates need.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::actor::Millis;
use crate::value::PartialDate;

/// A day of the Gregorian calendar between the years 0 and 9999. On the wire "2027-02-28".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", type = "string"))]
pub struct Day(i32);

const DAY_MS: i64 = 86_400_000;

/// 0000-01-01 and 9999-12-31, in days since 1970.
const FIRST: i32 = -719_528;
const LAST: i32 = 2_932_896;

impl Day {
    /// Parses "2027-02-28". A month, a year or a day that is in no calendar is no day.
    pub fn parse(text: &str) -> Option<Self> {
        let date = PartialDate::parse(text)?;
        let mut parts = date.as_str().split('-').map(str::parse::<i32>);
        let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
        Some(Self::of_civil(year, month, day))
    }

    /// The day of an instant, in UTC.
    pub fn of(at: Millis) -> Self {
        let day = at.0.div_euclid(DAY_MS).clamp(i64::from(FIRST), i64::from(LAST));
        Self(i32::try_from(day).unwrap_or(LAST))
    }

    /// So many days later.
    #[must_use]
    pub fn plus_days(self, days: u16) -> Self {
        Self(self.0.saturating_add(i32::from(days)).clamp(FIRST, LAST))
    }

    /// The same day of a later month; of a shorter month its last day. A year after 29 February is 28 February.
    #[must_use]
    pub fn plus_months(self, months: u8) -> Self {
        let (year, month, day) = self.civil();
        let counted = year * 12 + (month - 1) + i32::from(months);
        let (year, month) = (counted.div_euclid(12), counted.rem_euclid(12) + 1);
        if year > 9999 {
            return Self(LAST);
        }
        let first = Self::of_civil(year, month, 1);
        let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let length = Self::of_civil(next_year, next_month, 1).0 - first.0;
        Self(first.0 + day.min(length) - 1)
    }

    /// Days from this one to another; negative if it is over.
    pub const fn until(self, other: Self) -> i32 {
        other.0 - self.0
    }

    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    const fn of_civil(year: i32, month: i32, day: i32) -> Self {
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let from_march = (month + 9) % 12;
        let of_year = (153 * from_march + 2) / 5 + day - 1;
        let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        Self(era * 146_097 + day_of_era - 719_468)
    }

    /// `civil_from_days` of the same.
    const fn civil(self) -> (i32, i32, i32) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400;
        (if month <= 2 { year + 1 } else { year }, month, day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a day"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn a_year_after_the_leap_day_is_the_last_of_february() {
        assert_eq!(day("2024-02-29").plus_months(12), day("2025-02-28"));
        assert_eq!(day("2023-02-28").plus_months(12), day("2024-02-28"));
        assert_eq!(day("2026-11-30").plus_months(3), day("2027-02-28"));
        assert_eq!(day("2027-12-31").plus_months(2), day("2028-02-29"));
        assert_eq!(day("9999-12-01").plus_months(12).to_string(), "9999-12-31");
    }

    #[test]
    fn what_is_no_whole_day_of_the_calendar_is_refused() {
        for bad in ["2026", "2026-02", "2026-02-29", "2026-2-3", "2026-13-01", "", "tomorrow"] {
            assert!(Day::parse(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn days_read_back_and_count_like_the_calendar(ms in -60_000_000_000_000_i64..250_000_000_000_000) {
            let day = Day::of(Millis(ms));

            prop_assert_eq!(day.to_string(), PartialDate::of(Millis(ms)).as_str().to_owned());
            prop_assert_eq!(Day::parse(&day.to_string()), Some(day));
            prop_assert_eq!(day.until(day.plus_days(90)), 90);
            let year = day.until(day.plus_months(12));
            prop_assert!((365..=366).contains(&year), "{year}");
        }
    }
}
