//! The engine, and the same engine with a fault planted around its answers. The faulty one agrees with itself: what
//! it answers is what it folds and stores, so only somebody who knows what was asked can tell.

use std::collections::BTreeSet;

use clinical::actor::{Actor, Author, Millis};
use clinical::bytes::Base64;
use clinical::change::{Change, DecisionKind, What};
use clinical::command::{Command, CommandError};
use clinical::doc::Doc;
use clinical::edit::{Base, Edit, EditError, Op};
use clinical::field::{Address, DocKind, FieldName};
use clinical::id::{DocId, EditId};
use clinical::register::Register;

use crate::common::{uuid, whole};

/// Each of them loses or invents something, in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A value on an old base replaces what its author never saw.
    LastWriterWins,
    /// A value ends a conflict without a choice.
    BaseIgnored,
    /// Two who agree end a conflict with a third.
    AgreedEndsConflict,
    /// A conflict forgets the value that stood.
    FirstCandidateLost,
    /// A conflict forgets the value that came: acknowledged, and nowhere.
    IncomingLost,
    /// A dose merged field by field.
    DoseMerged,
    /// A choice among values one of which was not shown.
    ChoiceUnseen,
    /// Who removes a row wins over who changed it.
    TombstoneWins,
    /// Who writes into a removed row writes into the dark.
    ContestForgotten,
    /// A text update under somebody else's client id.
    WrongHand,
    /// A text update in another field.
    WrongText,
    /// A text update that was acknowledged and is empty.
    WordsDropped,
    /// A merge that changed a number, unmarked.
    MergeUnmarked,
    /// An edit sent again is applied again.
    ResentTwice,
    /// What was refused stays in the document.
    RefusedAndKept,
    /// Acknowledged before it is stored.
    AckBeforeStore,
    /// Two changes told in the wrong order.
    OrderSwapped,
    /// What was sent is edited.
    LockIgnored,
    /// What was decided is decided again.
    DecidedTwice,
    /// A snapshot that forgets a row's place.
    RestartForgets,
}

impl Fault {
    pub(super) const ALL: [Self; 20] = [
        Self::LastWriterWins,
        Self::BaseIgnored,
        Self::AgreedEndsConflict,
        Self::FirstCandidateLost,
        Self::IncomingLost,
        Self::DoseMerged,
        Self::ChoiceUnseen,
        Self::TombstoneWins,
        Self::ContestForgotten,
        Self::WrongHand,
        Self::WrongText,
        Self::WordsDropped,
        Self::MergeUnmarked,
        Self::ResentTwice,
        Self::RefusedAndKept,
        Self::AckBeforeStore,
        Self::OrderSwapped,
        Self::LockIgnored,
        Self::DecidedTwice,
        Self::RestartForgets,
    ];
}

pub(super) struct Engine {
    pub(super) doc: Doc,
    fault: Option<Fault>,
    /// What a faulty engine believes; the honest one has its document.
    log: Vec<Change>,
}

fn empty() -> Doc {
    Doc::new(DocId(uuid(5, 1)), DocKind::Plan)
}

impl Engine {
    pub(super) fn new(fault: Option<Fault>) -> Self {
        Self { doc: empty(), fault, log: Vec::new() }
    }

    /// What a resent edit became.
    pub(super) fn known(&self, edit: EditId) -> Option<u64> {
        match self.fault {
            Some(Fault::ResentTwice) => None,
            _ => self.doc.seq_of(edit),
        }
    }

    pub(super) fn acks_early(&self) -> bool {
        self.fault == Some(Fault::AckBeforeStore)
    }

    /// What one reader is told, in which order.
    pub(super) fn told(&self, mut changes: Vec<Change>) -> Vec<Change> {
        if self.fault == Some(Fault::OrderSwapped)
            && let [first, second, ..] = changes.as_mut_slice()
        {
            std::mem::swap(first, second);
            std::mem::swap(&mut first.seq, &mut second.seq);
        }
        changes
    }

    /// The server starts again: from a stored snapshot, or from nothing, and the log after it.
    pub(super) fn restart(&mut self, stored: Option<&str>, log: &[Change]) {
        let mut doc = match stored {
            Some(json) => {
                let stored = serde_json::from_str(json).unwrap();
                Doc::load(self.doc.id(), self.doc.kind(), stored).unwrap()
            }
            None => empty(),
        };
        let after = doc.seq();
        for change in log.iter().filter(|change| change.seq > after) {
            let mut change = change.clone();
            if self.fault == Some(Fault::RestartForgets)
                && let What::Moved { after, .. } = &mut change.what
            {
                *after = None;
            }
            doc.fold(&change).unwrap();
        }
        self.doc = doc;
        self.log = log.to_vec();
    }

    pub(super) fn edit(
        &mut self,
        now: Millis,
        by: &Actor,
        edit: &Edit,
        clients: &BTreeSet<u64>,
    ) -> Result<Change, EditError> {
        let Some(fault) = self.fault else {
            return self.doc.apply(now, by, None, edit, clients);
        };
        let mut edit = edit.clone();
        let mut clients = clients.clone();
        self.misread(fault, &mut edit.op, &mut clients);
        let mut scratch = self.scratch();
        let answer = match scratch.apply(now, by, None, &edit, &clients) {
            Ok(change) => self.spoiled(fault, &edit, change),
            Err(error) => Err(error),
        };
        let answer = answer.or_else(|error| match (fault, error, &edit.op) {
            (Fault::LockIgnored, EditError::Locked, Op::Set { at, value, .. }) => {
                let after = value.expose().as_ref().map(|json| at.field.parse(json).unwrap());
                let before = self.doc.register(at).value().cloned();
                let what = What::Set { at: *at, before, after };
                Ok(self.made(now, by, edit.id, what))
            }
            _ => Err(error),
        });
        if let Ok(change) = &answer {
            self.keep(change);
        }
        answer
    }

