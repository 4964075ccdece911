//! Agreed follow-ups as `Appointment`s, with what became of them.

use super::body::words;
use super::out::Obj;
use super::people::absent;
use super::row::{Fields, Made};
use super::{Export, instant, say};
use crate::actor::{Millis, Role};
use crate::field::{FieldName, ListName};
use crate::record::{Row, TouchpointRow};
use crate::touchpoint::{BookedTime, Standing, TouchpointState, standing};

impl Export<'_> {
    /// Agreed follow-ups. Without a booked visit they are proposals.
    pub(super) fn touchpoints(&self) -> Vec<Made> {
        self.record.touchpoints.iter().map(|row| self.touchpoint(row)).collect()
    }

    fn touchpoint(&self, row: &Row<TouchpointRow>) -> Made {
        let mut fields = Fields::of(self, ListName::Touchpoints, row);
        let TouchpointRow { content, state, note } = &row.content;
        fields.plain(FieldName::TouchpointsContent, "Follow-up", content);
        fields.register(FieldName::TouchpointsState, "What became of it", state, said);
        fields.plain(FieldName::TouchpointsNote, "About that", note);
        let touchpoint = content.value();
        let due = touchpoint.and_then(|touchpoint| touchpoint.due.as_ref());
        let booked = state.value().and_then(|state| state.booked.as_ref());
        let held = booked.and_then(|booked| self.source.held.get(&booked.visit)).copied();
        let stands = standing(due, state.value(), held, self.source.now, &self.source.today);
        let status = status(stands);
        let came = match status {
            "proposed" => "needs-action",
            "noshow" | "cancelled" => "declined",
            _ => "accepted",
        };
        let who = |who: Obj, answer: &str| Obj::new().with("actor", who).with("status", answer);
        let mut participants = vec![who(self.patient_ref(), came)];
        match booked {
            // Whose media was there stands nowhere: expected is what is known of the others.
            Some(booked) => participants.extend(
                booked.with.iter().filter(|one| one.role != Role::Patient).map(|one| {
                    let shown = format!("{} ({})", one.name, say::value(&one.role));
                    who(Obj::new().with("display", shown), "accepted")
                }),
            ),
            None => {
                let members = touchpoint.map(|touchpoint| touchpoint.members.as_slice());
                let members = members.unwrap_or_default().iter();
                participants.extend(
                    members.filter(|role| **role != Role::Patient).map(|role| {
                        who(Obj::new().with("display", say::value(role)), "needs-action")
                    }),
                );
            }
        }
        let description = match touchpoint {
            Some(touchpoint) => touchpoint.purpose.clone(),
            None => fields.open().join(" "),
        };
        let comment = touchpoint.map(|touchpoint| {
            let when = format!("{} {}", touchpoint.when, touchpoint.frequency);
            let note = note.value().map(|note| note.0.as_str()).unwrap_or_default();
            [when.trim(), note]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(". ")
        });
        let format = booked.map(|booked| booked.format);
        let format = format.or_else(|| touchpoint.map(|touchpoint| touchpoint.format));
        let period = due
            .filter(|_due| booked.is_none())
            .map(|day| vec![Obj::new().with("end", day.as_str())]);
        let mut resource = Obj::new()
            .with("status", status)
            .with("appointmentType", format.map(|format| words(&say::value(&format))))
            .with("description", description)
            .with("comment", comment)
            .with("participant", participants)
            .with("requestedPeriod", period);
        match booked.and_then(hours) {
            Some((start, end, minutes)) => {
                resource = resource
                    .with("start", instant(start))
                    .with("end", instant(end))
                    .with("minutesDuration", minutes);
            }
            // Everything but a proposal and a cancellation has a start and an end (FHIR R4, Appointment, app-3); of what
            // took place elsewhere nobody knows the hour.
            None if !matches!(status, "proposed" | "cancelled") => {
                let unknown = || Obj::new().with("extension", [absent("unknown")]);
                resource = resource.with("_start", unknown()).with("_end", unknown());
            }
            None => {}
        }
        fields.resource("Appointment", row.id, resource)
    }
}

/// `Appointment.status`.
const fn status(standing: Standing) -> &'static str {
    match standing {
        Standing::Planned | Standing::Overdue => "proposed",
        Standing::Booked | Standing::Unsaid => "booked",
        Standing::Done => "fulfilled",
        Standing::Missed => "noshow",
        Standing::Cancelled => "cancelled",
    }
}

fn hours(booked: &BookedTime) -> Option<(Millis, Millis, u16)> {
    let end = booked.starts_ms.0.checked_add(i64::from(booked.minutes).checked_mul(60_000)?)?;
    Some((booked.starts_ms, Millis(end), booked.minutes))
}

/// "booked for 2026-12-08 10:00 America/New_York, 30 minutes, video, with Ruth Delgado, Ana Reyes; before 2026-12-01 09:00"
fn said(state: &TouchpointState) -> String {
    let hour = |hour: &str| hour.replace('T', " ");
    let mut parts = vec![say::value(&state.step)];
    if let Some(on) = &state.on {
        parts.push(format!("on {}", on.as_str()));
    }
    if let Some(BookedTime { starts, zone, minutes, format, with, .. }) = &state.booked {
        let names: Vec<&str> = with.iter().map(|one| one.name.as_str()).collect();
        let names = names.join(", ");
        let format = say::value(format);
        parts.push(format!(
            "for {} {zone}, {minutes} minutes, {format}, with {names}",
            hour(starts.as_str())
        ));
    }
    if let Some(before) = &state.moved_from {
        parts.push(format!("before {}", hour(before.as_str())));
    }
    parts.join("; ")
}
