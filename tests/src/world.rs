//! A whole server in the test's own process: the demo practice in a folder of its own, on free ports.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clinical::actor::Role;
use clinical::id::{PersonId, RecordId, SeatId, VisitId};
use mortar::config::{Config, Demo};
use mortar::demo::{self, Invitation};
use mortar::store::OpenError;
use mortar::{ServeError, Server, audit, visit};
use serde_json::{Value, json};
use signaling::visit::VisitKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::browserless::Reply;
use crate::participant::Participant;

/// How long anything that must come may take. Nothing waits this long when it works.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Panics of anything but a test's own assertion: the server shares the process.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let own = panic.location().is_some_and(|at| at.file().starts_with("tests/"));
            if !own {
                PANICS.fetch_add(1, Ordering::Relaxed);
            }
            before(panic);
        }));
    });
}

/// A running server with the demo visit.
#[derive(Debug)]
pub struct World {
    server: Server,
    folder: PathBuf,
    invitation: Invitation,
}

/// Who may come in, and how.
#[derive(Clone, Debug)]
pub struct Invited {
    /// The seat.
    pub seat: SeatId,
    /// Its role.
    pub role: Role,
    /// The secret of its link.
    pub token: String,
}

impl World {
    /// The demo practice.
    pub async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    /// The same folder under a server that was started again.
    pub async fn restart_with(self, config: Config) -> Self {
        let Self { server, folder, invitation } = self;
        server.stop().await;
        let config = Config {
            data: folder.clone(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            media_port: 0,
            demo: Demo::Yes,
            ..config
        };
        // Tasks of the one before let go of the folder when they have ended, a moment after it was stopped.
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let server = loop {
            match mortar::serve(config.clone()).await {
                Ok(server) => break server,
                Err(ServeError::Open(OpenError::Locked { .. }))
                    if tokio::time::Instant::now() < deadline =>
                {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(why) => panic!("the server does not start again: {why}"),
            }
        };
        Self { server, folder, invitation }
    }

    /// The demo practice, run in another way. Where it listens and keeps its data is not asked.
    pub async fn start_with(config: Config) -> Self {
        count_panics();
        let folder = std::env::temp_dir().join(format!("mortar-world-{}", Uuid::now_v7()));
        let config = Config {
            data: folder.clone(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            media_port: 0,
            metrics: Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)),
            demo: Demo::Yes,
            ..config
        };
        let server = mortar::serve(config).await.expect("the server starts");
        let app = server.app();
        demo::prepare(&app.store, &app.vault, &app.writer).await.expect("the demo practice");
        let invitation =
            demo::invitation(&app.store, &app.vault).await.expect("links").expect("a visit");
        Self { server, folder, invitation }
    }

    /// Goes on with a new visit of a record and these people in it.
    pub async fn visit_of(mut self, record: RecordId, people: &[(PersonId, Role)]) -> Self {
        let app = self.server.app();
        let new = visit::create(&app.store, VisitKind::FollowUp, Some(record)).await;
        let new = new.expect("a visit");
        for (person, role) in people {
            visit::invite(&app.store, &new, *person, *role).await.expect("a seat");
        }
        let invitation = demo::invitation(&app.store, &app.vault).await;
        self.invitation = invitation.expect("links").expect("the new visit");
        self
    }

    /// The server.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The folder with its database.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The seat of a role.
    pub fn invited(&self, role: Role) -> Invited {
        let invited = self.invitation.seats.iter().find(|invited| invited.seat.role == role);
        let invited = invited.expect("the role is invited");
        Invited { seat: invited.seat.id, role, token: invited.token.text() }
    }

    /// Who sits on the seat of a role.
    pub fn person(&self, role: Role) -> PersonId {
        let invited = self.invitation.seats.iter().find(|invited| invited.seat.role == role);
        invited.expect("the role is invited").seat.person
    }

    /// The demo visit.
    pub fn visit(&self) -> VisitId {
        self.invitation.seats.first().expect("a seat").seat.visit
    }

    /// The patient's birth date.
    pub fn birth_date(&self) -> String {
        let patient = self.invitation.patient.as_ref().expect("a patient");
        patient.birth_date.expose().clone()
    }

    /// Words that may not reach a role while it waits: names of others, medicines.
    pub fn secrets(&self, but: Role) -> Vec<String> {
        let mut words: Vec<String> = self
            .invitation
            .seats
            .iter()
            .filter(|invited| invited.seat.role != but)
            .map(|invited| invited.name.expose().clone())
            .collect();
        // Somebody may be called like a part of the own name.
        let own = self.invitation.seats.iter().find(|invited| invited.seat.role == but);
        let own = own.map(|invited| invited.name.expose().clone()).unwrap_or_default();
        words.retain(|word| !own.contains(word.as_str()));
        words.extend(["metformin", "lisinopril", "MRN-"].map(str::to_owned));
        words
    }

    /// The record of the demo visit.
    pub async fn record(&self) -> RecordId {
        let visit = visit::find_visit(&self.server.app().store, self.visit()).await;
        visit.expect("a store").expect("the visit").record.expect("a record")
    }

    /// Everything that happened in a visit so far happened that much earlier; what comes next is timed by the server's own
    /// clock. The ledger forbids exactly this, so its rule is lifted for one transaction and put back as it stood.
    pub async fn minutes_pass(&self, visit: VisitId, minutes: i64) {
        const RULE: &str = "select sql from sqlite_master where name = 'visit_time_no_update'";
        let (ms, visit) = (minutes * 60_000, visit.to_string());
        let mut write = self.server.app().store.write().await.expect("a store");
        let (rule,): (String,) =
            sqlx::query_as(RULE).fetch_one(&mut *write).await.expect("the rule");
        let lift = sqlx::query("drop trigger visit_time_no_update");
        lift.execute(&mut *write).await.expect("it is lifted");
        for earlier in [
            "update visit_time set at_ms = at_ms - $1 where call in (select call from visit_call where visit = $2)",
            "update visit_call set began_ms = began_ms - $1 where visit = $2",
        ] {
            let earlier = sqlx::query(earlier).bind(ms).bind(&visit);
            earlier.execute(&mut *write).await.expect("it is moved");
        }
        let again = sqlx::query(sqlx::AssertSqlSafe(rule));
        again.execute(&mut *write).await.expect("the rule is put back");
        write.commit().await.expect("it is moved");
    }

    /// Claims the link of a role; gives back its cookie.
    pub async fn cookie(&self, role: Role) -> String {
        let token = self.invited(role).token;
        let body = json!({ "token": token, "birth_date": self.birth_date() });
        self.post("/api/links/claim", "", &body).await.cookie.expect("the link is taken")
    }

    /// A ticket for a WebSocket.
    pub async fn ticket(&self, seat: SeatId, cookie: &str) -> String {
        let path = format!("/api/seats/{seat}/join");
        let reply = self.post(&path, cookie, &json!({})).await;
        let ticket = reply.json.get("ticket").and_then(Value::as_str);
        ticket.unwrap_or_else(|| panic!("no ticket: {reply:?}")).to_owned()
    }

    /// A `POST` as a page of ours makes it.
    pub async fn post(&self, path: &str, cookie: &str, body: &Value) -> Reply {
        let http = crate::browserless::Http::new(self.address());
        http.post(path, cookie, body).await.expect("an answer")
    }

    /// Joins by a role's link, up to the first `welcome`.
    pub async fn join(&self, role: Role) -> Participant {
        let cookie = self.cookie(role).await;
        self.join_with(role, &cookie).await
    }

    /// The same, with a cookie that is there already.
    pub async fn join_with(&self, role: Role, cookie: &str) -> Participant {
        let seat = self.invited(role).seat;
        let ticket = self.ticket(seat, cookie).await;
        Participant::join(self.address(), seat, ticket).await
    }

    /// Sends bytes on a connection of their own and reads what comes back until it is closed.
    pub async fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        Self::raw_to(self.address(), request).await
    }

