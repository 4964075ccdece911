//! Patients: the import of a chart, and the facts that tell two charts apart.

pub(crate) mod batch;
mod sql;
mod store;

pub(crate) use sql::ALL;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use clinical::actor::Role;
use clinical::doc::{Doc, Import};
use clinical::edit::EditError;
use clinical::fhir::{self, Chart, Issue, ReadError};
use clinical::field::{Address, DocKind, FieldName};
use clinical::id::{DocId, EditId, PatientId, PersonId, RecordId, RowId};
use clinical::merge::person::Sameness;
use clinical::merge::{self, Origin};
use clinical::phi::Phi;
use clinical::value::{PartialDate, Value, ValueError};
use signaling::message::{PatientFacts, StorageState};

use batch::{Batch, Report};

use crate::audit::{Entry, Outcome};
use crate::person::{self, Person, PersonError};
use crate::record::writer::{Append, Work, Writer};
use crate::record::{new_doc, seal_changes};
use crate::store::{Store, StoreError, now};
use crate::vault::{KeyOf, Vault, VaultError};

/// What an import made, and what is to be said about the chart.
#[derive(Clone, Debug)]
pub struct ImportReport {
    /// The patient.
    pub patient: PatientId,
    /// The patient as a person who joins and writes.
    pub person: PersonId,
    /// Their record.
    pub record: RecordId,
    /// The chart says that they have died.
    pub deceased: bool,
    /// Rows of each list.
    pub rows: BTreeMap<clinical::field::ListName, usize>,
    /// Remarks, resource by resource.
    pub issues: Vec<Issue>,
    /// Remarks beyond those.
    pub issues_left_out: u32,
    /// Resources of kinds that are not read, by type.
    pub ignored: BTreeMap<String, u32>,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not a chart.
    #[error(transparent)]
    Chart(#[from] ReadError),
    /// A value of the chart does not fit into a record: a bug of the reader.
    #[error("the chart does not fit into a record: {0}")]
    Fit(#[from] EditError),
    /// As above, for the record's own values.
    #[error("the chart does not fit into a record: {0}")]
    Value(#[from] ValueError),
    /// It cannot be stored.
    #[error(transparent)]
    Person(PersonError),
}

impl From<PersonError> for ImportError {
    fn from(error: PersonError) -> Self {
        Self::Person(error)
    }
}

impl From<VaultError> for ImportError {
    fn from(error: VaultError) -> Self {
        Self::Person(error.into())
    }
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Person(error.into())
    }
}

impl ImportError {
    /// A stable code for the wire and the log.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Chart(error) => error.code(),
            Self::Fit(_) | Self::Value(_) => "does_not_fit",
            Self::Person(PersonError::Store(StoreError::Full)) => "storage_full",
            Self::Person(PersonError::Store(StoreError::Failed)) => "storage_failed",
            Self::Person(PersonError::Store(_)) => "storage_away",
            Self::Person(PersonError::Vault(_)) => "key",
        }
    }
}

