//! Open records: who has which open, and the way of a message to the record it is about.
//!
//! One task for each open record owns its three documents; one task for the process ([`writer`]) stores every change.
//! What a role may read and write is decided in `signaling`, again for each message. *Whether* a seat may open a
//! record at all (its visit, its admission) is the call's to say before it calls [`Records::open`].

mod actor;
mod hand;
mod outside;
mod proof;
pub(crate) mod sql;
mod store;
pub(crate) mod version;
mod walk;
pub mod writer;

pub(crate) use hand::{hand, hand_by};
pub(crate) use outside::{About, Acceptance, Answer};
pub use proof::Signing;
pub(crate) use proof::{Proof, Proofs};
pub(crate) use store::{LoadError, Loaded, LoadedRecord, Poison, load, new_doc, seal_changes};
pub(crate) use walk::{Walked, records, walk};

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::ws::Utf8Bytes;
use tokio::sync::{mpsc, watch};

use clinical::actor::{Actor, CallTime};
use clinical::id::{CallId, ConnectionId, DocId, EditId, RecordId, VisitId};
use clinical::phi::Phi;
use signaling::message::{
    ClientMessage, ClosedReason, Have, RecordRefusal, RefusalCode, ServerMessage,
};

use crate::agreement::Rules;
use crate::outbox::Outbox;
use crate::store::Store;
use crate::vault::Vault;
use writer::Writer;

/// Messages that may wait for one connection. A client that is this far behind does not read: more would only grow
/// memory, fewer would cut a phone that pauses while a snapshot in parts comes in.
const OUTGOING: usize = 512;

/// Bytes that may wait for one connection, as JSON. The three documents of a record at their largest must fit, or their
/// snapshots could never be sent; more would let a few slow phones fill the memory.
const OUTGOING_BYTES: usize = 10 * 1024 * 1024;

/// Messages that may wait for one record. At 50 edits a second from five people it is four seconds of typing.
const WAITING: usize = 1024;

/// Sends to one connection, from the call and from records alike. Cheap to clone. Never waits: who does not read is
/// cut off.
#[derive(Clone, Debug)]
pub struct Outgoing {
    messages: mpsc::Sender<Said>,
    /// Bytes that wait.
    waiting: Arc<AtomicUsize>,
    cut: watch::Sender<Option<Cut>>,
}

/// Why a connection is cut off at once, without what still waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It does not read: close code 4408.
    SlowConsumer,
    /// A document of it moved or was taken over: close code 4409, rejoin.
    Moved,
    /// It does not keep to the protocol: close code 4400.
    Misbehaves,
}

/// The socket's end of [`Outgoing`].
#[derive(Debug)]
pub struct Incoming {
    messages: mpsc::Receiver<Said>,
    waiting: Arc<AtomicUsize>,
    cut: watch::Receiver<Option<Cut>>,
}

/// A message as it leaves: written out once, however many connections it goes to. Cheap to clone.
#[derive(Clone)]
pub struct Said(Arc<(ServerMessage, Utf8Bytes)>);

impl Said {
    /// What it says, for whoever asks from within.
    pub fn message(&self) -> &ServerMessage {
        &self.0.0
    }

    /// The same as JSON. Empty, if it does not serialize.
    pub fn text(&self) -> Utf8Bytes {
        self.0.1.clone()
    }
}

/// As the message, which keeps patients' data to itself: the JSON beside it does not.
impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.message().fmt(f)
    }
}

impl From<ServerMessage> for Said {
    fn from(message: ServerMessage) -> Self {
        let text = serde_json::to_string(&message).unwrap_or_else(|error| {
            tracing::error!(%error, "a message does not serialize");
            String::new()
        });
        Self(Arc::new((message, text.into())))
    }
}

const _: () = assert!(size_of::<Said>() <= 16, "each connection has places for 32 and more");

/// What the socket has to do next.
#[derive(Debug)]
pub enum Next {
    /// Send this.
    Message(Said),
    /// Close.
    Cut(Cut),
    /// Nobody sends any more.
    Over,
}

impl Outgoing {
    /// A new pair: the sending end for call and records, the other for the socket.
    pub fn pair() -> (Self, Incoming) {
        let (messages, waiting) = mpsc::channel(OUTGOING);
        let (cut, watching) = watch::channel(None);
        let bytes = Arc::new(AtomicUsize::new(0));
        let incoming = Incoming { messages: waiting, waiting: Arc::clone(&bytes), cut: watching };
        (Self { messages, waiting: bytes, cut }, incoming)
    }

