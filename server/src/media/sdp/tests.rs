mod any;
mod codecs;
mod layers;

use std::net::SocketAddr;

use sfu::plan::{
    Codec, ExtensionIds, Format, Mid, PayloadType, PeerKey, PublishLine, Receives, Source, Ssrc,
};

use super::{Answered, Context, Negotiated, OfferError, Random, answer};

/// Of Chromium 148: microphone, camera, an empty screen with its sound, two video and three audio slots.
const CHROMIUM: &str = include_str!("../testdata/chromium_offer.sdp");

const FINGERPRINT: &str = "F2:1C:F2:9E:B4:BE:58:19:C9:48:1A:D9:C4:A7:5D:5A:1F:61:7C:17:6B:07:8E:39:A2:E2:B2:BB:BF:4B:D2:16";

/// As Firefox writes it: transport attributes in the session, braces in ids, extensions of one direction, bundle-only
/// lines with port 0, layers with SSRCs, an SSRC on a receiving line.
fn firefox() -> String {
    let transport = "c=IN IP4 0.0.0.0\na=rtcp-mux\na=rtcp-rsize\na=setup:actpass\na=ice-pwd:a5e919b107fc0ee2dbcf909c6b552dc6\na=ice-ufrag:eceb5b58";
    let video = "a=rtpmap:120 VP8/90000\na=rtpmap:124 rtx/90000\na=rtpmap:121 VP9/90000\na=rtpmap:125 rtx/90000\na=fmtp:120 max-fs=12288;max-fr=60\na=fmtp:124 apt=120\na=fmtp:125 apt=121\na=rtcp-fb:120 nack\na=rtcp-fb:120 nack pli\na=rtcp-fb:120 ccm fir\na=rtcp-fb:120 goog-remb\na=rtcp-fb:120 transport-cc";
    format!(
        "v=0
o=mozilla...THIS_IS_SDPARTA-99.0 8847547619928269125 0 IN IP4 0.0.0.0
s=-
t=0 0
a=sendrecv
a=fingerprint:sha-256 {FINGERPRINT}
a=group:BUNDLE 0 1 2
a=ice-options:trickle
a=msid-semantic:WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101
{transport}
a=sendonly
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap-allow-mixed
a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=mid:0
a=msid:- {{f60e5c12-6518-4227-a95a-305d064cc224}}
a=rtcp-fb:109 transport-cc
a=rtpmap:109 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:101 telephone-event/8000
a=ssrc:4257632709 cname:{{48cf2566-0fd9-4ac2-8f04-32da9f1a8b34}}
m=video 0 UDP/TLS/RTP/SAVPF 120 124 121 125
{transport}
a=bundle-only
a=sendonly
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:9/sendonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:10/sendonly urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
{video}
a=mid:1
a=rid:q send
a=rid:h send
a=rid:f send
a=simulcast:send q;h;f
a=ssrc:1730948 cname:{{48cf2566}}
a=ssrc:819241208 cname:{{48cf2566}}
a=ssrc:3146512205 cname:{{48cf2566}}
a=ssrc:3191782974 cname:{{48cf2566}}
a=ssrc:1708365952 cname:{{48cf2566}}
a=ssrc:4160432598 cname:{{48cf2566}}
a=ssrc-group:FID 1730948 819241208
a=ssrc-group:FID 3146512205 3191782974
a=ssrc-group:FID 1708365952 4160432598
m=video 0 UDP/TLS/RTP/SAVPF 120 124
{transport}
a=bundle-only
a=recvonly
a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
{video}
a=mid:2
a=ssrc:77 cname:{{48cf2566}}
"
    )
    .replace('\n', "\r\n")
}

/// A small offer whose lines tests change one by one.
fn small(lines: &[&str]) -> String {
    let mids: Vec<String> = (0..lines.len()).map(|mid| mid.to_string()).collect();
    let head = format!(
        "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE {}\na=fingerprint:sha-256 {FINGERPRINT}\n\
         a=setup:actpass\na=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\n",
        mids.join(" ")
    );
    let bodies = lines.iter().zip(&mids).map(|(line, mid)| format!("{line}a=mid:{mid}\n"));
    format!("{head}{}", bodies.collect::<String>()).replace('\n', "\r\n")
}

