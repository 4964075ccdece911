//! The media relay's core: datagrams in, datagrams out. It knows peers by number, never by name. Pure: told the time,
//! its keys and its input, it answers with datagrams, events and the next deadline.

pub mod command;
pub mod counters;
pub mod dtls;
pub mod egress;
pub mod event;
pub mod limits;
pub mod plan;
#[cfg(feature = "simulation")]
pub mod ready_keys;
pub mod sfu;
pub mod time;

mod acknowledgement;
mod allocation;
mod bandwidth;
mod bytes;
mod cache;
mod codec;
mod demand;
mod demux;
mod due;
mod estimate;
mod extension;
mod feedback;
mod forward;
mod ice;
mod ingress;
mod keyframe;
mod layers;
mod meter;
mod nack;
mod outgoing;
mod pacer;
mod peer;
mod probe;
mod quality;
mod rate;
mod reception;
mod redundancy;
mod report;
mod rewrite;
mod rtcp;
mod rtp;
mod seating;
mod sent;
mod shares;
mod slab;
mod slot;
mod speaker;
mod srtp;
mod stun;
mod timer;
mod track;
mod trendline;

pub use dtls::Identity;
pub use egress::{Egress, Flow, Path, Via};
pub use sfu::{Config, Sfu};
pub use time::NtpTime;
