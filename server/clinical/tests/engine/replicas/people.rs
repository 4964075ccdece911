//! What the three people do: they type values and prose, choose, remove, decide, and one of them forges.

use std::sync::LazyLock;

use clinical::command::Command;
use clinical::edit::{Base, Edit, Op};
use clinical::field::{Address, FieldName, ListName};
use clinical::id::RowId;
use clinical::phi::Phi;
use clinical::register::Register;
use serde_json::{Value as Json, json};

use super::client::Sent;
use super::judge::{Asked, Fate, LISTS, Verdict};
use super::replica::presence_of;
use super::world::{PEOPLE, World};
use crate::common::*;

const REGISTERS: [FieldName; 4] = [
    FieldName::MedsSig,
    FieldName::MedsIndication,
    FieldName::RecommendationsContent,
    FieldName::AllergyStatement,
];

/// Characters that are numbers, each a different one: a text in which every character stands once can be counted.
static NUMERALS: LazyLock<Vec<char>> =
    LazyLock::new(|| ('\u{660}'..'\u{fff0}').filter(|c| c.is_numeric()).collect());

impl World {
    pub(super) fn type_something(&mut self, who: usize, word: u64) -> Verdict {
        let pick = |shift: u32, among: usize| (word >> shift & 0xff) as usize % among.max(1);
        if !self.clients[who].may_type() {
            return Ok(());
        }
        let row = |world: &Self, list: usize| {
            let rows = world.clients[who].state.rows(LISTS[list]);
            rows.get(pick(24, rows.len())).copied()
        };
        match pick(16, 32) {
            0..12 => {
                if let Some(at) = self.register_at(who, word) {
                    self.put(who, at, word >> 32);
                }
            }
            12..19 => {
                if let Some(at) = self.text_at(who, pick(24, 3)) {
                    self.write(who, at, word >> 32);
                }
            }
            19..21 => {
                if let Some(row) = row(self, pick(32, 3)) {
                    self.remove(who, row);
                }
            }
            21..23 => {
                if let Some(row) = row(self, pick(32, 3)) {
                    let seen = self.clients[who].state.seq;
                    let at = presence_of(row);
                    match self.clients[who].state.register(&at) {
                        Register::Conflict { candidates, .. } => {
                            let revs: Vec<u64> = candidates.iter().map(|c| c.rev).collect();
                            let value =
                                serde_json::to_value(&candidates[pick(40, candidates.len())].value);
                            self.ask(who, resolve(at, &revs, value.unwrap()), seen);
                        }
                        Register::Empty | Register::Value { .. } => {
                            self.ask(who, Op::Restore { row, seen }, seen);
                        }
                    }
                }
            }
            23..26 => {
                let list = pick(32, 3);
                let rows = self.clients[who].state.rows(LISTS[list]).to_vec();
                if rows.len() > 1 {
                    let after = rows.get(pick(40, rows.len() + 1)).copied();
                    let row = rows[pick(24, rows.len())];
                    if after != Some(row) {
                        self.ask(who, Op::Move { row, after }, self.clients[who].state.seq);
                    }
                }
            }
            26 => return self.add(who, LISTS[pick(32, 3)]),
            27..29 => {
                if let Some(at) = self.text_at(who, pick(24, 3)) {
                    let seen = self.clients[who].state.texts.get(&at).map(|text| text.rev);
                    if let Some(seen) = seen {
                        self.ask(who, Op::Reviewed { at, seen }, self.clients[who].state.seq);
                    }
                }
            }
            _ => {
                if let Some(row) = row(self, 2) {
                    self.decide(who, row, pick(40, 5));
                }
            }
        }
        Ok(())
    }

