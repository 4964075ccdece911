//! Janus, as Debian packages it: the videoroom plugin by its WebSocket API. Watchers take all feeds of a room on one
//! PeerConnection ("multistream"), which is its cheapest way.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use async_trait::async_trait;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::{Member, Seat, Server, Setting, WebSocket, connect, ssrcs, websocket};
use crate::sdp::{self, Kind, Line, Local};
use crate::source::Source;

/// Of its WebSocket API.
const PORT: u16 = 8_188;
/// Watching transports of those who also publish have addresses from here on.
const WATCHING: u16 = 0x4000;

/// A running Janus.
pub struct Janus {
    setting: Setting,
    folder: PathBuf,
    child: Child,
    /// Feeds of each room.
    feeds: Mutex<Vec<Vec<u64>>>,
}

impl Janus {
    /// Writes a configuration of its own and starts the installed binary. `loops` is its setting `event_loops`; 0 is
    /// its default, a thread for each transport.
    pub async fn start(setting: Setting, loops: usize) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("janus-load-{}", Uuid::now_v7()));
        std::fs::create_dir_all(&folder)?;
        let library = library()?;
        let library = library.display();
        std::fs::write(
            folder.join("janus.jcfg"),
            format!(
                "general: {{\n configs_folder = \"{folder}\"\n plugins_folder = \"{library}/plugins\"\n \
                 transports_folder = \"{library}/transports\"\n events_folder = \"{library}/events\"\n \
                 loggers_folder = \"{library}/loggers\"\n debug_level = 2\n event_loops = {loops}\n \
                 session_timeout = 0\n}}\nmedia: {{\n ipv6 = false\n}}\n\
                 nat: {{\n ice_lite = true\n nice_debug = false\n full_trickle = false\n}}\n\
                 plugins: {{\n disable = \"{others}\"\n}}\n\
                 transports: {{\n disable = \"libjanus_http.so,libjanus_mqtt.so,libjanus_nanomsg.so,\
                 libjanus_pfunix.so,libjanus_rabbitmq.so\"\n}}\n",
                folder = folder.display(),
                others = "libjanus_audiobridge.so,libjanus_duktape.so,libjanus_echotest.so,\
                          libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,\
                          libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,\
                          libjanus_voicemail.so",
            ),
        )?;
        std::fs::write(
            folder.join("janus.transport.websockets.jcfg"),
            format!(
                "general: {{\n json = \"compact\"\n ws = true\n ws_port = {PORT}\n ws_ip = \"{}\"\n}}\n",
                setting.server
            ),
        )?;
        let mut rooms = String::from("general: { }\n");
        for room in 0..setting.rooms {
            rooms.push_str(&format!(
                "room-{}: {{\n description = \"load\"\n publishers = {}\n bitrate = 0\n fir_freq = 0\n \
                 audiocodec = \"opus\"\n videocodec = \"vp8\"\n}}\n",
                room + 1,
                setting.seats + 1
            ));
        }
        std::fs::write(folder.join("janus.plugin.videoroom.jcfg"), rooms)?;
        let mut words = setting.prefix.iter().map(String::as_str).chain(["janus"]);
        let child = Command::new(words.next().context("a command")?)
            .args(words)
            .arg("--configs-folder")
            .arg(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("janus does not start: is the package installed?")?;
        let feeds = Mutex::new(vec![Vec::new(); setting.rooms]);
        let janus = Self { setting, folder, child, feeds };
        let from = janus.setting.engine.address(0);
        let until = Instant::now() + super::PATIENCE;
        while websocket(from, janus.address(), "/", "janus-protocol").await.is_err() {
            if Instant::now() > until {
                bail!("janus does not listen");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(janus)
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::new(self.setting.server, PORT)
    }

    fn local(&self, index: u16) -> Local {
        Local::new(&self.setting.identity.fingerprint, self.setting.engine.media(index))
    }

    /// Publishes on a handle of its own.
    async fn publish(&self, line: &mut Api, seat: Seat) -> Result<super::Waiting> {
        let (mic, cam) = ssrcs(seat.number);
        let local = self.local(seat.number);
        let lines = [
            ("0".to_owned(), Line::Send { kind: Kind::Audio, ssrc: mic }),
            ("1".to_owned(), Line::Send { kind: Kind::Video, ssrc: cam }),
        ];
        let offer = sdp::write(&local, &lines, "active");
        let body = json!({
            "request": "joinandconfigure", "room": seat.room + 1, "ptype": "publisher",
            "audio": true, "video": true,
        });
        let handle = line.attach().await?;
        let answer = line.message(handle, body, Some(("offer", offer))).await?;
        let feed = answer["plugindata"]["data"]["id"]
            .as_u64()
            .with_context(|| format!("no feed: {answer}"))?;
        self.feeds.lock().await[seat.room].push(feed);
        let sdp = answer["jsep"]["sdp"].as_str().context("no answer")?;
        let remote = sdp::read(sdp, self.setting.server)?;
        let source = seat.publishes.map(|rate| Source::new(mic, cam, rate));
        Ok(connect(&self.setting.engine, seat.number, &local, remote, source))
    }

    /// Takes all feeds of the room but the first so many of its own.
    async fn subscribe(&self, line: &mut Api, seat: Seat, index: u16) -> Result<super::Waiting> {
        let feeds = self.feeds.lock().await[seat.room].clone();
        let own = line.feed;
        let streams: Vec<Value> = feeds
            .iter()
            .filter(|feed| Some(**feed) != own)
            .take(seat.sees)
            .map(|feed| json!({ "feed": feed }))
            .collect();
        let handle = line.attach().await?;
        let body = json!({
            "request": "join", "room": seat.room + 1, "ptype": "subscriber", "streams": streams,
        });
        let offer = line.message(handle, body, None).await?;
        let sdp = offer["jsep"]["sdp"].as_str().with_context(|| format!("no offer: {offer}"))?;
        let local = self.local(index);
        let lines: Vec<(String, Line)> =
            sdp::lines(sdp).into_iter().map(|(mid, kind)| (mid, Line::Receive(kind))).collect();
        let answer = sdp::write(&local, &lines, "active");
        let remote = sdp::read(sdp, self.setting.server)?;
        let waiting = connect(&self.setting.engine, index, &local, remote, None);
        line.message(handle, json!({ "request": "start" }), Some(("answer", answer))).await?;
        Ok(waiting)
    }
}

/// Where the package keeps its plugins: beside the libraries of this machine's architecture, whose folder Debian names after
/// it (`/usr/lib/aarch64-linux-gnu`), or where one's own build does.
fn library() -> Result<PathBuf> {
    let native = format!("/usr/lib/{}-linux-", std::env::consts::ARCH);
    let multiarch = std::fs::read_dir("/usr/lib")?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|folder| folder.to_string_lossy().starts_with(&native));
    multiarch
        .chain(["/usr/lib", "/usr/local/lib", "/opt/janus/lib"].map(PathBuf::from))
        .map(|folder| folder.join("janus"))
        .find(|folder| folder.join("plugins/libjanus_videoroom.so").exists())
        .context(
            "no folder of Janus holds plugins/libjanus_videoroom.so: is the package installed?",
        )
}

