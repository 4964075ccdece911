//! What becomes of a signature, of an addendum and of a revision.

use std::collections::BTreeMap;

use crate::actor::{Actor, Author, CallTime, Millis};
use crate::change::{Change, DecisionKind, FieldSet, What};
use crate::command::CommandError;
use crate::edit::{EditError, Op};
use crate::field::{Address, DocKind, FieldKind, FieldName, ListName, Place, Presence};
use crate::fold::presence_of;
use crate::gate::{SigningFacts, gate};
use crate::id::{EditId, RowId};
use crate::receipt::{Receipt, Receipts, Reception};
use crate::register::Register;
use crate::value::Value;
use crate::version::{
    Addenda, Addendum, Content, Fields, Revision, Row, STATEMENT, SealedVersion, Sha256Hex, Signed,
    Signer, Superseded,
};

use super::{Doc, Stamp};

const FORMAT: u32 = 1;

const SIGNED: Address = Address { row: None, field: FieldName::Signed };
const REVISION: Address = Address { row: None, field: FieldName::Revision };
const ADDENDA: Address = Address { row: None, field: FieldName::Addenda };
const RECEIPTS: Address = Address { row: None, field: FieldName::Receipts };

/// What is about a version and not in it: its signature, who has it, and what became of the follow-up that it agreed on.
const BESIDE: [FieldName; 5] = [
    FieldName::Signed,
    FieldName::Revision,
    FieldName::Receipts,
    FieldName::TouchpointsState,
    FieldName::TouchpointsNote,
];

impl Doc {
    /// The newest signature.
    pub fn signed(&self) -> Option<Signed> {
        self.register(&SIGNED).value().and_then(Value::read)
    }

    /// Whether the plan is signed and has not been opened again: it takes no edits.
    pub fn sealed(&self) -> bool {
        self.register(&SIGNED).rev() > self.register(&REVISION).rev()
    }

    /// Signs the plan as it was `seen`: exactly what the signer looked at, or nothing.
    ///
    /// # Errors
    /// It changed since, something is missing at the gate ([`gate`]), or it is signed already. The document is
    /// unchanged.
    pub fn sign(
        &mut self,
        now: Millis,
        by: &Actor,
        call: Option<CallTime>,
        id: EditId,
        seen: u64,
        facts: &SigningFacts,
    ) -> Result<(Change, SealedVersion), CommandError> {
        if self.kind != DocKind::Plan {
            return Err(CommandError::UnknownRow);
        }
        if self.sealed() {
            return Err(CommandError::AlreadyDecided);
        }
        if seen != self.seq {
            return Err(CommandError::ChangedSince);
        }
        if !gate(self, facts).is_empty() {
            return Err(CommandError::NotReady);
        }
        let content = self.content(Signer {
            person: by.person,
            name: facts.name.expose().clone(),
            credentials: facts.in_force().cloned().collect(),
            statement: STATEMENT.to_owned(),
            at_ms: now,
            confirmed: Some(facts.confirmed.clone()),
        });
        let bytes = content.canonical().ok_or(CommandError::NotReady)?;
        let signed = Signed { version: content.version, sha256: Sha256Hex::of(&bytes) };
        let sets = vec![FieldSet { at: SIGNED, value: Some(Value::trusted(&signed)) }];
        let what = What::decided(DecisionKind::Signed, sets);
        let change = self.change(Stamp { now, by: Author::Seat(*by), call, edit: id }, what);
        self.fold(&change).map_err(|_damaged| CommandError::NotReady)?;
        let Signed { version, sha256 } = signed;
        let seq = change.seq;
        Ok((change, SealedVersion { version, content: crate::phi::Phi::new(bytes), sha256, seq }))
    }

    /// Everything the plan says now, as the next version.
    fn content(&self, signer: Signer) -> Content {
        let before = self.signed();
        let revision = self.register(&REVISION).value().and_then(Value::read::<Revision>);
        let version = before.as_ref().map_or(0, |signed| signed.version).saturating_add(1);
        let supersedes = before.zip(revision).map(|(Signed { version, sha256 }, revision)| {
            Superseded { version, sha256, reason: revision.reason }
        });
        let mut lists = BTreeMap::new();
        for list in ListName::ALL.iter().filter(|list| list.doc() == self.kind) {
            let rows: Vec<Row> = self
                .standing(*list)
                .map(|row| Row { row, fields: self.said(Some(row), Place::Row(*list)) })
                .collect();
            if !rows.is_empty() {
                lists.insert(list.as_str().to_owned(), rows);
            }
        }
        let fields = self.said(None, Place::Document);
        Content {
            format: FORMAT,
            doc: self.id,
            version,
            supersedes,
            seq: self.seq,
            signer,
            fields,
            lists,
        }
    }

