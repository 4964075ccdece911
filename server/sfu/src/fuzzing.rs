//! What reads a stranger's bytes, each part alone, as a function that panics where a promise is broken, and is `None` where
//! the bytes are refused: for the fuzzer and for the tests that replay what it found. Behind the feature `fuzzing`, which the
//! product is built without.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::bytes::Writer;
use crate::codec::vp8::{Continuity, Descriptor};
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
        let _offsets = continuity.forward(&other);
    }
    continuity.switch(&descriptor);
    let offsets = continuity.forward(&descriptor);
    let mut rewritten = payload.to_vec();
    offsets.apply(&descriptor, &mut rewritten);
    let Some(again) = Descriptor::parse(&rewritten) else {
        unreachable!("a rewritten descriptor does not parse")
    };
    assert_eq!(again.keyframe, descriptor.keyframe);
    assert_eq!(again.picture_height(&rewritten), descriptor.picture_height(payload));
    let changed = payload.iter().zip(&rewritten).filter(|(before, after)| before != after).count();
    assert!(changed <= 3, "only picture id and TL0PICIDX may change");
    Some(())
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
