//! A document: takes edits and commands, answers with the change each of them makes, and folds it.
//!
//! Who may write where is decided before, in `signaling::role`. On `Err` nothing has changed, texts included.

mod agreement;
mod book;
mod command;
mod edit;
mod import;
mod list;
mod recommend;
mod sign;
mod touchpoint;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Author, CallTime, Millis};
use crate::change::{Change, What};
use crate::command::{Command, CommandError};
use crate::edit::{Edit, EditError, Op};
use crate::field::{Address, DocKind, FieldName, ListName};
use crate::fold::{FoldError, State};
use crate::id::{DocId, EditId, PersonId, RowId};
use crate::limits::DOCUMENT;
use crate::recommendation::ByLink;
use crate::register::Register;
use crate::view::{Projection, Snapshot, View};

pub use agreement::AgreementFacts;
pub(crate) use book::Book;
use book::StoredBook;
pub use import::{Import, Take};
pub use touchpoint::TouchpointFacts;

/// One of the documents of a record.
pub struct Doc {
    id: DocId,
    kind: DocKind,
    seq: u64,
    state: State,
    book: Book,
    /// At most the length of its snapshot: what it was when it was last measured, and all that came since.
    size: usize,
}

/// A whole document at rest. Loading it and folding the changes with a greater `seq` gives the document again.
#[derive(Debug, Serialize, Deserialize)]
pub struct Stored {
    /// Of the last change in it.
    pub seq: u64,
    snapshot: Snapshot,
    book: StoredBook,
}

impl std::fmt::Debug for Doc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doc")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}

/// What every change carries beside its content.
#[derive(Clone, Copy)]
struct Stamp {
    now: Millis,
    by: Author,
    call: Option<CallTime>,
    edit: EditId,
}

impl Doc {
    /// An empty document.
    pub fn new(id: DocId, kind: DocKind) -> Self {
        Self { id, kind, seq: 0, state: State::default(), book: Book::default(), size: 0 }
    }

    /// A document from what was stored. The changes after it are folded next.
    ///
    /// # Errors
    /// A text does not read.
    pub fn load(id: DocId, kind: DocKind, stored: Stored) -> Result<Self, FoldError> {
        let Stored { seq, snapshot, book } = stored;
        let (state, book) = (State::load(&snapshot)?, Book::load(book));
        Ok(Self { id, kind, seq, state, book, size: encoded(&snapshot) })
    }

    /// The whole document, to be stored.
    pub fn stored(&self) -> Stored {
        Stored { seq: self.seq, snapshot: self.state.snapshot(), book: self.book.stored() }
    }

    /// Its identifier.
    pub const fn id(&self) -> DocId {
        self.id
    }

    /// Which of the three it is.
    pub const fn kind(&self) -> DocKind {
        self.kind
    }

    /// `seq` of its last change; 0 if it is empty.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The change an edit or a command became, if it is among the last [`crate::limits::EDITS_KNOWN`]. Ask before
    /// applying: a resent edit is answered, not applied again.
    pub fn seq_of(&self, edit: EditId) -> Option<u64> {
        self.book.seq_of(edit)
    }

    /// The list a row stands in.
    pub fn list_of(&self, row: RowId) -> Option<ListName> {
        self.state.list_of(row)
    }

    /// The rows of a list in their order, removed ones included.
    pub fn rows(&self, list: ListName) -> &[RowId] {
        self.state.lists.get(&list).map_or(&[], Vec::as_slice)
    }

    /// What a register holds.
    pub fn register(&self, at: &Address) -> &Register {
        self.state.register(at)
    }

    /// `seq` of the last change of a register or a text; 0 if there was none.
    pub fn rev_of(&self, at: &Address) -> u64 {
        self.state.texts.get(at).map_or_else(|| self.register(at).rev(), |text| text.rev)
    }

    /// The words of a text; `None` if it was never written.
    pub fn text(&self, at: &Address) -> Option<String> {
        self.state.texts.get(at).map(crate::text::Text::string)
    }

    /// Whether the plan was shared with the patient.
    pub fn shared(&self) -> bool {
        let at = Address { row: None, field: FieldName::Share };
        self.register(&at).value().and_then(crate::value::Value::read::<bool>).unwrap_or(false)
    }

    /// Takes an edit, or refuses it. `clients` are the Yjs client ids that were given to this person for this
    /// document.
    ///
    /// # Errors
    /// Why it was refused; the document is unchanged.
    pub fn apply(
        &mut self,
        now: Millis,
        by: &Actor,
        call: Option<CallTime>,
        edit: &Edit,
        clients: &BTreeSet<u64>,
    ) -> Result<Change, EditError> {
        self.check_open(&edit.op)?;
        self.check_room(&edit.op)?;
        let decided = self.decide(now, by, edit, clients)?;
        let stamp = Stamp { now, by: Author::Seat(*by), call, edit: edit.id };
        let mut change = self.change(stamp, decided.what);
        change.contested = decided.contested;
        change.typed_ms = edit
            .typed_ago_ms
            .map(|ago| Millis(now.0.saturating_sub(i64::try_from(ago).unwrap_or(i64::MAX))));
        self.fold(&change).map_err(|_damaged| EditError::TextBad)?;
        Ok(change)
    }

