//! SDP (RFC 8866): a browser's offer in, our answer and the [`Plan`] of the packet path out. Pure: addresses, our
//! certificate's fingerprint and random numbers come in as arguments. The offer is a stranger's text: whatever it says,
//! the worst that comes back is an [`OfferError`], which never carries a piece of it.
//!
//! The client always offers and the server always answers (no glare, RFC 9429 §5), on one BUNDLE transport.

mod codec;
mod error;
mod line;
mod random;
mod write;

#[cfg(test)]
mod tests;

use std::io::Cursor;
use std::net::SocketAddr;

use rtc_sdp::description::common::Attribute;
use rtc_sdp::description::media::MediaDescription;
use rtc_sdp::description::session::SessionDescription;
use sfu::plan::{Fingerprint, IceCredentials, Mid, PayloadType, PeerKey, Plan, Rid, Ssrc};

use codec::OfferedCodec;
pub use error::OfferError;
use line::{Line, Lines};
pub use random::Random;

/// Largest offer. A client with 10 video and 12 audio slots makes about 52 KiB in Chromium, which lists every codec on
/// every m-line; a larger pool must first narrow its codecs.
pub const MAX_OFFER_BYTES: usize = 64 * 1024;
/// Most m-lines: 4 published, 10 video and 12 audio slots are 26; the rest is room for stopped ones.
pub const MAX_LINES: usize = 40;
/// Most header extensions of one m-line: Chromium offers 11.
pub const MAX_EXTENSIONS: usize = 32;
/// Most payload types of one m-line: Chromium offers 34 for a receiving one.
pub const MAX_PAYLOAD_TYPES: usize = 64;
/// Most SSRCs of one transport: three simulcast layers with retransmissions and the other sources are 10.
pub const MAX_SSRCS: usize = 64;

/// What an answer depends on besides the offer.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Whose transport: part of the ufrag, which makes it unique on its worker.
    pub peer: PeerKey,
    /// The negotiation that this one goes on with; `None` for a new transport.
    pub previous: Option<&'a Negotiated>,
    /// Where our worker listens, best first.
    pub candidates: &'a [SocketAddr],
    /// SHA-256 of our DTLS certificate: upper-case hex with colons.
    pub fingerprint: &'a str,
}

/// One transport's negotiation, to be kept for its next offer.
#[derive(Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// What the packet path needs.
    pub plan: Plan,
    /// Our ICE credentials.
    pub ice: IceCredentials,
    /// Of the certificate that the client must present.
    pub fingerprint: Fingerprint,
    /// The client's ICE credentials: when they change, the client restarts ICE (RFC 8839 §4.4.1.1).
    pub(super) remote_ice: IceCredentials,
    /// How often it did.
    restarts: u32,
    /// m-lines in order.
    lines: Vec<Line>,
    /// `o=` of our side: session id and version (RFC 8866 §5.2).
    session: u64,
    version: u64,
}

impl std::fmt::Debug for Negotiated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Negotiated").field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// An answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Answered {
    /// Its text. Carries addresses and credentials: never logged.
    pub text: String,
    /// What was agreed.
    pub negotiated: Negotiated,
}

impl std::fmt::Debug for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answered").field("negotiated", &self.negotiated).finish_non_exhaustive()
    }
}

/// Answers an offer.
///
/// # Errors
/// When the offer breaks a rule; nothing has changed then, and `previous` still holds.
pub fn answer(
    offer: &str,
    context: &Context<'_>,
    random: &mut Random,
) -> Result<Answered, OfferError> {
    let offer = Offer::read(offer)?;
    if context.previous.is_some_and(|previous| previous.fingerprint != offer.fingerprint) {
        return Err(OfferError::ChangedFingerprint);
    }
    let Lines { lines, plan } = line::assign(&offer, context.previous, random)?;
    let (session, version) = match context.previous {
        Some(previous) => (previous.session, previous.version.wrapping_add(1)),
        None => (random.session(), 1),
    };
    let (ice, restarts) = match context.previous {
        // Answering an offer that does not restart ICE with new credentials would itself be a restart.
        Some(previous) if previous.remote_ice == offer.ice => {
            (previous.ice.clone(), previous.restarts)
        }
        Some(previous) => (random.ice(context.peer), previous.restarts.saturating_add(1)),
        None => (random.ice(context.peer), 0),
    };
    let negotiated = Negotiated {
        plan,
        ice,
        fingerprint: offer.fingerprint,
        remote_ice: offer.ice.clone(),
        restarts,
        lines,
        session,
        version,
    };
    let text = write::answer(&offer, &negotiated, context);
    Ok(Answered { text, negotiated })
}