    pub(super) fn register_at(&self, who: usize, word: u64) -> Option<Address> {
        // Half of the time the one dose everybody is about.
        if word >> 33 & 1 == 0
            && let Some(row) = self.clients[who].state.rows(ListName::Meds).last()
        {
            return Some(at(*row, FieldName::MedsSig));
        }
        let field = REGISTERS[(word >> 26 & 7) as usize % REGISTERS.len()];
        let list = match field {
            FieldName::AllergyStatement => return Some(whole(field)),
            FieldName::RecommendationsContent => ListName::Recommendations,
            _ => ListName::Meds,
        };
        let rows = self.clients[who].state.rows(list);
        rows.get((word >> 29 & 7) as usize % rows.len().max(1)).map(|row| at(*row, field))
    }

    fn text_at(&self, who: usize, n: usize) -> Option<Address> {
        match n {
            0 => {
                let row = self.clients[who].state.rows(ListName::Problems).first()?;
                Some(at(*row, FieldName::ProblemsAssociation))
            }
            _ => Some(whole(FieldName::OutlineFollowUp)),
        }
    }

    /// A value somebody may type: few, so that people agree, or one of its own.
    fn say(&mut self, at: &Address, word: u64) -> Option<Json> {
        if word & 0xf == 0 && at.field != FieldName::RecommendationsContent {
            return None;
        }
        let n = if word >> 4 & 1 == 0 {
            1 + u128::from(word >> 5 & 3)
        } else {
            self.next += 1;
            self.next + 10
        };
        Some(match at.field {
            FieldName::MedsSig => {
                json!({ "text": format!("{n} mg"), "dose": { "value": n.to_string(), "unit": "mg" } })
            }
            FieldName::AllergyStatement => json!(["unknown", "no_known", "listed"][n as usize % 3]),
            FieldName::RecommendationsContent => {
                json!({ "action": "stop", "summary": format!("n. {n}") })
            }
            _ => json!(format!("for {n}")),
        })
    }

    /// Ends an editor: a value where one stands, a choice where several do.
    pub(super) fn put(&mut self, who: usize, at: Address, word: u64) {
        let value = self.say(&at, word);
        let draft = self.clients[who].drafts.remove(&at);
        let client = &self.clients[who];
        let conflict = match client.state.register(&at) {
            Register::Conflict { candidates, .. } => {
                Some(candidates.iter().map(|c| c.rev).collect::<Vec<_>>())
            }
            Register::Empty | Register::Value { .. } => None,
        };
        let (base, seen) = draft.unwrap_or_else(|| (client.base(&at), client.state.seq));
        let op = match (conflict, draft, base) {
            (Some(seen), None, Base::Rev(_)) => Op::Resolve { at, seen, value: Phi::new(value) },
            _ => Op::Set { at, base, value: Phi::new(value) },
        };
        self.ask(who, op, seen);
    }

    pub(super) fn remove(&mut self, who: usize, row: RowId) {
        let seen = self.clients[who].state.seq;
        self.next += 1;
        let reason = format!("reason {}", self.next % 3);
        self.ask(who, tombstone(row, seen, &reason), seen);
    }

    pub(super) fn add(&mut self, who: usize, list: ListName) -> Verdict {
        self.next += 1;
        let row = row(self.next);
        let field = REGISTERS.into_iter().find(
            |field| matches!(field.place(), clinical::field::Place::Row(other) if other == list),
        );
        let mut values = Vec::new();
        if let Some(field) = field
            && let Some(value) = self.say(&at(row, field), 0x11 | (self.next as u64) << 8)
        {
            values.push((field, value));
        }
        self.ask(who, add(list, row, &values), self.clients[who].state.seq);
        Ok(())
    }

