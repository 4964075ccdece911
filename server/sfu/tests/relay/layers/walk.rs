//! Layers, wishes, losses and time in any order, against a reference that counts frames one by one.

use std::time::Duration;

use proptest::prelude::*;
use sfu::plan::Ssrc;

use super::{layer_of, want, watched_by};
use crate::client::Frame;

/// One thing that happens in a call with one watcher.
#[derive(Clone, Debug)]
enum Step {
    Frame {
        layer: usize,
        key: bool,
    },
    /// On its way to us.
    Lost {
        layer: usize,
    },
    Want {
        tile: u16,
    },
    Pass {
        ms: u64,
    },
    Nack {
        back: u16,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0_usize..3, prop::bool::weighted(0.2)).prop_map(|(layer, key)| Step::Frame { layer, key }),
        1 => (0_usize..3).prop_map(|layer| Step::Lost { layer }),
        2 => prop::sample::select(vec![90_u16, 180, 270, 360, 500, 720, 1_080]).prop_map(|tile| Step::Want { tile }),
        4 => (1_u64..60).prop_map(|ms| Step::Pass { ms }),
        1 => (200_u64..1_300).prop_map(|ms| Step::Pass { ms }),
        2 => (0_u16..20).prop_map(|back| Step::Nack { back }),
    ]
}

/// The reference: what a watcher of one track should be sent, one frame at a time.
struct Naive {
    now_ms: u64,
    heard_ms: [Option<u64>; 3],
    tile: u16,
    current: usize,
    /// Layer, picture and number of all that was sent.
    sent: Vec<(usize, u16, u16)>,
    /// Of the current layer: what to add to its sequence numbers.
    offset: u16,
}

impl Naive {
    fn target(&self) -> usize {
        let is_live =
            |layer: &usize| self.heard_ms[*layer].is_some_and(|heard| self.now_ms < heard + 1_000);
        let fits = match self.tile {
            0..=202 => 0,
            203..=405 => 1,
            _ => 2,
        };
        let smaller = (0..=fits).rev().find(is_live);
        smaller.or_else(|| (fits + 1..3).find(is_live)).unwrap_or(self.current)
    }

    fn frame(&mut self, layer: usize, is_key: bool, picture: u16, sequence: u16) {
        self.heard_ms[layer] = Some(self.now_ms);
        let is_switch = layer != self.current && layer == self.target() && is_key;
        if is_switch {
            let next = self.sent.last().map_or(0, |(_, _, number)| number.wrapping_add(1));
            self.offset = next.wrapping_sub(sequence);
            self.current = layer;
        }
        if layer == self.current {
            self.sent.push((layer, picture, sequence.wrapping_add(self.offset)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_layers_and_wishes_do_the_watcher_gets_what_counting_frames_one_by_one_says(
        steps in prop::collection::vec(step(), 1..250),
    ) {
        let mut world = watched_by(&[180]);
        world.layer(0, 0, Frame::Key);
        let first = world.clients[1].received("v0")[0].clone();
        let mut naive = Naive {
            now_ms: 0,
            heard_ms: [Some(0), None, None],
            tile: 180,
            current: 0,
            sent: vec![(0, world.clients[0].layers[0].picture - 1, first.sequence())],
            offset: first.sequence().wrapping_sub(world.clients[0].layers[0].sequence - 1),
        };
        let slot = world.clients[1].slot("v0");
        for step in steps {
            match step {
                Step::Frame { layer, key } => {
                    let stream = world.clients[0].layers[layer];
                    world.layer(0, layer, if key { Frame::Key } else { Frame::Delta });
                    naive.frame(layer, key, stream.picture, stream.sequence);
                }
                Step::Lost { layer } => {
                    world.clients[0].layer_plain(layer, Frame::Delta);
                }
                Step::Want { tile } => {
                    want(&mut world, 1, tile);
                    naive.tile = tile;
                }
                Step::Pass { ms } => {
                    world.advance(Duration::from_millis(ms));
                    naive.now_ms += ms;
                    for client in 0..2 {
                        world.check(client);
                    }
                }
                Step::Nack { back } => {
                    let newest = naive.sent.last().map_or(0, |(_, _, number)| *number);
                    let mut nack = vec![0x81, 205, 0, 3, 0, 0, 0, 1];
                    nack.extend(slot.ssrc.0.to_be_bytes());
                    nack.extend(newest.wrapping_sub(back).to_be_bytes());
                    nack.extend([0, 3]);
                    world.rtcp(1, &nack);
                }
            }
        }

        let picture = |payload: &[u8]| u16::from_be_bytes([payload[17], payload[18]]);
        let packets = world.clients[1].received("v0");
        let got: Vec<(usize, u16, u16)> = packets
            .iter()
            .map(|it| (usize::from(layer_of(it)), picture(it.payload()), it.sequence()))
            .collect();
        prop_assert_eq!(got, naive.sent);
        for pair in packets.windows(2) {
            let step = pair[1].timestamp().wrapping_sub(pair[0].timestamp());
            prop_assert!((1..1 << 31).contains(&step), "time ran back");
        }
        for resent in world.clients[1].rtp.iter().filter(|it| Some(Ssrc(it.ssrc())) == slot.rtx) {
            let original = u16::from_be_bytes([resent.payload()[0], resent.payload()[1]]);
            let first = packets.iter().find(|it| it.sequence() == original).expect("sent before");
            prop_assert_eq!(&resent.payload()[2..], first.payload());
            prop_assert_eq!(resent.timestamp(), first.timestamp());
        }
    }
}
