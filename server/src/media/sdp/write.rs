//! The answer's text (RFC 8866, RFC 9429 §5.3). Written line by line: what a browser reads stands here as it is.

use std::fmt::Write as _;

use sfu::plan::{Codec, ExtensionIds, Receives, SlotLine};

use super::codec::{OfferedCodec, name};
use super::line::{Line, Role};
use super::{Context, Extension, Negotiated, Offer, OfferedLine, Way};

/// Priority of our candidates in a transport's first generation, with component 1 (RFC 8445 §5.1.2.1). The type preference is
/// 64 and not 126, so that there is room for later ones below those of a browser's own candidates, of which ICE-TCP behind a translation has 80:
/// the priority of a pair is that of the lesser candidate.
const FIRST_PRIORITY: u32 = 64 << 24 | 255;
/// Each ICE restart goes so far above the generation before, and UDP so far above TCP. A browser that restarts does so because
/// its path is suspect; Chromium leaves that only for a pair of higher priority, or else when it has heard nothing by it for 2.5 s and
/// by the other one something for a second.
const GENERATION: u32 = 256 << 8;
/// See [`GENERATION`].
const UDP_OVER_TCP: u32 = 128 << 8;
/// Later generations all have the priority of this one: the last below 80.
const LAST_GENERATION: u32 = (80 - 64) * (1 << 24) / GENERATION - 1;

/// Writes `a=…` lines and the like; a `String` never refuses.
macro_rules! put {
    ($text:expr, $($arg:tt)*) => {{
        _ = write!($text, $($arg)*);
        $text.push_str("\r\n");
    }};
}

/// The answer to an offer that came to this negotiation.
pub(super) fn answer(offer: &Offer, negotiated: &Negotiated, context: &Context<'_>) -> String {
    let mut text = String::with_capacity(1024 * (1 + offer.lines.len()));
    put!(text, "v=0");
    put!(text, "o=- {} {} IN IP4 127.0.0.1", negotiated.session, negotiated.version);
    put!(text, "s=-");
    put!(text, "t=0 0");
    put!(text, "a=ice-lite");
    text.push_str("a=group:BUNDLE");
    for line in negotiated.lines.iter().filter(|line| line.role != Role::Refused) {
        _ = write!(text, " {}", line.mid.as_str());
    }
    text.push_str("\r\n");
    if offer.mixed {
        put!(text, "a=extmap-allow-mixed");
    }
    put!(text, "a=msid-semantic: WMS *");
    for (index, (line, offered)) in negotiated.lines.iter().zip(&offer.lines).enumerate() {
        media(&mut text, line, offered, negotiated, context, index == 0);
    }
    text
}

fn media(
    text: &mut String,
    line: &Line,
    offered: &OfferedLine,
    negotiated: &Negotiated,
    context: &Context<'_>,
    first: bool,
) {
    if line.role == Role::Refused {
        put!(text, "m={} 0 {} {}", offered.media, offered.protocol, offered.formats.join(" "));
        put!(text, "c=IN IP4 0.0.0.0");
        put!(text, "a=mid:{}", line.mid.as_str());
        put!(text, "a=inactive");
        return;
    }
    let codecs = taken(line, offered, negotiated);
    // The first is what is sent as long as nothing is lost (RFC 3264 §6.1).
    let formats: Vec<String> =
        codecs.iter().flat_map(|it| it.numbers()).map(|(pt, _)| pt.0.to_string()).collect();
    put!(text, "m={} 9 {} {}", offered.media, offered.protocol, formats.join(" "));
    put!(text, "c=IN IP4 0.0.0.0");
    put!(text, "a=mid:{}", line.mid.as_str());
    transport(text, negotiated, context, first);
    match &line.role {
        Role::Publish { source: _ } => {
            put!(text, "a=recvonly");
            let published =
                negotiated.plan.publish.iter().find(|published| published.mid == line.mid);
            if let Some(published) = published {
                extensions(text, offered, published.extensions, Way::Send);
            }
            let rids: Vec<&str> = published
                .iter()
                .flat_map(|published| &published.rids)
                .map(|rid| rid.as_str())
                .collect();
            for rid in &rids {
                put!(text, "a=rid:{rid} recv");
            }
            if !rids.is_empty() {
                put!(text, "a=simulcast:recv {}", rids.join(";"));
            }
        }
        Role::Slot { place } => {
            put!(text, "a=sendonly");
            if let Some(slot) = negotiated.plan.slots.iter().find(|slot| slot.mid == line.mid) {
                extensions(text, offered, slot.extensions, Way::Receive);
                stream(text, slot, *place);
            }
        }
        Role::Idle { .. } => put!(text, "a=inactive"),
        Role::Refused => {}
    }
    codecs.iter().for_each(|offered| codec(text, offered));
}

/// The codecs of a line that go on: of a source one, of a slot all that it takes.
fn taken<'a>(
    line: &Line,
    offered: &'a OfferedLine,
    negotiated: &Negotiated,
) -> Vec<&'a OfferedCodec> {
    let of = |codec: Codec| offered.codecs.iter().filter(move |it| it.codec == codec);
    match line.role {
        Role::Publish { .. } => {
            let published = negotiated.plan.publish.iter().filter(|it| it.mid == line.mid);
            published.flat_map(|published| of(published.codec)).collect()
        }
        Role::Slot { .. } => offered.codecs.iter().filter(|it| !it.only_sends).collect(),
        Role::Idle { .. } => offered.codecs.iter().take(1).collect(),
        Role::Refused => Vec::new(),
    }
}

