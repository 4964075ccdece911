//! `mortar verify`: whether everything stored is what was stored.
//!
//! Walks the log of accesses, the log of every document from its first change, and every signed version: its bytes
//! against its hash, its hash against the change that signed it, and the answer of the passkey that confirmed it; and
//! every agreement.

use std::fmt::Write as _;

use crate::agreement;
use crate::audit::{self, VerifyError};
use crate::passkey::evidence;
use crate::record::version::{self, VersionError};
use crate::record::{self, LoadError, Poison, Walked};
use crate::store::{Store, StoreError};
use crate::vault::Vault;

/// What was walked, and what is wrong.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows of the log of accesses.
    pub audit_rows: u64,
    /// Documents.
    pub docs: u64,
    /// Their changes.
    pub changes: u64,
    /// Signed versions.
    pub versions: u64,
    /// Agreements of collaborative drug therapy management.
    pub agreements: u64,
    /// A sentence for each thing that is wrong. It names documents, never what they say.
    pub faults: Vec<String>,
}

/// Walks everything.
///
/// # Errors
/// The store said no. What is wrong with single things is in the report.
pub async fn verify(store: &Store, vault: &Vault) -> Result<Report, StoreError> {
    let mut report = Report::default();
    match audit::verify(store).await {
        Ok(walked) => report.audit_rows = walked.rows,
        Err(VerifyError::Store(error)) => return Err(error),
        Err(found) => report.faults.push(format!("log of accesses: {found}")),
    }
    for record in record::records(store).await? {
        match record::walk(store, vault, record).await {
            Ok(walked) => {
                for walked in walked {
                    document(store, &walked, &mut report).await?;
                }
            }
            Err(LoadError::NotFound) => {
                report.faults.push(format!("record {record}: its documents are missing"));
            }
            Err(LoadError::Store(error)) => return Err(error),
            Err(LoadError::Vault(error)) => report.faults.push(format!("record {record}: {error}")),
        }
    }
    let (agreements, faults) = agreement::verify(store, vault).await?;
    report.agreements = agreements;
    report.faults.extend(faults);
    Ok(report)
}

async fn document(store: &Store, walked: &Walked, report: &mut Report) -> Result<(), StoreError> {
    let Walked { doc, dek, changes, signatures, fault } = walked;
    report.docs += 1;
    report.changes += changes;
    if let Some(Poison { seq, why }) = fault {
        report.faults.push(format!("document {doc}, change {seq}: {}", why.as_str()));
    }
    let rows = version::list(store, *doc).await?;
    for (seq, signed) in signatures {
        if !rows.iter().any(|row| row.seq == *seq) {
            report.faults.push(format!("document {doc}, version {}: missing", signed.version));
        }
    }
    for row in rows {
        report.versions += 1;
        let number = row.version;
        // What the log says was signed; a row whose change does not say so was put there.
        let signed = signatures.get(&row.seq).filter(|signed| signed.version == number);
        let fault = match version::content(store, dek, *doc, number).await {
            // Its bytes have the hash that stands beside them; the log says which hash was signed.
            Ok(Some(bytes)) => {
                if signed.map(|signed| signed.sha256.as_str()) == Some(row.sha256.as_str()) {
                    evidence::fault(store, dek, row.seq, &bytes).await?.map(str::to_owned)
                } else {
                    Some("not the one that was signed".to_owned())
                }
            }
            Ok(None) => Some("missing".to_owned()),
            Err(VersionError::Store(error)) => return Err(error),
            Err(error) => Some(error.to_string()),
        };
        if let Some(fault) = fault {
            report.faults.push(format!("document {doc}, version {number}: {fault}"));
        }
    }
    Ok(())
}

impl Report {
    /// For the terminal.
    pub fn words(&self) -> String {
        let Self { audit_rows, docs, changes, versions, agreements, faults } = self;
        let mut words = format!(
            "Verified {docs} documents with {changes} changes, {versions} signed versions, {agreements} agreements, {audit_rows} rows of the log of accesses.\n"
        );
        for fault in faults {
            let _infallible = writeln!(words, "  WRONG: {fault}");
        }
        words.push_str(if faults.is_empty() { "Everything is as it was stored.\n" } else { "" });
        words
    }
}
