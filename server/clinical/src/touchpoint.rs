//! Values of a touchpoint: an agreed follow-up, and what became of it.
//!
//! What is agreed is text of the plan and is sealed with it. What becomes of it is moved by commands ([`Step`]), also
//! after the signature: planned, booked, done or missed, booked again, cancelled. What only time and the calls of the
//! booked visit can tell is never written down as a fact; [`standing`] derives it.

use serde::{Deserialize, Serialize};

use crate::actor::{Millis, Role};
use crate::id::VisitId;
use crate::time::{Attendance, Live, Side};
use crate::value::{Check, PartialDate, ValueError, each_once, short};

/// So long after its hour a booked visit counts as missed if the patient did not come, in milliseconds: 15 minutes.
/// Shorter calls patients missing who look for their glasses, longer keeps a pharmacist waiting for who does not come.
pub const GRACE_MS: i64 = 15 * 60 * 1_000;

/// So long the patient's side has live media before the visit counts as held, in milliseconds. Shorter takes a
/// connection that failed for a visit, and a false "done" is looked at by nobody; longer calls a short call missed.
pub const HELD_MS: i64 = 60 * 1_000;

/// So long before its hour a visit may begin and still be the one that was booked, in milliseconds: one hour. Shorter
/// loses people who agreed to begin early; longer takes somebody who tries the link days before for the follow-up.
pub const EARLY_MS: i64 = 60 * 60 * 1_000;

/// People of one visit. More than a care team.
const WITH: usize = 20;

/// What, when, how and with whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Touchpoint {
    /// "Check blood pressure readings".
    pub purpose: String,
    /// "Tuesday 10 March, 10:00", "in two weeks".
    pub when: String,
    /// The day or month it is due, so that a missed one is noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub due: Option<PartialDate>,
    /// "every two weeks"; empty: once.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub frequency: String,
    /// By which way.
    pub format: TouchpointFormat,
    /// Who takes part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<Role>>"))]
    pub members: Vec<Role>,
}

/// The way the patient prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum TouchpointFormat {
    /// Video visit.
    Video,
    /// Phone call.
    Phone,
    /// At the clinic.
    InPerson,
    /// A message.
    Message,
}

impl Check for Touchpoint {
    fn check(&self) -> Result<(), ValueError> {
        short("purpose", &self.purpose, 1, 200)?;
        short("when", &self.when, 1, 100)?;
        short("frequency", &self.frequency, 0, 100)?;
        each_once("members", &self.members)
    }
}

/// How far the follow-up is, as somebody said. Moved by commands only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum TouchpointStep {
    /// Agreed, without a time. What nobody has said anything about stands here too.
    Planned,
    /// A visit is booked for it.
    Booked,
    /// It took place.
    Done,
    /// It did not.
    Missed,
    /// It is not needed any more.
    Cancelled,
}

/// What became of a touchpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct TouchpointState {
    /// How far it is.
    pub step: TouchpointStep,
    /// The visit that was booked for it last, and not cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub booked: Option<BookedTime>,
    /// The hour it was booked for before, as [`BookedTime::starts`]: it was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub moved_from: Option<LocalHour>,
    /// The day it took place, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub on: Option<PartialDate>,
}

/// A visit booked for a touchpoint: what has to be said about it without asking anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct BookedTime {
    /// The visit.
    pub visit: VisitId,
    /// Day and hour where `zone` is.
    pub starts: LocalHour,
    /// IANA time zone in which the hour was agreed.
    pub zone: String,
    /// The same instant.
    pub starts_ms: Millis,
    /// Length in minutes.
    pub minutes: u16,
    /// By which way.
    pub format: TouchpointFormat,
    /// Who is expected, the patient among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<Expected>>"))]
    pub with: Vec<Expected>,
}

/// Somebody who is expected at a booked visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// In which role.
    pub role: Role,
    /// As shown when it was booked.
    pub name: String,
}

/// Day and hour on a wall clock, "2026-03-10T10:00".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct LocalHour(String);

impl LocalHour {
    /// Parses it; the day is checked against the month.
    pub fn parse(text: &str) -> Option<Self> {
        let (day, clock) = text.split_once('T')?;
        let (hour, minute) = clock.split_once(':')?;
        let within = |part: &str, most: u8| {
            part.len() == 2
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && part.parse::<u8>().is_ok_and(|number| number <= most)
        };
        let whole_day = day.len() == "2026-03-10".len() && PartialDate::parse(day).is_some();
        (whole_day && within(hour, 23) && within(minute, 59)).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its day.
    pub fn day(&self) -> Option<PartialDate> {
        PartialDate::parse(self.0.split_once('T')?.0)
    }

    /// Hour and minute.
    pub fn clock(&self) -> Option<(u8, u8)> {
        let (hour, minute) = self.0.split_once('T')?.1.split_once(':')?;
        Some((hour.parse().ok()?, minute.parse().ok()?))
    }
}

impl<'de> Deserialize<'de> for LocalHour {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a day and hour"))
    }
}