/// Reads a FHIR R4 chart and makes of it a patient, a person and a record, in one transaction: all of it, or nothing.
/// What the chart says stands in the log as the first changes of `plan`, by [`clinical::actor::Author::Import`]; they
/// are made once and never again.
///
/// # Errors
/// The file is not a chart, or cannot be stored.
pub async fn import(
    store: &Store,
    vault: &Vault,
    writer: &Writer,
    bytes: &[u8],
    by: Option<PersonId>,
) -> Result<ImportReport, ImportError> {
    // A chart of 50 MB takes seconds to read: not for a store that is not going to take it.
    match store.state() {
        StorageState::Ok => {}
        StorageState::Full => return Err(StoreError::Full.into()),
        StorageState::Away => return Err(StoreError::Away.into()),
        StorageState::Failed => return Err(StoreError::Failed.into()),
    }
    let now = now();
    let chart = fhir::read(bytes, &PartialDate::of(now))?;
    let report = Report::of(&chart);
    let patient = PatientId(Uuid::now_v7());
    let person = PersonId(Uuid::now_v7());
    let record = RecordId(Uuid::now_v7());
    let Chart {
        patient: facts,
        rows,
        allergy_statement,
        last_discharge,
        issues,
        issues_left_out,
        ignored,
    } = chart;
    let counts = report.rows.clone();
    let name = facts.name.clone();
    let deceased = facts.deceased.is_some();
    let head = store::ChartHead { patient: facts, last_discharge };

    let (dek, wrapped) = vault.new_key(KeyOf::Patient(patient))?;
    let themselves = Person { person, role: Role::Patient, name };
    let mut first = vec![
        wrapped.statement(),
        store::add_patient(&dek, patient, &head, now)?,
        person::statement(&dek, &themselves, Some(patient), now)?,
        store::add_record(record, patient, now),
    ];

    let mut items = Vec::with_capacity(rows.len());
    let mut origins = Vec::with_capacity(rows.len());
    for row in rows {
        let id = RowId(Uuid::now_v7());
        origins.push(Origin::of(id, &row));
        let row = merge::as_imported(row);
        items.push((row.list.doc(), Import::Row { list: row.list, row: id, values: row.values }));
        items.extend(row.texts.into_iter().map(|(field, words)| {
            let at = Address { row: Some(id), field };
            (row.list.doc(), Import::Text { at, words: words.into_exposed() })
        }));
    }
    items.push((
        FieldName::AllergyStatement.doc(),
        Import::Field { field: FieldName::AllergyStatement, value: Value::of(&allergy_statement)? },
    ));

    let mut append = Vec::new();
    for kind in DocKind::ALL {
        let id = DocId(Uuid::now_v7());
        first.push(new_doc(id, record, kind, Some(patient), &dek, now));
        let items: Vec<Import> =
            items.extract_if(.., |(of, _)| *of == kind).map(|(_, item)| item).collect();
        let mut doc = Doc::new(id, kind);
        let changes = doc.import(now, &items, || EditId(Uuid::now_v7()))?;
        if !changes.is_empty() {
            let rows = seal_changes(&dek, id, &changes)?;
            append.push(Append { doc: id, epoch: 0, before: 0, rows });
        }
    }
    let file = digest(bytes);
    let statement = Some(allergy_statement);
    let batch = Batch { file, bytes: bytes.len(), origins, statement, report };
    first.push(batch::statement(&dek, record, by, now, &batch)?);
    let entry = |action| Entry {
        at_ms: now,
        person: by,
        role: None,
        on_behalf_of: None,
        action,
        outcome: Outcome::Done,
        patient: Some(patient),
        object: format!("record:{record}"),
        visit: None,
        detail: None,
    };
    let audit = vec![entry("patient.imported"), entry("import.batch")];
    writer.store(Work { first, append, clients: Vec::new(), audit }).await.committed()?;
    Ok(ImportReport {
        patient,
        person,
        record,
        deceased,
        rows: counts,
        issues,
        issues_left_out,
        ignored,
    })
}

/// SHA-256 of a file, in hex.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A patient whom a chart may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The patient.
    pub patient: PatientId,
    /// Their record.
    pub record: RecordId,
    /// How sure that is.
    pub sameness: Sameness,
}

/// The patients here whom a chart may be about, the surest first. Names and numbers are sealed, so every chart is
/// opened: seconds for ten thousand patients, which an operator's command may take.
///
/// # Errors
/// They do not read.
pub async fn matches(
    store: &Store,
    vault: &Vault,
    chart: &fhir::PatientFacts,
) -> Result<Vec<Match>, PersonError> {
    let mut found = Vec::new();
    for (record, patient) in store::records(store).await? {
        let head = match store::of_record(store, vault, record).await {
            Ok(Some((_, head))) => head,
            // Erased: there is nobody to compare with.
            Ok(None) | Err(PersonError::Vault(VaultError::Gone)) => continue,
            Err(error) => return Err(error),
        };
        let sameness = merge::person::compare(patient, &head.patient, chart);
        if sameness != Sameness::Other {
            found.push(Match { patient, record, sameness });
        }
    }
    found.sort_by_key(|one| one.sameness != Sameness::Same);
    Ok(found)
}

