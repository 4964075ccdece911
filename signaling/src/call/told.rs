//! What everybody has been told, and the difference to what is.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;

use clinical::actor::Millis;
use clinical::id::{ConnectionId, RecordId, SeatId};

use super::seat::{Line, Seat};
use super::{Call, send};
use crate::effect::{Effect, Muted, Standing};
use crate::message::{Admission, MediaSource, Rid, RosterSeat, ServerMessage, SlotMap};
use crate::role;

const SOURCES: [MediaSource; 4] =
    [MediaSource::Mic, MediaSource::Cam, MediaSource::Screen, MediaSource::ScreenAudio];

/// What was said so far, to connections and to the shell.
#[derive(Debug)]
pub(super) struct Told {
    connections: BTreeMap<ConnectionId, Heard>,
    audiences: BTreeMap<(SeatId, MediaSource), Vec<SeatId>>,
    muted: BTreeMap<(SeatId, MediaSource), Muted>,
    standings: BTreeMap<SeatId, Standing>,
}

/// What one connection has heard.
#[derive(Debug)]
struct Heard {
    seat: SeatId,
    admission: Admission,
    call: Option<HeardOfCall>,
}

/// What a connection whose seat is in the call has heard of it.
#[derive(Debug, Default)]
struct HeardOfCall {
    roster: BTreeMap<SeatId, RosterSeat>,
    speaker: Option<SeatId>,
    slots: BTreeMap<String, SlotMap>,
    layers: BTreeMap<MediaSource, Vec<Rid>>,
    record: Option<RecordId>,
}

impl Told {
    pub(super) const fn new() -> Self {
        Self {
            connections: BTreeMap::new(),
            audiences: BTreeMap::new(),
            muted: BTreeMap::new(),
            standings: BTreeMap::new(),
        }
    }

    /// The connection hears nothing any more; its record is closed.
    pub(super) fn forget_connection(&mut self, connection: ConnectionId, out: &mut Vec<Effect>) {
        let heard = self.connections.remove(&connection);
        if heard.and_then(|heard| heard.call).is_some_and(|call| call.record.is_some()) {
            out.push(Effect::Record { connection, access: None });
        }
    }
}

impl Call {
    /// Says to everybody what has changed for them.
    pub(super) fn settle(&mut self, now: Millis, out: &mut Vec<Effect>) {
        let mut told = std::mem::replace(&mut self.told, Told::new());
        self.settle_standings(&mut told, out);
        // Who may receive is said before anybody is told: no packet may be ahead of the screen.
        self.settle_audiences(&mut told, out);
        let staff_present = self.staff_present();
        for (connection, key) in &self.connections {
            if let Some(seat) = self.seats.get(key) {
                self.settle_connection(now, *connection, seat, staff_present, &mut told, out);
            }
        }
        self.told = told;
    }

    fn settle_standings(&self, told: &mut Told, out: &mut Vec<Effect>) {
        for (key, seat) in &self.seats {
            let before = told.standings.insert(*key, seat.standing);
            // A seat that begins by waiting is what the shell assumes anyway.
            if before.unwrap_or(Standing::Waiting) != seat.standing {
                out.push(Effect::Remember { seat: *key, standing: seat.standing });
            }
        }
    }

    fn settle_audiences(&self, told: &mut Told, out: &mut Vec<Effect>) {
        let in_call: Vec<SeatId> = self
            .seats
            .iter()
            .filter(|(_, seat)| seat.is_admitted() && !matches!(seat.line, Line::Left { .. }))
            .map(|(key, _)| *key)
            .collect();
        let known: BTreeSet<SeatId> =
            told.audiences.keys().map(|(seat, _)| *seat).chain(in_call.iter().copied()).collect();
        for publisher in known {
            let role = self.seats.get(&publisher).map(|seat| seat.facts.role);
            for source in SOURCES {
                let publishes = in_call.contains(&publisher)
                    && role.is_some_and(|role| role::may_publish(role, source));
                let to: Vec<SeatId> = if publishes {
                    in_call.iter().copied().filter(|key| *key != publisher).collect()
                } else {
                    Vec::new()
                };
                let before = told.audiences.get(&(publisher, source)).map(Vec::as_slice);
                if before.unwrap_or_default() != to {
                    told.audiences.insert((publisher, source), to.clone());
                    out.push(Effect::Audience { publisher, source, to });
                }
            }
        }
        for (key, seat) in &self.seats {
            let sources = [
                (MediaSource::Mic, seat.presence.muted),
                (MediaSource::Cam, seat.presence.camera_off),
            ];
            for (source, off) in sources {
                let muted = if off { Muted::Yes } else { Muted::No };
                if told.muted.insert((*key, source), muted).unwrap_or(Muted::No) != muted {
                    out.push(Effect::Mute { seat: *key, source, muted });
                }
            }
        }
    }

