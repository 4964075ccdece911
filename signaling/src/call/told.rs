//! What everybody has been told, and the difference to what is.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;

use clinical::actor::{Millis, Role};
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
    /// From whom `audiences` follows: who is in the call, with the role.
    in_call: Vec<(SeatId, Role)>,
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
            in_call: Vec::new(),
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
        self.settle_time(now, out);
        let mut told = std::mem::replace(&mut self.told, Told::new());
        self.settle_standings(&mut told, out);
        // Who may receive is said before anybody is told: no packet may be ahead of the screen.
        self.settle_audiences(&mut told, out);
        let staff_present = self.staff_present();
        let rows: Vec<Row<'_>> =
            self.seats.iter().map(|(key, seat)| (*key, seat, seat.in_roster())).collect();
        for (connection, key) in &self.connections {
            if let Some(seat) = self.seats.get(key) {
                let place = Place { connection: *connection, seat, staff_present };
                self.settle_connection(now, place, &rows, &mut told, out);
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
        let in_call: Vec<(SeatId, Role)> = self
            .seats
            .iter()
            .filter(|(_, seat)| is_in_call(seat))
            .map(|(key, seat)| (*key, seat.facts.role))
            .collect();
        if told.in_call != in_call {
            self.change_audiences(&in_call, told, out);
            told.in_call = in_call;
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

    fn change_audiences(&self, in_call: &[(SeatId, Role)], told: &mut Told, out: &mut Vec<Effect>) {
        let known: BTreeSet<SeatId> = told
            .audiences
            .keys()
            .map(|(seat, _)| *seat)
            .chain(in_call.iter().map(|(seat, _)| *seat))
            .collect();
        for publisher in known {
            let role = in_call.iter().find(|(seat, _)| *seat == publisher).map(|(_, role)| *role);
            for source in SOURCES {
                let to: Vec<SeatId> = if role.is_some_and(|role| role::may_publish(role, source)) {
                    in_call.iter().map(|(seat, _)| *seat).filter(|key| *key != publisher).collect()
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
    }

    fn settle_connection(
        &self,
        now: Millis,
        place: Place<'_>,
        rows: &[Row<'_>],
        told: &mut Told,
        out: &mut Vec<Effect>,
    ) {
        let Place { connection, seat, staff_present } = place;
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
        let call = seat.is_admitted().then(|| self.settle_call(connection, seat, rows, call, out));
        told.connections.insert(connection, Heard { seat: key, admission, call });
    }

    /// What a seat in the call has to hear.
    fn settle_call(
        &self,
        connection: ConnectionId,
        seat: &Seat,
        rows: &[Row<'_>],
        heard: Option<HeardOfCall>,
        out: &mut Vec<Effect>,
    ) -> HeardOfCall {
        let admits = role::may_admit(seat.facts.role);
        // Everybody in the call, and for those who admit also who waits and who left.
        let seen = || rows.iter().filter(|(_, of, _)| admits || is_in_call(of));
        let mut heard = match heard {
            None => {
                let mut seats: Vec<(u64, RosterSeat)> =
                    seen().map(|(_, of, row)| (of.place, row.clone())).collect();
                seats.sort_by_key(|(place, _)| *place);
                let seats = seats.into_iter().map(|(_, row)| row).collect();
                send(connection, ServerMessage::Roster { seats }, out);
                let roster = seen().map(|(key, _, row)| (*key, row.clone())).collect();
                HeardOfCall { roster, ..HeardOfCall::default() }
            }
            Some(heard) => heard,
        };
        heard.roster.retain(|key, _| {
            let stays = self.seats.get(key).is_some_and(|of| admits || is_in_call(of));
            if !stays {
                send(connection, ServerMessage::SeatGone { seat: *key }, out);
            }
            stays
        });
        for (key, _, row) in seen() {
            if heard.roster.get(key) != Some(row) {
                send(connection, ServerMessage::Seat { seat: row.clone() }, out);
                heard.roster.insert(*key, row.clone());
            }
        }
        let HeardOfCall { roster, speaker, slots, layers, record } = heard;
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
}

/// A seat with what others see of it.
type Row<'a> = (SeatId, &'a Seat, RosterSeat);

/// One connection's place.
struct Place<'a> {
    connection: ConnectionId,
    seat: &'a Seat,
    staff_present: bool,
}

/// Whether it receives and may be seen by everybody.
const fn is_in_call(seat: &Seat) -> bool {
    seat.is_admitted() && !matches!(seat.line, Line::Left { .. })
}
