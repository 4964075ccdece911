//! What the tests of this crate share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use clinical::field::DocKind;
use clinical::gate::CredentialKind;
use clinical::id::{DocId, PatientId, RecordId};

use crate::agreement::Rules;
use crate::config::StepUp;
use crate::record::writer::{Work, Writer};
use crate::record::{Records, Signing, new_doc, writer::Answer};
use crate::store::{Hold, Store, now};
use crate::vault::{Dek, KeyOf, Vault};

/// A folder that goes away with its value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("mortar-{}", Uuid::now_v7()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Every byte in it: database, WAL, keys.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.0).unwrap() {
            all.extend(fs::read(entry.unwrap().path()).unwrap());
        }
        all
    }

    pub(crate) fn holds(&self, words: &str) -> bool {
        self.bytes().windows(words.len()).any(|window| window == words.as_bytes())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// A store in a folder, with what stands around it.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) writer: Writer,
    // Last: it goes away after the files in it are closed.
    pub(crate) folder: Folder,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let folder = Folder::new();
        let store = Store::open(folder.path(), Hold::Server).await.unwrap();
        let vault = Vault::open(&folder.path().join("mortar.key"), &store).await.unwrap();
        let writer = Writer::start(store.clone(), "test").await.unwrap();
        Self { store, vault, writer, folder }
    }

    /// Nothing open yet, under the rules that ship.
    pub(crate) fn records(&self, requires: Vec<CredentialKind>) -> Records {
        let rules = Arc::new(Rules::shipped().unwrap());
        let Self { store, vault, writer, folder: _ } = self;
        let signing = Signing { requires, step_up: StepUp::WhenEnrolled };
        Records::new(store.clone(), vault.clone(), writer.clone(), signing, rules, None)
    }

    /// An empty record with its three documents.
    pub(crate) async fn record(&self) -> (RecordId, [DocId; 3], Dek) {
        let record = RecordId(Uuid::now_v7());
        let patient = PatientId(Uuid::now_v7());
        let dek = self.vault.key(&self.store, KeyOf::Patient(patient)).await.unwrap();
        let docs = DocKind::ALL.map(|kind| (kind, DocId(Uuid::now_v7())));
        let first = docs
            .iter()
            .map(|(kind, doc)| new_doc(*doc, record, *kind, Some(patient), &dek, now()))
            .collect();
        let answer = self.writer.store(Work { first, ..Work::default() }).await;
        assert_eq!(answer, Answer::Stored);
        (record, docs.map(|(_, doc)| doc), dek)
    }
}
