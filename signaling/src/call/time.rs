//! Billing time: who has which live media, said to the shell whenever it changes. What counts is computed from that
//! ([`clinical::time`]); here nothing is added up.

use clinical::actor::Millis;
use clinical::id::SeatId;
use clinical::time::{Event, Live, Side};

use super::Call;
use super::seat::{Line, Seat};
use crate::effect::Effect;
use crate::message::MediaSource;
use crate::role;

/// Least time between two changes of one seat. Shorter follows a finger on the camera button closer; longer writes
/// fewer rows for somebody who plays with it. What changes in between is said when it is over.
const LEAST_MS: i64 = 500;

impl Call {
    /// Says what has changed.
    pub(super) fn settle_time(&mut self, now: Millis, out: &mut Vec<Effect>) {
        if !self.facts.kind.has_billing_timer() {
            return;
        }
        for seat in self.seats.values_mut() {
            if let Some(side) = role::billing_side(seat.facts.role)
                && let Some(live) = to_say(seat)
                && due(seat) <= now
            {
                out.push(say(seat, side, live, now));
            }
        }
    }

    /// A seat is taken out of the call: its time ends.
    pub(super) fn end_time(&mut self, seat: SeatId, now: Millis, out: &mut Vec<Effect>) {
        let Some(seat) = self.seats.get_mut(&seat) else { return };
        if let Some(side) = role::billing_side(seat.facts.role)
            && seat.timed.is_some_and(|(live, _)| live != Live::Off)
        {
            out.push(say(seat, side, Live::Off, now));
        }
    }

    /// When a change that waits is due.
    pub(super) fn time_due(&self, seat: &Seat) -> Option<Millis> {
        let counts =
            self.facts.kind.has_billing_timer() && role::billing_side(seat.facts.role).is_some();
        (counts && to_say(seat).is_some()).then(|| due(seat))
    }
}

fn say(seat: &mut Seat, side: Side, live: Live, now: Millis) -> Effect {
    seat.timed = Some((live, now));
    Effect::Time(Event { at: now, seat: seat.facts.seat, side, live })
}

/// What a seat has, if that was not said yet.
fn to_say(seat: &Seat) -> Option<Live> {
    let said = seat.timed.map_or(Live::Off, |(live, _)| live);
    let live = live(seat);
    (live != said).then_some(live)
}

fn due(seat: &Seat) -> Millis {
    seat.timed.map_or(Millis(i64::MIN), |(_, at)| Millis(at.0.saturating_add(LEAST_MS)))
}

/// What a seat has of live media.
///
/// Who sends neither sound nor picture has none: a pharmacist who mutes both and walks away does not consult. Muting
/// alone changes nothing, since it is part of listening.
fn live(seat: &Seat) -> Live {
    let here = seat.is_admitted() && !matches!(seat.line, Line::Left { .. });
    let carries = seat.media.connected && seat.media.quiet_since.is_none();
    if !here || !carries || !seat.sends() {
        return Live::Off;
    }
    let shows = !seat.presence.camera_off && !seat.presence.camera_resting;
    if shows && role::may_publish(seat.facts.role, MediaSource::Cam) {
        Live::Video
    } else {
        Live::Audio
    }
}
