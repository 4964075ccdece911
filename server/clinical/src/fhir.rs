//! FHIR R4: a chart comes in through [`read()`].

mod bundle;
pub mod chart;
pub mod export;
pub mod issue;
mod json;
mod node;
mod read;

pub use bundle::{FILE_BYTES, RESOURCES};
pub use chart::{Chart, ChartRow, PatientFacts, ResourceRef};
pub use issue::{Issue, IssueCode, IssueSeverity, ReadError};
pub use node::ISSUES;
pub use read::{ROWS, read};
