//! One document of an open record and what waits for its store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use clinical::actor::{Actor, CallTime, Millis};
use clinical::change::Change;
use clinical::doc::Doc;
use clinical::edit::{Edit, EditError};
use clinical::field::Address;
use clinical::id::{ConnectionId, EditId, PersonId, SeatId};
use clinical::view::View;

use super::wishes::OwnWishes;
use super::{Effect, RecordSession, StoreFailure, send};
use crate::message::{Caret, ServerMessage};

/// Changes kept to answer a reconnecting reader with what it missed instead of everything: a minute of hard typing.
const RECENT: usize = 512;

/// A document, who reads it, and what is under way.
pub(super) struct Sheet {
    pub(super) doc: Doc,
    /// Set while the document must be read again from the store.
    pub(super) failed: Option<StoreFailure>,
    /// Everything up to here is committed.
    pub(super) settled_seq: u64,
    /// What leaves, in order.
    pub(super) queue: VecDeque<Item>,
    /// The last changes, committed or not.
    pub(super) recent: VecDeque<Change>,
    readers: BTreeMap<ConnectionId, Open>,
    clients: BTreeMap<PersonId, BTreeSet<u64>>,
}

/// A document open on a connection.
struct Open {
    view: View,
    /// Whether its snapshot has left; until then it is sent nothing.
    live: bool,
    /// `seq` it was last sent.
    sent: u64,
    caret: Option<Address>,
    /// Set where of the patient's wishes only those about the reader are shown.
    wishes: Option<OwnWishes>,
}

/// Something that leaves once the store has taken all before it.
pub(super) enum Item {
    /// A change, to everybody who sees it.
    Change(Box<Pending>),
    /// A snapshot taken at `seq`.
    Snapshot { connection: ConnectionId, seq: u64, messages: Vec<ServerMessage> },
    /// The answer to an edit sent again.
    Known { connection: ConnectionId, edit: EditId, seq: u64 },
}

/// A change under way.
pub(super) struct Pending {
    pub(super) change: Change,
    /// As the patient's side sees it. Projected when it was made: by the time it leaves the document has moved on.
    pub(super) patient_side: Option<Change>,
    pub(super) origin: Origin,
}

/// What the store did not answer for.
pub(super) struct Waiting {
    pub(super) changes: Vec<Pending>,
    /// Edits sent again.
    pub(super) known: Vec<(ConnectionId, EditId)>,
}

/// Where a change comes from.
pub(super) struct Origin {
    pub(super) connection: ConnectionId,
    pub(super) actor: Actor,
    pub(super) call: Option<CallTime>,
    /// The edit, to apply it again; a command is not.
    pub(super) edit: Option<Edit>,
}

impl Sheet {
    pub(super) fn new(doc: Doc, clients: Vec<(u64, PersonId)>) -> Self {
        let mut sheet = Self {
            settled_seq: doc.seq(),
            doc,
            failed: None,
            queue: VecDeque::new(),
            recent: VecDeque::new(),
            readers: BTreeMap::new(),
            clients: BTreeMap::new(),
        };
        for (client, person) in clients {
            sheet.assign(client, person);
        }
        sheet
    }

    pub(super) fn assign(&mut self, client: u64, person: PersonId) {
        self.clients.entry(person).or_default().insert(client);
    }

    pub(super) fn settled(&self) -> bool {
        self.settled_seq >= self.doc.seq()
    }

    /// Changes under way.
    pub(super) fn unsettled(&self) -> usize {
        usize::try_from(self.doc.seq().saturating_sub(self.settled_seq)).unwrap_or(usize::MAX)
    }

    pub(super) fn view_of(&self, connection: ConnectionId) -> Option<View> {
        self.readers.get(&connection).map(|open| open.view)
    }

