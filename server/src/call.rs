//! The calls alive on this node.

mod actor;
mod events;
mod peers;
mod time;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clinical::actor::Role;
use clinical::id::{CallId, ConnectionId, SeatId, VisitId};
use clinical::phi::Phi;
use sfu::event::Event;
use signaling::call::{CallFacts, EMPTY_MS, JoinError, SeatFacts, Telephone};
use signaling::effect::CloseCode;
use signaling::message::ClientMessage;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use uuid::Uuid;

use crate::config::Practice;
use crate::media::Media;
use crate::patient;
use crate::person::{self, PersonError};
use crate::record::writer::{Work, Writer};
use crate::record::{Outgoing, Records};
use crate::store::{Store, StoreError, now};
use crate::vault::Vault;
use crate::visit::{self, Seat, Visit};
use actor::Input;
use peers::{Peers, Routes};

/// What may wait for one call. Sockets wait when it is full, so a flood slows its sender and nobody else's call.
const INBOX: usize = 256;

/// What every call needs of its surroundings.
#[derive(Clone)]
pub struct Surroundings {
    /// The database.
    pub store: Store,
    /// Keys.
    pub vault: Vault,
    /// The log of accesses.
    pub writer: Writer,
    /// Open records.
    pub records: Records,
    /// The relay.
    pub media: Media,
    /// Who runs the visits.
    pub practice: Practice,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Surroundings(..)")
    }
}

/// Every live call. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Calls {
    around: Arc<Surroundings>,
    routes: Arc<Routes>,
    live: Arc<Mutex<HashMap<VisitId, Live>>>,
}

/// A live call, and the way to it.
#[derive(Clone, Debug)]
struct Live {
    call: CallId,
    inbox: mpsc::Sender<Input>,
    /// Whether people are in it, not only before its door.
    peopled: Arc<AtomicBool>,
}

/// What a call says to one connection, and how it closes it.
#[derive(Debug)]
pub struct Line {
    outgoing: Outgoing,
    close: watch::Sender<Option<CloseCode>>,
}

impl Line {
    /// The call's end, and the socket's: a code once it has to close, after everything said before. If the call's end
    /// is gone without a code, its task broke.
    pub fn new(outgoing: Outgoing) -> (Self, watch::Receiver<Option<CloseCode>>) {
        let (close, closing) = watch::channel(None);
        (Self { outgoing, close }, closing)
    }
}

/// A connection in a call.
#[derive(Debug)]
pub struct Joined {
    inbox: mpsc::Sender<Input>,
}

impl Joined {
    /// Passes a message on. If the call is too far behind it comes back, to be refused: waiting here would keep the
    /// connection from sending, closing and stopping.
    ///
    /// # Errors
    /// The message that was not taken.
    pub fn handle(
        &self,
        connection: ConnectionId,
        message: ClientMessage,
    ) -> Result<(), Box<ClientMessage>> {
        match self.inbox.try_send(Input::Message { connection, message: Box::new(message) }) {
            Err(mpsc::error::TrySendError::Full(Input::Message { message, .. })) => Err(message),
            // A call that is gone has said so by the line.
            Ok(())
            | Err(mpsc::error::TrySendError::Full(_) | mpsc::error::TrySendError::Closed(_)) => {
                Ok(())
            }
        }
    }

    /// The connection is gone.
    pub async fn lost(&self, connection: ConnectionId) {
        let _gone = self.inbox.send(Input::Lost { connection }).await;
    }
}

/// Why a connection is not in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The visit is over.
    #[error("the visit is over")]
    Over,
    /// This kind of visit has no such seat.
    #[error("this kind of visit has no such seat")]
    RoleNotInVisit,
    /// Not now.
    #[error("the call cannot be opened now")]
    Busy,
}

