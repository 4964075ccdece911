//! The shared record and the rules for editing it: registers, texts, rows, conflicts, projection, FHIR import, the
//! patient's plain words. Pure: told the time and its identifiers, it answers with values.

pub mod actor;
pub mod allergy;
pub mod bytes;
pub mod care_team;
pub mod change;
pub mod command;
pub mod condition;
pub mod consent;
pub mod doc;
pub mod edit;
pub mod fhir;
pub mod field;
pub mod fold;
pub mod format;
pub mod goal;
pub mod id;
pub mod immunization;
pub mod limits;
pub mod measure;
pub mod medication;
pub mod outline;
pub mod phi;
pub mod plain;
pub mod problem;
pub mod recommendation;
pub mod record;
pub mod referral;
pub mod register;
pub mod task;
pub mod teach_back;
mod text;
pub mod todo;
pub mod touchpoint;
pub mod value;
pub mod view;
pub mod voice;
