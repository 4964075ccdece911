//! Inputs that are well formed, written by our own encoders: where a fuzzer begins.

use std::path::Path;
use std::time::{Duration, Instant};

use sfu::fuzzing::rtcp_as_we_write_it;
use sfu::plan::{CallKey, Format, IceCredentials, Source, Ssrc};
use simulation::browser::{Browser, Seat};
use simulation::layered::encoder::{DEPENDENCY, Encoder, Prediction, extension};
use simulation::packet::{
    Header, OPUS, RTX, ReportBlock, TAG_BYTES, Tag, VP8, Vp8, feedback, nack, opus_payload,
    picture_loss, receiver_report, sender_report, vp8_payload,
};
use simulation::profile::Preset;
use simulation::random::Dice;
use simulation::twcc::Recorder;

use crate::relay::{Stage, Step};

/// Of each protocol on the port.
pub fn datagrams() -> Vec<Vec<u8>> {
    [checks(), handshakes().iter().map(|it| it[2..].to_vec()).collect(), media(), reports()]
        .concat()
}

/// Connectivity checks as libwebrtc writes them, one with the password that the target checks with.
pub fn checks() -> Vec<Vec<u8>> {
    let now = Instant::now();
    let passwords = [sfu::fuzzing::PASSWORD, "another-password-of-22-or-more"];
    let check = |(number, pwd): (u32, &str)| {
        let seat = Seat {
            call: CallKey(1),
            sources: vec![],
            slots: (0, 0),
            access: Preset::Clean.access(),
        };
        let mut browser = Browser::new(number, seat, 1, now);
        browser.ice = IceCredentials { ufrag: format!("ufrag{number:05}"), pwd: pwd.to_owned() };
        browser.check(now);
        browser.up.poll(now + Duration::from_secs(1)).map(|delivery| delivery.bytes)
    };
    (0..).zip(passwords).filter_map(check).collect()
}

/// A ClientHello as libwebrtc's is (RFC 6347 §4.2.1, RFC 5764 §4.1), whole and in two fragments, an alert, and a change of
/// ciphers before its time. Each datagram stands behind its length.
pub fn handshakes() -> Vec<Vec<u8>> {
    let mut hello = vec![0xfe, 0xfd];
    hello.extend([7; 32]);
    // No session, no cookie, one cipher suite (ECDHE-ECDSA with AES-128-GCM), no compression.
    hello.extend([0, 0, 0, 2, 0xc0, 0x2b, 1, 0]);
    let extensions: [&[u8]; 5] = [
        // use_srtp: AES-128-GCM and AES-CM with SHA1-80.
        &[0, 14, 0, 7, 0, 4, 0, 7, 0, 1, 0],
        // Extended master secret; P-256; uncompressed points; ECDSA with SHA-256.
        &[0, 23, 0, 0],
        &[0, 10, 0, 4, 0, 2, 0, 23],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 4, 0, 2, 4, 3],
    ];
    let extensions = extensions.concat();
    hello.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    hello.extend(extensions);
    let handshake = |part: &[u8], offset: usize, record: u8| {
        let size = |bytes: usize| [0, (bytes >> 8) as u8, bytes as u8];
        let mut body = vec![1];
        body.extend(size(hello.len()));
        body.extend([0, 0]);
        body.extend(size(offset));
        body.extend(size(part.len()));
        body.extend(part);
        let mut bytes = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, record];
        bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        bytes.extend(body);
        bytes
    };
    let (first, second) = hello.split_at(40);
    let whole = handshake(&hello, 0, 0);
    let alert = vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40];
    let ciphers = vec![20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1];
    let flights = [
        vec![whole.clone()],
        vec![handshake(first, 0, 0), handshake(second, first.len(), 1)],
        vec![whole.clone(), whole.clone(), ciphers],
        vec![whole, alert],
    ];
    let framed = |datagram: &Vec<u8>| {
        let len = u16::try_from(datagram.len()).unwrap();
        [&len.to_be_bytes()[..], datagram].concat()
    };
    flights.iter().map(|flight| flight.iter().flat_map(framed).collect()).collect()
}

