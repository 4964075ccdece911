//! Values of a row in the measure list: one reading. Never edited.

use serde::{Deserialize, Serialize};

use crate::value::{Check, ValueError, short};

/// One reading. The value keeps the text of its source; it is rounded only on screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// What was measured.
    pub kind: MeasureKind,
    /// "132", or "132/84" for a blood pressure.
    pub value: String,
    /// UCUM: "mm[Hg]", "kg", "%".
    pub unit: String,
    /// FHIR `instant` or `date`, as exact as the source.
    pub at: String,
    /// Where the number comes from.
    pub source: MeasureSource,
}

/// The measures a medication review looks at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum MeasureKind {
    /// LOINC 85354-9, 55284-4.
    BloodPressure,
    /// LOINC 29463-7.
    Weight,
    /// LOINC 8867-4.
    HeartRate,
    /// LOINC 4548-4.
    Hba1c,
    /// LOINC 13457-7, 18262-6, 2089-1.
    LdlCholesterol,
    /// LOINC 2160-0.
    Creatinine,
    /// LOINC 98979-8, 62238-1, 33914-3, 69405-9.
    Egfr,
    /// LOINC 2823-3.
    Potassium,
    /// LOINC 6301-6.
    Inr,
    /// LOINC 1742-6.
    Alt,
}

/// Who measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum MeasureSource {
    /// Imported.
    Chart,
    /// Told or typed by the patient.
    Patient,
    /// Taken by staff.
    Staff,
}

impl Check for Measure {
    fn check(&self) -> Result<(), ValueError> {
        short("value", &self.value, 1, 40)?;
        short("unit", &self.unit, 0, 40)?;
        short("at", &self.at, 4, 40)
    }
}
