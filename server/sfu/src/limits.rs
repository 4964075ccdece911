//! Every bound of input and memory, with what it trades. What tunes one algorithm stands with it.

use std::time::Duration;

/// Longest datagram taken in: Ethernet's payload. A longer one is no browser's.
pub const MAX_DATAGRAM_BYTES: usize = 1_500;

/// Room for one datagram: 1 500 bytes and our growth (transport-wide sequence number, RTX header, tag), rounded to 512.
pub const CELL_BYTES: usize = 1_536;

/// Cells in one egress slab: more means fewer system calls in a burst, fewer means less memory walked (1.5 MiB).
pub const EGRESS_CELLS: usize = 1_024;

/// Calls' peers on one worker: bounds every table. A core carries some hundreds of video streams; the rest is head room for joins.
pub const MAX_PEERS: usize = 20_000;

/// m-lines of one direction in one plan: 9 + 1 pictures and 11 voices, with room to grow. Each slot costs about 1 KiB idle.
pub const MAX_LINES: usize = 40;

/// SSRCs that one transport may bring (RFC 8108 allows any number). 3 layers of 2 cameras with RTX are 12.
pub const MAX_SSRCS: usize = 64;

/// RTCP senders learned beside the media SSRCs: libwebrtc uses one, others one for each receiving m-line.
pub const MAX_RTCP_SENDERS: usize = 16;

/// Trials of an unknown RTCP sender (or, with AES-CM, of an unknown media SSRC) a second: each costs a key derivation.
/// Lower delays a new stream by packets, higher lets a forger spend our CPU.
pub const MAX_TRIALS_PER_SECOND: u32 = 10;

/// Sizes of one track: quarter, half, full, as encodings of their own (RFC 8853) or as spatial layers of one.
pub const MAX_LAYERS: usize = 3;

/// Frame rates of one size that a scalable stream can be cut down to: its lowest temporal layer, the next one too, all. More
/// would be finer steps than anybody sees.
pub const MAX_TEMPORAL: usize = 3;

/// What a slot can choose from: each size, in a scalable stream at each frame rate.
pub const MAX_RUNGS: usize = MAX_LAYERS * MAX_TEMPORAL;

/// Pictures in a row without a scalable stream's largest size, after which it counts as absent. Fewer takes a frame that the
/// encoder left out for a size that it gave up, more freezes the picture of who watches that size.
pub const PICTURES_WITHOUT_SIZE: u8 = 3;

/// Silence after which a layer counts as absent and its slots fall to a smaller one. Shorter takes a burst of loss for a
/// stopped encoder, longer freezes pictures.
pub const LAYER_SILENT_AFTER: Duration = Duration::from_secs(1);

/// A layer that nobody has needed for this long is called off. Shorter saves the publisher's line and CPU sooner, longer
/// spares a keyframe when a tile grows again.
pub const LAYER_UNWATCHED_AFTER: Duration = Duration::from_secs(1);

/// Height of full pictures until a keyframe has told it, in pixels: what our clients ask their cameras for.
pub const ASSUMED_HEIGHT: u16 = 720;

/// Tile height of a slot whose subscriber has not said any, in pixels. Larger spares a switch, smaller does not flood a thin
/// line before anything is known of it.
pub const ASSUMED_TILE: u16 = 180;

/// Timestamps of two layers as their sender reports relate them are believed up to this far from the time that has
/// passed: above the delay of any usable line, below what a viewer would take for a freeze.
pub const MAX_MISALIGNMENT: Duration = Duration::from_secs(1);

/// Packets one peer may send a second: 10 Mb/s of 1 200 B packets is about 1 040.
pub const MAX_PACKETS_PER_SECOND: u32 = 2_000;

/// RTCP datagrams one peer may send a second: transport feedback 20 times, and on the worst line a NACK every 20 ms for each
/// of ten pictures, are 520. Lower cuts repairs on such a line, higher lets a peer spend more of our CPU: each is opened and
/// walked.
pub const MAX_RTCP_PER_SECOND: u32 = 1_000;

/// Bytes one peer may send a second: 10 Mb/s, four times the best camera and screen together.
pub const MAX_BYTES_PER_SECOND: u32 = 1_250_000;

/// Packets kept for retransmission: one second of the fastest layer. Each is one cell of the pool.
pub const CACHE_PACKETS_VIDEO: usize = 1_024;

/// The same for sound: 50 packets a second leave one to two seconds.
pub const CACHE_PACKETS_AUDIO: usize = 128;

/// How long a packet is kept for retransmission. Longer helps a link with a round trip near a second, and costs memory.
pub const CACHE_AGE: Duration = Duration::from_secs(1);

/// Memory of all caches of one worker.
pub const CACHE_BYTES: usize = 128 * 1024 * 1024;

/// Packets whose way to one subscriber is remembered for retransmission, at most: two seconds of 720p. A slower stream has
/// fewer.
pub const SENT_PACKETS_VIDEO: usize = 512;

/// The same for sound.
pub const SENT_PACKETS_AUDIO: usize = 128;

