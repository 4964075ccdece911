//! SQL of patients.

use crate::store::sql;

sql! {
    /// A new patient.
    ADD_PATIENT = "insert into patient (id, dek, chart, created_ms) values ($1, $2, $3, $4)";
    /// A new record.
    ADD_RECORD = "insert into record (id, patient, created_ms) values ($1, $2, $3)";
    /// The head of the chart of a record's patient.
    PATIENT_OF_RECORD = "select patient.id, patient.dek, patient.chart from record join patient on patient.id = record.patient where record.id = $1";
    /// Every record.
    RECORDS = "select id, patient from record order by created_ms, id";
}
