//! What each m-line is for: publishing lines get a source, receiving lines become slots. What was given once stays.

use sfu::plan::{
    Codec, ExtensionIds, Format, Formats, Mid, Plan, PublishLine, Receives, Rid, SlotLine, Source,
    Ssrc,
};

use super::codec::OfferedCodec;
use super::random::Random;
use super::{Extension, Kind, MAX_SSRCS, Negotiated, Offer, OfferError, OfferedLine, Way};

/// An m-line after negotiation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) mid: Mid,
    pub(super) role: Role,
    /// Its simulcast layers, the smallest first, once it has published: those of the first time stay.
    pub(super) rids: Option<Vec<Rid>>,
}

/// What an m-line is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The client sends a source on it.
    Publish { source: Source },
    /// The client receives on it. Audio and video slots with one place share a stream id, so the browser lip-syncs them.
    Slot { place: usize },
    /// It is of the bundle but nothing flows; a source that it had stays its own.
    Idle { source: Option<Source> },
    /// Port 0: not for us, or closed by the client.
    Refused,
}

/// All m-lines of an offer, decided.
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    pub(super) plan: Plan,
}

/// Decides the role of each line.
pub(super) fn assign(
    offer: &Offer,
    previous: Option<&Negotiated>,
    random: &mut Random,
) -> Result<Lines, OfferError> {
    let before = previous.map_or(&[][..], |negotiated| negotiated.lines.as_slice());
    if offer.lines.len() < before.len() {
        return Err(OfferError::MovedLine);
    }
    for (line, was) in offer.lines.iter().zip(before) {
        // A refused place may be used again for another line (RFC 9429 §5.2.2), any other keeps its mid.
        if line.mid != was.mid && was.role != Role::Refused {
            return Err(OfferError::MovedLine);
        }
    }
    let mut held = held_sources(offer, before);
    let mut roles = Vec::with_capacity(offer.lines.len());
    let mut publish = Vec::new();
    for line in &offer.lines {
        let role = role(line, &mut held);
        let mut rids = before
            .iter()
            .find(|was| was.mid == line.mid && line.live())
            .and_then(|was| was.rids.clone());
        if let Role::Publish { source } = &role {
            let known = previous.iter().flat_map(|negotiated| &negotiated.plan.publish);
            let known = known.filter(|was| was.mid == line.mid).map(|was| was.codec).next();
            let offered = published(line, known)?;
            let now = layers(line);
            let first = rids.get_or_insert_with(|| now.clone());
            let taken: Vec<Rid> = now.into_iter().filter(|rid| first.contains(rid)).collect();
            publish.push(publish_line(line, offered, *source, taken));
        }
        roles.push(Line { mid: line.mid, role, rids });
    }
    if roles.first().is_none_or(|line| line.role == Role::Refused) {
        return Err(OfferError::BadFirstLine);
    }
    let slots = slots(offer, &mut roles, previous, random)?;
    Ok(Lines { lines: roles, plan: Plan { publish, slots } })
}

/// The codec of a line that publishes: the first that is offered, and then it stays.
pub(super) fn published(
    line: &OfferedLine,
    known: Option<Codec>,
) -> Result<&OfferedCodec, OfferError> {
    let same = |offered: &&OfferedCodec| match (offered.codec, known) {
        (_, None) | (Codec::Opus { .. }, Some(Codec::Opus { .. })) => true,
        (Codec::Picture { format, .. }, Some(Codec::Picture { format: known, .. })) => {
            format == known
        }
        (Codec::Opus { .. }, Some(Codec::Picture { .. }))
        | (Codec::Picture { .. }, Some(Codec::Opus { .. })) => false,
    };
    line.codecs.iter().find(same).ok_or(OfferError::ChangedCodec)
}

/// What a slot takes: of pictures every format that it can decode.
fn receives(line: &OfferedLine) -> Option<Receives> {
    let mut formats = Formats::default();
    for offered in line.codecs.iter().filter(|offered| !offered.only_sends) {
        match offered.codec {
            Codec::Opus { pt, red } => return Some(Receives::Sound { pt, red }),
            Codec::Picture { format, pt, rtx } => formats = formats.with(format, pt, rtx),
        }
    }
    (formats != Formats::default()).then_some(Receives::Pictures(formats))
}

/// Sources that stay with the lines they were given to; a line that is gone frees its own.
fn held_sources(offer: &Offer, before: &[Line]) -> Vec<(Mid, Source)> {
    let live = |mid: Mid| offer.lines.iter().any(|line| line.mid == mid && line.live());
    before
        .iter()
        .filter(|was| live(was.mid))
        .filter_map(|was| match was.role {
            Role::Publish { source } | Role::Idle { source: Some(source) } => {
                Some((was.mid, source))
            }
            Role::Idle { source: None } | Role::Slot { .. } | Role::Refused => None,
        })
        .collect()
}

fn role(line: &OfferedLine, held: &mut Vec<(Mid, Source)>) -> Role {
    if !line.live() || line.codecs.is_empty() {
        return Role::Refused;
    }
    let own = held.iter().find(|(mid, _)| *mid == line.mid).map(|(_, source)| *source);
    match (line.sends, line.receives) {
        (true, _) => {
            let choices: [Source; 2] = match line.kind {
                Kind::Audio => [Source::Mic, Source::ScreenAudio],
                Kind::Video => [Source::Cam, Source::Screen],
                Kind::Other => return Role::Refused,
            };
            let free =
                choices.into_iter().find(|source| held.iter().all(|(_, taken)| taken != source));
            let Some(source) = own.or(free) else { return Role::Refused };
            if own.is_none() {
                held.push((line.mid, source));
            }
            Role::Publish { source }
        }
        // The place is counted once all lines are known.
        (false, true) if receives(line).is_some() => Role::Slot { place: 0 },
        (false, true) => Role::Refused,
        (false, false) => Role::Idle { source: own },
    }
}