/// RTP of each kind in plaintext, with both forms of header extensions, CSRCs and padding.
pub fn media() -> Vec<Vec<u8>> {
    let header = |pt, level| Header {
        pt,
        marker: true,
        sequence: 65_535,
        timestamp: 90_000,
        ssrc: Ssrc(0x2000_0100),
        mid: "0",
        transport_sequence: 7,
        level,
    };
    let tag = Tag { publisher: 0, source: Source::Cam, counter: 5, frame: 1, is_key: true };
    let whole = |(mut packet, _): (Vec<u8>, usize)| {
        packet.truncate(packet.len() - TAG_BYTES);
        packet
    };
    let two_byte = [
        &[0xb1, 96, 0, 1, 0, 0, 0, 9, 0, 0, 0, 5, 0, 0, 0, 8, 0x10, 0, 0, 2][..],
        &[4, 1, b'0', 1, 2, 7, 7, 0],
        &[0x55, 0x55, 0x55, 3],
    ];
    vec![
        whole(header(OPUS, Some(30)).write(&opus_payload(&tag, 80))),
        whole(header(VP8, None).write(&vp8_payload(KEYFRAME, &tag, 60))),
        whole(header(RTX, None).write(&[0, 9, 0x90, 0xe0, 0x80, 1, 1, 0x20, 0x10])),
        two_byte.concat(),
    ]
}

/// RTCP compounds: ours, and browsers' as the simulation writes them.
pub fn reports() -> Vec<Vec<u8>> {
    let media = Ssrc(0x6000_0100);
    let block = ReportBlock {
        ssrc: media,
        fraction_lost: 26,
        highest: 70_000,
        last_sender_report: 9,
        delay: 9,
    };
    let goodbye = [&[0x82, 203, 0, 2][..], &media.0.to_be_bytes(), &[0, 0, 0, 9]].concat();
    let full_intra = feedback(206, 4, Ssrc(0), &[0x60, 0, 1, 0, 1, 0, 0, 0]);
    let browsers = [
        [receiver_report(&[block, block]), nack(media, &[1, 2, 40]), picture_loss(media)].concat(),
        [sender_report(media, 7 << 32, 90_000, 5), goodbye].concat(),
        [receiver_report(&[]), full_intra, acknowledgement()].concat(),
    ];
    rtcp_as_we_write_it().into_iter().chain(browsers).collect()
}

fn acknowledgement() -> Vec<u8> {
    let start = Instant::now();
    let mut recorder = Recorder::new(start);
    for step in (0..120_u16).filter(|step| step % 5 != 2) {
        let pause = if step % 11 == 0 { 90 } else { 2 };
        recorder.note(step, start + Duration::from_millis(u64::from(step) * pause));
    }
    recorder.take(Ssrc(0x6000_0100)).expect("packets arrived")
}

const KEYFRAME: Vp8 = Vp8 { picture_id: 0x7fff, tl0: 255, starts: true };

/// VP8 payloads with descriptors of every length, behind each two bytes for the picture before.
pub fn pictures() -> Vec<Vec<u8>> {
    let tag = Tag { publisher: 0, source: Source::Cam, counter: 5, frame: 1, is_key: true };
    let start_code = [0x10, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1];
    vec![
        vp8_payload(KEYFRAME, &tag, 40),
        [&[0x90, 0xe0, 0x80, 7, 7, 0x20][..], &start_code, &[1, 2]].concat(),
        [&[0x90, 0x80, 0x7f][..], &start_code, &[9, 9]].concat(),
        [&[0x10][..], &start_code, &[0, 0]].concat(),
        [&[0x80, 0x70, 3, 0x20, 0x11, 0x22][..], &[0, 0]].concat(),
    ]
}

/// Packets of a camera in this format, of a few pictures after a keyframe: header and payload.
fn camera(format: Format, prediction: Prediction) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut dice = Dice::new(1);
    let mut encoder = Encoder::new(0, format, prediction, &mut dice);
    let packets = (0..5).flat_map(|_| encoder.picture(&mut dice)).collect::<Vec<_>>();
    let parts = packets.iter().map(|plain| {
        let (header, payload) = plain.bytes.split_at(plain.header_len);
        // What is in a frame is no matter: the first bytes are enough, and mutations hit them oftener.
        (header.to_vec(), payload[..payload.len().min(64)].to_vec())
    });
    parts.collect()
}

