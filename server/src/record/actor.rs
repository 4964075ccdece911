//! The task of one open record: it owns the session and its three documents, and carries out what they decide, in
//! order.
//!
//! A change leaves this process only after the writer has answered "stored". Whatever else the writer answers, the
//! memory is not trusted any more: [`Task::recover`].

mod agreement;
mod broken;
mod carry;
mod history;
mod names;
mod notice;
mod sign;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use clinical::command::Command;
use clinical::id::{ConnectionId, DocId, PatientId, PersonId, SeatId};
use clinical::view::View;
use signaling::message::{ClientMessage, Have, RefusalCode, ServerMessage, StorageState};
use signaling::record::{RecordSession, StoreFailure, Trust};

use super::store::{self, LoadError, Loaded, LoadedRecord, Poison, Tail};
use super::writer::Answer;
use super::{Cut, Home, Inbox, Input, Reader, Said, refused};
use crate::store::{StoreError, now};
use crate::vault::Dek;

/// How long a record stays in memory after its last reader left: a reload of the page, or of the office's network,
/// finds it warm. Longer costs memory, about 1 MB for a busy record.
const LINGER: Duration = Duration::from_secs(30);

/// How long until a document is read again after that failed.
const RETRY: Duration = Duration::from_secs(1);

/// Recoveries of a document without one change stored in between, until it is given up: the store contradicts itself,
/// and going round for ever would only hide it.
const ATTEMPTS: u32 = 3;

/// How appending to a document stands.
#[derive(Debug)]
struct Log {
    dek: Dek,
    epoch: i64,
    /// Hash of the last change handed in.
    last: [u8; 32],
    tail: Tail,
    /// The log does not read to its end: shown, and not written.
    poison: Option<Poison>,
    attempts: u32,
}

/// A change at the writer's.
#[derive(Debug)]
struct InFlight {
    doc: DocId,
    seq: u64,
    bytes: usize,
    answered: oneshot::Receiver<Answer>,
}

struct Task {
    home: Home,
    patient: Option<PatientId>,
    session: RecordSession,
    logs: BTreeMap<DocId, Log>,
    readers: HashMap<ConnectionId, Reader>,
    in_flight: VecDeque<InFlight>,
    /// Documents to be read again as soon as the store goes on.
    stale: BTreeSet<DocId>,
    retry: Option<Instant>,
    storage: watch::Receiver<StorageState>,
    /// Who has edited which document since it was opened: the log of accesses says it once.
    wrote: BTreeSet<(PersonId, DocId)>,
    /// Who wanted to sign without a proof since it was opened: once as well.
    unproved: BTreeSet<(SeatId, DocId)>,
    snapshots: JoinSet<()>,
    histories: JoinSet<history::Read>,
    /// When the last reader left.
    empty_since: Option<Instant>,
}

/// Whether the task goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Go,
    /// Another node owns a document: nothing of this memory may be shown or stored any more.
    Fenced,
}

/// Runs an open record until nobody has it open.
pub(super) async fn run(home: Home, mut inbox: Inbox) {
    let inner = &home.records.inner;
    let owner = std::process::id().to_string();
    let loaded = store::claim(&inner.store, &inner.vault, home.record, &owner).await;
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            let code = match error {
                LoadError::NotFound => RefusalCode::NotFound,
                LoadError::Store(_) | LoadError::Vault(_) => {
                    tracing::error!(record.id = %home.record, %error, "a record does not load");
                    RefusalCode::Busy
                }
            };
            home.give_up(&mut inbox, |reader| {
                reader.outgoing.say(refused("record.open", code));
            });
            return;
        }
    };
    let mut task = Task::new(home, loaded).await;
    task.run(&mut inbox).await;
}

impl Home {
    /// Leaves the desk whatever waits, and tells those who were about to open.
    fn give_up(&self, inbox: &mut Inbox, tell: impl Fn(&Reader)) {
        let mut desk = self.records.inner.desk();
        desk.forget(self.record);
        while let Ok(input) = inbox.inputs.try_recv() {
            match input {
                Input::Open { reader, have: _ } => {
                    desk.closed(reader.connection, self.record);
                    tell(&reader);
                }
                Input::Answer { reader, answer: _ } => tell(&reader),
                // Who waits for what becomes of a chart sees its end closed.
                Input::Chart { .. }
                | Input::Message { .. }
                | Input::Role { .. }
                | Input::Close { .. }
                | Input::Stop => {}
                #[cfg(test)]
                Input::Break => {}
            }
        }
        inbox.inputs.close();
    }
}