/// What we understood of an offer.
struct Offer {
    fingerprint: Fingerprint,
    ice: IceCredentials,
    lines: Vec<OfferedLine>,
    /// Whether header extensions of both forms may stand in one stream (RFC 8285 §6): dependency descriptors need the long one.
    mixed: bool,
}

/// What we understood of one m-line.
struct OfferedLine {
    mid: Mid,
    kind: Kind,
    /// Whether it is alive: port not 0, or 0 with `a=bundle-only` (RFC 9143 §6).
    open: bool,
    sends: bool,
    receives: bool,
    /// The codecs that we know among the offered ones, in the order of the offer.
    codecs: Vec<OfferedCodec>,
    extensions: Vec<OfferedExtension>,
    ssrcs: Vec<Ssrc>,
    rtx_of: Vec<(Ssrc, Ssrc)>,
    /// Simulcast layers that it would send (RFC 8853), in the order of the offer; `None` for those we do not take.
    rids: Vec<Option<Rid>>,
    /// `m=` without its port, to refuse it: media, protocol, formats.
    media: String,
    protocol: String,
    formats: Vec<String>,
}

/// What an m-line carries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Audio,
    Video,
    Other,
}

/// The header extensions we know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extension {
    Mid,
    Rid,
    RepairedRid,
    TransportCc,
    AudioLevel,
    Dependency,
}

impl Extension {
    const ALL: [Self; 6] = [
        Self::Mid,
        Self::Rid,
        Self::RepairedRid,
        Self::TransportCc,
        Self::AudioLevel,
        Self::Dependency,
    ];

    fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::TransportCc => {
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
            }
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::Dependency => {
                "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
            }
        }
    }
}

/// An offered header extension (RFC 8285 §5).
#[derive(Clone, Copy)]
struct OfferedExtension {
    id: u8,
    extension: Extension,
    /// Limited to one direction by the offer, so our answer must name the opposite one.
    one_way: Option<Way>,
}

/// From the client's point of view.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Send,
    Receive,
}

impl Offer {
    fn read(text: &str) -> Result<Self, OfferError> {
        if text.len() > MAX_OFFER_BYTES {
            return Err(OfferError::TooLarge);
        }
        // rtc-sdp's errors quote the text: dropped here.
        let session = SessionDescription::unmarshal(&mut Cursor::new(text.as_bytes()))
            .map_err(|_| OfferError::Syntax)?;
        if session.media_descriptions.len() > MAX_LINES {
            return Err(OfferError::TooManyLines);
        }
        let default_way = directions(&session.attributes)?.unwrap_or((true, true));
        let mut lines = Vec::with_capacity(session.media_descriptions.len());
        for media in &session.media_descriptions {
            let line = OfferedLine::read(media, default_way)?;
            if lines.iter().any(|other: &OfferedLine| other.mid == line.mid) {
                return Err(OfferError::RepeatedMid);
            }
            lines.push(line);
        }
        if !lines.first().is_some_and(|line| line.open && line.kind != Kind::Other) {
            return Err(OfferError::BadFirstLine);
        }
        check_numbers(&lines, &session)?;
        check_bundle(&lines, &session)?;
        let mixed = has(&session.attributes, "extmap-allow-mixed");
        if !mixed {
            let each = lines.iter_mut();
            each.for_each(|line| {
                line.extensions.retain(|it| it.extension != Extension::Dependency)
            });
        }
        Ok(Self { fingerprint: fingerprint(&session)?, ice: ice(&session)?, lines, mixed })
    }
}

