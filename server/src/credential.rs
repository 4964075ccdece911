//! Credentials of staff: proof that somebody may do what they do. They are public facts, not patient data.

use uuid::Uuid;

use clinical::gate::{Credential, CredentialKind};
use clinical::id::PersonId;
use clinical::value::PartialDate;

use crate::audit::{Entry, Outcome};
use crate::record::writer::{Statement, Work, Writer};
use crate::store::{Store, StoreError, now, sql};

sql! {
    /// A new credential. One that was prolonged is a new row: what a version was signed with stays on record.
    ADD = "insert into credential (id, person, kind, number, state, expires, created_ms) values ($1, $2, $3, $4, $5, $6, $7)";
    /// What somebody holds.
    OF_PERSON = "select kind, number, state, expires from credential where person = $1 order by created_ms, id";
}

/// The name of a kind in the table and on the command line.
pub const fn kind_name(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::License => "license",
        CredentialKind::MtmCert => "mtm_cert",
        CredentialKind::CdtmRegistration => "cdtm_registration",
        CredentialKind::BoardCert => "board_cert",
    }
}

/// The kind of that name.
pub fn kind_of(name: &str) -> Option<CredentialKind> {
    [
        CredentialKind::License,
        CredentialKind::MtmCert,
        CredentialKind::CdtmRegistration,
        CredentialKind::BoardCert,
    ]
    .into_iter()
    .find(|kind| kind_name(*kind) == name)
}

/// Notes a credential of a person. Whoever enters it has checked it.
///
/// # Errors
/// It cannot be stored.
pub async fn add(
    writer: &Writer,
    person: PersonId,
    credential: &Credential,
) -> Result<(), StoreError> {
    let Credential { kind, number, state, expires } = credential;
    let now = now();
    let statement = Statement::new(ADD)
        .text(Uuid::now_v7().to_string())
        .text(person.to_string())
        .text(kind_name(*kind))
        .text(number.clone())
        .text(state.clone())
        .text(expires.as_str())
        .int(now.0);
    let audit = vec![Entry {
        at_ms: now,
        person: None,
        role: None,
        on_behalf_of: None,
        action: "credential.changed",
        outcome: Outcome::Done,
        patient: None,
        object: format!("person:{person}"),
        visit: None,
        detail: None,
    }];
    writer.store(Work { first: vec![statement], audit, ..Work::default() }).await.committed()
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
