//! Collaborative drug therapy management (CDTM): the agreement by which a pharmacist carries out drug therapy for one
//! patient of one physician, inside one order set.
//!
//! What a jurisdiction asks for is dated data ([`template::Template`]), never code. An agreement is a list of entries
//! that only grows ([`agreement::Agreement`]); what it allows is asked for each single action ([`check::check`]), and
//! what it does not allow goes to the physician as an ordinary recommendation, with the reasons.

pub mod agreement;
pub mod check;
pub mod day;
mod dose;
pub mod due;
pub mod entry;
pub mod template;
pub mod terms;
