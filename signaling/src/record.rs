//! The session of one open record: who has which document open with which view; edits and commands in, effects out.
//!
//! The order of a document's effects is the promise: a change leaves only after the store has answered, and nothing
//! about a document overtakes its store. A snapshot asked for meanwhile is taken at once and waits its turn.

mod access;
mod bucket;
mod decide;
mod derived;
mod effect;
mod history;
mod import;
mod parts;
mod queue;
mod refusal;
mod store;
mod touchpoint;
mod wishes;

use std::collections::{BTreeMap, BTreeSet};

use clinical::actor::{Actor, CallTime, Millis, Role};
use clinical::doc::{Doc, Stored};
use clinical::edit::{Edit, EditError, Op};
use clinical::field::{Address, DocKind};
use clinical::id::{ConnectionId, DocId, EditId, PersonId, RecordId};
use clinical::phi::Phi;
use clinical::view::View;

use crate::message::{
    Caret, ClosedReason, Have, PersonName, RecordRefusal, RefusalCode, ResyncReason, ServerMessage,
    StorageState,
};
use crate::role::{self, Hand, Shared};

pub use access::Trust;
use bucket::Bucket;
pub use effect::{Audit, Effect, Fact, StoreFailure};
pub use import::{Accepted, ChartTaken};
use queue::{Item, Origin, Sheet};
use refusal::refusal_of;
use wishes::OwnWishes;

/// Edits a second of one connection, and how many at once after a pause: a fast typist makes ten a second, a queue
/// typed offline comes in a burst.
const EDITS_PER_SECOND: u32 = 50;
const EDITS_BURST: u32 = 100;

/// Carets a second of one connection; more are dropped, the next one tells the same.
const CARETS_PER_SECOND: u32 = 20;

/// Questions about the whole plan a second of one connection, and at once: a screen asks two of them, at most every 400 ms.
const DERIVED_PER_SECOND: u32 = 6;
const DERIVED_BURST: u32 = 12;

/// Snapshots a second of one connection, and at once: three documents and a few repairs. A snapshot costs a thousand
/// times an edit.
const SNAPSHOTS_PER_SECOND: u32 = 2;
const SNAPSHOTS_BURST: u32 = 12;

/// Changes of a document under way to the store. The store takes 512 in one transaction: more than this waiting means
/// it is not keeping up, and edits are better kept by the browsers.
const UNSETTLED: usize = 256;

/// Unacceptable text updates until a connection is closed: one is a bug in a browser, three are somebody trying.
const TEXT_FAULTS: u8 = 3;

/// WebSocket close code of our own for a client that does not keep to the protocol.
pub const CLOSE_MISBEHAVES: u16 = 4400;

/// A relative position of Yjs names one character: 40 bytes in practice.
const CARET_BYTES: usize = 256;

/// Somebody who writes, from one connection.
struct Reader {
    actor: Actor,
    /// What the patient lets them do.
    hand: Hand,
    edits: Bucket,
    carets: Bucket,
    /// Questions about the whole plan: what is missing, what a second pair of eyes would point at.
    derived: Bucket,
    snapshots: Bucket,
    histories: Bucket,
    faults: u8,
    /// Texts of which an update was put back: the ones after it will have a gap, and that is no fault.
    put_back: BTreeSet<(DocKind, Address)>,
    /// Whose names it was told.
    met: BTreeSet<PersonId>,
}

/// An open record.
pub struct RecordSession {
    record: RecordId,
    sheets: Vec<Sheet>,
    readers: BTreeMap<ConnectionId, Reader>,
    /// Who answers one recommendation, or takes a step of a touchpoint, and has nothing of the record open.
    outside: BTreeSet<ConnectionId>,
    people: BTreeMap<PersonId, PersonName>,
    /// Answers that wait for the store.
    held: Vec<derived::Held>,
    storage: StorageState,
    trust: Trust,
}

/// Makes fresh Yjs client ids: 53 random bits, never one twice.
pub type FreshIds<'a> = &'a mut dyn FnMut() -> u64;

