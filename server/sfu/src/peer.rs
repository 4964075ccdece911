//! One transport: its keys, its streams in, its slots out.

use std::time::{Duration, Instant};

use crate::allocation::Allocator;
use crate::bandwidth::Bandwidth;
use crate::dtls::Dtls;
use crate::event::{Liveness, Loss};
use crate::feedback::Arrivals;
use crate::ice::Ice;
use crate::limits::{
    DEFAULT_RTT, MAX_RTT, MEDIA_RESTS_AFTER, MIN_RTT, QUIET_AFTER, QUIET_AFTER_CHECKS_ONLY,
};
use crate::plan::{CallKey, PeerKey, PublishLine, Rid, Ssrc};
use crate::quality::{LossMeter, Tally};
use crate::rate::PerSecond;
use crate::reception::Statistics;
use crate::redundancy::Redundancy;
use crate::rtp::Header;
use crate::seating::Seating;
use crate::sent::Budget;
use crate::slot::Slot;
use crate::srtp::{ReplayWindow, Session};
use crate::track::payload_types;

pub(crate) struct Peer {
    pub(crate) key: PeerKey,
    pub(crate) call: CallKey,
    pub(crate) ice: Ice,
    pub(crate) dtls: Dtls,
    pub(crate) session: Option<Box<Session>>,
    pub(crate) lines: Vec<Line>,
    /// By SSRC.
    pub(crate) streams: Vec<Stream>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) seating: Seating,
    pub(crate) rtcp_senders: Vec<Ssrc>,
    pub(crate) trials: PerSecond,
    pub(crate) packet_rate: PerSecond,
    pub(crate) byte_rate: PerSecond,
    pub(crate) rtcp_rate: PerSecond,
    pub(crate) bytes_since_feedback: u32,
    pub(crate) arrivals: Arrivals,
    /// Of the line to it.
    pub(crate) bandwidth: Bandwidth,
    pub(crate) allocator: Allocator,
    /// When pictures may go on that a full line made wait.
    pub(crate) paced_until: Option<Instant>,
    pub(crate) budget: Budget,
    pub(crate) rtt: Duration,
    /// Its wall clock against ours, in NTP units; one for all its tracks, so that lips stay with voices.
    pub(crate) clock_offset: Option<i64>,
    /// Of our reports to it.
    pub(crate) report_ssrc: Ssrc,
    pub(crate) queue: Queue,
    pub(crate) next_feedback: Instant,
    pub(crate) next_report: Instant,
    /// Packets that its receiver reports told of, for a browser without transport-wide feedback.
    pub(crate) reported: Tally,
    /// Of what it sends, and of what it is sent.
    pub(crate) loss_from: LossMeter,
    pub(crate) loss_to: LossMeter,
    /// Of the sound it is sent.
    pub(crate) redundancy: Redundancy,
    /// As last told.
    pub(crate) losses: (Loss, Loss),
    /// The deadline that the timers know.
    pub(crate) armed: Option<Instant>,
    heard: Heard,
    liveness: Liveness,
}

/// Whether a peer stands in the queue of those with something to be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    Outside,
    Waiting,
}

/// An m-line on which it publishes, with the index of the track.
pub(crate) struct Line {
    pub(crate) plan: PublishLine,
    pub(crate) track: usize,
}

/// One SSRC that it sends.
pub(crate) struct Stream {
    pub(crate) ssrc: Ssrc,
    pub(crate) role: Role,
    /// Place of its line.
    pub(crate) line: usize,
    pub(crate) layer: usize,
    pub(crate) window: ReplayWindow,
    pub(crate) statistics: Statistics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Media,
    Retransmission,
}

/// What an SSRC not seen before declares itself to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) line: usize,
    pub(crate) role: Role,
    pub(crate) layer: DeclaredLayer,
}

/// Which layer it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeclaredLayer {
    /// By `a=ssrc`, in order.
    Place(usize),
    /// By the extension `rtp-stream-id` or its repaired form, where the line has layers by name.
    Rid(Option<Rid>),
}

#[derive(Clone, Copy, Debug)]
enum Heard {
    Never,
    /// A check or a report, and no media for a while.
    Sign(Instant),
    Media(Instant),
}

/// What a peer starts with.
pub(crate) struct Start {
    pub(crate) key: PeerKey,
    pub(crate) call: CallKey,
    pub(crate) ice: Ice,
    pub(crate) dtls: Dtls,
    pub(crate) report_ssrc: Ssrc,
    pub(crate) now: Instant,
}

impl Peer {
    pub(crate) fn new(start: Start) -> Self {
        let Start { key, call, ice, dtls, report_ssrc, now } = start;
        Self {
            key,
            call,
            ice,
            dtls,
            session: None,
            lines: Vec::new(),
            streams: Vec::new(),
            slots: Vec::new(),
            seating: Seating::default(),
            rtcp_senders: Vec::new(),
            trials: PerSecond::new(now),
            packet_rate: PerSecond::new(now),
            byte_rate: PerSecond::new(now),
            rtcp_rate: PerSecond::new(now),
            bytes_since_feedback: 0,
            arrivals: Arrivals::new(now),
            bandwidth: Bandwidth::new(now),
            allocator: Allocator::default(),
            paced_until: None,
            budget: Budget::new(now),
            rtt: DEFAULT_RTT,
            clock_offset: None,
            report_ssrc,
            queue: Queue::Outside,
            next_feedback: now,
            next_report: now,
            reported: Tally::default(),
            loss_from: LossMeter::default(),
            loss_to: LossMeter::default(),
            redundancy: Redundancy::default(),
            losses: (Loss::default(), Loss::default()),
            armed: None,
            heard: Heard::Never,
            liveness: Liveness::Heard,
        }
    }

