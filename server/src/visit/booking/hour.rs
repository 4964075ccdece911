//! The hour of a booked visit, as it is asked for.

use clinical::actor::Millis;
use clinical::id::{RowId, VisitId};
use clinical::touchpoint::{BookedTime, Expected, LocalHour, TouchpointFormat};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::store::Booked;
use crate::http::App;

/// How far ahead, in milliseconds: two years.
const AHEAD_MS: i64 = 2 * 366 * 24 * 60 * 60 * 1_000;

/// Areas of the IANA table in which zones are named after a city or an island.
const AREAS: [&str; 10] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
];

/// An hour that was asked for.
pub(super) struct Hour {
    local: LocalHour,
    zone: String,
    starts: Millis,
    minutes: u16,
}

impl Hour {
    /// `None`: there is no such hour or zone, it is over or too far away, or nobody meets for so long.
    pub(super) fn read(
        app: &App,
        starts: &str,
        zone: Option<String>,
        minutes: u16,
        now: Millis,
    ) -> Option<Self> {
        let own = &app.config.practice.zone;
        let zone = zone.unwrap_or_else(|| own.clone());
        if zone != *own && !is_zone(&zone) {
            return None;
        }
        let at = instant(starts, &zone)?;
        let in_time = at > now && at.0 <= now.0.saturating_add(AHEAD_MS);
        let local = LocalHour::parse(starts)?;
        (in_time && (5..=240).contains(&minutes)).then_some(Self {
            local,
            zone,
            starts: at,
            minutes,
        })
    }

    /// A first booking at this hour.
    pub(super) fn booked(
        &self,
        visit: VisitId,
        booked_in: VisitId,
        format: TouchpointFormat,
        touchpoint: Option<RowId>,
        now: Millis,
    ) -> Booked {
        Booked {
            visit,
            booked_in,
            starts: self.starts,
            minutes: self.minutes,
            zone: self.zone.clone(),
            sequence: 0,
            changed: now,
            cancelled: false,
            touchpoint,
            format,
            uid: visit,
        }
    }

    /// The same for the plan.
    pub(super) fn time(
        &self,
        visit: VisitId,
        format: TouchpointFormat,
        with: Vec<Expected>,
    ) -> BookedTime {
        BookedTime {
            visit,
            starts: self.local.clone(),
            zone: self.zone.clone(),
            starts_ms: self.starts,
            minutes: self.minutes,
            format,
            with,
        }
    }
}

/// Whether a zone is one of a place, or UTC: the patient's browser knows these, and throws on "Factory" or
/// "Etc/Unknown", which the server's table has too.
fn is_zone(zone: &str) -> bool {
    zone == "UTC" || zone.split_once('/').is_some_and(|(area, _city)| AREAS.contains(&area))
}

/// The instant of an hour where the zone is. An hour that does not exist there, or exists twice, is none.
fn instant(starts: &str, zone: &str) -> Option<Millis> {
    let zone = TimeZone::get(zone).ok()?;
    // Whole minutes, without an offset of its own.
    let starts: DateTime =
        (starts.len() == "2026-03-10T10:00".len()).then(|| starts.parse().ok())??;
    let starts = zone.to_ambiguous_timestamp(starts).unambiguous().ok()?;
    Some(Millis(starts.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_that_of_a_place_or_utc() {
        for good in ["America/New_York", "America/Kentucky/Louisville", "Pacific/Honolulu", "UTC"] {
            assert!(is_zone(good), "{good}");
        }
        for bad in ["Etc/Unknown", "Factory", "posix/America/New_York", "EST5EDT", "America", ""] {
            assert!(!is_zone(bad), "{bad}");
        }
    }

    #[test]
    fn an_hour_is_that_of_its_zone_and_one_that_is_not_there_is_none() {
        for (starts, zone, ms) in [
            ("2026-03-10T10:00", "America/New_York", Some(1_773_151_200_000)),
            ("2026-03-10T10:00", "America/Denver", Some(1_773_158_400_000)),
            ("2026-03-10T10:00", "America/Puerto_Rico", Some(1_773_151_200_000)),
            // The clocks go forward over it, or back through it twice.
            ("2026-03-08T02:30", "America/New_York", None),
            ("2026-11-01T01:30", "America/New_York", None),
            ("2026-03-10T10:00", "Nowhere/Atall", None),
            ("2026-03-10T10:00Z", "America/New_York", None),
            ("2026-02-30T10:00", "America/New_York", None),
            ("tomorrow at tenn", "America/New_York", None),
        ] {
            assert_eq!(instant(starts, zone), ms.map(Millis), "{starts} {zone}");
        }
    }
}