/// Keeps a batch of an import into a record that was there before.
///
/// # Errors
/// It is not stored.
pub(crate) async fn keep_batch(
    app: (&Store, &Vault, &Writer),
    record: RecordId,
    person: PersonId,
    batch: &Batch,
    entry: Entry,
) -> Result<(), PersonError> {
    let (store, vault, writer) = app;
    let dek = store::key_of_record(store, vault, record).await?.ok_or(StoreError::Row)?;
    let first = vec![batch::statement(&dek, record, Some(person), entry.at_ms, batch)?];
    let work = Work { first, audit: vec![entry], ..Work::default() };
    Ok(writer.store(work).await.committed()?)
}

/// Whom a record is about: two identifiers, so that nobody edits the wrong chart. An unknown birth date is empty.
///
/// # Errors
/// It does not read.
pub async fn of_record(
    store: &Store,
    vault: &Vault,
    record: RecordId,
) -> Result<Option<(PatientId, PatientFacts)>, PersonError> {
    let found = store::of_record(store, vault, record).await?;
    Ok(found.map(|(patient, head)| {
        let born = head.patient.birth_date.map(Phi::into_exposed);
        let birth_date = Phi::new(born.map(|born| born.as_str().to_owned()).unwrap_or_default());
        (patient, PatientFacts { name: head.patient.name, birth_date })
    }))
}

/// Whom a record is about, as the chart told it.
///
/// # Errors
/// It does not read.
pub async fn chart_of(
    store: &Store,
    vault: &Vault,
    record: RecordId,
) -> Result<Option<(PatientId, fhir::PatientFacts)>, PersonError> {
    let found = store::of_record(store, vault, record).await?;
    Ok(found.map(|(patient, head)| (patient, head.patient)))
}

/// The language the patient prefers (BCP 47), if the chart tells.
///
/// # Errors
/// It does not read.
pub async fn language_of(
    store: &Store,
    vault: &Vault,
    record: RecordId,
) -> Result<Option<Phi<String>>, PersonError> {
    let found = store::of_record(store, vault, record).await?;
    Ok(found.and_then(|(_, head)| head.patient.language))
}

