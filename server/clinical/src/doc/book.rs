//! What a document remembers beside its content: enough to judge the next edit, and nothing a reader receives.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::actor::{Author, Millis};
use crate::change::{Change, DecisionKind, What};
use crate::field::{Address, FieldName};
use crate::fold::{Mark, presence_of};
use crate::id::{EditId, PersonId, RowId};
use crate::limits::{EDITS_KNOWN, TEXT_RUN_MS, TEXT_RUNS};

/// The memory of a document.
#[derive(Default)]
pub(crate) struct Book {
    /// Every revision a register had, ascending.
    revs: BTreeMap<Address, Vec<u64>>,
    /// The edit that wrote the value a register holds.
    set_by: BTreeMap<Address, EditId>,
    /// The last change of a row by each person, in order.
    touched: BTreeMap<RowId, Vec<Touch>>,
    /// When a recommendation was sent.
    sent: BTreeMap<RowId, Mark>,
    /// Who wrote when in a text.
    runs: BTreeMap<Address, Vec<Run>>,
    /// The last edits by id, and in their order.
    known: BTreeMap<EditId, Known>,
    order: VecDeque<EditId>,
}

/// A change of a row.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Touch {
    pub(crate) mark: Mark,
    pub(crate) edit: EditId,
}

/// One person's uninterrupted writing in a text.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Run {
    by: Author,
    last_seq: u64,
    first_ms: Millis,
}

/// An edit that was taken.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Known {
    seq: u64,
    made: Made,
}

/// What the author of an edit may build on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Made {
    /// The revision with its `seq`.
    Rev,
    /// It agreed with a value its author had not seen: what they write next, still not having seen it, must meet it
    /// as anybody's would.
    Agreed,
    /// A row: registers it did not set are empty.
    Row(RowId),
}

/// What a person had not seen of a text when they wrote.
pub(crate) struct Unseen {
    /// Who wrote it.
    pub(crate) by: Vec<PersonId>,
    /// Since when it stood there.
    pub(crate) since: Millis,
}

/// A [`Book`] at rest: maps with structured keys are lists of pairs in JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredBook {
    revs: Vec<(Address, Vec<u64>)>,
    set_by: Vec<(Address, EditId)>,
    touched: Vec<(RowId, Vec<Touch>)>,
    sent: Vec<(RowId, Mark)>,
    runs: Vec<(Address, Vec<Run>)>,
    known: Vec<(EditId, Known)>,
}

impl Book {
    pub(super) fn load(stored: StoredBook) -> Self {
        let StoredBook { revs, set_by, touched, sent, runs, known } = stored;
        Self {
            revs: revs.into_iter().collect(),
            set_by: set_by.into_iter().collect(),
            touched: touched.into_iter().collect(),
            sent: sent.into_iter().collect(),
            runs: runs.into_iter().collect(),
            order: known.iter().map(|(edit, _)| *edit).collect(),
            known: known.into_iter().collect(),
        }
    }

    pub(super) fn stored(&self) -> StoredBook {
        fn pairs<K: Copy, V: Clone>(map: &BTreeMap<K, V>) -> Vec<(K, V)> {
            map.iter().map(|(key, value)| (*key, value.clone())).collect()
        }
        StoredBook {
            revs: pairs(&self.revs),
            set_by: pairs(&self.set_by),
            touched: pairs(&self.touched),
            sent: pairs(&self.sent),
            runs: pairs(&self.runs),
            known: self
                .order
                .iter()
                .filter_map(|edit| self.known.get(edit).map(|known| (*edit, *known)))
                .collect(),
        }
    }

