//! Wrapped keys at rest.

use super::{DekId, KeyOf, VaultError};
use crate::store::{Store, StoreError, now, sql};
use clinical::id::PatientId;

sql! {
    /// Under which master key the database is sealed.
    SOME_KEK = "select kek from dek where wrapped is not null limit 1";
    /// Keys of a patient that are not destroyed, newest first. At most a few.
    PATIENT_KEY = "select id, wrapped from dek where patient = $1 and wrapped is not null order by created_ms desc limit 1";
    /// The organisation's key.
    ORGANISATION_KEY = "select id, wrapped from dek where patient is null and wrapped is not null order by created_ms desc limit 1";
    /// A key by its id.
    KEY = "select wrapped from dek where id = $1";
    /// A new key.
    ADD_KEY = "insert into dek (id, patient, kek, wrapped, created_ms) values ($1, $2, $3, $4, $5)";
    /// Destroys the keys of a patient: what they sealed is gone.
    SHRED = "update dek set wrapped = null, shredded_ms = $2 where patient = $1 and wrapped is not null";
}

/// A key as it is stored: its id, and itself wrapped.
type Wrapped = (String, Vec<u8>);

/// Fingerprint of the master key under which the database is sealed; `None` in a new one.
pub(super) async fn some_kek(store: &Store) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(SOME_KEK).fetch_optional(store.read()).await?)
}

/// The newest key of somebody.
pub(super) async fn newest(store: &Store, of: KeyOf) -> Result<Option<Wrapped>, StoreError> {
    Ok(match of {
        KeyOf::Patient(patient) => {
            sqlx::query_as(PATIENT_KEY)
                .bind(patient.to_string())
                .fetch_optional(store.read())
                .await?
        }
        KeyOf::Organisation => {
            sqlx::query_as(ORGANISATION_KEY).fetch_optional(store.read()).await?
        }
    })
}

/// A key by its id.
pub(super) async fn by_id(store: &Store, id: DekId) -> Result<Vec<u8>, VaultError> {
    let wrapped: Option<Option<Vec<u8>>> =
        sqlx::query_scalar(KEY).bind(id.0.to_string()).fetch_optional(store.read()).await?;
    wrapped.flatten().ok_or(VaultError::Gone)
}

/// Destroys the keys of a patient.
pub(super) async fn shred(store: &Store, patient: PatientId) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    sqlx::query(SHRED).bind(patient.to_string()).bind(now().0).execute(&mut *write).await?;
    write.commit().await?;
    Ok(())
}

impl From<sqlx::Error> for VaultError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
