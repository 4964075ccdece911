//! Looks after every event whether the promises were kept. It knows what was typed, by whom, and what they had seen;
//! of the engine it sees only its answers.
//!
//! Sealing: once a document can be signed, the judge keeps the bytes of each `Sealed` change here and compares them
//! with the stored version in [`Judge::at_rest`]; nothing but `Sealed` may follow in that document.

use std::collections::{BTreeMap, BTreeSet};

use clinical::change::{Change, DecisionKind, What};
use clinical::doc::Doc;
use clinical::edit::{EditError, Op};
use clinical::field::{Address, FieldKind, FieldName, ListName};
use clinical::id::{EditId, PersonId, RowId};
use clinical::register::Register;
use clinical::value::Value;
use yrs::updates::decoder::Decode as _;

use super::book::Book;
use super::replica::{Replica, Server, presence_of};
use crate::common::Pen;

/// What was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Law {
    /// No register shows a value nobody typed.
    NothingInvented,
    /// A value goes only if its author takes it back, or somebody who saw it replaces it.
    NothingDropped,
    /// Only a choice ends a conflict.
    ConflictStands,
    /// A change does what its edit asked, nothing else.
    AsAsked,
    /// An edit sent twice is taken once.
    OnceOnly,
    /// A refusal leaves nothing behind.
    NoTrace,
    /// Nothing is refused without a reason the author can see.
    RefusedWithReason,
    /// Server and browser fold alike.
    OneFold,
    /// No work vanishes in a row that is taken out unseen.
    NoRowLostUnseen,
    /// A text holds every character that was typed and not erased, once, and no other.
    WordsKept,
    /// A merge that changes a number, or comes late, is marked until it was read.
    MergeMarked,
    /// Nobody writes under another's name.
    OwnHand,
    /// A decision is made once, by somebody who has seen what it is about.
    DecidedOnce,
    /// What was sent stands as it was sent.
    LockedStays,
    /// What was acknowledged is stored.
    AckedStays,
    /// At rest all copies are equal, and nothing waits.
    EqualAtRest,
}

/// A broken promise.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    pub(super) law: Law,
    pub(super) detail: String,
}

pub(super) type Verdict = Result<(), Violation>;

macro_rules! law {
    ($law:ident, $holds:expr, $($detail:tt)+) => {
        if !$holds {
            return Err(Violation { law: Law::$law, detail: format!($($detail)+) });
        }
    };
}
pub(super) use law;

/// What became of something asked, as its author was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Kept on the device.
    Waiting,
    Acked,
    Refused,
    /// A command's line broke, or a forger waits: nobody promised anything.
    Unknown,
}

/// Something a person asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) who: PersonId,
    /// `None`: a command.
    pub(super) op: Option<Op>,
    /// The last change on the author's screen when they began.
    pub(super) seen: u64,
    /// Of a text: the characters it inserts and erases.
    pub(super) ink: (Vec<char>, Vec<char>),
    pub(super) fate: Fate,
}

#[derive(Default)]
pub(super) struct Judge {
    /// Everything asked, by whom.
    pub(super) asked: BTreeMap<EditId, Asked>,
    /// The Yjs client ids of each person.
    pub(super) hands: BTreeMap<u64, PersonId>,
    /// What was typed for each register.
    typed: BTreeMap<Address, BTreeSet<String>>,
    /// What follows from the log alone.
    pub(super) book: Book,
}

struct Held {
    value: Option<Value>,
    rev: u64,
    by: Option<PersonId>,
}

fn held(register: &Register) -> Vec<Held> {
    match register {
        Register::Empty => Vec::new(),
        Register::Value { value, rev, by, .. } => {
            vec![Held { value: value.clone(), rev: *rev, by: by.person() }]
        }
        Register::Conflict { candidates, .. } => candidates
            .iter()
            .map(|c| Held { value: c.value.clone(), rev: c.rev, by: c.by.person() })
            .collect(),
    }
}

fn canonical(value: Option<&Value>) -> String {
    serde_json::to_string(&value).unwrap()
}

fn parsed(at: &Address, json: Option<&serde_json::Value>) -> Option<Value> {
    json.map(|json| at.field.parse(json).unwrap())
}

