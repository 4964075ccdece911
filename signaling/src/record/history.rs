//! How a field came to say what it says. The log knows; the session decides who may hear it, when it is asked and again
//! when the log has answered.

use clinical::actor::Millis;
use clinical::change::Change;
use clinical::field::Address;
use clinical::id::{ConnectionId, DocId};

use super::bucket::Bucket;
use super::effect::{Audit, Effect, Fact};
use super::{RecordSession, refused, send};
use crate::message::{RefusalCode, ServerMessage};

/// Histories a second of one connection, and at once: a person reads one after the other. Each costs the log some
/// thousand rows at most.
const PER_SECOND: u32 = 1;
const BURST: u32 = 6;

pub(super) fn bucket(now: Millis) -> Bucket {
    Bucket::new(now, PER_SECOND, BURST)
}

impl RecordSession {
    /// Asks the log for a field's history. It is a read of the document, and in the log of accesses as one.
    pub fn history(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        doc: DocId,
        at: Address,
        before: Option<u64>,
    ) -> Vec<Effect> {
        let Some(reader) = self.readers.get_mut(&connection) else { return Vec::new() };
        if !reader.histories.take(now) {
            return vec![refused(connection, "record.history", RefusalCode::TooFast)];
        }
        let actor = reader.actor;
        if !self.may_tell(connection, doc, &at) {
            return vec![refused(connection, "record.history", RefusalCode::NotAllowed)];
        }
        let read = self.sheets.iter().find(|sheet| sheet.doc.id() == doc).and_then(|sheet| {
            Some((
                Fact::Read { kind: sheet.doc.kind(), view: sheet.view_of(connection)? },
                sheet.settled_seq,
            ))
        });
        let Some((fact, settled)) = read else { return Vec::new() };
        // Nobody sees what is not committed.
        let newest = settled.saturating_add(1);
        let before = before.map_or(newest, |before| before.min(newest));
        vec![
            Effect::Audit(Audit { actor, record: self.record, fact }),
            Effect::ReadHistory { doc, connection, at, before },
        ]
    }

    /// The log has answered: `changes` are about the field, the newest first.
    pub fn history_read(
        &self,
        connection: ConnectionId,
        doc: DocId,
        at: Address,
        changes: Vec<Change>,
        next: Option<u64>,
    ) -> Vec<Effect> {
        // What a seat may read may have changed since it asked.
        if !self.may_tell(connection, doc, &at) {
            return vec![refused(connection, "record.history", RefusalCode::NotAllowed)];
        }
        let authors: std::collections::BTreeSet<_> =
            changes.iter().filter_map(|change| change.by.person()).collect();
        let people = authors.iter().filter_map(|person| self.people.get(person).cloned()).collect();
        let message = ServerMessage::RecordHistory { doc, at, changes, people, next };
        vec![send(connection, message)]
    }

    /// The log could not be read, or too many read it already.
    pub fn history_failed(&self, connection: ConnectionId) -> Vec<Effect> {
        vec![refused(connection, "record.history", RefusalCode::Busy)]
    }

    fn may_tell(&self, connection: ConnectionId, doc: DocId, at: &Address) -> bool {
        self.readers.contains_key(&connection)
            && self.sheets.iter().any(|sheet| {
                sheet.doc.id() == doc
                    && sheet
                        .view_of(connection)
                        .is_some_and(|view| sheet.doc.tells_history(view, at))
                    // What a wish said before may have been about somebody else.
                    && (sheet.wishes_of(connection).is_none() || !sheet.is_wish(at.row))
            })
    }
}
