//! A document whose log does not read to its end: it takes nothing, and of the patient's part nothing is believed.

use clinical::doc::Doc;
use clinical::field::DocKind;
use clinical::id::{ConnectionId, DocId, EditId};
use signaling::message::RecordRefusal;
use signaling::record::Trust;

use super::{Poison, Task};
use crate::record::record_refusal;

/// Whether what the patient wants is known from this document; `None`: it does not stand in it. The same is asked of a
/// record that is read outside its session: `record::hand`.
pub(super) fn trust(doc: &Doc, poison: Option<&Poison>) -> Option<Trust> {
    let trust = if poison.is_some() { Trust::Broken } else { Trust::Whole };
    (doc.kind() == DocKind::Voice).then_some(trust)
}

impl Task {
    /// A document whose log does not read to its end takes nothing: what follows would build on what is not there.
    pub(super) fn is_broken(&self, connection: ConnectionId, doc: DocId, edit: EditId) -> bool {
        let broken = self.logs.get(&doc).is_some_and(|log| log.poison.is_some());
        if broken {
            self.say(connection, record_refusal(doc, edit, RecordRefusal::StorageFailed));
        }
        broken
    }
}
