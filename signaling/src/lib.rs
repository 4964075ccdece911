//! What participants and the server say to each other, and when they may say it. Pure: told the time and its
//! identifiers, it answers with effects that the shell carries out in order.
//!
#![doc = include_str!("../README.md")]

pub mod audit;
pub mod call;
pub mod effect;
pub mod message;
pub mod presence;
pub mod record;
pub mod role;
pub mod visit;

pub use clinical::actor::Role;
pub use clinical::id;