impl Check for TouchpointState {
    fn check(&self) -> Result<(), ValueError> {
        if self.step == TouchpointStep::Booked && self.booked.is_none() {
            return Err(ValueError::OutOfRange { path: "booked" });
        }
        let Some(BookedTime { zone, minutes, with, .. }) = &self.booked else { return Ok(()) };
        short("zone", zone, 1, 60)?;
        if *minutes == 0 || with.len() > WITH {
            return Err(ValueError::OutOfRange { path: "booked" });
        }
        with.iter().try_for_each(|one| short("name", &one.name, 0, 200))
    }
}

/// What somebody says about a touchpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A visit is booked for it.
    Book(BookedTime),
    /// Another time takes the place of the one that was booked.
    Move {
        /// The visit that was booked so far: of two who move it at once the second is refused.
        from: VisitId,
        /// The other one.
        to: BookedTime,
        /// Why; may be empty.
        note: String,
    },
    /// The visit was cancelled; the follow-up is still owed.
    Unbook {
        /// Which.
        visit: VisitId,
    },
    /// It took place: in the booked visit, or elsewhere.
    Done {
        /// When.
        on: PartialDate,
        /// How, where our calls do not tell; may be empty.
        note: String,
    },
    /// It did not take place.
    Missed {
        /// Why; may be empty.
        note: String,
    },
    /// It is not needed any more.
    Cancel {
        /// Why.
        note: String,
    },
    /// What was said last was a mistake, or does not hold any more: it is planned again.
    Reopen {
        /// Why; may be empty.
        note: String,
    },
}

/// Where a touchpoint stands for a reader at a moment: what was said, and what follows from time and calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "TouchpointStanding"))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Agreed, its day has not passed.
    Planned,
    /// Its day has passed, and nothing was booked for it.
    Overdue,
    /// Booked for a time to come.
    Booked,
    /// Its hour has passed, it was by phone or in one room, and nobody has said what became of it.
    Unsaid,
    /// It took place.
    Done,
    /// It did not.
    Missed,
    /// It is not needed any more.
    Cancelled,
}

impl Standing {
    /// Whether somebody has to do something about it now.
    pub const fn is_owed(self) -> bool {
        match self {
            Self::Overdue | Self::Unsaid | Self::Missed => true,
            Self::Planned | Self::Booked | Self::Done | Self::Cancelled => false,
        }
    }
}

/// Where a touchpoint stands. `held` is when the booked visit took place, see [`held`]; `today` is the day of `now`
/// where the practice is.
pub fn standing(
    due: Option<&PartialDate>,
    state: Option<&TouchpointState>,
    held: Option<Millis>,
    now: Millis,
    today: &PartialDate,
) -> Standing {
    let step = state.map_or(TouchpointStep::Planned, |state| state.step);
    let booked = state.and_then(|state| state.booked.as_ref());
    match (step, booked) {
        (TouchpointStep::Done, _) => Standing::Done,
        (TouchpointStep::Missed, _) => Standing::Missed,
        (TouchpointStep::Cancelled, _) => Standing::Cancelled,
        (TouchpointStep::Booked, Some(_)) if held.is_some() => Standing::Done,
        (TouchpointStep::Booked, Some(booked)) => {
            if now.0 <= booked.starts_ms.0.saturating_add(GRACE_MS) {
                Standing::Booked
            } else if booked.format == TouchpointFormat::Video {
                Standing::Missed
            } else {
                // Nothing of ours tells whether somebody answered a telephone or came to the clinic.
                Standing::Unsaid
            }
        }
        (TouchpointStep::Planned | TouchpointStep::Booked, _) => {
            if due.is_some_and(|due| has_passed(due, today)) {
                Standing::Overdue
            } else {
                Standing::Planned
            }
        }
    }
}

/// Whether the whole of a date is over: of "2026-03" on the first of April.
fn has_passed(due: &PartialDate, today: &PartialDate) -> bool {
    let (due, today) = (due.as_str(), today.as_str());
    today.get(..due.len()).is_some_and(|so_far| so_far > due)
}

/// When a visit took place, from the time of its calls: the first moment the patient's side had live media, if it had
/// it for [`HELD_MS`] in all. Media earlier than [`EARLY_MS`] before its hour is no part of it. Whoever of the patient's
/// side is in a call was let in by staff, so a conversation needs no second side here; not every follow-up has a
/// pharmacist in it.
pub fn held(calls: &[Attendance], starts: Millis) -> Option<Millis> {
    let earliest = starts.0.saturating_sub(EARLY_MS);
    let mut first: Option<Millis> = None;
    let mut sum: i64 = 0;
    let mut add = |from: Millis, to: Millis| {
        let from = from.0.max(earliest);
        if to.0 > from {
            first.get_or_insert(Millis(from));
            sum = sum.saturating_add(to.0.saturating_sub(from));
        }
    };
    for Attendance { events, until } in calls {
        let mut live = std::collections::BTreeSet::new();
        let mut since: Option<Millis> = None;
        for event in events.iter().filter(|event| event.side == Side::Patient) {
            if event.live == Live::Off {
                live.remove(&event.seat);
            } else {
                live.insert(event.seat);
            }
            match (since, live.is_empty()) {
                (None, false) => since = Some(event.at),
                (Some(from), true) => {
                    add(from, event.at);
                    since = None;
                }
                (None, true) | (Some(_), false) => {}
            }
        }
        if let Some(from) = since {
            add(from, *until);
        }
    }
    first.filter(|_first| sum >= HELD_MS)
}

#[cfg(test)]
mod tests;
