//! The visit that goes on by telephone: the same visit, seats, record and ledger, while the pharmacist and the patient
//! talk over a line we do not carry. Nobody but the pharmacist knows when that is, so it is so from when they say it
//! until they say that it is over.
//!
//! It is told to others only once it is stored: a crash in between leaves the visit as everybody saw it.

use clinical::actor::Millis;
use clinical::id::{ConnectionId, SeatId};

use super::seat::{Line, Lost, Seat};
use super::{Call, refuse};
use crate::Role;
use crate::audit::Deed;
use crate::effect::Effect;
use crate::message::{Power, RefusalCode, SeatMedia, TelephoneFacts, TelephoneStep};

/// How long media may be gone or useless before the telephone is offered. Longer keeps two people looking at a frozen
/// picture, shorter offers it for every tunnel a train goes through (DOMAIN R0.3a: 60 s).
const UNUSABLE_AFTER_MS: i64 = 60_000;

/// How long media may be gone before it is shown. A reload takes about one second.
const UNSEEN_MS: i64 = 2_000;

/// Loss from which speech cannot be followed any more, in percent of the packets.
const USELESS: u8 = 30;

/// A telephone call beside the visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Telephone {
    /// Since when.
    pub since: Millis,
    /// Who said so, and speaks with the patient.
    pub by: SeatId,
}

/// What is said about the telephone.
#[derive(Debug, Default)]
pub(super) struct Phone {
    /// The telephone call that goes on, as it is stored.
    pub(super) on: Option<Telephone>,
    /// What waits to be stored.
    asked: Option<Asked>,
    /// Number of the next thing to be stored.
    next: u64,
}

/// Something somebody said, which nobody has been told yet.
#[derive(Clone, Copy, Debug)]
struct Asked {
    n: u64,
    from: SeatId,
    connection: ConnectionId,
    at: Millis,
    to: Option<Telephone>,
}

impl Phone {
    /// As it was before the server was restarted.
    pub(super) const fn resumed(on: Option<Telephone>) -> Self {
        Self { on, asked: None, next: 0 }
    }
}

/// Whether something was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is on the disk.
    Yes,
    /// It is not.
    No,
}

impl Call {
    /// Somebody says that the visit goes on by telephone, or does not any more.
    pub(super) fn telephone(
        &mut self,
        now: Millis,
        from: SeatId,
        connection: ConnectionId,
        step: TelephoneStep,
        out: &mut Vec<Effect>,
    ) {
        if !self.allow(now, from, connection, Power::Telephone, "telephone", out) {
            return;
        }
        // Of two who press at once the second presses again, and sees the first one's result.
        if self.phone.asked.is_some() {
            return refuse(connection, "telephone", RefusalCode::Busy, out);
        }
        let (to, deed) = match (step, self.phone.on) {
            // Whoever is still there goes on with their call.
            (TelephoneStep::Begin, Some(on)) if self.speaks(on.by) => return,
            (TelephoneStep::Begin, _) => {
                (Some(Telephone { since: now, by: from }), Deed::ConvertedToPhone)
            }
            (TelephoneStep::BackToVideo | TelephoneStep::Over, None) => return,
            (TelephoneStep::BackToVideo, Some(_)) if !self.patient_is_seen_or_heard() => {
                return refuse(connection, "telephone", RefusalCode::WrongState, out);
            }
            (TelephoneStep::BackToVideo, Some(_)) => (None, Deed::BackToVideo),
            (TelephoneStep::Over, Some(_)) => (None, Deed::PhoneOver),
        };
        let n = self.store_telephone(now, from, to, deed, out);
        self.phone.asked = Some(Asked { n, from, connection, at: now, to });
    }

    /// What an [`Effect::KeepTelephone`] came to.
    pub fn telephone_kept(&mut self, now: Millis, n: u64, kept: Kept) -> Vec<Effect> {
        let mut out = Vec::new();
        let Some(asked) = self.phone.asked.filter(|asked| asked.n == n) else { return out };
        self.phone.asked = None;
        match kept {
            Kept::Yes => {
                self.phone.on = asked.to;
                // From the moment it was said, however long the disk took.
                self.settle_time(asked.at, &mut out);
            }
            Kept::No if self.connections.get(&asked.connection) == Some(&asked.from) => {
                refuse(asked.connection, "telephone", RefusalCode::Busy, &mut out);
            }
            Kept::No => {}
        }
        self.settle(now, &mut out);
        out
    }