impl OfferedLine {
    fn read(media: &MediaDescription, default_way: (bool, bool)) -> Result<Self, OfferError> {
        let attributes = &media.attributes;
        let name = &media.media_name;
        if name.formats.len() > MAX_PAYLOAD_TYPES {
            return Err(OfferError::TooManyPayloadTypes);
        }
        let mid = value_of(attributes, "mid").and_then(Mid::new).ok_or(OfferError::BadMid)?;
        let protocol = name.protos.join("/");
        let kind = match (name.media.as_str(), protocol.as_str()) {
            ("audio", "UDP/TLS/RTP/SAVPF") => Kind::Audio,
            ("video", "UDP/TLS/RTP/SAVPF") => Kind::Video,
            _ => Kind::Other,
        };
        let open = name.port.value != 0 || has(attributes, "bundle-only");
        let (sends, receives) = directions(attributes)?.unwrap_or(default_way);
        let (ssrcs, rtx_of) = if sends { ssrcs(attributes)? } else { (Vec::new(), Vec::new()) };
        Ok(Self {
            mid,
            kind,
            open,
            sends,
            receives,
            codecs: codec::offered(kind, &name.formats, attributes),
            extensions: extensions(attributes)?,
            ssrcs,
            rtx_of,
            rids: rids(attributes),
            media: name.media.clone(),
            protocol,
            formats: name.formats.clone(),
        })
    }

    /// Whether it takes part in the bundle.
    fn live(&self) -> bool {
        self.open && self.kind != Kind::Other
    }
}

/// Values of all attributes with this key.
fn values<'a>(attributes: &'a [Attribute], key: &'static str) -> impl Iterator<Item = &'a str> {
    attributes.iter().filter(move |a| a.key == key).filter_map(|a| a.value.as_deref())
}

/// Value of the first attribute with this key.
fn value_of<'a>(attributes: &'a [Attribute], key: &'static str) -> Option<&'a str> {
    values(attributes, key).next()
}

fn has(attributes: &[Attribute], key: &str) -> bool {
    attributes.iter().any(|a| a.key == key)
}

/// (sends, receives), from the client's point of view; `None` where nothing is said (RFC 8866 §6.7).
fn directions(attributes: &[Attribute]) -> Result<Option<(bool, bool)>, OfferError> {
    let mut found = None;
    for attribute in attributes {
        let way = match attribute.key.as_str() {
            "sendrecv" => (true, true),
            "sendonly" => (true, false),
            "recvonly" => (false, true),
            "inactive" => (false, false),
            _ => continue,
        };
        if found.replace(way).is_some() {
            return Err(OfferError::Syntax);
        }
    }
    Ok(found)
}

fn extensions(attributes: &[Attribute]) -> Result<Vec<OfferedExtension>, OfferError> {
    if values(attributes, "extmap").count() > MAX_EXTENSIONS {
        return Err(OfferError::TooManyExtensions);
    }
    let mut found: Vec<OfferedExtension> = Vec::new();
    for value in values(attributes, "extmap") {
        let (number, uri) = value.split_once(' ').ok_or(OfferError::Syntax)?;
        let (id, one_way) = match number.split_once('/') {
            None | Some((_, "sendrecv")) => (number.split('/').next().unwrap_or_default(), None),
            Some((id, "sendonly")) => (id, Some(Way::Send)),
            Some((id, "recvonly")) => (id, Some(Way::Receive)),
            Some((_, "inactive")) => continue,
            Some(_) => return Err(OfferError::Syntax),
        };
        let id: u16 = id.parse().map_err(|_| OfferError::Syntax)?;
        let uri = uri.split_ascii_whitespace().next().unwrap_or_default();
        let Some(extension) = Extension::ALL.into_iter().find(|known| known.uri() == uri) else {
            continue;
        };
        // The two-byte form (RFC 8285 §4.3) is larger in every packet; no browser needs it for these.
        let Some(id) = u8::try_from(id).ok().filter(|id| (1..=14).contains(id)) else { continue };
        if found.iter().any(|other| other.id == id || other.extension == extension) {
            return Err(OfferError::AmbiguousNumber);
        }
        found.push(OfferedExtension { id, extension, one_way });
    }
    Ok(found)
}

type Ssrcs = (Vec<Ssrc>, Vec<(Ssrc, Ssrc)>);

