//! A record, people at connections, and a store that answers when told to.

use std::collections::BTreeMap;

use clinical::actor::{Actor, Millis, Role};
use clinical::change::Change;
use clinical::command::Command;
use clinical::doc::Doc;
use clinical::edit::{Base, Edit, Op};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::id::{ConnectionId, DocId, EditId, PersonId, RecordId, RowId, SeatId};
use clinical::phi::Phi;
use serde_json::{Value as Json, json};
use signaling::message::{Have, RecordRefusal, ServerMessage};
use signaling::record::{Effect, RecordSession};
use uuid::Uuid;

pub(crate) const T0: i64 = 1_800_000_000_000;

pub(crate) fn uuid(kind: u128, n: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | (kind << 48) | n)
}

pub(crate) fn doc_id(kind: DocKind) -> DocId {
    let n = DocKind::ALL.iter().position(|other| *other == kind).unwrap();
    DocId(uuid(5, u128::try_from(n).unwrap()))
}

pub(crate) fn row(n: u128) -> RowId {
    RowId(uuid(2, n))
}

pub(crate) fn edit_id(n: u128) -> EditId {
    EditId(uuid(1, n))
}

/// The connection of a role, and a second one with `n`.
pub(crate) fn line(role: Role, n: u128) -> ConnectionId {
    let place = Role::ALL.iter().position(|other| *other == role).unwrap();
    ConnectionId(uuid(6, u128::try_from(place).unwrap() * 10 + n))
}

pub(crate) fn actor(role: Role) -> Actor {
    let place = Role::ALL.iter().position(|other| *other == role).unwrap();
    let place = u128::try_from(place).unwrap();
    Actor { person: PersonId(uuid(3, place)), seat: SeatId(uuid(4, place)), role }
}

pub(crate) const RPH: Role = Role::Pharmacist;
pub(crate) const PCP: Role = Role::Pcp;
pub(crate) const PT: Role = Role::Patient;