    /// Whoever speaks on the telephone is gone from the visit by their own word, or their seat is: so is that call.
    pub(super) fn hang_up(&mut self, now: Millis, seat: SeatId, out: &mut Vec<Effect>) {
        let asked = self.phone.asked.filter(|asked| asked.from == seat);
        let speaks = self.phone.on.is_some_and(|on| on.by == seat);
        if speaks || asked.is_some_and(|asked| asked.to.is_some()) {
            self.phone.asked = None;
            self.phone.on = None;
            self.store_telephone(now, seat, None, Deed::PhoneOver, out);
        }
    }

    fn store_telephone(
        &mut self,
        now: Millis,
        from: SeatId,
        telephone: Option<Telephone>,
        deed: Deed,
        out: &mut Vec<Effect>,
    ) -> u64 {
        let n = self.phone.next;
        self.phone.next = n.saturating_add(1);
        if let Some(entry) = self.entry(now, from, deed) {
            out.push(Effect::KeepTelephone { n, telephone, entry });
        }
        n
    }

    /// Whether this visit may go on by telephone: it is about a patient who has a seat, and its time counts.
    pub(super) const fn has_telephone(&self) -> bool {
        self.facts.kind.has_billing_timer() && self.facts.patient_seat.is_some()
    }

    /// Whether a seat is there to speak on the telephone.
    pub(super) fn speaks(&self, seat: SeatId) -> bool {
        self.seats.get(&seat).is_some_and(|seat| matches!(seat.line, Line::Up(_)))
    }

    /// Whether media of the patient's own seat comes.
    fn patient_is_seen_or_heard(&self) -> bool {
        let patient = self.facts.patient_seat.and_then(|seat| self.seats.get(&seat));
        patient.is_some_and(|seat| seat.is_admitted() && seat.sends() && seat.is_carried())
    }

    /// What a seat may know of it. A patient who still waits is told that they are being called, and by nobody's name.
    pub(super) fn telephone_for(&self, seat: &Seat) -> Option<TelephoneFacts> {
        let Telephone { since, by } = self.on_the_line()?;
        if seat.is_admitted() {
            return Some(TelephoneFacts { since_ms: since, by: Some(by) });
        }
        (seat.facts.role == Role::Patient).then_some(TelephoneFacts { since_ms: since, by: None })
    }

    /// Whether a seat's microphone is silent here because its person speaks on the telephone: heard twice, everybody
    /// would hear an echo.
    pub(super) fn is_on_telephone(&self, seat: SeatId) -> bool {
        self.on_the_line().is_some() && self.facts.patient_seat == Some(seat)
    }

    /// The telephone call, unless nobody has seen the page of whoever speaks for so long that they count as gone: then
    /// those who are still here hear the patient again, and it goes on when that page is back.
    fn on_the_line(&self) -> Option<Telephone> {
        let is_gone = |by| {
            let line = self.seats.get(&by).map(|seat| &seat.line);
            matches!(line, Some(Line::Lost { seen: Lost::Absent, .. }))
        };
        self.phone.on.filter(|on| !is_gone(on.by))
    }

    /// Looks how the media of each seat gets through.
    pub(super) fn settle_media(&mut self, now: Millis) {
        for seat in self.seats.values_mut() {
            seat.look_at_media(now);
        }
    }
}

impl Seat {
    /// Whether its media comes, and is good for something.
    pub(super) fn is_carried(&self) -> bool {
        let away = matches!(
            self.line,
            Line::Left { .. } | Line::Lost { seen: Lost::Reconnecting | Lost::Absent, .. }
        );
        let silent = self.media.quiet_since.is_some() && self.sends();
        let useless = self.media.loss.from.max(self.media.loss.to) >= USELESS;
        !away && self.media.connected && !silent && !useless
    }

    fn look_at_media(&mut self, now: Millis) {
        if !self.is_admitted() || matches!(self.line, Line::Left { .. }) {
            (self.uncarried_since, self.shown_media) = (None, SeatMedia::Off);
            return;
        }
        if self.is_carried() {
            (self.uncarried_since, self.shown_media) = (None, SeatMedia::Live);
            return;
        }
        let since = *self.uncarried_since.get_or_insert(match self.line {
            Line::Lost { since, .. } => since,
            Line::Up(_) | Line::Left { .. } => now,
        });
        let gone_ms = now.0.saturating_sub(since.0);
        if gone_ms >= UNUSABLE_AFTER_MS {
            self.shown_media = SeatMedia::Unusable;
        } else if gone_ms >= UNSEEN_MS {
            self.shown_media = SeatMedia::Off;
        }
    }

    /// When its media looks different.
    pub(super) fn media_due(&self) -> Option<Millis> {
        let since = self.uncarried_since?;
        let after = match self.shown_media {
            SeatMedia::Live => UNSEEN_MS,
            SeatMedia::Off => UNUSABLE_AFTER_MS,
            SeatMedia::Unusable => return None,
        };
        Some(Millis(since.0.saturating_add(after)))
    }
}
