//! What everybody has been told, and the difference to what is.
//!
//! Everybody in the call is told at once of each change, so what they know of each other is kept once, not by each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;

use clinical::actor::{Millis, Role};
use clinical::id::{ConnectionId, RecordId, SeatId};

use super::seat::{Line, Seat};
use super::{Call, send};
use crate::effect::{Effect, Muted, Standing};
use crate::message::{
    Admission, MediaSource, Rid, RosterSeat, ServerMessage, SlotMap, TelephoneFacts,
};
use crate::role;

const SOURCES: [MediaSource; 4] =
    [MediaSource::Mic, MediaSource::Cam, MediaSource::Screen, MediaSource::ScreenAudio];

/// What was said so far, to connections and to the shell.
#[derive(Debug)]
pub(super) struct Told {
    connections: BTreeMap<ConnectionId, Heard>,
    /// Every seat as those saw it who may.
    roster: BTreeMap<SeatId, Row>,
    /// From whom all audiences follow: who is in the call, with the role.
    in_call: Vec<(SeatId, Role)>,
    muted: BTreeMap<(SeatId, MediaSource), Muted>,
    standings: BTreeMap<SeatId, Standing>,
}

/// What one connection has heard.
#[derive(Debug)]
struct Heard {
    seat: SeatId,
    admission: Admission,
    telephone: Option<TelephoneFacts>,
    call: Option<HeardOfCall>,
}

/// What a connection whose seat is in the call has heard of it.
#[derive(Debug, Default)]
struct HeardOfCall {
    speaker: Option<SeatId>,
    slots: BTreeMap<String, SlotMap>,
    layers: BTreeMap<MediaSource, Vec<Rid>>,
    record: Option<RecordId>,
}

impl Told {
    pub(super) const fn new() -> Self {
        Self {
            connections: BTreeMap::new(),
            roster: BTreeMap::new(),
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
        self.settle_media(now);
        let mut told = std::mem::replace(&mut self.told, Told::new());
        self.settle_standings(&mut told, out);
        // Who may receive is said before anybody is told: no packet may be ahead of the screen.
        self.settle_audiences(&mut told, out);
        let staff_present = self.staff_present();
        let roster: BTreeMap<SeatId, Row> =
            self.seats.iter().map(|(key, seat)| (*key, Row::of(seat))).collect();
        let before = std::mem::take(&mut told.roster);
        let news = News::between(&before, &roster);
        for (connection, key) in &self.connections {
            if let Some(seat) = self.seats.get(key) {
                let place = Place { connection: *connection, seat, staff_present };
                self.settle_connection(now, place, &news, &mut told, out);
            }
        }
        told.roster = roster;
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
                (MediaSource::Mic, seat.presence.muted || self.is_on_telephone(*key)),
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

    fn change_audiences(&self, in_call: &[(SeatId, Role)], told: &Told, out: &mut Vec<Effect>) {
        let known: BTreeSet<SeatId> =
            told.in_call.iter().chain(in_call).map(|(seat, _)| *seat).collect();
        for publisher in known {
            for source in SOURCES {
                let to = audience(in_call, publisher, source);
                if audience(&told.in_call, publisher, source) != to {
                    out.push(Effect::Audience { publisher, source, to });
                }
            }
        }
    }

    fn settle_connection(
        &self,
        now: Millis,
        place: Place<'_>,
        news: &News<'_>,
        told: &mut Told,
        out: &mut Vec<Effect>,
    ) {
        let Place { connection, seat, staff_present } = place;
        let admission = self.admission(seat, staff_present);
        let heard = match told.connections.remove(&connection) {
            None => {
                send(connection, self.welcome(now, seat, connection, admission.clone()), out);
                Heard { seat: seat.facts.seat, admission, telephone: None, call: None }
            }
            Some(heard) if heard.admission == admission => heard,
            Some(Heard { seat: key, admission: before, telephone, mut call }) => {
                if discriminant(&before) != discriminant(&admission) {
                    if call.take().is_some_and(|call| call.record.is_some()) {
                        out.push(Effect::Record { connection, access: None });
                    }
                    send(connection, self.welcome(now, seat, connection, admission.clone()), out);
                }
                send(connection, ServerMessage::Admission { admission: admission.clone() }, out);
                Heard { seat: key, admission, telephone, call }
            }
        };
        let Heard { seat: key, admission, telephone: heard, call } = heard;
        let call = seat.is_admitted().then(|| self.settle_call(connection, seat, news, call, out));
        let telephone = self.telephone_for(seat);
        if telephone != heard {
            send(connection, ServerMessage::Telephone { telephone }, out);
        }
        told.connections.insert(connection, Heard { seat: key, admission, telephone, call });
    }

    /// What a seat in the call has to hear.
    fn settle_call(
        &self,
        connection: ConnectionId,
        seat: &Seat,
        news: &News<'_>,
        heard: Option<HeardOfCall>,
        out: &mut Vec<Effect>,
    ) -> HeardOfCall {
        let admits = role::may_admit(seat.facts.role);
        let heard = match heard {
            None => {
                let mut seats: Vec<&Row> =
                    news.roster.values().filter(|it| it.is_for(admits)).collect();
                seats.sort_by_key(|row| row.place);
                let seats = seats.into_iter().map(|row| row.seat.clone()).collect();
                send(connection, ServerMessage::Roster { seats }, out);
                HeardOfCall::default()
            }
            Some(heard) => {
                news.tell(connection, admits, out);
                heard
            }
        };
        let HeardOfCall { speaker, slots, layers, record } = heard;
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
            speaker: self.speaker,
            slots: seat.media.slots.clone(),
            layers: seat.media.layers.clone(),
            record: access,
        }
    }
}

/// What others see of a seat, and which others.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    place: u64,
    is_in_call: bool,
    seat: RosterSeat,
}

