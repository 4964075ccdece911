//! What no relay can go below: sealing each packet with AES-128-GCM into a buffer and handing runs to the kernel, with
//! nothing else around it. Runs as a process of its own, so that it is measured as servers are.

use std::io::IoSlice;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrIn, sendmmsg};
use rtc_crypto::providers::RingProvider;
use rtc_crypto::{AeadAlgorithm, AeadCipher, RTCCryptoProvider as _};

use crate::source::{FRAME_INTERVAL, FRAME_RATE, Rate, VOICE_INTERVAL};

/// Of a video packet on the wire, tag included.
const VIDEO_BYTES: usize = 1_216;
/// Of a voice packet.
const VOICE_BYTES: usize = 116;
/// Header that is not encrypted.
const HEADER: usize = 12;

/// Sends the load of one publisher to so many, until the process is ended.
pub fn run(block: Ipv4Addr, port: u16, watchers: u16, rate: Rate) -> Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let provider = RingProvider::new();
    let mut keys: Vec<Box<dyn AeadCipher>> = Vec::new();
    let mut addresses = Vec::new();
    for watcher in 0..watchers {
        keys.push(provider.crypto().new_aead(AeadAlgorithm::Aes128Gcm, &[7; 16])?);
        let [a, b, _, _] = block.octets();
        let [c, d] = (watcher + 1).to_be_bytes();
        let to = SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), port);
        addresses.push(Some(SockaddrIn::from(to)));
    }
    let source = vec![0x55; VIDEO_BYTES];
    let mut owed = 0;
    let mut index = 0_u64;
    let (mut voice, mut frame) = (Instant::now(), Instant::now());
    loop {
        let next = voice.min(frame);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        let (packets, bytes) = if next == frame {
            frame += FRAME_INTERVAL;
            owed += rate.video;
            let packets = owed / FRAME_RATE;
            owed %= FRAME_RATE;
            (packets as usize, VIDEO_BYTES)
        } else {
            voice += VOICE_INTERVAL;
            (1, VOICE_BYTES)
        };
        let mut left = packets;
        while left > 0 {
            // As long as the product's longest run.
            let run = left.min(10);
            left -= run;
            send(&socket, &mut keys, &addresses, &source, run, bytes, &mut index)?;
        }
        if frame + Duration::from_secs(1) < Instant::now() {
            // Overloaded: what is late is not made up for.
            (voice, frame) = (Instant::now(), Instant::now());
        }
    }
}

fn send(
    socket: &UdpSocket,
    keys: &mut [Box<dyn AeadCipher>],
    addresses: &[Option<SockaddrIn>],
    source: &[u8],
    run: usize,
    bytes: usize,
    index: &mut u64,
) -> Result<()> {
    let mut slab = vec![0_u8; keys.len() * run * bytes];
    for (key, runs) in keys.iter_mut().zip(slab.chunks_exact_mut(run * bytes)) {
        for packet in runs.chunks_exact_mut(bytes) {
            packet.copy_from_slice(&source[..bytes]);
            *index += 1;
            let mut nonce = [0; 12];
            nonce[4..].copy_from_slice(&index.to_be_bytes());
            let (header, rest) = packet.split_at_mut(HEADER);
            let (body, tag) = rest.split_at_mut(bytes - HEADER - 16);
            key.seal_in_place(&nonce, header, body, tag)?;
        }
    }
    let slices: Vec<[IoSlice<'_>; 1]> =
        slab.chunks_exact(run * bytes).map(|run| [IoSlice::new(run)]).collect();
    let size = bytes as u16;
    let segments = [ControlMessage::UdpGsoSegments(&size)];
    let mut headers = MultiHeaders::preallocate(slices.len(), Some(nix::cmsg_space!(u16)));
    let mut from = 0;
    while from < slices.len() {
        let sent = sendmmsg(
            socket.as_raw_fd(),
            &mut headers,
            &slices[from..],
            &addresses[from..],
            segments,
            MsgFlags::MSG_DONTWAIT,
        );
        match sent {
            Ok(sent) => from += sent.count().max(1),
            // A full buffer drops, as a relay would.
            Err(_) => break,
        }
    }
    Ok(())
}
