//! Which codecs of an offer we take: Opus, and four formats of pictures. What two sides must agree on beyond the name (profile,
//! packetization) is checked here, so that nobody is sent what he cannot decode.

use rtc_sdp::description::common::Attribute;
use sfu::plan::{Codec, Format, PayloadType};

use super::{Kind, values};

/// A codec of the offer, with what is said of it.
#[derive(Clone)]
pub(super) struct OfferedCodec {
    pub(super) codec: Codec,
    /// Our `a=fmtp` for it, if it needs one.
    pub(super) parameters: Option<String>,
    pub(super) nack: bool,
    pub(super) pli: bool,
    pub(super) transport_cc: bool,
    /// Whether its stream may be that of a publisher alone: a receiver of it could not decode everybody's.
    pub(super) only_sends: bool,
}

impl OfferedCodec {
    /// Its payload type.
    pub(super) fn pt(&self) -> PayloadType {
        let (Codec::Opus { pt, .. } | Codec::Picture { pt, .. }) = self.codec;
        pt
    }

    /// Its payload types, with the word for what each means.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (PayloadType, &'static str)> {
        let numbers = match self.codec {
            Codec::Opus { pt, red } => [Some((pt, "opus")), red.map(|pt| (pt, "red"))],
            Codec::Picture { format, pt, rtx } => {
                [Some((pt, name(format))), rtx.map(|pt| (pt, "rtx"))]
            }
        };
        numbers.into_iter().flatten()
    }
}

/// As `a=rtpmap` has it.
pub(super) fn name(format: Format) -> &'static str {
    match format {
        Format::Vp8 => "VP8",
        Format::H264 => "H264",
        Format::Vp9 => "VP9",
        Format::Av1 => "AV1",
    }
}

/// The codecs we know, each once, in the order of the offer: Opus (RFC 7587), also with earlier frames (RFC 2198); pictures.
pub(super) fn offered(
    kind: Kind,
    formats: &[String],
    attributes: &[Attribute],
) -> Vec<OfferedCodec> {
    let payload_types = || formats.iter().filter_map(|format| payload_type(format));
    match kind {
        Kind::Audio => {
            let Some(pt) = payload_types().find(|pt| is_codec(attributes, *pt, "opus/48000/2"))
            else {
                return Vec::new();
            };
            let is_of_it = |red: PayloadType| {
                parameters(attributes, "fmtp", red).any(|list| is_redundancy_of(list, pt))
            };
            let red = payload_types()
                .find(|red| is_codec(attributes, *red, "red/48000/2") && is_of_it(*red));
            vec![with_feedback(Codec::Opus { pt, red }, Agreed::default(), attributes)]
        }
        Kind::Video => {
            let mut found: Vec<OfferedCodec> = Vec::new();
            for pt in payload_types() {
                let Some((format, agreed)) = picture(pt, attributes) else { continue };
                let is_known = found.iter().any(|other| {
                    matches!(other.codec, Codec::Picture { format: known, .. } if known == format)
                });
                if is_known {
                    continue;
                }
                let apt = format!("apt={}", pt.0);
                let repairs = |rtx: PayloadType| {
                    parameters(attributes, "fmtp", rtx)
                        .any(|list| list.split(';').any(|parameter| parameter.trim() == apt))
                };
                let rtx = payload_types()
                    .find(|rtx| is_codec(attributes, *rtx, "rtx/90000") && repairs(*rtx));
                found.push(with_feedback(Codec::Picture { format, pt, rtx }, agreed, attributes));
            }
            found
        }
        Kind::Other => Vec::new(),
    }
}

/// What the parameters of a format come to.
#[derive(Default)]
struct Agreed {
    parameters: Option<String>,
    only_sends: bool,
}

fn with_feedback(codec: Codec, agreed: Agreed, attributes: &[Attribute]) -> OfferedCodec {
    let (Codec::Opus { pt, .. } | Codec::Picture { pt, .. }) = codec;
    let feedback = |what: &str| parameters(attributes, "rtcp-fb", pt).any(|fb| fb == what);
    let Agreed { parameters, only_sends } = agreed;
    OfferedCodec {
        codec,
        parameters,
        nack: feedback("nack"),
        pli: feedback("nack pli"),
        transport_cc: feedback("transport-cc"),
        only_sends,
    }
}