/// VP9 payloads of three sizes at three rates, and of a stream without layers.
pub fn vp9() -> Vec<Vec<u8>> {
    let layered = [Prediction::Full, Prediction::Key]
        .into_iter()
        .flat_map(|prediction| camera(Format::Vp9, prediction))
        .map(|(_, payload)| payload);
    // Flexible mode with three references; a short picture id and nothing else.
    let others = [vec![0xf8, 7, 0x42, 3, 5, 8, 1, 2], vec![0x88, 5, 0x82, 0x49]];
    layered.chain(others).collect()
}

/// H.264 payloads: parameter sets in an aggregate, first and later pieces, whole units.
pub fn h264() -> Vec<Vec<u8>> {
    let pieces = camera(Format::H264, Prediction::Key).into_iter().map(|(_, payload)| payload);
    pieces
        .chain([vec![0x67, 0x42, 0xc0, 0x1f, 0xda, 2, 0x80, 0xbf, 0xe5, 0x40], vec![0x65, 0x88]])
        .collect()
}

/// Dependency descriptors of a stream, each behind its length: with the templates and by them, and with everything said anew.
pub fn dependencies() -> Vec<Vec<u8>> {
    let stream = |prediction| {
        let packets = camera(Format::Av1, prediction);
        let each = packets.iter().filter_map(|(header, _)| extension(header, DEPENDENCY));
        each.flat_map(|bytes| [&[bytes.len() as u8], bytes].concat()).collect::<Vec<u8>>()
    };
    // Its own indications for nine targets, a reference, three chains; and the targets that are left.
    let own = [9, 0xc1, 0, 9, 0b0011_1101, 0x55, 0x55, 0x51, 0x10, 0];
    let less = [5, 0xc1, 0, 10, 0b0100_0000, 0x70];
    [Prediction::Full, Prediction::Key]
        .map(stream)
        .into_iter()
        .map(|stream| [&stream[..], &own, &less].concat())
        .collect()
}

/// Calls in which cameras send all their sizes in one stream, and tiles change.
pub fn scalable() -> Vec<Vec<u8>> {
    let vp9 = camera(Format::Vp9, Prediction::Key);
    let av1: Vec<Vec<u8>> = camera(Format::Av1, Prediction::Key)
        .iter()
        .map(|(header, payload)| {
            let descriptor = extension(header, DEPENDENCY).expect("a descriptor");
            [&[descriptor.len() as u8], descriptor, payload].concat()
        })
        .collect();
    let call = |from: u8, payloads: Vec<&[u8]>| {
        let mut bytes = Vec::new();
        for (time, payload) in (1_u16..).zip(payloads) {
            let media =
                Step::Media { from, stream: 1, ahead: 1, time: time / 8, flags: 0, payload };
            media.encode(&mut bytes);
            if time % 7 == 0 {
                let tile = if time % 2 == 0 { 720 } else { 90 };
                Step::Decide { whom: 1 - from, what: 2, value: tile }.encode(&mut bytes);
                Step::Wait { units: 2 }.encode(&mut bytes);
            }
        }
        bytes
    };
    vec![
        call(0, vp9.iter().map(|(_, payload)| &payload[..]).collect()),
        call(1, av1.iter().map(|payload| &payload[..]).collect()),
    ]
}

/// Chromium's offer, whole and cut down to its first m-lines.
pub fn offers() -> Vec<Vec<u8>> {
    let offer = include_str!("../../../server/src/media/testdata/chromium_offer.sdp");
    let ends: Vec<usize> = offer.match_indices("\nm=").map(|(at, _)| at + 1).collect();
    let cut = |lines: usize| ends.get(lines).and_then(|end| offer.get(..*end));
    [1, 2, 3].into_iter().filter_map(cut).chain([offer]).map(|it| it.as_bytes().to_vec()).collect()
}