impl Task {
    async fn new(home: Home, loaded: LoadedRecord) -> Self {
        let LoadedRecord { patient, docs } = loaded;
        let mut logs = BTreeMap::new();
        let mut sheets = Vec::with_capacity(docs.len());
        let mut authors = BTreeSet::new();
        let mut trust = Trust::Whole;
        for loaded in docs {
            let Loaded { doc, epoch, last, dek, clients, tail, poison } = loaded;
            authors.extend(doc.authors(View::Full));
            trust = broken::trust(&doc, poison.as_ref()).unwrap_or(trust);
            logs.insert(doc.id(), Log { dek, epoch, last, tail, poison, attempts: 0 });
            sheets.push((doc, clients));
        }
        let people = home.names(authors).await;
        {
            let mut desk = home.records.inner.desk();
            desk.docs.extend(logs.keys().map(|doc| (*doc, home.record)));
        }
        let mut session = RecordSession::new(home.record, sheets, people);
        session.trust_wishes(trust);
        Self {
            session,
            storage: home.records.inner.store.watch(),
            home,
            patient,
            logs,
            readers: HashMap::new(),
            in_flight: VecDeque::new(),
            stale: BTreeSet::new(),
            retry: None,
            wrote: BTreeSet::new(),
            unproved: BTreeSet::new(),
            snapshots: JoinSet::new(),
            histories: JoinSet::new(),
            empty_since: Some(Instant::now()),
        }
    }

    async fn run(&mut self, inbox: &mut Inbox) {
        loop {
            let linger = self.empty_since.map(|since| since + LINGER);
            let turn = tokio::select! {
                input = inbox.next() => match input {
                    Some(Input::Stop) | None => {
                        self.finish().await;
                        self.home.give_up(inbox, |reader| {
                            reader.outgoing.say(refused("record.open", RefusalCode::Busy));
                        });
                        return;
                    }
                    Some(input) => {
                        self.input(input).await;
                        Turn::Go
                    }
                },
                answer = first_answer(&mut self.in_flight) => self.answered(answer).await,
                Ok(()) = self.storage.changed(), if !self.stale.is_empty() => self.mend().await,
                () = until(self.retry) => self.mend().await,
                Some(_done) = self.snapshots.join_next() => Turn::Go,
                Some(read) = self.histories.join_next() => self.history_read(read).await,
                () = until(linger), if self.session.idle() => {
                    self.finish().await;
                    if self.leave(inbox) {
                        return;
                    }
                    self.empty_since = Some(Instant::now());
                    Turn::Go
                }
            };
            if turn == Turn::Fenced {
                tracing::warn!(record.id = %self.home.record, "another owner took the record over");
                for reader in self.readers.values() {
                    reader.outgoing.cut(Cut::Moved);
                }
                self.home.give_up(inbox, |reader| reader.outgoing.cut(Cut::Moved));
                return;
            }
        }
    }

    /// Leaves the desk if nobody knocked meanwhile.
    fn leave(&self, inbox: &mut Inbox) -> bool {
        // Whoever opens a record sends while holding the desk: nothing can slip in between.
        let mut desk = self.home.records.inner.desk();
        let alone = inbox.inputs.is_empty();
        if alone {
            desk.forget(self.home.record);
        }
        alone
    }