    /// A packet of its media came. The new liveness if it changed.
    pub(crate) fn heard_media(&mut self, now: Instant) -> Option<Liveness> {
        self.heard = Heard::Media(now);
        self.set_liveness(Liveness::Heard)
    }

    /// A valid check or report came. Their rhythm is slower than the media's, so once they come without media, only
    /// they are waited for.
    pub(crate) fn heard_sign(&mut self, now: Instant) -> Option<Liveness> {
        self.heard = match self.heard {
            Heard::Media(at) if now.saturating_duration_since(at) < MEDIA_RESTS_AFTER => {
                Heard::Media(at)
            }
            Heard::Media(_) | Heard::Never | Heard::Sign(_) => Heard::Sign(now),
        };
        self.set_liveness(Liveness::Heard)
    }

    /// Whether it has become quiet.
    pub(crate) fn grow_quiet(&mut self, now: Instant) -> Option<Liveness> {
        let (at, limit) = match self.heard {
            Heard::Never => return None,
            Heard::Sign(at) => (at, QUIET_AFTER_CHECKS_ONLY),
            Heard::Media(at) => (at, QUIET_AFTER),
        };
        if now.saturating_duration_since(at) < limit {
            return None;
        }
        self.set_liveness(Liveness::Quiet)
    }

    /// When it will be quiet, if nothing comes.
    pub(crate) fn quiet_at(&self) -> Option<Instant> {
        match (self.liveness, self.heard) {
            (Liveness::Quiet, _) | (_, Heard::Never) => None,
            (Liveness::Heard, Heard::Sign(at)) => Some(at + QUIET_AFTER_CHECKS_ONLY),
            (Liveness::Heard, Heard::Media(at)) => Some(at + QUIET_AFTER),
        }
    }

    fn set_liveness(&mut self, liveness: Liveness) -> Option<Liveness> {
        let changed = self.liveness != liveness;
        self.liveness = liveness;
        changed.then_some(liveness)
    }

    /// When something waits to be sent to it that the line made wait, or a probe.
    pub(crate) fn line_due(&self) -> Option<Instant> {
        self.paced_until.into_iter().chain(self.bandwidth.probe_due()).min()
    }

    /// What an unknown SSRC is, by `a=ssrc` or by the mid in its packet.
    pub(crate) fn declared(&self, header: &Header, packet: &[u8]) -> Option<Declared> {
        for (line, Line { plan, .. }) in self.lines.iter().enumerate() {
            if let Some((media, _)) = plan.rtx_of.iter().find(|(_, rtx)| *rtx == header.ssrc) {
                let at = plan.ssrcs.iter().position(|ssrc| ssrc == media).unwrap_or(0);
                let layer = DeclaredLayer::Place(at);
                return Some(Declared { line, role: Role::Retransmission, layer });
            }
            if let Some(at) = plan.ssrcs.iter().position(|ssrc| *ssrc == header.ssrc) {
                let layer = DeclaredLayer::Place(at);
                return Some(Declared { line, role: Role::Media, layer });
            }
        }
        let extensions = header.extensions(packet);
        let line = self.lines.iter().position(|line| {
            extensions
                .find(line.plan.extensions.mid)
                .is_some_and(|mid| mid == line.plan.mid.as_bytes())
        })?;
        let plan = &self.lines.get(line)?.plan;
        let (_, rtx) = payload_types(plan.codec);
        let (role, rid) = if rtx == Some(header.payload_type) {
            (Role::Retransmission, plan.extensions.repaired_rid)
        } else {
            (Role::Media, plan.extensions.rid)
        };
        let rid = extensions.find(rid).and_then(|rid| std::str::from_utf8(rid).ok());
        // A layer that was not negotiated is nobody's, and so is a packet that does not say which it is of.
        let rid = match plan.rids.as_slice() {
            [] => None,
            rids => Some(rid.and_then(Rid::new).filter(|rid| rids.contains(rid))?),
        };
        Some(Declared { line, role, layer: DeclaredLayer::Rid(rid) })
    }

    /// Whether RTCP from this SSRC is known to be its own.
    pub(crate) fn is_known_sender(&self, ssrc: Ssrc) -> bool {
        /// libwebrtc's number for a connection that sends no media.
        const RECEIVE_ONLY: Ssrc = Ssrc(1);
        ssrc == RECEIVE_ONLY
            || self.streams.binary_search_by_key(&ssrc, |stream| stream.ssrc).is_ok()
            || self.rtcp_senders.contains(&ssrc)
            || self.lines.iter().any(|line| {
                line.plan.ssrcs.contains(&ssrc)
                    || line.plan.rtx_of.iter().any(|(_, rtx)| *rtx == ssrc)
            })
    }

    /// Takes a measured round trip.
    pub(crate) fn measured_rtt(&mut self, measured: Duration) {
        let measured = measured.clamp(MIN_RTT, MAX_RTT);
        // RFC 6298 §2: the smoothing of TCP.
        self.rtt = (self.rtt * 7 + measured) / 8;
    }
}