/// The golden messages, one by one and as a conversation.
pub fn messages() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../signaling/fixtures");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the golden messages")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| {
            path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("client."))
        })
        .collect();
    paths.sort();
    let lines: Vec<String> = paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a golden message");
            let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            value.to_string()
        })
        .collect();
    let conversation = lines.join("\n").into_bytes();
    lines.into_iter().map(String::into_bytes).chain([conversation]).collect()
}

/// Calls: a picture that is relayed, lost, asked for again and acknowledged; layers that change; decisions in between.
pub fn calls() -> Vec<Vec<u8>> {
    let slots: Vec<Ssrc> = Stage::new(2).browsers[1].plan.slots.iter().map(|it| it.ssrc).collect();
    let tag = |is_key| Tag { publisher: 0, source: Source::Cam, counter: 1, frame: 1, is_key };
    let key = vp8_payload(KEYFRAME, &tag(true), 60);
    let delta = vp8_payload(Vp8 { picture_id: 3, ..KEYFRAME }, &tag(false), 60);
    let voice = opus_payload(&tag(false), 40);
    let media = |from, stream, time, payload| Step::Media {
        from,
        stream,
        ahead: 1,
        time,
        flags: 0x15,
        payload,
    };
    let wait = Step::Wait { units: 4 };
    let lost = nack(slots[0], &[0, 1, 2, 3]);
    let asks = picture_loss(slots[0]);
    let told = acknowledgement();
    let clock = sender_report(Ssrc(0x4000_0003), 7 << 32, 90_000, 5);
    let goodbye = [&[0x81, 203, 0, 1][..], &Ssrc(0x4000_0003).0.to_be_bytes()].concat();
    let restored = [&[0, 101][..], &key].concat();

    let plain = [
        media(0, 0, 1, &voice[..]),
        media(1, 1, 1, &key[..]),
        media(1, 0, 1, &voice[..]),
        wait,
        media(1, 1, 20, &delta[..]),
        Step::Report { from: 0, bytes: &lost },
        Step::Report { from: 0, bytes: &told },
        wait,
        media(1, 2, 20, &restored[..]),
        Step::Report { from: 0, bytes: &asks },
        wait,
        Step::Check { from: 1, address: 1 },
        media(1, 6, 30, &key[..]),
        Step::Wait { units: 250 },
    ];
    let layers = [
        media(0, 3, 1, &key[..]),
        media(0, 4, 1, &key[..]),
        media(0, 5, 1, &key[..]),
        Step::Report { from: 0, bytes: &clock },
        wait,
        Step::Decide { whom: 1, what: 2, value: 720 },
        media(0, 5, 20, &key[..]),
        media(0, 3, 20, &delta[..]),
        Step::Decide { whom: 1, what: 2, value: 180 },
        media(0, 3, 30, &key[..]),
        media(0, 7, 30, &restored[..]),
        Step::Report { from: 0, bytes: &goodbye },
        Step::Report { from: 1, bytes: &lost },
        Step::Report { from: 1, bytes: &told },
        Step::Wait { units: 250 },
    ];
    let decisions = [
        media(0, 0, 1, &voice[..]),
        Step::Decide { whom: 0, what: 0, value: 4 },
        Step::Decide { whom: 0, what: 1, value: 1 },
        Step::Decide { whom: 0, what: 3, value: 0 },
        media(0, 3, 1, &key[..]),
        Step::Decide { whom: 0, what: 1, value: 5 },
        Step::Decide { whom: 1, what: 3, value: 1 },
        Step::Check { from: 1, address: 0 },
        Step::Datagram { from: 255, bytes: &told },
        Step::Datagram { from: 0, bytes: &voice },
        Step::Packet { from: 0, bytes: &key },
        Step::Decide { whom: 0, what: 4, value: 0 },
        media(0, 0, 9, &voice[..]),
        Step::Wait { units: 250 },
    ];
    [&plain[..], &layers, &decisions]
        .into_iter()
        .map(|steps| {
            let mut bytes = Vec::new();
            steps.iter().for_each(|step| step.encode(&mut bytes));
            bytes
        })
        .collect()
}