const AUDIO: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=rtcp-mux\na=rtpmap:111 opus/48000/2\n";
const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\na=rtcp-mux\na=rtpmap:96 VP8/90000\n\
                     a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n";

fn with(line: &str, more: &str) -> String {
    format!("{line}{more}\n")
}

/// Of our certificate.
const OURS: &str = "AB:CD";

fn addresses() -> [SocketAddr; 2] {
    ["192.0.2.7:5004".parse().expect("address"), "[2001:db8::7]:5004".parse().expect("address")]
}

fn first(offer: &str) -> Result<Answered, OfferError> {
    after(offer, None, 1)
}

fn after(offer: &str, previous: Option<&Negotiated>, seed: u8) -> Result<Answered, OfferError> {
    let candidates = addresses();
    let context =
        Context { peer: PeerKey(7), previous, candidates: &candidates, fingerprint: OURS };
    answer(offer, &context, &mut Random::new([seed; 32]))
}

/// The answer's text of one m-line.
fn section(text: &str, index: usize) -> &str {
    text.split("\r\nm=").nth(index + 1).expect("m-line")
}

#[test]
fn a_chromium_offer_becomes_four_sources_and_five_slots() {
    let Answered { negotiated: Negotiated { plan, .. }, .. } = first(CHROMIUM).expect("answer");
    let mic = plan.publish.first().expect("mic");
    assert_eq!(
        *mic,
        PublishLine {
            mid: Mid::new("0").expect("mid"),
            source: Source::Mic,
            codec: Codec::Opus { pt: PayloadType(111), red: Some(PayloadType(63)) },
            extensions: ExtensionIds {
                mid: Some(4),
                transport_cc: Some(3),
                audio_level: Some(1),
                ..ExtensionIds::default()
            },
            rids: vec![],
            ssrcs: vec![Ssrc(2_595_789_895)],
            rtx_of: vec![],
        }
    );
    let cam = plan.publish.get(1).expect("cam");
    assert_eq!(
        *cam,
        PublishLine {
            mid: Mid::new("1").expect("mid"),
            source: Source::Cam,
            codec: Codec::Picture {
                format: Format::Vp8,
                pt: PayloadType(96),
                rtx: Some(PayloadType(97)),
            },
            extensions: ExtensionIds {
                mid: Some(4),
                transport_cc: Some(3),
                ..ExtensionIds::default()
            },
            rids: vec![],
            ssrcs: vec![Ssrc(2_809_926_600)],
            rtx_of: vec![(Ssrc(2_809_926_600), Ssrc(219_925_710))],
        }
    );
    let sources: Vec<Source> = plan.publish.iter().map(|line| line.source).collect();
    assert_eq!(sources, [Source::Mic, Source::Cam, Source::Screen, Source::ScreenAudio]);
    assert_eq!(plan.publish.last().expect("screen audio").extensions.audio_level, None);
    let kinds: Vec<bool> =
        plan.slots.iter().map(|slot| matches!(slot.receives, Receives::Pictures(_))).collect();
    assert_eq!(kinds, [true, true, false, false, false]);
    assert!(plan.slots.iter().all(|slot| slot.extensions.transport_cc == Some(3)));
    assert!(plan.slots.iter().all(|slot| slot.extensions.mid.is_none()));
    assert!(plan.slots.iter().all(|slot| slot.first_sequence < 1 << 15));
}

#[test]
fn ssrcs_of_slots_are_never_those_of_the_client_nor_repeated() {
    let plan = first(CHROMIUM).expect("answer").negotiated.plan;
    let mut all: Vec<Ssrc> = plan.publish.iter().flat_map(|line| line.ssrcs.clone()).collect();
    all.extend(plan.slots.iter().flat_map(|slot| [Some(slot.ssrc), slot.rtx]).flatten());
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
    assert_eq!(count, 4 + 2 * 2 + 3);
}

