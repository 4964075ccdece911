//! "kill -9" while five people type: nothing that was acknowledged is lost, and everybody goes on.
//!
//! The server is a process of its own: this test's binary, started again with the name of one of its tests. It is
//! killed at random moments; the ledgers are kept by the clients. `MORTAR_SCALE=full` kills 200 times, else 20.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clinical::actor::Role;
use clinical::edit::{Base, Edit, Op};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::id::{DocId, EditId, RecordId, RowId, SeatId};
use clinical::phi::Phi;
use mortar::config::{Config, Demo};
use mortar::record::writer::Writer;
use mortar::store::{Hold, Store};
use mortar::vault::Vault;
use mortar::{audit, link, patient, person, visit};
use serde::{Deserialize, Serialize};
use signaling::message::{ClientMessage, RecordRefusal, ServerMessage};
use signaling::visit::VisitKind;
use tests::browserless::{Http, Socket};
use tests::ledger::{Ledger, metric, quantile};
use tokio::sync::watch;
use uuid::Uuid;

/// Set in the process that is the server.
const CHILD: &str = "MORTAR_DURABILITY_DATA";

/// Edits of one client without an answer. A person's browser sends as they come.
const AHEAD: usize = 4;

/// How fast one client types.
const TYPING: Duration = Duration::from_millis(30);

/// The longest the server lives between two kills.
const LONGEST_MS: u64 = 500;

/// What one client must know to come in.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Invited {
    seat: SeatId,
    token: String,
    record: RecordId,
}

/// Not a test: the server, when this binary runs as one.
#[test]
fn the_server_as_a_process_of_its_own() {
    let Some(data) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let config = Config {
            data,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            media_port: 0,
            demo: Demo::No,
            ..Config::default()
        };
        let server = mortar::serve(config).await.unwrap();
        // A line of its own, whatever the test harness printed before it.
        println!("\nLISTENING {}", server.address());
        std::io::stdout().flush().unwrap();
        std::future::pending::<()>().await;
    });
}

const CHART: &str = r#"{ "resourceType": "Bundle", "type": "collection", "entry": [
    { "resource": { "resourceType": "Patient", "id": "p", "name": [{ "text": "Ruth Delgado" }] } }
] }"#;

/// A visit with five who type.
async fn prepare(data: &Path) -> Vec<Invited> {
    let store = Store::open(data, Hold::Server).await.unwrap();
    let vault = Vault::open(&data.join("mortar.key"), &store).await.unwrap();
    let writer = Writer::start(store.clone(), "prepare").await.unwrap();
    let report = patient::import(&store, &vault, &writer, CHART.as_bytes(), None).await.unwrap();
    let kind = VisitKind::InitialConsult;
    let visit = visit::create(&store, kind, Some(report.record)).await.unwrap();
    let mut invited = Vec::new();
    for role in [Role::Pharmacist, Role::Pcp, Role::Nurse, Role::Nurse, Role::Pharmacist] {
        let name = Phi::new("Somebody".to_owned());
        let person = person::add(&store, &vault, &writer, &name, role, None).await.unwrap();
        let seat = visit::invite(&store, &visit, person, role).await.unwrap();
        let token = link::link_of(&store, &vault, seat.id).await.unwrap().text();
        invited.push(Invited { seat: seat.id, token, record: report.record });
    }
    store.close().await;
    invited
}

struct Process(Child);

impl Process {
    fn start(data: &Path) -> (Self, SocketAddr) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_server_as_a_process_of_its_own", "--nocapture"])
            .env(CHILD, data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("LISTENING ").map(|at| at.parse().unwrap()))
            .expect("the server says where it listens");
        (Self(child), address)
    }

    /// SIGKILL: no destructor runs, nothing is flushed.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _dead = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Edits that everybody has acknowledged after the last restart, before it is over.
const IN_PEACE: u32 = 20;

/// Where the server is, and in which of its lives.
type Life = (u32, Option<SocketAddr>);

/// One client: types, keeps its ledger, comes back.
struct Typist {
    invited: Invited,
    cookie: String,
    ledger: Ledger,
    row: RowId,
    doc: Option<DocId>,
    last: Option<EditId>,
    typed: usize,
    edits: Vec<Edit>,
    /// Per life: from the server being there to everything acknowledged that was typed before.
    came_back: Vec<Duration>,
    took: Vec<Duration>,
}

impl Typist {
    fn new(invited: Invited) -> Self {
        Self {
            invited,
            cookie: String::new(),
            ledger: Ledger::default(),
            row: RowId(Uuid::now_v7()),
            doc: None,
            last: None,
            typed: 0,
            edits: Vec::new(),
            came_back: Vec::new(),
            took: Vec::new(),
        }
    }