impl Judge {
    /// Notes what a person asks for, before it is sent.
    pub(super) fn note(&mut self, edit: EditId, asked: Asked) {
        let mut typed = |at: Address, value: Option<&Value>| {
            self.typed.entry(at).or_default().insert(canonical(value));
        };
        let presence =
            |row: RowId, json| (presence_of(row), FieldName::Presence.parse(&json).unwrap());
        match &asked.op {
            Some(Op::Set { at, value, .. } | Op::Resolve { at, value, .. }) => {
                typed(*at, parsed(at, value.expose().as_ref()).as_ref());
            }
            Some(Op::Add { row, values, .. }) => {
                for (field, json) in values {
                    let at = Address { row: Some(*row), field: *field };
                    typed(at, parsed(&at, Some(json.expose())).as_ref());
                }
                // Whoever adds a row, or writes into it, says that it is there.
                let (at, value) = presence(*row, serde_json::json!({ "state": "present" }));
                typed(at, Some(&value));
            }
            Some(Op::Tombstone { row, reason, .. }) => {
                let gone = serde_json::json!({ "state": "removed", "reason": reason.expose() });
                let (at, value) = presence(*row, gone);
                typed(at, Some(&value));
            }
            Some(Op::Restore { .. } | Op::Move { .. } | Op::Text { .. } | Op::Reviewed { .. })
            | None => {}
        }
        self.asked.insert(edit, asked);
    }

    /// The server has lost what it had not stored: the log is read anew.
    pub(super) fn rewind(&mut self, log: &[Change]) {
        self.book = Book::default();
        for change in log {
            self.book.read(change, &self.asked);
        }
    }

    /// The server took something.
    pub(super) fn accepted(&mut self, change: &Change, doc: &Doc) -> Verdict {
        let Some(asked) = self.asked.get(&change.edit) else {
            law!(AsAsked, false, "nobody asked for {change:?}");
            return Ok(());
        };
        let book = &self.book;
        law!(OnceOnly, !book.taken.contains_key(&change.edit), "taken twice: {change:?}");
        law!(OneFold, change.seq == book.mirror.seq + 1, "out of order: {change:?}");
        law!(AsAsked, change.by.person() == Some(asked.who), "another's name: {change:?}");
        self.as_asked(change, asked)?;
        self.rows(change, asked)?;
        if let What::Text { at, update, merged } = &change.what {
            self.hand(&update.0, asked)?;
            self.merge(change, at, merged.as_ref().map(|merged| merged.with.as_slice()), asked)?;
        }
        let at = register_of(&change.what);
        let presence =
            change.contested.as_ref().and_then(|_in_doubt| change.what.row()).map(presence_of);
        let before: Vec<(Address, Register)> = at
            .into_iter()
            .chain(presence)
            .map(|at| (at, self.book.mirror.register(&at).clone()))
            .collect();
        self.book.read(change, &self.asked);
        let asked = &self.asked[&change.edit];
        for (at, before) in before {
            let after = self.book.mirror.register(&at);
            law!(OneFold, doc.register(&at) == after, "{at}: {:?}, {after:?}", doc.register(&at));
            self.register(change, asked, &at, &before, after)?;
        }
        if let What::Text { at, .. } = &change.what {
            self.words(at, doc)?;
        }
        if let What::Added { values, row, .. } = &change.what {
            for field in values.keys() {
                let at = Address { row: Some(*row), field: *field };
                law!(OneFold, doc.register(&at) == self.book.mirror.register(&at), "{at}");
            }
        }
        Ok(())
    }