#[async_trait]
impl Server for Janus {
    fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    async fn join(&self, seat: Seat) -> Result<Member> {
        let from = self.setting.engine.address(seat.number);
        let mut line = Api::open(from, self.address()).await?;
        let began = Instant::now();
        line.create().await?;
        let waiting = match seat.publishes {
            Some(_) => self.publish(&mut line, seat).await?,
            None => self.subscribe(&mut line, seat, seat.number).await?,
        };
        let answered = Instant::now();
        let line = tokio::spawn(line.hold());
        Ok(Member { seat, began, answered, transports: vec![waiting], line })
    }

    async fn watch(&self, member: &mut Member) -> Result<()> {
        if member.seat.publishes.is_none() || member.seat.sees == 0 {
            return Ok(());
        }
        let seat = member.seat;
        let from = self.setting.engine.address(seat.number);
        let mut line = Api::open(from, self.address()).await?;
        line.create().await?;
        // Feeds stand in the order of joining, which is that of the numbers within a room.
        let place = usize::from(seat.number) % self.setting.seats;
        line.feed = self.feeds.lock().await[seat.room].get(place).copied();
        let waiting = self.subscribe(&mut line, seat, WATCHING + seat.number).await?;
        member.transports.push(waiting);
        let publishing = std::mem::replace(&mut member.line, tokio::spawn(async {}));
        let watching = tokio::spawn(line.hold());
        member.line = tokio::spawn(async move {
            let _ended = tokio::join!(publishing, watching);
        });
        Ok(())
    }
}

impl Drop for Janus {
    fn drop(&mut self) {
        let _gone = self.child.start_kill();
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

/// A session of the API.
struct Api {
    socket: WebSocket,
    session: u64,
    transaction: u64,
    /// What its owner publishes.
    feed: Option<u64>,
}

impl Api {
    async fn open(from: std::net::IpAddr, to: SocketAddr) -> Result<Self> {
        let socket = websocket(from, to, "/", "janus-protocol").await?;
        Ok(Self { socket, session: 0, transaction: 0, feed: None })
    }

    async fn create(&mut self) -> Result<()> {
        let reply = self.ask(json!({ "janus": "create" })).await?;
        self.session = reply["data"]["id"].as_u64().context("no session")?;
        Ok(())
    }

    async fn attach(&mut self) -> Result<u64> {
        let reply = self
            .ask(json!({
                "janus": "attach", "session_id": self.session, "plugin": "janus.plugin.videoroom",
            }))
            .await?;
        reply["data"]["id"].as_u64().context("no handle")
    }

    async fn message(
        &mut self,
        handle: u64,
        body: Value,
        jsep: Option<(&str, String)>,
    ) -> Result<Value> {
        let mut message = json!({
            "janus": "message", "session_id": self.session, "handle_id": handle, "body": body,
        });
        if let Some((kind, sdp)) = jsep {
            message["jsep"] = json!({ "type": kind, "sdp": sdp });
        }
        self.ask(message).await
    }

    /// Sends a request and waits for its answer, past acknowledgements.
    async fn ask(&mut self, mut request: Value) -> Result<Value> {
        self.transaction += 1;
        let transaction = self.transaction.to_string();
        request["transaction"] = json!(transaction);
        self.socket.send(Message::text(request.to_string())).await?;
        let wait = async {
            loop {
                let Message::Text(text) = self.socket.next().await.context("closed")?? else {
                    continue;
                };
                let message: Value = serde_json::from_str(&text)?;
                if message["transaction"] != json!(transaction) || message["janus"] == "ack" {
                    continue;
                }
                if message["janus"] == "error" || message["plugindata"]["data"]["error"].is_string()
                {
                    bail!("{message}");
                }
                return Ok(message);
            }
        };
        tokio::time::timeout(super::PATIENCE, wait).await.context("no answer")?
    }

    /// Keeps the session open.
    async fn hold(mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}
