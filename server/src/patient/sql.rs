//! SQL of patients.

use crate::store::sql;

sql! {
    /// A new patient.
    ADD_PATIENT = "insert into patient (id, dek, chart, created_ms) values ($1, $2, $3, $4)";
    /// A new record.
    ADD_RECORD = "insert into record (id, patient, created_ms) values ($1, $2, $3)";
    /// The head of the chart of a record's patient.
    PATIENT_OF_RECORD = "select patient.id, patient.dek, patient.chart from record join patient on patient.id = record.patient where record.id = $1";
    /// The imports of a record, oldest first.
    BATCHES = "select id, dek, person, at_ms, content from import_batch where record = $1 order by at_ms, id";
    /// One more import.
    ADD_BATCH = "insert into import_batch (id, record, dek, person, at_ms, content) values ($1, $2, $3, $4, $5, $6)";
    /// The key of a record's patient.
    KEY_OF_RECORD = "select patient.dek from record join patient on patient.id = record.patient where record.id = $1";
    /// Every record.
    RECORDS = "select id, patient from record order by created_ms, id";
}