/// SRTP replay window in packets (RFC 3711 §3.3.2 asks for at least 64): a video burst with RTX outruns 64.
pub const REPLAY_WINDOW: u64 = 1_024;

/// DTLS datagrams and bytes until the handshake is complete; a full one with repeats takes about 20. rtc-dtls itself would
/// keep 2 MB of fragments.
pub const MAX_HANDSHAKE_DATAGRAMS: u32 = 64;
/// See [`MAX_HANDSHAKE_DATAGRAMS`].
pub const MAX_HANDSHAKE_BYTES: usize = 64 * 1024;

/// A browser's handshake takes two round trips; after this the peer is closed.
pub const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(30);

/// DTLS datagrams a minute after the handshake: repeats of its last flight and the alert at the end.
pub const MAX_RECORDS_PER_MINUTE: u32 = 32;

/// DTLS datagrams worked off between two batches of media: a signature takes as long as sealing hundreds of packets.
pub const DTLS_PER_TURN: usize = 4;

/// DTLS datagrams that wait for their turn.
pub const DTLS_QUEUE: usize = 512;

/// Consent (RFC 7675 §5.1): without a valid check for this long nothing more is sent.
pub const CONSENT_PAUSE: Duration = Duration::from_secs(15);

/// Consent: the transport is closed, its addresses are forgotten.
pub const CONSENT_EXPIRY: Duration = Duration::from_secs(30);

/// Addresses of one peer at a time. A telephone with Wi-Fi and mobile, each with IPv4 and IPv6, and a VPN has five, and by UDP
/// each is one; by TCP it is one for each address of ours, of which two may be within reach: fifteen. With fewer, candidates
/// push each other out, and a TCP connection whose address is forgotten is closed; more is memory that a peer chooses.
pub const MAX_ADDRESSES: usize = 16;

/// New addresses of one peer a second. An honest rebinding is one; at its start a browser tries all that it has, one in 50 ms,
/// and repeats what was not answered. Lower delays its start, higher lets a peer have more written into our table.
pub const MAX_REBINDINGS_PER_SECOND: u32 = 10;

/// A live address is not handed to another peer within this time of its last check: nobody takes over a neighbour's
/// address by forging the source of a check. Longer delays a port re-used by the same browser.
pub const ADDRESS_HOLD: Duration = Duration::from_secs(5);

/// Packets of media that are opened for one peer a second, though they come from an address that no check vouched for: of a
/// network that took its address away in the middle of a call 20 come until the new one is known. More lets who has seen its packets
/// spend more of our CPU.
pub const MAX_STRAYS_PER_SECOND: u32 = 50;

/// A check of ours that was not answered is repeated after this long. A round trip is mostly less.
pub const PATH_CHECK_RETRY: Duration = Duration::from_millis(100);

/// ICE restart: the old credentials live this long at most…
pub const RESTART_OVERLAP_MAX: Duration = Duration::from_secs(20);
/// …and this long after the first nominated check under the new ones.
pub const RESTART_OVERLAP_NOMINATED: Duration = Duration::from_secs(5);

/// Generations of credentials valid at a time.
pub const MAX_CREDENTIALS: usize = 3;

/// A check or report this long after the last packet of media means that the sender rests, not that its path is gone: sound
/// comes every 20 ms, with discontinuous transmission every 400 ms.
pub const MEDIA_RESTS_AFTER: Duration = Duration::from_millis(500);

/// Silence after which a peer that sent media counts as quiet: others are to see it within two seconds, and 0.4 s pass on
/// the way to their screens. Longer leaves a frozen face without a word; shorter takes a bad line for a dead one: with
/// discontinuous transmission only three packets of sound are due in this time, and its feedback speaks for it.
pub const QUIET_AFTER: Duration = Duration::from_millis(1_600);

/// The same for a peer that sends no media: Chromium checks a stable path only every 2.5 s, and one check may be lost.
pub const QUIET_AFTER_CHECKS_ONLY: Duration = Duration::from_secs(6);

/// Silence after which a track counts as down.
pub const TRACK_DOWN_AFTER: Duration = Duration::from_secs(2);

/// Sequence numbers of one NACK packet that are looked at.
pub const MAX_NACKED_PER_PACKET: usize = 64;

/// Retransmissions waiting for one slot.
pub const MAX_PENDING_RETRANSMISSIONS: usize = 128;

/// Retransmissions take at most one byte in this many of what was sent: more would feed the congestion that lost them.
pub const RETRANSMISSION_SHARE: u64 = 4;

/// …beyond this allowance a second, or the loss of the first frames could never be repaired.
pub const RETRANSMISSION_FLOOR_BYTES: u64 = 40_000;

/// A goodbye (RFC 3550 §6.6) sooner than this after its source came up is not heeded.
pub const GOODBYE_AFTER: Duration = Duration::from_secs(1);

/// Keyframe requests for one slot nearer together than this are not even looked at: 5 a second.
pub const KEYFRAME_ASK_INTERVAL: Duration = Duration::from_millis(200);