/// The format of a payload type, if its parameters are those that we take.
fn picture(pt: PayloadType, attributes: &[Attribute]) -> Option<(Format, Agreed)> {
    let is_named = |format: &Format| is_codec(attributes, pt, &format!("{}/90000", name(*format)));
    let format = Format::ALL.into_iter().find(is_named)?;
    let list = parameters(attributes, "fmtp", pt).next().unwrap_or_default();
    let value = |key: &str| {
        let mut pairs = list.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.trim())
    };
    // Absent means the first profile of each (RFC 9628 §7, AV1 payload format §7.2.1).
    let is_main = |key: &str| value(key).is_none_or(|profile| profile == "0");
    let agreed = match format {
        Format::Vp8 => Agreed::default(),
        Format::H264 => h264(value)?,
        Format::Vp9 if is_main("profile-id") => {
            let parameters = value("profile-id").map(|_| "profile-id=0".to_owned());
            Agreed { parameters, only_sends: false }
        }
        Format::Av1 if is_main("profile") => {
            let number = |key| value(key).and_then(|text| text.parse::<u8>().ok());
            let [level, tier] = ["level-idx", "tier"].map(number);
            let each = [level.map(|it| format!("level-idx={it}")), Some("profile=0".to_owned())];
            let each: Vec<String> =
                each.into_iter().chain([tier.map(|it| format!("tier={it}"))]).flatten().collect();
            Agreed { parameters: Some(each.join(";")), only_sends: false }
        }
        Format::Vp9 | Format::Av1 => return None,
    };
    Some((format, agreed))
}

/// Constrained baseline in packetization mode 1 (RFC 7742 §6.2, RFC 6184 §8.1): every decoder of H.264 knows it.
fn h264<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Option<Agreed> {
    /// Level 3.1: 720p at 30 frames a second, what our publishers send.
    const LEVEL: u8 = 31;
    let profile = value("profile-level-id").filter(|text| text.len() == 6)?;
    if value("packetization-mode") != Some("1") {
        return None;
    }
    let number = u32::from_str_radix(profile, 16).ok()?;
    let [_, idc, constraints, level] = number.to_be_bytes();
    // The table of RFC 6184 §8.1: three ways to say it.
    let is_constrained_baseline = match idc {
        0x42 => constraints & 0x4f == 0x40,
        0x4d => constraints & 0x8f == 0x80,
        0x58 => constraints & 0xcf == 0xc0,
        _ => false,
    };
    if !is_constrained_baseline {
        return None;
    }
    let is_asymmetric = value("level-asymmetry-allowed") == Some("1");
    let asymmetry = if is_asymmetric { "level-asymmetry-allowed=1;" } else { "" };
    let ours = level.min(LEVEL);
    let parameters = format!(
        "{asymmetry}packetization-mode=1;profile-level-id={idc:02x}{constraints:02x}{ours:02x}"
    );
    Some(Agreed { parameters: Some(parameters), only_sends: level < LEVEL })
}

/// A payload type that can stand beside RTCP on one port: 64 to 95 would look like RTCP (RFC 5761 §4).
fn payload_type(text: &str) -> Option<PayloadType> {
    let number: u8 = text.parse().ok()?;
    matches!(number, 0..=63 | 96..=127).then_some(PayloadType(number))
}

/// Whether `a=fmtp` of redundant audio names one codec for all its frames (RFC 2198 §5): `111/111`.
fn is_redundancy_of(list: &str, pt: PayloadType) -> bool {
    let mut frames = list.split('/').map(|frame| frame.trim().parse() == Ok(pt.0));
    list.contains('/') && frames.all(|is_same| is_same)
}

fn is_codec(attributes: &[Attribute], pt: PayloadType, encoding: &str) -> bool {
    parameters(attributes, "rtpmap", pt).any(|map| map.trim().eq_ignore_ascii_case(encoding))
}

/// What `a=<key>:<pt> …` says about a payload type; `*` (in `rtcp-fb`) means each.
fn parameters<'a>(
    attributes: &'a [Attribute],
    key: &'static str,
    pt: PayloadType,
) -> impl Iterator<Item = &'a str> {
    values(attributes, key).filter_map(move |value| {
        let (number, rest) = value.split_once(' ')?;
        let same = (number == "*" && key == "rtcp-fb") || number.parse() == Ok(pt.0);
        same.then(|| rest.trim())
    })
}
