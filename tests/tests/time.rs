//! Billing time of real calls: real media, the sheet over HTTP, and a server that is killed in the middle.
//!
//! The server is a process of its own: this test's binary, started again with the name of one of its tests.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clinical::actor::Role;
use clinical::id::SeatId;
use mortar::config::{Config, Demo};
use mortar::demo;
use mortar::record::writer::Writer;
use mortar::store::{Hold, Store};
use mortar::vault::Vault;
use serde_json::{Value, json};
use signaling::message::{ClientMessage, ServerMessage, TelephoneStep};
use tests::browserless::{Http, Reply};
use tests::participant::Participant;
use tests::picture::Picture;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Set in the process that is the server.
const CHILD: &str = "MORTAR_TIME_DATA";

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
        println!("\nLISTENING {}", server.address());
        std::io::stdout().flush().unwrap();
        std::future::pending::<()>().await;
    });
}

/// A practice with its visit, and the server on it.
struct Practice {
    data: PathBuf,
    child: Child,
    address: SocketAddr,
    birth_date: String,
    invited: Vec<(Role, SeatId, String)>,
}

impl Practice {
    async fn start() -> Self {
        let data = std::env::temp_dir().join(format!("mortar-time-{}", Uuid::now_v7()));
        let store = Store::open(&data, Hold::Server).await.unwrap();
        let vault = Vault::open(&data.join("mortar.key"), &store).await.unwrap();
        let writer = Writer::start(store.clone(), "prepare").await.unwrap();
        demo::prepare(&store, &vault, &writer).await.unwrap();
        let invitation = demo::invitation(&store, &vault).await.unwrap().unwrap();
        store.close().await;
        drop((writer, store, vault));
        let seats = invitation.seats.iter();
        let invited = seats.map(|one| (one.seat.role, one.seat.id, one.token.text())).collect();
        let birth_date = invitation.patient.unwrap().birth_date.expose().clone();
        let (child, address) = spawn(&data);
        Self { data, child, address, birth_date, invited }
    }

    /// SIGKILL: no destructor runs, nothing is flushed.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn start_again(&mut self) {
        (self.child, self.address) = spawn(&self.data);
    }

    async fn sit(&self, role: Role) -> Seated {
        let (_, seat, token) = self.invited.iter().find(|(known, ..)| *known == role).unwrap();
        let body = json!({ "token": token, "birth_date": self.birth_date });
        let http = Http::new(self.address);
        let reply = http.post("/api/links/claim", "", &body).await.unwrap();
        Seated { http, seat: *seat, cookie: reply.cookie.unwrap(), address: self.address }
    }

    fn end(mut self) {
        self.kill();
        let _gone = std::fs::remove_dir_all(&self.data);
    }
}

fn spawn(data: &Path) -> (Child, SocketAddr) {
    let begun = Instant::now();
    loop {
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
            .find_map(|line| line.strip_prefix("LISTENING ").map(|at| at.parse().unwrap()));
        if let Some(address) = address {
            return (child, address);
        }
        // Whoever had the folder before lets go of it in a task of its own.
        child.wait().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(20), "the server does not start");
    }
}

/// Somebody with a session.
struct Seated {
    http: Http,
    seat: SeatId,
    cookie: String,
    address: SocketAddr,
}

impl Seated {
    async fn get(&self, what: &str) -> Reply {
        self.http.get(&format!("/api/seats/{}/{what}", self.seat), &self.cookie).await.unwrap()
    }

    async fn say(&self, command: &Value) -> Reply {
        let path = format!("/api/seats/{}/sheet", self.seat);
        self.http.post(&path, &self.cookie, command).await.unwrap()
    }

    async fn sheet(&self) -> Value {
        let reply = self.get("sheet").await;
        assert_eq!(reply.status, 200, "{:?}", reply.json);
        reply.json["sheet"].clone()
    }

    /// Waits until the clock of the visit shows something.
    async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let timer = self.get("timer").await.json;
            if holds(&timer) {
                return timer;
            }
            assert!(begun.elapsed() < Duration::from_secs(40), "{what}: {timer}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn join(&self) -> Participant {
        let ticket = self.http.ticket(self.seat, &self.cookie).await.unwrap();
        Participant::join(self.address, self.seat, ticket).await
    }
}

/// Somebody whose browser sends sound and a picture until it is dropped.
struct Talking {
    say: mpsc::UnboundedSender<ClientMessage>,
    /// Ends with the connection; answers its close code.
    line: JoinHandle<u16>,
    _picture: Picture,
}

impl Drop for Talking {
    fn drop(&mut self) {
        self.line.abort();
    }
}

/// Keeps a connection alive and says what it is told to.
async fn hold(
    mut participant: Participant,
    mut told: mpsc::UnboundedReceiver<ClientMessage>,
) -> u16 {
    let mut alive = tokio::time::interval(Duration::from_secs(2));
    loop {
        tokio::select! {
            _ = alive.tick() => participant.send(&ClientMessage::Ping { n: 1 }).await,
            Some(message) = told.recv() => participant.send(&message).await,
            heard = participant.next() => if heard.is_none() {
                return participant.closed().await;
            },
        }
    }
}