/// Least time between two keyframe requests to one camera layer. A keyframe is 5 to 10 times a delta frame: lower lets a
/// newcomer see sooner, higher keeps a lossy line from sending nothing but keyframes. Above the 300 ms within which
/// libwebrtc's encoder silently drops a second request (`EncoderRtcpFeedback`), with room for jitter.
pub const KEYFRAME_INTERVAL: Duration = Duration::from_millis(330);

/// The same for a shared screen, whose keyframes are the largest of all.
pub const KEYFRAME_INTERVAL_SCREEN: Duration = Duration::from_millis(500);

/// A keyframe asked for and not come is asked for again after two round trips and this, the encoder's and the pacer's time.
pub const KEYFRAME_RETRY: Duration = Duration::from_millis(300);

/// Transport-wide feedback to publishers: more often costs uplink packets, less often slows their ramp-up.
pub const FEEDBACK_INTERVAL: Duration = Duration::from_millis(100);

/// The same above [`FEEDBACK_FAST_BYTES`] in an interval (2 Mb/s).
pub const FEEDBACK_INTERVAL_FAST: Duration = Duration::from_millis(50);
/// See [`FEEDBACK_INTERVAL_FAST`].
pub const FEEDBACK_FAST_BYTES: u32 = 25_000;

/// Receiver and sender reports (RFC 3550 §6.2 with the 5 % of a video session).
pub const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Arrivals kept for one feedback: 50 ms of the highest packet rate are 100.
pub const MAX_ARRIVALS: usize = 512;

/// Missing packets followed at once; a longer gap is no loss but a broken path, and a keyframe repairs it cheaper.
pub const MAX_MISSING: usize = 256;

/// A gap is asked for after this long, or after two newer packets: reordering inside a frame heals by itself.
pub const NACK_DELAY: Duration = Duration::from_millis(10);

/// Requests for one packet.
pub const MAX_NACK_TRIES: u8 = 10;

/// A layer's missing packets are asked for at most once for this many that came, in a second: asks for more than half of a
/// line's packets are answered into the queue that dropped them. A third of random loss stays within it.
pub const NACK_SHARE: u32 = 2;

/// …beyond this many a second, or a picture of few packets could not be repaired.
pub const NACK_FLOOR: u32 = 2;

/// A camera packet missing for this long is given up, and a keyframe asked for. A shared screen has longer.
pub const NACK_GIVE_UP: Duration = Duration::from_secs(1);
/// See [`NACK_GIVE_UP`].
pub const NACK_GIVE_UP_SCREEN: Duration = Duration::from_secs(3);

/// Round trip assumed until one was measured.
pub const DEFAULT_RTT: Duration = Duration::from_millis(100);

/// Bounds of a measured round trip: a report can be forged by the peer itself.
pub const MIN_RTT: Duration = Duration::from_millis(10);
/// See [`MIN_RTT`].
pub const MAX_RTT: Duration = Duration::from_secs(1);

/// Active speaker: a decision this often (RFC 6464 levels come every 20 ms).
pub const SPEAKER_INTERVAL: Duration = Duration::from_millis(300);

/// Louder than this, in -dBov, is speech (0 is the loudest, 127 silence).
pub const SPEECH_LEVEL: u8 = 50;

/// …if it stands out from the microphone's own noise by so many dB. More misses who sits far from the microphone, less takes
/// a noise that wavers for a voice; Jitsi and mediasoup take 10 too.
pub const SPEECH_OVER_NOISE_DB: u32 = 10;

/// The noise of a microphone is its least level in one to two of these: 7.5 s. Longer lets a fan that was just switched on
/// count as speech for longer, shorter takes a long sentence for noise: it must hold a breath.
pub const NOISE_MEMORY_DECISIONS: u32 = 25;

/// By how many dB somebody must be louder than the speaker to take over.
pub const SPEAKER_MARGIN_DB: u32 = 6;

/// Silence of the speaker after which nobody speaks.
pub const SPEAKER_HOLD: Duration = Duration::from_millis(1_500);

/// Where people are more than seats, speech older than this takes nobody's: two decisions, in case one came between words.
pub const SPEECH_IS_FRESH: Duration = Duration::from_millis(600);

/// And whoever spoke within this time keeps their own: pictures that change faster are worse than a word missed.
pub const SEAT_HOLD: Duration = Duration::from_secs(2);

/// Control datagrams (STUN answers, DTLS, RTCP) waiting to be sent.
pub const CONTROL_QUEUE: usize = 8_192;

/// What IPv4 and UDP add to each datagram: a line's rate is spent on them too, for sound nearly a quarter of it. IPv6 adds 20
/// more.
pub const IP_HEADER_BYTES: u64 = 28;

/// Packets of one transport-wide feedback that are looked at, and packets remembered for it: two seconds at 1 000 a second.
/// More covers a longer round trip, each costs 12 bytes for a subscriber whose rate needs it.
pub const MAX_ACKNOWLEDGED: u16 = 2_048;

/// Transport-wide feedback from one subscriber a second; libwebrtc sends 10 to 20.
pub const MAX_ACKNOWLEDGEMENTS_PER_SECOND: u32 = 100;
