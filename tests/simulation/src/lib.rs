//! Whole calls in virtual time: the relay's core with model browsers around it and links that impair between them. One
//! thread, one seed; two runs of one seed are equal to the byte. `bin/impair.rs` alone opens sockets: it puts the same links before a real browser.

pub mod browser;
pub mod fault;
pub mod layered;
pub mod link;
pub mod packet;
pub mod profile;
pub mod random;
pub mod receiver;
pub mod run;
pub mod seeds;
pub mod sender;
pub mod twcc;
pub mod watch;
pub mod world;