    fn settle_connection(
        &self,
        now: Millis,
        connection: ConnectionId,
        seat: &Seat,
        staff_present: bool,
        told: &mut Told,
        out: &mut Vec<Effect>,
    ) {
        let admission = self.admission(seat, staff_present);
        let heard = match told.connections.remove(&connection) {
            None => {
                send(connection, self.welcome(now, seat, connection, admission.clone()), out);
                Heard { seat: seat.facts.seat, admission, call: None }
            }
            Some(heard) if heard.admission == admission => heard,
            Some(Heard { seat: key, admission: before, mut call }) => {
                if discriminant(&before) != discriminant(&admission) {
                    if call.take().is_some_and(|call| call.record.is_some()) {
                        out.push(Effect::Record { connection, access: None });
                    }
                    send(connection, self.welcome(now, seat, connection, admission.clone()), out);
                }
                send(connection, ServerMessage::Admission { admission: admission.clone() }, out);
                Heard { seat: key, admission, call }
            }
        };
        let Heard { seat: key, admission, call } = heard;
        let call = seat.is_admitted().then(|| self.settle_call(connection, seat, call, out));
        told.connections.insert(connection, Heard { seat: key, admission, call });
    }

    /// What a seat in the call has to hear.
    fn settle_call(
        &self,
        connection: ConnectionId,
        seat: &Seat,
        heard: Option<HeardOfCall>,
        out: &mut Vec<Effect>,
    ) -> HeardOfCall {
        let roster = self.roster_for(seat);
        let heard = match heard {
            None => {
                let mut seats: Vec<(u64, RosterSeat)> = roster
                    .values()
                    .map(|row| {
                        (self.seats.get(&row.seat).map_or(u64::MAX, |s| s.place), row.clone())
                    })
                    .collect();
                seats.sort_by_key(|(place, _)| *place);
                let seats = seats.into_iter().map(|(_, row)| row).collect();
                send(connection, ServerMessage::Roster { seats }, out);
                HeardOfCall { roster: roster.clone(), ..HeardOfCall::default() }
            }
            Some(heard) => heard,
        };
        let HeardOfCall { roster: before, speaker, slots, layers, record } = heard;
        for gone in before.keys().filter(|key| !roster.contains_key(key)) {
            send(connection, ServerMessage::SeatGone { seat: *gone }, out);
        }
        for (key, row) in &roster {
            if before.get(key) != Some(row) {
                send(connection, ServerMessage::Seat { seat: row.clone() }, out);
            }
        }
        let access = self.record_for(seat.facts.role);
        if access != record {
            out.push(Effect::Record { connection, access });
        }
        let changed: Vec<SlotMap> = seat
            .media
            .slots
            .iter()
            .filter(|(mid, slot)| slots.get(*mid) != Some(slot))
            .map(|(_, slot)| slot.clone())
            .collect();
        if !changed.is_empty() {
            send(connection, ServerMessage::Slots { slots: changed }, out);
        }
        for (source, rids) in &seat.media.layers {
            if layers.get(source) != Some(rids) {
                let message = ServerMessage::Layers { source: *source, rids: rids.clone() };
                send(connection, message, out);
            }
        }
        if speaker != self.speaker {
            send(connection, ServerMessage::Speaker { seat: self.speaker }, out);
        }
        HeardOfCall {
            roster,
            speaker: self.speaker,
            slots: seat.media.slots.clone(),
            layers: seat.media.layers.clone(),
            record: access,
        }
    }

    /// The seats one seat may see: everybody in the call, and for those who admit also who waits and who left.
    fn roster_for(&self, viewer: &Seat) -> BTreeMap<SeatId, RosterSeat> {
        let admits = role::may_admit(viewer.facts.role);
        self.seats
            .iter()
            .filter(|(_, seat)| {
                admits || (seat.is_admitted() && !matches!(seat.line, Line::Left { .. }))
            })
            .map(|(key, seat)| (*key, seat.in_roster()))
            .collect()
    }
}
