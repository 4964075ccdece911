use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::field::FieldName;
use crate::id::SeatId;
use crate::time::Event;

const HOUR: i64 = 3_600_000;
/// 2026-12-08 10:00 in New York.
const STARTS: i64 = 1_796_742_000_000;

fn booked(format: TouchpointFormat) -> BookedTime {
    BookedTime {
        visit: VisitId(Uuid::from_u128(7)),
        starts: LocalHour::parse("2026-12-08T10:00").unwrap(),
        zone: "America/New_York".to_owned(),
        starts_ms: Millis(STARTS),
        minutes: 30,
        format,
        with: vec![Expected { role: Role::Patient, name: "Ruth Delgado".to_owned() }],
    }
}

fn state(step: TouchpointStep, format: TouchpointFormat) -> TouchpointState {
    TouchpointState { step, booked: Some(booked(format)), moved_from: None, on: None }
}

fn day(text: &str) -> PartialDate {
    PartialDate::parse(text).unwrap()
}

#[test]
fn a_planned_one_is_overdue_when_the_whole_of_its_date_is_over() {
    for (due, today, expected) in [
        (None, "2026-12-08", Standing::Planned),
        (Some("2026-12-08"), "2026-12-08", Standing::Planned),
        (Some("2026-12-08"), "2026-12-09", Standing::Overdue),
        (Some("2026-12"), "2026-12-31", Standing::Planned),
        (Some("2026-12"), "2027-01-01", Standing::Overdue),
        (Some("2026"), "2026-12-31", Standing::Planned),
        (Some("2026"), "2027-01-01", Standing::Overdue),
    ] {
        let due = due.map(day);
        let got = standing(due.as_ref(), None, None, Millis(STARTS), &day(today));
        assert_eq!(got, expected, "{due:?} {today}");
    }
}

#[test]
fn a_booked_video_visit_is_missed_fifteen_minutes_after_its_hour_and_done_if_it_was_held() {
    let today = day("2026-12-08");
    let video = state(TouchpointStep::Booked, TouchpointFormat::Video);
    let at = |ms: i64, held: Option<Millis>| {
        standing(Some(&day("2026-12-01")), Some(&video), held, Millis(STARTS + ms), &today)
    };

    assert_eq!(at(-HOUR, None), Standing::Booked, "its day has passed, and a time was found");
    assert_eq!(at(15 * 60_000, None), Standing::Booked);
    assert_eq!(at(15 * 60_000 + 1, None), Standing::Missed);
    assert_eq!(at(HOUR, Some(Millis(STARTS))), Standing::Done);
    // Begun early: what took place took place.
    assert_eq!(at(-HOUR / 2, Some(Millis(STARTS - HOUR))), Standing::Done);
}

#[test]
fn a_telephone_and_a_room_tell_us_nothing_so_a_person_has_to() {
    for format in [TouchpointFormat::Phone, TouchpointFormat::InPerson] {
        let booked = state(TouchpointStep::Booked, format);
        let today = day("2026-12-08");
        let later = Millis(STARTS + HOUR);
        let got = standing(None, Some(&booked), None, later, &today);
        assert_eq!(got, Standing::Unsaid, "{format:?}");
        assert!(got.is_owed());
    }
}

#[test]
fn what_somebody_said_stands_whatever_time_and_calls_tell() {
    for (step, expected) in [
        (TouchpointStep::Done, Standing::Done),
        (TouchpointStep::Missed, Standing::Missed),
        (TouchpointStep::Cancelled, Standing::Cancelled),
    ] {
        let said = state(step, TouchpointFormat::Video);
        for held in [None, Some(Millis(STARTS))] {
            let due = day("2020-01-01");
            let now = Millis(STARTS + HOUR);
            let got = standing(Some(&due), Some(&said), held, now, &day("2026-12-08"));
            assert_eq!(got, expected, "{held:?}");
        }
    }
    let owed = [Standing::Overdue, Standing::Missed, Standing::Unsaid];
    assert!(owed.into_iter().all(Standing::is_owed));
    let fine = [Standing::Planned, Standing::Booked, Standing::Done, Standing::Cancelled];
    assert!(!fine.into_iter().any(Standing::is_owed));
}