impl Calls {
    /// No call is live yet. `events` are those of `around.media`.
    pub fn new(around: Surroundings, mut events: mpsc::Receiver<Event>) -> Self {
        let routes = Arc::new(Routes::default());
        let to = Arc::clone(&routes);
        // Ends with the relay, whose threads hold the other end.
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                to.pass(event);
            }
        });
        Self { around: Arc::new(around), routes, live: Arc::default() }
    }

    /// How many are live.
    pub async fn live(&self) -> usize {
        self.live.lock().await.values().filter(|live| !live.inbox.is_closed()).count()
    }

    /// The live call of a visit.
    pub async fn live_call(&self, visit: VisitId) -> Option<CallId> {
        let live = self.live.lock().await;
        live.get(&visit).filter(|live| !live.inbox.is_closed()).map(|live| live.call)
    }

    /// Whether people are in the live call of a visit: let in, and not away for good.
    pub async fn is_anybody_in(&self, visit: VisitId) -> bool {
        let live = self.live.lock().await;
        live.get(&visit)
            .is_some_and(|live| !live.inbox.is_closed() && live.peopled.load(Ordering::Relaxed))
    }

    /// Joins the live call of a visit, and begins it if there is none.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn join(
        &self,
        visit: &Visit,
        seat: &Seat,
        connection: ConnectionId,
        line: Line,
    ) -> Result<Joined, Refused> {
        let who = self.facts_of(seat).await.map_err(|error| busy(&error))?;
        let inbox = self.inbox(visit).await?;
        let (answer, answered) = oneshot::channel();
        let input = Input::Join { who: Box::new(who), connection, line, answer };
        // A call that ended between the two lines answers nothing; the client comes again.
        inbox.send(input).await.map_err(|_ended| Refused::Busy)?;
        match answered.await {
            Ok(Ok(())) => Ok(Joined { inbox }),
            Ok(Err(JoinError::Over)) => Err(Refused::Over),
            Ok(Err(JoinError::RoleNotInVisit)) => Err(Refused::RoleNotInVisit),
            Err(_ended) => Err(Refused::Busy),
        }
    }

    /// A seat was taken back: it is out of its call at once.
    pub async fn revoke(&self, visit: VisitId, seat: SeatId) {
        self.tell(visit, Input::Revoke { seat }).await;
    }

    /// A seat signed out: its connections close, its place stays.
    pub async fn session_over(&self, visit: VisitId, seat: SeatId) {
        self.tell(visit, Input::SessionOver { seat }).await;
    }

    /// A visit was ended outside its call.
    pub async fn end(&self, visit: VisitId) {
        self.tell(visit, Input::EndVisit).await;
    }

    async fn tell(&self, visit: VisitId, input: Input) {
        let live = self.live.lock().await.get(&visit).cloned();
        if let Some(Live { inbox, .. }) = live {
            let _ended = inbox.send(input).await;
        }
    }

    async fn facts_of(&self, seat: &Seat) -> Result<SeatFacts, PersonError> {
        let Surroundings { store, vault, .. } = &*self.around;
        let person = person::person(store, vault, seat.person).await?;
        let name = person.map(|person| person.name).unwrap_or_default();
        Ok(SeatFacts { seat: seat.id, person: seat.person, name, role: seat.role })
    }

    async fn inbox(&self, visit: &Visit) -> Result<mpsc::Sender<Input>, Refused> {
        // Held while the call begins: of two who come at once, one begins it.
        let mut live = self.live.lock().await;
        if let Some(Live { inbox, .. }) = live.get(&visit.id)
            && !inbox.is_closed()
        {
            return Ok(inbox.clone());
        }
        live.retain(|_, live| !live.inbox.is_closed());
        // Looked at again: a ticket, and what was read for it, may be older than the end of the visit.
        let known = visit::find_visit(&self.around.store, visit.id).await;
        match known.map_err(|error| busy(&error.into()))? {
            Some(Visit { ended: None, .. }) => {}
            Some(Visit { ended: Some(_), .. }) | None => return Err(Refused::Over),
        }
        let facts = self.begin(visit).await.map_err(|error| busy(&error))?;
        let (inbox, inputs) = mpsc::channel(INBOX);
        let peopled = Arc::new(AtomicBool::new(false));
        let known = Live { call: facts.call, inbox: inbox.clone(), peopled: Arc::clone(&peopled) };
        live.insert(visit.id, known);
        // On its own: if it breaks, only this call is gone, and its connections join a new one.
        let (peers, events) = Peers::new(self.around.media.clone(), Arc::clone(&self.routes));
        let around = (*self.around).clone();
        tokio::spawn(actor::run(around, facts, inputs, peers, events, peopled));
        Ok(inbox)
    }

    async fn begin(&self, visit: &Visit) -> Result<CallFacts, PersonError> {
        let Surroundings { store, vault, writer: _, records: _, media: _, practice } =
            &*self.around;
        let Visit { id, kind, record, ended: _ } = visit;
        let patient = match record {
            Some(record) => patient::of_record(store, vault, *record).await?,
            None => None,
        };
        let seats = visit::seats(store, *id).await?;
        let patient_seat = seats.iter().find(|seat| seat.role == Role::Patient && !seat.revoked);
        let patient_seat = patient_seat.map(|seat| seat.id);
        let admitted = seats.into_iter().filter(|seat| seat.admitted).map(|seat| seat.id).collect();
        let telephone = self.telephone(*id).await?;
        Ok(CallFacts {
            call: CallId(Uuid::now_v7()),
            visit: *id,
            kind: *kind,
            practice: Phi::new(practice.name.clone()),
            phone: practice.phone.clone(),
            camera: practice.camera,
            record: *record,
            patient: patient.map(|(_, facts)| facts),
            patient_seat,
            admitted,
            telephone,
        })
    }

    /// How a visit went on by telephone when the server stopped in the middle of it. Whoever comes to a visit that nobody
    /// was in for as long as a call outlives its people finds it over, as they would have without a restart.
    async fn telephone(&self, visit: VisitId) -> Result<Option<Telephone>, StoreError> {
        let Surroundings { store, writer, .. } = &*self.around;
        let Some(telephone) = visit::telephone_of(store, visit).await? else { return Ok(None) };
        let known = visit::time::known_until(store, visit).await?.unwrap_or(telephone.since);
        if now().0.saturating_sub(known.0) <= EMPTY_MS {
            return Ok(Some(telephone));
        }
        let first = vec![visit::set_telephone(visit, None)];
        // Written over by the next one: a call begins without a disk too.
        if let Err(error) = writer.store(Work { first, ..Work::default() }).await.committed() {
            tracing::warn!(visit.id = %visit, %error, "that a telephone call is over was not written");
        }
        Ok(None)
    }
}

fn busy(error: &PersonError) -> Refused {
    tracing::error!(%error, "a call cannot be opened");
    Refused::Busy
}
