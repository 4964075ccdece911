//! The media relay with real peers: real DTLS, real SRTP, loopback.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, bail};
use mortar::media::sdp::Negotiated;
use mortar::media::{Media, MediaConfig, TCP_CONNECTIONS, WorkerCounters};
use sfu::command::Command;
use sfu::event::{Event, SrtpProfile};
use sfu::plan::{CallKey, PeerKey, Source, SrtpAttempt, TrackKey};
use tests::peer::{Frame, Peer, Received, Slots};
use tokio::sync::watch;

const CALL: CallKey = CallKey(1);
const SLOTS: Slots = Slots { video: 3, audio: 4 };
/// Of a frame, as at 360p.
const FRAME_PACKETS: u16 = 3;

/// A relay with one worker, and everything it ever reported.
struct Relay {
    media: Media,
    events: Arc<Mutex<Vec<Event>>>,
    changes: watch::Receiver<()>,
}

impl Relay {
    fn start() -> Result<Self> {
        let bind = "127.0.0.1:0".parse()?;
        let (media, mut receiver) = Media::start(MediaConfig {
            bind,
            advertise: Vec::new(),
            workers: 1,
            tcp_connections: TCP_CONNECTIONS,
        })?;
        let events = Arc::new(Mutex::new(Vec::new()));
        let (changed, changes) = watch::channel(());
        let log = Arc::clone(&events);
        tokio::spawn(async move {
            while let Some(event) = receiver.recv().await {
                log.lock().expect("lock").push(event);
                changed.send_replace(());
            }
        });
        Ok(Self { media, events, changes })
    }

    async fn join(&self, key: u32) -> Result<(Peer, Negotiated)> {
        let peer = Peer::new(SLOTS).await?;
        let offer = peer.offer().await?;
        let (answer, negotiated) =
            self.media.offer(CALL, PeerKey(key), None, &offer, SrtpAttempt::First)?;
        peer.take_answer(&answer).await?;
        peer.connected().await?;
        self.until(|event| matches!(event, Event::Connected { peer, .. } if *peer == PeerKey(key)))
            .await?;
        Ok((peer, negotiated))
    }

    /// Returns once the relay has reported such an event.
    async fn until(&self, wanted: impl Fn(&Event) -> bool) -> Result<()> {
        let mut changes = self.changes.clone();
        let wait = async {
            while !self.events.lock().expect("lock").iter().any(&wanted) {
                changes.changed().await?;
            }
            Ok(())
        };
        match tokio::time::timeout(Duration::from_secs(20), wait).await {
            Ok(result) => result,
            Err(_) => bail!("waited in vain among {:?}", self.events.lock().expect("lock")),
        }
    }

    /// Everybody named receives everybody named.
    fn introduce(&self, keys: &[u32]) {
        for key in keys {
            let others = keys.iter().filter(|other| *other != key).map(|other| PeerKey(*other));
            let peers: Vec<PeerKey> = others.collect();
            for source in [Source::Mic, Source::Cam] {
                let track = TrackKey { peer: PeerKey(*key), source };
                self.media.command(Command::Audience { track, peers: peers.clone() });
            }
        }
    }

    /// The totals, after every command and datagram that came before.
    async fn counters(&self) -> Result<WorkerCounters> {
        let all = self.media.counters().await;
        all.first().copied().ok_or_else(|| anyhow::anyhow!("the worker has stopped"))
    }

