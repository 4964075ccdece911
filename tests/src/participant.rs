//! Somebody in a call: says anything, well-formed or not, and keeps everything that was said to them.

use std::net::SocketAddr;
use std::time::Duration;

use clinical::edit::{Edit, Op};
use clinical::field::DocKind;
use clinical::id::{DocId, EditId, RecordId, SeatId};
use clinical::phi::Phi;
use futures_util::{SinkExt as _, StreamExt as _};
use signaling::message::{
    Admission, ClientMessage, RecordRefusal, RefusalCode, SUBPROTOCOL, SeatState, ServerMessage,
};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};
use uuid::Uuid;

use crate::world::PATIENCE;

/// How often somebody who waits shows that the line is alive.
const ALIVE: Duration = Duration::from_secs(2);

/// One end of a WebSocket.
#[derive(Debug)]
pub struct Participant {
    /// The seat.
    pub seat: SeatId,
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Everything that came, in order.
    pub heard: Vec<ServerMessage>,
    /// The same as it stood on the line.
    pub texts: Vec<String>,
    closed: Option<u16>,
    pings: u32,
    fence: usize,
}

/// How a WebSocket is asked for.
#[derive(Clone, Debug, Default)]
pub struct Asking {
    /// `Origin`.
    pub origin: Option<String>,
    /// `Sec-WebSocket-Protocol`.
    pub protocol: Option<String>,
}

