use std::time::Duration;

use super::*;
use crate::time::anchor;

/// A packet of VP9 in non-flexible mode: one frame of a layer in one packet.
#[derive(Clone, Copy)]
struct Vp9 {
    picture: u16,
    spatial: u8,
    temporal: u8,
    /// Predicted from an earlier picture.
    is_predicted: bool,
    is_switching_point: bool,
    /// No larger size needs it.
    is_top: bool,
}

const DELTA: Vp9 = Vp9 {
    picture: 1,
    spatial: 0,
    temporal: 0,
    is_predicted: true,
    is_switching_point: true,
    is_top: true,
};

impl Vp9 {
    fn payload(self) -> Vec<u8> {
        let [high, low] = self.picture.to_be_bytes();
        let first = 0xac | u8::from(self.is_predicted) << 6 | u8::from(self.is_top);
        let layer = self.temporal << 5 | u8::from(self.is_switching_point) << 4 | self.spatial << 1;
        vec![first, high | 0x80, low, layer, 9, 0x55]
    }
}

fn read(scalable: &mut Scalable, payload: &[u8]) -> Read {
    scalable.read(Format::Vp9, payload, None).unwrap()
}

fn part(vp9: Vp9) -> Part {
    read(&mut Scalable::default(), &vp9.payload()).picture.part.unwrap()
}

fn rungs(set: LayerSet) -> Vec<usize> {
    (0..MAX_RUNGS).filter(|at| set.has(*at)).collect()
}

