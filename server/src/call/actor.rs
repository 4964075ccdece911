//! One task for each live call: owns a [`Call`] and carries out its effects in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clinical::actor::{Actor, Millis};
use clinical::id::{ConnectionId, RecordId, SeatId, VisitId};
use clinical::phi::Phi;
use signaling::audit::{AuditEntry, Deed};
use signaling::call::{Call, CallFacts, JoinError, Kept, MediaEvent, SeatFacts, Telephone};
use signaling::effect::{CallOver, Effect, Standing};
use signaling::message::{ClientMessage, ClosedReason, RefusalCode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use super::events::Events;
use super::peers::Peers;
use super::time::{BEAT, Book, Timed, Timer};
use super::{Line, Surroundings};
use crate::audit::{Entry, Outcome};
use crate::record::writer::Work;
use crate::record::{CallClock, Reader};
use crate::store::now;
use crate::visit;

/// What a call is told.
#[derive(Debug)]
pub(super) enum Input {
    /// A seat connects.
    Join {
        /// Who.
        who: Box<SeatFacts>,
        /// By which connection.
        connection: ConnectionId,
        /// The way to it.
        line: Line,
        /// Whether it is in.
        answer: oneshot::Sender<Result<(), JoinError>>,
    },
    /// A client said something.
    Message {
        /// On which connection.
        connection: ConnectionId,
        /// What.
        message: Box<ClientMessage>,
    },
    /// A connection is gone.
    Lost {
        /// Which.
        connection: ConnectionId,
    },
    /// A seat was taken back.
    Revoke {
        /// Which.
        seat: SeatId,
    },
    /// A seat signed out.
    SessionOver {
        /// Which.
        seat: SeatId,
    },
    /// The visit was ended outside the call.
    EndVisit,
}

/// A connection in the call.
#[derive(Debug)]
struct Connected {
    line: Line,
    actor: Actor,
    name: Phi<String>,
    record: Option<RecordId>,
}

/// What has to be written down. A task of its own does it, so that no call waits for a disk.
#[derive(Debug)]
enum Note {
    Audit(AuditEntry),
    Standing(SeatId, Standing),
    /// With the number under which the call waits for what comes of it.
    Telephone(u64, Option<Telephone>, AuditEntry),
    Time(Timed),
    Over(CallOver),
}

/// What waits to be written down. Refusals, which anybody can cause, get half of it: the store may be away for long, and
/// who was admitted matters more than the hundredth refusal.
const NOTES: usize = 1_024;

/// What carrying out an effect brings back to the call.
enum Brought {
    Media(MediaEvent),
    Kept(u64, Kept),
}

struct CallTask {
    around: Surroundings,
    call: Call,
    visit: VisitId,
    clock: Clock,
    peers: Peers,
    connections: BTreeMap<ConnectionId, Connected>,
    notes: mpsc::Sender<Note>,
    timer: Timer,
    /// Read by whoever asks whether people are in it.
    peopled: Arc<AtomicBool>,
}

/// Wall-clock time that never goes back.
#[derive(Clone, Copy, Debug)]
struct Clock {
    began: Instant,
    wall: Millis,
}

impl Clock {
    fn start() -> Self {
        Self { began: Instant::now(), wall: now() }
    }

    fn now(&self) -> Millis {
        let elapsed = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        Millis(self.wall.0.saturating_add(elapsed))
    }

    /// The instant of a deadline.
    fn at(&self, deadline: Millis) -> tokio::time::Instant {
        let ms = deadline.0.saturating_sub(self.wall.0).max(0);
        let at = self.began + Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        tokio::time::Instant::from_std(at)
    }
}

/// Runs a call to its end.
pub(super) async fn run(
    around: Surroundings,
    facts: CallFacts,
    mut inputs: mpsc::Receiver<Input>,
    peers: Peers,
    events: Arc<Events>,
    peopled: Arc<AtomicBool>,
) {
    let (notes, noted) = mpsc::channel(NOTES);
    let (stored, mut kept) = mpsc::channel(NOTES);
    let clock = Clock::start();
    let visit = facts.visit;
    let book = Book::new(around.writer.clone(), visit, facts.call, clock.wall);
    let writing = tokio::spawn(write_down(around.clone(), visit, book, noted, stored));
    tracing::info!(call.id = %facts.call, visit.id = %visit, "call begins");
    let call = Call::new(clock.now(), facts);
    let connections = BTreeMap::new();
    let timer = Timer::default();
    let mut task =
        CallTask { around, call, visit, clock, peers, connections, notes, timer, peopled };
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while task.call.over().is_none() {
        let due = task.call.poll_timeout().map(|due| task.clock.at(due));
        let effects = tokio::select! {
            // What the relay reports is about packets that flow already.
            biased;
            event = events.next() => {
                let event = task.peers.translate(event);
                event.map(|event| task.call.handle_media(task.clock.now(), event)).unwrap_or_default()
            }
            input = inputs.recv() => match input {
                Some(input) => task.take(input),
                // Nobody knows the call any more: the server stops.
                None => break,
            },
            Some((n, kept)) = kept.recv() => task.call.telephone_kept(task.clock.now(), n, kept),
            () = sleep_until(due) => task.call.handle_timeout(task.clock.now()),
            _ = beat.tick() => {
                task.time(Timed::Known(task.clock.now()));
                Vec::new()
            }
        };
        task.carry_out(effects);
    }
    tracing::info!(call.id = %task.call.id(), visit.id = %visit, "call is over");
    drop(task);
    // The way in stays shut until the end is written down: who joined before would begin a new call of a visit that
    // is over.
    let _written = writing.await;
    drop(inputs);
}

async fn sleep_until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl CallTask {
    fn take(&mut self, input: Input) -> Vec<Effect> {
        let now = self.clock.now();
        match input {
            Input::Join { who, connection, line, answer } => {
                let SeatFacts { seat, person, name, role } = &*who;
                let actor = Actor { person: *person, seat: *seat, role: *role };
                let name = name.clone();
                match self.call.join(now, *who, connection) {
                    Ok(effects) => {
                        let connected = Connected { line, actor, name, record: None };
                        self.connections.insert(connection, connected);
                        // If the socket is gone meanwhile it says so by `Lost`.
                        let _gone = answer.send(Ok(()));
                        effects
                    }
                    Err(error) => {
                        let _gone = answer.send(Err(error));
                        Vec::new()
                    }
                }
            }
            Input::Message { connection, message } => self.message(now, connection, *message),
            Input::Lost { connection } => {
                self.forget(connection);
                self.call.lost(now, connection)
            }
            Input::Revoke { seat } => self.call.revoke(now, seat),
            Input::SessionOver { seat } => self.call.sign_out(now, seat),
            Input::EndVisit => self.call.end_visit(now),
        }
    }

    /// Messages about records go to the record, if the call has opened the way; everything else is the call's.
    fn message(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        message: ClientMessage,
    ) -> Vec<Effect> {
        let connected = self.connections.get(&connection);
        let Some((connected, allowed)) =
            connected.and_then(|connected| connected.record.map(|record| (connected, record)))
        else {
            return self.call.handle(now, connection, message);
        };
        match message {
            ClientMessage::RecordOpen { record, have: _ } if record != allowed => {
                // Not there and not yours answer alike.
                connected.line.outgoing.say(signaling::message::ServerMessage::Refused {
                    of: "record.open".to_owned(),
                    code: RefusalCode::NotFound,
                });
                Vec::new()
            }
            ClientMessage::RecordOpen { record, have } => {
                let reader = Reader {
                    connection,
                    outgoing: connected.line.outgoing.clone(),
                    actor: connected.actor,
                    name: connected.name.clone(),
                    call: Some(CallClock { call: self.call.id(), began: self.clock.began }),
                    visit: Some(self.visit),
                };
                self.around.records.open(reader, record, have);
                Vec::new()
            }
            ClientMessage::RecordEdit { .. }
            | ClientMessage::RecordCommand { .. }
            | ClientMessage::RecordGate { .. }
            | ClientMessage::RecordSafety { .. }
            | ClientMessage::RecordSign { .. }
            | ClientMessage::RecordCaret { .. }
            | ClientMessage::RecordResync { .. }
            | ClientMessage::RecordHistory { .. }
            | ClientMessage::RecordClose { .. } => {
                self.around.records.handle(connection, message);
                Vec::new()
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
            | ClientMessage::End => self.call.handle(now, connection, message),
        }
    }

    /// Carries out effects in order, and behind them what they bring back; only then the next input.
    fn carry_out(&mut self, effects: Vec<Effect>) {
        // Before anybody is told: who reads an answer finds it so.
        self.peopled.store(self.call.is_anybody_in(), Ordering::Relaxed);
        let mut waiting = std::collections::VecDeque::from(effects);
        while let Some(effect) = waiting.pop_front() {
            match self.effect(effect) {
                None => {}
                Some(Brought::Media(event)) => {
                    waiting.extend(self.call.handle_media(self.clock.now(), event));
                }
                Some(Brought::Kept(n, kept)) => {
                    waiting.extend(self.call.telephone_kept(self.clock.now(), n, kept));
                }
            }
        }
        self.peopled.store(self.call.is_anybody_in(), Ordering::Relaxed);
    }

    fn effect(&mut self, effect: Effect) -> Option<Brought> {
        match effect {
            Effect::Send { connection, message } => {
                if let Some(connected) = self.connections.get(&connection) {
                    connected.line.outgoing.say(*message);
                }
            }
            Effect::Close { connection, code } => {
                if let Some(connected) = self.connections.remove(&connection) {
                    self.around.records.close(connection);
                    connected.line.close.send_replace(Some(code));
                }
            }
            Effect::Record { connection, access } => self.record(connection, access),
            Effect::Negotiate { seat, connection, n, sdp, srtp, transport } => {
                let event = self.peers.negotiate(seat, connection, n, &sdp, srtp, transport);
                return Some(Brought::Media(event));
            }
            Effect::Want { seat, slots } => self.peers.want(seat, &slots),
            Effect::Audience { publisher, source, to } => {
                self.peers.audience(publisher, source, to);
            }
            Effect::Mute { seat, source, muted } => self.peers.mute(seat, source, muted),
            Effect::DropMedia { seat } => self.peers.drop_media(seat),
            // What is not taken has been logged.
            Effect::Remember { seat, standing } => {
                let _logged = self.note(Note::Standing(seat, standing));
            }
            Effect::KeepTelephone { n, telephone, entry } => {
                if !self.note(Note::Telephone(n, telephone, entry)) {
                    return Some(Brought::Kept(n, Kept::No));
                }
            }
            Effect::Audit(entry) => {
                let _logged = self.note(Note::Audit(entry));
            }
            Effect::Time(event) => self.time(Timed::Event(event)),
            Effect::EndCall { why } => {
                self.time(Timed::Over(self.clock.now()));
                let _logged = self.note(Note::Over(why));
            }
        }
        None
    }

    fn record(&mut self, connection: ConnectionId, access: Option<RecordId>) {
        let Some(connected) = self.connections.get_mut(&connection) else { return };
        if connected.record.is_some() && access.is_none() {
            self.around.records.revoke(connection, ClosedReason::NotAllowed);
        }
        connected.record = access;
    }

    fn forget(&mut self, connection: ConnectionId) {
        if self.connections.remove(&connection).is_some() {
            self.around.records.close(connection);
        }
    }

    fn time(&mut self, timed: Timed) {
        if self.timer.passes(&timed) && !self.note(Note::Time(timed)) {
            self.timer.lose();
        }
    }

    /// Whether it will be written down.
    fn note(&self, note: Note) -> bool {
        let refusal = matches!(&note, Note::Audit(AuditEntry { deed: Deed::Denied { .. }, .. }));
        if refusal && self.notes.capacity() <= NOTES / 2 {
            tracing::warn!(visit.id = %self.visit, "a refusal was not written down: too many wait");
            return false;
        }
        let taken = self.notes.try_send(note).is_ok();
        if !taken {
            tracing::error!(visit.id = %self.visit, "what happened in a call was not written down: too much waits");
        }
        taken
    }
}

/// Writes down what calls decide, in order. A store that is away loses nobody's call: it is logged and goes on.
async fn write_down(
    around: Surroundings,
    visit: VisitId,
    mut book: Book,
    mut notes: mpsc::Receiver<Note>,
    kept: mpsc::Sender<(u64, Kept)>,
) {
    while let Some(note) = notes.recv().await {
        let written = match note {
            Note::Time(timed) => book.keep(timed).await,
            Note::Audit(entry) => around.writer.audit(vec![entry_of(entry)]).await,
            Note::Standing(seat, standing) => {
                visit::set_admitted(&around.store, seat, standing == Standing::Admitted).await
            }
            Note::Telephone(n, telephone, entry) => {
                let first = vec![visit::set_telephone(visit, telephone)];
                let audit = vec![entry_of(entry)];
                let work = Work { first, audit, ..Work::default() };
                let stored = around.writer.store(work).await.committed();
                let came = if stored.is_ok() { Kept::Yes } else { Kept::No };
                // A call that is over asks no more.
                let _over = kept.send((n, came)).await;
                stored
            }
            Note::Over(CallOver::Ended) => visit::end_visit(&around.store, visit).await,
            Note::Over(CallOver::Empty) => visit::clear_admitted(&around.store, visit).await,
        };
        if let Err(error) = written {
            tracing::error!(visit.id = %visit, %error, "what happened in a call was not written down");
        }
    }
}

fn entry_of(entry: AuditEntry) -> Entry {
    let AuditEntry { at_ms, visit, call, seat, person, role, deed } = entry;
    let (outcome, object) = match deed {
        Deed::Denied { message } => (Outcome::Denied, format!("message:{message}")),
        Deed::Admitted { whom } | Deed::AgreementHeard { whom } | Deed::SentBack { whom } => {
            (Outcome::Done, format!("seat:{whom}"))
        }
        Deed::Joined | Deed::Resumed | Deed::Left | Deed::LineLost => {
            (Outcome::Done, format!("seat:{seat}"))
        }
        Deed::ConvertedToPhone | Deed::BackToVideo | Deed::PhoneOver | Deed::Ended => {
            (Outcome::Done, format!("call:{call}"))
        }
    };
    Entry {
        at_ms,
        person: Some(person),
        role: Some(role),
        on_behalf_of: None,
        action: deed.code(),
        outcome,
        patient: None,
        object,
        visit: Some(visit),
        detail: None,
    }
}