    async fn raw_to(address: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
        let talk = async {
            let mut stream = TcpStream::connect(address).await.expect("it listens");
            // A server that has heard enough may close before everything is sent.
            let _sent = stream.write_all(request.as_ref()).await;
            let mut reply = Vec::new();
            let _reset = stream.read_to_end(&mut reply).await;
            Answer::parse(&String::from_utf8_lossy(&reply))
        };
        tokio::time::timeout(PATIENCE, talk).await.expect("an answer in time")
    }

    /// A `GET`.
    pub async fn get(&self, path: &str, cookie: &str) -> Answer {
        let host = self.address();
        let cookie =
            if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
        self.raw(format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\n{cookie}Connection: close\r\n\r\n"
        ))
        .await
    }

    /// A `GET` where counters are read.
    pub async fn read_counters(&self, path: &str) -> Answer {
        let host = self.server.metrics_address().expect("counters are published").to_string();
        self.read_counters_as(&host, path).await
    }

    /// The same under the name by which a page in a browser knows the address.
    pub async fn read_counters_as(&self, host: &str, path: &str) -> Answer {
        let address = self.server.metrics_address().expect("counters are published");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        Self::raw_to(address, request).await
    }

    /// Nothing of the server has panicked, in this or another test of the process.
    pub async fn assert_sound(&self) {
        assert_eq!(PANICS.load(Ordering::Relaxed), 0, "something of the server panicked");
        let relay: u64 =
            self.server.media().counters().await.iter().map(|worker| worker.turning.panics).sum();
        assert_eq!(relay, 0, "the relay panicked");
        assert_eq!(self.get("/healthz", "").await.status, 200);
    }

    /// Looks whether everything is sound, and stops.
    pub async fn stop(self) {
        self.assert_sound().await;
        audit::verify(&self.server.app().store).await.expect("the log of accesses is whole");
        self.server.stop().await;
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

/// An answer as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code; 0 if none came.
    pub status: u16,
    /// Names in small letters, with values.
    pub headers: Vec<(String, String)>,
    /// What stands after the head.
    pub body: String,
}

impl Answer {
    fn parse(reply: &str) -> Self {
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or((reply, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let headers = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, body: body.to_owned() }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The `code` of a problem.
    pub fn code(&self) -> String {
        let json: Value = serde_json::from_str(&self.body).unwrap_or(Value::Null);
        json.get("code").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}
