//! The follow-ups of the page: booked with day and hour, agreed without one, or missed.

use super::input::{PlainFollowUp, Shown};
use super::words::{self, Words};
use super::{PlainSentence, said, sentences};
use crate::actor::Role;
use crate::format::{self, Language};
use crate::touchpoint::{BookedTime, Standing, Touchpoint};

/// One follow-up; none if there is nothing to come of it.
pub(super) fn item(
    follow_up: &PlainFollowUp,
    words: &Words,
    language: Language,
) -> Option<Vec<PlainSentence>> {
    let PlainFollowUp { content, state, standing } = follow_up;
    let content = match content {
        Shown::Empty => None,
        Shown::NotDecided => return Some(sentences(words.not_decided)),
        Shown::Value { value } => Some(value),
    };
    let booked = state.as_ref().and_then(|state| state.booked.as_ref());
    match (standing, booked) {
        (Standing::Cancelled, _) => None,
        // Of one that comes again, the next is still to come.
        (Standing::Done, _) => {
            content.filter(|content| !content.frequency.is_empty()).map(|content| {
                let mut item: Vec<PlainSentence> =
                    [said(&content.frequency), said(&content.purpose)]
                        .into_iter()
                        .flatten()
                        .collect();
                item.extend(how(content, words, language));
                item
            })
        }
        (Standing::Booked | Standing::Unsaid, Some(booked)) => {
            let mut item = vec![PlainSentence::page(format!("{}.", hour(booked, language)))];
            item.extend(content.and_then(|content| said(&content.purpose)));
            item.push(PlainSentence::page(words::format(booked.format, language)));
            let with = booked.with.iter().filter(|one| one.role != Role::Patient);
            let with: Vec<&str> = with.map(|one| one.name.as_str()).collect();
            if !with.is_empty() {
                item.push(PlainSentence::page(format!("{}: {}.", words.with, with.join(", "))));
            }
            Some(item)
        }
        (Standing::Missed, _) => {
            let day = booked.and_then(|booked| booked.starts.day());
            let mut item: Vec<PlainSentence> = day
                .map(|day| {
                    let day = format::date(&day, language);
                    PlainSentence::page(format!("{} {day}.", words.did_not_meet))
                })
                .into_iter()
                .collect();
            item.extend(content.and_then(|content| said(&content.purpose)));
            item.extend(sentences(words.find_a_time));
            Some(item)
        }
        (Standing::Planned | Standing::Overdue | Standing::Booked | Standing::Unsaid, _) => {
            // `when` says in words what `due` says to the machine.
            let content = content?;
            let Touchpoint { purpose, when, due: _, frequency, format: _, members: _ } = content;
            if *standing == Standing::Overdue {
                // "In two weeks" says nothing any more once those weeks are over.
                let mut item: Vec<PlainSentence> =
                    [said(purpose), said(frequency)].into_iter().flatten().collect();
                item.extend(sentences(words.find_a_time));
                return Some(item);
            }
            let mut item: Vec<PlainSentence> =
                [said(when), said(frequency), said(purpose)].into_iter().flatten().collect();
            item.extend(how(content, words, language));
            Some(item)
        }
    }
}

/// By which way and with whom, as agreed.
fn how(content: &Touchpoint, words: &Words, language: Language) -> Vec<PlainSentence> {
    let mut item = vec![PlainSentence::page(words::format(content.format, language))];
    let with: Vec<&str> =
        content.members.iter().filter_map(|role| words::role(*role, language)).collect();
    if !with.is_empty() {
        item.push(PlainSentence::page(format!("{}: {}.", words.with, with.join(", "))));
    }
    item
}

/// "Tuesday, December 8, 2026, 10:00 AM, Eastern time".
fn hour(booked: &BookedTime, language: Language) -> String {
    let BookedTime { starts, zone, .. } = booked;
    let day = starts.day();
    let weekday = day.as_ref().and_then(|day| words::weekday(day, language));
    let day = day.map(|day| format::date(&day, language));
    let clock = starts.clock().map(|(hour, minute)| {
        let (twelve, half) = (if hour % 12 == 0 { 12 } else { hour % 12 }, hour / 12);
        let half = match (half, language) {
            (0, Language::En) => "AM",
            (_, Language::En) => "PM",
            (0, Language::Es) => "de la mañana",
            (_, Language::Es) if hour >= 20 => "de la noche",
            (_, Language::Es) => "de la tarde",
        };
        format!("{twelve}:{minute:02} {half}")
    });
    let zone = Some(words::zone(zone, language));
    [weekday.map(str::to_owned), day, clock, zone]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}
