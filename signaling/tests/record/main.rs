//! The session of an open record: order, audiences, refusals, what the store answers.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a helper of a test may fail the test; clippy knows only the functions marked as tests"
)]

mod access;
mod bench;
mod decisions;
mod derived;
mod history;
mod import;
mod limits;
mod order;
mod store;
