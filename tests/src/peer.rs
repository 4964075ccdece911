//! A scripted participant's media: a real WebRTC stack (`webrtc`) that offers as a browser would, sends prepared Opus
//! and VP8 packets, and keeps count of what comes back. Never to be exposed to the internet.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use rtc::interceptor::{Interceptor, Packet as Intercepted, Slot, StreamInfo, TaggedPacket};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability,
    RtpCodecKind,
};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use tokio::sync::watch;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription, Registry,
    SettingEngineBuilder, register_default_interceptors,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};

/// How long anything in a test may take: far more than it needs on a busy machine, so that only a hang meets it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Payload bytes of a video packet, as Chromium makes them.
const VIDEO_BYTES: usize = 1_100;
/// Payload bytes of an Opus packet of 20 ms at 32 kb/s.
const VOICE_BYTES: usize = 80;
/// At the end of each payload: when it was sent, in nanoseconds since [`EPOCH`].
const STAMP_BYTES: usize = 8;

/// The clock that stamps payloads: one for all peers of a process.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Slots of a peer.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    /// For pictures.
    pub video: usize,
    /// For voices.
    pub audio: usize,
}

/// A participant.
pub struct Peer {
    connection: Arc<dyn PeerConnection>,
    mic: Outgoing,
    cam: Outgoing,
    inbox: Arc<Inbox>,
}

/// A source that the peer sends.
struct Outgoing {
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    state: Mutex<Position>,
}

#[derive(Clone, Copy)]
struct Position {
    sequence: u16,
    timestamp: u32,
    picture: u16,
}

/// Whether a frame can be decoded alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// It can.
    Key,
    /// It builds on the one before.
    Delta,
}

/// What came in on one m-line.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// Sequence numbers in order of arrival.
    pub sequences: Vec<u16>,
    /// RTP timestamps in order of arrival.
    pub timestamps: Vec<u32>,
    /// First packets of keyframes.
    pub keyframes: usize,
    /// From the sender's call to here.
    pub delays: Vec<Duration>,
}

impl Received {
    /// Packets.
    pub fn packets(&self) -> usize {
        self.sequences.len()
    }

    /// Sequence numbers between the lowest and the highest that did not come.
    pub fn missing(&self) -> usize {
        let Some(first) = self.sequences.first() else { return 0 };
        let offsets: std::collections::BTreeSet<i16> = self
            .sequences
            .iter()
            .map(|sequence| sequence.wrapping_sub(*first).cast_signed())
            .collect();
        let (Some(low), Some(high)) = (offsets.first(), offsets.last()) else { return 0 };
        usize::from(high.abs_diff(*low)) + 1 - offsets.len()
    }
}

/// RTCP that came for what the peer sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Feedback {
    /// Requests for a keyframe.
    pub keyframe_requests: u64,
    /// Packets asked for again.
    pub nacked: u64,
}

#[derive(Default)]
struct Inbox {
    connected: Mutex<Option<bool>>,
    gathered: AtomicBool,
    by_ssrc: Mutex<BTreeMap<u32, Received>>,
    mids: Mutex<HashMap<u32, String>>,
    tracks: Mutex<Vec<Arc<dyn TrackRemote>>>,
    feedback: Tallies,
    changes: watch::Sender<()>,
}

#[derive(Default)]
struct Tallies {
    keyframe_requests: AtomicU64,
    nacked: AtomicU64,
}

impl Inbox {
    fn changed(&self) {
        self.changes.send_replace(());
    }

    fn take(&self, packet: &rtp::Packet) {
        let stamp =
            packet.payload.last_chunk::<STAMP_BYTES>().map(|bytes| u64::from_be_bytes(*bytes));
        let mut by_ssrc = self.by_ssrc.lock().expect("lock");
        let received = by_ssrc.entry(packet.header.ssrc).or_default();
        received.sequences.push(packet.header.sequence_number);
        received.timestamps.push(packet.header.timestamp);
        received.keyframes += usize::from(starts_keyframe(&packet.payload));
        if let Some(stamp) = stamp {
            received.delays.push(EPOCH.elapsed().saturating_sub(Duration::from_nanos(stamp)));
        }
        drop(by_ssrc);
        self.changed();
    }
}

struct Handler {
    inbox: Arc<Inbox>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let connected = match state {
            RTCPeerConnectionState::Connected => Some(true),
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => Some(false),
            _ => return,
        };
        *self.inbox.connected.lock().expect("lock") = connected;
        self.inbox.changed();
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.inbox.gathered.store(true, Ordering::Relaxed);
            self.inbox.changed();
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.inbox.tracks.lock().expect("lock").push(Arc::clone(&track));
        self.inbox.changed();
        let inbox = Arc::clone(&self.inbox);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    inbox.take(&packet);
                }
            }
        });
    }
}