    pub(super) fn command(
        &mut self,
        now: Millis,
        by: &Actor,
        id: EditId,
        command: &Command,
        seen: u64,
    ) -> Result<Change, CommandError> {
        let answer = self.doc.command(now, by, None, id, command, seen);
        if self.fault.is_none() {
            return answer;
        }
        match (self.fault, answer) {
            (_, Ok(change)) => {
                self.log.push(change.clone());
                Ok(change)
            }
            (Some(Fault::DecidedTwice), Err(CommandError::AlreadyDecided)) => {
                let again = self.log.iter().rev().find_map(|change| match &change.what {
                    What::Decided { decision: DecisionKind::Shared, .. } => None,
                    What::Decided { .. } => Some(change.what.clone()),
                    _ => None,
                });
                let what = again.ok_or(CommandError::AlreadyDecided)?;
                let change = self.made(now, by, id, what);
                self.keep(&change);
                Ok(change)
            }
            (_, Err(error)) => Err(error),
        }
    }

    /// What the faulty engine believes it was asked.
    fn misread(&self, fault: Fault, op: &mut Op, clients: &mut BTreeSet<u64>) {
        match (fault, op) {
            (Fault::LastWriterWins, Op::Set { at, base, .. })
                if !self.doc.register(at).is_conflict() =>
            {
                *base = Base::Rev(self.doc.register(at).rev());
            }
            (Fault::ChoiceUnseen, Op::Resolve { at, seen, .. }) => {
                if let Register::Conflict { candidates, .. } = self.doc.register(at) {
                    *seen = candidates.iter().map(|candidate| candidate.rev).collect();
                }
            }
            (Fault::WrongHand, _) => clients.extend(0..1_000_000),
            _ => {}
        }
    }

    /// What the faulty engine makes of a right answer.
    fn spoiled(
        &mut self,
        fault: Fault,
        edit: &Edit,
        mut change: Change,
    ) -> Result<Change, EditError> {
        let before = |at: &Address| self.doc.register(at).clone();
        let incoming = |candidates: &[clinical::register::Candidate]| {
            candidates.iter().find(|c| c.edit == edit.id).and_then(|c| c.value.clone())
        };
        let op = &edit.op;
        let what = match (fault, &change.what) {
            (Fault::BaseIgnored, What::Conflicted { at, candidates })
                if before(at).is_conflict() && matches!(op, Op::Set { .. }) =>
            {
                Some(What::Set { at: *at, before: None, after: incoming(candidates) })
            }
            (Fault::AgreedEndsConflict, What::Agreed { at }) if before(at).is_conflict() => {
                match op {
                    Op::Set { value, .. } => {
                        let after =
                            value.expose().as_ref().map(|json| at.field.parse(json).unwrap());
                        Some(What::Resolved { at: *at, after })
                    }
                    _ => None,
                }
            }
            (Fault::FirstCandidateLost, What::Conflicted { at, candidates }) => {
                Some(What::Conflicted { at: *at, candidates: candidates[1..].to_vec() })
            }
            (Fault::IncomingLost, What::Conflicted { at, .. }) => Some(What::Agreed { at: *at }),
            (Fault::DoseMerged, What::Conflicted { at, candidates })
                if at.field == FieldName::MedsSig =>
            {
                let json = |n: usize| serde_json::to_value(&candidates[n].value).unwrap();
                let (mut first, last) = (json(0), json(candidates.len() - 1));
                if !first["dose"].is_null() && !last["dose"].is_null() {
                    first["dose"] = last["dose"].clone();
                }
                let after = at.field.parse(&first).ok();
                Some(What::Set { at: *at, before: None, after })
            }
            (Fault::TombstoneWins, What::Conflicted { .. }) => match op {
                Op::Tombstone { row, reason, .. } => {
                    Some(What::Tombstoned { row: *row, reason: reason.clone() })
                }
                _ => None,
            },
            (Fault::WrongText, What::Text { at, update, merged }) if at.row.is_some() => {
                let at = whole(FieldName::OutlineFollowUp);
                Some(What::Text { at, update: update.clone(), merged: merged.clone() })
            }
            (Fault::WordsDropped, What::Text { at, merged, .. }) => {
                let update = Base64(vec![0, 0]);
                Some(What::Text { at: *at, update, merged: merged.clone() })
            }
            (Fault::MergeUnmarked, What::Text { at, update, .. }) => {
                Some(What::Text { at: *at, update: update.clone(), merged: None })
            }
            (Fault::RefusedAndKept, What::Conflicted { .. }) => {
                self.keep(&change);
                return Err(EditError::StaleResolution);
            }
            _ => None,
        };
        if let Some(what) = what {
            change.what = what;
        }
        if fault == Fault::ContestForgotten {
            change.contested = None;
        }
        Ok(change)
    }

    fn made(&self, now: Millis, by: &Actor, edit: EditId, what: What) -> Change {
        Change {
            seq: self.doc.seq() + 1,
            edit,
            at_ms: now,
            typed_ms: None,
            by: Author::Seat(*by),
            call: None,
            what,
            contested: None,
        }
    }

    fn keep(&mut self, change: &Change) {
        self.doc.fold(change).unwrap();
        self.log.push(change.clone());
    }

    fn scratch(&self) -> Doc {
        let mut doc = empty();
        for change in &self.log {
            doc.fold(change).unwrap();
        }
        doc
    }
}
