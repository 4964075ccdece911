//! The invitation for a calendar (RFC 5545, RFC 5546). Calendars are read by whoever looks over a shoulder, and by the
//! companies that keep them: it says nothing clinical, names nobody but, in a mail, the one it goes to, and holds no link.

use clinical::format::Language;
use clinical::touchpoint::TouchpointFormat;
use icalendar::{Calendar, Component as _, Event, EventStatus, Property};
use jiff::Timestamp;

use super::store::Booked;
use crate::config::Practice;

/// Who invites whom. Both are asked for (RFC 5546 section 3.2.2).
pub(super) struct Parties<'a> {
    /// A URI of who invites.
    pub(super) organizer: &'a str,
    /// A URI of who is invited.
    pub(super) attendee: String,
}

impl<'a> Parties<'a> {
    /// For a file that is handed on: it names no person.
    pub(super) fn nameless(origin: &'a str, booked: &Booked) -> Self {
        Self { organizer: origin, attendee: format!("urn:uuid:{}", booked.uid) }
    }
}

/// The file. `None` if the visit stands outside the calendar.
pub(super) fn write(
    booked: &Booked,
    practice: &Practice,
    parties: &Parties<'_>,
    language: Language,
) -> Option<String> {
    let Booked { starts, minutes, sequence, changed, cancelled, format, uid, .. } = booked;
    let ends = starts.0.checked_add(i64::from(*minutes).checked_mul(60_000)?)?;
    let Practice { name, phone, zone: _, sign_requires: _, step_up: _, camera: _ } = practice;
    let (summary, words) = match language {
        Language::En => (
            "Your visit with the clinic team",
            format!("{name}\n{} Questions? Call {phone}.", what_to_do(*format, language)),
        ),
        Language::Es => (
            "Su visita con el equipo de la clínica",
            format!("{name}\n{} ¿Preguntas? Llame al {phone}.", what_to_do(*format, language)),
        ),
    };
    let mut event = Event::new();
    // The same for ever, so that a change or a cancellation finds the entry it is about.
    event.uid(&format!("{uid}@mortar"));
    event.sequence(u32::try_from(*sequence).ok()?);
    // In UTC: every calendar shows it in its own zone, and no table of zones has to travel along.
    event.add_property("DTSTAMP", utc(changed.0)?);
    event.add_property("DTSTART", utc(starts.0)?);
    event.add_property("DTEND", utc(ends)?);
    event.summary(summary);
    event.description(&words);
    let Parties { organizer, attendee } = parties;
    event.add_property("ORGANIZER", *organizer);
    let mut attendee = Property::new("ATTENDEE", attendee);
    // Nobody reads an answer.
    attendee.add_parameter("RSVP", "FALSE");
    event.append_multi_property(attendee);
    event.status(if *cancelled { EventStatus::Cancelled } else { EventStatus::Confirmed });
    let mut calendar = Calendar::empty();
    calendar.append_property(("VERSION", "2.0"));
    calendar.append_property(("PRODID", "-//Mortar//EN"));
    calendar.append_property(("METHOD", if *cancelled { "CANCEL" } else { "REQUEST" }));
    calendar.push(event);
    Some(calendar.to_string())
}

const fn what_to_do(format: TouchpointFormat, language: Language) -> &'static str {
    match (format, language) {
        (TouchpointFormat::Video | TouchpointFormat::Message, Language::En) => {
            "Open the link from your message a few minutes before."
        }
        (TouchpointFormat::Video | TouchpointFormat::Message, Language::Es) => {
            "Abra el enlace de su mensaje unos minutos antes."
        }
        (TouchpointFormat::Phone, Language::En) => "We will call you by phone.",
        (TouchpointFormat::Phone, Language::Es) => "Le llamaremos por teléfono.",
        (TouchpointFormat::InPerson, Language::En) => "Please come to the clinic.",
        (TouchpointFormat::InPerson, Language::Es) => "Venga a la clínica, por favor.",
    }
}