async fn talk(mut participant: Participant) -> Talking {
    let picture = Picture::of(&mut participant).await;
    let (say, told) = mpsc::unbounded_channel();
    Talking { say, line: tokio::spawn(hold(participant, told)), _picture: picture }
}

fn attestation(at_home: bool) -> Value {
    json!({ "kind": "attest", "attestation": {
        "identity_checked": true, "location_state": "CT", "at_home": at_home, "setting": "remote",
        "callback": "555-0199", "private": true, "others_present": ["canary daughter"],
    } })
}

fn billing() -> Value {
    json!({ "kind": "bill", "billing": {
        "payer": "example_midpoint", "patient": "established", "free": false, "npi": "1234567893",
    } })
}

fn adjustment(delta_s: i64) -> Value {
    json!({ "kind": "adjust", "adjustment": { "delta_s": delta_s, "reason": "canary telephone" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_timed_and_its_sheet_is_the_pharmacists() {
    let practice = Practice::start().await;
    let pharmacist = practice.sit(Role::Pharmacist).await;
    let pcp = practice.sit(Role::Pcp).await;
    let patient = practice.sit(Role::Patient).await;
    let staff = talk(pharmacist.join().await).await;
    let mut home = patient.join().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    // The lobby never counts.
    let timer = pharmacist.get("timer").await.json;
    assert_eq!((&timer["counted_s"], &timer["running"]), (&json!(0), &json!(false)));
    staff.say.send(ClientMessage::Admit { seat: patient.seat, agreed: true }).unwrap();
    home.admitted().await;
    let home = talk(home).await;
    let begun = Instant::now();
    pharmacist.until("time runs", |timer| timer["running"] == json!(true)).await;
    pharmacist.until("3 s", |timer| timer["counted_s"].as_u64() >= Some(3)).await;
    assert!(begun.elapsed() >= Duration::from_secs(2), "three seconds take their time");

    let sheet = pharmacist.sheet().await;
    assert_eq!(sheet["segments"][0]["modality"], json!("video"));
    assert!(sheet["warnings"].as_array().unwrap().contains(&json!("not_attested")));
    for (at_home, pos) in [(true, "10"), (false, "02")] {
        pharmacist.say(&attestation(at_home)).await;
        let reply = pharmacist.say(&billing()).await;
        assert_eq!(reply.status, 200, "{:?}", reply.json);
        assert_eq!(reply.json["sheet"]["pos"], json!(pos));
    }
    let reply = pharmacist.say(&adjustment(600)).await;
    let sheet = &reply.json["sheet"];
    assert_eq!((&sheet["adjusted_s"], &sheet["units"]), (&json!(600), &json!(1)));
    assert_eq!(sheet["lines"][0], json!({ "code": "99606", "units": 1, "modifiers": ["95"] }));
    assert_eq!(sheet["adjustments"][0]["what"]["reason"], json!("canary telephone"));
    for bad in [
        adjustment(0),
        adjustment(20_000),
        json!({ "kind": "adjust", "adjustment": { "delta_s": 60, "reason": "" } }),
        json!({ "kind": "adjust", "adjustment": { "delta_s": 60, "reason": "good", "by": "me" } }),
        json!({ "kind": "settle" }),
    ] {
        assert_eq!(pharmacist.say(&bad).await.status, 400, "{bad}");
    }

    // The doctor reads and does not write; for everybody else there is nothing.
    let reply = pcp.get("sheet").await;
    assert_eq!((reply.status, &reply.json["writable"]), (200, &json!(false)));
    let refused = pcp.say(&adjustment(60)).await;
    assert_eq!((refused.status, &refused.json["code"]), (403, &json!("not_allowed")));
    assert_eq!(pcp.get("timer").await.status, 404);
    for seated in [&patient, &practice.sit(Role::Caregiver).await] {
        for what in ["sheet", "timer"] {
            assert_eq!(seated.get(what).await.status, 404, "{what}");
        }
        assert_eq!(seated.say(&adjustment(60)).await.status, 404);
    }
    assert_eq!(pharmacist.sheet().await["adjustments"].as_array().unwrap().len(), 1);

    staff.say.send(ClientMessage::End).unwrap();
    while !staff.line.is_finished() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop((staff, home));
    let mut sheet = pharmacist.sheet().await;
    for _ in 0..100 {
        // The end is written down after it was told.
        if !sheet["warnings"].as_array().unwrap().contains(&json!("still_running")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        sheet = pharmacist.sheet().await;
    }
    let measured = sheet["measured_s"].as_u64().unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(pharmacist.sheet().await["measured_s"], json!(measured), "time has ended");
    for warning in ["still_running", "cut_short"] {
        assert!(!sheet["warnings"].as_array().unwrap().contains(&json!(warning)), "{sheet}");
    }

    // Nothing of it stands readable in the files.
    for entry in std::fs::read_dir(&practice.data).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        assert!(!bytes.windows(6).any(|window| window == b"canary"));
    }
    practice.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_cut_by_kill_9_counts_to_the_last_moment_written_down_and_goes_on() {
    let mut practice = Practice::start().await;
    let pharmacist = practice.sit(Role::Pharmacist).await;
    let patient = practice.sit(Role::Patient).await;
    let staff = talk(pharmacist.join().await).await;
    let mut home = patient.join().await;
    staff.say.send(ClientMessage::Admit { seat: patient.seat, agreed: true }).unwrap();
    home.admitted().await;
    let home = talk(home).await;
    let counted = |timer: &Value| timer["counted_s"].as_u64().unwrap_or(0);
    pharmacist.until("8 s", |timer| counted(timer) >= 8).await;

    practice.kill();
    drop((staff, home));
    practice.start_again();

    let pharmacist = practice.sit(Role::Pharmacist).await;
    let sheet = pharmacist.sheet().await;
    let kept = sheet["measured_s"].as_u64().unwrap();
    println!("METRIC time_kept_after_kill_s={kept} of=8");
    assert!((3..=9).contains(&kept), "at most 5 s are lost, and none is made up: {sheet}");
    assert!(sheet["warnings"].as_array().unwrap().contains(&json!("cut_short")));
    assert_eq!(pharmacist.get("timer").await.json["running"], json!(false));

    // They come back: the same visit, the patient still let in, and the short gap counts.
    let patient = practice.sit(Role::Patient).await;
    let staff = talk(pharmacist.join().await).await;
    let home = talk(patient.join().await).await;
    pharmacist.until("it goes on", |timer| timer["running"] == json!(true)).await;
    let after = pharmacist.until("more", |timer| counted(timer) > kept + 2).await;
    let sheet = pharmacist.sheet().await;
    assert_eq!(sheet["segments"].as_array().unwrap().len(), 1, "{after} {sheet}");
    drop((staff, home));
    practice.end();
}

/// The pharmacist's page, without sound or picture, until it is dropped.
struct Page(JoinHandle<u16>, mpsc::UnboundedSender<ClientMessage>);

impl Drop for Page {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Keeps a page open that says that the visit is by telephone.
async fn by_telephone(mut page: Participant) -> Page {
    let on = |message: &ServerMessage| {
        matches!(message, ServerMessage::Telephone { telephone: Some(_) })
    };
    page.until("the visit is by telephone", on).await;
    let (say, told) = mpsc::unbounded_channel();
    Page(tokio::spawn(hold(page, told)), say)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telephone_call_during_which_the_server_dies_goes_on_when_the_pharmacist_is_back() {
    let mut practice = Practice::start().await;
    let pharmacist = practice.sit(Role::Pharmacist).await;
    let mut page = pharmacist.join().await;
    let begin = ClientMessage::Telephone { step: TelephoneStep::Begin };
    page.send(&begin).await;
    let page = by_telephone(page).await;
    let counted = |timer: &Value| timer["counted_s"].as_u64().unwrap_or(0);
    pharmacist.until("8 s", |timer| counted(timer) >= 8).await;

    practice.kill();
    drop(page);
    practice.start_again();

    // What was told stands, what nobody saw is not made up, and the clock waits for the pharmacist.
    let pharmacist = practice.sit(Role::Pharmacist).await;
    let sheet = pharmacist.sheet().await;
    let kept = sheet["measured_s"].as_u64().unwrap();
    assert!((3..=9).contains(&kept), "at most 5 s are lost, and none is made up: {sheet}");
    assert_eq!(pharmacist.get("timer").await.json["running"], json!(false));

    // Nobody has to say it again, and the short gap counts.
    let page = by_telephone(pharmacist.join().await).await;
    pharmacist.until("it goes on", |timer| timer["running"] == json!(true)).await;
    pharmacist.until("more", |timer| counted(timer) > kept + 2).await;
    let sheet = pharmacist.sheet().await;
    let segments = sheet["segments"].as_array().unwrap();
    assert_eq!((segments.len(), &segments[0]["modality"]), (1, &json!("phone")), "{sheet}");

    // Over is over, also for whoever comes after the next restart.
    page.1.send(ClientMessage::Telephone { step: TelephoneStep::Over }).unwrap();
    pharmacist.until("it is over", |timer| timer["running"] == json!(false)).await;
    practice.kill();
    practice.start_again();
    let pharmacist = practice.sit(Role::Pharmacist).await;
    let mut page = pharmacist.join().await;
    page.settle().await;
    let told = |one: &ServerMessage| matches!(one, ServerMessage::Telephone { .. });
    assert!(!page.heard.iter().any(told), "{:?}", page.texts);
    practice.end();
}