    /// Carries out a decision, or refuses it. `seen` is the `seq` of this document the person looked at.
    ///
    /// # Errors
    /// Why it was refused; the document is unchanged.
    pub fn command(
        &mut self,
        now: Millis,
        by: &Actor,
        call: Option<CallTime>,
        id: EditId,
        command: &Command,
        seen: u64,
    ) -> Result<Change, CommandError> {
        self.take_command(now, by, call, id, command, seen, None)
    }

    /// Takes an answer to a recommendation that came by a link. The answer keeps how it came.
    ///
    /// # Errors
    /// Why it was refused; the document is unchanged.
    pub fn answer_by_link(
        &mut self,
        now: Millis,
        by: &Actor,
        id: EditId,
        command: &Command,
        seen: u64,
        by_link: Option<&ByLink>,
    ) -> Result<Change, CommandError> {
        self.take_command(now, by, None, id, command, seen, by_link)
    }

    #[expect(clippy::too_many_arguments, reason = "a command, who gives it and how it came")]
    fn take_command(
        &mut self,
        now: Millis,
        by: &Actor,
        call: Option<CallTime>,
        id: EditId,
        command: &Command,
        seen: u64,
        by_link: Option<&ByLink>,
    ) -> Result<Change, CommandError> {
        let what = self.decide_command(now, by, command, seen, by_link)?;
        let stamp = Stamp { now, by: Author::Seat(*by), call, edit: id };
        let change = self.change(stamp, what);
        self.fold(&change).map_err(|_damaged| CommandError::NotComplete)?;
        Ok(change)
    }

    /// Folds a change of this document's log. It cannot fail on a change this document made.
    ///
    /// # Errors
    /// The change is not the next one, or a text does not read: the log is damaged.
    pub fn fold(&mut self, change: &Change) -> Result<(), FoldError> {
        if change.seq != self.seq.saturating_add(1) {
            return Err(FoldError::OutOfStep { seq: change.seq, after: self.seq });
        }
        self.state.fold(change)?;
        self.book.note(change);
        self.seq = change.seq;
        self.size = self.size.saturating_add(encoded(change));
        Ok(())
    }

    /// A full document takes nothing new; what clears it up is always taken.
    fn check_room(&mut self, op: &Op) -> Result<(), EditError> {
        let grows = match op {
            Op::Set { .. } | Op::Add { .. } | Op::Text { .. } => true,
            Op::Resolve { .. }
            | Op::Tombstone { .. }
            | Op::Restore { .. }
            | Op::Move { .. }
            | Op::Reviewed { .. } => false,
        };
        if grows { self.check_size() } else { Ok(()) }
    }

    fn check_size(&mut self) -> Result<(), EditError> {
        if self.size > DOCUMENT {
            self.size = encoded(&self.state.snapshot());
            if self.size > DOCUMENT {
                return Err(EditError::TooBig);
            }
        }
        Ok(())
    }

    /// The document through somebody's eyes.
    pub fn snapshot(&self, view: View) -> Snapshot {
        self.projection(view).snapshot()
    }

    /// What a change, already folded, is to somebody's eyes; `None` if they see nothing of it.
    pub fn project_change(&self, change: &Change, view: View) -> Option<Change> {
        self.projection(view).change(change)
    }

    /// Whether these eyes see a field: for carets, which say nothing but where somebody is.
    pub fn sees(&self, view: View, at: &Address) -> bool {
        self.projection(view).sees(at)
    }

    /// Whether these eyes may read how a field came to say what it says. Only eyes that see a whole document: of `plan`
    /// the patient's side sees what stands, not the drafts, and what was written before it was shared least of all.
    pub fn tells_history(&self, view: View, at: &Address) -> bool {
        self.projection(view).all()
            && (at.field.doc() == self.kind() || at.field == FieldName::Presence)
    }

    /// Everybody who wrote what these eyes see.
    pub fn authors(&self, view: View) -> BTreeSet<PersonId> {
        self.projection(view).authors()
    }

    const fn projection(&self, view: View) -> Projection<'_> {
        Projection::new(self.kind, &self.state, &self.book, view)
    }

    const fn change(&self, stamp: Stamp, what: What) -> Change {
        Change {
            seq: self.seq.saturating_add(1),
            edit: stamp.edit,
            at_ms: stamp.now,
            typed_ms: None,
            by: stamp.by,
            call: stamp.call,
            what,
            contested: None,
        }
    }
}

fn encoded<T: Serialize>(value: &T) -> usize {
    serde_json::to_string(value).map_or(0, |json| json.len())
}
