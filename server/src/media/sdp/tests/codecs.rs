//! Formats of pictures: which are taken, and in which words.

use sfu::plan::Formats;

use super::*;

/// A line of pictures with these formats, each with its `a=fmtp`, from payload type 100 on in steps of two.
fn line(formats: &[(&str, &str)], way: &str) -> String {
    let each = formats.iter().zip((100_u8..).step_by(2));
    let numbers: String = each.clone().map(|(_, pt)| format!(" {pt} {}", pt + 1)).collect();
    let maps: String = each
        .map(|((name, parameters), pt)| {
            let fmtp = if parameters.is_empty() {
                String::new()
            } else {
                format!("a=fmtp:{pt} {parameters}\n")
            };
            let rtx = pt + 1;
            format!(
                "a=rtpmap:{pt} {name}/90000\na=rtcp-fb:{pt} nack pli\n{fmtp}\
                 a=rtpmap:{rtx} rtx/90000\na=fmtp:{rtx} apt={pt}\n"
            )
        })
        .collect();
    format!("m=video 9 UDP/TLS/RTP/SAVPF{numbers}\na=rtcp-mux\na={way}\n{maps}")
}

fn pictures(format: Format, pt: u8) -> Codec {
    Codec::Picture { format, pt: PayloadType(pt), rtx: Some(PayloadType(pt + 1)) }
}

/// What a camera is taken in, and its section of the answer.
fn camera(formats: &[(&str, &str)]) -> (Option<Codec>, String) {
    let Answered { text, negotiated } =
        first(&small(&[AUDIO, &line(formats, "sendonly")])).expect("answer");
    (negotiated.plan.publish.get(1).map(|it| it.codec), section(&text, 1).to_owned())
}

const BASELINE: &str = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";

#[test]
fn a_camera_is_taken_in_the_first_format_that_we_know() {
    let (codec, section) = camera(&[("AV2", ""), ("H264", BASELINE), ("VP8", "")]);
    assert_eq!(codec, Some(pictures(Format::H264, 102)));
    assert!(section.starts_with("video 9 UDP/TLS/RTP/SAVPF 102 103\r\n"), "{section}");
    assert!(section.contains(&format!(
        "a=rtpmap:102 H264/90000\r\na=fmtp:102 {BASELINE}\r\na=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n"
    )));
    assert!(!section.contains("VP8"));
    assert_eq!(camera(&[("VP9", "profile-id=0")]).0, Some(pictures(Format::Vp9, 100)));
    assert_eq!(
        camera(&[("AV1", "level-idx=5;profile=0;tier=0")]).0,
        Some(pictures(Format::Av1, 100))
    );
}

#[test]
fn of_h264_constrained_baseline_in_packetization_mode_1_is_taken_in_all_its_spellings() {
    let parameters = |profile: &str| format!("packetization-mode=1; profile-level-id={profile}");
    for profile in ["42e01f", "42c01f", "42E034", "4d801f", "58c01f", "42e00b"] {
        assert!(camera(&[("H264", &parameters(profile))]).0.is_some(), "{profile}");
    }
    for profile in
        ["42001f", "42a01f", "4d001f", "64001f", "640c1f", "58401f", "42e0", "42e01g", ""]
    {
        assert_eq!(camera(&[("H264", &parameters(profile))]).0, None, "{profile}");
    }
    for other in [
        "profile-level-id=42e01f",
        "packetization-mode=0;profile-level-id=42e01f",
        "packetization-mode=1",
        "",
    ] {
        assert_eq!(camera(&[("H264", other)]).0, None, "{other}");
    }
    // A higher level is answered with what everybody decodes, a lower one with itself; asymmetry only if it was offered.
    let answered = |parameters: &str| {
        let section = camera(&[("H264", parameters)]).1;
        let line = section.lines().find_map(|it| it.strip_prefix("a=fmtp:100 ").map(str::to_owned));
        line.expect("fmtp")
    };
    assert_eq!(answered(&parameters("42E034")), "packetization-mode=1;profile-level-id=42e01f");
    assert_eq!(answered(&parameters("42e00b")), "packetization-mode=1;profile-level-id=42e00b");
    assert_eq!(answered(BASELINE), BASELINE);
}

