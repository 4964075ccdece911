//! The shell: the only sockets, clock, threads and SQL. It carries out what the cores decide, in order.

pub mod acceptance;
pub mod agreement;
pub mod audit;
pub mod call;
pub mod cds;
pub mod cli;
pub mod config;
pub mod credential;
pub mod decision;
pub mod demo;
mod descriptors;
pub mod http;
pub mod limits;
pub mod link;
pub mod media;
mod metrics;
pub mod notice;
pub mod outbox;
pub mod passkey;
pub mod patient;
mod pending;
pub mod person;
pub mod record;
mod serve;
mod socket;
pub mod store;
pub mod telemetry;
pub mod vault;
pub mod verify;

#[cfg(test)]
mod testing;
pub mod visit;
pub use serve::{ServeError, Server, serve};