fn codec(text: &mut String, offered: &OfferedCodec) {
    let pt = offered.pt();
    match offered.codec {
        Codec::Opus { pt, red } => {
            put!(text, "a=rtpmap:{} opus/48000/2", pt.0);
            put!(text, "a=fmtp:{} useinbandfec=1;usedtx=1", pt.0);
            if let Some(red) = red {
                put!(text, "a=rtpmap:{} red/48000/2", red.0);
                put!(text, "a=fmtp:{} {}/{}", red.0, pt.0, pt.0);
            }
        }
        Codec::Picture { format, pt, rtx } => {
            put!(text, "a=rtpmap:{} {}/90000", pt.0, name(format));
            if let Some(parameters) = &offered.parameters {
                put!(text, "a=fmtp:{} {parameters}", pt.0);
            }
            if let Some(rtx) = rtx {
                put!(text, "a=rtpmap:{} rtx/90000", rtx.0);
                put!(text, "a=fmtp:{} apt={}", rtx.0, pt.0);
            }
        }
    }
    // Only what was offered (RFC 4585 §4.2): an answer may take away, not add.
    let feedback =
        [(offered.nack, "nack"), (offered.pli, "nack pli"), (offered.transport_cc, "transport-cc")];
    for (offered, what) in feedback {
        if offered {
            put!(text, "a=rtcp-fb:{} {what}", pt.0);
        }
    }
}

fn transport(text: &mut String, negotiated: &Negotiated, context: &Context<'_>, first: bool) {
    put!(text, "a=ice-ufrag:{}", negotiated.ice.ufrag);
    put!(text, "a=ice-pwd:{}", negotiated.ice.pwd);
    put!(text, "a=fingerprint:sha-256 {}", context.fingerprint);
    put!(text, "a=setup:passive");
    put!(text, "a=rtcp-mux");
    put!(text, "a=rtcp-rsize");
    // The first m-line carries the bundle's transport (RFC 9143 §7.3.3): candidates elsewhere are never read.
    if !first {
        return;
    }
    for (foundation, address) in (1_u32..).zip(context.candidates) {
        let priority = priority(Carrier::Udp, foundation, negotiated.restarts);
        let (ip, port) = (address.ip(), address.port());
        put!(text, "a=candidate:{foundation} 1 udp {priority} {ip} {port} typ host");
    }
    // Behind all of UDP: for networks that carry nothing else. Each worker listens on the same port for both.
    for (foundation, address) in (1_u32..).zip(context.candidates) {
        let priority = priority(Carrier::Tcp, foundation, negotiated.restarts);
        let foundation = context.candidates.len() + foundation as usize;
        let (ip, port) = (address.ip(), address.port());
        put!(
            text,
            "a=candidate:{foundation} 1 tcp {priority} {ip} {port} typ host tcptype passive"
        );
    }
    put!(text, "a=end-of-candidates");
}

/// What carries a candidate's datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    Udp,
    Tcp,
}

/// Of our candidate with this place, from 1, after so many ICE restarts.
fn priority(carrier: Carrier, place: u32, restarts: u32) -> u32 {
    let generation = FIRST_PRIORITY + restarts.min(LAST_GENERATION) * GENERATION;
    let best = match carrier {
        Carrier::Udp => generation + 2 * UDP_OVER_TCP - (1 << 8),
        Carrier::Tcp => generation + UDP_OVER_TCP - (1 << 8),
    };
    best - (place.clamp(1, 128) - 1) * (1 << 8)
}

fn extensions(text: &mut String, offered: &OfferedLine, taken: ExtensionIds, way: Way) {
    for extension in &offered.extensions {
        let id = match extension.extension {
            Extension::Mid => taken.mid,
            Extension::Rid => taken.rid,
            Extension::RepairedRid => taken.repaired_rid,
            Extension::TransportCc => taken.transport_cc,
            Extension::AudioLevel => taken.audio_level,
            Extension::Dependency => taken.dependency,
        };
        let Some(id) = id else { continue };
        let uri = extension.extension.uri();
        // Our point of view is the opposite one.
        match (extension.one_way, way) {
            (None, _) => put!(text, "a=extmap:{id} {uri}"),
            (Some(_), Way::Send) => put!(text, "a=extmap:{id}/recvonly {uri}"),
            (Some(_), Way::Receive) => put!(text, "a=extmap:{id}/sendonly {uri}"),
        }
    }
}

fn stream(text: &mut String, slot: &SlotLine, place: usize) {
    let track = match slot.receives {
        Receives::Sound { .. } => 'a',
        Receives::Pictures(_) => 'v',
    };
    put!(text, "a=msid:s{place} {track}{place}");
    let media = slot.ssrc.0;
    if let Some(rtx) = slot.rtx {
        put!(text, "a=ssrc-group:FID {media} {}", rtx.0);
    }
    for ssrc in [Some(slot.ssrc), slot.rtx].into_iter().flatten() {
        put!(text, "a=ssrc:{} cname:s{place}", ssrc.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_candidate_of_a_restart_comes_before_all_of_the_path_that_it_replaces() {
        for restarts in 0..40 {
            let [udp, tcp] = [Carrier::Udp, Carrier::Tcp]
                .map(|carrier| [1, 2, 128].map(|place| priority(carrier, place, restarts)));

            assert!(udp.is_sorted_by(|a, b| a > b) && tcp.is_sorted_by(|a, b| a > b));
            assert!(udp[2] > tcp[0]);
            assert!(priority(Carrier::Tcp, 128, restarts + 1) > udp[0]);
        }
        assert!(priority(Carrier::Udp, 1, u32::MAX) < 80 << 24, "a browser's TCP candidates");
    }
}
