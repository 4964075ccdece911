//! Credentials of staff: proof that somebody may do what they do. They are public facts, not patient data.

mod store;

use uuid::Uuid;

use clinical::gate::{Credential, CredentialKind};
use clinical::id::PersonId;

use crate::audit::{Entry, Outcome};
use crate::record::writer::{Statement, Work, Writer};
use crate::store::{StoreError, now};

pub(crate) use store::ALL;
pub use store::of;

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
    let statement = Statement::new(store::ADD)
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
