//! Cameras of several sizes: model encoders of all four formats, a relay that sends each viewer what his tile asks for, and a
//! judge that looks at every packet to every viewer. Beside the random calls of `run.rs`, whose cameras have one size.

pub mod call;
pub mod descriptor;
pub mod encoder;
pub mod judge;