    pub(super) fn open(&mut self, connection: ConnectionId, view: View, wishes: Option<OwnWishes>) {
        let before = self.readers.get(&connection);
        let sent = before.map_or(0, |open| open.sent);
        let caret = before.and_then(|open| open.caret);
        self.readers.insert(connection, Open { view, live: false, sent, caret, wishes });
    }

    pub(super) fn close(&mut self, connection: ConnectionId) {
        self.readers.remove(&connection);
        self.queue.retain(|item| match item {
            Item::Change(_) => true,
            Item::Snapshot { connection: to, .. } | Item::Known { connection: to, .. } => {
                *to != connection
            }
        });
    }

    pub(super) fn apply(
        &mut self,
        now: Millis,
        actor: &Actor,
        call: Option<CallTime>,
        edit: &Edit,
    ) -> Result<Change, EditError> {
        static NONE: BTreeSet<u64> = BTreeSet::new();
        let clients = self.clients.get(&actor.person).unwrap_or(&NONE);
        self.doc.apply(now, actor, call, edit, clients)
    }

    /// Queues a change that was just folded.
    pub(super) fn push(&mut self, change: Change, origin: Origin) {
        self.recent.push_back(change.clone());
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        let patient_side = self.doc.project_change(&change, View::PatientSide);
        self.queue.push_back(Item::Change(Box::new(Pending { change, patient_side, origin })));
    }

    /// Takes what is under way out of the queue, in order. Snapshots follow anew with the reloaded document.
    pub(super) fn take_waiting(&mut self) -> Waiting {
        let mut waiting = Waiting { changes: Vec::new(), known: Vec::new() };
        for item in std::mem::take(&mut self.queue) {
            match item {
                Item::Change(pending) => waiting.changes.push(*pending),
                Item::Known { connection, edit, seq: _ } => waiting.known.push((connection, edit)),
                Item::Snapshot { .. } => {}
            }
        }
        waiting
    }

    /// Goes on with the document as the store has it; answers who reads it.
    pub(super) fn reload(&mut self, doc: Doc) -> Vec<ConnectionId> {
        self.settled_seq = doc.seq();
        self.doc = doc;
        self.failed = None;
        self.recent.clear();
        self.readers.keys().copied().collect()
    }

    /// Where a reader's caret is; answers whether anybody needs to hear of it.
    pub(super) fn set_caret(&mut self, connection: ConnectionId, at: Option<Address>) -> bool {
        match self.readers.get_mut(&connection) {
            Some(open) => {
                let had = open.caret.is_some();
                open.caret = at;
                had || at.is_some()
            }
            None => false,
        }
    }

    /// Tells everybody else who sees the field.
    pub(super) fn tell_caret(
        &self,
        connection: ConnectionId,
        seat: SeatId,
        caret: Option<Caret>,
    ) -> Vec<Effect> {
        let doc = self.doc.id();
        self.readers
            .iter()
            .filter(|(other, open)| **other != connection && open.live)
            .map(|(other, open)| {
                // A caret that moved into a hidden field is gone from these eyes.
                let sees = |at: &Address| {
                    self.doc.sees(open.view, at) && (open.wishes.is_none() || !self.is_wish(at.row))
                };
                let caret = caret.clone().filter(|caret| sees(&caret.at));
                send(*other, ServerMessage::RecordCaret { doc, seat, caret })
            })
            .collect()
    }

    /// The wishes somebody was shown as those about themselves; `None`: every wish, or nothing.
    pub(super) fn wishes_of(&self, connection: ConnectionId) -> Option<&OwnWishes> {
        self.readers.get(&connection)?.wishes.as_ref()
    }

    /// Marks a snapshot as sent.
    fn shown(&mut self, connection: ConnectionId, seq: u64) {
        if let Some(open) = self.readers.get_mut(&connection) {
            open.live = true;
            open.sent = seq;
        }
    }
}

