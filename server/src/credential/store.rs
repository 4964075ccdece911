//! Credentials at rest.

use clinical::gate::Credential;
use clinical::id::PersonId;
use clinical::value::PartialDate;

use super::kind_of;
use crate::store::{Store, StoreError, sql};

sql! {
    /// A new credential. One that was prolonged is a new row: what a version was signed with stays on record.
    ADD = "insert into credential (id, person, kind, number, state, expires, created_ms) values ($1, $2, $3, $4, $5, $6, $7)";
    /// What somebody holds.
    OF_PERSON = "select kind, number, state, expires from credential where person = $1 order by created_ms, id";
}

/// Every credential of a person, those that have expired included.
///
/// # Errors
/// The store said no.
pub async fn of(store: &Store, person: PersonId) -> Result<Vec<Credential>, StoreError> {
    let rows: Vec<(String, String, String, String)> =
        sqlx::query_as(OF_PERSON).bind(person.to_string()).fetch_all(store.read()).await?;
    rows.into_iter()
        .map(|(kind, number, state, expires)| {
            Ok(Credential {
                kind: kind_of(&kind).ok_or(StoreError::Row)?,
                number,
                state,
                expires: PartialDate::parse(&expires).ok_or(StoreError::Row)?,
            })
        })
        .collect()
}
