//! What reads a stranger's bytes, each part alone, as a function that panics where a promise is broken, and is `None` where
//! the bytes are refused: for the fuzzer and for the tests that replay what it found. Behind the feature `fuzzing`, which the
//! product is built without.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::bytes::Writer;
use crate::codec::dependency::{self, MAX_BYTES, Structure};
use crate::codec::h264;
use crate::codec::ids::{Continuity, Ids};
use crate::codec::vp8::Descriptor;
use crate::codec::vp9;
use crate::demux::{Class, Refusal, classify};
use crate::feedback::Arrivals;
use crate::limits::{MAX_ACKNOWLEDGED, MAX_DATAGRAM_BYTES};
use crate::plan::Ssrc;
use crate::rtcp::{self, Packet, Reception, SenderReport};
use crate::rtp::{FIXED_HEADER_BYTES, Header};
use crate::srtp::Crypto;
use crate::stun::{Key, MAX_RESPONSE_BYTES, Request};
use crate::time::NtpTime;

/// The first look at a datagram: what it is called must agree with its first byte and length.
pub fn demux(bytes: &[u8]) -> Option<()> {
    let first = bytes.first().copied();
    match classify(bytes) {
        Ok(Class::Stun) => assert!(first.is_some_and(|byte| byte < 4)),
        Ok(Class::Dtls) => assert!(first.is_some_and(|byte| (20..64).contains(&byte))),
        Ok(Class::Rtp | Class::Rtcp) => assert!(first.is_some_and(|byte| byte >> 6 == 2)),
        Err(Refusal::Length) => {
            assert!(bytes.is_empty() || bytes.len() > MAX_DATAGRAM_BYTES);
            return None;
        }
        Err(Refusal::FirstByte) => return None,
    }
    Some(())
}

/// A STUN request and its answer, which is never longer.
pub fn stun(bytes: &[u8]) -> Option<()> {
    let request = Request::parse(bytes).ok()?;
    assert!(request.local_ufrag().len() <= bytes.len());
    let crypto = Crypto::new()?;
    let mut key = Key::new(PASSWORD, &crypto)?;
    let _authentic = request.is_authentic(&mut key);
    for from in [SocketAddr::from(([192, 0, 2, 1], 9)), SocketAddr::from(([0x2001; 8], 9))] {
        let mut response = [0; MAX_RESPONSE_BYTES];
        if let Some(len) = request.answer(from, &mut key, &mut response) {
            assert!(len <= bytes.len(), "an answer is longer than the question");
        }
    }
    Some(())
}

/// With which [`stun`] checks.
pub const PASSWORD: &str = "password-of-at-least-22-characters";

/// An RTP header, its extensions and its payload.
pub fn rtp(bytes: &[u8]) -> Option<()> {
    let header = Header::parse(bytes)?;
    assert!((FIXED_HEADER_BYTES..=bytes.len()).contains(&header.len));
    let extensions = header.extensions(bytes);
    for id in 0..=u8::MAX {
        let value = extensions.find(Some(id));
        assert!(value.is_none_or(|value| value.len() <= header.len - FIXED_HEADER_BYTES));
    }
    let payload = header.payload(bytes);
    assert!(payload.is_none_or(|payload| payload.len() <= bytes.len() - header.len));
    Some(())
}

/// An RTCP compound with everything that may be in it, transport-wide feedback too. What it makes us do is bounded by its
/// length.
pub fn rtcp(bytes: &[u8]) -> Option<()> {
    let _sender = rtcp::sender(bytes);
    let mut packets = 0;
    for packet in rtcp::packets(bytes) {
        packets += 1;
        match packet {
            Packet::SenderReport { reports, .. } | Packet::ReceiverReport { reports } => {
                assert!(rtcp::report_blocks(reports).count() <= 31);
            }
            Packet::Goodbye { sources } => assert!(rtcp::ssrcs(sources, 4).count() <= 31),
            Packet::Nack { pairs, .. } => {
                assert!(rtcp::nacked(pairs).count() <= 17 * (bytes.len() / 4));
            }
            Packet::FullIntra { entries } => {
                assert!(rtcp::ssrcs(entries, 8).count() <= bytes.len() / 8);
            }
            Packet::Acknowledgement(acknowledgement) => {
                let fates = acknowledgement.fates().count();
                assert!(fates <= usize::from(MAX_ACKNOWLEDGED));
            }
            Packet::PictureLoss { .. } | Packet::Other => {}
        }
    }
    assert!(packets <= bytes.len() / 4);
    (packets > 0).then_some(())
}

