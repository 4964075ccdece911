//! The record engine from outside.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a helper of a test may fail the test, and a test prints its figures; clippy knows only the functions marked as tests"
)]

mod agreement;
mod canary;
mod common;
mod fixtures;
mod gate;
mod random;
mod recommend;
mod record;
mod replicas;
mod rules;
mod safety;
mod signing;
mod touchpoint;
mod world;