fn call(until: i64, events: &[(i64, u128, Side, Live)]) -> Attendance {
    let event = |(at, seat, side, live): (i64, u128, Side, Live)| Event {
        at: Millis(at),
        seat: SeatId(Uuid::from_u128(seat)),
        side,
        live,
    };
    Attendance { events: events.iter().copied().map(event).collect(), until: Millis(until) }
}

#[test]
fn a_visit_was_held_if_the_patients_side_was_in_it_for_a_minute() {
    let (patient, pharmacist) = (Side::Patient, Side::Pharmacist);
    assert_eq!(held(&[], Millis(0)), None);
    // The pharmacist waited alone.
    assert_eq!(held(&[call(HOUR, &[(0, 1, pharmacist, Live::Video)])], Millis(0)), None);
    // A line that failed, twice.
    let failed = [
        (10_000, 2, patient, Live::Audio),
        (20_000, 2, patient, Live::Off),
        (50_000, 2, patient, Live::Video),
        (60_000, 2, patient, Live::Off),
    ];
    assert_eq!(held(&[call(HOUR, &failed)], Millis(0)), None);
    // The same, and a call after it that lasted: two devices do not count twice.
    let lasted = [
        (100_000, 2, patient, Live::Audio),
        (110_000, 3, patient, Live::Audio),
        (120_000, 2, patient, Live::Off),
    ];
    assert_eq!(held(&[call(HOUR, &failed), call(139_999, &lasted)], Millis(0)), None, "59.999 s");
    assert_eq!(
        held(&[call(HOUR, &failed), call(140_000, &lasted)], Millis(0)),
        Some(Millis(10_000))
    );
}

#[test]
fn media_long_before_its_hour_is_no_part_of_a_visit() {
    let patient = Side::Patient;
    let on = |from: i64, to: i64| {
        let events = [(from, 2, patient, Live::Video), (to, 2, patient, Live::Off)];
        held(&[call(to, &events)], Millis(STARTS))
    };
    let earliest = STARTS - HOUR;
    assert_eq!(on(STARTS - 7 * 24 * HOUR, STARTS - 7 * 24 * HOUR + HOUR), None, "a week before");
    assert_eq!(on(earliest - HOUR, earliest), None);
    // Only what is near its hour counts, and from there on.
    assert_eq!(on(earliest - HOUR, earliest + 59_999), None);
    assert_eq!(on(earliest - HOUR, earliest + 60_000), Some(Millis(earliest)));
    assert_eq!(on(STARTS - 60_000, STARTS), Some(Millis(STARTS - 60_000)));
}

#[test]
fn an_hour_on_the_wall_is_read_as_it_is_or_not_at_all() {
    for good in ["2026-12-08T10:00", "2028-02-29T23:59", "2026-12-08T00:00"] {
        assert_eq!(LocalHour::parse(good).unwrap().as_str(), good);
    }
    for bad in [
        "2026-12-08",
        "2026-12T10:00",
        "2026-02-30T10:00",
        "2026-12-08T24:00",
        "2026-12-08T10:60",
        "2026-12-08T1:00",
        "2026-12-08T10:00Z",
        "2026-12-08T+1:00",
        "T10:00",
        "",
    ] {
        assert_eq!(LocalHour::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_state_that_contradicts_itself_is_refused() {
    let parse = |json: serde_json::Value| FieldName::TouchpointsState.parse(&json);
    let good = serde_json::to_value(state(TouchpointStep::Booked, TouchpointFormat::Video));
    assert!(parse(good.unwrap()).is_ok());
    assert!(parse(json!({ "step": "cancelled" })).is_ok());
    assert!(parse(json!({ "step": "booked" })).is_err());
    assert!(parse(json!({ "step": "forgotten" })).is_err());
    assert!(parse(json!({ "step": "done", "on": "2026-13-01" })).is_err());
}
