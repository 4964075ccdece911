//! People, identifiers and edits for tests.

use std::collections::{BTreeMap, BTreeSet};

use clinical::actor::{Actor, Millis, Role};
use clinical::bytes::Base64;
use clinical::change::Change;
use clinical::command::{Command, CommandError};
use clinical::doc::Doc;
use clinical::edit::{Base, Edit, EditError, Op};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::id::{DocId, EditId, PersonId, RowId, SeatId};
use clinical::phi::Phi;
use serde_json::{Value as Json, json};
use uuid::Uuid;

pub(crate) const T0: i64 = 1_800_000_000_000;

pub(crate) fn uuid(kind: u128, n: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | (kind << 48) | n)
}

pub(crate) fn edit_id(n: u128) -> EditId {
    EditId(uuid(1, n))
}

pub(crate) fn row(n: u128) -> RowId {
    RowId(uuid(2, n))
}

pub(crate) fn actor(n: u128, role: Role) -> Actor {
    Actor { person: PersonId(uuid(3, n)), seat: SeatId(uuid(4, n)), role }
}

pub(crate) fn pharmacist() -> Actor {
    actor(1, Role::Pharmacist)
}

pub(crate) fn pcp() -> Actor {
    actor(2, Role::Pcp)
}

pub(crate) fn nurse() -> Actor {
    actor(3, Role::Nurse)
}

/// A document and a clock.
pub(crate) struct Bench {
    pub(crate) doc: Doc,
    pub(crate) now: i64,
    next: u128,
    pub(crate) log: Vec<Change>,
}

impl Bench {
    pub(crate) fn new(kind: DocKind) -> Self {
        Self { doc: Doc::new(DocId(uuid(5, 1)), kind), now: T0, next: 1, log: Vec::new() }
    }

    pub(crate) fn id(&mut self) -> EditId {
        self.next += 1;
        edit_id(self.next)
    }

    /// Every person types under their own number and that number plus 100.
    pub(crate) fn clients(by: &Actor) -> BTreeSet<u64> {
        let n = u64::try_from(by.person.0.as_u128() & 0xffff).unwrap();
        BTreeSet::from([n, n + 100])
    }

    pub(crate) fn apply(&mut self, by: &Actor, op: Op) -> Result<Change, EditError> {
        let id = self.id();
        self.apply_as(by, id, op)
    }

    pub(crate) fn apply_as(&mut self, by: &Actor, id: EditId, op: Op) -> Result<Change, EditError> {
        self.now += 10;
        let edit = Edit { id, op, typed_ago_ms: None };
        let change = self.doc.apply(Millis(self.now), by, None, &edit, &Self::clients(by))?;
        self.log.push(change.clone());
        Ok(change)
    }

    pub(crate) fn command(
        &mut self,
        by: &Actor,
        command: &Command,
        seen: u64,
    ) -> Result<Change, CommandError> {
        let id = self.id();
        let change = self.doc.command(Millis(self.now), by, None, id, command, seen)?;
        self.log.push(change.clone());
        Ok(change)
    }

    /// A medicine with a sig.
    pub(crate) fn medicine(&mut self, n: u128) -> (Address, u64) {
        let change = self
            .apply(
                &pharmacist(),
                add(ListName::Meds, row(n), &[(FieldName::MedsSig, sig("10 mg daily"))]),
            )
            .unwrap();
        (at(row(n), FieldName::MedsSig), change.seq)
    }
}

pub(crate) fn at(row: RowId, field: FieldName) -> Address {
    Address { row: Some(row), field }
}

pub(crate) const fn whole(field: FieldName) -> Address {
    Address { row: None, field }
}

pub(crate) fn sig(text: &str) -> Json {
    json!({ "text": text })
}

pub(crate) fn set(at: Address, base: u64, value: Json) -> Op {
    Op::Set { at, base: Base::Rev(base), value: Phi::new(Some(value)) }
}

pub(crate) fn set_mine(at: Address, base: EditId, value: Json) -> Op {
    Op::Set { at, base: Base::Mine(base), value: Phi::new(Some(value)) }
}

pub(crate) fn resolve(at: Address, seen: &[u64], value: Json) -> Op {
    Op::Resolve { at, seen: seen.to_vec(), value: Phi::new(Some(value)) }
}

pub(crate) fn add(list: ListName, row: RowId, values: &[(FieldName, Json)]) -> Op {
    let values: BTreeMap<_, _> =
        values.iter().map(|(field, json)| (*field, Phi::new(json.clone()))).collect();
    Op::Add { list, row, after: None, values }
}

pub(crate) fn tombstone(row: RowId, seen: u64, reason: &str) -> Op {
    Op::Tombstone { row, seen, reason: Phi::new(reason.to_owned()) }
}

pub(crate) fn typed(at: Address, base: u64, update: Vec<u8>) -> Op {
    Op::Text { at, base, update: Base64(update) }
}

/// What a text editor in a browser does: a Yjs document of its own.
pub(crate) struct Pen {
    pub(crate) doc: yrs::Doc,
    pub(crate) text: yrs::TextRef,
}

impl Pen {
    pub(crate) fn new(client: u64) -> Self {
        use yrs::{ClientID, Doc, OffsetKind, Options};
        let mut options = Options::with_guid_and_client_id("pen".into(), ClientID::new(client));
        options.offset_kind = OffsetKind::Utf16;
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text("t");
        Self { doc, text }
    }

    pub(crate) fn write(&self, index: u32, words: &str) -> Vec<u8> {
        use yrs::{Text as _, Transact as _};
        let mut txn = self.doc.transact_mut();
        self.text.insert(&mut txn, index, words);
        txn.encode_update_v1()
    }

    pub(crate) fn erase(&self, index: u32, len: u32) -> Vec<u8> {
        use yrs::{Text as _, Transact as _};
        let mut txn = self.doc.transact_mut();
        self.text.remove_range(&mut txn, index, len);
        txn.encode_update_v1()
    }

    pub(crate) fn read(&self, update: &[u8]) {
        use yrs::updates::decoder::Decode as _;
        use yrs::{Transact as _, Update};
        let mut txn = self.doc.transact_mut();
        txn.apply_update(Update::decode_v1(update).unwrap()).unwrap();
    }

    pub(crate) fn words(&self) -> String {
        use yrs::{GetString as _, Transact as _};
        self.text.get_string(&self.doc.transact())
    }
}
