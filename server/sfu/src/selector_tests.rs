use super::*;
use crate::limits::{MAX_LAYERS, MAX_TEMPORAL};

/// How upper layers depend on lower ones.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prediction {
    /// In each picture (L3T3).
    Full,
    /// In key pictures alone (L3T3_KEY).
    Key,
}

/// A stream of three sizes at three rates, in four pictures: temporal layers 0, 2, 1, 2.
struct Stream {
    prediction: Prediction,
    picture: u32,
}

impl Stream {
    fn new(prediction: Prediction) -> Self {
        Self { prediction, picture: 0 }
    }

    fn temporal(picture: u32) -> u8 {
        [0, 2, 1, 2][(picture % 4) as usize]
    }

    /// The frames of the next picture, the smallest size first, and their timestamp.
    fn picture(&mut self, is_key: bool) -> (Vec<Part>, u32) {
        let picture = self.picture;
        self.picture += 1;
        // A keyframe begins the pattern anew.
        if is_key {
            self.picture = self.picture.next_multiple_of(4) + 1;
        }
        let number = if is_key { self.picture - 1 } else { picture };
        let temporal = Self::temporal(number);
        let part = |spatial: u8| {
            let (mut members, mut switches) = (LayerSet::NONE, LayerSet::NONE);
            for at in 0..MAX_RUNGS {
                let own = rung::spatial(at) == usize::from(spatial);
                let below = usize::from(spatial) < rung::spatial(at);
                let is_needed = own || below && (is_key || self.prediction == Prediction::Full);
                if is_needed && rung::has_rate(at, temporal) {
                    members = members.with(at);
                    let raises = usize::from(temporal) < rung::temporal(at);
                    if is_key && (spatial == 0 || own) || own && raises {
                        switches = switches.with(at);
                    }
                }
            }
            Part {
                frame: number * 4 + u32::from(spatial),
                members,
                switches,
                spatial,
                is_key: is_key && spatial == 0,
                ends: true,
                has_structure: false,
            }
        };
        ((0..MAX_LAYERS as u8).map(part).collect(), number * 3_000)
    }
}

/// What of a picture is sent: (spatial layer, whether it is marked as the last).
fn sent(selector: &mut Selector, (parts, timestamp): (Vec<Part>, u32)) -> Vec<(u8, bool)> {
    let fates = parts.iter().map(|part| (part.spatial, selector.take(part, timestamp)));
    fates
        .filter_map(|(spatial, fate)| match fate {
            Fate::Sent(marker) => Some((spatial, marker == Marker::Set)),
            Fate::LeftOut => None,
        })
        .collect()
}

/// A slot that began with a keyframe, and the stream behind it.
fn begun(prediction: Prediction, wanted: usize) -> (Selector, Stream) {
    let mut selector = Selector::default();
    let mut stream = Stream::new(prediction);
    selector.want(wanted);
    let (parts, timestamp) = stream.picture(true);
    assert_ne!(selector.begin(&parts[0], timestamp), Fate::LeftOut);
    for part in &parts[1..] {
        let _fate = selector.take(part, timestamp);
    }
    (selector, stream)
}

const SMALLEST: usize = MAX_TEMPORAL - 1;

#[test]
fn sizes_above_the_shown_one_are_left_out_and_its_last_packet_is_marked() {
    let (mut selector, mut stream) = begun(Prediction::Full, rung::at(1, 2));
    assert_eq!(sent(&mut selector, stream.picture(false)), [(0, false), (1, true)]);
    let (mut selector, mut stream) = begun(Prediction::Full, SMALLEST);
    assert_eq!(sent(&mut selector, stream.picture(false)), [(0, true)]);
    let (mut selector, mut stream) = begun(Prediction::Full, rung::LAST);
    assert_eq!(sent(&mut selector, stream.picture(false)), [(0, false), (1, false), (2, true)]);
}

#[test]
fn between_keyframes_only_the_shown_size_is_sent_where_it_needs_no_other() {
    let (mut selector, mut stream) = begun(Prediction::Key, rung::LAST);
    assert_eq!(sent(&mut selector, stream.picture(false)), [(2, true)]);
    assert_eq!(sent(&mut selector, stream.picture(true)), [(0, false), (1, false), (2, true)]);
}

