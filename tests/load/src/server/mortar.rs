//! The product itself: its real binary on a practice of its own, everything by the protocol that browsers speak. Only
//! the seats are made beforehand, by the product's functions.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use async_trait::async_trait;
use clinical::actor::Role;
use clinical::id::SeatId;
use clinical::phi::Phi;
use futures_util::{SinkExt as _, StreamExt as _};
use mortar::record::writer::Writer;
use mortar::store::{Hold, Store};
use mortar::vault::Vault;
use mortar::{link, person, visit};
use serde_json::{Value, json};
use signaling::message::SUBPROTOCOL;
use signaling::visit::VisitKind;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::{Member, Seat, Server, Setting, WebSocket, connect, ssrcs, tcp, websocket};
use crate::sdp::{self, Kind, Line, Local};
use crate::source::Source;

/// File with the vault's key, as the server names it.
const KEY_FILE: &str = "mortar.key";
/// As often as the protocol asks for it.
const PING: Duration = Duration::from_secs(2);

/// A running `mortar`.
pub struct Mortar {
    setting: Setting,
    folder: PathBuf,
    child: Child,
    address: SocketAddr,
    seats: Vec<(SeatId, String)>,
    cookies: tokio::sync::Mutex<std::collections::HashMap<u16, String>>,
}

impl Mortar {
    /// Prepares the seats and starts the binary that stands beside this one.
    pub async fn start(setting: Setting) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("mortar-load-{}", Uuid::now_v7()));
        let seats = prepare(&folder, setting.rooms, setting.seats).await?;
        let binary = std::env::current_exe()?.with_file_name("mortar");
        if !binary.exists() {
            bail!("{} is missing: build it with the same profile", binary.display());
        }
        let mut words = setting.prefix.iter().map(String::as_str).chain(binary.to_str());
        let mut child = Command::new(words.next().context("a command")?)
            .args(words)
            .arg("--data")
            .arg(&folder)
            .args(["--listen", &format!("{}:0", setting.server)])
            .args(["--public-ip", &setting.server.to_string()])
            .args(["--media-port", "0", "--no-demo"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("mortar does not start")?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let address = loop {
            let line = lines.next_line().await?.context("mortar ended before it ran")?;
            if let Some((_, origin)) = line.split_once("http://") {
                break origin.trim().parse()?;
            }
        };
        Ok(Self { setting, folder, child, address, seats, cookies: tokio::sync::Mutex::default() })
    }

    async fn cookie(&self, from: IpAddr, number: u16, token: &str) -> Result<String> {
        if let Some(cookie) = self.cookies.lock().await.get(&number) {
            return Ok(cookie.clone());
        }
        let (cookie, _) =
            self.post(from, "/api/links/claim", "", &json!({ "token": token })).await?;
        let cookie = cookie.context("the link is not taken")?;
        self.cookies.lock().await.insert(number, cookie.clone());
        Ok(cookie)
    }

    async fn post(
        &self,
        from: IpAddr,
        path: &str,
        cookie: &str,
        body: &Value,
    ) -> Result<(Option<String>, Value)> {
        let (host, body) = (self.address, body.to_string());
        let mut stream = tcp(from, host).await?;
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await?;
        let (head, body) = reply.split_once("\r\n\r\n").context("no answer")?;
        let cookie = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("set-cookie")
                .then(|| value.split(';').next().unwrap_or_default().to_owned())
        });
        let body = match (body.find('{'), body.rfind('}')) {
            (Some(from), Some(to)) => serde_json::from_str(&body[from..=to])?,
            _ => Value::Null,
        };
        Ok((cookie, body))
    }
}