    /// The totals, once so many media packets have come in.
    async fn after_media(&self, packets: u64) -> Result<WorkerCounters> {
        let wait = async {
            loop {
                let counters = self.counters().await?;
                if counters.relay.media_packets_in >= packets {
                    return Ok(counters);
                }
                tokio::task::yield_now().await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(20), wait).await {
            Ok(result) => result,
            Err(_) => bail!("media does not come in: {:?}", self.counters().await?),
        }
    }
}

/// 20 ms of voice and a frame, so many times; the first frame is a keyframe. Gives back packets sent.
async fn talk(peer: &Peer, turns: usize) -> Result<usize> {
    let mut clock = tokio::time::interval(Duration::from_millis(20));
    for turn in 0..turns {
        clock.tick().await;
        peer.send_voice().await?;
        let frame = if turn == 0 { Frame::Key } else { Frame::Delta };
        peer.send_frame(frame, FRAME_PACKETS).await?;
    }
    Ok(turns * (1 + usize::from(FRAME_PACKETS)))
}

#[tokio::test(flavor = "multi_thread")]
async fn three_peers_hear_and_see_each_other_without_loss() -> Result<()> {
    let relay = Relay::start()?;
    let mut peers = Vec::new();
    for key in 1..=3 {
        peers.push(relay.join(key).await?.0);
    }
    relay.introduce(&[1, 2, 3]);
    relay.counters().await?;
    let [a, b, c] = peers.as_slice() else { bail!("three peers") };
    let (from_a, from_b, from_c) = tokio::try_join!(talk(a, 60), talk(b, 60), talk(c, 60))?;
    for (peer, expected) in [(a, from_b + from_c), (b, from_a + from_c), (c, from_a + from_b)] {
        peer.until("everything came", |peer| peer.packets() >= expected).await?;
        let received = peer.received();
        assert_eq!(received.len(), 4, "two voices and two pictures");
        assert!(received.values().all(|line| line.missing() == 0), "{received:?}");
        assert_eq!(received.values().map(Received::packets).sum::<usize>(), expected);
        assert_eq!(received.values().map(|line| line.keyframes).sum::<usize>(), 2);
    }
    let counters = relay.counters().await?;
    assert_eq!(counters.relay.forwarded_packets, 2 * (from_a + from_b + from_c) as u64);
    assert_eq!(counters.relay.handshakes, 3);
    assert_eq!(counters.relay.handshakes_with_fallback_profile, 0);
    assert_eq!((counters.send.dropped_full, counters.send.dropped_unreachable), (0, 0));
    assert_eq!(counters.turning.panics, 0);
    let profile = SrtpProfile::AeadAes128Gcm;
    let connected = Event::Connected { peer: PeerKey(2), profile };
    assert!(relay.events.lock().expect("lock").contains(&connected));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_without_an_audience_is_heard_by_nobody() -> Result<()> {
    let relay = Relay::start()?;
    let (waiting, _) = relay.join(1).await?;
    let (inside, _) = relay.join(2).await?;
    let sent = tokio::try_join!(talk(&waiting, 10), talk(&inside, 10))?;
    let counters = relay.after_media((sent.0 + sent.1) as u64).await?;
    assert_eq!(counters.relay.forwarded_packets, 0);
    assert_eq!((waiting.packets(), inside.packets()), (0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_empty_audience_not_one_packet_goes_out() -> Result<()> {
    let relay = Relay::start()?;
    let (speaker, _) = relay.join(1).await?;
    let (listener, _) = relay.join(2).await?;
    relay.introduce(&[1, 2]);
    relay.counters().await?;
    let first = talk(&speaker, 5).await?;
    listener.until("everything came", |peer| peer.packets() >= first).await?;
    for source in [Source::Mic, Source::Cam] {
        let track = TrackKey { peer: PeerKey(1), source };
        relay.media.command(Command::Audience { track, peers: Vec::new() });
    }
    let before = relay.counters().await?.relay;
    let second = talk(&speaker, 5).await?;
    let after = relay.after_media(before.media_packets_in + second as u64).await?.relay;
    assert_eq!(after.forwarded_packets, before.forwarded_packets);
    assert_eq!(listener.packets(), first);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_left_nothing_goes_to_a_peer_and_nothing_comes_from_it() -> Result<()> {
    let relay = Relay::start()?;
    let (speaker, _) = relay.join(1).await?;
    let (stays, _) = relay.join(2).await?;
    let (leaves, _) = relay.join(3).await?;
    relay.introduce(&[1, 2, 3]);
    relay.counters().await?;
    let first = talk(&speaker, 5).await?;
    stays.until("everything came", |peer| peer.packets() >= first).await?;
    leaves.until("everything came", |peer| peer.packets() >= first).await?;
    relay.media.command(Command::Leave { peer: PeerKey(3) });
    relay.until(|event| *event == Event::Left { peer: PeerKey(3) }).await?;
    let before = relay.counters().await?.relay;
    let second = talk(&speaker, 5).await?;
    talk(&leaves, 5).await?;
    stays.until("the rest came", |peer| peer.packets() >= first + second).await?;
    let after = relay.after_media(before.media_packets_in + second as u64).await?.relay;
    assert_eq!(after.forwarded_packets - before.forwarded_packets, second as u64);
    assert_eq!(after.media_packets_in - before.media_packets_in, second as u64);
    assert_eq!(leaves.packets(), first);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_packet_is_asked_for_and_a_keyframe_request_reaches_the_publisher() -> Result<()> {
    let relay = Relay::start()?;
    let (speaker, _) = relay.join(1).await?;
    let (listener, negotiated) = relay.join(2).await?;
    relay.introduce(&[1, 2]);
    relay.counters().await?;
    let sent = talk(&speaker, 5).await?;
    listener.until("everything came", |peer| peer.packets() >= sent).await?;
    assert_eq!(speaker.feedback().nacked, 0);
    speaker.send_frame_without(Frame::Delta, 4, 1).await?;
    speaker.send_frame(Frame::Delta, 4).await?;
    speaker.until("the relay asks again", |peer| peer.feedback().nacked > 0).await?;
    let video = negotiated.plan.slots.first().expect("slot").mid;
    let before = speaker.feedback().keyframe_requests;
    listener.request_keyframe(video.as_str()).await?;
    speaker
        .until("the request comes through", |peer| peer.feedback().keyframe_requests > before)
        .await?;
    assert!(relay.counters().await?.relay.keyframe_requests_received > 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_admitted_late_sees_from_a_keyframe_on() -> Result<()> {
    let relay = Relay::start()?;
    let (speaker, _) = relay.join(1).await?;
    let (late, _) = relay.join(2).await?;
    let sent = talk(&speaker, 20).await?;
    relay.after_media(sent as u64).await?;
    relay.introduce(&[1, 2]);
    speaker.until("asked for a keyframe", |peer| peer.feedback().keyframe_requests > 0).await?;
    speaker.send_frame(Frame::Key, FRAME_PACKETS).await?;
    speaker.send_frame(Frame::Delta, FRAME_PACKETS).await?;
    let expected = usize::from(2 * FRAME_PACKETS);
    let pictures = |peer: &Peer| -> Vec<Received> {
        peer.received().into_values().filter(|line| line.keyframes > 0).collect()
    };
    late.until("two frames", |peer| pictures(peer).iter().any(|line| line.packets() >= expected))
        .await?;
    let [line] = pictures(&late).try_into().map_err(|_| anyhow::anyhow!("one picture"))?;
    assert_eq!((line.packets(), line.missing(), line.keyframes), (expected, 0, 1));
    Ok(())
}

/// Two peers without a relay.
async fn direct() -> Result<(Peer, Peer)> {
    let none = Slots { video: 0, audio: 0 };
    let (sender, receiver) = (Peer::new(none).await?, Peer::new(none).await?);
    let offer = sender.offer().await?;
    let answer = receiver.answer(&offer).await?;
    sender.take_answer(&answer).await?;
    sender.connected().await?;
    receiver.connected().await?;
    Ok((sender, receiver))
}

/// Median and 99th percentile in microseconds.
fn percentiles(peers: &[&Peer]) -> (f64, f64) {
    let mut delays: Vec<Duration> = peers
        .iter()
        .flat_map(|peer| peer.received().into_values().flat_map(|received| received.delays))
        .collect();
    delays.sort();
    let at = |share: usize| {
        let index = delays.len().saturating_sub(1) * share / 100;
        delays.get(index).map_or(0.0, |delay| delay.as_secs_f64() * 1e6)
    };
    (at(50), at(99))
}

/// Printed, not asserted: on a shared machine only the order of magnitude means something. The control runs through the
/// same stacks of sender and receiver, without the relay, at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn the_delay_that_the_relay_adds_is_measured() -> Result<()> {
    let relay = Relay::start()?;
    let mut peers = Vec::new();
    for key in 1..=3 {
        peers.push(relay.join(key).await?.0);
    }
    relay.introduce(&[1, 2, 3]);
    relay.counters().await?;
    let (near, far) = direct().await?;
    let [a, b, c] = peers.as_slice() else { bail!("three peers") };
    let sent = tokio::try_join!(talk(a, 150), talk(b, 150), talk(c, 150), talk(&near, 150))?;
    for peer in [a, b, c] {
        peer.until("everything came", |peer| peer.packets() >= 2 * sent.0).await?;
    }
    far.until("everything came", |peer| peer.packets() >= sent.3).await?;
    let (through, control) = (percentiles(&[a, b, c]), percentiles(&[&far]));
    let counters = relay.counters().await?;
    println!("METRIC relay_added_delay_p50_us {:.0} - info", through.0 - control.0);
    println!("METRIC relay_added_delay_p99_us {:.0} - info", through.1 - control.1);
    println!("METRIC direct_delay_p50_us {:.0} - info", control.0);
    println!("METRIC direct_delay_p99_us {:.0} - info", control.1);
    let sent = counters.send;
    println!(
        "METRIC relay_datagrams_per_call {:.2} - info",
        sent.datagrams as f64 / sent.calls.max(1) as f64
    );
    Ok(())
}
