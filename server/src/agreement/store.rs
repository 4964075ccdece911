//! Agreements at rest: each entry is sealed under the patient's key, and never changed.

use clinical::actor::Millis;
use clinical::cdtm::agreement::Agreement;
use clinical::cdtm::entry::{Deed, Entry};
use clinical::id::{AgreementId, PatientId, PersonId};

use super::sql;
use crate::record::writer::Statement;
use crate::store::{Store, StoreError};
use crate::vault::{Dek, DekId, Spot, Vault, VaultError};

const fn spot(agreement: &str, n: u32) -> Spot<'_> {
    Spot { table: "cdtm_entry", row: agreement, seq: n as u64, column: "body" }
}

/// The row of a new agreement.
pub(super) fn add(
    agreement: AgreementId,
    patient: PatientId,
    physician: PersonId,
    now: Millis,
) -> Statement {
    Statement::new(sql::ADD)
        .text(agreement.to_string())
        .text(patient.to_string())
        .text(physician.to_string())
        .text_or_null(None)
        .int(now.0)
}

/// An entry, sealed, at its place; and what the agreement's row has to say with it.
pub(crate) fn write(
    dek: &Dek,
    agreement: AgreementId,
    patient: PatientId,
    n: u32,
    entry: &Entry,
) -> Result<Vec<Statement>, VaultError> {
    let name = agreement.to_string();
    let body = serde_json::to_vec(entry).map_err(|_wrong| VaultError::Broken)?;
    let mut statements = vec![
        Statement::new(sql::WRITE)
            .text(name.clone())
            .int(i64::from(n))
            .text(entry.id.to_string())
            .int(entry.at_ms.0)
            .text(dek.id().0.to_string())
            .bytes(dek.seal(spot(&name, n), &body)?),
    ];
    if let Deed::Drafted { terms } = &entry.deed {
        let pharmacist = terms.expose().pharmacist.map(|person| person.to_string());
        statements.push(
            Statement::new(sql::MEANT_FOR)
                .text(name)
                .text(patient.to_string())
                .text_or_null(pharmacist),
        );
    }
    Ok(statements)
}

/// Every agreement of a patient, oldest first.
pub(crate) async fn of_patient(
    store: &Store,
    vault: &Vault,
    patient: PatientId,
) -> Result<Vec<Agreement>, VaultError> {
    let query = sqlx::query_as(sql::OF_PATIENT).bind(patient.to_string());
    let rows: Vec<(String, String)> =
        query.fetch_all(store.read()).await.map_err(StoreError::from)?;
    load_all(store, vault, rows).await
}

/// Every agreement a person is physician or pharmacist of.
pub(super) async fn of_party(
    store: &Store,
    vault: &Vault,
    person: PersonId,
) -> Result<Vec<Agreement>, VaultError> {
    let query = sqlx::query_as(sql::OF_PARTY).bind(person.to_string());
    let rows: Vec<(String, String)> =
        query.fetch_all(store.read()).await.map_err(StoreError::from)?;
    load_all(store, vault, rows).await
}

/// Every agreement, for the operator's list.
pub(super) async fn every(store: &Store, vault: &Vault) -> Result<Vec<Agreement>, VaultError> {
    let query = sqlx::query_as(sql::EVERY);
    let rows: Vec<(String, String)> =
        query.fetch_all(store.read()).await.map_err(StoreError::from)?;
    load_all(store, vault, rows).await
}

/// Of a patient whose key was destroyed nothing is left to read.
async fn load_all(
    store: &Store,
    vault: &Vault,
    rows: Vec<(String, String)>,
) -> Result<Vec<Agreement>, VaultError> {
    let mut found = Vec::with_capacity(rows.len());
    for (id, patient) in rows {
        match load(store, vault, &id, &patient).await {
            Ok(agreement) => found.push(agreement),
            Err(VaultError::Gone) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

async fn load(
    store: &Store,
    vault: &Vault,
    name: &str,
    patient: &str,
) -> Result<Agreement, VaultError> {
    let rows: Vec<(i64, String, String, Vec<u8>)> = sqlx::query_as(sql::ENTRIES)
        .bind(name)
        .fetch_all(store.read())
        .await
        .map_err(StoreError::from)?;
    let mut entries = Vec::with_capacity(rows.len());
    for (place, (n, id, dek, body)) in rows.into_iter().enumerate() {
        let n = u32::try_from(n).map_err(|_wrong| StoreError::Row)?;
        let dek = dek.parse().map(DekId).map_err(|_wrong| StoreError::Row)?;
        let body = vault.key_by_id(store, dek).await?.open(spot(name, n), &body)?;
        let entry: Entry = serde_json::from_slice(&body).map_err(|_wrong| VaultError::Broken)?;
        // A row that was taken out, or stands in another's place.
        let in_place = u32::try_from(place).is_ok_and(|place| place + 1 == n);
        if !in_place || entry.id.to_string() != id {
            return Err(VaultError::Broken);
        }
        entries.push(entry);
    }
    let id = name.parse().map_err(|_wrong| StoreError::Row)?;
    let patient = patient.parse().map_err(|_wrong| StoreError::Row)?;
    Agreement::load(id, patient, entries).map_err(|_none| VaultError::Broken)
}