#[test]
fn a_larger_size_begins_with_a_keyframe_and_not_before() {
    for prediction in [Prediction::Full, Prediction::Key] {
        let (mut selector, mut stream) = begun(prediction, SMALLEST);
        selector.want(rung::LAST);
        assert!(selector.needs_keyframe());
        for _ in 0..8 {
            assert_eq!(sent(&mut selector, stream.picture(false)), [(0, true)]);
        }
        assert_eq!(sent(&mut selector, stream.picture(true)), [(0, false), (1, false), (2, true)]);
        assert!(!selector.needs_keyframe());
    }
}

#[test]
fn a_smaller_size_begins_at_once_if_it_was_sent_all_along_and_else_with_a_keyframe() {
    let (mut selector, mut stream) = begun(Prediction::Full, rung::LAST);
    selector.want(SMALLEST);
    assert!(!selector.needs_keyframe());
    assert_eq!(sent(&mut selector, stream.picture(false)), [(0, true)]);

    let (mut selector, mut stream) = begun(Prediction::Key, rung::LAST);
    assert_eq!(sent(&mut selector, stream.picture(false)), [(2, true)]);
    selector.want(SMALLEST);
    assert!(selector.needs_keyframe());
    assert_eq!(sent(&mut selector, stream.picture(false)), [(2, true)]);
    assert_eq!(sent(&mut selector, stream.picture(true)), [(0, true)]);

    // Meanwhile a lower rate eases the line.
    let (mut selector, mut stream) = begun(Prediction::Key, rung::LAST);
    assert_eq!(sent(&mut selector, stream.picture(false)), [(2, true)]);
    selector.want(rung::at(0, 1));
    assert_eq!(sent(&mut selector, stream.picture(false)), [(0, true)], "nothing of it is missed");
    selector.want(rung::LAST);
    assert_eq!(sent(&mut selector, stream.picture(true)).len(), MAX_LAYERS);
    for _ in 0..4 {
        let _all = sent(&mut selector, stream.picture(false));
    }
    selector.want(rung::at(0, 1));
    let pictures: Vec<_> = (0..4).map(|_| sent(&mut selector, stream.picture(false))).collect();
    assert_eq!(pictures.concat(), [(2, true), (2, true)]);
}

#[test]
fn frames_are_left_out_at_once_and_come_back_only_behind_a_switching_point() {
    let (mut selector, mut stream) = begun(Prediction::Key, rung::LAST);
    let rate = |selector: &mut Selector, stream: &mut Stream, count: usize| -> String {
        let pictures = (0..count).map(|_| {
            let temporal = Stream::temporal(stream.picture);
            let is_sent = !sent(selector, stream.picture(false)).is_empty();
            if is_sent { char::from(b'0' + temporal) } else { '-' }
        });
        pictures.collect()
    };
    assert_eq!(rate(&mut selector, &mut stream, 7), "2120212");
    selector.want(rung::at(2, 0));
    assert_eq!(rate(&mut selector, &mut stream, 7), "0---0--");
    // The next frame refers to one that was left out.
    selector.want(rung::LAST);
    assert!(!selector.needs_keyframe(), "a frame rate waits by itself");
    assert_eq!(rate(&mut selector, &mut stream, 5), "-0212");
}

#[test]
fn a_picture_that_has_begun_is_not_cut_in_two() {
    let (mut selector, mut stream) = begun(Prediction::Full, rung::LAST);
    let (parts, timestamp) = stream.picture(false);
    assert_eq!(selector.take(&parts[0], timestamp), Fate::Sent(Marker::Clear));

    selector.want(SMALLEST);

    assert_eq!(selector.take(&parts[1], timestamp), Fate::Sent(Marker::Clear));
    assert_eq!(selector.take(&parts[2], timestamp), Fate::Sent(Marker::Set));
    assert_eq!(sent(&mut selector, stream.picture(false)), [(0, true)]);
}