    /// Says something, in order. If too much waits already, the connection is cut off; if it is gone, nothing happens.
    pub fn say(&self, said: impl Into<Said>) {
        let said = said.into();
        let bytes = said.0.1.len();
        if self.waiting.fetch_add(bytes, Ordering::Relaxed) > OUTGOING_BYTES {
            self.cut(Cut::SlowConsumer);
            return;
        }
        match self.messages.try_send(said) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(_)) => self.cut(Cut::SlowConsumer),
        }
    }

    /// Cuts the connection off.
    pub fn cut(&self, why: Cut) {
        self.cut.send_if_modified(|cut| {
            let first = cut.is_none();
            if first {
                *cut = Some(why);
            }
            first
        });
    }
}

impl Incoming {
    /// Waits for the next thing to do. Being cut off comes before what waits.
    pub async fn next(&mut self) -> Next {
        if let Some(why) = *self.cut.borrow_and_update() {
            return Next::Cut(why);
        }
        tokio::select! {
            biased;
            changed = self.cut.changed() => match (changed, *self.cut.borrow()) {
                (Ok(()), Some(why)) => Next::Cut(why),
                (Ok(()) | Err(_), _) => Next::Over,
            },
            message = self.messages.recv() => {
                message.map_or(Next::Over, |said| {
                    self.waiting.fetch_sub(said.0.1.len(), Ordering::Relaxed);
                    Next::Message(said)
                })
            }
        }
    }
}

/// Tells at which moment of a call something happens.
#[derive(Clone, Copy, Debug)]
pub struct CallClock {
    /// The call.
    pub call: CallId,
    /// When it began.
    pub began: Instant,
}

impl CallClock {
    /// Now, on this call's clock.
    pub fn now(&self) -> CallTime {
        CallTime {
            call: self.call,
            ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// A connection that opens a record.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Which connection.
    pub connection: ConnectionId,
    /// Its sending end.
    pub outgoing: Outgoing,
    /// Who sits there.
    pub actor: Actor,
    /// Their name, for the others.
    pub name: Phi<String>,
    /// The call it comes from, for "said at minute 12".
    pub call: Option<CallClock>,
    /// The visit, for the log of accesses.
    pub visit: Option<VisitId>,
}

/// Every record open on this node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Records {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    vault: Vault,
    writer: Writer,
    /// What a signature needs in this practice.
    signing: Signing,
    /// Signers who confirmed who they are, and have not signed yet.
    proofs: Proofs,
    /// By what agreements are judged.
    agreements: Arc<Rules>,
    /// The way out for mails.
    outbox: Option<Outbox>,
    desk: Mutex<Desk>,
}

/// Who has what open.
#[derive(Debug, Default)]
struct Desk {
    records: HashMap<RecordId, Running>,
    connections: HashMap<ConnectionId, Connection>,
    docs: HashMap<DocId, RecordId>,
    closing: bool,
}

impl Desk {
    /// A record is no longer in memory.
    fn forget(&mut self, record: RecordId) {
        self.records.remove(&record);
        self.docs.retain(|_doc, of| *of != record);
    }

    /// A connection does not have a record open any more.
    fn closed(&mut self, connection: ConnectionId, record: RecordId) {
        if let Some(known) = self.connections.get_mut(&connection) {
            known.open.retain(|open| *open != record);
            if known.open.is_empty() {
                self.connections.remove(&connection);
            }
        }
    }
}

#[derive(Debug)]
struct Connection {
    outgoing: Outgoing,
    open: Vec<RecordId>,
}

/// The way into the task of an open record.
#[derive(Clone, Debug)]
struct Running {
    inbox: mpsc::UnboundedSender<Input>,
    /// Messages of clients in the inbox; openings and closings are not counted, so that none is ever lost.
    waiting: Arc<AtomicUsize>,
}

/// What an open record is told.
#[derive(Debug)]
enum Input {
    Open {
        reader: Box<Reader>,
        have: Vec<Have>,
    },
    Message {
        connection: ConnectionId,
        message: Box<ClientMessage>,
    },
    Role {
        connection: ConnectionId,
        actor: Actor,
    },
    /// What somebody says about one row of the plan, from outside.
    Answer {
        reader: Box<Reader>,
        answer: Box<Answer>,
    },
    /// What somebody accepted of a chart from elsewhere.
    Chart {
        reader: Box<Reader>,
        acceptance: Box<Acceptance>,
        becomes: outside::Becomes,
    },
    Close {
        connection: ConnectionId,
        why: Option<ClosedReason>,
    },
    Stop,
    /// The task breaks.
    #[cfg(test)]
    Break,
}

impl Records {
    /// No record is open yet.
    pub fn new(
        store: Store,
        vault: Vault,
        writer: Writer,
        signing: Signing,
        agreements: Arc<Rules>,
        outbox: Option<Outbox>,
    ) -> Self {
        let (desk, proofs) = (Mutex::default(), Proofs::default());
        let inner = Inner { store, vault, writer, signing, proofs, agreements, outbox, desk };
        Self { inner: Arc::new(inner) }
    }

