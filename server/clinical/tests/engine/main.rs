//! The record engine from outside.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test may fail the test; clippy knows only the functions marked as tests"
)]

mod canary;
mod common;
mod fixtures;
mod gate;
mod interleavings;
mod random;
mod recommend;
mod rules;
mod safety;
mod signing;
mod world;
