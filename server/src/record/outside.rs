//! An answer from somebody who has nothing of the record open.

use std::time::Duration;

use clinical::actor::Actor;
use clinical::command::Command;
use clinical::id::{ConnectionId, EditId, RecordId, RowId};
use clinical::phi::Phi;
use signaling::message::{RecordRefusal, ServerMessage};
use uuid::Uuid;

use super::{Incoming, Input, Next, Outgoing, Reader, Records, Running};

/// How long an answer from outside may take to be stored. Longer holds the browser of who answers, shorter tells them
/// "try again" about what was stored a moment later.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The answer to one recommendation, from whom it is addressed to.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The recommendation: it may be about nothing else.
    pub(crate) row: RowId,
    /// Made by the client.
    pub(crate) id: EditId,
    /// The answer.
    pub(crate) command: Command,
    /// The `seq` of the plan they looked at.
    pub(crate) seen: u64,
}

impl Records {
    /// Gives an answer to a record without opening it for who answers, and waits until it is stored.
    ///
    /// # Errors
    /// Why it was refused. `busy` also stands for no answer in time: whether it was stored shows when one looks again.
    pub(crate) async fn answer(
        &self,
        record: RecordId,
        actor: Actor,
        name: Phi<String>,
        answer: Answer,
    ) -> Result<(), RecordRefusal> {
        let (outgoing, mut incoming) = Outgoing::pair();
        let connection = ConnectionId(Uuid::now_v7());
        let reader = Reader { connection, outgoing, actor, name, call: None, visit: None };
        let running = {
            let mut desk = self.inner.desk();
            if desk.closing {
                return Err(RecordRefusal::Busy);
            }
            let running = desk.records.entry(record).or_insert_with(|| self.start(record)).clone();
            // While the desk is held, so that the record cannot leave between being found and being told.
            running.tell(Input::Answer { reader: Box::new(reader), answer: Box::new(answer) });
            running
        };
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