#[test]
fn a_frame_is_of_its_size_and_of_larger_ones_that_need_it_at_every_rate_that_has_it() {
    assert_eq!(rungs(part(DELTA).members), [0, 1, 2]);
    assert_eq!(rungs(part(Vp9 { is_top: false, ..DELTA }).members), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(rungs(part(Vp9 { spatial: 1, temporal: 1, ..DELTA }).members), [4, 5]);
    assert_eq!(rungs(part(Vp9 { spatial: 2, temporal: 2, ..DELTA }).members), [8]);
    // A fourth rate is of the full one, a fourth size of none.
    assert_eq!(rungs(part(Vp9 { temporal: 5, ..DELTA }).members), [2]);
    assert_eq!(rungs(part(Vp9 { spatial: 3, ..DELTA }).members), []);
}

#[test]
fn keyframes_switch_to_everything_and_switching_points_to_higher_rates() {
    let key = Vp9 { is_predicted: false, is_top: false, ..DELTA };
    assert_eq!(rungs(part(key).switches), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(part(key).is_key);
    let upper = Vp9 { spatial: 1, ..key };
    assert_eq!(rungs(part(upper).switches), [3, 4, 5], "its own size");
    assert!(!part(upper).is_key);
    assert_eq!(rungs(part(DELTA).switches), [1, 2]);
    assert_eq!(rungs(part(Vp9 { temporal: 1, ..DELTA }).switches), [2]);
    assert_eq!(rungs(part(Vp9 { is_switching_point: false, ..DELTA }).switches), []);
}

#[test]
fn frames_are_numbered_in_their_order_over_every_wrap() {
    let mut scalable = Scalable::default();
    let mut number = |picture, spatial| {
        let payload = Vp9 { picture, spatial, ..DELTA }.payload();
        read(&mut scalable, &payload).picture.part.unwrap().frame
    };
    let first = number(0x7ffe, 2);
    assert_eq!(number(0x7fff, 0), first + 2);
    assert_eq!(number(1, 1), first + 11);
    assert_eq!(number(0x7ffe, 0), first - 2, "a late one");
}

#[test]
fn sizes_that_come_are_there_until_they_are_silent_or_pictures_end_without_them() {
    let start = anchor();
    let at = |ms| start + Duration::from_millis(ms);
    let mut scalable = Scalable::default();
    let hear = |scalable: &mut Scalable, spatial, marker, ms| {
        let packet = read(scalable, &Vp9 { spatial, ..DELTA }.payload());
        scalable.heard(&packet, marker, 100, at(ms))
    };
    let there = |scalable: &Scalable| {
        let rungs = scalable.rungs();
        [2, 5, 8].map(|rung: usize| rungs[rung].presence == Presence::Live)
    };

    assert_eq!(hear(&mut scalable, 0, Marker::Clear, 0), News::Yes);
    assert_eq!(hear(&mut scalable, 2, Marker::Set, 0), News::Yes);
    assert_eq!(there(&scalable), [true, false, true]);
    assert_eq!(hear(&mut scalable, 0, Marker::Set, 30), News::No, "one frame left out");
    assert_eq!(hear(&mut scalable, 0, Marker::Set, 60), News::No);
    assert_eq!(hear(&mut scalable, 0, Marker::Set, 90), News::Yes);
    assert_eq!(there(&scalable), [true, false, false]);
    assert_eq!(scalable.silent_at(), Some(at(1_090)));
    assert_eq!(scalable.expire(at(1_089)), News::No);
    assert_eq!(scalable.expire(at(1_090)), News::Yes);
    assert_eq!(there(&scalable), [false; 3]);
}

#[test]
fn heights_are_told_or_follow_from_the_sizes_that_are_there() {
    let mut scalable = Scalable::default();
    let heights = |scalable: &Scalable| [2, 5, 8].map(|at: usize| scalable.rungs()[at].height);
    assert_eq!(heights(&scalable), [180, 360, 720], "nothing is known");

    // Three sizes are announced, the largest does not come.
    let mut payload = vec![0xae, 0x80, 1, 0, 9, 0b0101_0000];
    for height in [135_u16, 270, 540] {
        payload.extend([0, 9]);
        payload.extend(height.to_be_bytes());
    }
    let packet = read(&mut scalable, &payload);
    assert_eq!(scalable.heard(&packet, Marker::Clear, 100, anchor()), News::Yes);
    assert_eq!(heights(&scalable), [135, 270, 540]);
    let middle = read(&mut scalable, &Vp9 { spatial: 1, ..DELTA }.payload());
    let _news = scalable.heard(&middle, Marker::Set, 100, anchor());
    assert_eq!(heights(&scalable), [135, 270, 540]);
}

#[test]
fn a_rung_costs_what_is_sent_for_it() {
    let start = anchor();
    let mut scalable = Scalable::default();
    // Two sizes of which the larger needs the smaller in every picture: 100 and 300 bytes, 50 pictures a second.
    for step in 0..100_u16 {
        let now = start + Duration::from_millis(20) * u32::from(step);
        let temporal = u8::from(step % 2 == 1);
        for (spatial, bytes, is_top) in [(0, 100, false), (1, 300, true)] {
            let vp9 = Vp9 { picture: step, spatial, temporal, is_top, ..DELTA };
            let packet = read(&mut scalable, &vp9.payload());
            let _news = scalable.heard(&packet, Marker::Clear, bytes, now);
        }
    }
    let kbps = |at| scalable.cost(at).map(|cost| (cost.0 + 500) / 1_000);
    let near = |at, expected: u64| {
        let cost = kbps(at).unwrap();
        assert!(
            cost.abs_diff(expected) <= expected / 20,
            "rung {at}: {cost} instead of {expected}"
        );
    };
    near(2, 40);
    near(0, 20);
    near(5, 160);
    near(3, 80);
}

#[test]
fn av1_without_a_descriptor_and_vp9_without_layers_are_sent_whole() {
    let mut scalable = Scalable::default();
    let av1 = scalable.read(Format::Av1, &[0x18, 1, 2], None).unwrap().picture;
    assert_eq!(av1.keyframe, Keyframe::Starts);
    assert_eq!(av1.part.unwrap().members, LayerSet::first(MAX_RUNGS));
    let vp9 = read(&mut scalable, &[0xcc, 5, 0]).picture;
    assert_eq!(vp9.keyframe, Keyframe::Otherwise);
    assert_eq!(vp9.part.unwrap().members, LayerSet::first(MAX_RUNGS));
    assert!(scalable.read(Format::Av1, &[], None).is_none());
    assert!(scalable.read(Format::Vp9, &[0xa0], None).is_none());
    // A descriptor whose templates never came tells nothing.
    let unknown = scalable.read(Format::Av1, &[0x18, 1], Some(&[0xc0, 0, 1])).unwrap();
    assert_eq!(unknown.picture.part, None);
}