#[test]
fn of_vp9_and_av1_the_first_profile_is_taken() {
    for (name, parameters, is_taken) in [
        ("VP9", "", true),
        ("VP9", "profile-id=0", true),
        ("VP9", "profile-id=2", false),
        ("AV1", "", true),
        ("AV1", "profile=0", true),
        ("AV1", "profile=1;level-idx=5", false),
    ] {
        assert_eq!(camera(&[(name, parameters)]).0.is_some(), is_taken, "{name} {parameters}");
    }
    let (_, section) = camera(&[("AV1", "tier=0;profile=0;level-idx=5;x=1")]);
    assert!(section.contains("a=fmtp:100 level-idx=5;profile=0;tier=0\r\n"), "{section}");
}

#[test]
fn a_slot_takes_every_format_that_its_peer_decodes() {
    let all = [
        ("VP8", ""),
        ("H264", "packetization-mode=1;profile-level-id=42e00b"),
        ("VP9", "profile-id=2"),
        ("VP9", ""),
        ("AV1", ""),
    ];
    let Answered { text, negotiated } =
        first(&small(&[AUDIO, &line(&all, "recvonly")])).expect("answer");
    // H.264 of a level below that of our publishers is not taken, nor the second profile of VP9.
    let formats = [(Format::Vp8, 100), (Format::Vp9, 106), (Format::Av1, 108)];
    let formats = formats.into_iter().fold(Formats::default(), |formats, (format, pt)| {
        formats.with(format, PayloadType(pt), Some(PayloadType(pt + 1)))
    });
    assert_eq!(negotiated.plan.slots[0].receives, Receives::Pictures(formats));
    let section = section(&text, 1);
    assert!(
        section.starts_with("video 9 UDP/TLS/RTP/SAVPF 100 101 106 107 108 109\r\n"),
        "{section}"
    );
    let answer = first(CHROMIUM).expect("answer");
    let known = &answer.negotiated.plan.slots[0].receives;
    let Receives::Pictures(known) = known else { panic!("a slot of pictures") };
    let numbers = known.iter().map(|codec| match codec {
        Codec::Picture { format, pt, .. } => (format, pt.0),
        Codec::Opus { .. } => panic!("a picture"),
    });
    let expected = [(Format::Vp8, 96), (Format::H264, 109), (Format::Vp9, 98), (Format::Av1, 45)];
    assert_eq!(numbers.collect::<Vec<_>>(), expected);

    let none = first(&small(&[AUDIO, &line(&[("AV2", "")], "recvonly")])).expect("answer");
    assert!(none.negotiated.plan.slots.is_empty());
}

const DEPENDENCY: &str = "a=extmap:13 https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension\n";

#[test]
fn dependency_descriptors_are_taken_where_both_forms_of_extension_may_mix() {
    let offer = |format: &str, mixed: &str| {
        let send = line(&[(format, "")], "sendonly") + DEPENDENCY;
        let receive = line(&[(format, "")], "recvonly") + DEPENDENCY;
        let offer = small(&[AUDIO, &send, &receive]);
        let offer = offer.replacen("a=setup", &format!("{mixed}a=setup"), 1);
        let Answered { text, negotiated } = first(&offer).expect("answer");
        let plan = negotiated.plan;
        let lines = (plan.publish[1].extensions.dependency, plan.slots[0].extensions.dependency);
        (
            lines,
            text.matches("dependency-descriptor").count(),
            text.contains("a=extmap-allow-mixed\r\n"),
        )
    };
    let mixed = "a=extmap-allow-mixed\r\n";
    assert_eq!(offer("AV1", mixed), ((Some(13), Some(13)), 2, true));
    assert_eq!(offer("VP9", mixed), ((Some(13), Some(13)), 2, true));
    // VP8 has no use for it as a source; a slot might still show something else one day.
    assert_eq!(offer("VP8", mixed).0.0, None);
    assert_eq!(offer("AV1", ""), ((None, None), 0, false));
}

#[test]
fn a_source_keeps_its_format_and_an_offer_without_it_is_refused() {
    let both = [("VP8", ""), ("VP9", "")];
    let offer = |formats: &[(&str, &str)]| small(&[AUDIO, &line(formats, "sendonly")]);
    let before = first(&offer(&[("AV1", ""), ("VP9", "")])).expect("answer").negotiated;
    assert_eq!(before.plan.publish[1].codec, pictures(Format::Av1, 100));
    let turned = [("VP9", ""), ("AV1", "")];
    let after_turn = after(&offer(&turned), Some(&before), 2);
    // Payload types 100 and 102 have changed places with their formats: what counts is the format.
    assert_eq!(
        after_turn.expect("answer").negotiated.plan.publish[1].codec,
        pictures(Format::Av1, 102)
    );
    assert_eq!(after(&offer(&both), Some(&before), 2).err(), Some(OfferError::ChangedCodec));
}