impl Peer {
    /// A peer with microphone, camera and slots, not connected to anything.
    pub async fn new(slots: Slots) -> Result<Self> {
        LazyLock::force(&EPOCH);
        let mut engine = MediaEngine::default();
        engine.register_default_codecs()?;
        let audio_level = rtc::rtp::extension::HeaderExtension::AudioLevel(
            rtc::rtp::extension::audio_level_extension::AudioLevelExtension::default(),
        );
        engine.register_header_extension(
            RTCRtpHeaderExtensionCapability { uri: audio_level.uri().to_string() },
            RtpCodecKind::Audio,
            None,
        )?;
        let inbox = Arc::new(Inbox::default());
        let registry = register_default_interceptors(Registry::new(), &mut engine)?
            .with(Slot::from(14_000), Listener::new(Arc::clone(&inbox)));
        let settings = SettingEngineBuilder::new().with_include_loopback_candidate(true).build();
        let connection: Arc<dyn PeerConnection> = Arc::new(
            PeerConnectionBuilder::new()
                .with_media_engine(engine)
                .with_interceptor_registry(registry)
                .with_setting_engine(settings)
                .with_handler(Arc::new(Handler { inbox: Arc::clone(&inbox) }))
                .with_udp_addrs(vec!["127.0.0.1:0"])
                .build()
                .await?,
        );
        let mic = Outgoing::add(&connection, RtpCodecKind::Audio).await?;
        let cam = Outgoing::add(&connection, RtpCodecKind::Video).await?;
        for (kind, count) in
            [(RtpCodecKind::Video, slots.video), (RtpCodecKind::Audio, slots.audio)]
        {
            for _ in 0..count {
                let init = RTCRtpTransceiverInit {
                    direction: RTCRtpTransceiverDirection::Recvonly,
                    ..RTCRtpTransceiverInit::default()
                };
                connection.add_transceiver_from_kind(kind, Some(init)).await?;
            }
        }
        Ok(Self { connection, mic, cam, inbox })
    }

    /// An offer, set as the local description.
    pub async fn offer(&self) -> Result<String> {
        let offer = self.connection.create_offer(None).await?;
        self.connection.set_local_description(offer.clone()).await?;
        Ok(offer.sdp)
    }

    /// Takes the answer to the offer and notes which SSRC belongs to which m-line.
    pub async fn take_answer(&self, answer: &str) -> Result<()> {
        *self.inbox.mids.lock().expect("lock") = mids_of(answer);
        let answer = RTCSessionDescription::answer(answer.to_owned())?;
        Ok(self.connection.set_remote_description(answer).await?)
    }

    /// Answers another peer directly, without a relay: the control for measurements.
    pub async fn answer(&self, offer: &str) -> Result<String> {
        *self.inbox.mids.lock().expect("lock") = mids_of(offer);
        let offer = RTCSessionDescription::offer(offer.to_owned())?;
        self.connection.set_remote_description(offer).await?;
        let answer = self.connection.create_answer(None).await?;
        self.connection.set_local_description(answer).await?;
        self.until("candidates", |peer| peer.inbox.gathered.load(Ordering::Relaxed)).await?;
        let answer = self.connection.local_description().await.context("no local description")?;
        Ok(answer.sdp)
    }

    /// Returns when ICE and DTLS are through.
    pub async fn connected(&self) -> Result<()> {
        self.until("connected", |peer| peer.inbox.connected.lock().expect("lock").is_some())
            .await?;
        if *self.inbox.connected.lock().expect("lock") != Some(true) {
            bail!("the connection failed");
        }
        Ok(())
    }