#[test]
fn packets_that_come_late_share_the_fate_of_their_frame() {
    let (mut selector, mut stream) = begun(Prediction::Full, rung::LAST);
    let (first, first_at) = stream.picture(false);
    let (second, second_at) = stream.picture(false);
    assert_eq!(sent(&mut selector, (first[..2].to_vec(), first_at)).len(), 2);
    selector.want(rung::at(1, 2));
    assert_eq!(sent(&mut selector, (second, second_at)), [(0, false), (1, true)]);

    // A frame of the first picture comes only now: then the largest size was shown.
    assert_eq!(selector.take(&first[2], first_at), Fate::Sent(Marker::Set));
    assert_eq!(selector.take(&first[0], first_at), Fate::Sent(Marker::Clear));
    let ancient = Part { frame: first[0].frame.wrapping_sub(REMEMBERED), ..first[0] };
    assert_eq!(selector.take(&ancient, 0), Fate::LeftOut);
}

#[test]
fn what_comes_late_from_before_a_keyframe_is_of_no_use_to_a_size_that_begins_behind_it() {
    let (mut selector, mut stream) = begun(Prediction::Key, rung::LAST);
    let (lost, lost_at) = stream.picture(false);
    assert_eq!(sent(&mut selector, (lost[1..].to_vec(), lost_at)), [(2, true)]);
    assert_eq!(sent(&mut selector, stream.picture(true)).len(), MAX_LAYERS);
    let (between, between_at) = stream.picture(false);
    assert_eq!(sent(&mut selector, (between[1..].to_vec(), between_at)), [(2, true)]);
    selector.want(SMALLEST);
    assert_eq!(sent(&mut selector, stream.picture(false)), [(0, true)], "nothing of it is missed");

    assert_eq!(selector.take(&lost[0], lost_at), Fate::LeftOut, "it refers to what was left out");
    assert_ne!(selector.take(&between[0], between_at), Fate::LeftOut, "what is shown refers to it");
}

#[test]
fn a_slot_begins_with_what_the_keyframe_offers() {
    let mut selector = Selector::default();
    let (parts, timestamp) = Stream::new(Prediction::Full).picture(true);
    let only = |rungs: LayerSet| Part { switches: rungs, ..parts[0] };
    selector.want(SMALLEST);
    let _fate = selector.begin(&only(LayerSet::NONE.with(5)), timestamp);
    assert_eq!(selector.shown(), 5, "nothing smaller is there");
    let _fate = selector.begin(&only(LayerSet::NONE.with(0).with(5)), timestamp);
    assert_eq!(selector.shown(), 0);
}

/// Whatever a slot wants and whenever, of every frame that is sent all that it needs was sent.
#[test]
fn every_frame_that_is_sent_decodes_whatever_is_wanted_when() {
    for prediction in [Prediction::Full, Prediction::Key] {
        let mut state = 0x9e37_79b9_u32;
        let mut roll = |sides: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % sides
        };
        let (mut selector, mut stream) = begun(prediction, rung::LAST);
        // Of each size the newest picture that was decoded, by temporal layer; pictures refer to the newest of a lower layer,
        // or within it of layer 0.
        let mut decoded = [[true; MAX_TEMPORAL]; MAX_LAYERS];
        for _ in 0..20_000 {
            if roll(7) == 0 {
                selector.want(roll(9) as usize);
            }
            let is_key = roll(25) == 0;
            let (parts, timestamp) = stream.picture(is_key);
            let mut is_below_decoded = false;
            for part in &parts {
                let spatial = usize::from(part.spatial);
                let temporal = usize::from(Stream::temporal(part.frame / 4));
                let is_sent = selector.take(part, timestamp) != Fate::LeftOut;
                let earlier = decoded[spatial][..=temporal.saturating_sub(1)].iter().all(|it| *it);
                let needs_below = spatial > 0 && (is_key || prediction == Prediction::Full);
                let decodes = (is_key || earlier) && (!needs_below || is_below_decoded);
                assert!(!is_sent || decodes, "{spatial}, {temporal} of {}", part.frame);
                is_below_decoded = is_sent;
                decoded[spatial][temporal] = is_sent;
                if temporal == 0 {
                    // What refers to the picture before this one will not come any more.
                    decoded[spatial][1..].fill(is_sent);
                }
            }
        }
    }
}