impl RecordSession {
    /// Opens a record from its documents, the client ids given out in each, and the names of everybody in them.
    pub fn new(
        record: RecordId,
        docs: Vec<(Doc, Vec<(u64, PersonId)>)>,
        people: Vec<PersonName>,
    ) -> Self {
        Self {
            record,
            sheets: docs.into_iter().map(|(doc, clients)| Sheet::new(doc, clients)).collect(),
            readers: BTreeMap::new(),
            outside: BTreeSet::new(),
            people: people.into_iter().map(|name| (name.person, name)).collect(),
            held: Vec::new(),
            storage: StorageState::Ok,
            trust: Trust::Whole,
        }
    }

    /// The record.
    pub const fn record(&self) -> RecordId {
        self.record
    }

    /// Whether nobody has it open and nothing is under way: it can be let go.
    pub fn idle(&self) -> bool {
        self.readers.is_empty() && self.outside.is_empty() && self.sheets.iter().all(Sheet::settled)
    }

    /// A document as it may be stored whole; `None` while a change is under way, or if it is not of this record.
    pub fn at_rest(&self, doc: DocId) -> Option<Stored> {
        self.sheets
            .iter()
            .find(|sheet| sheet.doc.id() == doc && sheet.settled() && sheet.failed.is_none())
            .map(|sheet| sheet.doc.stored())
    }

    /// The documents, for reading. They are ahead of the store by what is under way.
    pub fn docs(&self) -> impl Iterator<Item = &Doc> {
        self.sheets.iter().map(|sheet| &sheet.doc)
    }