pub(crate) struct Bench {
    pub(crate) session: RecordSession,
    pub(crate) now: i64,
    pub(crate) next: u128,
    clients: u64,
    /// Not answered yet, by document.
    pub(crate) asked: BTreeMap<DocId, Vec<Change>>,
    /// Committed, by document.
    pub(crate) log: BTreeMap<DocId, Vec<Change>>,
    pub(crate) inbox: Vec<(ConnectionId, ServerMessage)>,
    pub(crate) other: Vec<Effect>,
    pub(crate) given: BTreeMap<ConnectionId, Vec<(DocId, u64)>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let docs = DocKind::ALL
            .into_iter()
            .map(|kind| (Doc::new(doc_id(kind), kind), Vec::new()))
            .collect();
        Self {
            session: RecordSession::new(RecordId(uuid(7, 1)), docs, Vec::new()),
            now: T0,
            next: 0,
            clients: 1_000,
            asked: BTreeMap::new(),
            log: BTreeMap::new(),
            inbox: Vec::new(),
            other: Vec::new(),
            given: BTreeMap::new(),
        }
    }

    pub(crate) fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Store { doc, change, .. } => {
                    self.asked.entry(doc).or_default().push(*change);
                }
                Effect::Send { to, message } => {
                    for connection in to {
                        if let ServerMessage::RecordSnapshot { doc, client_id, .. } = &*message {
                            self.given.entry(connection).or_default().push((*doc, *client_id));
                        }
                        self.inbox.push((connection, (*message).clone()));
                    }
                }
                Effect::Audit(_)
                | Effect::AssignClient { .. }
                | Effect::Quarantine { .. }
                | Effect::ReadHistory { .. }
                | Effect::Close { .. } => self.other.push(effect),
            }
        }
    }

    pub(crate) fn with<F>(&mut self, act: F)
    where
        F: FnOnce(&mut RecordSession, Millis, &mut dyn FnMut() -> u64) -> Vec<Effect>,
    {
        let mut clients = self.clients;
        let mut fresh = || {
            clients += 1;
            clients
        };
        let effects = act(&mut self.session, Millis(self.now), &mut fresh);
        self.clients = clients;
        self.take(effects);
    }

    pub(crate) fn open(&mut self, role: Role) -> ConnectionId {
        self.open_with(line(role, 0), role, &[])
    }

    pub(crate) fn open_with(
        &mut self,
        line: ConnectionId,
        role: Role,
        have: &[Have],
    ) -> ConnectionId {
        let name = Phi::new(format!("{role:?}"));
        self.with(|session, now, fresh| session.open(now, line, actor(role), name, have, fresh));
        line
    }

    pub(crate) fn edit_as(&mut self, line: ConnectionId, kind: DocKind, id: EditId, op: Op) {
        self.now += 20;
        let edit = Edit { id, op, typed_ago_ms: None };
        self.with(|session, now, _fresh| session.edit(now, line, None, doc_id(kind), edit));
    }

    pub(crate) fn edit(&mut self, line: ConnectionId, kind: DocKind, op: Op) -> EditId {
        self.next += 1;
        let id = edit_id(self.next);
        self.edit_as(line, kind, id, op);
        id
    }

    pub(crate) fn command(&mut self, line: ConnectionId, command: &Command, seen: u64) -> EditId {
        self.next += 1;
        let id = edit_id(self.next);
        self.now += 20;
        let plan = doc_id(DocKind::Plan);
        self.with(|session, now, fresh| {
            session.command(now, line, None, plan, id, command, seen, fresh)
        });
        id
    }

    /// The store commits everything of a document.
    pub(crate) fn commit(&mut self, kind: DocKind) {
        let doc = doc_id(kind);
        let Some(seq) = self.asked.get(&doc).and_then(|asked| asked.last()).map(|c| c.seq) else {
            return;
        };
        self.commit_to(kind, seq);
    }

    pub(crate) fn commit_to(&mut self, kind: DocKind, seq: u64) {
        let doc = doc_id(kind);
        let asked = self.asked.remove(&doc).unwrap_or_default();
        let (done, rest): (Vec<_>, Vec<_>) = asked.into_iter().partition(|c| c.seq <= seq);
        self.log.entry(doc).or_default().extend(done);
        self.asked.insert(doc, rest);
        self.with(|session, _now, fresh| session.stored(doc, seq, fresh));
    }

    /// The document as the store has it.
    pub(crate) fn stored_doc(&self, kind: DocKind) -> Doc {
        let mut doc = Doc::new(doc_id(kind), kind);
        for change in self.log.get(&doc.id()).into_iter().flatten() {
            doc.fold(change).unwrap();
        }
        doc
    }

    /// What a connection received since the last look, as JSON without noise.
    pub(crate) fn heard(&mut self, line: ConnectionId) -> Vec<Json> {
        let (mine, rest) =
            std::mem::take(&mut self.inbox).into_iter().partition(|(to, _)| *to == line);
        self.inbox = rest;
        let mine: Vec<(ConnectionId, ServerMessage)> = mine;
        mine.into_iter().map(|(_, message)| serde_json::to_value(message).unwrap()).collect()
    }

    /// The types of what it received.
    pub(crate) fn types(&mut self, line: ConnectionId) -> Vec<String> {
        self.heard(line)
            .into_iter()
            .map(|message| {
                message["type"].as_str().unwrap().trim_start_matches("record.").to_owned()
            })
            .collect()
    }

    pub(crate) fn refusals(&mut self, line: ConnectionId) -> Vec<RecordRefusal> {
        self.heard(line)
            .into_iter()
            .filter(|message| message["type"] == "record.refuse")
            .map(|message| serde_json::from_value(message["code"].clone()).unwrap())
            .collect()
    }

    /// The client id a connection was given last for a document.
    pub(crate) fn client(&self, line: ConnectionId, kind: DocKind) -> u64 {
        let doc = doc_id(kind);
        self.given[&line].iter().rev().find(|(of, _)| *of == doc).unwrap().1
    }
}

pub(crate) fn medicine(n: u128) -> Op {
    let sig = Phi::new(json!({ "text": "10 mg" }));
    Op::Add {
        list: ListName::Meds,
        row: row(n),
        after: None,
        values: BTreeMap::from([(FieldName::MedsSig, sig)]),
    }
}

pub(crate) fn dose(n: u128, base: u64, text: &str) -> Op {
    let at = Address { row: Some(row(n)), field: FieldName::MedsSig };
    Op::Set { at, base: Base::Rev(base), value: Phi::new(Some(json!({ "text": text }))) }
}

pub(crate) fn tick(n: u128, base: u64) -> Op {
    let at = Address { row: Some(row(n)), field: FieldName::TodosTick };
    Op::Set { at, base: Base::Rev(base), value: Phi::new(Some(json!(true))) }
}
