//! What forwarding must know of a codec's payload: where a decoder can begin, and which numbers must continue.

pub(crate) mod red;
pub(crate) mod vp8;
