//! Simulcast: which layers of an offer are taken.

use sfu::plan::Rid;

use super::*;

#[test]
fn a_firefox_offer_of_layers_is_taken_whole() {
    let Answered { text, negotiated } = first(&firefox()).expect("answer");
    let cam = negotiated.plan.publish.get(1).expect("cam");
    assert_eq!(cam.rids, Rid::ALL);
    assert_eq!(cam.ssrcs, [Ssrc(1_730_948), Ssrc(3_146_512_205), Ssrc(1_708_365_952)]);
    assert_eq!(cam.rtx_of.last(), Some(&(Ssrc(1_708_365_952), Ssrc(4_160_432_598))));
    assert_eq!(cam.rtx_of.len(), 3);
    assert_eq!((cam.extensions.rid, cam.extensions.repaired_rid), (Some(9), Some(10)));
    let video = section(&text, 1);
    assert!(
        video
            .contains("a=rid:q recv\r\na=rid:h recv\r\na=rid:f recv\r\na=simulcast:recv q;h;f\r\n")
    );
    assert!(video.contains("a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"));
    assert!(video.contains("a=extmap:10/recvonly"));
    assert_eq!(negotiated.plan.slots.len(), 1);
}

/// A camera as Chromium offers it with `sendEncodings`: layers by name, no SSRCs.
fn layered(simulcast: &str, rids: &[&str]) -> String {
    let lines: String = rids.iter().map(|rid| format!("a=rid:{rid} send\n")).collect();
    with(
        VIDEO,
        &format!(
            "a=sendonly\na=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\n\
             a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\n{lines}\
             a=simulcast:{simulcast}"
        ),
    )
}

/// The camera's plan and the layers that the answer takes.
fn taken(camera: &str) -> (PublishLine, Option<String>) {
    let Answered { text, negotiated } = first(&small(&[AUDIO, camera])).expect("answer");
    let line = section(&text, 1).lines().find_map(|line| line.strip_prefix("a=simulcast:recv "));
    let line = line.map(str::to_owned);
    (negotiated.plan.publish.get(1).expect("cam").clone(), line)
}

#[test]
fn layers_are_taken_by_name_the_smallest_first_whatever_the_offer_does() {
    let all = ["q", "h", "f"];
    let cases: [(&str, &[&str], Option<&str>); 15] = [
        ("send q;h;f", &all, Some("q;h;f")),
        ("send f;h;q", &all, Some("q;h;f")),
        ("send h;f", &["h", "f"], Some("h;f")),
        ("send f", &["f"], Some("f")),
        ("recv a send q;h;f", &all, Some("q;h;f")),
        // Paused layers may be sent later.
        ("send ~q;h;~f", &all, Some("q;h;f")),
        // Of alternatives one.
        ("send q;x,h;f", &["q", "x", "h", "f"], Some("q;h;f")),
        ("send q,h;f", &all, Some("q;f")),
        // Unknown, too many, twice, or not declared.
        ("send q;h;f;x", &["q", "h", "f", "x"], Some("q;h;f")),
        ("send q;q;f", &["q", "f"], Some("q;f")),
        ("send q;h;f", &["q", "f"], Some("q;f")),
        ("send 0;1;2", &["0", "1", "2"], None),
        ("send Q;H;F", &["Q", "H", "F"], None),
        ("send", &all, None),
        ("recv q;h;f", &all, None),
    ];
    for (simulcast, rids, answer) in cases {
        let (plan, line) = taken(&layered(simulcast, rids));
        assert_eq!(line.as_deref(), answer, "{simulcast}");
        let names: Vec<&str> = plan.rids.iter().map(|rid| rid.as_str()).collect();
        assert_eq!(names.join(";"), answer.unwrap_or_default(), "{simulcast}");
        let id = answer.map(|_| 10);
        assert_eq!((plan.extensions.rid, plan.ssrcs), (id, vec![]), "{simulcast}");
    }
}

#[test]
fn layers_that_packets_could_not_name_are_not_taken() {
    let camera = layered("send q;h;f", &["q", "h", "f"]);
    let without = camera.replace("a=extmap:10 urn", "a=extmap:10 x-urn");
    assert_eq!(taken(&without).1, None);
    // Repairs are told apart by SSRC groups, or not at all.
    let without = camera.replace("a=extmap:11 urn", "a=extmap:11 x-urn");
    let (plan, line) = taken(&without);
    assert_eq!((line.as_deref(), plan.extensions.repaired_rid), (Some("q;h;f"), None));
}

#[test]
fn ssrcs_of_layers_that_are_not_taken_are_left_out() {
    let named = |count: usize| {
        let ssrcs: String = (1..=count).map(|n| format!("\na=ssrc:{n} cname:x")).collect();
        let camera = layered("send f;x;q", &["f", "x", "q"]);
        taken(&format!("{camera}{}\n", ssrcs.trim_start())).0
    };
    let plan = named(3);
    assert_eq!((plan.rids, plan.ssrcs), (vec![Rid::Quarter, Rid::Full], vec![Ssrc(3), Ssrc(1)]));
    assert_eq!(named(2).ssrcs, [], "it is not said which is whose");
}

#[test]
fn the_layers_of_a_line_stay_those_of_its_first_offer() {
    let three = layered("send q;h;f", &["q", "h", "f"]);
    let one = layered("send f", &["f"]);
    let offer = |camera: &str| small(&[AUDIO, camera]);
    let before = first(&offer(&three)).expect("answer").negotiated;
    let paused = after(&offer(&with(VIDEO, "a=inactive")), Some(&before), 2).expect("answer");
    assert!(!section(&paused.text, 1).contains("simulcast"));
    let again = after(&offer(&three), Some(&paused.negotiated), 3).expect("answer");
    assert_eq!(again.negotiated.plan.publish, before.plan.publish);

    let before = first(&offer(&one)).expect("answer").negotiated;
    let more = after(&offer(&three), Some(&before), 2).expect("answer");
    assert!(section(&more.text, 1).contains("a=simulcast:recv f\r\n"));

    let before = first(&offer(&three)).expect("answer").negotiated;
    let fewer = after(&offer(&one), Some(&before), 2).expect("answer");
    assert!(section(&fewer.text, 1).contains("a=simulcast:recv f\r\n"));
    let again = after(&offer(&three), Some(&fewer.negotiated), 3).expect("answer");
    assert_eq!(again.negotiated.plan.publish, before.plan.publish);
}