impl RecordSession {
    /// Lets everything go whose store has answered.
    pub(super) fn release(&mut self, index: usize, effects: &mut Vec<Effect>) {
        while let Some(sheet) = self.sheets.get_mut(index) {
            let settled = sheet.settled_seq;
            let due = sheet.failed.is_none()
                && sheet.queue.front().is_some_and(|item| match item {
                    Item::Change(pending) => pending.change.seq <= settled,
                    Item::Snapshot { seq, .. } | Item::Known { seq, .. } => *seq <= settled,
                });
            let Some(item) = (if due { sheet.queue.pop_front() } else { None }) else { return };
            match item {
                Item::Change(pending) => self.deliver(index, &pending, effects),
                Item::Snapshot { connection, seq, messages } => {
                    sheet.shown(connection, seq);
                    if let Some(reader) = self.readers.get_mut(&connection) {
                        for message in messages {
                            if let ServerMessage::RecordSnapshot { people, .. } = &message {
                                reader.met.extend(people.iter().map(|name| name.person));
                            }
                            effects.push(send(connection, message));
                        }
                    }
                }
                Item::Known { connection, edit, seq: _ } => {
                    let doc = sheet.doc.id();
                    let Some(open) = sheet.readers.get(&connection) else { continue };
                    let prev = open.sent;
                    let message = ServerMessage::RecordAck { doc, edit, prev, change: None };
                    effects.push(send(connection, message));
                }
            }
        }
    }

    /// Sends a committed change to everybody who sees it: the author an acknowledgement, the others the change.
    fn deliver(&mut self, index: usize, pending: &Pending, effects: &mut Vec<Effect>) {
        let Some(sheet) = self.sheets.get_mut(index) else { return };
        let doc = sheet.doc.id();
        let Pending { change, patient_side, origin } = pending;
        let is_wish = sheet.is_wish(change.what.row());
        // Who sees the same change after the same one hears the same message.
        let mut alike: Vec<(View, u64, Vec<ConnectionId>)> = Vec::new();
        for (connection, open) in &mut sheet.readers {
            if !open.live {
                // Its snapshot is still on the way and holds this change; the author's answer follows it.
                if *connection == origin.connection {
                    let (edit, seq) = (change.edit, change.seq);
                    sheet.queue.push_back(Item::Known { connection: *connection, edit, seq });
                }
                continue;
            }
            let prev = open.sent;
            let seen = match open.view {
                // Of the wishes about themselves they are shown the document anew.
                _ if is_wish && open.wishes.is_some() => None,
                View::Full => Some(change),
                View::PatientSide => patient_side.as_ref(),
            };
            if let Some(change) = seen {
                open.sent = change.seq;
            }
            if *connection == origin.connection {
                let (edit, change) = (change.edit, seen.cloned());
                effects
                    .push(send(*connection, ServerMessage::RecordAck { doc, edit, prev, change }));
            } else if let Some(change) = seen {
                let author = change.by.person();
                let person = author
                    .filter(|person| {
                        self.readers
                            .get_mut(connection)
                            .is_some_and(|reader| reader.met.insert(*person))
                    })
                    .and_then(|person| self.people.get(&person).cloned());
                if person.is_some() {
                    let message =
                        ServerMessage::RecordChange { doc, prev, change: change.clone(), person };
                    effects.push(send(*connection, message));
                    continue;
                }
                match alike.iter_mut().find(|one| one.0 == open.view && one.1 == prev) {
                    Some((.., to)) => to.push(*connection),
                    None => alike.push((open.view, prev, vec![*connection])),
                }
            }
        }
        for (view, prev, to) in alike {
            let seen = match view {
                View::Full => Some(change),
                View::PatientSide => patient_side.as_ref(),
            };
            let Some(change) = seen.cloned() else { continue };
            let message = ServerMessage::RecordChange { doc, prev, change, person: None };
            effects.push(Effect::Send { to, message: Box::new(message) });
        }
        if self.outside.contains(&origin.connection) {
            let message =
                ServerMessage::RecordAck { doc, edit: change.edit, prev: 0, change: None };
            effects.push(send(origin.connection, message));
        }
    }
}
