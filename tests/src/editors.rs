//! People who type into records through the product's own session, writer and store, without a socket between.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clinical::actor::{Actor, Role};
use clinical::edit::{Base, Edit, Op};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::id::{ConnectionId, DocId, EditId, PersonId, RecordId, RowId, SeatId};
use clinical::phi::Phi;
use mortar::agreement::Rules;
use mortar::config::StepUp;
use mortar::patient;
use mortar::record::writer::Writer;
use mortar::record::{Incoming, Next, Outgoing, Reader, Records, Signing};
use mortar::store::{Hold, Store};
use mortar::vault::Vault;
use signaling::message::{ClientMessage, ServerMessage, SnapshotContent, StorageState};
use uuid::Uuid;

const CHART: &str = r#"{ "resourceType": "Bundle", "type": "collection", "entry": [
    { "resource": { "resourceType": "Patient", "id": "p", "name": [{ "text": "Ruth Delgado" }] } }
] }"#;

/// A server's records, opened as the server opens them at its start.
pub struct House {
    /// The database.
    pub store: Store,
    /// Every open record.
    pub records: Records,
    vault: Vault,
    writer: Writer,
}

impl House {
    /// The product's own way from a data folder to open records.
    ///
    /// # Errors
    /// What the product says if the folder does not open.
    pub async fn open(folder: &Path) -> anyhow::Result<Self> {
        let store = Store::open(folder, Hold::Server).await?;
        let vault = Vault::open(&folder.join("mortar.key"), &store).await?;
        let writer = Writer::start(store.clone(), "server").await?;
        let rules = Arc::new(Rules::shipped().unwrap());
        let signing = Signing { requires: Vec::new(), step_up: StepUp::WhenEnrolled };
        let records =
            Records::new(store.clone(), vault.clone(), writer.clone(), signing, rules, None);
        Ok(Self { store, records, vault, writer })
    }

    /// A patient with an empty record.
    pub async fn patient(&self) -> RecordId {
        let (store, vault, writer) = (&self.store, &self.vault, &self.writer);
        patient::import(store, vault, writer, CHART.as_bytes(), None).await.unwrap().record
    }

    /// As the server does when it is told to stop.
    pub async fn close(self) {
        self.records.shutdown().await;
        self.store.close().await;
    }
}

/// An edit its author was told is stored.
#[derive(Clone, Debug)]
pub struct Acked {
    /// Which.
    pub edit: EditId,
    /// In which document.
    pub doc: DocId,
    /// Of which row, its author's own.
    pub row: RowId,
    /// The how manieth of its author.
    pub n: usize,
    /// What the caller's clock said when it was told.
    pub mark: usize,
    /// From sending to being told.
    pub took: Duration,
}

/// Somebody who has a record open.
pub struct Editor {
    connection: ConnectionId,
    records: Records,
    incoming: Incoming,
    doc: DocId,
    /// The plan as it came.
    pub plan: Vec<SnapshotContent>,
}

/// How fast somebody types, and how much of it may have no answer.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two edits; `None`: as fast as answers come.
    pub every: Option<Duration>,
    /// Edits without an answer.
    pub ahead: usize,
}

impl Editor {
    /// Opens a record and waits for its plan.
    ///
    /// # Errors
    /// The record does not load, or does not read to its end.
    pub async fn open(records: &Records, record: RecordId) -> anyhow::Result<Self> {
        let (outgoing, mut incoming) = Outgoing::pair();
        let connection = ConnectionId(Uuid::now_v7());
        let actor = Actor {
            person: PersonId(Uuid::now_v7()),
            seat: SeatId(Uuid::now_v7()),
            role: Role::Pharmacist,
        };
        let name = Phi::new("Somebody".to_owned());
        let reader = Reader { connection, outgoing, actor, name, call: None, visit: None };
        records.open(reader, record, Vec::new());
        let mut plan = Vec::new();
        loop {
            match next(&mut incoming).await? {
                ServerMessage::RecordSnapshot {
                    doc,
                    kind: DocKind::Plan,
                    content,
                    part,
                    parts,
                    ..
                } => {
                    plan.push(content);
                    if part + 1 == parts {
                        let records = records.clone();
                        return Ok(Self { connection, records, incoming, doc, plan });
                    }
                }
                ServerMessage::RecordStatus { storage } if storage != StorageState::Ok => {
                    anyhow::bail!("the record does not read to its end");
                }
                ServerMessage::Refused { of, code } => anyhow::bail!("{of} refused: {code:?}"),
                _ => {}
            }
        }
    }