/// Media SSRCs in order and (media, retransmission) pairs (RFC 5576 §4.1, §4.2).
fn ssrcs(attributes: &[Attribute]) -> Result<Ssrcs, OfferError> {
    let number = |text: &str| {
        text.parse().ok().filter(|ssrc| *ssrc != 0).map(Ssrc).ok_or(OfferError::Syntax)
    };
    let mut all: Vec<Ssrc> = Vec::new();
    for value in values(attributes, "ssrc") {
        let ssrc = number(value.split(' ').next().unwrap_or_default())?;
        if !all.contains(&ssrc) {
            all.push(ssrc);
        }
        if all.len() > MAX_SSRCS {
            return Err(OfferError::TooManySsrcs);
        }
    }
    let mut pairs: Vec<(Ssrc, Ssrc)> = Vec::new();
    for value in values(attributes, "ssrc-group") {
        let mut words = value.split_ascii_whitespace();
        if words.next() != Some("FID") {
            continue;
        }
        let (Some(media), Some(rtx), None) = (words.next(), words.next(), words.next()) else {
            return Err(OfferError::Syntax);
        };
        let pair = (number(media)?, number(rtx)?);
        let known = all.contains(&pair.0) && all.contains(&pair.1) && pair.0 != pair.1;
        let fresh =
            pairs.iter().all(|(a, b)| ![*a, *b].contains(&pair.0) && ![*a, *b].contains(&pair.1));
        if !known || !fresh {
            return Err(OfferError::Syntax);
        }
        pairs.push(pair);
    }
    let media = all.into_iter().filter(|ssrc| pairs.iter().all(|(_, rtx)| rtx != ssrc)).collect();
    Ok((media, pairs))
}

/// Layers of `a=simulcast:send` (RFC 8853 §5.1), each with its place, for SSRCs may be named in the same order. Of
/// alternatives (`,`) the first that we take; a layer that begins paused (`~`) may be sent later, so it is taken too. One
/// that is not declared by `a=rid` as sent, is named twice, or has a name that we do not know, is not.
fn rids(attributes: &[Attribute]) -> Vec<Option<Rid>> {
    let Some(simulcast) = value_of(attributes, "simulcast") else { return Vec::new() };
    let mut words = simulcast.split_ascii_whitespace();
    let Some(list) = words.by_ref().skip_while(|word| *word != "send").nth(1) else {
        return Vec::new();
    };
    let is_declared = |rid: &Rid| {
        values(attributes, "rid").any(|value| {
            let mut words = value.split_ascii_whitespace();
            words.next() == Some(rid.as_str()) && words.next() == Some("send")
        })
    };
    let mut found: Vec<Option<Rid>> = Vec::new();
    for layer in list.split(';') {
        let names = layer.split(',').map(|name| name.strip_prefix('~').unwrap_or(name));
        let rid =
            names.filter_map(Rid::new).filter(is_declared).find(|rid| !found.contains(&Some(*rid)));
        found.push(rid);
    }
    found
}

