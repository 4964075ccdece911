//! What one reader receives of a document.

use serde::{Deserialize, Serialize};

use crate::bytes::Base64;
use crate::change::Merged;
use crate::field::{Address, ListName};
use crate::id::RowId;
use crate::register::Register;

/// Through which eyes a document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Everything: clinicians.
    Full,
    /// The fields marked for the patient's side: patient and caregiver.
    PatientSide,
}

/// A document as one view sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Rows of each list, in the order shown; removed ones keep their place. Lists without rows are left out.
    pub lists: Vec<ListRows>,
    /// Every register that was ever written.
    pub registers: Vec<RegisterAt>,
    /// Every text that was ever written.
    pub texts: Vec<TextAt>,
}

/// The rows of one list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct ListRows {
    /// Which list.
    pub list: ListName,
    /// Its rows.
    pub rows: Vec<RowId>,
}

/// A register and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct RegisterAt {
    /// Where.
    pub at: Address,
    /// What it holds.
    pub register: Register,
}

/// A narrative text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct TextAt {
    /// Where.
    pub at: Address,
    /// `seq` of its last change.
    pub rev: u64,
    /// Yjs state as one update, v1 encoding.
    pub state: Base64,
    /// Set while a merge waits to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub merged: Option<Merged>,
}
