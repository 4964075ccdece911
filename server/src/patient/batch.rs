//! Batches: what was imported when by whom, the report that was shown, and which resource each row came from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use clinical::actor::Millis;
use clinical::allergy::AllergyStatement;
use clinical::fhir::{Chart, Issue};
use clinical::field::ListName;
use clinical::id::{PersonId, RecordId};
use clinical::merge::{Known, Origin};

use super::{sql, store};
use crate::person::PersonError;
use crate::record::writer::Statement;
use crate::store::{Store, StoreError};
use crate::vault::{Dek, Spot, Vault, VaultError};

/// One import, as it is kept: sealed, for ten years, as the record it went into.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Batch {
    /// SHA-256 of the file, in hex. The file itself is not kept.
    pub(crate) file: String,
    /// Its length in bytes.
    pub(crate) bytes: usize,
    /// Where each row came from.
    pub(crate) origins: Vec<Origin>,
    /// What the chart said about allergies, if that stands in the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) statement: Option<AllergyStatement>,
    /// What was told about it.
    pub(crate) report: Report,
}

/// The mapping report of an import.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Rows of the chart, by list.
    pub(crate) rows: BTreeMap<ListName, usize>,
    /// Differences that were accepted; of a first import, none: all of it was new.
    pub(crate) accepted: usize,
    /// Differences that were left.
    pub(crate) left: usize,
    /// Remarks, resource by resource.
    pub(crate) issues: Vec<Issue>,
    /// Remarks beyond those.
    pub(crate) issues_left_out: u32,
    /// Resources of kinds that are not read, by type.
    pub(crate) ignored: BTreeMap<String, u32>,
}

impl Report {
    /// What is to be said of a chart.
    pub(crate) fn of(chart: &Chart) -> Self {
        let mut rows = BTreeMap::new();
        for row in &chart.rows {
            *rows.entry(row.list).or_insert(0) += 1;
        }
        Self {
            rows,
            accepted: 0,
            left: 0,
            issues: chart.issues.clone(),
            issues_left_out: chart.issues_left_out,
            ignored: chart.ignored.clone(),
        }
    }
}

/// What is known of the imports of a record.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    /// What they took, for comparing.
    pub(crate) known: Known,
    /// Each of them, oldest first: hash of the file, when, by whom.
    pub(crate) before: Vec<(String, Millis, Option<PersonId>)>,
}

fn spot(id: &str) -> Spot<'_> {
    Spot { table: "import_batch", row: id, seq: 0, column: "content" }
}

/// The row of a batch.
pub(crate) fn statement(
    dek: &Dek,
    record: RecordId,
    person: Option<PersonId>,
    now: Millis,
    batch: &Batch,
) -> Result<Statement, VaultError> {
    let id = uuid::Uuid::now_v7().to_string();
    let plain = serde_json::to_vec(batch).map_err(|_wrong| StoreError::Row)?;
    let content = dek.seal(spot(&id), &plain)?;
    Ok(Statement::new(sql::ADD_BATCH)
        .text(id)
        .text(record.to_string())
        .text(dek.id().0.to_string())
        .text(person.map(|person| person.to_string()).unwrap_or_default())
        .int(now.0)
        .bytes(content))
}

/// The imports of a record.
///
/// # Errors
/// They do not read.
pub(crate) async fn of_record(
    store: &Store,
    vault: &Vault,
    record: RecordId,
) -> Result<Imports, PersonError> {
    let mut imports = Imports::default();
    for row in store::batches(store, record).await? {
        let dek = vault.key_by_id(store, row.dek).await?;
        let Batch { file, bytes: _, origins, statement, report: _ } = read(&dek, &row)?;
        imports.known.note(origins, statement);
        imports.before.push((file, row.at_ms, row.person));
    }
    Ok(imports)
}

/// A batch out of its row.
pub(super) fn read(dek: &Dek, row: &store::BatchRow) -> Result<Batch, VaultError> {
    let plain = dek.open(spot(&row.id), &row.content)?;
    Ok(serde_json::from_slice(&plain).map_err(|_wrong| StoreError::Row)?)
}