impl Row {
    fn of(seat: &Seat) -> Self {
        Self { place: seat.place, is_in_call: is_in_call(seat), seat: seat.in_roster() }
    }

    /// Everybody sees who is in the call, and those who admit also who waits and who left.
    const fn is_for(&self, admits: bool) -> bool {
        admits || self.is_in_call
    }
}

/// The roster, and what of it has changed since everybody was told.
struct News<'a> {
    roster: &'a BTreeMap<SeatId, Row>,
    /// Each seat as it was and as it is, where that differs.
    changes: Vec<(SeatId, Option<&'a Row>, Option<&'a Row>)>,
}

impl<'a> News<'a> {
    fn between(before: &'a BTreeMap<SeatId, Row>, roster: &'a BTreeMap<SeatId, Row>) -> Self {
        let gone = before.iter().filter(|(key, _)| !roster.contains_key(key));
        let gone = gone.map(|(key, row)| (*key, Some(row), None));
        let changes = gone
            .chain(roster.iter().map(|(key, row)| (*key, before.get(key), Some(row))))
            .filter(|(_, was, is)| was != is)
            .collect();
        Self { roster, changes }
    }

    fn tell(&self, connection: ConnectionId, admits: bool, out: &mut Vec<Effect>) {
        let seen = |row: Option<&'a Row>| row.filter(|row| row.is_for(admits)).map(|row| &row.seat);
        let changes = || self.changes.iter().map(|(key, was, is)| (*key, seen(*was), seen(*is)));
        for (seat, was, is) in changes() {
            if was.is_some() && is.is_none() {
                send(connection, ServerMessage::SeatGone { seat }, out);
            }
        }
        for (_, was, is) in changes() {
            if let Some(seat) = is.filter(|_| was != is) {
                send(connection, ServerMessage::Seat { seat: seat.clone() }, out);
            }
        }
    }
}

/// One connection's place.
struct Place<'a> {
    connection: ConnectionId,
    seat: &'a Seat,
    staff_present: bool,
}

/// Who receives a source of this publisher, while these are in the call.
fn audience(in_call: &[(SeatId, Role)], publisher: SeatId, source: MediaSource) -> Vec<SeatId> {
    let mut others = Vec::new();
    let mut may_publish = false;
    for (seat, role) in in_call {
        if *seat == publisher {
            may_publish = role::may_publish(*role, source);
        } else {
            others.push(*seat);
        }
    }
    if may_publish { others } else { Vec::new() }
}

/// Whether it receives and may be seen by everybody.
const fn is_in_call(seat: &Seat) -> bool {
    seat.is_admitted() && !matches!(seat.line, Line::Left { .. })
}
