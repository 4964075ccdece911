//! What forwarding must know of a codec's payload: where a decoder can begin, and which numbers must continue.

pub(crate) mod av1;
pub(crate) mod bits;
pub(crate) mod dependency;
pub(crate) mod h264;
pub(crate) mod ids;
pub(crate) mod red;
pub(crate) mod vp8;
pub(crate) mod vp9;

use crate::scalable::Part;
use ids::Ids;

/// Whether a packet begins a keyframe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyframe {
    Starts,
    Otherwise,
}

/// What is known of one packet of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Whether a decoder can begin with it.
    pub(crate) keyframe: Keyframe,
    /// The numbers in its payload.
    pub(crate) ids: Ids,
    /// Its place in a scalable stream; `None` of a format that has none.
    pub(crate) part: Option<Part>,
}