    async fn run(
        mut self,
        mut life: watch::Receiver<Life>,
        mut stop: watch::Receiver<bool>,
    ) -> Self {
        loop {
            let (number, address) = *life.borrow_and_update();
            if let Some(address) = address {
                let born = Instant::now();
                // Whatever goes wrong while the server dies, the next life starts over.
                if self.live(address, born, &mut stop).await == Some(Done) {
                    return self;
                }
            }
            // Knock again soon: the server may have died before it answered, or still be there.
            if life.borrow().0 == number {
                let _new = tokio::time::timeout(Duration::from_millis(100), life.changed()).await;
            }
        }
    }

    /// One life of the server. `Some(Done)` when it is time to stop, enough was typed in peace and nothing waits.
    async fn live(
        &mut self,
        address: SocketAddr,
        born: Instant,
        stop: &mut watch::Receiver<bool>,
    ) -> Option<Done> {
        let http = Http::new(address);
        if self.cookie.is_empty() {
            self.cookie = http.claim(&self.invited.token).await?;
        }
        let ticket = http.ticket(self.invited.seat, &self.cookie).await?;
        let mut socket = Socket::open(address).await?;
        socket.send(&ClientMessage::Join { ticket: Phi::new(ticket) }).await?;
        let doc = self.open(&mut socket).await?;
        self.doc = Some(doc);
        if self.typed == 0 && self.edits.is_empty() {
            self.type_one();
        }
        let mut sent_at = std::collections::BTreeMap::new();
        let waiting: Vec<EditId> = self.ledger.waiting().map(|line| line.edit).collect();
        let mut behind: BTreeSet<EditId> = waiting.iter().copied().collect();
        for edit in waiting {
            self.send(&mut socket, doc, edit, true).await?;
        }
        let mut back = behind.is_empty().then(|| born.elapsed());
        let mut in_peace = 0;
        let mut keys = tokio::time::interval(TYPING);
        let mut ping = tokio::time::interval(Duration::from_secs(2));
        loop {
            if let Some(took) = back.take() {
                self.came_back.push(took);
            }
            let enough = *stop.borrow() && in_peace >= IN_PEACE;
            if enough && self.ledger.waiting().next().is_none() {
                return Some(Done);
            }
            tokio::select! {
                message = socket.next() => match message? {
                    ServerMessage::RecordAck { edit, .. } => {
                        if let Some(at) = sent_at.remove(&edit) {
                            self.took.push(Instant::elapsed(&at));
                        }
                        self.ledger.acked(edit);
                        in_peace += 1;
                        if behind.remove(&edit) && behind.is_empty() {
                            back = Some(born.elapsed());
                        }
                    }
                    ServerMessage::RecordRefuse { edit, code, .. } => match code {
                        // It comes back; the order within the field is the client's to keep.
                        RecordRefusal::TooFast
                        | RecordRefusal::Busy
                        | RecordRefusal::StorageAway
                        | RecordRefusal::StorageFull => return None,
                        other => panic!("edit {edit} was refused: {other:?}"),
                    },
                    ServerMessage::Refused { of, code } => {
                        // A store that is busy answers "later"; nothing else may be refused here.
                        println!("refused {of}: {code:?}");
                        return None;
                    }
                    _ => {}
                },
                _ = keys.tick(), if !enough => {
                    if self.ledger.waiting().count() < AHEAD {
                        let edit = self.type_one();
                        sent_at.insert(edit, Instant::now());
                        self.send(&mut socket, doc, edit, false).await?;
                    }
                }
                _ = ping.tick() => socket.send(&ClientMessage::Ping { n: 1 }).await?,
                changed = stop.changed() => changed.ok()?,
            }
        }
    }

    /// Waits to be let in, opens the record and waits for the plan.
    async fn open(&self, socket: &mut Socket) -> Option<DocId> {
        loop {
            match socket.next().await? {
                ServerMessage::Welcome { .. } => {
                    let record = self.invited.record;
                    let message = ClientMessage::RecordOpen { record, have: Vec::new() };
                    socket.send(&message).await?;
                }
                ServerMessage::RecordSnapshot { doc, kind: DocKind::Plan, part, parts, .. }
                    if part + 1 == parts =>
                {
                    return Some(doc);
                }
                ServerMessage::Refused { .. } => return None,
                _ => {}
            }
        }
    }

