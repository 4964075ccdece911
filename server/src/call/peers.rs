//! The one place where seats and the relay's peers meet: `sfu` knows no participants, `signaling` no transports.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use clinical::id::{ConnectionId, SeatId};
use clinical::phi::Phi;
use sfu::command::{self, Command, Wish};
use sfu::event::{CloseReason, Event, Liveness, Loss, PauseReason};
use sfu::plan::{self, CallKey, Mid, PeerKey, Source, TrackKey};
use signaling::call::MediaEvent;
use signaling::effect::Muted;
use signaling::message::{
    self, Held, MediaFailure, MediaSource, RefusalCode, Rid, SlotMap, SlotWish, SrtpAttempt,
    TransportKind,
};

use super::events::Events;
use crate::media::Media;
use crate::media::sdp::{Negotiated, OfferError};

/// Where the relay's events go: one way for each call. Keys are given out here, and never twice.
#[derive(Debug, Default)]
pub(super) struct Routes {
    next: AtomicU32,
    table: Mutex<Table>,
}

/// See [`Routes`].
#[derive(Debug, Default)]
struct Table {
    calls: HashMap<CallKey, Arc<Events>>,
    peers: HashMap<PeerKey, CallKey>,
}

impl Routes {
    fn key(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn table<T>(&self, use_it: impl FnOnce(&mut Table) -> T) -> T {
        // Each use leaves whole entries, whatever panics elsewhere.
        use_it(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Brings an event to its call.
    pub(super) fn pass(&self, event: Event) {
        let call = self.table(|table| {
            let call = match &event {
                Event::Speaker { call, .. } => Some(*call),
                Event::Connected { peer, .. }
                | Event::Slot { peer, .. }
                | Event::VideoPaused { peer, .. }
                | Event::VideoResumed { peer, .. }
                | Event::Liveness { peer, .. }
                | Event::Losses { peer, .. }
                | Event::Closed { peer, .. }
                | Event::Left { peer } => table.peers.get(peer).copied(),
                Event::TrackUp { track }
                | Event::TrackDown { track }
                | Event::LayerDemand { track, .. } => table.peers.get(&track.peer).copied(),
            };
            if let Event::Closed { peer, .. } | Event::Left { peer } = &event {
                table.peers.remove(peer);
            }
            call.and_then(|call| table.calls.get(&call).cloned())
        });
        // A call that is gone has taken its peers along.
        if let Some(call) = call {
            call.push(event);
        }
    }
}

/// One browser's transport.
#[derive(Debug)]
struct Transport {
    peer: PeerKey,
    negotiated: Negotiated,
    /// What was last said of its slots, by mid.
    slots: BTreeMap<Mid, SlotMap>,
}

impl Transport {
    /// What is said of a slot after a change.
    fn slot(&mut self, mid: Mid, change: impl FnOnce(&mut SlotMap)) -> SlotMap {
        let slot = self.slots.entry(mid).or_insert_with(|| SlotMap {
            mid: mid.as_str().to_owned(),
            seat: None,
            source: MediaSource::Cam,
            from_rtp_timestamp: None,
            held: None,
        });
        change(slot);
        slot.clone()
    }
}

/// The transports of one call.
pub(super) struct Peers {
    media: Media,
    routes: Arc<Routes>,
    call: CallKey,
    transports: BTreeMap<SeatId, Transport>,
    seats: BTreeMap<PeerKey, SeatId>,
    audiences: BTreeMap<(SeatId, MediaSource), Vec<SeatId>>,
    muted: BTreeMap<(SeatId, MediaSource), Muted>,
}

impl Drop for Peers {
    /// Also when the call's task breaks: nobody is relayed without a call.
    fn drop(&mut self) {
        let seats: Vec<SeatId> = self.transports.keys().copied().collect();
        for seat in seats {
            self.drop_media(seat);
        }
        self.routes.table(|table| table.calls.remove(&self.call));
    }
}

impl Peers {
    /// No transport yet. What the relay says of this call comes out of the events.
    pub(super) fn new(media: Media, routes: Arc<Routes>) -> (Self, Arc<Events>) {
        let call = CallKey(routes.key());
        let events = Arc::new(Events::default());
        routes.table(|table| table.calls.insert(call, Arc::clone(&events)));
        let peers = Self {
            media,
            routes,
            call,
            transports: BTreeMap::new(),
            seats: BTreeMap::new(),
            audiences: BTreeMap::new(),
            muted: BTreeMap::new(),
        };
        (peers, events)
    }

    /// Negotiates. If the offer is refused, what was negotiated before holds.
    pub(super) fn negotiate(
        &mut self,
        seat: SeatId,
        connection: ConnectionId,
        n: u32,
        sdp: &Phi<String>,
        srtp: SrtpAttempt,
        transport: TransportKind,
    ) -> MediaEvent {
        let srtp = match srtp {
            SrtpAttempt::First => plan::SrtpAttempt::First,
            SrtpAttempt::Fallback => plan::SrtpAttempt::Fallback,
        };
        let answered = match transport {
            TransportKind::New => self.new_transport(seat, sdp, srtp),
            TransportKind::Same => self.same_transport(seat, sdp, srtp),
        };
        match answered {
            Ok(sdp) => MediaEvent::Answered { connection, n, sdp: Phi::new(sdp) },
            Err(code) => MediaEvent::Refused { connection, code },
        }
    }

    fn new_transport(
        &mut self,
        seat: SeatId,
        sdp: &Phi<String>,
        srtp: plan::SrtpAttempt,
    ) -> Result<String, RefusalCode> {
        let peer = PeerKey(self.routes.key());
        self.routes.table(|table| table.peers.insert(peer, self.call));
        let offered = self.media.offer(self.call, peer, None, sdp.expose(), srtp);
        let (answer, negotiated) = match offered {
            Ok(answered) => answered,
            Err(error) => {
                self.routes.table(|table| table.peers.remove(&peer));
                return Err(refusal(seat, error));
            }
        };
        self.drop_media(seat);
        self.transports.insert(seat, Transport { peer, negotiated, slots: BTreeMap::new() });
        self.seats.insert(peer, seat);
        // The new key takes the old one's place: as publisher, and in everybody's audience.
        let tracks: Vec<(SeatId, MediaSource)> = self
            .audiences
            .iter()
            .filter(|((publisher, _), to)| *publisher == seat || to.contains(&seat))
            .map(|(track, _)| *track)
            .collect();
        for (publisher, source) in tracks {
            self.tell_audience(publisher, source);
        }
        for (key, muted) in self.muted.clone() {
            if key.0 == seat {
                self.tell_mute(key, muted);
            }
        }
        Ok(answer)
    }

    fn same_transport(
        &mut self,
        seat: SeatId,
        sdp: &Phi<String>,
        srtp: plan::SrtpAttempt,
    ) -> Result<String, RefusalCode> {
        // The relay gave it up, or never had it: the client has to begin anew.
        let transport = self.transports.get_mut(&seat).ok_or(RefusalCode::WrongState)?;
        let previous = Some(&transport.negotiated);
        let (answer, negotiated) = self
            .media
            .offer(self.call, transport.peer, previous, sdp.expose(), srtp)
            .map_err(|error| refusal(seat, error))?;
        transport.negotiated = negotiated;
        Ok(answer)
    }

    pub(super) fn want(&self, seat: SeatId, slots: &[SlotWish]) {
        let Some(Transport { peer, .. }) = self.transports.get(&seat) else { return };
        let slots = slots
            .iter()
            .filter_map(|SlotWish { mid, max_height, priority }| {
                let (max_height, priority) = (*max_height, (*priority).min(3));
                Some(Wish { mid: Mid::new(mid)?, max_height, priority })
            })
            .collect();
        self.media.command(Command::Want { peer: *peer, slots });
    }

    pub(super) fn audience(&mut self, publisher: SeatId, source: MediaSource, to: Vec<SeatId>) {
        self.audiences.insert((publisher, source), to);
        self.tell_audience(publisher, source);
    }

    pub(super) fn mute(&mut self, seat: SeatId, source: MediaSource, muted: Muted) {
        self.muted.insert((seat, source), muted);
        self.tell_mute((seat, source), muted);
    }

    pub(super) fn drop_media(&mut self, seat: SeatId) {
        if let Some(Transport { peer, .. }) = self.transports.remove(&seat) {
            self.seats.remove(&peer);
            self.media.command(Command::Leave { peer });
        }
    }

    fn tell_audience(&self, publisher: SeatId, source: MediaSource) {
        let Some(Transport { peer, .. }) = self.transports.get(&publisher) else {
            return;
        };
        let to = self.audiences.get(&(publisher, source)).map(Vec::as_slice).unwrap_or_default();
        let peers = to
            .iter()
            .filter_map(|seat| self.transports.get(seat).map(|transport| transport.peer))
            .collect();
        let track = TrackKey { peer: *peer, source: source_of(source) };
        self.media.command(Command::Audience { track, peers });
    }

    fn tell_mute(&self, (seat, source): (SeatId, MediaSource), muted: Muted) {
        let Some(Transport { peer, .. }) = self.transports.get(&seat) else { return };
        let muted = match muted {
            Muted::Yes => command::Muted::Yes,
            Muted::No => command::Muted::No,
        };
        let track = TrackKey { peer: *peer, source: source_of(source) };
        self.media.command(Command::Mute { track, muted });
    }

    fn change_slot(
        &mut self,
        peer: PeerKey,
        mid: Mid,
        change: impl FnOnce(&mut SlotMap),
    ) -> Option<MediaEvent> {
        let seat = *self.seats.get(&peer)?;
        let slot = self.transports.get_mut(&seat)?.slot(mid, change);
        Some(MediaEvent::Slots { seat, slots: vec![slot] })
    }

    /// What an event of the relay means for the call.
    pub(super) fn translate(&mut self, event: Event) -> Option<MediaEvent> {
        match event {
            Event::Slot { peer, mid, track, from_rtp_timestamp } => {
                let publisher = track.and_then(|track| self.seats.get(&track.peer).copied());
                self.change_slot(peer, mid, |slot| {
                    slot.seat = publisher;
                    slot.source =
                        track.map_or(MediaSource::Cam, |track| media_source(track.source));
                    slot.from_rtp_timestamp = from_rtp_timestamp;
                })
            }
            Event::LayerDemand { track: TrackKey { peer, source }, rids } => {
                let seat = *self.seats.get(&peer)?;
                let rids = rids.into_iter().map(wire_rid).collect();
                Some(MediaEvent::Layers { seat, source: media_source(source), rids })
            }
            Event::Speaker { call: _, peer } => {
                let seat = peer.and_then(|peer| self.seats.get(&peer).copied());
                Some(MediaEvent::Speaker { seat })
            }
            Event::Closed { peer, reason } => {
                let seat = self.seats.remove(&peer)?;
                self.transports.remove(&seat);
                Some(MediaEvent::Failed { seat, why: failure(reason) })
            }
            Event::Connected { peer, profile } => {
                let seat = *self.seats.get(&peer)?;
                tracing::info!(seat.id = %seat, srtp.profile = ?profile, "media is connected");
                Some(MediaEvent::Connected { seat })
            }
            Event::Liveness { peer, state } => {
                let seat = *self.seats.get(&peer)?;
                Some(MediaEvent::Quiet { seat, quiet: state == Liveness::Quiet })
            }
            Event::Losses { peer, from, to } => {
                let seat = *self.seats.get(&peer)?;
                let loss = message::Loss { from: percent(from), to: percent(to) };
                Some(MediaEvent::Lossy { seat, loss })
            }
            Event::VideoPaused { peer, mid, reason } => {
                self.change_slot(peer, mid, |slot| slot.held = Some(held(reason)))
            }
            Event::VideoResumed { peer, mid } => {
                self.change_slot(peer, mid, |slot| slot.held = None)
            }
            // Presence says what people did; that a track rests is each client's to see.
            Event::TrackUp { track: _ }
            | Event::TrackDown { track: _ }
            | Event::Left { peer: _ } => None,
        }
    }
}

fn refusal(seat: SeatId, error: OfferError) -> RefusalCode {
    tracing::info!(seat.id = %seat, %error, "an offer was refused");
    if error == OfferError::Unavailable { RefusalCode::Busy } else { RefusalCode::BadOffer }
}

const fn held(reason: PauseReason) -> Held {
    match reason {
        PauseReason::Bandwidth => Held::Line,
        PauseReason::Format => Held::Format,
    }
}

const fn percent(loss: Loss) -> u8 {
    match loss {
        Loss::Little => 0,
        Loss::Five => 5,
        Loss::Ten => 10,
        Loss::Twenty => 20,
        Loss::Thirty => 30,
    }
}

const fn source_of(source: MediaSource) -> Source {
    match source {
        MediaSource::Mic => Source::Mic,
        MediaSource::Cam => Source::Cam,
        MediaSource::Screen => Source::Screen,
        MediaSource::ScreenAudio => Source::ScreenAudio,
    }
}

const fn media_source(source: Source) -> MediaSource {
    match source {
        Source::Mic => MediaSource::Mic,
        Source::Cam => MediaSource::Cam,
        Source::Screen => MediaSource::Screen,
        Source::ScreenAudio => MediaSource::ScreenAudio,
    }
}

const fn wire_rid(rid: plan::Rid) -> Rid {
    match rid {
        plan::Rid::Quarter => Rid::Q,
        plan::Rid::Half => Rid::H,
        plan::Rid::Full => Rid::F,
    }
}

const fn failure(reason: CloseReason) -> MediaFailure {
    match reason {
        CloseReason::DtlsFingerprint => MediaFailure::DtlsFingerprint,
        CloseReason::DtlsSrtpProfile => MediaFailure::DtlsSrtpProfile,
        // Either way there is no transport, and the client builds a new one.
        CloseReason::DtlsFailed | CloseReason::DtlsTimeout => MediaFailure::DtlsTimeout,
        CloseReason::ConsentExpired => MediaFailure::ConsentExpired,
        CloseReason::Limit => MediaFailure::Limit,
    }
}