    async fn input(&mut self, input: Input) {
        match input {
            Input::Open { reader, have } => self.open(*reader, &have).await,
            Input::Message { connection, message } => self.message(connection, *message).await,
            Input::Role { connection, actor } => {
                if let Some(reader) = self.readers.get_mut(&connection) {
                    reader.actor = actor;
                    let effects =
                        self.session.role_changed(connection, actor.role, &mut fresh_client_id);
                    self.carry_out(Some(connection), effects).await;
                }
            }
            Input::Close { connection, why } => {
                let effects = self.session.close(connection);
                self.carry_out(None, effects).await;
                if let Some(reader) = self.readers.remove(&connection)
                    && let Some(why) = why
                {
                    let record = self.home.record;
                    reader.outgoing.say(ServerMessage::RecordClosed { record, why });
                }
                if self.readers.is_empty() {
                    self.empty_since = Some(Instant::now());
                }
            }
            Input::Answer { reader, answer } => self.answer(*reader, *answer).await,
            Input::Chart { reader, acceptance, becomes } => {
                let became = self.take_chart(*reader, *acceptance).await;
                // Who asked may be gone: what they accepted stands all the same.
                let _gone = becomes.send(became);
            }
            // Taken by the loop, which ends with it.
            Input::Stop => {}
            #[cfg(test)]
            Input::Break => tests::break_down(),
        }
    }

    async fn open(&mut self, reader: Reader, have: &[Have]) {
        let connection = reader.connection;
        let (actor, name) = (reader.actor, reader.name.clone());
        let broken = self.logs.values().any(|log| log.poison.is_some());
        if broken {
            let storage = StorageState::Failed;
            reader.outgoing.say(ServerMessage::RecordStatus { storage });
        }
        self.readers.insert(connection, reader);
        self.empty_since = None;
        let effects = self.session.open(now(), connection, actor, name, have, &mut fresh_client_id);
        self.carry_out(Some(connection), effects).await;
    }

    async fn message(&mut self, connection: ConnectionId, message: ClientMessage) {
        let Some(reader) = self.readers.get(&connection) else { return };
        let call = reader.call.map(|clock| clock.now());
        let effects = match message {
            ClientMessage::RecordEdit { doc, edit, resend } => {
                if self.is_broken(connection, doc, edit.id)
                    || (resend && self.stored_before(connection, doc, &edit).await)
                {
                    return;
                }
                self.session.edit(now(), connection, call, doc, edit)
            }
            ClientMessage::RecordCommand {
                doc,
                id,
                command: command @ Command::ActUnderAgreement { .. },
                seen,
            } => {
                if self.is_broken(connection, doc, id) {
                    return;
                }
                return self.act_under_agreement(connection, call, doc, id, &command, seen).await;
            }
            ClientMessage::RecordCommand { doc, id, command, seen } => {
                if self.is_broken(connection, doc, id) {
                    return;
                }
                let with = self.mails_of(connection, &command).await;
                let (session, fresh) = (&mut self.session, &mut fresh_client_id);
                let effects =
                    session.command(now(), connection, call, doc, id, &command, seen, fresh);
                return self.carry_out_with(Some(connection), effects, with).await;
            }
            ClientMessage::RecordGate { doc } => {
                match self.session.may_ask_gate(now(), connection, doc) {
                    Err(refusal) => refusal,
                    Ok(()) => match self.facts(connection).await {
                        Ok(facts) => self.session.gate(connection, doc, &facts),
                        Err(_away) => {
                            return self.say(connection, refused("record.gate", RefusalCode::Busy));
                        }
                    },
                }
            }
            ClientMessage::RecordSafety { doc } => self.safety(connection, doc).await,
            ClientMessage::RecordSign { doc, id, seen, step_up } => {
                return self.sign(connection, call, doc, id, seen, step_up).await;
            }
            ClientMessage::RecordCaret { doc, caret } => {
                self.session.caret(now(), connection, doc, caret)
            }
            ClientMessage::RecordResync { doc } => {
                self.session.resync(now(), connection, doc, &mut fresh_client_id)
            }
            ClientMessage::RecordHistory { doc, at, before } => {
                self.session.history(now(), connection, doc, at, before)
            }
            // Not for a record: the desk hands in none of them.
            ClientMessage::Join { .. }
            | ClientMessage::Ping { .. }
            | ClientMessage::Offer { .. }
            | ClientMessage::Want { .. }
            | ClientMessage::Presence { .. }
            | ClientMessage::Admit { .. }
            | ClientMessage::SendBack { .. }
            | ClientMessage::Telephone { .. }
            | ClientMessage::Leave
            | ClientMessage::End
            | ClientMessage::RecordOpen { .. }
            | ClientMessage::RecordClose { .. } => return,
        };
        self.carry_out(Some(connection), effects).await;
    }