    fn as_asked(&self, change: &Change, asked: &Asked) -> Verdict {
        let value = |at: &Address, json: &clinical::phi::Phi<Option<serde_json::Value>>| {
            parsed(at, json.expose().as_ref())
        };
        let candidate = |candidates: &[clinical::register::Candidate], value: Option<Value>| {
            candidates.iter().any(|c| {
                c.edit == change.edit
                    && c.value == value
                    && c.by == change.by
                    && c.rev == change.seq
            })
        };
        let stands = |at: &Address, value: &Option<Value>| {
            held(self.book.mirror.register(at)).iter().any(|held| held.value == *value)
        };
        let row_says = |row: &RowId, json: serde_json::Value| {
            (presence_of(*row), FieldName::Presence.parse(&json).ok())
        };
        let fits = match (&asked.op, &change.what) {
            (Some(Op::Set { at, value: json, .. }), What::Set { at: to, after, before }) => {
                let was = self.book.mirror.register(at).value();
                at == to && *after == value(at, json) && before.as_ref() == was
            }
            (Some(Op::Set { at, value: json, .. }), What::Agreed { at: to }) => {
                at == to && stands(at, &value(at, json))
            }
            (Some(Op::Set { at, value: json, .. }), What::Conflicted { at: to, candidates }) => {
                at == to && candidate(candidates, value(at, json))
            }
            (Some(Op::Resolve { at, value: json, .. }), What::Resolved { at: to, after }) => {
                at == to && *after == value(at, json)
            }
            (
                Some(Op::Add { list, row, after, values }),
                What::Added { list: l, row: r, after: a, values: v },
            ) => {
                let all = values.len() == v.len()
                    && values.iter().all(|(field, json)| {
                        v.get(field) == field.parse(json.expose()).ok().as_ref()
                    });
                list == l && row == r && after == a && all
            }
            (Some(Op::Tombstone { row, reason, .. }), What::Tombstoned { row: r, reason: why }) => {
                row == r && reason == why
            }
            (Some(Op::Tombstone { row, reason, .. }), What::Agreed { at }) => {
                let gone = serde_json::json!({ "state": "removed", "reason": reason.expose() });
                let (presence, value) = row_says(row, gone);
                *at == presence && stands(at, &value)
            }
            (Some(Op::Tombstone { row, reason, .. }), What::Conflicted { at, candidates }) => {
                let gone = serde_json::json!({ "state": "removed", "reason": reason.expose() });
                let (presence, value) = row_says(row, gone);
                *at == presence && candidate(candidates, value)
            }
            (Some(Op::Restore { row, .. }), What::Restored { row: r }) => row == r,
            (Some(Op::Restore { row, .. }), What::Agreed { at }) => {
                let (presence, value) = row_says(row, serde_json::json!({ "state": "present" }));
                let never = *self.book.mirror.register(at) == Register::Empty;
                *at == presence && (never || stands(at, &value))
            }
            (Some(Op::Restore { row, .. }), What::Conflicted { at, candidates }) => {
                let (presence, value) = row_says(row, serde_json::json!({ "state": "present" }));
                *at == presence && candidate(candidates, value)
            }
            (Some(Op::Move { row, after }), What::Moved { row: r, after: a }) => {
                row == r && after == a
            }
            (Some(Op::Text { at, update, .. }), What::Text { at: to, update: u, .. }) => {
                at == to && update == u
            }
            (Some(Op::Reviewed { at, seen }), What::Reviewed { at: to }) => {
                let text = self.book.mirror.texts.get(at);
                at == to && text.is_some_and(|text| text.rev == *seen)
            }
            (None, What::Decided { .. }) => true,
            _ => false,
        };
        law!(AsAsked, fits, "{:?} became {:?}", asked.op, change.what);
        Ok(())
    }

    /// Nobody's value goes unless its author takes it back or somebody who saw it replaces it.
    fn register(
        &self,
        change: &Change,
        asked: &Asked,
        at: &Address,
        before: &Register,
        after: &Register,
    ) -> Verdict {
        let now = held(after);
        let resolved = matches!(change.what, What::Resolved { .. });
        let decided = matches!(change.what, What::Decided { .. });
        law!(
            ConflictStands,
            !before.is_conflict() || after.is_conflict() || resolved,
            "{at}: {before:?} ended by {change:?}"
        );
        for was in held(before) {
            if now.iter().any(|held| held.value == was.value) {
                continue;
            }
            let allowed = match &asked.op {
                Some(Op::Resolve { seen, .. }) => seen.contains(&was.rev),
                _ if was.by == Some(asked.who) => true,
                Some(_) => asked.seen >= was.rev && !before.is_conflict(),
                None => decided,
            };
            law!(
                NothingDropped,
                allowed,
                "{at}: {:?} of {} was dropped by {change:?}, seen to {}",
                was.value,
                was.rev,
                asked.seen
            );
        }
        if at.field.kind() == FieldKind::Command {
            return Ok(());
        }
        for held in now {
            let typed = self
                .typed
                .get(at)
                .is_some_and(|typed| typed.contains(&canonical(held.value.as_ref())));
            law!(NothingInvented, typed, "{at}: {:?} was typed by nobody", held.value);
        }
        Ok(())
    }

