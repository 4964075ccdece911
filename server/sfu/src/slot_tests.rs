use super::*;
use crate::cache::Origin;
use crate::codec::Picture;
use crate::codec::ids::Offsets;
use crate::codec::vp8::Descriptor;
use crate::keyframe::Due;
use crate::plan::{
    ExtensionIds, Format, Formats, Mid, PayloadType, PeerKey, PublishLine, Rid, Source, Ssrc,
};
use crate::time::anchor;
use crate::track::Track;

const RTT: Duration = Duration::from_millis(50);

fn vp8() -> Codec {
    Codec::Picture { format: Format::Vp8, pt: PayloadType(96), rtx: Some(PayloadType(97)) }
}

fn opus() -> Codec {
    Codec::Opus { pt: PayloadType(111), red: None }
}

fn mid() -> Mid {
    Mid::new("v0").unwrap()
}

/// A track of three layers whose SSRCs are known, with what its caches are made of.
struct Published {
    track: Track,
    pool: Pool,
    now: Instant,
}

impl Published {
    fn new(codec: Codec) -> Self {
        let line = PublishLine {
            mid: mid(),
            source: Source::Cam,
            codec,
            extensions: ExtensionIds::default(),
            rids: Rid::ALL.to_vec(),
            ssrcs: vec![],
            rtx_of: vec![],
        };
        let key = TrackKey { peer: PeerKey(1), source: Source::Cam };
        let mut track = Track::new(key, crate::plan::CallKey(1), 0, &line);
        for (layer, ssrc) in track.layers.iter_mut().zip(10..) {
            layer.ssrc = Some(Ssrc(ssrc));
        }
        Self { track, pool: Pool::default(), now: anchor() }
    }

    /// A packet of a layer comes, as `ingress` takes it in.
    fn packet(&mut self, layer: usize, keyframe: Keyframe) {
        let layer = &mut self.track.layers[layer];
        let frame = if keyframe == Keyframe::Starts { 0x10 } else { 0x11 };
        let payload = [0x90, 0xe0, 0x80, 7, 7, 0x20, frame, 0, 0, 0x9d, 0x01, 0x2a, 0, 0, 0, 0];
        let arrival = layer.cache.head();
        let meta = Meta {
            sequence: arrival,
            timestamp: 0,
            marker: Marker::Set,
            arrived: self.now,
            origin: Origin::Own,
            picture: Descriptor::parse(&payload).map(|it| Picture {
                keyframe: it.keyframe,
                ids: it.ids,
                part: None,
            }),
        };
        assert!(layer.cache.push(&mut self.pool, meta, &[], &payload));
        if keyframe == Keyframe::Starts {
            layer.keyframe = Some(arrival);
            layer.keyframes.satisfy();
        }
    }

    fn head(&self, layer: usize) -> Arrival {
        self.track.layers[layer].cache.head()
    }

    fn stuck(&self, slot: &Slot) -> Option<usize> {
        slot.stuck_on(&self.track.layers)
    }
}

/// A slot that waits to begin with a layer, and perhaps flows on it and waits for another.
fn slot(codec: Codec, source: Carried) -> Slot {
    let receives = match codec {
        Codec::Opus { pt, red } => Receives::Sound { pt, red },
        Codec::Picture { format, pt, rtx } => {
            Receives::Pictures(Formats::default().with(format, pt, rtx))
        }
    };
    let mut slot = Slot::new(SlotLine {
        mid: mid(),
        receives,
        extensions: ExtensionIds::default(),
        ssrc: Ssrc(1),
        rtx: None,
        first_sequence: 0,
        first_timestamp: 0,
    });
    slot.source = Some(source);
    slot
}

fn carried(layer: usize, cursor: Arrival, state: State, next: Option<(usize, Arrival)>) -> Carried {
    Carried {
        track: 0,
        key: TrackKey { peer: PeerKey(1), source: Source::Cam },
        layer,
        cursor,
        next: next.map(|(layer, cursor)| Next { layer, cursor }),
        aligned: None,
        state,
        is_announced: false,
    }
}

#[test]
fn a_slot_whose_keyframe_is_still_ahead_or_asked_for_is_not_stuck() {
    let mut published = Published::new(vp8());
    published.packet(1, Keyframe::Starts);
    published.packet(1, Keyframe::Otherwise);
    assert_eq!(published.stuck(&slot(vp8(), carried(1, 0, State::Waiting, None))), None);

    // It has gone by, but somebody has asked for the next one.
    let passed = slot(vp8(), carried(1, 1, State::Waiting, None));
    assert_eq!(published.stuck(&passed), Some(1));
    published.track.layers[1].keyframes.want();
    assert_eq!(published.stuck(&passed), None);
    assert!(published.track.layers[1].keyframes.send(published.now, RTT));
    assert_eq!(published.stuck(&passed), None, "asked for, and not yet here");
    assert!(matches!(published.track.layers[1].keyframes.deadline(RTT), Some(Due::At(_))));
}

