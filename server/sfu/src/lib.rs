//! The media relay's core: datagrams in, datagrams out. It knows peers by number, never by name. Pure: told the time,
//! its keys and its input, it answers with datagrams, events and the next deadline.

pub mod command;
pub mod event;
pub mod plan;
