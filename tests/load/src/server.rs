//! Servers under load. Another one joins the comparison by one more implementation of [`Server`].

mod janus;
mod mortar;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use tokio::sync::oneshot;

pub use janus::Janus;
pub use mortar::Mortar;

use crate::engine::Engine;
use crate::sdp::Local;
use crate::source::{Rate, Source};
use crate::transport::{Identity, Negotiated};

/// How long a join may take before a run counts as failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a server needs to know before it starts.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The address it listens on.
    pub server: IpAddr,
    /// What stands before its command line: the network namespace and the core.
    pub prefix: Vec<String>,
    /// Rooms of the scenario.
    pub rooms: usize,
    /// Seats of each.
    pub seats: usize,
    /// The clients.
    pub engine: Engine,
    /// Their certificate.
    pub identity: Identity,
}

/// What somebody does in a room.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    /// Which room.
    pub room: usize,
    /// A number of its own in the whole run; it has the address with this number.
    pub number: u16,
    /// What it publishes.
    pub publishes: Option<Rate>,
    /// How many others it sees.
    pub sees: usize,
    /// How many others it hears.
    pub hears: usize,
}

/// Somebody in a room. Leaves when dropped.
#[derive(Debug)]
pub struct Member {
    /// The seat.
    pub seat: Seat,
    /// When its first signalling message went out.
    pub began: Instant,
    /// When its negotiation was answered.
    pub answered: Instant,
    /// Each of its transports.
    pub transports: Vec<Waiting>,
    /// Holds its signalling open.
    pub line: tokio::task::JoinHandle<()>,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.line.abort();
    }
}

/// What a transport is waited for.
#[derive(Debug)]
pub struct Waiting {
    /// End of the handshake.
    pub connected: oneshot::Receiver<Instant>,
    /// First RTP packet.
    pub first: oneshot::Receiver<Instant>,
}

impl Waiting {
    /// Returns at the end of the handshake.
    pub async fn connected(&mut self) -> Result<Instant> {
        Ok(tokio::time::timeout(PATIENCE, &mut self.connected).await.context("no connection")??)
    }

    /// Returns at the first RTP packet.
    pub async fn first(&mut self) -> Result<Instant> {
        Ok(tokio::time::timeout(PATIENCE, &mut self.first).await.context("no media")??)
    }
}

/// A running server and how one joins it.
#[async_trait]
pub trait Server: Send + Sync {
    /// Its process.
    fn pid(&self) -> u32;

    /// Brings somebody in. Who publishes is negotiated when this returns; who only watches, too.
    async fn join(&self, seat: Seat) -> Result<Member>;

    /// Lets a publisher see the others of its room, once all of them publish. Nothing where that comes by itself.
    async fn watch(&self, member: &mut Member) -> Result<()>;
}

/// SSRCs of a seat's microphone and camera.
pub fn ssrcs(number: u16) -> (u32, u32) {
    let base = 0x1000_0000 + u32::from(number) * 16;
    (base, base + 1)
}

/// Hands a negotiation to the engine.
pub fn connect(
    engine: &Engine,
    index: u16,
    local: &Local,
    remote: (String, String, std::net::SocketAddr),
    source: Option<Source>,
) -> Waiting {
    let (connected_by, connected) = oneshot::channel();
    let (first_by, first) = oneshot::channel();
    let (remote_ufrag, remote_pwd, remote) = remote;
    engine.add(
        index,
        Negotiated {
            remote,
            remote_ufrag,
            remote_pwd,
            local_ufrag: local.ufrag.clone(),
            local_pwd: local.pwd.clone(),
            source,
            connected: connected_by,
            first: first_by,
        },
    );
    Waiting { connected, first }
}

/// A WebSocket from an address of the block, as each client has its own.
pub async fn websocket(
    from: IpAddr,
    to: std::net::SocketAddr,
    path: &str,
    protocol: &str,
) -> Result<WebSocket> {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

    let mut request = format!("ws://{to}{path}").into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("Origin", format!("http://{to}").parse()?);
    headers.insert("Sec-WebSocket-Protocol", protocol.parse()?);
    let stream = tcp(from, to).await?;
    Ok(tokio_tungstenite::client_async(request, stream).await?.0)
}

/// See [`websocket`].
pub type WebSocket = tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>;

/// A TCP connection from an address of the block.
pub async fn tcp(from: IpAddr, to: std::net::SocketAddr) -> Result<tokio::net::TcpStream> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind(std::net::SocketAddr::new(from, 0))?;
    let stream = socket.connect(to).await?;
    // Signalling is small messages that somebody waits for.
    stream.set_nodelay(true)?;
    Ok(stream)
}