    fn said(&self, row: Option<RowId>, place: Place) -> Fields {
        let here = |field: &FieldName| field.place() == place && field.doc() == self.kind;
        let said = |field: &FieldName| here(field) && !BESIDE.contains(field);
        let fields = FieldName::ALL.iter().copied().filter(said);
        fields
            .filter_map(|field| {
                let at = Address { row, field };
                let value = match field.kind() {
                    FieldKind::Text { .. } => self
                        .text(&at)
                        .filter(|words| !words.is_empty())
                        .map(serde_json::Value::from),
                    FieldKind::Register | FieldKind::Command => {
                        self.register(&at).value().and_then(Value::read)
                    }
                };
                Some((field.as_str().to_owned(), value?))
            })
            .collect()
    }

    /// A signed plan takes comments about it, and nothing else.
    pub(super) fn check_open(&self, op: &Op) -> Result<(), EditError> {
        let list = match op {
            Op::Add { list, .. } => Some(*list),
            Op::Set { at, .. }
            | Op::Resolve { at, .. }
            | Op::Text { at, .. }
            | Op::Reviewed { at, .. } => at.row.and_then(|row| self.list_of(row)),
            Op::Tombstone { row, .. } | Op::Restore { row, .. } | Op::Move { row, .. } => {
                self.list_of(*row)
            }
        };
        if self.sealed() && list != Some(ListName::Comments) {
            Err(EditError::Sealed)
        } else {
            Ok(())
        }
    }

    pub(super) fn addend(&self, now: Millis, by: &Actor, text: &str) -> Result<What, CommandError> {
        let of =
            self.signed().filter(|_signed| self.sealed()).ok_or(CommandError::NotSigned)?.version;
        let mut addenda =
            self.register(&ADDENDA).value().and_then(Value::read::<Addenda>).unwrap_or_default();
        addenda.0.push(Addendum { of, text: text.to_owned(), by: by.person, at_ms: now });
        let value = Value::of(&addenda).map_err(|_rule| CommandError::BadDecision)?;
        let sets = vec![FieldSet { at: ADDENDA, value: Some(value) }];
        Ok(What::decided(DecisionKind::Addended, sets))
    }

    /// Notes what became of the newest signed version, which is the one in force until another is signed.
    pub(super) fn receive(
        &self,
        now: Millis,
        by: &Actor,
        version: u32,
        what: Reception,
    ) -> Result<What, CommandError> {
        let of = self.signed().ok_or(CommandError::NotSigned)?.version;
        if version != of {
            return Err(CommandError::ChangedSince);
        }
        let mut receipts =
            self.register(&RECEIPTS).value().and_then(Value::read::<Receipts>).unwrap_or_default();
        let decision = match what {
            Reception::Acknowledged => DecisionKind::PlanAcknowledged,
            Reception::Agreed | Reception::HasQuestions { .. } => DecisionKind::PlanAnswered,
            Reception::HandedOn { .. } => DecisionKind::PlanHandedOn,
        };
        receipts.take(Receipt { of, what, by: by.person, at_ms: now })?;
        let value = Value::of(&receipts).map_err(|_rule| CommandError::BadDecision)?;
        let sets = vec![FieldSet { at: RECEIPTS, value: Some(value) }];
        Ok(What::decided(decision, sets))
    }

    pub(super) fn revise(&self, reason: &str) -> Result<What, CommandError> {
        let of =
            self.signed().filter(|_signed| self.sealed()).ok_or(CommandError::NotSigned)?.version;
        let revision = Revision { of, reason: reason.to_owned() };
        let value = Value::of(&revision).map_err(|_rule| CommandError::BadDecision)?;
        let sets = vec![FieldSet { at: REVISION, value: Some(value) }];
        Ok(What::decided(DecisionKind::RevisionOpened, sets))
    }

    /// Whether a row was taken out.
    pub fn removed(&self, row: RowId) -> bool {
        matches!(
            self.register(&presence_of(row)).value().and_then(Value::read),
            Some(Presence::Removed { .. })
        )
    }

    /// Registers in conflict and merged texts nobody has read.
    pub(crate) fn open_questions(&self) -> impl Iterator<Item = Address> {
        let conflicts = self.state.registers.iter().filter_map(|(at, register)| match register {
            Register::Conflict { .. } => Some(*at),
            Register::Empty | Register::Value { .. } => None,
        });
        let merged = self.state.texts.iter().filter(|(_, text)| text.merged.is_some());
        conflicts.chain(merged.map(|(at, _)| *at))
    }

    /// Every text that was ever written.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (Address, String)> {
        self.state.texts.iter().map(|(at, text)| (*at, text.string()))
    }
}
