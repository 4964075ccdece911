//! People and their names: whoever signs an edit, joins a visit or speaks for a patient.
//!
//! A name is sealed: under the patient's key if it is the patient's, or of somebody who speaks for them, so that
//! erasing the patient erases it too; else under the organisation's.

mod store;

use uuid::Uuid;

use clinical::actor::Role;
use clinical::format::Language;
use clinical::id::{PatientId, PersonId};
use clinical::phi::Phi;

use crate::audit::{Entry, Outcome};
use crate::outbox::address::Address;
use crate::record::writer::{Statement, Work, Writer};
use crate::store::{Store, StoreError, now};
use crate::vault::{KeyOf, Vault, VaultError};

pub(crate) use store::{ALL, statement};

/// In the log of accesses: somebody is reached elsewhere from now on.
pub(crate) const MAIL_CHANGED: &str = "person.mail_changed";

/// Somebody with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub person: PersonId,
    /// The role they usually have.
    pub role: Role,
    /// As shown.
    pub name: Phi<String>,
}

/// How somebody is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// By mail, if anybody said where.
    pub mail: Option<Address>,
    /// In which language, if anybody said.
    pub language: Option<Language>,
}

/// Why a name could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It does not open.
    #[error(transparent)]
    Vault(VaultError),
}

impl From<VaultError> for PersonError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(error) => Self::Store(error),
            VaultError::File { .. }
            | VaultError::Missing { .. }
            | VaultError::Exposed { .. }
            | VaultError::NotAKey { .. }
            | VaultError::OtherKey { .. }
            | VaultError::Gone
            | VaultError::Broken
            | VaultError::Random => Self::Vault(error),
        }
    }
}

/// Adds somebody: staff, or (with a patient) who speaks for that patient.
///
/// # Errors
/// It cannot be stored.
pub async fn add(
    store: &Store,
    vault: &Vault,
    writer: &Writer,
    name: &Phi<String>,
    role: Role,
    speaks_for: Option<PatientId>,
) -> Result<PersonId, PersonError> {
    let person = PersonId(Uuid::now_v7());
    let of = speaks_for.map_or(KeyOf::Organisation, KeyOf::Patient);
    let dek = vault.key(store, of).await?;
    let now = now();
    let row = Person { person, role, name: name.clone() };
    let first = vec![statement(&dek, &row, speaks_for, now)?];
    let audit = vec![Entry {
        at_ms: now,
        person: None,
        role: None,
        on_behalf_of: None,
        action: "person.added",
        outcome: Outcome::Done,
        patient: speaks_for,
        object: format!("person:{person}"),
        visit: None,
        detail: None,
    }];
    writer.store(Work { first, audit, ..Work::default() }).await.committed()?;
    Ok(person)
}

/// Who somebody is; `None` if nobody has this id.
///
/// # Errors
/// It does not read.
pub async fn person(
    store: &Store,
    vault: &Vault,
    person: PersonId,
) -> Result<Option<Person>, PersonError> {
    store::person(store, vault, person).await
}

/// How somebody is reached; nobody knows how, if nobody has this id.
///
/// # Errors
/// It does not read.
pub async fn reached(
    store: &Store,
    vault: &Vault,
    person: PersonId,
) -> Result<Reached, PersonError> {
    store::reached(store, vault, person).await
}

/// The statement by which somebody is reached elsewhere from now on, or by no mail any more.
///
/// # Errors
/// Nobody has this id, or it cannot be sealed.
pub(crate) async fn set_mail(
    store: &Store,
    vault: &Vault,
    person: PersonId,
    mail: Option<&Address>,
    language: Language,
) -> Result<Statement, PersonError> {
    store::set_mail(store, vault, person, mail, language).await
}

/// Says how somebody on the staff is reached, for the operator.
///
/// # Errors
/// Nobody has this id, or it cannot be stored.
pub async fn note_mail(
    (store, vault, writer): (&Store, &Vault, &Writer),
    person: PersonId,
    mail: Option<&Address>,
    language: Language,
) -> Result<(), PersonError> {
    let first = vec![set_mail(store, vault, person, mail, language).await?];
    let audit = vec![Entry {
        at_ms: now(),
        person: None,
        role: None,
        on_behalf_of: None,
        action: MAIL_CHANGED,
        outcome: Outcome::Done,
        patient: None,
        object: format!("person:{person}"),
        visit: None,
        detail: None,
    }];
    writer.store(Work { first, audit, ..Work::default() }).await.committed()?;
    Ok(())
}

/// Everybody who works here, in the order they were added.
///
/// # Errors
/// They do not read.
pub async fn staff(store: &Store, vault: &Vault) -> Result<Vec<Person>, PersonError> {
    store::staff(store, vault).await
}

/// The patient, and who speaks for them.
///
/// # Errors
/// They do not read.
pub async fn of_patient(
    store: &Store,
    vault: &Vault,
    patient: PatientId,
) -> Result<Vec<Person>, PersonError> {
    store::of_patient(store, vault, patient).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[tokio::test]
    async fn a_name_comes_back_and_is_not_readable_in_the_file() {
        let bench = Bench::new().await;
        let Bench { store, vault, writer, .. } = &bench;
        let name = Phi::new("Ada Canary, PharmD".to_owned());

        let id = add(store, vault, writer, &name, Role::Pharmacist, None).await.unwrap();

        let found = person(store, vault, id).await.unwrap().unwrap();
        assert_eq!(found, Person { person: id, role: Role::Pharmacist, name });
        assert_eq!(staff(store, vault).await.unwrap(), [found]);
        assert!(!bench.folder.holds("Ada Canary"));
    }

    #[tokio::test]
    async fn erasing_a_patient_erases_who_speaks_for_them() {
        let bench = Bench::new().await;
        let Bench { store, vault, writer, .. } = &bench;
        let patient = PatientId(Uuid::now_v7());
        let name = Phi::new("Cara Giver".to_owned());
        let id = add(store, vault, writer, &name, Role::Caregiver, Some(patient)).await.unwrap();
        assert_eq!(of_patient(store, vault, patient).await.unwrap().len(), 1);

        vault.shred(store, patient).await.unwrap();

        let gone = person(store, vault, id).await;
        assert!(matches!(gone, Err(PersonError::Vault(VaultError::Gone))), "{gone:?}");
    }

    #[tokio::test]
    async fn two_names_do_not_change_places() {
        let bench = Bench::new().await;
        let Bench { store, vault, writer, .. } = &bench;
        let mut ids = Vec::new();
        for name in ["A", "B"] {
            let name = Phi::new(name.to_owned());
            ids.push(add(store, vault, writer, &name, Role::Nurse, None).await.unwrap());
        }
        // The first one's name, sealed, now stands on the second one's row.
        let swap =
            "update person set name = (select name from person order by created_ms, id limit 1)";
        store.tamper(&[swap]).await.unwrap();

        let swapped = person(store, vault, ids[1]).await;

        assert!(matches!(swapped, Err(PersonError::Vault(VaultError::Broken))), "{swapped:?}");
    }
}
