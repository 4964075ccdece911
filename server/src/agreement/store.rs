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

/// Opens each agreement: how many there are, and what is wrong with which.
pub(super) async fn verify(store: &Store, vault: &Vault) -> Result<(u64, Vec<String>), StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(sql::EVERY).fetch_all(store.read()).await?;
    let (mut walked, mut faults) = (0, Vec::new());
    for (id, patient) in rows {
        walked += 1;
        match load(store, vault, &id, &patient).await {
            // Erased with its patient.
            Ok(_) | Err(VaultError::Gone) => {}
            Err(VaultError::Store(error)) => return Err(error),
            Err(error) => faults.push(format!("agreement {id}: {error}")),
        }
    }
    Ok((walked, faults))
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
    Agreement::load(id, patient, entries).map_err(|_damaged| VaultError::Broken)
}

#[cfg(test)]
mod tests {
    use clinical::actor::Role;
    use clinical::cdtm::agreement::{Now, Who};
    use clinical::cdtm::entry::Act;
    use clinical::id::EntryId;
    use clinical::phi::Phi;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::agreement::Rules;
    use crate::record::writer::{Answer, Work};
    use crate::store::now;
    use crate::testing::Bench;
    use crate::vault::KeyOf;

    fn draft(condition: &str) -> Act {
        let terms = json!({
            "jurisdiction": "LA", "pharmacist": null, "backup": { "name": "", "phone": "" },
            "condition": condition, "f2f_visit": null, "start": null, "end": null,
            "board_told": null, "disclosure": "", "outcomes": [],
            "communication": { "method": "", "frequency": "", "format": "" },
            "order_set": {
                "pharmacist_phone": "", "provider_phone": "", "drugs": [], "extent": "",
                "patient": { "name": "Canaria", "address": "", "gender": "", "dob": null, "phone": "" },
                "responsibilities": { "physician": "", "pharmacist": "" }, "procedures": "",
                "tests": [], "reporting": "", "notify_events": [], "immediate_consultation": "",
            },
        });
        serde_json::from_value(json!({ "kind": "draft", "terms": terms })).unwrap()
    }

    /// An agreement with two drafts in it.
    async fn drafted(bench: &Bench) -> (AgreementId, PatientId) {
        let (id, patient) = (AgreementId(Uuid::now_v7()), PatientId(Uuid::now_v7()));
        let rules = Rules::shipped().unwrap();
        let name = Phi::new("Dr. Canary".to_owned());
        let who = Who { person: PersonId(Uuid::now_v7()), role: Role::Pcp, name };
        let at_ms = now();
        let (day, templates) = (rules.day(at_ms), rules.templates());
        let now = Now { at_ms, day, templates, withdrawn_in_record: false };
        let new = || EntryId(Uuid::now_v7());
        let first = Agreement::begin(new(), &who, &now, draft("Canary-hypertension")).unwrap();
        let agreement = Agreement::load(id, patient, vec![first.clone()]).unwrap();
        let second = agreement.decide(new(), &who, &now, draft("Canary-diabetes"), 1).unwrap();
        let dek = bench.vault.key(&bench.store, KeyOf::Patient(patient)).await.unwrap();
        let mut statements = vec![add(id, patient, who.person, at_ms)];
        for (n, entry) in [(1, &first), (2, &second)] {
            statements.extend(write(&dek, id, patient, n, entry).unwrap());
        }
        let work = Work { first: statements, ..Work::default() };
        assert_eq!(bench.writer.store(work).await, Answer::Stored);
        (id, patient)
    }

    #[tokio::test]
    async fn an_agreement_comes_back_and_nothing_of_it_is_readable_in_the_files() {
        let bench = Bench::new().await;
        let (id, patient) = drafted(&bench).await;
        let Bench { store, vault, .. } = &bench;

        let found = of_patient(store, vault, patient).await.unwrap();

        assert_eq!((found.len(), found[0].id(), found[0].seen()), (1, id, 2));
        assert_eq!(found[0].terms().condition, "Canary-diabetes");
        for canary in ["Canary-hypertension", "Canary-diabetes", "Canaria", "Dr. Canary"] {
            assert!(!bench.folder.holds(canary), "{canary}");
        }
        assert_eq!(of_patient(store, vault, PatientId(Uuid::now_v7())).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_place_is_taken_once_and_what_was_written_stays() {
        let bench = Bench::new().await;
        let (id, patient) = drafted(&bench).await;
        let Bench { store, vault, writer, .. } = &bench;
        let known = of_patient(store, vault, patient).await.unwrap();
        let dek = vault.key(store, KeyOf::Patient(patient)).await.unwrap();
        let mut another = known[0].entries()[1].clone();
        another.id = EntryId(Uuid::now_v7());

        let first = write(&dek, id, patient, 2, &another).unwrap();
        let second = writer.store(Work { first, ..Work::default() }).await;

        assert_eq!(second, Answer::OutOfStep);
        assert_eq!(of_patient(store, vault, patient).await.unwrap(), known);
        for change in ["update cdtm_entry set at_ms = 1", "delete from cdtm_entry"] {
            assert!(store.tamper(&[change]).await.is_err(), "{change}");
        }
    }

    #[tokio::test]
    async fn entries_that_change_places_or_are_missing_are_found() {
        for tampering in [
            "update cdtm_entry set id = 'another' where n = 2",
            "delete from cdtm_entry where n = 1",
            "update cdtm_entry set body = (select body from cdtm_entry where n = 1)",
        ] {
            let bench = Bench::new().await;
            let (_, patient) = drafted(&bench).await;
            let Bench { store, vault, .. } = &bench;
            store
                .tamper(&[
                    "drop trigger cdtm_entry_no_update",
                    "drop trigger cdtm_entry_no_delete",
                    tampering,
                ])
                .await
                .unwrap();

            let found = of_patient(store, vault, patient).await;

            assert!(matches!(found, Err(VaultError::Broken)), "{tampering}: {found:?}");
            let (walked, faults) = verify(store, vault).await.unwrap();
            assert_eq!((walked, faults.len()), (1, 1), "{tampering}");
        }
    }

    #[tokio::test]
    async fn an_erased_patient_has_no_agreement_and_nothing_is_wrong_with_that() {
        let bench = Bench::new().await;
        let (_, patient) = drafted(&bench).await;
        let Bench { store, vault, .. } = &bench;

        vault.shred(store, patient).await.unwrap();

        assert_eq!(of_patient(store, vault, patient).await.unwrap(), []);
        assert_eq!(verify(store, vault).await.unwrap(), (1, Vec::new()));
    }
}
