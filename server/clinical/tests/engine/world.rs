//! A document and people who edit it with what they have seen so far: any sequence of numbers is a story.

use std::collections::{BTreeMap, BTreeSet};

use clinical::actor::{Actor, Millis, Role};
use clinical::change::{Change, What};
use clinical::command::Command;
use clinical::doc::Doc;
use clinical::edit::{Base, Edit, Op};
use clinical::field::{Address, DocKind, FieldKind, FieldName, ListName, Place};
use clinical::id::{DocId, EditId, RowId};
use clinical::register::Register;
use clinical::view::{Snapshot, View};
use serde_json::json;

use crate::common::*;

/// The registers, texts and lists stories are about: few, so that people meet.
const REGISTERS: [FieldName; 4] = [
    FieldName::MedsSig,
    FieldName::MedsVerify,
    FieldName::RecommendationsContent,
    FieldName::ProblemsSeverity,
];
const TEXTS: [FieldName; 2] = [FieldName::ProblemsAssociation, FieldName::OutlineFollowUp];
const LISTS: [ListName; 3] = [ListName::Meds, ListName::Problems, ListName::Recommendations];

/// A person with a copy of the document that lags behind.
pub(crate) struct Reader {
    pub(crate) actor: Actor,
    /// Changes folded.
    pub(crate) folded: usize,
    pub(crate) copy: Snapshot,
    pens: BTreeMap<Address, Pen>,
    /// Own edits of registers that have not come back yet.
    unseen: BTreeMap<Address, EditId>,
}

