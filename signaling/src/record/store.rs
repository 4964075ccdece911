//! What the store answers, and what becomes of the changes under way.

use clinical::actor::Millis;
use clinical::doc::Doc;
use clinical::edit::Op;
use clinical::field::DocKind;
use clinical::id::{ConnectionId, DocId, EditId};

use super::access;
use super::effect::{Audit, Effect, StoreFailure};
use super::queue::{Item, Origin, Pending, Waiting};
use super::refusal::refusal_of;
use super::{FreshIds, RecordSession, refuse, send};
use crate::message::{RecordRefusal, ResyncReason, ServerMessage, StorageState};

impl RecordSession {
    /// Everything of a document up to `seq` is committed.
    pub fn stored(&mut self, doc: DocId, seq: u64, fresh: FreshIds<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(index) = self.sheets.iter().position(|sheet| sheet.doc.id() == doc) {
            if let Some(sheet) = self.sheets.get_mut(index) {
                sheet.settled_seq = sheet.settled_seq.max(seq);
            }
            // Whom it shuts out does not read that it does, or why.
            if self.sheets.get(index).is_some_and(|sheet| sheet.doc.kind() == DocKind::Voice) {
                self.access_changed(fresh, &mut effects);
            }
            self.release(index, &mut effects);
            self.release_answers(&mut effects);
        }
        effects
    }

    /// The store did not take what was under way. The document must be read again: [`Self::reloaded`].
    pub fn store_failed(&mut self, doc: DocId, why: StoreFailure) -> Vec<Effect> {
        let mut effects = Vec::new();
        let Some(sheet) = self.sheets.iter_mut().find(|sheet| sheet.doc.id() == doc) else {
            return effects;
        };
        sheet.failed = Some(why);
        self.drop_answers(doc, &mut effects);
        let storage = match why {
            StoreFailure::OutOfStep => return effects,
            StoreFailure::Full => StorageState::Full,
            StoreFailure::Away => StorageState::Away,
            StoreFailure::Failed => StorageState::Failed,
        };
        let Some(sheet) = self.sheets.iter_mut().find(|sheet| sheet.doc.id() == doc) else {
            return effects;
        };
        let kind = sheet.doc.kind();
        let Waiting { changes, known } = sheet.take_waiting();
        for Pending { change, origin, .. } in changes {
            effects.extend(refuse(origin.connection, doc, change.edit, refusal_of(why)));
            if let (Some(Op::Text { at, .. }), Some(reader)) =
                (origin.edit.map(|edit| edit.op), self.readers.get_mut(&origin.connection))
            {
                reader.put_back.insert((kind, at));
            }
        }
        for (connection, edit) in known {
            effects.extend(refuse(connection, doc, edit, refusal_of(why)));
        }
        self.tell_storage(storage, &mut effects);
        effects
    }

    /// A document was read again from a store that takes changes again. What it holds is acknowledged, the rest is
    /// applied again, and everybody who may still read it receives it anew.
    pub fn reloaded(&mut self, now: Millis, doc: Doc, fresh: FreshIds<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        let Some(index) = self.sheets.iter().position(|sheet| sheet.doc.id() == doc.id()) else {
            return effects;
        };
        let Some(sheet) = self.sheets.get_mut(index) else { return effects };
        let (doc_id, kind, record) = (doc.id(), doc.kind(), self.record);
        let Waiting { changes, known } = sheet.take_waiting();
        let readers = sheet.reload(doc);
        if kind == DocKind::Voice {
            self.access_changed(fresh, &mut effects);
        }
        let shared = self.shared();
        for connection in readers {
            let hand = self.readers.get(&connection).map(|reader| reader.hand);
            match hand.and_then(|hand| hand.view(kind, shared)) {
                Some(view) => {
                    let why = Some(ResyncReason::Reloaded);
                    self.snapshot(index, connection, view, None, why, fresh, &mut effects);
                }
                // What had opened it up to this role was never stored.
                None => {
                    if let Some(sheet) = self.sheets.get_mut(index) {
                        sheet.close(connection);
                    }
                }
            }
        }
        if self.sheets.iter().all(|sheet| sheet.failed.is_none()) {
            self.tell_storage(StorageState::Ok, &mut effects);
        }
        for Pending { change, origin, .. } in changes {
            let Some(sheet) = self.sheets.get_mut(index) else { continue };
            let Origin { connection, actor, call, edit } = origin;
            if sheet.doc.seq_of(change.edit).is_some() {
                self.answer_known(index, connection, change.edit, &mut effects);
                continue;
            }
            // A decision is not taken again behind somebody's back.
            let Some(edit) = edit else {
                effects.extend(refuse(connection, doc_id, change.edit, RecordRefusal::Busy));
                continue;
            };
            match sheet.apply(now, &actor, call, &edit) {
                Ok(change) => {
                    let edit = Some(edit);
                    sheet.push(change.clone(), Origin { connection, actor, call, edit });
                    let audit =
                        access::fact(sheet, &change).map(|fact| Audit { actor, record, fact });
                    let change = Box::new(change);
                    effects.push(Effect::Store { doc: doc_id, change, audit, version: None });
                }
                Err(error) => effects.extend(refuse(connection, doc_id, edit.id, error.into())),
            }
        }
        for (connection, edit) in known {
            self.answer_known(index, connection, edit, &mut effects);
        }
        effects
    }

    /// Answers an edit that was sent before, once it is stored.
    pub(super) fn answer_known(
        &mut self,
        index: usize,
        connection: ConnectionId,
        edit: EditId,
        effects: &mut Vec<Effect>,
    ) {
        let Some(sheet) = self.sheets.get_mut(index) else { return };
        match sheet.doc.seq_of(edit) {
            Some(seq) => {
                sheet.queue.push_back(Item::Known { connection, edit, seq });
                self.release(index, effects);
            }
            None => effects.extend(refuse(connection, sheet.doc.id(), edit, RecordRefusal::Busy)),
        }
    }

    fn tell_storage(&mut self, storage: StorageState, effects: &mut Vec<Effect>) {
        if self.storage != storage {
            self.storage = storage;
            for connection in self.readers.keys() {
                effects.push(send(*connection, ServerMessage::RecordStatus { storage }));
            }
        }
    }
}