#[test]
fn the_answer_says_what_a_browser_needs() {
    let Answered { text, negotiated } = first(CHROMIUM).expect("answer");
    let head = text.split("\r\nm=").next().expect("head");
    assert!(head.contains("a=ice-lite"));
    assert!(head.contains("a=group:BUNDLE 0 1 2 3 4 5 6 7 8"));
    let mic = section(&text, 0);
    assert_eq!(
        mic.lines().collect::<Vec<_>>(),
        [
            "audio 9 UDP/TLS/RTP/SAVPF 111 63",
            "c=IN IP4 0.0.0.0",
            "a=mid:0",
            &format!("a=ice-ufrag:{}", negotiated.ice.ufrag),
            &format!("a=ice-pwd:{}", negotiated.ice.pwd),
            &format!("a=fingerprint:sha-256 {OURS}"),
            "a=setup:passive",
            "a=rtcp-mux",
            "a=rtcp-rsize",
            "a=candidate:1 1 udp 1073807359 192.0.2.7 5004 typ host",
            "a=candidate:2 1 udp 1073807103 2001:db8::7 5004 typ host",
            "a=candidate:3 1 tcp 1073774591 192.0.2.7 5004 typ host tcptype passive",
            "a=candidate:4 1 tcp 1073774335 2001:db8::7 5004 typ host tcptype passive",
            "a=end-of-candidates",
            "a=recvonly",
            "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=rtpmap:111 opus/48000/2",
            "a=fmtp:111 useinbandfec=1;usedtx=1",
            "a=rtpmap:63 red/48000/2",
            "a=fmtp:63 111/111",
            "a=rtcp-fb:111 transport-cc",
        ]
    );
    let slot = negotiated.plan.slots.first().expect("slot");
    let rtx = slot.rtx.expect("rtx").0;
    let video = section(&text, 4);
    assert_eq!(
        video.lines().skip_while(|line| *line != "a=sendonly").collect::<Vec<_>>(),
        [
            "a=sendonly",
            "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            "a=msid:s0 v0",
            &format!("a=ssrc-group:FID {} {rtx}", slot.ssrc.0),
            &format!("a=ssrc:{} cname:s0", slot.ssrc.0),
            &format!("a=ssrc:{rtx} cname:s0"),
            "a=rtpmap:96 VP8/90000",
            "a=rtpmap:97 rtx/90000",
            "a=fmtp:97 apt=96",
            "a=rtcp-fb:96 nack",
            "a=rtcp-fb:96 nack pli",
            "a=rtcp-fb:96 transport-cc",
            "a=rtpmap:98 VP9/90000",
            "a=fmtp:98 profile-id=0",
            "a=rtpmap:99 rtx/90000",
            "a=fmtp:99 apt=98",
            "a=rtcp-fb:98 nack",
            "a=rtcp-fb:98 nack pli",
            "a=rtcp-fb:98 transport-cc",
            "a=rtpmap:109 H264/90000",
            "a=fmtp:109 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
            "a=rtpmap:114 rtx/90000",
            "a=fmtp:114 apt=109",
            "a=rtcp-fb:109 nack",
            "a=rtcp-fb:109 nack pli",
            "a=rtcp-fb:109 transport-cc",
            "a=rtpmap:45 AV1/90000",
            "a=fmtp:45 level-idx=5;profile=0;tier=0",
            "a=rtpmap:46 rtx/90000",
            "a=fmtp:46 apt=45",
            "a=rtcp-fb:45 nack",
            "a=rtcp-fb:45 nack pli",
            "a=rtcp-fb:45 transport-cc",
        ]
    );
    assert!(text.ends_with("\r\n"));
    assert!(text.lines().all(|line| !line.contains('\n')));
}

#[test]
fn the_voice_and_the_picture_of_one_place_share_a_stream() {
    let text = first(CHROMIUM).expect("answer").text;
    let streams: Vec<&str> = (4..9)
        .map(|index| {
            let line = section(&text, index).lines().find(|line| line.starts_with("a=msid:"));
            line.expect("msid")
        })
        .collect();
    assert_eq!(
        streams,
        ["a=msid:s0 v0", "a=msid:s1 v1", "a=msid:s0 a0", "a=msid:s1 a1", "a=msid:s2 a2"]
    );
}

