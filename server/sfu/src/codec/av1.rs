//! AV1 payloads without a dependency descriptor (RTP Payload Format for AV1 §4.4): their aggregation header tells where a
//! decoder can begin, and nothing of layers.

use super::Keyframe;

/// Whether a packet begins a coded video sequence (N). `None` if there is no header.
pub(crate) fn keyframe(payload: &[u8]) -> Option<Keyframe> {
    const NEW_SEQUENCE: u8 = 0x08;
    let first = payload.first()?;
    Some(if first & NEW_SEQUENCE != 0 { Keyframe::Starts } else { Keyframe::Otherwise })
}
