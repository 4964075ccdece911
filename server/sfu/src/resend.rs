//! What a slot sends besides the packets of its source: those again that were lost, padding in the place of one that is left
//! out, and probes.

use std::time::Duration;

use crate::bytes::low16;
use crate::cache::{Arrival, Meta, Pool};
use crate::codec::ids::Offsets;
use crate::outgoing::{Dependency, Packet, Payload};
use crate::plan::Receives;
use crate::rtp::Marker;
use crate::scalable::rung;
use crate::sent::Form;
use crate::slot::{Outcome, Slot, Wire};
use crate::track::{Layer, payload_types};

impl Slot {
    pub(crate) fn retransmit(
        &mut self,
        layers: &[Layer],
        pool: &Pool,
        wire: &mut Wire<'_>,
    ) -> Outcome {
        while let Some(sequence) = self.pending.last().copied() {
            if wire.egress.is_full() {
                return Outcome::Full;
            }
            if let Some(wait) = self.pace(wire) {
                return Outcome::Paced(wait);
            }
            self.pending.pop();
            if self.retransmit_one(sequence, layers, pool, wire).is_none() {
                wire.counters.refused_retransmissions += 1;
            }
        }
        Outcome::Done
    }

    fn retransmit_one(
        &mut self,
        sequence: u16,
        layers: &[Layer],
        pool: &Pool,
        wire: &mut Wire<'_>,
    ) -> Option<()> {
        let (_, rtx_pt) = payload_types(self.codec?);
        let (pt, ssrc) = (rtx_pt?, self.line.rtx?);
        let sent = self.sent.take_turn(sequence, wire.rtt, wire.now)?;
        let layer = layers.get(sent.form.layer())?;
        let (meta, payload) = layer.cache.get(pool, sent.arrival)?;
        if !wire.budget.allows(payload.len(), wire.now) {
            return None;
        }
        let dependency = self.describe(&meta, layer, pool, sent.arrival, sent.ids, sent.form);
        let packet = Packet {
            pt,
            ssrc,
            sequence: self.rtx_sequence,
            timestamp: sent.timestamp,
            marker: sent.form.marker(),
            original: Some(low16(sent.sequence)),
            dependency,
            payload: match meta.picture {
                Some(picture) => Payload::Picture(payload, picture.ids, sent.ids),
                None => Payload::Sound(payload),
            },
        };
        self.rtx_sequence += 1;
        let len = packet.write(self.line.extensions.transport_cc, wire)?;
        wire.budget.resent(len, wire.now);
        wire.counters.forwarded_packets += 1;
        wire.counters.retransmitted_packets += 1;
        wire.counters.forwarded_bytes += len;
        Some(())
    }

    /// How long the next packet must wait for the line. Sound never does.
    pub(crate) fn pace(&self, wire: &mut Wire<'_>) -> Option<Duration> {
        match self.line.receives {
            Receives::Sound { .. } => None,
            Receives::Pictures(_) => wire.bandwidth.wait(wire.now),
        }
    }

    /// Whether probes can be sent beside its packets: only feedback tells what became of them.
    pub(crate) fn can_probe(&self) -> bool {
        let rtx_pt = self.codec.and_then(|codec| payload_types(codec).1);
        rtx_pt.is_some() && self.line.rtx.is_some() && self.line.extensions.transport_cc.is_some()
    }

    /// Sends a retransmission of nothing: `padding` bytes that every receiver throws away (RFC 3550 §5.1).
    pub(crate) fn pad(&mut self, padding: u8, wire: &mut Wire<'_>) -> Option<()> {
        let (_, rtx_pt) = payload_types(self.codec?);
        let packet = Packet {
            pt: rtx_pt?,
            ssrc: self.line.rtx?,
            sequence: self.rtx_sequence,
            timestamp: self.rewriter.timestamp_offset(),
            marker: Marker::Clear,
            original: None,
            dependency: None,
            payload: Payload::Padding(padding),
        };
        self.rtx_sequence += 1;
        packet.write(self.line.extensions.transport_cc, wire)?;
        wire.counters.probe_packets += 1;
        Some(())
    }

    /// Sends padding under the number of a packet that is left out: newer ones have gone before it, so its number is missed.
    pub(crate) fn fill(&mut self, meta: &Meta, wire: &mut Wire<'_>) {
        let numbers = self.rewriter.rewrite(meta.sequence, meta.timestamp, wire.now);
        let (Some(numbers), Some(codec)) = (numbers, self.codec) else { return };
        if !self.used.is_fresh(numbers.sequence) {
            return;
        }
        self.used.commit(numbers.sequence);
        let (pt, _) = payload_types(codec);
        let packet = Packet {
            pt,
            ssrc: self.line.ssrc,
            sequence: numbers.sequence,
            timestamp: numbers.timestamp,
            marker: Marker::Clear,
            original: None,
            dependency: None,
            payload: Payload::Padding(1),
        };
        if packet.write(self.line.extensions.transport_cc, wire).is_some() {
            self.packets = self.packets.wrapping_add(1);
            wire.counters.filled_packets += 1;
        }
    }

    /// The rung that a packet has to name as the one to which its stream is cut down: the first frame of it does, and every one
    /// that brings the templates, which otherwise promise all.
    pub(crate) fn cut(&self, meta: &Meta) -> Option<usize> {
        let part = meta.picture?.part?;
        let names = part.has_structure && self.selector.shown() != rung::LAST;
        (names || self.selector.turns_at(&part)).then_some(self.selector.shown())
    }

    /// The dependency descriptor of a packet, if it has one and its subscriber takes such.
    pub(crate) fn describe<'a>(
        &self,
        meta: &Meta,
        layer: &Layer,
        pool: &'a Pool,
        arrival: Arrival,
        offsets: Offsets,
        form: Form,
    ) -> Option<Dependency<'a>> {
        meta.picture?.ids.frame?;
        let id = self.line.extensions.dependency?;
        let bytes = layer.cache.descriptor(pool, arrival).filter(|bytes| !bytes.is_empty())?;
        let structure = layer.scalable.as_ref()?.structure()?;
        let active = form.cut().map(|rung| structure.active(rung));
        Some(Dependency { id, bytes, offset: offsets.frame, targets: structure.targets(), active })
    }

    pub(crate) fn shows_pictures(&self) -> bool {
        match self.line.receives {
            Receives::Sound { .. } => false,
            Receives::Pictures(_) => true,
        }
    }
}