#[test]
fn a_keyframe_that_fell_out_of_the_cache_before_it_was_sent_leaves_its_slot_stuck() {
    let mut published = Published::new(vp8());
    published.packet(0, Keyframe::Starts);
    let waiting = slot(vp8(), carried(0, 0, State::Waiting, None));
    assert_eq!(published.stuck(&waiting), None);

    published.now += crate::limits::CACHE_AGE + Duration::from_millis(1);
    published.packet(0, Keyframe::Otherwise);

    assert_eq!(published.stuck(&waiting), Some(0), "it was held back for too long");
}

#[test]
fn a_slot_that_flows_is_stuck_on_the_layer_it_is_about_to_turn_to() {
    let mut published = Published::new(vp8());
    published.packet(0, Keyframe::Starts);
    published.packet(2, Keyframe::Starts);
    let behind = (2, published.head(2));

    assert_eq!(published.stuck(&slot(vp8(), carried(0, 1, State::Flowing, None))), None);
    assert_eq!(published.stuck(&slot(vp8(), carried(0, 1, State::Flowing, Some((2, 0))))), None);
    let stuck = slot(vp8(), carried(0, 1, State::Flowing, Some(behind)));
    assert_eq!(published.stuck(&stuck), Some(2));
}

#[test]
fn nothing_waits_for_a_keyframe_of_sound_or_of_a_layer_that_nobody_has_sent() {
    let sound = Published::new(opus());
    assert_eq!(sound.stuck(&slot(opus(), carried(0, 0, State::Waiting, None))), None);

    let mut published = Published::new(vp8());
    let waiting = slot(vp8(), carried(0, 0, State::Waiting, None));
    assert_eq!(published.stuck(&waiting), Some(0));
    published.track.layers[0].ssrc = None;
    assert_eq!(published.stuck(&waiting), None, "there is nobody to ask");
    assert_eq!(published.stuck(&slot(vp8(), carried(9, 0, State::Waiting, None))), None);
}

#[test]
fn a_slot_that_is_paused_or_carries_nothing_is_not_stuck() {
    let published = Published::new(vp8());
    assert_eq!(published.stuck(&slot(vp8(), carried(0, 0, State::Paused, None))), None);
    let mut empty = slot(vp8(), carried(0, 0, State::Waiting, None));
    empty.carry(None, None);
    assert_eq!(published.stuck(&empty), None);
}

#[test]
fn new_numbers_of_the_layer_it_shows_make_a_slot_wait_from_there() {
    let mut slot = slot(vp8(), carried(1, 40, State::Flowing, Some((2, 7))));
    let ids = Offsets::default();
    let form = Form::new(1, Marker::Set, None);
    slot.sent.note(Leaving { sequence: 5, timestamp: 0, form, arrival: 39, ids }, anchor());
    slot.ask_again(5);

    slot.begin_anew(1, 50);

    let source = slot.source.unwrap();
    assert_eq!((source.layer, source.cursor, source.state), (1, 50, State::Waiting));
    assert!(source.next.is_none(), "what it turns to is chosen anew");
    assert!(slot.pending.is_empty(), "what was sent under the old numbers is not sent again");
    assert!(slot.sent.take_turn(5, RTT, anchor()).is_none());
}

#[test]
fn new_numbers_of_the_layer_it_is_about_to_turn_to_leave_the_picture_it_shows() {
    let mut slot = slot(vp8(), carried(1, 40, State::Flowing, Some((2, 7))));

    slot.begin_anew(2, 50);

    let source = slot.source.unwrap();
    assert_eq!((source.layer, source.cursor, source.state), (1, 40, State::Flowing));
    let next = source.next.unwrap();
    assert_eq!((next.layer, next.cursor), (2, 50), "nothing of the old numbers");
}

#[test]
fn new_numbers_of_another_layer_and_of_a_paused_one_change_nothing() {
    let mut other = slot(vp8(), carried(1, 40, State::Flowing, None));
    other.begin_anew(0, 50);
    assert_eq!(other.source.unwrap().cursor, 40);

    let mut paused = slot(vp8(), carried(1, 40, State::Paused, None));
    paused.begin_anew(1, 50);
    assert_eq!(paused.source.unwrap().state, State::Paused, "who may not see it still may not");
}