/// Every record and whom it is about, oldest first.
///
/// # Errors
/// They do not read.
pub async fn records(store: &Store) -> Result<Vec<(RecordId, PatientId)>, StoreError> {
    store::records(store).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit;
    use crate::person::PersonError;
    use crate::testing::Bench;
    use clinical::field::ListName;

    const CHART: &str = r#"{
        "resourceType": "Bundle", "type": "collection",
        "entry": [
            { "resource": { "resourceType": "Patient", "id": "p",
                "name": [{ "given": ["Canaria"], "family": "Testudo" }],
                "birthDate": "1954-02-15" } },
            { "resource": { "resourceType": "MedicationRequest", "id": "m", "status": "active",
                "intent": "order", "subject": { "reference": "Patient/p" },
                "medicationCodeableConcept": { "text": "Canarimab 20 mg tablet" },
                "dosageInstruction": [{ "text": "one tablet each morning" }] } }
        ]
    }"#;

    async fn imported(bench: &Bench) -> ImportReport {
        let Bench { store, vault, writer, .. } = bench;
        import(store, vault, writer, CHART.as_bytes(), None).await.unwrap()
    }

    #[tokio::test]
    async fn a_chart_becomes_a_patient_and_a_record_that_opens() {
        let bench = Bench::new().await;

        let report = imported(&bench).await;

        assert_eq!(report.rows.get(&ListName::Meds), Some(&1));
        assert_eq!(records(&bench.store).await.unwrap(), [(report.record, report.patient)]);
        let loaded = crate::record::load(&bench.store, &bench.vault, report.record).await.unwrap();
        let kinds: Vec<_> = loaded.docs.iter().map(|loaded| loaded.doc.kind()).collect();
        assert_eq!(kinds, DocKind::ALL);
        assert_eq!(loaded.docs[0].doc.rows(ListName::Meds).len(), 1);
        assert!(loaded.docs.iter().all(|loaded| loaded.poison.is_none()));
    }

    #[tokio::test]
    async fn the_patient_is_a_person_with_two_identifiers() {
        let bench = Bench::new().await;
        let report = imported(&bench).await;
        let Bench { store, vault, .. } = &bench;

        let (patient, facts) = of_record(store, vault, report.record).await.unwrap().unwrap();
        let people = person::of_patient(store, vault, patient).await.unwrap();

        assert_eq!(patient, report.patient);
        assert_eq!(facts.birth_date.expose(), "1954-02-15");
        assert_eq!(people.len(), 1);
        assert_eq!(people[0].person, report.person);
        assert_eq!(people[0].name, facts.name);
    }

    #[tokio::test]
    async fn where_every_row_came_from_is_kept_with_version_and_hash() {
        let bench = Bench::new().await;
        let Bench { store, vault, writer, .. } = &bench;
        let chart = CHART.replace(r#""id": "m","#, r#""id": "m", "meta": { "versionId": "7" },"#);
        let report = import(store, vault, writer, chart.as_bytes(), None).await.unwrap();

        let rows = store::batches(store, report.record).await.unwrap();
        assert_eq!(rows.len(), 1);
        let dek = store::key_of_record(store, vault, report.record).await.unwrap().unwrap();
        let kept = batch::read(&dek, &rows[0]).unwrap();
        assert_eq!((kept.file, kept.bytes), (digest(chart.as_bytes()), chart.len()));
        assert_eq!(kept.report.rows.get(&ListName::Meds), Some(&1));
        let origin = &kept.origins[0];
        assert_eq!(origin.source.kind, "MedicationRequest");
        assert_eq!(origin.source.id, Some(Phi::new("m".to_owned())));
        assert_eq!(origin.version, Some(Phi::new("7".to_owned())));
        assert_eq!(origin.sha256.len(), 64);
        let loaded = crate::record::load(store, vault, report.record).await.unwrap();
        assert_eq!(loaded.docs[0].doc.rows(ListName::Meds), [origin.row]);
        let imports = batch::of_record(store, vault, report.record).await.unwrap();
        assert_eq!(imports.before.len(), 1);
        assert!(!imports.known.is_news(origin));
    }

    #[tokio::test]
    async fn a_patient_is_found_by_number_else_perhaps_by_name_and_birth_date() {
        let bench = Bench::new().await;
        let Bench { store, vault, .. } = &bench;
        let known = imported(&bench).await;
        let read =
            |text: &str| fhir::read(text.as_bytes(), &PartialDate::of(now())).unwrap().patient;

        let same = matches(store, vault, &read(CHART)).await.unwrap();
        let found = Match {
            patient: known.patient,
            record: known.record,
            sameness: Sameness::NameAndBirth,
        };
        assert_eq!(same, [found]);
        let other = matches(store, vault, &read(&CHART.replace("1954", "1955"))).await.unwrap();
        assert_eq!(other, []);
        vault.shred(store, known.patient).await.unwrap();
        assert_eq!(
            matches(store, vault, &read(CHART)).await.unwrap(),
            [],
            "nobody is left to find"
        );
    }

    #[tokio::test]
    async fn nothing_of_a_chart_stands_readable_in_the_files() {
        let bench = Bench::new().await;
        imported(&bench).await;

        for canary in
            ["Canaria", "Testudo", "Canarimab", "1954-02-15", "each morning", "MedicationRequest"]
        {
            assert!(!bench.folder.holds(canary), "{canary}");
        }
        assert!(audit::verify(&bench.store).await.is_ok());
    }

    #[tokio::test]
    async fn a_file_that_is_no_chart_leaves_nothing_behind() {
        let bench = Bench::new().await;
        let Bench { store, vault, writer, .. } = &bench;

        for bad in ["", "{", "<Bundle/>", "{}"] {
            let error = import(store, vault, writer, bad.as_bytes(), None).await.unwrap_err();
            assert!(matches!(error, ImportError::Chart(_)), "{bad}: {error:?}");
        }

        assert_eq!(records(store).await.unwrap(), []);
    }

    #[tokio::test]
    async fn an_erased_patient_is_gone_and_the_log_of_accesses_is_whole() {
        let bench = Bench::new().await;
        let report = imported(&bench).await;
        let Bench { store, vault, .. } = &bench;

        vault.shred(store, report.patient).await.unwrap();

        let facts = of_record(store, vault, report.record).await;
        assert!(matches!(facts, Err(PersonError::Vault(VaultError::Gone))), "{facts:?}");
        assert!(crate::record::load(store, vault, report.record).await.is_err());
        assert!(audit::verify(store).await.is_ok());
    }
}
