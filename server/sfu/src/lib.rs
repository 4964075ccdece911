//! The media relay's core: datagrams in, datagrams out. It knows peers by number, never by name. Pure: told the time,
//! its keys and its input, it answers with datagrams, events and the next deadline.

// What the shell sees: its turn of the loop is described at `sfu::Sfu`, and everything below hangs from there.
pub mod command;
pub mod counters;
pub mod dtls;
pub mod egress;
pub mod event;
pub mod limits;
pub mod plan;
pub mod sfu;
pub mod time;

// Seams for tests, absent from the product.
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
#[cfg(feature = "simulation")]
pub mod ready_keys;

// A packet's way in: `ingress` looks what it is, whose address it comes from, opens it, and puts it into its layer's cache.
mod demux;
mod ice;
mod in_flight;
mod ingress;
mod path_check;
mod reception;
mod srtp;
mod stun;

// What is held: peers with their lines and slots, tracks with their layers, packets of a layer.
mod cache;
mod peer;
mod slab;
mod track;

// Who gets what: seats and layers are settled when something changes, never for each packet.
mod demand;
mod keyframe;
mod layers;
mod scalable;
mod seating;
mod selector;
mod speaker;

// A packet's way out: `forward` goes from subscriber to subscriber, `slot` writes it in the slot's own numbers.
mod forward;
mod outgoing;
mod redundancy;
mod resend;
mod rewrite;
mod sent;
mod slot;

// A subscriber's line: feedback says what it carries (`bandwidth`), `shares` lets `allocation` divide that among its pictures.
mod allocation;
mod bandwidth;
mod estimate;
mod meter;
mod pacer;
mod probe;
mod shares;
mod standing;
mod trendline;

// Reports and requests both ways: `report` takes and writes them, what is due when stands in `due`.
mod due;
mod feedback;
mod nack;
mod quality;
mod rate;
mod report;
mod timer;

// Formats: views of what came, writers of what goes. Nothing is copied.
mod acknowledgement;
mod bytes;
mod codec;
mod extension;
mod rtcp;
mod rtp;

pub use dtls::Identity;
pub use egress::{Egress, Flow, Path, Via};
pub use sfu::{Config, Sfu};
pub use time::NtpTime;