    /// Returns when the condition holds; it is looked at after each packet and each change of state.
    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) -> Result<()> {
        let mut changes = self.inbox.changes.subscribe();
        let wait = async {
            while !holds(self) {
                changes.changed().await?;
            }
            Ok(())
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(result) => result,
            Err(_) => bail!("waited in vain until: {what}; {}", self.summary()),
        }
    }

    /// Sends 20 ms of voice.
    pub async fn send_voice(&self) -> Result<()> {
        let position = self.mic.advance(1, 960, 0);
        // TOC of SILK wideband, 20 ms, mono (RFC 6716 §3.1); nobody decodes the rest.
        let mut payload = vec![0x48; VOICE_BYTES];
        stamp(&mut payload);
        let level = rtc::rtp::extension::audio_level_extension::AudioLevelExtension {
            level: 20,
            voice: true,
        };
        let packet = self.mic.packet(111, position, false, payload);
        let level = rtc::rtp::extension::HeaderExtension::AudioLevel(level);
        Ok(self.mic.track.write_rtp_with_extensions(packet, &[level]).await?)
    }

    /// Sends a frame of this many packets, 33 ms after the one before.
    pub async fn send_frame(&self, frame: Frame, packets: u16) -> Result<()> {
        let position = self.cam.advance(packets, 3_000, 1);
        for index in 0..packets {
            self.send_part(frame, packets, position, index).await?;
        }
        Ok(())
    }

    /// The same, without one of its packets, as if the network had lost it.
    pub async fn send_frame_without(&self, frame: Frame, packets: u16, lost: u16) -> Result<()> {
        let position = self.cam.advance(packets, 3_000, 1);
        for index in (0..packets).filter(|index| *index != lost) {
            self.send_part(frame, packets, position, index).await?;
        }
        Ok(())
    }

    async fn send_part(&self, frame: Frame, packets: u16, at: Position, index: u16) -> Result<()> {
        let mut payload = vp8(frame, at.picture, index == 0);
        payload.resize(VIDEO_BYTES, 0x55);
        stamp(&mut payload);
        let position = Position { sequence: at.sequence.wrapping_add(index), ..at };
        let packet = self.cam.packet(96, position, index + 1 == packets, payload);
        Ok(self.cam.track.write_rtp(packet).await?)
    }

    /// Asks for a keyframe on a slot, as a decoder that cannot go on does (RFC 4585 §6.3.1).
    pub async fn request_keyframe(&self, mid: &str) -> Result<()> {
        let ssrcs: Vec<u32> = {
            let mids = self.inbox.mids.lock().expect("lock");
            mids.iter().filter(|(_, of)| *of == mid).map(|(ssrc, _)| *ssrc).collect()
        };
        let tracks = self.inbox.tracks.lock().expect("lock").clone();
        for track in tracks {
            if let Some(media_ssrc) =
                track.ssrcs().await.into_iter().find(|ssrc| ssrcs.contains(ssrc))
            {
                let pli = PictureLossIndication { sender_ssrc: self.cam.ssrc, media_ssrc };
                return Ok(track.write_rtcp(vec![Box::new(pli)]).await?);
            }
        }
        bail!("nothing came on m-line {mid}")
    }

    /// What came in so far, for each m-line on which something came.
    pub fn received(&self) -> BTreeMap<String, Received> {
        let mids = self.inbox.mids.lock().expect("lock");
        let by_ssrc = self.inbox.by_ssrc.lock().expect("lock");
        by_ssrc
            .iter()
            .map(|(ssrc, received)| {
                let mid = mids.get(ssrc).cloned().unwrap_or_else(|| format!("ssrc {ssrc}"));
                (mid, received.clone())
            })
            .collect()
    }

    /// Packets that came in on all m-lines.
    pub fn packets(&self) -> usize {
        self.inbox.by_ssrc.lock().expect("lock").values().map(Received::packets).sum()
    }

    /// Forgets what came in.
    pub fn forget(&self) {
        self.inbox.by_ssrc.lock().expect("lock").clear();
    }

    /// RTCP about the own sources.
    pub fn feedback(&self) -> Feedback {
        Feedback {
            keyframe_requests: self.inbox.feedback.keyframe_requests.load(Ordering::Relaxed),
            nacked: self.inbox.feedback.nacked.load(Ordering::Relaxed),
        }
    }

    /// Closes the connection.
    pub async fn close(&self) -> Result<()> {
        Ok(self.connection.close().await?)
    }

    fn summary(&self) -> String {
        let lines = self.received().into_iter().map(|(mid, received)| {
            format!("{mid}: {} packets, {} missing", received.packets(), received.missing())
        });
        format!("[{}], {:?}", lines.collect::<Vec<_>>().join("; "), self.feedback())
    }
}

