//! Acceptance scenarios that concern the record, each as a story a pharmacist can read; A1 to A14 are their names. They
//! drive the real server over real WebSockets and HTTP; the words they are told in stand in `clinic` and `clock`.
//!
//! Told elsewhere from end to end, and not copied here:
//! - A5, the clock of it: that 20 s change nothing and 60 s offer the telephone, in virtual time in
//!   `signaling/src/call/tests/telephone.rs`; a server that dies while they telephone: `tests/tests/time.rs`; in real browsers:
//!   `tests/browser/specs/phone.test.mjs` and `lines.test.mjs`.
//! - A6, agreements: `server/clinical/tests/engine/agreement/a6.rs`, and over the wire in `tests/tests/cdtm.rs`.
//! - A13, the sheet: 200 scripted visits against a calculator of its own, every kind of rule, and the places of service,
//!   in `server/clinical/tests/time/main.rs`.
//!
//! The words of the difference between two signed versions ("Stopped simvastatin …", A2) are the client's, and tested in
//! `web-client/src/plan/sign.test.ts`.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of a test fail by it"
)]

mod a10_signed_stays_signed;
mod a11_canary;
mod a14_words_merge;
mod a1_import_and_conflict;
mod a2_interaction_answered;
mod a3_patient_shuts_out;
mod a4_caregiver_listens;
mod a5_dropped_line;
mod a9_medicare_pages;
mod clinic;
mod clock;