/// Inside one bundle a number means one thing: header extension ids, our codecs' payload types, SSRCs.
fn check_numbers(lines: &[OfferedLine], session: &SessionDescription) -> Result<(), OfferError> {
    let mut uris: [Option<&str>; 15] = [None; 15];
    for media in &session.media_descriptions {
        for value in values(&media.attributes, "extmap") {
            let (number, rest) = value.split_once(' ').ok_or(OfferError::Syntax)?;
            let id: usize = number.split('/').next().unwrap_or_default().parse().unwrap_or(0);
            let uri = rest.split_ascii_whitespace().next().unwrap_or_default();
            let Some(slot) = uris.get_mut(id) else { continue };
            if slot.replace(uri).is_some_and(|other| other != uri) {
                return Err(OfferError::AmbiguousNumber);
            }
        }
    }
    let mut meanings: Vec<(PayloadType, &'static str)> = Vec::new();
    let mut ssrcs: Vec<Ssrc> = Vec::new();
    for line in lines.iter().filter(|line| line.live()) {
        for (pt, meaning) in line.codecs.iter().flat_map(OfferedCodec::numbers) {
            if meanings.iter().any(|(other, is)| *other == pt && *is != meaning) {
                return Err(OfferError::AmbiguousNumber);
            }
            meanings.push((pt, meaning));
        }
        for ssrc in line.ssrcs.iter().chain(line.rtx_of.iter().map(|(_, rtx)| rtx)) {
            if ssrcs.contains(ssrc) {
                return Err(OfferError::RepeatedSsrc);
            }
            ssrcs.push(*ssrc);
        }
        if ssrcs.len() > MAX_SSRCS {
            return Err(OfferError::TooManySsrcs);
        }
    }
    Ok(())
}

/// One BUNDLE group with every live line in it, RTCP multiplexed, DTLS role left to us.
fn check_bundle(lines: &[OfferedLine], session: &SessionDescription) -> Result<(), OfferError> {
    let groups: Vec<Vec<&str>> = values(&session.attributes, "group")
        .map(|group| group.split_ascii_whitespace().collect::<Vec<_>>())
        .filter(|words| words.first() == Some(&"BUNDLE"))
        .collect();
    let [group] = groups.as_slice() else { return Err(OfferError::NotBundled) };
    for (line, media) in lines.iter().zip(&session.media_descriptions) {
        if !line.live() {
            continue;
        }
        if !group.iter().skip(1).any(|mid| *mid == line.mid.as_str()) {
            return Err(OfferError::NotBundled);
        }
        if !has(&media.attributes, "rtcp-mux") {
            return Err(OfferError::NoRtcpMux);
        }
    }
    let mut setups = everywhere(session, "setup").peekable();
    if setups.peek().is_none() || setups.any(|setup| setup != "actpass") {
        return Err(OfferError::BadSetup);
    }
    Ok(())
}

/// Values of a transport attribute, of the session and of each m-line.
fn everywhere<'a>(
    session: &'a SessionDescription,
    key: &'static str,
) -> impl Iterator<Item = &'a str> {
    let of_lines =
        session.media_descriptions.iter().flat_map(move |media| values(&media.attributes, key));
    values(&session.attributes, key).chain(of_lines)
}

/// The one SHA-256 fingerprint (RFC 8122 §5).
fn fingerprint(session: &SessionDescription) -> Result<Fingerprint, OfferError> {
    let mut found: Option<Fingerprint> = None;
    for value in everywhere(session, "fingerprint") {
        let (hash, hex) = value.split_once(' ').ok_or(OfferError::Syntax)?;
        if !hash.eq_ignore_ascii_case("sha-256") {
            return Err(OfferError::WeakFingerprint);
        }
        let mut bytes = [0; 32];
        let mut pairs = hex.trim().split(':');
        for byte in &mut bytes {
            let pair = pairs.next().filter(|pair| pair.len() == 2 && !pair.starts_with('+'));
            *byte = pair
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or(OfferError::Syntax)?;
        }
        if pairs.next().is_some() {
            return Err(OfferError::Syntax);
        }
        if found.replace(Fingerprint(bytes)).is_some_and(|other| other.0 != bytes) {
            return Err(OfferError::TwoFingerprints);
        }
    }
    found.ok_or(OfferError::NoFingerprint)
}

/// The client's ICE credentials: of the first m-line, which carries the bundle, else of the session.
fn ice(session: &SessionDescription) -> Result<IceCredentials, OfferError> {
    let of = |key| {
        let first = session.media_descriptions.first();
        first
            .and_then(|media| value_of(&media.attributes, key))
            .or_else(|| value_of(&session.attributes, key))
    };
    let (Some(ufrag), Some(pwd)) = (of("ice-ufrag"), of("ice-pwd")) else {
        return Err(OfferError::BadIce);
    };
    // ice-char of RFC 8839 §5.1, and the three of base64url that some clients add: we compare them, nothing else.
    let known =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    let sound =
        |text: &str, min: usize| (min..=256).contains(&text.len()) && text.bytes().all(known);
    if !sound(ufrag, 4) || !sound(pwd, 22) {
        return Err(OfferError::BadIce);
    }
    Ok(IceCredentials { ufrag: ufrag.to_owned(), pwd: pwd.to_owned() })
}