pub(crate) struct World {
    pub(crate) doc: Doc,
    pub(crate) log: Vec<Change>,
    pub(crate) readers: Vec<Reader>,
    now: i64,
    next: u128,
    rows: Vec<RowId>,
    typed: BTreeMap<Address, BTreeSet<String>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let readers = [Role::Pharmacist, Role::Pcp, Role::Nurse]
            .into_iter()
            .zip(1..)
            .map(|(role, n)| Reader {
                actor: actor(n, role),
                folded: 0,
                copy: Snapshot::default(),
                pens: BTreeMap::new(),
                unseen: BTreeMap::new(),
            })
            .collect();
        Self {
            doc: Doc::new(DocId(uuid(5, 1)), DocKind::Plan),
            log: Vec::new(),
            readers,
            now: T0,
            next: 0,
            rows: Vec::new(),
            typed: BTreeMap::new(),
        }
    }

    /// Brings a reader's copy forward by some changes.
    pub(crate) fn deliver(&mut self, who: usize, count: usize) {
        for _ in 0..count {
            let reader = &mut self.readers[who];
            let Some(change) = self.log.get(reader.folded) else { return };
            reader.copy.fold(change).unwrap();
            reader.folded += 1;
            if let What::Text { at, update, .. } = &change.what {
                let client = u64::try_from(who).unwrap() + 1;
                reader.pens.entry(*at).or_insert_with(|| Pen::new(client)).read(&update.0);
            }
            reader.unseen.retain(|_, edit| *edit != change.edit);
        }
    }

    fn register(&self, who: usize, at: Address) -> Register {
        self.readers[who]
            .copy
            .registers
            .iter()
            .find(|register| register.at == at)
            .map(|register| register.register.clone())
            .unwrap_or_default()
    }

    fn say(&mut self, at: Address) -> serde_json::Value {
        self.next += 1;
        let word = format!("{} mg", self.next);
        let json = match at.field {
            FieldName::MedsSig => sig(&word),
            FieldName::MedsVerify => json!({ "state": "could_not_verify", "reason": word }),
            FieldName::ProblemsSeverity => {
                json!(["high", "moderate", "low"][self.next as usize % 3])
            }
            _ => json!({ "action": "stop", "summary": word }),
        };
        let canonical = serde_json::to_string(&at.field.parse(&json).unwrap()).unwrap();
        self.typed.entry(at).or_default().insert(canonical);
        json
    }

    /// One step of a story. Answers what came of it.
    pub(crate) fn step(&mut self, word: u64) -> Option<Change> {
        let pick = |shift: u32, among: usize| {
            usize::try_from(word >> shift & 0xff).unwrap() % among.max(1)
        };
        let who = pick(0, self.readers.len());
        let field = REGISTERS[pick(16, REGISTERS.len())];
        let Place::Row(list) = field.place() else { unreachable!() };
        let of_list: Vec<RowId> =
            self.rows.iter().copied().filter(|row| self.doc.list_of(*row) == Some(list)).collect();
        let one = of_list.get(pick(24, of_list.len())).copied();
        let seen = u64::try_from(self.readers[who].folded).unwrap();
        self.now += i64::try_from(word >> 32 & 0x3fff).unwrap();
        match pick(8, 16) {
            0 | 1 => {
                self.deliver(who, 1 + pick(24, 8));
                None
            }
            2 | 3 => {
                let list = LISTS[pick(24, LISTS.len())];
                self.next += 1;
                let row = row(self.next);
                self.rows.push(row);
                let first = REGISTERS.into_iter().find(|field| field.place() == Place::Row(list));
                let at = first.map(|field| Address { row: Some(row), field });
                let values = at.map(|at| (at.field, self.say(at)));
                let op = add(list, row, values.as_slice());
                self.edit(who, op)
            }
            4..=7 => {
                let at = Address { row: Some(one?), field };
                let value = self.say(at);
                let op = match self.register(who, at) {
                    Register::Conflict { candidates, .. } => {
                        let seen: Vec<_> = candidates.iter().map(|c| c.rev).collect();
                        resolve(at, &seen, value)
                    }
                    register => {
                        let base = match self.readers[who].unseen.get(&at) {
                            Some(edit) => Base::Mine(*edit),
                            None => Base::Rev(register.rev()),
                        };
                        Op::Set { at, base, value: clinical::phi::Phi::new(Some(value)) }
                    }
                };
                let change = self.edit(who, op)?;
                self.readers[who].unseen.insert(at, change.edit);
                Some(change)
            }
            8 => self.edit(who, tombstone(one?, seen, "duplicate")),
            9 => {
                let presence = Address { row: Some(one?), field: FieldName::Presence };
                match self.register(who, presence) {
                    Register::Conflict { candidates, .. } => {
                        let seen: Vec<_> = candidates.iter().map(|c| c.rev).collect();
                        self.edit(who, resolve(presence, &seen, json!({ "state": "present" })))
                    }
                    Register::Empty | Register::Value { .. } => {
                        self.edit(who, Op::Restore { row: one?, seen })
                    }
                }
            }
            10 => {
                let after = of_list.get(pick(40, of_list.len() + 1)).copied();
                self.edit(who, Op::Move { row: one?, after })
            }
            11..=13 => self.write(who, word),
            14 => {
                let at = self.text_at(word)?;
                let seen = self.revision(who, at);
                self.edit(who, Op::Reviewed { at, seen })
            }
            _ => {
                let row = self
                    .rows
                    .iter()
                    .copied()
                    .find(|row| self.doc.list_of(*row) == Some(ListName::Recommendations))?;
                let decide = json!({
                    "kind": "decide", "row": row, "outcome": "declined", "reason": "needs_visit"
                });
                let command = match pick(24, 4) {
                    0 | 1 => Command::SendRecommendation { row },
                    2 => serde_json::from_value(decide).unwrap(),
                    _ => Command::Share,
                };
                self.command(who, &command, seen)
            }
        }
    }

    fn text_at(&self, word: u64) -> Option<Address> {
        let field = TEXTS[usize::try_from(word >> 16 & 1).unwrap()];
        let row = match field.place() {
            Place::Row(list) => {
                Some(self.rows.iter().copied().find(|row| self.doc.list_of(*row) == Some(list))?)
            }
            Place::Document | Place::About(_) | Place::EveryRow => None,
        };
        assert!(matches!(field.kind(), FieldKind::Text { .. }));
        Some(Address { row, field })
    }

    fn revision(&self, who: usize, at: Address) -> u64 {
        self.readers[who].copy.texts.iter().find(|text| text.at == at).map_or(0, |text| text.rev)
    }

    fn write(&mut self, who: usize, word: u64) -> Option<Change> {
        let at = self.text_at(word)?;
        let base = self.revision(who, at);
        let client = u64::try_from(who).unwrap() + 1;
        let pen = self.readers[who].pens.entry(at).or_insert_with(|| Pen::new(client));
        let length = u32::try_from(pen.words().encode_utf16().count()).unwrap();
        let index = u32::try_from(word >> 24 & 0xff).unwrap() % (length + 1);
        let update = if word >> 40 & 3 == 0 && index + 2 <= length {
            pen.erase(index, 2)
        } else {
            pen.write(
                index,
                ["5", "salt ", "2.5 mg", "é💊"][usize::try_from(word >> 42 & 3).unwrap()],
            )
        };
        let change = self.edit(who, typed(at, base, update));
        if change.is_none() {
            // What a browser does after a refusal: a new document from what the server has.
            self.deliver(who, self.log.len());
            self.readers[who].pens.remove(&at);
            let pen = Pen::new(client + 100);
            for change in &self.log {
                if let What::Text { at: other, update, .. } = &change.what
                    && *other == at
                {
                    pen.read(&update.0);
                }
            }
            self.readers[who].pens.insert(at, pen);
        }
        change
    }

    fn edit(&mut self, who: usize, op: Op) -> Option<Change> {
        self.next += 1;
        let edit = Edit { id: edit_id(self.next), op, typed_ago_ms: None };
        let by = self.readers[who].actor;
        let before = self.doc.snapshot(View::Full);
        let clients = Bench::clients(&by);
        match self.doc.apply(Millis(self.now), &by, None, &edit, &clients) {
            Ok(change) => Some(self.took(&before, change)),
            Err(_refusal) => {
                assert_eq!(self.doc.snapshot(View::Full), before, "a refusal left a trace");
                None
            }
        }
    }

    fn command(&mut self, who: usize, command: &Command, seen: u64) -> Option<Change> {
        self.next += 1;
        let by = self.readers[who].actor;
        let before = self.doc.snapshot(View::Full);
        let id = edit_id(self.next);
        match self.doc.command(Millis(self.now), &by, None, id, command, seen) {
            Ok(change) => Some(self.took(&before, change)),
            Err(_refusal) => {
                assert_eq!(self.doc.snapshot(View::Full), before, "a refusal left a trace");
                None
            }
        }
    }

    fn took(&mut self, before: &Snapshot, change: Change) -> Change {
        self.check_nothing_lost(before, &change);
        self.check_nothing_invented();
        self.log.push(change.clone());
        change
    }

    /// Nobody's value goes unless its author takes it back or somebody who saw it replaces it.
    fn check_nothing_lost(&self, before: &Snapshot, change: &Change) {
        let (What::Set { at, .. } | What::Conflicted { at, .. } | What::Agreed { at }) =
            &change.what
        else {
            return;
        };
        let by = change.by.person();
        let reader = self.readers.iter().find(|reader| Some(reader.actor.person) == by).unwrap();
        let was = before.registers.iter().find(|r| r.at == *at).map(|r| &r.register);
        let now = self.doc.register(at);
        let saw = |rev: u64| rev <= u64::try_from(reader.folded).unwrap();
        match (was, now) {
            (Some(Register::Value { rev, by: author, .. }), Register::Value { .. }) => {
                assert!(
                    matches!(change.what, What::Agreed { .. })
                        || saw(*rev)
                        || author.person() == by,
                    "an unseen value was replaced"
                );
            }
            (Some(Register::Value { value, .. }), Register::Conflict { candidates, .. }) => {
                let presence_said = at.field == FieldName::Presence;
                assert!(presence_said || candidates.iter().any(|c| c.value == *value));
            }
            (
                Some(Register::Conflict { candidates: old, .. }),
                Register::Conflict { candidates: new, .. },
            ) => {
                for candidate in old {
                    assert!(candidate.by.person() == by || new.contains(candidate));
                }
            }
            (Some(Register::Conflict { .. }), Register::Value { .. } | Register::Empty) => {
                panic!("a conflict ended without a resolution")
            }
            (None | Some(Register::Empty), _) | (Some(Register::Value { .. }), Register::Empty) => {
            }
        }
    }

    /// No register shows what nobody typed.
    fn check_nothing_invented(&self) {
        for register in self.doc.snapshot(View::Full).registers {
            let Some(typed) = self.typed.get(&register.at) else { continue };
            let values: Vec<_> = match &register.register {
                Register::Empty => vec![],
                Register::Value { value, .. } => vec![value.clone()],
                Register::Conflict { candidates, .. } => {
                    candidates.iter().map(|c| c.value.clone()).collect()
                }
            };
            for value in values.into_iter().flatten() {
                assert!(typed.contains(&serde_json::to_string(&value).unwrap()));
            }
        }
    }
}

/// Random numbers that are the same on every machine: SplitMix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A snapshot with the words of its texts in place of their state: two histories of the same words may differ in
/// how their bytes are cut.
pub(crate) fn plain(snapshot: &Snapshot) -> serde_json::Value {
    let words = snapshot.words().unwrap();
    let mut json = serde_json::to_value(snapshot).unwrap();
    for text in json["texts"].as_array_mut().unwrap() {
        let at: Address = serde_json::from_value(text["at"].clone()).unwrap();
        text["state"] = json!(words[&at]);
    }
    json
}