    /// Types so many values into a row of one's own, each on top of the one before. Answers what was acknowledged, all
    /// of it. `mark` is asked at each acknowledgement.
    ///
    /// # Errors
    /// An edit was refused, or the record went away.
    pub async fn type_away(
        &mut self,
        edits: usize,
        pace: Pace,
        mark: impl Fn() -> usize,
    ) -> anyhow::Result<Vec<Acked>> {
        let row = RowId(Uuid::now_v7());
        let mut sent: Vec<(EditId, Instant)> = Vec::new();
        let mut acked: Vec<Acked> = Vec::new();
        let mut keys = pace.every.map(tokio::time::interval);
        while acked.len() < edits {
            let may_type = sent.len() < edits && sent.len() - acked.len() < pace.ahead;
            let key = async {
                if let Some(keys) = &mut keys {
                    keys.tick().await;
                }
            };
            tokio::select! {
                biased;
                () = key, if may_type => {
                    let edit = value(row, sent.len(), sent.last().map(|(edit, _)| *edit));
                    sent.push((edit.id, Instant::now()));
                    let message = ClientMessage::RecordEdit { doc: self.doc, edit, resend: false };
                    self.records.handle(self.connection, message);
                }
                message = next(&mut self.incoming) => match message? {
                    ServerMessage::RecordAck { edit, .. } => {
                        let n = acked.len();
                        anyhow::ensure!(sent[n].0 == edit, "acknowledged out of order");
                        let (doc, took) = (self.doc, sent[n].1.elapsed());
                        acked.push(Acked { edit, doc, row, n, mark: mark(), took });
                    }
                    ServerMessage::RecordRefuse { code, .. } => anyhow::bail!("refused: {code:?}"),
                    _ => {}
                },
            }
        }
        Ok(acked)
    }

    /// The plan.
    pub const fn doc(&self) -> DocId {
        self.doc
    }

    /// The `n` of [`Acked`] that stands in a row now.
    pub fn stands(&self, row: RowId) -> Option<usize> {
        let at = Address { row: Some(row), field: FieldName::MedsIndication };
        self.plan.iter().find_map(|content| {
            let SnapshotContent::Full { state, .. } = content else { return None };
            let register = &state.registers.iter().find(|register| register.at == at)?.register;
            serde_json::to_value(register.value()?).ok()?.as_str()?.parse().ok()
        })
    }

    /// Leaves.
    pub fn close(self) {
        self.records.close(self.connection);
    }
}

/// The first edit adds a row, every other one writes into it.
fn value(row: RowId, n: usize, last: Option<EditId>) -> Edit {
    let value = serde_json::Value::String(n.to_string());
    let op = match last {
        None => Op::Add {
            list: ListName::Meds,
            row,
            after: None,
            values: [(FieldName::MedsIndication, Phi::new(value))].into(),
        },
        Some(last) => Op::Set {
            at: Address { row: Some(row), field: FieldName::MedsIndication },
            base: Base::Mine(last),
            value: Phi::new(Some(value)),
        },
    };
    Edit { id: EditId(Uuid::now_v7()), op, typed_ago_ms: None }
}

async fn next(incoming: &mut Incoming) -> anyhow::Result<ServerMessage> {
    let waited = tokio::time::timeout(Duration::from_secs(30), incoming.next()).await;
    match waited? {
        Next::Message(said) => Ok(said.message().clone()),
        Next::Cut(why) => anyhow::bail!("cut off: {why:?}"),
        Next::Over => anyhow::bail!("the record is gone"),
    }
}
