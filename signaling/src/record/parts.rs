//! A snapshot as messages: a document larger than one comes in parts.

use clinical::change::Change;
use clinical::id::{ConnectionId, RecordId};
use clinical::view::{Snapshot, View};
use serde::Serialize;

use super::queue::Sheet;
use crate::message::{PersonName, ServerMessage, SnapshotContent};
use crate::role::Hand;

/// Content of one part, as JSON, in bytes. Clients need not take messages above 256 KiB, and the rest of the message
/// wants room too. One text with a long history may be longer, and then stands in a part of its own.
const PART: usize = 192 * 1024;

/// Room for what is around an item in its part: a comma, a list's name.
const AROUND: usize = 64;

/// The messages that bring a reader to the document's state: what it missed if that is known, else everything.
pub(super) fn snapshot(
    record: RecordId,
    sheet: &Sheet,
    (connection, view): (ConnectionId, View),
    hand: Hand,
    client_id: u64,
    have: Option<u64>,
    people: Vec<PersonName>,
) -> Vec<ServerMessage> {
    let contents: Vec<SnapshotContent> = match have.and_then(|seq| missed(sheet, view, seq)) {
        Some(changes) => changes_in_parts(changes)
            .into_iter()
            .map(|changes| SnapshotContent::Since { changes })
            .collect(),
        None => state_in_parts(sheet.seen_by(connection, view))
            .into_iter()
            .map(|state| SnapshotContent::Full { state })
            .collect(),
    };
    let parts = u32::try_from(contents.len()).unwrap_or(u32::MAX);
    let kind = sheet.doc.kind();
    let mut people = Some(people);
    (0..parts)
        .zip(contents)
        .map(|(part, content)| ServerMessage::RecordSnapshot {
            record,
            doc: sheet.doc.id(),
            kind,
            seq: sheet.doc.seq(),
            view,
            content,
            client_id,
            writable: hand.writable(kind),
            writable_lists: hand.writable_lists(kind),
            commands: hand.commands(kind),
            people: people.take().unwrap_or_default(),
            part,
            parts,
        })
        .collect()
}

/// The changes after `seq`, if they are all at hand. A change is projected when it is made, so only readers of
/// everything can be told later what they missed; the patient's side is small and comes whole.
fn missed(sheet: &Sheet, view: View, seq: u64) -> Option<Vec<Change>> {
    if seq == sheet.doc.seq() {
        return Some(Vec::new());
    }
    let at_hand = match view {
        View::Full => {
            sheet.recent.front().is_some_and(|oldest| oldest.seq <= seq.saturating_add(1))
        }
        View::PatientSide => false,
    };
    (at_hand && seq < sheet.doc.seq())
        .then(|| sheet.recent.iter().filter(|change| change.seq > seq).cloned().collect())
}

/// Items gathered into parts.
struct Parts<T> {
    done: Vec<T>,
    current: T,
    size: usize,
}

impl<T: Default> Parts<T> {
    fn new() -> Self {
        Self { done: Vec::new(), current: T::default(), size: 0 }
    }

    /// The part that still has room for an item.
    fn room<I: Serialize>(&mut self, item: &I) -> &mut T {
        let length = serde_json::to_string(item).map_or(PART, |json| json.len());
        let length = length.saturating_add(AROUND);
        if self.size > 0 && self.size.saturating_add(length) > PART {
            self.done.push(std::mem::take(&mut self.current));
            self.size = 0;
        }
        self.size = self.size.saturating_add(length);
        &mut self.current
    }

    fn finish(mut self) -> Vec<T> {
        self.done.push(self.current);
        self.done
    }
}

fn changes_in_parts(changes: Vec<Change>) -> Vec<Vec<Change>> {
    let mut parts = Parts::<Vec<Change>>::new();
    for change in changes {
        parts.room(&change).push(change);
    }
    parts.finish()
}

fn state_in_parts(state: Snapshot) -> Vec<Snapshot> {
    let Snapshot { lists, registers, texts } = state;
    let mut parts = Parts::<Snapshot>::new();
    for list in lists {
        parts.room(&list).lists.push(list);
    }
    for register in registers {
        parts.room(&register).registers.push(register);
    }
    for text in texts {
        parts.room(&text).texts.push(text);
    }
    parts.finish()
}