    /// Remembers a change that was folded.
    pub(super) fn note(&mut self, change: &Change) {
        let Change { seq, edit, at_ms, by, what, contested, .. } = change;
        let mark = Mark { rev: *seq, by: *by, at_ms: *at_ms };
        let mut made = Made::Rev;
        match what {
            What::Set { at, .. } | What::Conflicted { at, .. } | What::Resolved { at, .. } => {
                self.wrote(*at, *seq, *edit);
                self.touch(at.row, mark, *edit);
            }
            What::Agreed { at: _ } => made = Made::Agreed,
            What::Added { row, values, .. } => {
                for field in values.keys() {
                    self.wrote(Address { row: Some(*row), field: *field }, *seq, *edit);
                }
                self.touch(Some(*row), mark, *edit);
                made = Made::Row(*row);
                if values.get(&FieldName::RecommendationsState).is_some_and(is_sent) {
                    self.sent.insert(*row, mark);
                }
            }
            What::Tombstoned { row, .. } | What::Restored { row } => {
                self.wrote(presence_of(*row), *seq, *edit);
            }
            What::Moved { .. } | What::Reviewed { .. } => {}
            What::Text { at, .. } => {
                self.typed(*at, mark);
                self.touch(at.row, mark, *edit);
            }
            What::Decided { decision, sets, added: _ } => {
                let touches = match decision {
                    // The patient's side is told of it from here on.
                    DecisionKind::RecommendationSent
                    | DecisionKind::AgreementActed
                    | DecisionKind::AgreementRefused => {
                        if let Some(row) = what.row() {
                            self.sent.insert(row, mark);
                        }
                        true
                    }
                    // That somebody looked changes nothing for who decides meanwhile.
                    DecisionKind::RecommendationSeen => false,
                    DecisionKind::Shared
                    | DecisionKind::RecommendationDecided
                    | DecisionKind::RecommendationImplemented
                    | DecisionKind::RecommendationVerified
                    | DecisionKind::RecommendationWithdrawn
                    | DecisionKind::Signed
                    | DecisionKind::Addended
                    | DecisionKind::PlanAcknowledged
                    | DecisionKind::PlanAnswered
                    | DecisionKind::PlanHandedOn
                    | DecisionKind::RevisionOpened
                    | DecisionKind::TouchpointBooked
                    | DecisionKind::TouchpointMoved
                    | DecisionKind::TouchpointUnbooked
                    | DecisionKind::TouchpointDone
                    | DecisionKind::TouchpointMissed
                    | DecisionKind::TouchpointCancelled
                    | DecisionKind::TouchpointReopened => true,
                };
                for set in sets {
                    self.wrote(set.at, *seq, *edit);
                    if touches {
                        self.touch(set.at.row, mark, *edit);
                    }
                }
            }
        }
        if let (Some(_), Some(row)) = (contested, what.row()) {
            self.wrote(presence_of(row), *seq, *edit);
        }
        self.order.push_back(*edit);
        self.known.insert(*edit, Known { seq: *seq, made });
        if self.order.len() > EDITS_KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    fn wrote(&mut self, at: Address, seq: u64, edit: EditId) {
        self.revs.entry(at).or_default().push(seq);
        self.set_by.insert(at, edit);
    }

    fn touch(&mut self, row: Option<RowId>, mark: Mark, edit: EditId) {
        if let Some(row) = row {
            let touches = self.touched.entry(row).or_default();
            touches.retain(|touch| touch.mark.by.person() != mark.by.person());
            touches.push(Touch { mark, edit });
        }
    }

    fn typed(&mut self, at: Address, mark: Mark) {
        let runs = self.runs.entry(at).or_default();
        match runs.last_mut() {
            Some(run)
                if run.by.person() == mark.by.person()
                    && mark.at_ms.0.saturating_sub(run.first_ms.0) < TEXT_RUN_MS =>
            {
                run.last_seq = mark.rev;
            }
            Some(_) | None => {
                runs.push(Run { by: mark.by, last_seq: mark.rev, first_ms: mark.at_ms });
                if runs.len() > TEXT_RUNS {
                    runs.remove(0);
                }
            }
        }
    }

    pub(super) fn seq_of(&self, edit: EditId) -> Option<u64> {
        self.known.get(&edit).map(|known| known.seq)
    }

    /// Whether a register ever had a revision. Every register began empty.
    pub(super) fn had(&self, at: &Address, rev: u64) -> bool {
        rev == 0 || self.revs.get(at).is_some_and(|revs| revs.binary_search(&rev).is_ok())
    }

    /// The revision of a register an edit stands for; `None` if it is not known here.
    pub(super) fn rev_of(&self, at: &Address, edit: EditId) -> Option<u64> {
        let Known { seq, made } = self.known.get(&edit)?;
        Some(match made {
            Made::Agreed => 0,
            Made::Row(row) if at.row == Some(*row) && !self.had(at, *seq) => 0,
            Made::Row(_) | Made::Rev => *seq,
        })
    }

    /// The edit that wrote what a register holds.
    pub(super) fn set_by(&self, at: &Address) -> Option<EditId> {
        self.set_by.get(at).copied()
    }

    /// The last change of a row by anybody else after `seen`.
    pub(super) fn touched_after(&self, row: RowId, seen: u64, by: &Author) -> Option<Touch> {
        self.touched
            .get(&row)?
            .iter()
            .rev()
            .find(|touch| touch.mark.rev > seen && touch.mark.by.person() != by.person())
            .copied()
    }

    /// What others wrote in a text after `base`.
    pub(super) fn unseen(&self, at: &Address, base: u64, by: &Author) -> Option<Unseen> {
        let mut found: Option<Unseen> = None;
        for run in self.runs.get(at)? {
            if run.last_seq > base && run.by.person() != by.person() {
                let unseen = found.get_or_insert(Unseen { by: Vec::new(), since: run.first_ms });
                if let Some(person) = run.by.person()
                    && !unseen.by.contains(&person)
                {
                    unseen.by.push(person);
                }
            }
        }
        found
    }

    /// Everybody who wrote in a text.
    pub(crate) fn writers(&self, at: &Address) -> impl Iterator<Item = PersonId> {
        self.runs.get(at).into_iter().flatten().filter_map(|run| run.by.person())
    }

    /// When a recommendation was sent.
    pub(crate) fn sent(&self, row: RowId) -> Option<Mark> {
        self.sent.get(&row).copied()
    }
}

/// Whether the state of a recommendation is beyond the draft.
fn is_sent(state: &crate::value::Value) -> bool {
    use crate::recommendation::RecommendationState as State;
    match state.read::<State>() {
        None | Some(State::Draft) => false,
        Some(
            State::Sent
            | State::Accepted
            | State::AcceptedModified
            | State::Declined
            | State::Implemented
            | State::Verified
            | State::Withdrawn,
        ) => true,
    }
}