    /// The first edit adds an own row, every other one writes into it, on top of the one before.
    fn type_one(&mut self) -> EditId {
        let id = EditId(Uuid::now_v7());
        let value = format!("{} of {}", self.typed, self.invited.seat);
        let op = match self.last {
            None => Op::Add {
                list: ListName::Meds,
                row: self.row,
                after: None,
                values: [(FieldName::MedsIndication, Phi::new(value.clone().into()))].into(),
            },
            Some(last) => Op::Set {
                at: Address { row: Some(self.row), field: FieldName::MedsIndication },
                base: Base::Mine(last),
                value: Phi::new(Some(value.clone().into())),
            },
        };
        self.last = Some(id);
        self.typed += 1;
        self.ledger.typed(id, value);
        self.edits.push(Edit { id, op, typed_ago_ms: None });
        id
    }

    async fn send(
        &self,
        socket: &mut Socket,
        doc: DocId,
        edit: EditId,
        resend: bool,
    ) -> Option<()> {
        let edit = self.edits.iter().rev().find(|known| known.id == edit)?.clone();
        socket.send(&ClientMessage::RecordEdit { doc, edit, resend }).await
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Done;

/// xorshift64: a seed that is printed gives the same moments again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_edit_is_lost_when_the_server_is_killed_while_five_people_type() {
    let kills: u32 = match std::env::var("MORTAR_SCALE").as_deref() {
        Ok("full") => 200,
        _ => 20,
    };
    let seed = std::env::var("MORTAR_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| Uuid::now_v7().as_u128() as u64 | 1);
    println!("SEED {seed}");
    let mut dice = Dice(seed);
    let folder = std::env::temp_dir().join(format!("mortar-durability-{}", Uuid::now_v7()));
    let invited = prepare(&folder).await;

    let (life, living) = watch::channel::<Life>((0, None));
    let (stop, stopping) = watch::channel(false);
    let typists: Vec<_> = invited
        .into_iter()
        .map(|invited| tokio::spawn(Typist::new(invited).run(living.clone(), stopping.clone())))
        .collect();

    for number in 1..=kills {
        let (process, address) = start(&folder).await;
        life.send_replace((number, Some(address)));
        // Not waiting for anything: this is the moment of death, and the dice choose it.
        tokio::time::sleep(Duration::from_millis(dice.below(LONGEST_MS))).await;
        life.send_replace((number, None));
        process.kill();
    }
    let (process, address) = start(&folder).await;
    life.send_replace((kills + 1, Some(address)));
    stop.send_replace(true);
    let mut done = Vec::new();
    for typist in typists {
        let finished = tokio::time::timeout(Duration::from_secs(60), typist).await;
        done.push(finished.expect("everybody comes to an end within 60 s").unwrap());
    }
    process.kill();

    check(&folder, &done).await;
    let mut back: Vec<Duration> =
        done.iter().flat_map(|typist| typist.came_back.iter().copied()).collect();
    let mut took: Vec<Duration> =
        done.iter().flat_map(|typist| typist.took.iter().copied()).collect();
    let acked: usize = done.iter().map(|typist| typist.ledger.acknowledged().count()).sum();
    println!("{kills} kills, {acked} acknowledged edits, {} returns", back.len());
    metric("kill_acked_lost", 0.0, 0.0);
    metric("kill_converged_p95_ms", quantile(&mut back, 0.95).as_secs_f64() * 1000.0, 3000.0);
    metric("kill_converged_max_ms", quantile(&mut back, 1.0).as_secs_f64() * 1000.0, 6000.0);
    metric("edit_ack_p95_ms", quantile(&mut took, 0.95).as_secs_f64() * 1000.0, 80.0);
    std::fs::remove_dir_all(&folder).unwrap();
}

async fn start(folder: &Path) -> (Process, SocketAddr) {
    let folder = folder.to_path_buf();
    tokio::task::spawn_blocking(move || Process::start(&folder)).await.unwrap()
}

/// Compares the ledgers with the log on the disk.
async fn check(folder: &Path, done: &[Typist]) {
    let store = Store::open(folder, Hold::Server).await.unwrap();
    let stored: Vec<String> =
        sqlx::query_scalar("select edit_id from doc_change").fetch_all(store.read()).await.unwrap();
    let known: BTreeSet<&str> = stored.iter().map(String::as_str).collect();
    assert_eq!(known.len(), stored.len(), "an edit stands in the log twice");
    let mut acked = 0;
    for typist in done {
        for line in typist.ledger.acknowledged() {
            assert!(known.contains(line.edit.to_string().as_str()), "lost: {}", line.edit);
            acked += 1;
        }
        assert_eq!(typist.ledger.waiting().count(), 0);
    }
    assert!(acked > 0, "nobody typed anything");
    let gaps: i64 = sqlx::query_scalar(
        "select count(*) from doc_head where seq <> (select count(*) from doc_change where doc_change.doc = doc_head.doc)",
    )
    .fetch_one(store.read())
    .await
    .unwrap();
    assert_eq!(gaps, 0, "a head does not stand where its log ends");
    audit::verify(&store).await.unwrap();
    store.close().await;
}
