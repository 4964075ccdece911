//! A client without a browser: HTTP/1.1 and WebSocket by hand, for tests that need to see what is said.
//!
//! Everything answers `None` when the server is gone: the caller starts over.

use std::net::SocketAddr;

use clinical::id::SeatId;
use serde_json::Value;
use signaling::message::{ClientMessage, SUBPROTOCOL, ServerMessage};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Requests to one server.
#[derive(Clone, Copy, Debug)]
pub struct Http {
    address: SocketAddr,
}

/// A reply.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// `name=value` of the cookie that was set.
    pub cookie: Option<String>,
    /// The body.
    pub json: Value,
}

impl Http {
    /// To this server.
    pub const fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, cookie: &str, body: &Value) -> Option<Reply> {
        let body = body.to_string();
        let host = self.address;
        let cookie =
            if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{cookie}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        self.exchange(&request).await
    }

    /// `GET`.
    pub async fn get(&self, path: &str, cookie: &str) -> Option<Reply> {
        let host = self.address;
        self.exchange(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        ))
        .await
    }

    async fn exchange(&self, request: &str) -> Option<Reply> {
        let mut stream = TcpStream::connect(self.address).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.ok()?;
        let (head, body) = reply.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let cookie = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("set-cookie")
                .then(|| value.split(';').next().unwrap_or_default().to_owned())
        });
        let json = body.find('{').and_then(|at| {
            let end = body.rfind('}')?;
            serde_json::from_str(body.get(at..=end)?).ok()
        });
        Some(Reply { status, cookie, json: json.unwrap_or(Value::Null) })
    }

    /// Trades the token of a link for the cookie of its seat.
    pub async fn claim(&self, token: &str) -> Option<String> {
        let body = serde_json::json!({ "token": token });
        self.post("/api/links/claim", "", &body).await?.cookie
    }

    /// A ticket for a WebSocket.
    pub async fn ticket(&self, seat: SeatId, cookie: &str) -> Option<String> {
        let path = format!("/api/seats/{seat}/join");
        let reply = self.post(&path, cookie, &serde_json::json!({})).await?;
        reply.json.get("ticket")?.as_str().map(str::to_owned)
    }
}

/// A WebSocket that speaks our protocol.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Connects; the first message is the caller's `join`.
    pub async fn open(address: SocketAddr) -> Option<Self> {
        let mut request = format!("ws://{address}/api/ws").into_client_request().ok()?;
        let headers = request.headers_mut();
        headers.insert("Origin", format!("http://{address}").parse().ok()?);
        headers.insert("Sec-WebSocket-Protocol", SUBPROTOCOL.parse().ok()?);
        let (stream, _response) = connect_async(request).await.ok()?;
        Some(Self { stream })
    }

    /// Says something.
    pub async fn send(&mut self, message: &ClientMessage) -> Option<()> {
        use futures_util::SinkExt as _;

        let text = serde_json::to_string(message).ok()?;
        self.stream.send(Message::Text(text.into())).await.ok()
    }

    /// Waits for the next message.
    pub async fn next(&mut self) -> Option<ServerMessage> {
        use futures_util::StreamExt as _;

        loop {
            match self.stream.next().await?.ok()? {
                Message::Text(text) => return serde_json::from_str(&text).ok(),
                Message::Close(_) => return None,
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }
}