    /// Opens a record for a connection: it receives a snapshot of each document its role reads, and from then on every
    /// change. The caller has decided that this seat may open this record. A record that does not exist is refused
    /// `not_found`. Opening it again (after a reload) starts over.
    pub fn open(&self, reader: Reader, record: RecordId, have: Vec<Have>) {
        let mut desk = self.inner.desk();
        if desk.closing {
            reader.outgoing.say(refused("record.open", RefusalCode::Busy));
            return;
        }
        let connection = desk
            .connections
            .entry(reader.connection)
            .or_insert_with(|| Connection { outgoing: reader.outgoing.clone(), open: Vec::new() });
        // The last one opened is where messages about unknown documents go.
        connection.open.retain(|open| *open != record);
        connection.open.push(record);
        let running = desk.records.entry(record).or_insert_with(|| self.start(record));
        running.tell(Input::Open { reader: Box::new(reader), have });
    }

    /// Takes a `record.*` message other than `record.open` from a connection. Never waits.
    pub fn handle(&self, connection: ConnectionId, message: ClientMessage) {
        let desk = self.inner.desk();
        let Some(known) = desk.connections.get(&connection) else { return };
        let record = match &message {
            ClientMessage::RecordEdit { doc, .. }
            | ClientMessage::RecordCommand { doc, .. }
            | ClientMessage::RecordSign { doc, .. }
            | ClientMessage::RecordGate { doc }
            | ClientMessage::RecordSafety { doc }
            | ClientMessage::RecordResync { doc }
            | ClientMessage::RecordHistory { doc, .. }
            | ClientMessage::RecordCaret { doc, .. } => {
                // A document that is still loading is not on the desk: its record was opened last.
                desk.docs.get(doc).or_else(|| known.open.last()).copied()
            }
            ClientMessage::RecordClose { record } => {
                let record = *record;
                drop(desk);
                self.close_one(connection, record, None);
                return;
            }
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
            | ClientMessage::RecordOpen { .. } => return,
        };
        let running = record
            .filter(|record| known.open.contains(record))
            .and_then(|record| desk.records.get(&record));
        match running {
            Some(running) if running.waiting.load(Ordering::Relaxed) < WAITING => {
                running.waiting.fetch_add(1, Ordering::Relaxed);
                running.tell(Input::Message { connection, message: Box::new(message) });
            }
            Some(_) => put_back(&known.outgoing, &message, RecordRefusal::Busy),
            None => put_back(&known.outgoing, &message, RecordRefusal::NotOpen),
        }
    }

    /// The seat of a connection has another role now: what it may see is sent again.
    pub fn role(&self, connection: ConnectionId, actor: Actor) {
        let desk = self.inner.desk();
        for record in
            desk.connections.get(&connection).map(|known| &known.open).into_iter().flatten()
        {
            if let Some(running) = desk.records.get(record) {
                running.tell(Input::Role { connection, actor });
            }
        }
    }

    /// The connection is gone.
    pub fn close(&self, connection: ConnectionId) {
        self.close_all(connection, None);
    }

    /// The connection stays, but may not read records any more (sent back, visit over): each one open is closed with
    /// `record.closed`.
    pub fn revoke(&self, connection: ConnectionId, why: ClosedReason) {
        self.close_all(connection, Some(why));
    }

    /// Where a proof waits for its signature.
    pub(crate) fn proofs(&self) -> &Proofs {
        &self.inner.proofs
    }

    /// How many are in memory.
    pub fn running(&self) -> usize {
        self.inner.desk().records.len()
    }

    /// Stores what is under way, writes a snapshot of every open document and closes them.
    pub async fn shutdown(&self) {
        let running: Vec<Running> = {
            let mut desk = self.inner.desk();
            desk.closing = true;
            desk.records.values().cloned().collect()
        };
        for running in &running {
            running.tell(Input::Stop);
        }
        for running in running {
            running.inbox.closed().await;
        }
        self.inner.writer.flush().await;
    }
}

impl Records {
    fn close_all(&self, connection: ConnectionId, why: Option<ClosedReason>) {
        let mut desk = self.inner.desk();
        if let Some(known) = desk.connections.remove(&connection) {
            for record in known.open {
                if let Some(running) = desk.records.get(&record) {
                    running.tell(Input::Close { connection, why });
                }
            }
        }
    }