#[test]
fn rotation_absolute_send_time_and_foreign_codecs_are_not_taken() {
    let text = first(CHROMIUM).expect("answer").text;
    for word in [
        "video-orientation",
        "abs-send-time",
        "G722",
        "profile-id=2",
        "profile-level-id=42001f",
        "packetization-mode=0",
        "ulpfec",
        "red/90000",
        "toffset",
    ] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn redundant_audio_is_taken_both_ways_where_all_its_frames_are_opus() {
    let plan = first(CHROMIUM).expect("answer").negotiated.plan;
    let opus = Codec::Opus { pt: PayloadType(111), red: Some(PayloadType(63)) };
    let receives = plan.slots.iter().filter_map(|slot| slot.receives.codec_for(opus));
    let codecs = plan.publish.iter().map(|line| line.codec).chain(receives);
    assert_eq!(codecs.filter(|codec| *codec == opus).count(), 5);

    let offered = |fmtp: &str| {
        let audio = AUDIO.replace("SAVPF 111", "SAVPF 63 111");
        let offer = small(&[&with(&audio, &format!("a=rtpmap:63 red/48000/2\n{fmtp}"))]);
        let Answered { text, negotiated } = first(&offer).expect("answer");
        let format = section(&text, 0).lines().next().expect("m-line").to_owned();
        (format, negotiated.plan.publish.first().expect("mic").codec)
    };
    let (format, codec) = offered("a=fmtp:63 111/111/111");
    assert_eq!(codec, opus);
    assert_eq!(format, "audio 9 UDP/TLS/RTP/SAVPF 111 63", "Opus stays first");
    for fmtp in ["a=fmtp:63 111", "a=fmtp:63 111/0", "a=fmtp:63 111/", "a=fmtp:111 111/111", "a=x"]
    {
        let (format, codec) = offered(fmtp);
        assert_eq!(codec, Codec::Opus { pt: PayloadType(111), red: None }, "{fmtp}");
        assert_eq!(format, "audio 9 UDP/TLS/RTP/SAVPF 111", "{fmtp}");
    }
}

#[test]
fn lines_that_are_not_understood_keep_their_place_with_port_0() {
    let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=sctp-port:5000\n";
    let h264 = "m=video 9 UDP/TLS/RTP/SAVPF 103\na=rtcp-mux\na=rtpmap:103 H264/90000\n";
    let plain = "m=audio 9 RTP/AVP 0\na=rtcp-mux\n";
    let stopped = VIDEO.replace("m=video 9", "m=video 0");
    let offer = small(&[AUDIO, data, h264, plain, &stopped, VIDEO]);
    let Answered { text, negotiated } = first(&offer).expect("answer");
    assert!(text.contains("a=group:BUNDLE 0 5\r\n"));
    assert!(section(&text, 1).starts_with("application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    assert!(section(&text, 2).starts_with("video 0 UDP/TLS/RTP/SAVPF 103\r\n"));
    assert!(section(&text, 3).starts_with("audio 0 RTP/AVP 0\r\n"));
    assert!(section(&text, 4).starts_with("video 0 "));
    assert!(section(&text, 5).starts_with("video 9 "));
    assert_eq!(negotiated.plan.publish.len(), 2);
}

#[test]
fn a_third_camera_is_refused_and_the_rest_goes_on() {
    let offer = small(&[AUDIO, VIDEO, VIDEO, VIDEO]);
    let Answered { text, negotiated } = first(&offer).expect("answer");
    assert_eq!(negotiated.plan.publish.len(), 3);
    assert!(section(&text, 3).starts_with("video 0 "));
}

#[test]
fn an_ice_restart_keeps_slots_and_changes_credentials() {
    let before = first(CHROMIUM).expect("answer");
    let restart = CHROMIUM.replace("WWdp", "Xyz9");
    let now = after(&restart, Some(&before.negotiated), 2).expect("answer");
    assert_eq!(now.negotiated.plan, before.negotiated.plan);
    assert_ne!(now.negotiated.ice, before.negotiated.ice);
    assert_eq!(now.negotiated.session, before.negotiated.session);
    assert_eq!(now.negotiated.version, before.negotiated.version + 1);
}

#[test]
fn more_slots_without_a_restart_keep_the_credentials_and_are_appended() {
    let receives = "a=recvonly";
    let lines = [AUDIO, &with(VIDEO, receives), &with(AUDIO, receives)].map(str::to_owned);
    let text = |lines: &[String]| small(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let before = first(&text(&lines)).expect("answer").negotiated;
    let mut more = lines.to_vec();
    more.push(with(AUDIO, receives));
    more.push(with(VIDEO, receives));
    let now = after(&text(&more), Some(&before), 2).expect("answer").negotiated;
    assert_eq!(now.ice, before.ice);
    assert_eq!(now.plan.slots.len(), 4);
    assert!(now.plan.slots.starts_with(&before.plan.slots));
}

#[test]
fn a_source_that_pauses_keeps_its_place() {
    let before = first(&small(&[AUDIO, VIDEO, VIDEO])).expect("answer").negotiated;
    let idle = with(VIDEO, "a=inactive");
    let paused = after(&small(&[AUDIO, &idle, VIDEO]), Some(&before), 2).expect("answer");
    let sources = |negotiated: &Negotiated| {
        negotiated.plan.publish.iter().map(|line| line.source).collect::<Vec<_>>()
    };
    assert_eq!(sources(&paused.negotiated), [Source::Mic, Source::Screen]);
    assert!(section(&paused.text, 1).contains("a=inactive"));
    let again = after(&small(&[AUDIO, VIDEO, VIDEO]), Some(&paused.negotiated), 3).expect("answer");
    assert_eq!(sources(&again.negotiated), [Source::Mic, Source::Cam, Source::Screen]);
}

#[test]
fn an_offer_that_goes_on_must_keep_lines_slots_and_certificate() {
    let slot = with(VIDEO, "a=recvonly");
    let before = first(&small(&[AUDIO, &slot])).expect("answer").negotiated;
    let refusal = |offer: &str| after(offer, Some(&before), 2).expect_err("refused");
    assert_eq!(refusal(&small(&[AUDIO])), OfferError::MovedLine);
    let moved =
        small(&[AUDIO, &slot]).replace("a=mid:1", "a=mid:9").replace("BUNDLE 0 1", "BUNDLE 0 9");
    assert_eq!(refusal(&moved), OfferError::MovedLine);
    assert_eq!(refusal(&small(&[AUDIO, &with(VIDEO, "a=inactive")])), OfferError::ClosedSlot);
    let other = small(&[AUDIO, &slot]).replace(FINGERPRINT, &["00"; 32].join(":"));
    assert_eq!(refusal(&other), OfferError::ChangedFingerprint);
}

#[test]
fn credentials_are_long_enough_and_differ() {
    let one = first(CHROMIUM).expect("answer").negotiated.ice;
    let two = after(CHROMIUM, None, 2).expect("answer").negotiated.ice;
    assert_eq!((one.ufrag.len(), one.pwd.len()), (16, 32));
    assert_ne!(one.ufrag, two.ufrag);
    assert_ne!(one.pwd, two.pwd);
}

#[test]
fn errors_and_debug_output_say_nothing_of_the_offer() {
    let answered = first(CHROMIUM).expect("answer");
    let shown = format!("{answered:?} {:?}", answered.negotiated);
    for secret in [
        answered.negotiated.ice.ufrag.as_str(),
        &answered.negotiated.ice.pwd,
        "jvyUWY",
        "192.0.2.7",
    ] {
        assert!(!shown.contains(secret));
    }
    let error = first("v=0\r\no=secret").expect_err("refused");
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[test]
fn bad_offers_are_refused_with_their_code() {
    use OfferError as E;
    let good = small(&[AUDIO, VIDEO]);
    assert!(first(&good).is_ok());
    let swap = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    let audio = |more: &str| small(&[&with(AUDIO, more), VIDEO]);
    let video = |more: &str| small(&[AUDIO, &with(VIDEO, more)]);
    let many = |count: usize, line: &dyn Fn(usize) -> String| {
        (0..count).map(line).collect::<Vec<_>>().join("\n")
    };
    let hash = format!("a=fingerprint:sha-256 {FINGERPRINT}");
    let transport_cc = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    let cases: Vec<(&str, String, OfferError)> = vec![
        ("empty", String::new(), E::Syntax),
        ("not SDP", "GET / HTTP/1.1\r\n".into(), E::Syntax),
        ("no version", swap("v=0\r\n", ""), E::Syntax),
        ("no origin", swap("o=- 1 1 IN IP4 127.0.0.1\r\n", ""), E::Syntax),
        ("origin of letters", swap("o=- 1 1", "o=- x y"), E::Syntax),
        ("unknown line type", swap("t=0 0", "y=0 0"), E::Syntax),
        ("too large", format!("{good}{}", "a=x\r\n".repeat(20_000)), E::TooLarge),
        ("no m-lines", small(&[]), E::BadFirstLine),
        ("41 m-lines", small(&[AUDIO; 41]), E::TooManyLines),
        (
            "65 payload types",
            swap(
                "SAVPF 111",
                &format!("SAVPF {}", many(65, &|n| n.to_string()).replace('\n', " ")),
            ),
            E::TooManyPayloadTypes,
        ),
        (
            "33 extensions",
            audio(&many(33, &|n| format!("a=extmap:{} urn:x:{n}", n + 20))),
            E::TooManyExtensions,
        ),
        ("65 SSRCs", audio(&many(65, &|n| format!("a=ssrc:{} cname:x", n + 1))), E::TooManySsrcs),
        (
            "65 SSRCs on two lines",
            small(&[
                &with(AUDIO, &many(33, &|n| format!("a=ssrc:{} cname:x", n + 1))),
                &with(VIDEO, &many(33, &|n| format!("a=ssrc:{} cname:x", n + 100))),
            ]),
            E::TooManySsrcs,
        ),
        ("no mid", swap("a=mid:0\r\n", ""), E::BadMid),
        ("mid of 17 letters", swap("a=mid:0", "a=mid:aaaaaaaaaaaaaaaaa"), E::BadMid),
        ("mid with a space", swap("a=mid:0", "a=mid:a b"), E::BadMid),
        ("mid twice", swap("a=mid:1", "a=mid:0"), E::RepeatedMid),
        ("two directions", audio("a=sendonly\na=recvonly"), E::Syntax),
        (
            "SSRC on two lines",
            small(&[&with(AUDIO, "a=ssrc:5 cname:x"), &with(VIDEO, "a=ssrc:5 cname:x")]),
            E::RepeatedSsrc,
        ),
        ("SSRC 0", audio("a=ssrc:0 cname:x"), E::Syntax),
        ("SSRC over 32 bits", audio("a=ssrc:4294967296 cname:x"), E::Syntax),
        ("SSRC of letters", audio("a=ssrc:abc cname:x"), E::Syntax),
        ("FID of one", video("a=ssrc:5 cname:x\na=ssrc-group:FID 5"), E::Syntax),
        ("FID of three", video("a=ssrc:5 cname:x\na=ssrc-group:FID 5 6 7"), E::Syntax),
        ("FID of undeclared", video("a=ssrc:5 cname:x\na=ssrc-group:FID 5 6"), E::Syntax),
        ("FID with itself", video("a=ssrc:5 cname:x\na=ssrc-group:FID 5 5"), E::Syntax),
        (
            "FID in a chain",
            video(
                "a=ssrc:5 c:x\na=ssrc:6 c:x\na=ssrc:7 c:x\na=ssrc-group:FID 5 6\na=ssrc-group:FID 6 7",
            ),
            E::Syntax,
        ),
        ("extension without a URI", audio("a=extmap:3"), E::Syntax),
        (
            "extension with a bad direction",
            audio(&format!("a=extmap:3/up {transport_cc}")),
            E::Syntax,
        ),
        ("extension id of letters", audio(&format!("a=extmap:x {transport_cc}")), E::Syntax),
        (
            "extension id for two URIs",
            small(&[
                &with(AUDIO, &format!("a=extmap:3 {transport_cc}")),
                &with(VIDEO, "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid"),
            ]),
            E::AmbiguousNumber,
        ),
        (
            "extension twice on a line",
            audio(&format!("a=extmap:3 {transport_cc}\na=extmap:4 {transport_cc}")),
            E::AmbiguousNumber,
        ),
        (
            "payload type of two codecs",
            small(&[AUDIO, &VIDEO.replace("96", "111")]),
            E::AmbiguousNumber,
        ),
        ("no fingerprint", swap(&hash, "a=x"), E::NoFingerprint),
        ("md5", swap("sha-256", "md5"), E::WeakFingerprint),
        (
            "sha-1 beside sha-256",
            swap(&hash, &format!("{hash}\r\na=fingerprint:sha-1 AB")),
            E::WeakFingerprint,
        ),
        ("empty fingerprint", swap(FINGERPRINT, ""), E::Syntax),
        ("short fingerprint", swap(FINGERPRINT, "F2:1C"), E::Syntax),
        ("long fingerprint", swap(FINGERPRINT, &format!("{FINGERPRINT}:00")), E::Syntax),
        ("fingerprint of letters", swap("F2:1C", "G2:1C"), E::Syntax),
        ("fingerprint with signs", swap("F2:1C", "+2:1C"), E::Syntax),
        (
            "two fingerprints",
            audio(&format!("a=fingerprint:sha-256 {}", ["00"; 32].join(":"))),
            E::TwoFingerprints,
        ),
        ("setup active", swap("actpass", "active"), E::BadSetup),
        ("setup passive", swap("actpass", "passive"), E::BadSetup),
        ("setup active on one line", audio("a=setup:active"), E::BadSetup),
        ("no setup", swap("a=setup:actpass\r\n", ""), E::BadSetup),
        ("no ufrag", swap("a=ice-ufrag:abcd\r\n", ""), E::BadIce),
        ("no password", swap("a=ice-pwd:0123456789012345678901\r\n", ""), E::BadIce),
        ("short ufrag", swap("a=ice-ufrag:abcd", "a=ice-ufrag:abc"), E::BadIce),
        ("short password", swap("0123456789012345678901", "012345678901234567890"), E::BadIce),
        ("blank in the ufrag", swap("a=ice-ufrag:abcd", "a=ice-ufrag:ab cd"), E::BadIce),
        ("no rtcp-mux", small(&[&AUDIO.replace("a=rtcp-mux\n", ""), VIDEO]), E::NoRtcpMux),
        ("no bundle", swap("a=group:BUNDLE 0 1\r\n", ""), E::NotBundled),
        ("a line outside the bundle", swap("BUNDLE 0 1", "BUNDLE 0"), E::NotBundled),
        (
            "two bundles",
            swap("a=group:BUNDLE 0 1", "a=group:BUNDLE 0\r\na=group:BUNDLE 1"),
            E::NotBundled,
        ),
        (
            "first line is data",
            small(&["m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n", AUDIO]),
            E::BadFirstLine,
        ),
        ("first line is stopped", swap("m=audio 9", "m=audio 0"), E::BadFirstLine),
        ("first line without Opus", swap("opus/48000/2", "PCMU/8000"), E::BadFirstLine),
        (
            "Opus on a payload type of RTCP",
            small(&[&AUDIO.replace("111", "72"), VIDEO]),
            E::BadFirstLine,
        ),
        (
            "m-line without formats",
            swap("m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=audio 9 UDP/TLS/RTP/SAVPF"),
            E::Syntax,
        ),
        ("port over 16 bits", swap("m=audio 9 ", "m=audio 65536 "), E::Syntax),
        ("unknown media", swap("m=audio 9", "m=smell 9"), E::Syntax),
        ("protocol of nothing", swap("UDP/TLS/RTP/SAVPF 111", "UDP//SAVPF 111"), E::Syntax),
    ];
    for (name, offer, error) in cases {
        assert_eq!(first(&offer).err(), Some(error), "{name}");
    }
}