    fn say(&self, connection: ConnectionId, message: impl Into<Said>) {
        if let Some(reader) = self.readers.get(&connection) {
            reader.outgoing.say(message);
        }
    }

    /// The writer has answered the oldest change under way.
    async fn answered(&mut self, answer: Answer) -> Turn {
        let Some(first) = self.in_flight.pop_front() else { return Turn::Go };
        if answer != Answer::Stored {
            return self.recover(first.doc, answer).await;
        }
        let doc = first.doc;
        let mut stored = vec![first];
        // The rest of the same batch is there already: one pass tells everybody.
        let mut failed = None;
        while let Some(next) = self.in_flight.front_mut()
            && next.doc == doc
            && failed.is_none()
        {
            match next.answered.try_recv() {
                Ok(Answer::Stored) => stored.extend(self.in_flight.pop_front()),
                Err(TryRecvError::Empty) => break,
                Ok(other) => {
                    self.in_flight.pop_front();
                    failed = Some(other);
                }
                Err(TryRecvError::Closed) => {
                    self.in_flight.pop_front();
                    failed = Some(Answer::Failed);
                }
            }
        }
        let mut seq = 0;
        if let Some(log) = self.logs.get_mut(&doc) {
            for change in stored {
                log.tail.add(change.bytes);
                seq = change.seq;
            }
            log.attempts = 0;
        }
        let effects = self.session.stored(doc, seq, &mut fresh_client_id);
        self.carry_out(None, effects).await;
        match failed {
            Some(answer) => self.recover(doc, answer).await,
            None => {
                self.snapshot_if_due(doc);
                Turn::Go
            }
        }
    }

    /// The store did not take a change. What is in memory is ahead of it and never shown: it is dropped and read again.
    ///
    /// | answer | changes under way | the document |
    /// |---|---|---|
    /// | fenced | nothing is said: the owner has the log, clients rejoin and send again | its readers are cut off |
    /// | out of step | found in the log: acknowledged; else applied again | read again at once |
    /// | unknown | as out of step | read again when the store goes on |
    /// | full, away | refused, clients keep them and send them again | read again when the store goes on |
    /// | failed | refused | takes nothing until a restart |
    async fn recover(&mut self, doc: DocId, answer: Answer) -> Turn {
        // The others of this document build on the first: none of them may be answered later, as if nothing were.
        let (mine, others) = std::mem::take(&mut self.in_flight)
            .into_iter()
            .partition::<VecDeque<_>, _>(|change| change.doc == doc);
        self.in_flight = others;
        for change in mine {
            let _follows_the_first = change.answered.await;
        }
        let given_up = self.logs.get_mut(&doc).is_some_and(|log| {
            log.attempts += 1;
            log.attempts > ATTEMPTS
        });
        let failure = match answer {
            Answer::Stored => return Turn::Go,
            Answer::Fenced => return Turn::Fenced,
            Answer::OutOfStep | Answer::Unknown if given_up => {
                tracing::error!(doc.id = %doc, "a document stays out of step with its log");
                StoreFailure::Failed
            }
            Answer::OutOfStep | Answer::Unknown => StoreFailure::OutOfStep,
            Answer::Full => StoreFailure::Full,
            Answer::Away => StoreFailure::Away,
            Answer::Failed => StoreFailure::Failed,
        };
        let effects = self.session.store_failed(doc, failure);
        self.carry_out(None, effects).await;
        match failure {
            StoreFailure::Failed => Turn::Go,
            StoreFailure::Full | StoreFailure::Away | StoreFailure::OutOfStep => {
                self.stale.insert(doc);
                self.mend().await
            }
        }
    }