    /// Rows go, and are written into, by people who know what they do.
    fn rows(&self, change: &Change, asked: &Asked) -> Verdict {
        let book = &self.book;
        match &change.what {
            What::Tombstoned { row, .. } => {
                let unseen = book
                    .touched
                    .iter()
                    .find(|(other, seq, by)| other == row && *seq > asked.seen && *by != asked.who);
                law!(NoRowLostUnseen, unseen.is_none(), "removed over {unseen:?}: {change:?}");
            }
            What::Added { row, .. } => {
                law!(OnceOnly, book.mirror.list_of(*row).is_none(), "row added twice: {change:?}");
            }
            What::Set { at, .. }
            | What::Conflicted { at, .. }
            | What::Resolved { at, .. }
            | What::Text { at, .. }
                if at.field != FieldName::Presence =>
            {
                let gone = at.row.is_some_and(|row| book.mirror.is_removed(row));
                law!(
                    NoRowLostUnseen,
                    !gone || change.contested.is_some(),
                    "written into a removed row: {change:?}"
                );
                let locked = at.row.is_some_and(|row| book.sent.contains(&row));
                law!(LockedStays, !locked, "{change:?}");
            }
            What::Decided { decision, sets, .. } => {
                match (decision, sets.iter().find_map(|set| set.at.row)) {
                    (DecisionKind::Shared, _) => law!(DecidedOnce, !book.shared, "shared twice"),
                    (kind, Some(row)) => {
                        let sending = *kind == DecisionKind::RecommendationSent;
                        let order = if sending {
                            !book.sent.contains(&row)
                        } else {
                            book.sent.contains(&row) && !book.decided.contains(&row)
                        };
                        law!(DecidedOnce, order, "{change:?}");
                        let unseen = book.touched.iter().find(|(other, seq, by)| {
                            *other == row && *seq > asked.seen && *by != asked.who
                        });
                        law!(
                            DecidedOnce,
                            unseen.is_none(),
                            "decided without having seen {unseen:?}"
                        );
                    }
                    (_, None) => {
                        law!(DecidedOnce, false, "about nothing: {change:?}");
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Each character under a client id of its author.
    fn hand(&self, update: &[u8], asked: &Asked) -> Verdict {
        let update = yrs::Update::decode_v1(update).unwrap();
        for id in update.insertions(true).client_ids() {
            let whose = self.hands.get(&id.get());
            law!(
                OwnHand,
                whose == Some(&asked.who),
                "{} is {whose:?}'s, not {}'s",
                id.get(),
                asked.who
            );
        }
        Ok(())
    }

    fn merge(
        &self,
        change: &Change,
        at: &Address,
        merged: Option<&[PersonId]>,
        asked: &Asked,
    ) -> Verdict {
        let Some(Op::Text { base, .. }) = &asked.op else { return Ok(()) };
        let book = &self.book;
        let unseen: Vec<_> = book
            .written
            .get(at)
            .into_iter()
            .flatten()
            .filter(|(seq, _, by)| seq > base && *by != asked.who)
            .collect();
        law!(MergeMarked, !unseen.is_empty() || merged.is_none(), "marked for nothing: {change:?}");
        let Some(oldest) = unseen.iter().map(|(_, at_ms, _)| *at_ms).min() else { return Ok(()) };
        let before = book.pens.get(at).map(Pen::words).unwrap_or_default();
        let pen = book.mirror.pen(at, 0);
        if let What::Text { update, .. } = &change.what {
            pen.read(&update.0);
        }
        let due = numbers(&before) != numbers(&pen.words()) || change.at_ms.0 - oldest > 60_000;
        let named = merged.is_some_and(|with| unseen.iter().all(|(_, _, by)| with.contains(by)));
        law!(
            MergeMarked,
            !due || named,
            "not marked: {before:?} became {:?} by {change:?}",
            pen.words()
        );
        Ok(())
    }

    fn words(&self, at: &Address, doc: &Doc) -> Verdict {
        let words = self.book.pens[at].words();
        law!(OneFold, doc.text(at).as_ref() == Some(&words), "{at}: {words:?}, {:?}", doc.text(at));
        let there: Vec<char> = words.chars().collect();
        let set: BTreeSet<char> = there.iter().copied().collect();
        law!(WordsKept, set.len() == there.len(), "{at}: a character stands twice in {words:?}");
        let expected: BTreeSet<char> =
            self.book.ink[at].difference(&self.book.erased).copied().collect();
        law!(WordsKept, set == expected, "{at}: {words:?} should hold {expected:?}");
        Ok(())
    }

    /// The server refused an edit for good.
    pub(super) fn refused(&self, code: EditError, doc: &Doc) -> Verdict {
        let differs = self.book.mirror.differs(&Server::of(doc));
        law!(
            NoTrace,
            differs.is_none() && doc.seq() == self.book.mirror.seq,
            "{code:?} left {differs:?}"
        );
        Ok(())
    }

    /// A person was told for good that an edit was not taken.
    pub(super) fn told_refused(&self, edit: EditId, code: EditError) -> Verdict {
        let asked = &self.asked[&edit];
        let lost =
            |id: &EditId| self.asked.get(id).is_some_and(|asked| asked.fate == Fate::Refused);
        let reason = match (code, &asked.op) {
            (
                EditError::BaseRefused,
                Some(Op::Set { base: clinical::edit::Base::Mine(mine), .. }),
            ) => lost(mine),
            (EditError::InConflict | EditError::StaleResolution | EditError::ConflictFull, _) => {
                true
            }
            (EditError::RowRemoved | EditError::Locked, _) => true,
            (EditError::TextGap, Some(Op::Text { at, .. })) => self.asked.values().any(|other| {
                other.who == asked.who
                    && other.fate == Fate::Refused
                    && matches!(&other.op, Some(Op::Text { at: to, .. }) if to == at)
            }),
            _ => false,
        };
        law!(RefusedWithReason, reason, "{code:?} for {:?}", asked.op);
        Ok(())
    }

    /// Everybody is told everything, and nothing is under way.
    pub(super) fn at_rest(
        &self,
        log: &[Change],
        doc: &Doc,
        copies: &[(&Replica, usize)],
    ) -> Verdict {
        let server = Server::of(doc);
        let differs = self.book.mirror.differs(&server);
        law!(OneFold, differs.is_none(), "{}", differs.unwrap_or_default());
        for (copy, pending) in copies {
            law!(EqualAtRest, *pending == 0, "{pending} edits are never answered");
            let differs = copy.differs(&server);
            law!(
                EqualAtRest,
                copy.seq == doc.seq() && differs.is_none(),
                "{}",
                differs.unwrap_or_default()
            );
        }
        let stored: BTreeSet<EditId> = log.iter().map(|change| change.edit).collect();
        for (edit, asked) in &self.asked {
            law!(
                AckedStays,
                asked.fate != Fate::Acked || stored.contains(edit),
                "{edit} was acknowledged and is not in the log"
            );
            law!(EqualAtRest, asked.fate != Fate::Waiting, "{edit} has no answer");
        }
        Ok(())
    }
}

/// The register a change is about.
fn register_of(what: &What) -> Option<Address> {
    match what {
        What::Set { at, .. }
        | What::Agreed { at }
        | What::Conflicted { at, .. }
        | What::Resolved { at, .. } => Some(*at),
        What::Tombstoned { row, .. } | What::Restored { row } => Some(presence_of(*row)),
        What::Decided { sets, .. } => sets.first().map(|set| set.at),
        What::Added { .. } | What::Moved { .. } | What::Text { .. } | What::Reviewed { .. } => None,
    }
}

fn numbers(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_numeric()).filter(|run| !run.is_empty()).collect()
}

/// Lists the stories are about.
pub(super) const LISTS: [ListName; 3] =
    [ListName::Meds, ListName::Problems, ListName::Recommendations];