/// The layers that we take, the smallest first; none without the extension that tells them apart.
fn layers(line: &OfferedLine) -> Vec<Rid> {
    if ids(line, Way::Send).rid.is_none() {
        return Vec::new();
    }
    Rid::ALL.into_iter().filter(|rid| line.rids.contains(&Some(*rid))).collect()
}

fn publish_line(
    line: &OfferedLine,
    offered: &OfferedCodec,
    source: Source,
    rids: Vec<Rid>,
) -> PublishLine {
    let (mut ssrcs, mut rtx_of) = (line.ssrcs.clone(), line.rtx_of.clone());
    if !rids.is_empty() {
        // Firefox names an SSRC for each layer, in their order; without that the packets say which layer they are of.
        let named = if ssrcs.len() == line.rids.len() { ssrcs.as_slice() } else { &[] };
        let of = |rid: &Rid| {
            let mut pairs = line.rids.iter().zip(named);
            pairs.find(|(name, _)| **name == Some(*rid)).map(|(_, ssrc)| *ssrc)
        };
        // All or none: the places of SSRCs are those of the layers.
        ssrcs = rids.iter().map(of).collect::<Option<Vec<Ssrc>>>().unwrap_or_default();
        rtx_of.retain(|(media, _)| ssrcs.contains(media));
    }
    let mut extensions = ids(line, Way::Send);
    if source != Source::Mic {
        extensions.audio_level = None;
    }
    if rids.is_empty() {
        extensions.rid = None;
        extensions.repaired_rid = None;
    }
    // VP8 and H.264 have nothing that it would tell.
    if !matches!(offered.codec, Codec::Picture { format: Format::Vp9 | Format::Av1, .. }) {
        extensions.dependency = None;
    }
    let (mid, codec) = (line.mid, offered.codec);
    PublishLine { mid, source, codec, extensions, rids, ssrcs, rtx_of }
}

/// Ids of the extensions that may travel one way.
fn ids(line: &OfferedLine, way: Way) -> ExtensionIds {
    let id = |extension: Extension| {
        let same = line.extensions.iter().find(|offered| offered.extension == extension)?;
        same.one_way.is_none_or(|only| only == way).then_some(same.id)
    };
    ExtensionIds {
        mid: id(Extension::Mid),
        rid: id(Extension::Rid),
        repaired_rid: id(Extension::RepairedRid),
        transport_cc: id(Extension::TransportCc),
        audio_level: id(Extension::AudioLevel),
        dependency: id(Extension::Dependency),
    }
}

/// Slots: first those of before, in their order, then new ones in the order of the offer.
fn slots(
    offer: &Offer,
    lines: &mut [Line],
    previous: Option<&Negotiated>,
    random: &mut Random,
) -> Result<Vec<SlotLine>, OfferError> {
    let is_slot = |line: &Line| matches!(line.role, Role::Slot { .. });
    let before = previous.map_or(&[][..], |negotiated| negotiated.plan.slots.as_slice());
    if before.iter().any(|slot| !lines.iter().any(|line| line.mid == slot.mid && is_slot(line))) {
        return Err(OfferError::ClosedSlot);
    }
    let mut taken: Vec<Ssrc> = offer
        .lines
        .iter()
        .flat_map(|line| line.ssrcs.iter().copied().chain(line.rtx_of.iter().map(|(_, rtx)| *rtx)))
        .chain(before.iter().flat_map(|slot| [Some(slot.ssrc), slot.rtx]).flatten())
        .collect();
    let mut slots = before.to_vec();
    for (line, offered) in lines.iter().zip(&offer.lines).filter(|(line, _)| is_slot(line)) {
        let Some(receives) = receives(offered) else { continue };
        // Slots have declared SSRCs: a mid in each packet would only cost bytes. And the level would tell who speaks.
        let ExtensionIds { transport_cc, dependency, .. } = ids(offered, Way::Receive);
        let (dependency, repaired) = match receives {
            Receives::Sound { .. } => (None, false),
            Receives::Pictures(formats) => {
                let is_repaired = |codec| matches!(codec, Codec::Picture { rtx: Some(_), .. });
                (dependency, formats.iter().any(is_repaired))
            }
        };
        let extensions = ExtensionIds { transport_cc, dependency, ..ExtensionIds::default() };
        if let Some(slot) = slots.iter_mut().find(|slot| slot.mid == line.mid) {
            let same_kind = matches!(
                (slot.receives, receives),
                (Receives::Sound { .. }, Receives::Sound { .. })
                    | (Receives::Pictures(_), Receives::Pictures(_))
            );
            if !same_kind {
                return Err(OfferError::MovedLine);
            }
            slot.receives = receives;
            slot.extensions = extensions;
            if repaired && slot.rtx.is_none() {
                slot.rtx = Some(random.ssrc(&mut taken));
            }
        } else {
            slots.push(SlotLine {
                mid: line.mid,
                receives,
                extensions,
                ssrc: random.ssrc(&mut taken),
                rtx: repaired.then(|| random.ssrc(&mut taken)),
                first_sequence: random.sequence(),
                first_timestamp: random.number(),
            });
        }
    }
    if slots.len() > MAX_SSRCS {
        return Err(OfferError::TooManySsrcs);
    }
    let (mut audio, mut video) = (0, 0);
    for slot in &slots {
        let next = match slot.receives {
            Receives::Sound { .. } => &mut audio,
            Receives::Pictures(_) => &mut video,
        };
        if let Some(line) = lines.iter_mut().find(|line| line.mid == slot.mid) {
            line.role = Role::Slot { place: *next };
        }
        *next += 1;
    }
    Ok(slots)
}
