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
        if self.over.is_some() {
            return;
        }
        for (seat, side) in self.timed_seats() {
            if let Some(live) = self.to_say(seat, side)
                && self.due(seat) <= now
            {
                self.say(seat, side, live, now, out);
            }
        }
    }

    /// A seat is taken out of the call: its time ends.
    pub(super) fn end_time(&mut self, seat: SeatId, now: Millis, out: &mut Vec<Effect>) {
        let side = self.seats.get(&seat).and_then(|seat| role::billing_side(seat.facts.role));
        if let Some(side) = side
            && self.timed.get(&seat).is_some_and(|(live, _)| *live != Live::Off)
        {
            self.say(seat, side, Live::Off, now, out);
        }
    }

    /// When a change that waits is due.
    pub(super) fn time_due(&self) -> Option<Millis> {
        let waits = |(seat, side): &(SeatId, Side)| self.to_say(*seat, *side).is_some();
        self.timed_seats().into_iter().filter(waits).map(|(seat, _)| self.due(seat)).min()
    }

    /// Whose time may count: also the patient's who never came, and is called by telephone.
    fn timed_seats(&self) -> Vec<(SeatId, Side)> {
        if !self.facts.kind.has_billing_timer() {
            return Vec::new();
        }
        let absent = self.facts.patient_seat.filter(|seat| !self.seats.contains_key(seat));
        let here = self
            .seats
            .values()
            .filter_map(|seat| Some((seat.facts.seat, role::billing_side(seat.facts.role)?)));
        here.chain(absent.map(|seat| (seat, Side::Patient))).collect()
    }

    fn say(&mut self, seat: SeatId, side: Side, live: Live, now: Millis, out: &mut Vec<Effect>) {
        self.timed.insert(seat, (live, now));
        out.push(Effect::Time(Event { at: now, seat, side, live }));
    }

    /// What a seat has, if that was not said yet.
    fn to_say(&self, seat: SeatId, side: Side) -> Option<Live> {
        let said = self.timed.get(&seat).map_or(Live::Off, |(live, _)| *live);
        let live = self.live_of(seat, side);
        (live != said).then_some(live)
    }

    fn due(&self, seat: SeatId) -> Millis {
        let said = self.timed.get(&seat);
        said.map_or(Millis(i64::MIN), |(_, at)| Millis(at.0.saturating_add(LEAST_MS)))
    }

    /// What a seat has. While the visit goes on by telephone, that is what counts, whatever media still comes; and it
    /// counts only while the page of whoever telephones is there: a telephone nobody hung up makes no time.
    fn live_of(&self, seat: SeatId, side: Side) -> Live {
        let media = self.seats.get(&seat).map_or(Live::Off, live);
        match (self.phone.on, side) {
            (None, Side::Patient | Side::Pharmacist) => media,
            (Some(on), Side::Pharmacist) if on.by != seat => media,
            (Some(on), Side::Patient | Side::Pharmacist) => {
                let called = on.by == seat || self.facts.patient_seat == Some(seat);
                if self.speaks(on.by) && (called || media != Live::Off) {
                    Live::Phone
                } else {
                    Live::Off
                }
            }
        }
    }
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
