//! A call in virtual time, and what of it counts.

use clinical::time::{Attendance, Event, Modality, Segment, Setting, segments};

use super::*;

/// A call whose disk answers at once, and what it said.
pub(super) struct Timed {
    pub(super) call: Call,
    pub(super) events: Vec<Event>,
    pub(super) said: Vec<Effect>,
}

impl Timed {
    pub(super) fn begin(call: Call) -> Self {
        Self { call, events: Vec::new(), said: Vec::new() }
    }

    /// A pharmacist and a patient who see each other since second 1.
    pub(super) fn talking() -> Self {
        let mut visit = Self::begin(call(VisitKind::FollowUp));
        visit.join(0, PHARMACIST, Role::Pharmacist);
        visit.media(100, MediaEvent::Connected { seat: seat(PHARMACIST) });
        visit.join(200, PATIENT, Role::Patient);
        visit.say(300, PHARMACIST, ClientMessage::Admit { seat: seat(PATIENT), agreed: true });
        visit.media(1_000, MediaEvent::Connected { seat: seat(PATIENT) });
        visit
    }

    /// Carries out effects, and stores what is to be stored.
    pub(super) fn carry_out(&mut self, ms: i64, effects: Vec<Effect>) {
        for effect in effects {
            self.said.push(effect.clone());
            match effect {
                Effect::Time(event) => self.events.push(event),
                Effect::KeepTelephone { n, .. } => {
                    let more = self.call.telephone_kept(at(ms), n, Kept::Yes);
                    self.carry_out(ms, more);
                }
                _ => {}
            }
        }
    }

    pub(super) fn join(&mut self, ms: i64, n: u128, role: Role) {
        let effects = self.call.join(at(ms), who(n, role), line(n)).unwrap();
        self.carry_out(ms, effects);
    }

    pub(super) fn say(&mut self, ms: i64, n: u128, message: ClientMessage) {
        let effects = self.call.handle(at(ms), line(n), message);
        self.carry_out(ms, effects);
    }

    pub(super) fn media(&mut self, ms: i64, event: MediaEvent) {
        let effects = self.call.handle_media(at(ms), event);
        self.carry_out(ms, effects);
    }

    pub(super) fn up(&mut self, ms: i64, n: u128) {
        self.media(ms, MediaEvent::Connected { seat: seat(n) });
    }

    /// Lets time pass, with every timer on the way.
    pub(super) fn pass(&mut self, to_ms: i64) {
        while let Some(due) = self.call.poll_timeout().filter(|due| *due <= at(to_ms)) {
            let effects = self.call.handle_timeout(due);
            self.carry_out(due.0 - START.0, effects);
        }
    }

    pub(super) fn segments(&self, until_ms: i64) -> Vec<(i64, i64, Modality, bool)> {
        let call = Attendance { events: self.events.clone(), until: at(until_ms) };
        segments(&[call], Setting::Remote, 120)
            .into_iter()
            .map(|Segment { start, stop, modality, counted }| {
                (start.0 - START.0, stop.0 - START.0, modality, counted)
            })
            .collect()
    }
}