    /// Opens the record for a connection: a snapshot of each document its role may read.
    pub fn open(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        actor: Actor,
        name: Phi<String>,
        have: &[Have],
        fresh: FreshIds<'_>,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        if !role::may_open_records(actor.role) {
            return vec![refused(connection, "record.open", RefusalCode::NotAllowed)];
        }
        let hand = self.hand(&actor);
        let mut reader = Reader {
            actor,
            hand,
            edits: Bucket::new(now, EDITS_PER_SECOND, EDITS_BURST),
            carets: Bucket::new(now, CARETS_PER_SECOND, CARETS_PER_SECOND),
            derived: Bucket::new(now, DERIVED_PER_SECOND, DERIVED_BURST),
            snapshots: Bucket::new(now, SNAPSHOTS_PER_SECOND, SNAPSHOTS_BURST),
            histories: history::bucket(now),
            faults: 0,
            put_back: BTreeSet::new(),
            met: BTreeSet::new(),
        };
        // Opened again on the same connection: what it used up stays used up.
        if let Some(before) = self.forget(connection, &mut effects) {
            reader.edits = before.edits;
            reader.carets = before.carets;
            reader.derived = before.derived;
            reader.snapshots = before.snapshots;
            reader.histories = before.histories;
            reader.faults = before.faults;
        }
        if !reader.snapshots.take(now) {
            return vec![refused(connection, "record.open", RefusalCode::TooFast)];
        }
        let person = actor.person;
        self.people.insert(person, PersonName { person, name, role: actor.role });
        self.readers.insert(connection, reader);
        if self.storage != StorageState::Ok {
            effects.push(send(connection, ServerMessage::RecordStatus { storage: self.storage }));
        }
        self.show(connection, have, None, fresh, &mut effects);
        if hand.is_shut_out() {
            effects.push(self.closed(connection, ClosedReason::NotAllowed));
        }
        effects
    }

    /// Shows a connection what its role may read and it does not have open with this view.
    fn show(
        &mut self,
        connection: ConnectionId,
        have: &[Have],
        why: Option<ResyncReason>,
        fresh: FreshIds<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(Reader { actor, hand, .. }) = self.readers.get(&connection) else { return };
        let (actor, hand, shared) = (*actor, *hand, self.shared());
        for index in 0..self.sheets.len() {
            let Some(sheet) = self.sheets.get(index) else { continue };
            let kind = sheet.doc.kind();
            let Some(view) = hand.view(kind, shared) else { continue };
            if sheet.view_of(connection) == Some(view) {
                continue;
            }
            let have = have.iter().find(|have| have.doc == sheet.doc.id()).map(|have| have.seq);
            let was_open = sheet.view_of(connection).is_some();
            let fact = Fact::Read { kind, view };
            effects.push(Effect::Audit(Audit { actor, record: self.record, fact }));
            self.snapshot(
                index,
                connection,
                view,
                have,
                why.filter(|_why| was_open),
                fresh,
                effects,
            );
        }
    }

    /// Takes a snapshot for a connection; it leaves when everything in it is stored.
    #[expect(clippy::too_many_arguments, reason = "the one place where a snapshot is made")]
    fn snapshot(
        &mut self,
        index: usize,
        connection: ConnectionId,
        view: View,
        have: Option<u64>,
        why: Option<ResyncReason>,
        fresh: FreshIds<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let record = self.record;
        let Some(Reader { actor, hand, .. }) = self.readers.get(&connection) else { return };
        let (actor, hand) = (*actor, *hand);
        let Some(sheet) = self.sheets.get_mut(index) else { return };
        let client = fresh();
        sheet.assign(client, actor.person);
        effects.push(Effect::AssignClient { doc: sheet.doc.id(), client, person: actor.person });
        let people = sheet
            .doc
            .authors(view)
            .into_iter()
            .filter_map(|person| self.people.get(&person).cloned())
            .collect();
        let own = hand.reads_own_wishes_only().then_some(actor.person);
        sheet.open(connection, view, own.and_then(|person| OwnWishes::of(&sheet.doc, person)));
        let mut messages = Vec::new();
        if let Some(why) = why {
            messages.push(ServerMessage::RecordResync { doc: sheet.doc.id(), why });
        }
        let reader = (connection, view);
        messages.extend(parts::snapshot(record, sheet, reader, hand, client, have, people));
        let seq = sheet.doc.seq();
        sheet.queue.push_back(Item::Snapshot { connection, seq, messages });
        self.release(index, effects);
    }

    /// Takes an edit. `call` is when in the call it was made.
    pub fn edit(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        call: Option<CallTime>,
        doc: DocId,
        edit: Edit,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let id = edit.id;
        let (index, actor) = match self.admit(now, connection, doc, id, &mut effects) {
            Admitted::Go(index, actor) => (index, actor),
            Admitted::Answered => return effects,
            Admitted::Refused(code) => {
                self.note_put_back(connection, doc, &edit, code);
                return refuse(connection, doc, id, code);
            }
        };
        let hand = self.readers.get(&connection).map(|reader| reader.hand);
        let shuts_out = self.shuts_out_minimum(&edit.op);
        let Some(sheet) = self.sheets.get_mut(index) else { return effects };
        let list_of = |row| sheet.doc.list_of(row);
        if !hand.is_some_and(|hand| hand.may_edit(sheet.doc.kind(), &edit.op, list_of)) {
            return refuse(connection, doc, id, RecordRefusal::NotAllowed);
        }
        if shuts_out {
            return refuse(connection, doc, id, RecordRefusal::AccessMinimum);
        }
        match sheet.apply(now, &actor, call, &edit) {
            Ok(change) => {
                if let (Op::Text { at, .. }, Some(reader)) =
                    (&edit.op, self.readers.get_mut(&connection))
                {
                    reader.put_back.remove(&(sheet.doc.kind(), *at));
                }
                let origin = Origin { connection, actor, call, edit: Some(edit) };
                sheet.push(change.clone(), origin);
                let fact = access::fact(sheet, &change);
                let audit = fact.map(|fact| Audit { actor, record: self.record, fact });
                let change = Box::new(change);
                effects.push(Effect::Store { doc, change, audit, version: None });
            }
            Err(error) => {
                let code = RecordRefusal::from(error);
                effects.extend(refuse(connection, doc, id, code));
                self.fault(connection, index, &edit, error, &mut effects);
            }
        }
        effects
    }

    /// Shows every connection what it may read now: snapshots follow the change that opened them up.
    fn views_changed(&mut self, fresh: FreshIds<'_>, effects: &mut Vec<Effect>) {
        let connections: Vec<_> = self.readers.keys().copied().collect();
        for connection in connections {
            self.show(connection, &[], Some(ResyncReason::ViewChanged), fresh, effects);
        }
    }

    /// The seat behind a connection has another role now.
    pub fn role_changed(
        &mut self,
        connection: ConnectionId,
        role: Role,
        fresh: FreshIds<'_>,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let Some(reader) = self.readers.get_mut(&connection) else { return effects };
        reader.actor.role = role;
        let actor = reader.actor;
        let hand = self.hand(&actor);
        if let Some(reader) = self.readers.get_mut(&connection) {
            reader.hand = hand;
        }
        let shared = self.shared();
        let lost = self.sheets.iter().any(|sheet| {
            sheet.view_of(connection).is_some() && hand.view(sheet.doc.kind(), shared).is_none()
        });
        if lost {
            self.shut(connection, &mut effects);
        }
        if role::may_open_records(role) {
            self.show(connection, &[], Some(ResyncReason::ViewChanged), fresh, &mut effects);
        } else {
            self.forget(connection, &mut effects);
        }
        effects
    }

    /// Checks that come before a document is asked: open, rate, known already, room, a store that takes edits.
    fn admit(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        doc: DocId,
        id: EditId,
        effects: &mut Vec<Effect>,
    ) -> Admitted {
        let Some(reader) = self.readers.get_mut(&connection) else {
            return Admitted::Refused(RecordRefusal::NotOpen);
        };
        let actor = reader.actor;
        let in_time = reader.edits.take(now);
        let Some(index) = self
            .sheets
            .iter()
            .position(|sheet| sheet.doc.id() == doc && sheet.view_of(connection).is_some())
        else {
            return Admitted::Refused(RecordRefusal::NotOpen);
        };
        if !in_time {
            return Admitted::Refused(RecordRefusal::TooFast);
        }
        let Some(sheet) = self.sheets.get_mut(index) else {
            return Admitted::Refused(RecordRefusal::NotOpen);
        };
        if let Some(failure) = sheet.failed {
            return Admitted::Refused(refusal_of(failure));
        }
        if sheet.doc.seq_of(id).is_some() {
            self.answer_known(index, connection, id, effects);
            return Admitted::Answered;
        }
        if sheet.unsettled() >= UNSETTLED {
            return Admitted::Refused(RecordRefusal::Busy);
        }
        Admitted::Go(index, actor)
    }

    /// An edit that comes back later leaves a gap before the ones after it.
    fn note_put_back(
        &mut self,
        connection: ConnectionId,
        doc: DocId,
        edit: &Edit,
        code: RecordRefusal,
    ) {
        let comes_back = matches!(
            code,
            RecordRefusal::Busy
                | RecordRefusal::TooFast
                | RecordRefusal::StorageFull
                | RecordRefusal::StorageAway
                | RecordRefusal::StorageFailed
        );
        let kind = self.sheets.iter().find(|sheet| sheet.doc.id() == doc).map(|s| s.doc.kind());
        if let (true, Op::Text { at, .. }, Some(kind), Some(reader)) =
            (comes_back, &edit.op, kind, self.readers.get_mut(&connection))
        {
            reader.put_back.insert((kind, *at));
        }
    }

    /// A text update that does not pass the gate is kept; the third closes the connection.
    fn fault(
        &mut self,
        connection: ConnectionId,
        index: usize,
        edit: &Edit,
        error: EditError,
        effects: &mut Vec<Effect>,
    ) {
        let is_text = matches!(
            error,
            EditError::TextBad
                | EditError::TextForeignClient
                | EditError::TextGap
                | EditError::TextNotPlain
        );
        let (true, Op::Text { at, .. }) = (is_text, &edit.op) else { return };
        let Some(sheet) = self.sheets.get(index) else { return };
        let Some(reader) = self.readers.get_mut(&connection) else { return };
        if error == EditError::TextGap && reader.put_back.contains(&(sheet.doc.kind(), *at)) {
            return;
        }
        reader.faults = reader.faults.saturating_add(1);
        let (actor, faults) = (reader.actor, reader.faults);
        effects.push(Effect::Quarantine {
            doc: sheet.doc.id(),
            actor,
            edit: Box::new(edit.clone()),
            code: error.into(),
        });
        if faults >= TEXT_FAULTS {
            let fact = Fact::Misbehaved;
            effects.push(Effect::Audit(Audit { actor, record: self.record, fact }));
            effects.push(Effect::Close { connection, code: CLOSE_MISBEHAVES });
            self.forget(connection, effects);
        }
    }

    /// Tells the others where somebody's caret is.
    pub fn caret(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        doc: DocId,
        caret: Option<Caret>,
    ) -> Vec<Effect> {
        let Some(reader) = self.readers.get_mut(&connection) else { return Vec::new() };
        let seat = reader.actor.seat;
        let bounded = caret.as_ref().is_none_or(|caret| {
            [&caret.head, &caret.anchor]
                .into_iter()
                .flatten()
                .all(|position| position.0.len() <= CARET_BYTES)
        });
        if !reader.carets.take(now) || !bounded {
            return Vec::new();
        }
        let Some(sheet) = self.sheets.iter_mut().find(|sheet| sheet.doc.id() == doc) else {
            return Vec::new();
        };
        if !sheet.set_caret(connection, caret.as_ref().map(|caret| caret.at)) {
            return Vec::new();
        }
        sheet.tell_caret(connection, seat, caret)
    }

    /// Sends a document again.
    pub fn resync(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        doc: DocId,
        fresh: FreshIds<'_>,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let found = self.sheets.iter().enumerate().find_map(|(index, sheet)| {
            let view = sheet.view_of(connection)?;
            (sheet.doc.id() == doc).then_some((index, view))
        });
        if let Some((index, view)) = found {
            if !self.readers.get_mut(&connection).is_some_and(|reader| reader.snapshots.take(now)) {
                return vec![refused(connection, "record.resync", RefusalCode::TooFast)];
            }
            let why = Some(ResyncReason::Asked);
            self.snapshot(index, connection, view, None, why, fresh, &mut effects);
        }
        effects
    }

    /// Closes the record for a connection: it asked, or it is gone.
    pub fn close(&mut self, connection: ConnectionId) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.outside.remove(&connection);
        self.forget(connection, &mut effects);
        effects
    }

    /// Closes the record for everybody.
    pub fn end(&mut self, why: ClosedReason) -> Vec<Effect> {
        let mut effects = Vec::new();
        let connections: Vec<_> = self.readers.keys().copied().collect();
        for connection in connections {
            self.forget(connection, &mut effects);
            effects.push(self.closed(connection, why));
        }
        effects
    }

    fn forget(&mut self, connection: ConnectionId, effects: &mut Vec<Effect>) -> Option<Reader> {
        let reader = self.readers.remove(&connection)?;
        for sheet in &mut self.sheets {
            if sheet.set_caret(connection, None) {
                effects.extend(sheet.tell_caret(connection, reader.actor.seat, None));
            }
            sheet.close(connection);
        }
        Some(reader)
    }

    fn shared(&self) -> Shared {
        let shared = self.sheets.iter().any(|s| s.doc.kind() == DocKind::Plan && s.doc.shared());
        if shared { Shared::Yes } else { Shared::No }
    }
}

enum Admitted {
    Go(usize, Actor),
    Answered,
    Refused(RecordRefusal),
}

fn send(connection: ConnectionId, message: ServerMessage) -> Effect {
    Effect::Send { to: vec![connection], message: Box::new(message) }
}

fn refused(connection: ConnectionId, of: &str, code: RefusalCode) -> Effect {
    send(connection, ServerMessage::Refused { of: of.to_owned(), code })
}

fn refuse(connection: ConnectionId, doc: DocId, edit: EditId, code: RecordRefusal) -> Vec<Effect> {
    vec![send(connection, ServerMessage::RecordRefuse { doc, edit, code })]
}
