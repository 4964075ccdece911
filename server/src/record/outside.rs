//! What comes from somebody who has nothing of the record open: an answer to a recommendation, a step of a touchpoint, a
//! chart from elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use clinical::actor::Actor;
use clinical::command::Command;
use clinical::doc::TouchpointFacts;
use clinical::fhir::Chart;
use clinical::id::{ConnectionId, EditId, RecordId, RowId, VisitId};
use clinical::merge::Known;
use clinical::phi::Phi;
use clinical::recommendation::ByLink;
use clinical::touchpoint::Step;
use signaling::message::{RecordRefusal, ServerMessage};
use signaling::record::{Accepted, ChartTaken};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::writer::Work;
use super::{Incoming, Input, Next, Outgoing, Reader, Records, Running};

/// How long an answer from outside may take to be stored. Longer holds the browser of who answers, shorter tells them
/// "try again" about what was stored a moment later.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What somebody says about the plan.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Unique in the plan.
    pub(crate) id: EditId,
    /// What.
    pub(crate) what: About,
    /// The `seq` of the plan they looked at.
    pub(crate) seen: u64,
}

/// What may be said from outside.
#[derive(Debug)]
pub(crate) enum About {
    /// The answer to a recommendation, from whom it is addressed to.
    Recommendation {
        /// Its row: it may be about nothing else.
        row: RowId,
        /// The answer.
        command: Command,
        /// By whose link, and who they say to be.
        by_link: Option<ByLink>,
    },
    /// A step of a touchpoint.
    Touchpoint {
        /// Its row.
        row: RowId,
        /// Which.
        step: Step,
        /// What the plan does not know of it.
        facts: TouchpointFacts,
        /// What is stored with it: the visit that is booked, and the one that is cancelled. It appends to no document.
        with: Box<Work>,
    },
    /// The primary care provider has read a signed version.
    Acknowledged {
        /// Which.
        version: u32,
    },
}

/// What somebody accepts of a chart.
#[derive(Clone, Debug)]
pub(crate) struct Acceptance {
    /// The chart.
    pub(crate) chart: Arc<Chart>,
    /// What earlier imports took.
    pub(crate) known: Arc<Known>,
    /// Keys of the differences that were accepted.
    pub(crate) accept: BTreeSet<String>,
}

/// Where the task of the record says what becomes of it.
pub(super) type Becomes = oneshot::Sender<Result<ChartTaken, RecordRefusal>>;

impl Records {
    /// Takes what somebody accepted of a chart into a record, and waits until it is stored. What could not be stored is
    /// among what was refused.
    ///
    /// # Errors
    /// Nothing of it was taken. `busy` also stands for no answer in time: whether it was stored shows when one compares
    /// again.
    pub(crate) async fn take_chart(
        &self,
        record: RecordId,
        actor: Actor,
        name: Phi<String>,
        visit: VisitId,
        acceptance: Acceptance,
    ) -> Result<ChartTaken, RecordRefusal> {
        let (outgoing, mut incoming) = Outgoing::pair();
        let connection = ConnectionId(Uuid::now_v7());
        let visit = Some(visit);
        let reader = Reader { connection, outgoing, actor, name, call: None, visit };
        let (becomes, became) = oneshot::channel();
        let reader = Box::new(reader);
        let running = self.tell_running(
            record,
            Input::Chart { reader, acceptance: Box::new(acceptance), becomes },
        )?;
        let _leaves = Leaving { running, connection };
        let stored = async {
            let mut taken = became.await.map_err(|_gone| RecordRefusal::Busy)??;
            let waits = taken.accepted.iter().flat_map(|one| &one.edits);
            let waits: BTreeSet<EditId> = waits.map(|(_, edit)| *edit).collect();
            let lost = all_answered(&mut incoming, waits).await;
            let accepted = std::mem::take(&mut taken.accepted);
            for Accepted { key, edits, origin, statement } in accepted {
                match edits.iter().find_map(|(_, edit)| lost.get(edit)) {
                    Some(code) => taken.refused.push((key, *code)),
                    None => taken.accepted.push(Accepted { key, edits, origin, statement }),
                }
            }
            Ok(taken)
        };
        tokio::time::timeout(ANSWER_WITHIN, stored).await.unwrap_or(Err(RecordRefusal::Busy))
    }

    /// Hands something to the task of a record, which is started if it does not run.
    fn tell_running(&self, record: RecordId, input: Input) -> Result<Running, RecordRefusal> {
        let mut desk = self.inner.desk();
        if desk.closing {
            return Err(RecordRefusal::Busy);
        }
        let running = desk.records.entry(record).or_insert_with(|| self.start(record)).clone();
        // While the desk is held, so that the record cannot leave between being found and being told.
        running.tell(input);
        Ok(running)
    }

    /// Gives an answer to a record without opening it for who answers, and waits until it is stored. `visit` is where they
    /// sit, for the log of accesses.
    ///
    /// # Errors
    /// Why it was refused. `busy` also stands for no answer in time: whether it was stored shows when one looks again.
    pub(crate) async fn answer(
        &self,
        record: RecordId,
        actor: Actor,
        name: Phi<String>,
        visit: Option<VisitId>,
        answer: Answer,
    ) -> Result<(), RecordRefusal> {
        let (outgoing, mut incoming) = Outgoing::pair();
        let connection = ConnectionId(Uuid::now_v7());
        let reader = Reader { connection, outgoing, actor, name, call: None, visit };
        let (reader, answer) = (Box::new(reader), Box::new(answer));
        let running = self.tell_running(record, Input::Answer { reader, answer })?;
        let _leaves = Leaving { running, connection };
        let answered = tokio::time::timeout(ANSWER_WITHIN, answered_by(&mut incoming)).await;
        answered.unwrap_or(Err(RecordRefusal::Busy))
    }
}

/// Takes the sender of an answer out of the record, also when nobody waits for the answer any more: a browser that is
/// closed in the middle would otherwise keep the record in memory.
struct Leaving {
    running: Running,
    connection: ConnectionId,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.running.tell(Input::Close { connection: self.connection, why: None });
    }
}

/// Waits for what becomes of an answer.
async fn answered_by(incoming: &mut Incoming) -> Result<(), RecordRefusal> {
    loop {
        let Next::Message(said) = incoming.next().await else { return Err(RecordRefusal::Busy) };
        if let ServerMessage::RecordAck { .. } = said.message() {
            return Ok(());
        }
        if let ServerMessage::RecordRefuse { code, .. } = said.message() {
            return Err(*code);
        }
        if let ServerMessage::Refused { .. } = said.message() {
            return Err(RecordRefusal::Busy);
        }
    }
}

/// Waits until each edit is answered; gives back those that were not stored, and why.
async fn all_answered(
    incoming: &mut Incoming,
    mut waits: BTreeSet<EditId>,
) -> BTreeMap<EditId, RecordRefusal> {
    let mut lost = BTreeMap::new();
    while !waits.is_empty() {
        let Next::Message(said) = incoming.next().await else { break };
        if let ServerMessage::RecordAck { edit, .. } = said.message() {
            waits.remove(edit);
        }
        if let ServerMessage::RecordRefuse { edit, code, .. } = said.message() {
            waits.remove(edit);
            lost.insert(*edit, *code);
        }
        if let ServerMessage::Refused { .. } = said.message() {
            break;
        }
    }
    lost.extend(waits.into_iter().map(|edit| (edit, RecordRefusal::Busy)));
    lost
}
