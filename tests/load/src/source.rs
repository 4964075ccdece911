//! What a publisher sends: a camera in bursts, a microphone every 20 ms. Each payload ends with the time it was sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Payload type of Opus, as Chromium numbers it.
pub const OPUS: u8 = 111;
/// Payload type of VP8, as Chromium numbers it.
pub const VP8: u8 = 96;
/// Id of the audio level (RFC 6464) among header extensions.
pub const AUDIO_LEVEL: u8 = 1;

/// Frames a second of the camera.
pub const FRAME_RATE: u32 = 30;
/// Bytes of a video packet before protection, header included.
const VIDEO_BYTES: usize = 1_200;
/// Bytes of Opus at 32 kb/s in 20 ms.
const VOICE_BYTES: usize = 80;
/// At the end of each payload: nanoseconds since 1970, as the kernel stamps what it receives.
const STAMP_BYTES: usize = 8;

/// Time between two Opus packets.
pub const VOICE_INTERVAL: Duration = Duration::from_millis(20);
/// Time between two frames.
pub const FRAME_INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / FRAME_RATE as u64);

/// Load of one publisher.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Video packets a second, in [`FRAME_RATE`] bursts.
    pub video: u32,
}

impl Rate {
    /// A camera at 1 Mb/s.
    pub const CAMERA: Self = Self { video: 104 };

    /// Opus packets a second.
    pub const VOICE: u32 = 50;

    /// Packets a second of both sources.
    pub fn packets(self) -> u32 {
        self.video + Self::VOICE
    }
}

/// A microphone and a camera.
#[derive(Debug)]
pub struct Source {
    pub mic: u32,
    pub cam: u32,
    rate: Rate,
    voice: Numbers,
    picture: Numbers,
    frame: u16,
    /// Packets owed to the camera, in 1/[`FRAME_RATE`].
    owed: u32,
    /// A keyframe was asked for; the first frame is one.
    pub wants_keyframe: bool,
    /// Packets sent.
    pub sent: u64,
}

#[derive(Debug, Default)]
struct Numbers {
    sequence: u16,
    timestamp: u32,
}

impl Source {
    /// With these SSRCs.
    pub fn new(mic: u32, cam: u32, rate: Rate) -> Self {
        Self {
            mic,
            cam,
            rate,
            voice: Numbers::default(),
            picture: Numbers::default(),
            frame: 0,
            owed: 0,
            wants_keyframe: true,
            sent: 0,
        }
    }

    /// The next 20 ms of sound.
    pub fn voice(&mut self, packet: &mut Vec<u8>) {
        packet.clear();
        header(packet, 0x90, OPUS, &self.voice, self.mic);
        // 20 dB below full scale, with the voice bit: somebody who speaks.
        packet.extend_from_slice(&[0xbe, 0xde, 0, 1, AUDIO_LEVEL << 4, 0x80 | 20, 0, 0]);
        let end = packet.len() + VOICE_BYTES;
        // TOC of SILK wideband, 20 ms, mono (RFC 6716 §3.1).
        packet.push(0x48);
        packet.resize(end, 0x55);
        self.voice.sequence = self.voice.sequence.wrapping_add(1);
        self.voice.timestamp = self.voice.timestamp.wrapping_add(960);
        self.sent += 1;
    }

    /// The next frame, packet by packet.
    pub fn frame(&mut self, packet: &mut Vec<u8>, mut each: impl FnMut(&mut Vec<u8>)) {
        self.owed += self.rate.video;
        let packets = self.owed / FRAME_RATE;
        self.owed %= FRAME_RATE;
        let delta = u8::from(!std::mem::take(&mut self.wants_keyframe));
        let [high, low] = self.frame.to_be_bytes();
        for index in 0..packets {
            packet.clear();
            let marker = if index + 1 == packets { 0x80 } else { 0 };
            header(packet, 0x80, VP8 | marker, &self.picture, self.cam);
            let start = if index == 0 { 0x10 } else { 0 };
            // Picture id, TL0PICIDX and TID (RFC 7741 §4.2), as Chromium writes them.
            packet.extend_from_slice(&[0x80 | start, 0xe0, 0x80 | high, low, low, 0x20]);
            if index == 0 {
                // Frame header (RFC 6386 §9.1): a keyframe of 640×360, or a delta frame.
                packet.extend_from_slice(&[0x10 | delta, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0x68, 1]);
            }
            packet.resize(VIDEO_BYTES, 0x55);
            self.picture.sequence = self.picture.sequence.wrapping_add(1);
            self.sent += 1;
            each(packet);
        }
        self.picture.timestamp = self.picture.timestamp.wrapping_add(90_000 / FRAME_RATE);
        self.frame = self.frame.wrapping_add(1) & 0x7fff;
    }
}

fn header(packet: &mut Vec<u8>, first: u8, second: u8, numbers: &Numbers, ssrc: u32) {
    packet.extend_from_slice(&[first, second]);
    packet.extend_from_slice(&numbers.sequence.to_be_bytes());
    packet.extend_from_slice(&numbers.timestamp.to_be_bytes());
    packet.extend_from_slice(&ssrc.to_be_bytes());
}

/// Writes the time into the last bytes.
pub fn stamp(packet: &mut [u8]) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let now = u64::try_from(now.as_nanos()).expect("before 2554");
    let at = packet.len() - STAMP_BYTES;
    packet[at..].copy_from_slice(&now.to_be_bytes());
}

/// How long a packet took from there to its arrival.
pub fn delay(packet: &[u8], arrived: Duration) -> Option<Duration> {
    let sent = u64::from_be_bytes(*packet.last_chunk()?);
    Some(arrived.saturating_sub(Duration::from_nanos(sent)))
}
