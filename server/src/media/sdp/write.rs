//! The answer's text (RFC 8866, RFC 9429 §5.3). Written line by line: what a browser reads stands here as it is.

use std::fmt::Write as _;

use sfu::plan::{Codec, ExtensionIds, Receives, SlotLine};

use super::codec::{OfferedCodec, name};
use super::line::{Line, Role};
use super::{Context, Extension, Negotiated, Offer, OfferedLine, Way};

/// Priority of a host candidate: type preference 126, local preference 65535, component 1 (RFC 8445 §5.1.2.1).
const HOST_PRIORITY: u32 = (126 << 24) | (65_535 << 8) | 255;
/// The same of ICE-TCP: type preference 90 so that any UDP comes first, passive host 4 of 6 (RFC 6544 §4.2).
const TCP_PRIORITY: u32 = (90 << 24) | (((4 << 13) | 8_191) << 8) | 255;

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
        let priority = HOST_PRIORITY.saturating_sub((foundation - 1) << 8);
        let (ip, port) = (address.ip(), address.port());
        put!(text, "a=candidate:{foundation} 1 udp {priority} {ip} {port} typ host");
    }
    // Behind all of UDP: for networks that carry nothing else. Each worker listens on the same port for both.
    for (foundation, address) in (1_u32..).zip(context.candidates) {
        let priority = TCP_PRIORITY.saturating_sub((foundation - 1) << 8);
        let foundation = context.candidates.len() + foundation as usize;
        let (ip, port) = (address.ip(), address.port());
        put!(
            text,
            "a=candidate:{foundation} 1 tcp {priority} {ip} {port} typ host tcptype passive"
        );
    }
    put!(text, "a=end-of-candidates");
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