/// A VP8 payload: rewritten for a subscriber it still reads the same, and nothing behind its descriptor has changed.
pub fn vp8(bytes: &[u8]) -> Option<()> {
    // The last two bytes are what another source would have left.
    let (payload, other) = match bytes.split_last_chunk::<2>() {
        Some((payload, other)) => (payload, *other),
        None => (bytes, [0; 2]),
    };
    let descriptor = Descriptor::parse(payload)?;
    let _height = descriptor.picture_height(payload);
    let mut continuity = Continuity::default();
    let [picture, tl0] = other;
    if let Some(other) = Descriptor::parse(&[0x90, 0xe0, picture & 0x7f, tl0, 0x20, 0x10]) {
        let _offsets = continuity.forward(&other.ids);
    }
    let rewritten = rewritten(&mut continuity, &descriptor.ids, payload);
    let Some(again) = Descriptor::parse(&rewritten) else {
        unreachable!("a rewritten descriptor does not parse")
    };
    assert_eq!(again.keyframe, descriptor.keyframe);
    assert_eq!(again.picture_height(&rewritten), descriptor.picture_height(payload));
    let changed = payload.iter().zip(&rewritten).filter(|(before, after)| before != after).count();
    assert!(changed <= 3, "only picture id and TL0PICIDX may change");
    Some(())
}

/// The payload as it leaves for a subscriber who was shown something else before.
fn rewritten(continuity: &mut Continuity, ids: &Ids, payload: &[u8]) -> Vec<u8> {
    continuity.switch(ids);
    let offsets = continuity.forward(ids);
    let mut rewritten = payload.to_vec();
    offsets.apply(ids, &mut rewritten);
    rewritten
}

/// A VP9 payload: the same, and of a payload cut at the bytes that are looked at the same is read.
pub fn vp9(payload: &[u8]) -> Option<()> {
    let descriptor = vp9::Descriptor::parse(payload)?;
    let head = payload.get(..payload.len().min(20)).unwrap_or_default();
    assert_eq!(vp9::Descriptor::parse(head), Some(descriptor), "more than 20 bytes were read");
    assert_eq!(descriptor.heights(head), descriptor.heights(payload));
    let mut continuity = Continuity::default();
    if let Some(other) = vp9::Descriptor::parse(&[0xaa, 0x81, 7, 0x10, 9, 0]) {
        let _offsets = continuity.forward(&other.ids);
    }
    let rewritten = rewritten(&mut continuity, &descriptor.ids, payload);
    let Some(again) = vp9::Descriptor::parse(&rewritten) else {
        unreachable!("a rewritten descriptor does not parse")
    };
    assert_eq!(again.layer, descriptor.layer);
    assert_eq!(again.keyframe(), descriptor.keyframe());
    assert_eq!(again.heights(&rewritten), descriptor.heights(payload));
    let changed = payload.iter().zip(&rewritten).filter(|(before, after)| before != after).count();
    assert!(changed <= 3, "only picture id and TL0PICIDX may change");
    Some(())
}

/// An H.264 payload.
pub fn h264(payload: &[u8]) -> Option<()> {
    let units = h264::Units::parse(payload)?;
    let height = h264::picture_height(payload);
    assert!(height.is_none() || units.parameters, "only parameter sets tell a height");
    Some(())
}

