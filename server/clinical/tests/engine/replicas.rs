//! The promises of the shared record, tried: three people with a browser each, one server that may restart at any
//! moment, lines that break, edits that are sent again, and a judge who looks after every event.
//!
//! `MORTAR_SCALE=full` tells a million random stories instead of some thousands; `SEED=n` repeats one.

mod book;
mod client;
mod exhaustive;
mod judge;
mod people;
mod planted;
mod replica;
mod story;
mod world;
mod yjs;