    /// Reads again what is stale, if the store goes on.
    async fn mend(&mut self) -> Turn {
        self.retry = None;
        let storage = *self.storage.borrow_and_update();
        match storage {
            StorageState::Ok => {}
            StorageState::Full | StorageState::Away => return Turn::Go,
            StorageState::Failed => {
                // It never goes on in this process: whoever waits for it is told.
                for doc in std::mem::take(&mut self.stale) {
                    let effects = self.session.store_failed(doc, StoreFailure::Failed);
                    self.carry_out(None, effects).await;
                }
                return Turn::Go;
            }
        }
        while let Some(doc) = self.stale.pop_first() {
            let Some(log) = self.logs.get(&doc) else { continue };
            let store = &self.home.records.inner.store;
            match store::reload(store, log.dek.clone(), doc).await {
                Ok(loaded) if loaded.epoch != log.epoch => return Turn::Fenced,
                Ok(loaded) => {
                    let Loaded { doc: held, epoch, last, dek, clients: _, tail, poison } = loaded;
                    let attempts = log.attempts;
                    if let Some(trust) = broken::trust(&held, poison.as_ref()) {
                        self.session.trust_wishes(trust);
                    }
                    self.logs.insert(doc, Log { dek, epoch, last, tail, poison, attempts });
                    let effects = self.session.reloaded(now(), held, &mut fresh_client_id);
                    self.carry_out(None, effects).await;
                }
                Err(error) => {
                    tracing::warn!(doc.id = %doc, %error, "a document could not be read again");
                    self.stale.insert(doc);
                    self.retry = Some(Instant::now() + RETRY);
                    return Turn::Go;
                }
            }
        }
        Turn::Go
    }

    fn snapshot_if_due(&mut self, doc: DocId) {
        if self.logs.get(&doc).is_some_and(|log| log.tail.due())
            && let Some(at_rest) = self.at_rest(doc)
        {
            if let Some(log) = self.logs.get_mut(&doc) {
                log.tail = Tail::default();
            }
            let store = self.home.records.inner.store.clone();
            self.snapshots.spawn(async move { save(&store, at_rest).await });
        }
    }

    fn at_rest(&self, doc: DocId) -> Option<store::AtRest> {
        let stored = self.session.at_rest(doc)?;
        let log = self.logs.get(&doc).filter(|log| log.poison.is_none())?;
        Some(store::AtRest { doc, stored, last: log.last, epoch: log.epoch, dek: log.dek.clone() })
    }

    /// Waits for what is under way and writes the documents whole, so that the next one to open them need not fold.
    async fn finish(&mut self) {
        while !self.in_flight.is_empty() {
            let answer = first_answer(&mut self.in_flight).await;
            if self.answered(answer).await == Turn::Fenced {
                return;
            }
        }
        let docs: Vec<DocId> = self.logs.keys().copied().collect();
        for doc in docs {
            let changed = self.logs.get(&doc).is_some_and(|log| log.tail.changes > 0);
            if changed && let Some(at_rest) = self.at_rest(doc) {
                save(&self.home.records.inner.store, at_rest).await;
                if let Some(log) = self.logs.get_mut(&doc) {
                    log.tail = Tail::default();
                }
            }
        }
        while self.snapshots.join_next().await.is_some() {}
    }
}

/// A snapshot that is not written costs time at the next opening, and nothing else.
async fn save(store: &crate::store::Store, at_rest: store::AtRest) {
    let doc = at_rest.doc;
    if let Err(error) = store::snapshot(store, at_rest).await {
        let stopped = matches!(error, LoadError::Store(StoreError::Failed));
        if !stopped {
            tracing::warn!(doc.id = %doc, %error, "a snapshot was not written");
        }
    }
}

/// The answer to the oldest change under way; for ever, if there is none.
async fn first_answer(in_flight: &mut VecDeque<InFlight>) -> Answer {
    match in_flight.front_mut() {
        // The writer broke. Whether this was stored shows after a restart: clients keep it and send it again.
        Some(first) => (&mut first.answered).await.unwrap_or(Answer::Failed),
        None => std::future::pending().await,
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// 53 random bits, as Yjs takes them (the integers of a JavaScript number).
fn fresh_client_id() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    // Not a secret: if the system is short of randomness, a seeded hash tells two clients apart as well.
    getrandom::u64().unwrap_or_else(|_none| RandomState::new().hash_one(Instant::now())) >> 11
}

#[cfg(test)]
mod tests;