/// Dependency descriptors in a row, each behind its length. Those that read are written for a subscriber and read again: they
/// say the same, but for their number and, if that is asked for, the decode targets that are left.
pub fn dependency(bytes: &[u8]) -> Option<()> {
    let mut rest = bytes;
    let mut known: Option<Box<Structure>> = None;
    let mut read = 0;
    while let Some((&len, after)) = rest.split_first() {
        let (one, next) = after.split_at(after.len().min(usize::from(len)));
        rest = next;
        let before = known.clone();
        let Some(descriptor) = dependency::Descriptor::parse(one, &mut known) else {
            assert_eq!(known, before, "what is refused has changed something");
            continue;
        };
        read += 1;
        let Some(structure) = known.as_deref() else { unreachable!("nothing tells the layers") };
        assert!(structure.all() > 0);
        for (offset, rung) in [(0, None), (7, Some(0)), (65_535, Some(4)), (1, Some(8))] {
            let active = rung.map(|rung| structure.active(rung));
            assert!(active.is_none_or(|active| active & structure.all() > 0), "nothing is left");
            let mut buffer = [0; MAX_BYTES];
            let targets = structure.targets();
            let written = dependency::rewrite(one, targets, offset, active, &mut buffer);
            let Some(len) = written else {
                assert!(one.len() + 5 > MAX_BYTES, "it does not fit");
                continue;
            };
            let mut again_known = before.clone();
            let written = buffer.get(..len).unwrap_or_default();
            let Some(again) = dependency::Descriptor::parse(written, &mut again_known) else {
                unreachable!("a rewritten descriptor does not parse")
            };
            assert_eq!(again_known, known);
            let number = descriptor.number.wrapping_add(offset);
            let sent = descriptor.active.unwrap_or_else(|| structure.all());
            let left = active.map_or(descriptor.active, |active| Some(active & sent));
            assert_eq!(again, dependency::Descriptor { number, active: left, ..descriptor });
        }
    }
    (read > 0).then_some(())
}

/// RTCP as we write it: reports with the requests behind them, and feedback with losses and every size of delta.
pub fn rtcp_as_we_write_it() -> Vec<Vec<u8>> {
    let (ours, theirs) = (Ssrc(1), Ssrc(9));
    let mut buffer = [0; 1_200];
    let mut writer = Writer::new(&mut buffer);
    let block = Reception {
        ssrc: theirs,
        fraction_lost: 26,
        cumulative_lost: 300,
        highest: 70_000,
        jitter: 11,
        last_sender_report: 5,
        delay: 6,
    };
    let mut written = Vec::new();
    let whole = SenderReport { ssrc: ours, ntp: NtpTime(7 << 32), rtp: 3, packets: 2, octets: 9 }
        .write(&mut writer)
        .and_then(|()| rtcp::write_receiver_report(&mut writer, ours, &[block, block]))
        .and_then(|()| rtcp::write_nack(&mut writer, ours, theirs, &[5, 6, 22, 23, 65_535]))
        .and_then(|()| rtcp::write_picture_loss(&mut writer, ours, theirs))
        .map(|()| writer.len());
    written.extend(whole.and_then(|len| buffer.get(..len)).map(<[u8]>::to_vec));
    let start = anchor();
    let mut arrivals = Arrivals::new(start);
    for step in (0..200_u16).filter(|step| step % 7 != 3 && !(60..110).contains(step)) {
        let pause = if step > 150 { 80 } else { 1 };
        arrivals.note(
            65_500_u16.wrapping_add(step),
            start + Duration::from_millis(u64::from(step) * pause),
        );
    }
    while let Some(len) = arrivals.write(ours, theirs, &mut buffer) {
        written.extend(buffer.get(..len).map(<[u8]>::to_vec));
    }
    written
}

#[expect(clippy::disallowed_methods, reason = "an instant can only come from the clock")]
fn anchor() -> Instant {
    Instant::now()
}
