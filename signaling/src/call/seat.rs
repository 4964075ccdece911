//! One seat in a call.

use std::collections::BTreeMap;

use clinical::actor::{Millis, Role};
use clinical::id::{ConnectionId, PersonId, SeatId};
use clinical::phi::Phi;

use super::resume;
use crate::effect::Standing;
use crate::message::{Loss, MediaSource, Rid, RosterSeat, SeatMedia, SeatState, SlotMap};
use crate::presence::Presence;

/// Who sits on a seat, as the shell found it in the visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatFacts {
    /// The seat.
    pub seat: SeatId,
    /// Its person.
    pub person: PersonId,
    /// Name to show.
    pub name: Phi<String>,
    /// Its role.
    pub role: Role,
}

/// Whether a seat is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It is, by this connection.
    Up(ConnectionId),
    /// It was until then. Others see nothing of it at first.
    Lost {
        /// Since when.
        since: Millis,
        /// What others see by now.
        seen: Lost,
    },
    /// Left by its own word.
    Left {
        /// Since when.
        since: Millis,
    },
}

/// How a lost line looks to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// A reload, or a change from Wi-Fi to cellular: not worth a word.
    Unseen,
    /// Reconnecting.
    Reconnecting,
    /// Given up.
    Absent,
}

/// A seat that has joined.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) facts: SeatFacts,
    /// Place in the order of joining.
    pub(super) place: u64,
    pub(super) standing: Standing,
    /// Since when it stands so.
    pub(super) standing_since: Millis,
    pub(super) line: Line,
    pub(super) presence: Presence,
    pub(super) media: Media,
    /// Since when no media of it comes that is good for something, if so.
    pub(super) uncarried_since: Option<Millis>,
    /// What others see of that.
    pub(super) shown_media: SeatMedia,
}

/// What the relay says of a seat's transport. Begins anew with each.
#[derive(Debug, Default)]
pub(super) struct Media {
    /// Whether it is up.
    pub(super) connected: bool,
    /// What its slots carry, by mid.
    pub(super) slots: BTreeMap<String, SlotMap>,
    /// Since when nothing has come over it, if so.
    pub(super) quiet_since: Option<Millis>,
    pub(super) loss: Loss,
    /// Which layers of its sources are looked at, where not all are.
    pub(super) layers: BTreeMap<MediaSource, Vec<Rid>>,
}

impl Seat {
    pub(super) const fn is_admitted(&self) -> bool {
        matches!(self.standing, Standing::Admitted)
    }

    /// Whether it holds up the queue: a seat that waits, with somebody in front of the screen.
    pub(super) const fn waits_here(&self) -> bool {
        matches!((self.standing, self.line), (Standing::Waiting, Line::Up(_)))
    }

    pub(super) const fn connection(&self) -> Option<ConnectionId> {
        match self.line {
            Line::Up(connection) => Some(connection),
            Line::Lost { .. } | Line::Left { .. } => None,
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Millis> {
        let line = match self.line {
            Line::Lost { since, seen } => resume::due(since, seen),
            Line::Up(_) | Line::Left { .. } => None,
        };
        line.into_iter().chain(self.media_due()).min()
    }

    /// Whether media is to be expected of it: who sends nothing is silent without a fault.
    pub(super) const fn sends(&self) -> bool {
        let Presence { muted, camera_off, camera_resting, .. } = &self.presence;
        !(*muted && (*camera_off || *camera_resting))
    }

    /// The seat as others see it.
    pub(super) fn in_roster(&self) -> RosterSeat {
        let SeatFacts { seat, person, name, role } = &self.facts;
        let (state, since) = match (self.standing, self.line) {
            (Standing::Waiting, Line::Up(_) | Line::Lost { seen: Lost::Unseen, .. }) => {
                (SeatState::Waiting, self.standing_since)
            }
            // A seat that waits is admitted by a person who expects somebody there, so a lost line shows as absence
            // at once; the place in the queue stays.
            (Standing::Waiting, Line::Lost { since, seen: Lost::Reconnecting | Lost::Absent }) => {
                (SeatState::Absent, since)
            }
            // The socket of a dead network looks alive for a long time; the media tells at once.
            (Standing::Admitted, Line::Up(_) | Line::Lost { seen: Lost::Unseen, .. }) => {
                match self.media.quiet_since.filter(|_| self.sends()) {
                    Some(since) => (SeatState::Reconnecting, since),
                    None => (SeatState::Present, self.standing_since),
                }
            }
            (Standing::Admitted, Line::Lost { since, seen: Lost::Reconnecting }) => {
                (SeatState::Reconnecting, since)
            }
            (Standing::Admitted, Line::Lost { since, seen: Lost::Absent })
            | (Standing::Admitted | Standing::Waiting, Line::Left { since }) => {
                (SeatState::Absent, since)
            }
        };
        RosterSeat {
            seat: *seat,
            person: *person,
            name: name.clone(),
            role: *role,
            state,
            since_ms: since,
            presence: self.presence.clone(),
            loss: self.media.loss,
            media: self.shown_media,
        }
    }
}