impl Outgoing {
    async fn add(connection: &Arc<dyn PeerConnection>, kind: RtpCodecKind) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Peers must differ only within one relay; a multiple of a prime keeps them readable in a dump.
        let ssrc = u32::try_from(NEXT.fetch_add(1, Ordering::Relaxed) * 10_007)?;
        let codec = match kind {
            RtpCodecKind::Video => RTCRtpCodec {
                mime_type: MIME_TYPE_VP8.to_owned(),
                clock_rate: 90_000,
                ..RTCRtpCodec::default()
            },
            _ => RTCRtpCodec {
                mime_type: MIME_TYPE_OPUS.to_owned(),
                clock_rate: 48_000,
                channels: 2,
                ..RTCRtpCodec::default()
            },
        };
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..RTCRtpCodingParameters::default()
            },
            codec,
            ..RTCRtpEncodingParameters::default()
        };
        let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            format!("stream-{ssrc}"),
            format!("track-{ssrc}"),
            format!("label-{ssrc}"),
            kind,
            vec![coding],
        )));
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            ..RTCRtpTransceiverInit::default()
        };
        let local: Arc<dyn TrackLocal> = Arc::clone(&track) as Arc<dyn TrackLocal>;
        connection.add_transceiver_from_track(local, Some(init)).await?;
        // Near the wrap, so that every test of more than a second crosses it.
        let start = Position { sequence: 65_500, timestamp: u32::MAX - 20_000, picture: 0x7ff0 };
        Ok(Self { track, ssrc, state: Mutex::new(start) })
    }

    /// Where the next packets stand; the source moves past them.
    fn advance(&self, packets: u16, ticks: u32, pictures: u16) -> Position {
        let mut state = self.state.lock().expect("lock");
        let now = *state;
        state.sequence = now.sequence.wrapping_add(packets);
        state.timestamp = now.timestamp.wrapping_add(ticks);
        state.picture = now.picture.wrapping_add(pictures) & 0x7fff;
        now
    }

    fn packet(
        &self,
        payload_type: u8,
        at: Position,
        marker: bool,
        payload: Vec<u8>,
    ) -> rtp::Packet {
        let header = rtp::header::Header {
            version: 2,
            marker,
            payload_type,
            sequence_number: at.sequence,
            timestamp: at.timestamp,
            ssrc: self.ssrc,
            ..rtp::header::Header::default()
        };
        rtp::Packet { header, payload: Bytes::from(payload) }
    }
}

/// A payload descriptor with 15-bit picture id, TL0PICIDX and TID (RFC 7741 §4.2), as Chromium writes them, and in the
/// first packet the frame's header (RFC 6386 §9.1) of 640×360.
fn vp8(frame: Frame, picture: u16, first: bool) -> Vec<u8> {
    let [high, low] = picture.to_be_bytes();
    let start = if first { 0x10 } else { 0 };
    let tl0 = low;
    let mut payload = vec![0x80 | start, 0xe0, 0x80 | high, low, tl0, 0x20];
    match (first, frame) {
        (true, Frame::Key) => {
            payload.extend([0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]);
        }
        (true, Frame::Delta) => payload.extend([0x11, 0, 0]),
        (false, _) => {}
    }
    payload
}

/// Whether a payload starts a keyframe of ours; Opus packets of ours do not look like one.
fn starts_keyframe(payload: &[u8]) -> bool {
    match payload {
        [0x90, 0xe0, _, _, _, _, tag, ..] => tag & 1 == 0,
        _ => false,
    }
}

fn stamp(payload: &mut [u8]) {
    let now = u64::try_from(EPOCH.elapsed().as_nanos()).expect("a test of less than 584 years");
    if let Some(last) = payload.last_chunk_mut::<STAMP_BYTES>() {
        *last = now.to_be_bytes();
    }
}

/// SSRC → mid, from `a=ssrc` lines.
fn mids_of(sdp: &str) -> HashMap<u32, String> {
    let mut mid = String::new();
    let mut mids = HashMap::new();
    for section in sdp.split("\r\nm=").skip(1) {
        for line in section.lines() {
            if let Some(value) = line.strip_prefix("a=mid:") {
                mid = value.to_owned();
            }
        }
        for line in section.lines() {
            let ssrc = line.strip_prefix("a=ssrc:").and_then(|value| value.split(' ').next());
            if let Some(ssrc) = ssrc.and_then(|ssrc| ssrc.parse().ok()) {
                mids.insert(ssrc, mid.clone());
            }
        }
    }
    mids
}

/// Counts RTCP about what the peer sends; takes nothing away.
struct Listener {
    inbox: Arc<Inbox>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl Listener {
    fn new(inbox: Arc<Inbox>) -> Self {
        Self { inbox, reads: VecDeque::new(), writes: VecDeque::new() }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Listener {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Intercepted::Rtcp(packets) = &message.message.packet {
            for packet in packets {
                let packet = packet.as_any();
                if packet.is::<PictureLossIndication>() {
                    self.inbox.feedback.keyframe_requests.fetch_add(1, Ordering::Relaxed);
                }
                if let Some(nack) = packet.downcast_ref::<TransportLayerNack>() {
                    let asked: usize = nack.nacks.iter().map(|pair| pair.packet_list().len()).sum();
                    self.inbox.feedback.nacked.fetch_add(asked as u64, Ordering::Relaxed);
                }
            }
            self.inbox.changed();
        }
        self.reads.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.writes.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }
}

impl Interceptor for Listener {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}
