//! The test harness.

pub mod peer;

pub mod authenticator;
pub mod browserless;
pub mod charts;
pub mod editors;
pub mod gate;
pub mod ledger;
pub mod participant;
pub mod picture;
pub mod smtp;
pub mod world;