    fn close_one(&self, connection: ConnectionId, record: RecordId, why: Option<ClosedReason>) {
        let mut desk = self.inner.desk();
        desk.closed(connection, record);
        if let Some(running) = desk.records.get(&record) {
            running.tell(Input::Close { connection, why });
        }
    }

    fn start(&self, record: RecordId) -> Running {
        let (inbox, inputs) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let home = Home { records: self.clone(), record, waiting: Arc::clone(&waiting) };
        tokio::spawn(actor::run(home, Inbox { inputs, waiting: Arc::clone(&waiting) }));
        Running { inbox, waiting }
    }
}

impl Running {
    fn tell(&self, input: Input) {
        // A task that is gone has told its connections, and left the desk before it stopped listening.
        let _gone = self.inbox.send(input);
    }
}

impl Inner {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        // Every change of the desk is whole after each line that could panic.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says a message was refused, in the words its sender understands.
fn put_back(outgoing: &Outgoing, message: &ClientMessage, code: RecordRefusal) {
    let refusal = match message {
        ClientMessage::RecordEdit { doc, edit, resend: _ } => record_refusal(*doc, edit.id, code),
        ClientMessage::RecordCommand { doc, id, command: _, seen: _ } => {
            record_refusal(*doc, *id, code)
        }
        ClientMessage::RecordSign { doc, id, seen: _, step_up: _ } => {
            record_refusal(*doc, *id, code)
        }
        ClientMessage::RecordGate { doc: _ } => refused("record.gate", RefusalCode::NotFound),
        ClientMessage::RecordSafety { doc: _ } => refused("record.safety", RefusalCode::NotFound),
        ClientMessage::RecordResync { doc: _ } => refused("record.resync", RefusalCode::NotFound),
        ClientMessage::RecordHistory { .. } => refused("record.history", RefusalCode::NotFound),
        // A caret is worth nothing a moment later; the others are not for a record.
        ClientMessage::RecordCaret { .. }
        | ClientMessage::RecordOpen { .. }
        | ClientMessage::RecordClose { .. }
        | ClientMessage::Join { .. }
        | ClientMessage::Ping { .. }
        | ClientMessage::Offer { .. }
        | ClientMessage::Want { .. }
        | ClientMessage::Presence { .. }
        | ClientMessage::Admit { .. }
        | ClientMessage::SendBack { .. }
        | ClientMessage::Telephone { .. }
        | ClientMessage::Leave
        | ClientMessage::End => return,
    };
    outgoing.say(refusal);
}

const fn record_refusal(doc: DocId, edit: EditId, code: RecordRefusal) -> ServerMessage {
    ServerMessage::RecordRefuse { doc, edit, code }
}

fn refused(of: &str, code: RefusalCode) -> ServerMessage {
    ServerMessage::Refused { of: of.to_owned(), code }
}

/// What the task of a record knows of its surroundings.
#[derive(Debug)]
struct Home {
    records: Records,
    record: RecordId,
    /// That of its [`Running`]: tells this task from one that took its place.
    waiting: Arc<AtomicUsize>,
}

impl Drop for Home {
    /// A task that ends in order has left the desk. One that broke still stands there: whoever had the record open is cut
    /// off and comes again, to a new task that reads what is stored.
    fn drop(&mut self) {
        let mut desk = self.records.inner.desk();
        let mine = desk
            .records
            .get(&self.record)
            .is_some_and(|running| Arc::ptr_eq(&running.waiting, &self.waiting));
        if !mine {
            return;
        }
        tracing::error!(record.id = %self.record, "the task of a record broke: this is a bug");
        desk.forget(self.record);
        for connection in desk.connections.values_mut() {
            if connection.open.contains(&self.record) {
                connection.open.retain(|open| *open != self.record);
                connection.outgoing.cut(Cut::Moved);
            }
        }
    }
}

/// The other end of [`Running`].
#[derive(Debug)]
struct Inbox {
    inputs: mpsc::UnboundedReceiver<Input>,
    waiting: Arc<AtomicUsize>,
}

impl Inbox {
    async fn next(&mut self) -> Option<Input> {
        let input = self.inputs.recv().await?;
        if matches!(input, Input::Message { .. }) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        Some(input)
    }
}