#[async_trait]
impl Server for Mortar {
    fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    async fn join(&self, seat: Seat) -> Result<Member> {
        let (engine, number) = (&self.setting.engine, seat.number);
        let from = engine.address(number);
        let (id, token) = self.seats.get(usize::from(number)).context("too few seats")?;
        let cookie = self.cookie(from, number, token).await?;
        let (_, reply) =
            self.post(from, &format!("/api/seats/{id}/join"), &cookie, &json!({})).await?;
        let ticket = reply["ticket"].as_str().with_context(|| format!("no ticket: {reply}"))?;
        let path = reply["ws_path"].as_str().context("no path")?;
        let mut socket = websocket(from, self.address, path, SUBPROTOCOL).await?;

        let began = Instant::now();
        say(&mut socket, &json!({ "type": "join", "ticket": ticket })).await?;
        let local = Local::new(&self.setting.identity.fingerprint, engine.media(number));
        let mut lines = Vec::new();
        let (mic, cam) = ssrcs(number);
        if seat.publishes.is_some() {
            lines.push(Line::Send { kind: Kind::Audio, ssrc: mic });
            lines.push(Line::Send { kind: Kind::Video, ssrc: cam });
        }
        lines.extend(std::iter::repeat_n(Line::Receive(Kind::Audio), seat.hears));
        lines.extend(std::iter::repeat_n(Line::Receive(Kind::Video), seat.sees));
        let lines: Vec<(String, Line)> =
            lines.into_iter().enumerate().map(|(at, line)| (at.to_string(), line)).collect();
        let sdp = sdp::write(&local, &lines, "actpass");
        // As the web client does: the offer follows once the seat is in.
        hear(&mut socket, "welcome").await?;
        let offer =
            json!({ "type": "offer", "n": 1, "sdp": sdp, "srtp": "first", "transport": "new" });
        say(&mut socket, &offer).await?;
        let answer = hear(&mut socket, "answer").await?;
        let answered = Instant::now();
        let sdp = answer["sdp"].as_str().context("an answer without SDP")?;
        let source = seat.publishes.map(|rate| Source::new(mic, cam, rate));
        let remote = sdp::read(sdp, self.setting.server)?;
        let waiting = connect(engine, number, &local, remote, source);
        let line = tokio::spawn(async move {
            let mut ping = tokio::time::interval(PING);
            let mut n = 0;
            loop {
                let alive = tokio::select! {
                    _ = ping.tick() => {
                        n += 1;
                        say(&mut socket, &json!({ "type": "ping", "n": n })).await.is_ok()
                    }
                    heard = socket.next() => matches!(heard, Some(Ok(_))),
                };
                if !alive {
                    return;
                }
            }
        });
        Ok(Member { seat, began, answered, transports: vec![waiting], line })
    }

    async fn watch(&self, _member: &mut Member) -> Result<()> {
        Ok(())
    }
}

impl Drop for Mortar {
    fn drop(&mut self) {
        let _gone = self.child.start_kill();
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

async fn say(socket: &mut WebSocket, message: &Value) -> Result<()> {
    Ok(socket.send(Message::text(message.to_string())).await?)
}

/// Waits for a message of this type.
async fn hear(socket: &mut WebSocket, wanted: &str) -> Result<Value> {
    let wait = async {
        loop {
            match socket.next().await.context("closed")?? {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text)?;
                    match message["type"].as_str() {
                        Some(kind) if kind == wanted => return Ok(message),
                        Some("refused" | "ended" | "media_failed") => bail!("{message}"),
                        Some(_) | None => {}
                    }
                }
                Message::Close(frame) => bail!("closed: {frame:?}"),
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    };
    tokio::time::timeout(super::PATIENCE, wait).await.with_context(|| format!("no {wanted}"))?
}

/// A huddle for each room, in which everybody is staff: such seats come in without being admitted.
async fn prepare(
    folder: &std::path::Path,
    rooms: usize,
    seats: usize,
) -> Result<Vec<(SeatId, String)>> {
    let store = Store::open(folder, Hold::Server).await?;
    let vault = Vault::open(&store.folder().join(KEY_FILE), &store).await?;
    let writer = Writer::start(store.clone(), "load").await?;
    let name = Phi::new("Load".to_owned());
    let person = person::add(&store, &vault, &writer, &name, Role::Pharmacist, None).await?;
    let mut made = Vec::new();
    for _ in 0..rooms {
        let visit = visit::create(&store, VisitKind::Huddle, None).await?;
        for _ in 0..seats {
            let seat = visit::invite(&store, &visit, person, Role::Pharmacist).await?;
            let token = link::mint(&store, &vault, seat.id).await?;
            made.push((seat.id, token.text()));
        }
    }
    writer.flush().await;
    store.close().await;
    Ok(made)
}