/// RFC 5545 section 3.3.5, form 2.
fn utc(ms: i64) -> Option<String> {
    Some(Timestamp::from_millisecond(ms).ok()?.strftime("%Y%m%dT%H%M%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use clinical::actor::Millis;
    use clinical::id::VisitId;
    use uuid::Uuid;

    use super::*;

    fn written(cancelled: bool, sequence: i64, language: Language) -> String {
        written_as(TouchpointFormat::Video, cancelled, sequence, language)
    }

    fn written_as(
        format: TouchpointFormat,
        cancelled: bool,
        sequence: i64,
        language: Language,
    ) -> String {
        let booked = Booked {
            visit: VisitId(Uuid::from_u128(8)),
            booked_in: VisitId(Uuid::from_u128(6)),
            // 2026-03-10 10:00 in New York, two days after the clocks went forward there.
            starts: Millis(1_773_151_200_000),
            minutes: 30,
            zone: "America/New_York".to_owned(),
            sequence,
            changed: Millis(1_772_000_000_000),
            cancelled,
            touchpoint: None,
            format,
            uid: VisitId(Uuid::from_u128(7)),
        };
        let parties = Parties::nameless("https://visits.example.org", &booked);
        write(&booked, &Practice::default(), &parties, language).unwrap()
    }

    /// Lines, with folded ones joined again.
    fn lines(file: &str) -> Vec<String> {
        assert!(file.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')), "{file}");
        file.replace("\r\n ", "").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn it_says_when_and_whom_to_call_and_nothing_else() {
        let lines = lines(&written(false, 0, Language::En));

        for line in [
            "METHOD:REQUEST",
            "UID:00000000-0000-0000-0000-000000000007@mortar",
            "SEQUENCE:0",
            "DTSTART:20260310T140000Z",
            "DTEND:20260310T143000Z",
            "SUMMARY:Your visit with the clinic team",
            "STATUS:CONFIRMED",
            "PRODID:-//Mortar//EN",
            "VERSION:2.0",
            "ATTENDEE;RSVP=FALSE:urn:uuid:00000000-0000-0000-0000-000000000007",
        ] {
            assert_eq!(lines.iter().filter(|one| *one == line).count(), 1, "{line} {lines:?}");
        }
        let names = lines.iter().filter(|line| line.starts_with("PRODID"));
        assert_eq!(names.count(), 1, "{lines:?}");
        let words = lines.iter().find(|line| line.starts_with("DESCRIPTION:")).unwrap();
        assert!(words.contains("555-0142"), "{words}");
        assert!(
            !lines.iter().any(|line| line.contains("/j#")),
            "no link: a calendar is read by many"
        );
    }

    #[test]
    fn it_says_to_come_to_answer_the_telephone_or_to_open_the_link() {
        for (format, en, es) in [
            (TouchpointFormat::Video, "Open the link", "Abra el enlace"),
            (TouchpointFormat::Phone, "We will call you", "Le llamaremos"),
            (TouchpointFormat::InPerson, "come to the clinic", "Venga a la clínica"),
        ] {
            for (language, words) in [(Language::En, en), (Language::Es, es)] {
                let file = written_as(format, false, 0, language).replace("\r\n ", "");
                assert!(file.contains(words), "{format:?} {language:?} {file}");
            }
        }
    }

    #[test]
    fn a_cancellation_finds_the_entry_it_is_about() {
        let (before, after) = (written(false, 0, Language::Es), written(true, 1, Language::Es));
        let uid = |file: &str| lines(file).into_iter().find(|line| line.starts_with("UID:"));

        assert_eq!(uid(&before), uid(&after));
        for line in ["METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:1"] {
            assert!(lines(&after).iter().any(|one| one == line), "{line}");
        }
        assert!(
            lines(&after)
                .iter()
                .any(|line| line == "SUMMARY:Su visita con el equipo de la clínica")
        );
    }
}