/// Opens a WebSocket, or gives back the status with which it was refused.
pub async fn open(
    address: SocketAddr,
    asking: &Asking,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, u16> {
    let mut request = format!("ws://{address}/api/ws").into_client_request().expect("a request");
    let headers = request.headers_mut();
    if let Some(origin) = &asking.origin {
        headers.insert("Origin", origin.parse().expect("a header"));
    }
    if let Some(protocol) = &asking.protocol {
        headers.insert("Sec-WebSocket-Protocol", protocol.parse().expect("a header"));
    }
    match tokio::time::timeout(PATIENCE, connect_async(request)).await.expect("an answer in time") {
        Ok((stream, _response)) => Ok(stream),
        Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("no handshake: {error}"),
    }
}

impl Participant {
    /// Connects as a page of ours does, and says nothing yet.
    pub async fn connect(address: SocketAddr, seat: SeatId) -> Self {
        let asking = Asking {
            origin: Some(format!("http://{address}")),
            protocol: Some(SUBPROTOCOL.to_owned()),
        };
        let stream = open(address, &asking).await.expect("a handshake");
        Self::over(stream, seat)
    }

    /// Over a WebSocket that is open.
    pub const fn over(stream: WebSocketStream<MaybeTlsStream<TcpStream>>, seat: SeatId) -> Self {
        Self {
            seat,
            stream,
            heard: Vec::new(),
            texts: Vec::new(),
            closed: None,
            pings: 0,
            fence: 0,
        }
    }

    /// Connects with room for so few bytes that whoever does not read is soon behind.
    pub async fn connect_narrow(address: SocketAddr, seat: SeatId) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        let stream = socket.connect(address).await.expect("it listens");
        let mut request =
            format!("ws://{address}/api/ws").into_client_request().expect("a request");
        let headers = request.headers_mut();
        headers.insert("Origin", format!("http://{address}").parse().expect("a header"));
        headers.insert("Sec-WebSocket-Protocol", SUBPROTOCOL.parse().expect("a header"));
        let (stream, _response) =
            client_async(request, MaybeTlsStream::Plain(stream)).await.expect("a handshake");
        Self::over(stream, seat)
    }

    /// Connects and joins, up to the first `welcome`.
    pub async fn join(address: SocketAddr, seat: SeatId, ticket: String) -> Self {
        let mut participant = Self::connect(address, seat).await;
        participant.send(&ClientMessage::Join { ticket: Phi::new(ticket) }).await;
        participant
            .until("welcome", |message| matches!(message, ServerMessage::Welcome { .. }))
            .await;
        participant
    }

    /// Says something of the protocol.
    pub async fn send(&mut self, message: &ClientMessage) {
        self.text(&serde_json::to_string(message).expect("it serializes")).await;
    }

    /// Says anything in a text frame.
    pub async fn text(&mut self, text: &str) {
        self.frame(Message::text(text)).await;
    }

    /// Sends any frame. A connection that is gone is noticed by what is read.
    pub async fn frame(&mut self, frame: Message) {
        let _gone = self.stream.send(frame).await;
    }

    /// Puts a frame on the way without waiting for it to leave.
    pub async fn feed(&mut self, message: &ClientMessage) {
        let text = serde_json::to_string(message).expect("it serializes");
        let _gone = self.stream.feed(Message::text(text)).await;
    }

    /// Lets everything leave that was fed.
    pub async fn flush(&mut self) {
        let _gone = self.stream.flush().await;
    }

    /// Reads one frame. `None` once it is closed.
    pub async fn next(&mut self) -> Option<ServerMessage> {
        while self.closed.is_none() {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    let message = serde_json::from_str::<ServerMessage>(&text)
                        .unwrap_or_else(|why| panic!("{why}: {text}"));
                    self.texts.push(text.as_str().to_owned());
                    self.heard.push(message.clone());
                    return Some(message);
                }
                Some(Ok(Message::Close(frame))) => {
                    self.closed = Some(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                // 1006: gone without a close frame (RFC 6455 §7.1.5).
                Some(Err(_)) | None => self.closed = Some(1006),
            }
        }
        None
    }

    /// Reads until something was said, also before now, but after the last such call; gives it back.
    pub async fn until(
        &mut self,
        what: &str,
        wanted: impl Fn(&ServerMessage) -> bool,
    ) -> ServerMessage {
        let mut alive = tokio::time::interval(ALIVE);
        alive.tick().await;
        let wait = async {
            loop {
                while let Some(message) = self.heard.get(self.fence) {
                    self.fence += 1;
                    if wanted(message) {
                        return message.clone();
                    }
                }
                let over = tokio::select! {
                    next = self.next() => next.is_none(),
                    _ = alive.tick() => {
                        self.send(&ClientMessage::Ping { n: u32::MAX }).await;
                        false
                    }
                };
                if over {
                    panic!("closed with {:?} before {what}; heard {:?}", self.closed, self.texts);
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_late| panic!("in vain: {what}"))
    }

    /// Pings and gives back what came before the pong. The call answers in order, so what it had to say to anything
    /// sent before is in it.
    pub async fn settle(&mut self) -> Vec<ServerMessage> {
        self.pings += 1;
        let n = self.pings;
        let from = self.heard.len();
        self.send(&ClientMessage::Ping { n }).await;
        let at = self.fence;
        self.until("pong", |message| *message == ServerMessage::Pong { n }).await;
        self.fence = at;
        let mut said = self.heard.get(from..).unwrap_or_default().to_vec();
        said.retain(|message| !matches!(message, ServerMessage::Pong { .. }));
        said
    }

    /// Reads until the connection is closed; gives back the code.
    pub async fn closed(&mut self) -> u16 {
        let wait = async { while self.next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, wait).await.expect("it is closed in time");
        self.closed.expect("it is closed")
    }

    /// Closes without a word, as a line that breaks.
    pub fn vanish(self) {
        drop(self.stream);
    }

    /// Waits for a refusal.
    pub async fn refused(&mut self) -> (String, RefusalCode) {
        let refused = self
            .until("a refusal", |message| matches!(message, ServerMessage::Refused { .. }))
            .await;
        match refused {
            ServerMessage::Refused { of, code } => (of, code),
            other => panic!("{other:?}"),
        }
    }

    /// Says something and waits for its refusal.
    pub async fn is_refused(&mut self, message: &ClientMessage) -> RefusalCode {
        self.fence = self.heard.len();
        self.send(message).await;
        let (of, code) = self.refused().await;
        assert_eq!(of, message.type_name());
        code
    }

    /// Waits to be admitted.
    pub async fn admitted(&mut self) {
        self.until("admission", |message| {
            matches!(message, ServerMessage::Admission { admission: Admission::Admitted })
        })
        .await;
    }

    /// Lets somebody in who waits.
    pub async fn admit(&mut self, other: &mut Self) {
        let seat = other.seat;
        self.sees(seat, SeatState::Waiting).await;
        self.send(&ClientMessage::Admit { seat, agreed: true }).await;
        other.admitted().await;
    }

    /// Waits until somebody is shown in a state.
    pub async fn sees(&mut self, seat: SeatId, state: SeatState) {
        self.fence = 0;
        self.until("a seat in a state", |message| match message {
            ServerMessage::Roster { seats } => {
                seats.iter().any(|known| known.seat == seat && known.state == state)
            }
            ServerMessage::Seat { seat: known } => known.seat == seat && known.state == state,
            _ => false,
        })
        .await;
    }

    /// Opens a record and waits for a document of it.
    pub async fn open(&mut self, record: RecordId, wanted: DocKind) -> (DocId, u64) {
        self.fence = self.heard.len();
        self.send(&ClientMessage::RecordOpen { record, have: Vec::new() }).await;
        let snapshot = self
            .until("a snapshot", |message| {
                matches!(message, ServerMessage::RecordSnapshot { kind, part, parts, .. }
                    if *kind == wanted && part + 1 == *parts)
            })
            .await;
        match snapshot {
            ServerMessage::RecordSnapshot { doc, client_id, .. } => (doc, client_id),
            other => panic!("{other:?}"),
        }
    }

    /// Edits, and gives back why not if it was refused.
    pub async fn edit(&mut self, doc: DocId, op: Op) -> Result<EditId, RecordRefusal> {
        let id = EditId(Uuid::now_v7());
        let edit = Edit { id, op, typed_ago_ms: None };
        self.fence = self.heard.len();
        self.send(&ClientMessage::RecordEdit { doc, edit, resend: false }).await;
        self.outcome(id).await
    }

    /// Waits for what became of an edit or command.
    pub async fn outcome(&mut self, id: EditId) -> Result<EditId, RecordRefusal> {
        let outcome = self
            .until("an outcome", |message| match message {
                ServerMessage::RecordAck { edit, .. }
                | ServerMessage::RecordRefuse { edit, .. } => *edit == id,
                _ => false,
            })
            .await;
        match outcome {
            ServerMessage::RecordRefuse { code, .. } => Err(code),
            _ => Ok(id),
        }
    }

    /// The documents that were ever sent.
    pub fn documents(&self) -> Vec<(DocKind, DocId)> {
        let mut found = Vec::new();
        for message in &self.heard {
            if let ServerMessage::RecordSnapshot { kind, doc, .. } = message {
                found.push((*kind, *doc));
            }
        }
        found
    }
}
