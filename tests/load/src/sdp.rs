//! Offers and answers (RFC 9429) as a browser would write them, cut down to what these clients do.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use anyhow::{Context as _, Result};

use crate::source::{AUDIO_LEVEL, OPUS, VP8};

/// What one side says about its transport.
#[derive(Clone, Debug)]
pub struct Local {
    /// ICE user fragment.
    pub ufrag: String,
    /// ICE password.
    pub pwd: String,
    /// Of the certificate.
    pub fingerprint: String,
    /// Where it is: its one candidate.
    pub address: SocketAddr,
}

impl Local {
    /// Fresh credentials.
    pub fn new(fingerprint: &str, address: SocketAddr) -> Self {
        let mut random = [0_u8; 20];
        getrandom::fill(&mut random).expect("randomness");
        let hex = random.iter().fold(String::new(), |mut hex, byte| {
            let _infallible = write!(hex, "{byte:02x}");
            hex
        });
        let (ufrag, pwd) = hex.split_at(8);
        let fingerprint = fingerprint.to_owned();
        Self { ufrag: ufrag.to_owned(), pwd: pwd.to_owned(), fingerprint, address }
    }
}

/// What stands on an m-line.
#[derive(Clone, Copy, Debug)]
pub enum Line {
    /// A microphone or camera that is sent.
    Send {
        /// Which kind.
        kind: Kind,
        /// Of its media.
        ssrc: u32,
    },
    /// A place for somebody else's.
    Receive(Kind),
}

/// Sound or picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Opus.
    Audio,
    /// VP8.
    Video,
}

/// A description with these m-lines; mids are their numbers. `setup` says who begins DTLS (RFC 8842).
pub fn write(local: &Local, lines: &[(String, Line)], setup: &str) -> String {
    let mids: Vec<&str> = lines.iter().map(|(mid, _)| mid.as_str()).collect();
    let mut text = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\na=msid-semantic: WMS *\r\n",
        mids.join(" ")
    );
    let Local { ufrag, pwd, fingerprint, address } = local;
    let (ip, port) = (address.ip(), address.port());
    for (mid, line) in lines {
        let kind = match line {
            Line::Send { kind, .. } | Line::Receive(kind) => *kind,
        };
        let (media, pt, codec) = match kind {
            Kind::Audio => ("audio", OPUS, "opus/48000/2"),
            Kind::Video => ("video", VP8, "VP8/90000"),
        };
        let _infallible = write!(
            text,
            "m={media} 9 UDP/TLS/RTP/SAVPF {pt}\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
             a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\na=fingerprint:sha-256 {fingerprint}\r\n\
             a=candidate:1 1 udp 2130706431 {ip} {port} typ host\r\na=end-of-candidates\r\n\
             a=setup:{setup}\r\na=mid:{mid}\r\na=rtcp-mux\r\na=rtcp-rsize\r\n\
             a=rtpmap:{pt} {codec}\r\n"
        );
        match kind {
            Kind::Audio => {
                let _infallible = write!(
                    text,
                    "a=extmap:{AUDIO_LEVEL} urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
                );
            }
            Kind::Video => {
                let _infallible = write!(
                    text,
                    "a=rtcp-fb:{pt} ccm fir\r\na=rtcp-fb:{pt} nack\r\na=rtcp-fb:{pt} nack pli\r\n"
                );
            }
        }
        match line {
            Line::Send { ssrc, .. } => {
                let _infallible = write!(
                    text,
                    "a=sendonly\r\na=msid:load {mid}\r\na=ssrc:{ssrc} cname:load\r\n\
                     a=ssrc:{ssrc} msid:load {mid}\r\n"
                );
            }
            Line::Receive(_) => text.push_str("a=recvonly\r\n"),
        }
    }
    text
}

/// The other side's transport: its ICE credentials, and its candidate on this address.
pub fn read(text: &str, server: IpAddr) -> Result<(String, String, SocketAddr)> {
    let value = |key: &str| {
        text.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned())
    };
    let port = text
        .lines()
        .filter_map(|line| line.strip_prefix("a=candidate:"))
        .find_map(|candidate| {
            let mut words = candidate.split_whitespace();
            let transport = words.nth(2)?;
            let address: IpAddr = words.nth(1)?.parse().ok()?;
            let port = words.next()?.parse().ok()?;
            (transport.eq_ignore_ascii_case("udp") && address == server).then_some(port)
        })
        .context("no candidate on the server's address")?;
    let ufrag = value("a=ice-ufrag:").context("no ufrag")?;
    let pwd = value("a=ice-pwd:").context("no password")?;
    Ok((ufrag, pwd, SocketAddr::new(server, port)))
}

/// The kinds and mids of a description's m-lines.
pub fn lines(text: &str) -> Vec<(String, Kind)> {
    let mut found = Vec::new();
    let mut kind = None;
    for line in text.lines() {
        if line.starts_with("m=audio") {
            kind = Some(Kind::Audio);
        } else if line.starts_with("m=video") {
            kind = Some(Kind::Video);
        } else if let (Some(mid), Some(kind)) = (line.strip_prefix("a=mid:"), kind) {
            found.push((mid.trim().to_owned(), kind));
        }
    }
    found
}