    /// Types into a text, or erases of it.
    pub(super) fn write(&mut self, who: usize, at: Address, word: u64) {
        let base = self.clients[who].state.texts.get(&at).map_or(0, |text| text.rev);
        let seen = self.clients[who].state.seq;
        let fresh: Vec<char> =
            (0..=word >> 2 & 1).map(|n| self.character(word >> (3 + n))).collect();
        let pen = self.clients[who].pen(&at);
        let there: Vec<char> = pen.words().chars().collect();
        let place = (word >> 8 & 0xff) as usize % (there.len() + 1);
        let units = |chars: &[char]| chars.iter().map(|c| c.len_utf16() as u32).sum::<u32>();
        let erased = &there[place..(place + 1 + (word >> 16 & 1) as usize).min(there.len())];
        let (update, ink) = if word & 3 == 0 && !erased.is_empty() {
            (pen.erase(units(&there[..place]), units(erased)), (Vec::new(), erased.to_vec()))
        } else {
            let words: String = fresh.iter().collect();
            (pen.write(units(&there[..place]), &words), (fresh, Vec::new()))
        };
        self.ask_with(who, typed(at, base, update), seen, ink);
    }

    /// One that was not used before: a number, a letter, or one that takes two units.
    fn character(&mut self, word: u64) -> char {
        self.ink += 1;
        let n = self.ink;
        match word & 3 {
            0 | 1 => NUMERALS[n as usize % NUMERALS.len()],
            2 => char::from_u32(0x4e00 + n % 0x5000).unwrap(),
            _ => char::from_u32(0x2_0000 + n % 0xa000).unwrap(),
        }
    }

    /// Somebody types under another's client id.
    pub(super) fn forge(&mut self, who: usize) -> Verdict {
        let other = self.clients[(who + 1) % PEOPLE].actor.person;
        let Some(id) =
            self.judge.hands.iter().rev().find(|(_, whose)| **whose == other).map(|(id, _)| *id)
        else {
            return Ok(());
        };
        if !self.clients[who].may_command() {
            return Ok(());
        }
        let at = whole(FieldName::OutlineFollowUp);
        let pen = self.judge.book.mirror.pen(&at, id);
        let c = self.character(0);
        let update = pen.write(0, &c.to_string());
        self.next += 1;
        let edit = Edit { id: edit_id(self.next), op: typed(at, 0, update), typed_ago_ms: None };
        let asked = Asked {
            who: self.clients[who].actor.person,
            op: Some(edit.op.clone()),
            seen: 0,
            ink: (vec![c], Vec::new()),
            fate: Fate::Unknown,
        };
        self.judge.note(edit.id, asked);
        self.clients[who].up.push_back(Sent::Edit { edit, resend: false });
        Ok(())
    }

    fn decide(&mut self, who: usize, row: RowId, n: usize) {
        if !self.clients[who].may_command() {
            return;
        }
        let decide =
            json!({ "kind": "decide", "row": row, "outcome": "declined", "reason": "needs_visit" });
        let command = match n {
            0 | 1 => Command::SendRecommendation { row },
            2 | 3 => serde_json::from_value(decide).unwrap(),
            _ => Command::Share,
        };
        self.next += 1;
        let (id, seen) = (edit_id(self.next), self.clients[who].state.seq);
        let who_asks = self.clients[who].actor.person;
        let asked =
            Asked { who: who_asks, op: None, seen, ink: Default::default(), fate: Fate::Waiting };
        self.judge.note(id, asked);
        self.clients[who].up.push_back(Sent::Command { id, command, seen });
    }

    pub(super) fn ask(&mut self, who: usize, op: Op, seen: u64) {
        self.ask_with(who, op, seen, Default::default());
    }

    fn ask_with(&mut self, who: usize, op: Op, seen: u64, ink: (Vec<char>, Vec<char>)) {
        self.next += 1;
        let edit = Edit { id: edit_id(self.next), op, typed_ago_ms: None };
        self.tell(|| format!("{who}, seen to {seen}, asks {edit:?}"));
        let person = self.clients[who].actor.person;
        let op = Some(edit.op.clone());
        self.judge.note(edit.id, Asked { who: person, op, seen, ink, fate: Fate::Waiting });
        self.clients[who].queue(edit);
    }
}
