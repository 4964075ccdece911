//! Patients at rest: the head of the chart is sealed under the patient's key.

use serde::{Deserialize, Serialize};

use clinical::actor::Millis;
use clinical::fhir::PatientFacts;
use clinical::id::{PatientId, PersonId, RecordId};
use clinical::phi::Phi;
use clinical::value::PartialDate;

use super::sql;
use crate::person::PersonError;
use crate::record::writer::Statement;
use crate::store::{Store, StoreError};
use crate::vault::{Dek, DekId, Spot, Vault, VaultError};

/// What is kept of a chart beside the record.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChartHead {
    /// Who it is about.
    pub(super) patient: PatientFacts,
    /// When they last left a hospital.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_discharge: Option<Phi<PartialDate>>,
}

const fn chart_spot(patient: &str) -> Spot<'_> {
    Spot { table: "patient", row: patient, seq: 0, column: "chart" }
}

/// The row of a new patient.
pub(super) fn add_patient(
    dek: &Dek,
    patient: PatientId,
    head: &ChartHead,
    now: Millis,
) -> Result<Statement, VaultError> {
    let id = patient.to_string();
    let plain = serde_json::to_vec(head).map_err(|_wrong| StoreError::Row)?;
    let chart = dek.seal(chart_spot(&id), &plain)?;
    Ok(Statement::new(sql::ADD_PATIENT)
        .text(id)
        .text(dek.id().0.to_string())
        .bytes(chart)
        .int(now.0))
}

/// The row of a new record.
pub(super) fn add_record(record: RecordId, patient: PatientId, now: Millis) -> Statement {
    Statement::new(sql::ADD_RECORD).text(record.to_string()).text(patient.to_string()).int(now.0)
}

/// Whom a record is about.
pub(super) async fn of_record(
    store: &Store,
    vault: &Vault,
    record: RecordId,
) -> Result<Option<(PatientId, ChartHead)>, PersonError> {
    let row: Option<(String, String, Vec<u8>)> = sqlx::query_as(sql::PATIENT_OF_RECORD)
        .bind(record.to_string())
        .fetch_optional(store.read())
        .await?;
    let Some((patient, dek, sealed)) = row else { return Ok(None) };
    let dek = DekId(dek.parse().map_err(|_wrong| StoreError::Row)?);
    let dek = vault.key_by_id(store, dek).await?;
    let plain = dek.open(chart_spot(&patient), &sealed)?;
    let head = serde_json::from_slice(&plain).map_err(|_wrong| StoreError::Row)?;
    Ok(Some((patient.parse().map_err(|_wrong| StoreError::Row)?, head)))
}

/// Every record, and whom it is about, oldest first.
pub(super) async fn records(store: &Store) -> Result<Vec<(RecordId, PatientId)>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(sql::RECORDS).fetch_all(store.read()).await?;
    rows.into_iter()
        .map(|(record, patient)| Some((record.parse().ok()?, patient.parse().ok()?)))
        .collect::<Option<_>>()
        .ok_or(StoreError::Row)
}

/// A batch at rest.
pub(super) struct BatchRow {
    pub(super) id: String,
    pub(super) dek: DekId,
    pub(super) person: Option<PersonId>,
    pub(super) at_ms: Millis,
    pub(super) content: Vec<u8>,
}

/// The imports of a record, oldest first.
pub(super) async fn batches(store: &Store, record: RecordId) -> Result<Vec<BatchRow>, StoreError> {
    let rows: Vec<(String, String, String, i64, Vec<u8>)> =
        sqlx::query_as(sql::BATCHES).bind(record.to_string()).fetch_all(store.read()).await?;
    let read = |(id, dek, person, at_ms, content): (String, String, String, i64, Vec<u8>)| {
        let person = if person.is_empty() { None } else { Some(person.parse().ok()?) };
        Some(BatchRow { id, dek: DekId(dek.parse().ok()?), person, at_ms: Millis(at_ms), content })
    };
    rows.into_iter().map(read).collect::<Option<_>>().ok_or(StoreError::Row)
}

/// The key of a record's patient.
pub(super) async fn key_of_record(
    store: &Store,
    vault: &Vault,
    record: RecordId,
) -> Result<Option<Dek>, PersonError> {
    let row: Option<(String,)> = sqlx::query_as(sql::KEY_OF_RECORD)
        .bind(record.to_string())
        .fetch_optional(store.read())
        .await?;
    let Some((dek,)) = row else { return Ok(None) };
    let dek = DekId(dek.parse().map_err(|_wrong| StoreError::Row)?);
    Ok(Some(vault.key_by_id(store, dek).await?))
}
