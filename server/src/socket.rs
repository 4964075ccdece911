//! The one WebSocket: limits, ping, slow readers, JSON ↔ messages. It decides nothing about calls or records.

use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, Request, State};
use axum::response::{IntoResponse, Response};
use clinical::id::ConnectionId;
use signaling::effect::CloseCode;
use signaling::message::{ClientMessage, RecordRefusal, RefusalCode, SUBPROTOCOL, ServerMessage};
use tokio::sync::watch;
use uuid::Uuid;

use crate::call::{Joined, Line, Refused};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::stopped;
use crate::http::{Address, App, host_of, limit, same_origin};
use crate::limits::{Bucket, MESSAGES, What};
use crate::record::{Cut, Incoming, Next, Outgoing, Said};
use crate::store::now;

/// Largest message and frame, both ways: an offer of a large call is 52 KiB, a text update at most 64 KiB in base64.
const MESSAGE_BYTES: usize = 256 * 1024;

/// What may wait in the WebSocket itself. Larger than any message, or that message could never be sent.
const WRITE_BUFFER_BYTES: usize = 1024 * 1024;

/// Read at once. The WebSocket clears and keeps so many bytes for each connection, and most messages are smaller;
/// larger ones take more calls.
const READ_AT_ONCE_BYTES: usize = 4 * 1024;

/// From there on the WebSocket writes instead of gathering.
const WRITE_AT_BYTES: usize = 16 * 1024;

/// How long a connection may be open without a valid `join`.
const JOIN_WITHIN: Duration = Duration::from_secs(10);

/// A client pings every 2 s. Longer keeps a dead telephone's place shown as alive, shorter cuts a busy one.
const SILENCE: Duration = Duration::from_secs(15);

/// How long one message may take to leave. Then the client does not read.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// Bad messages that close a connection, in [`BAD_WITHIN`]: one is a version difference, three are a broken client.
const BAD_MESSAGES: usize = 3;
const BAD_WITHIN: Duration = Duration::from_secs(10);

/// How long a client may keep sending too fast.
const TOO_FAST_FOR: Duration = Duration::from_secs(10);

/// How long it must have kept to the rate until its flood is forgiven. The rate lets one message through every 10 ms
/// also in the middle of a flood, so a message that passed says nothing.
const CALM: Duration = Duration::from_secs(1);

/// How long a close frame may take to leave.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// Depth of JSON. Our deepest message has 9 levels.
const DEPTH: usize = 16;

/// `GET /api/ws`.
pub(crate) async fn upgrade(
    State(app): State<App>,
    Extension(Address(address)): Extension<Address>,
    ws: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let host = host_of(request.headers(), request.uri());
    if !same_origin(&app, request.headers(), host.as_deref()) {
        return Err(Problem::new(ProblemCode::ForeignOrigin));
    }
    limit(&app, What::Socket(address))?;
    let bad = || Problem::new(ProblemCode::BadRequest);
    let ws = ws
        .map_err(|_not_an_upgrade| bad())?
        .protocols([SUBPROTOCOL])
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES)
        .read_buffer_size(READ_AT_ONCE_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_BYTES)
        .write_buffer_size(WRITE_AT_BYTES);
    if ws.selected_protocol().is_none() {
        return Err(bad());
    }
    Ok(ws.on_upgrade(move |socket| Socket::new(app, socket).run()).into_response())
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// With this code.
    Close(CloseCode),
    /// It is gone already.
    Gone,
}

/// What came in.
enum Heard {
    /// A message.
    Message(ClientMessage),
    /// Something to be refused with this.
    Refused(ServerMessage),
    /// A frame that says nothing.
    Nothing,
}

/// What call and records say to this connection.
struct Words {
    incoming: Incoming,
    closing: watch::Receiver<Option<CloseCode>>,
    /// The way in is held open here, so that the last words can be read after the call has let go of it.
    _open: Outgoing,
}

struct Socket {
    app: App,
    ws: WebSocket,
    rate: Bucket,
    flood: Flood,
    bad: Vec<Instant>,
    heard: Instant,
}

impl Socket {
    fn new(app: App, ws: WebSocket) -> Self {
        let now = Instant::now();
        Self {
            app,
            ws,
            rate: Bucket::new(now),
            flood: Flood::default(),
            bad: Vec::new(),
            heard: now,
        }
    }

    async fn run(mut self) {
        let connection = ConnectionId(Uuid::now_v7());
        let end = match self.join(connection).await {
            Err(end) => end,
            Ok((joined, words)) => {
                let end = self.live(connection, &joined, words).await;
                joined.lost(connection).await;
                end
            }
        };
        match end {
            End::Gone => {}
            End::Close(code) => {
                tracing::debug!(connection.id = %connection, code = code.number(), "connection closed");
                let frame = CloseFrame { code: code.number(), reason: code.reason().into() };
                let close = self.ws.send(Message::Close(Some(frame)));
                // Who does not read does not read this either.
                let _sent = tokio::time::timeout(CLOSE_WITHIN, close).await;
            }
        }
    }

    /// Waits for a valid `join`.
    async fn join(&mut self, connection: ConnectionId) -> Result<(Joined, Words), End> {
        let until = tokio::time::Instant::now() + JOIN_WITHIN;
        let mut stopping = self.app.stopping.clone();
        let no_join = End::Close(CloseCode::NoJoin);
        let ticket = loop {
            let frame = tokio::select! {
                frame = self.ws.recv() => frame,
                () = tokio::time::sleep_until(until) => return Err(no_join),
                () = stopped(&mut stopping) => {
                    return Err(End::Close(CloseCode::GoingAway));
                }
            };
            match self.hear(frame)? {
                Heard::Nothing => {}
                Heard::Message(ClientMessage::Join { ticket }) => break ticket,
                Heard::Message(other) => {
                    self.say(refused(other.type_name(), RefusalCode::WrongState)).await?;
                }
                Heard::Refused(refusal) => self.say(refusal).await?,
            }
        };
        let ticket = self.app.tickets.take(now(), ticket.expose()).ok_or(no_join)?;
        let seated = Seated::of_ticket(&self.app, ticket).await;
        let Seated { session: _, seat, visit } = match seated {
            Ok(Some(seated)) => seated,
            Ok(None) => return Err(no_join),
            // The store is away. The client tries again.
            Err(_away) => return Err(End::Close(CloseCode::Busy)),
        };
        let (outgoing, incoming) = Outgoing::pair();
        let (line, closing) = Line::new(outgoing.clone());
        match self.app.calls.join(&visit, &seat, connection, line).await {
            Ok(joined) => Ok((joined, Words { incoming, closing, _open: outgoing })),
            Err(Refused::Over | Refused::RoleNotInVisit) => Err(End::Close(CloseCode::Removed)),
            Err(Refused::Busy) => Err(End::Close(CloseCode::Busy)),
        }
    }

    /// Carries messages both ways until something ends it.
    async fn live(&mut self, connection: ConnectionId, joined: &Joined, words: Words) -> End {
        let Words { mut incoming, mut closing, _open } = words;
        let mut stopping = self.app.stopping.clone();
        loop {
            let silent_at = tokio::time::Instant::from_std(self.heard + SILENCE);
            let result = tokio::select! {
                next = incoming.next() => match next {
                    Next::Message(said) => self.send(said.text()).await,
                    Next::Cut(Cut::SlowConsumer) => Err(End::Close(CloseCode::SlowConsumer)),
                    Next::Cut(Cut::Misbehaves) => Err(End::Close(CloseCode::BadMessage)),
                    Next::Cut(Cut::Moved) => Err(End::Close(CloseCode::Moved)),
                    Next::Over => Err(End::Close(CloseCode::Internal)),
                },
                code = closed(&mut closing) => {
                    Err(self.last_words(&mut incoming, code).await)
                }
                frame = self.ws.recv() => match self.hear(frame) {
                    Ok(Heard::Nothing) => Ok(()),
                    Ok(Heard::Message(message)) => match joined.handle(connection, message) {
                        Ok(()) => Ok(()),
                        Err(message) => self.say(put_back(&message, RefusalCode::Busy)).await,
                    },
                    Ok(Heard::Refused(refusal)) => self.say(refusal).await,
                    Err(end) => Err(end),
                },
                () = tokio::time::sleep_until(silent_at) => Err(End::Close(CloseCode::Silent)),
                () = stopped(&mut stopping) => {
                    Err(End::Close(CloseCode::GoingAway))
                }
            };
            if let Err(end) = result {
                return end;
            }
        }
    }

    /// Sends what was said before the close, within the time of one message: who has stopped reading does not hold a
    /// closed connection.
    async fn last_words(&mut self, incoming: &mut Incoming, code: CloseCode) -> End {
        match tokio::time::timeout(SEND_WITHIN, self.said_before(incoming, code)).await {
            Ok(end) => end,
            Err(_too_slow) => End::Close(CloseCode::SlowConsumer),
        }
    }

    async fn said_before(&mut self, incoming: &mut Incoming, code: CloseCode) -> End {
        while let Ok(Next::Message(said)) =
            tokio::time::timeout(Duration::ZERO, incoming.next()).await
        {
            if let Err(end) = self.send(said.text()).await {
                return end;
            }
        }
        End::Close(code)
    }

    /// Says something of one's own.
    async fn say(&mut self, message: ServerMessage) -> Result<(), End> {
        self.send(Said::from(message).text()).await
    }

    async fn send(&mut self, text: Utf8Bytes) -> Result<(), End> {
        if text.is_empty() {
            return Err(End::Close(CloseCode::Internal));
        }
        match tokio::time::timeout(SEND_WITHIN, self.ws.send(Message::Text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_gone)) => Err(End::Gone),
            Err(_too_slow) => Err(End::Close(CloseCode::SlowConsumer)),
        }
    }

    /// Reads a frame. Whatever is in it, the worst that follows is a refusal or a close.
    fn hear(&mut self, frame: Option<Result<Message, axum::Error>>) -> Result<Heard, End> {
        let frame = match frame {
            None => return Err(End::Gone),
            Some(Err(error)) => return Err(end_of(error)),
            Some(Ok(frame)) => frame,
        };
        let now = Instant::now();
        self.heard = now;
        let text = match &frame {
            Message::Text(text) => Some(text.as_str()),
            Message::Binary(_) => None,
            // tungstenite answers pings and closes by itself.
            Message::Ping(_) | Message::Pong(_) => return Ok(Heard::Nothing),
            Message::Close(_) => return Err(End::Gone),
        };
        let message = text
            .filter(|text| is_shallow(text))
            .and_then(|text| serde_json::from_str::<ClientMessage>(text).ok());
        let within_rate = self.rate.take(now, MESSAGES).is_ok();
        match (message, within_rate) {
            (None, _) => self.bad_message(now),
            (Some(message), true) => Ok(Heard::Message(message)),
            (Some(message), false) => {
                if self.flood.goes_on(now) {
                    return Err(End::Close(CloseCode::TooFast));
                }
                Ok(Heard::Refused(put_back(&message, RefusalCode::TooFast)))
            }
        }
    }

    fn bad_message(&mut self, now: Instant) -> Result<Heard, End> {
        self.bad.retain(|at| now.saturating_duration_since(*at) < BAD_WITHIN);
        self.bad.push(now);
        if self.bad.len() >= BAD_MESSAGES {
            return Err(End::Close(CloseCode::BadMessage));
        }
        Ok(Heard::Refused(refused("", RefusalCode::BadMessage)))
    }
}

/// A stretch of messages that came too fast.
#[derive(Clone, Copy, Debug, Default)]
struct Flood {
    /// Its first and its newest message above the rate.
    seen: Option<(Instant, Instant)>,
}

impl Flood {
    /// Notes one more message above the rate; whether the flood has lasted for too long.
    fn goes_on(&mut self, now: Instant) -> bool {
        let since = match self.seen {
            Some((since, last)) if now.saturating_duration_since(last) < CALM => since,
            Some(_) | None => now,
        };
        self.seen = Some((since, now));
        now.saturating_duration_since(since) > TOO_FAST_FOR
    }
}

/// Waits until the call closes the connection. Without a code its task is gone without a word: our fault.
async fn closed(closing: &mut watch::Receiver<Option<CloseCode>>) -> CloseCode {
    let code = closing.wait_for(Option::is_some).await;
    code.ok().and_then(|code| *code).unwrap_or(CloseCode::Internal)
}

/// What the connection's end is told about a frame that cannot be read.
fn end_of(error: axum::Error) -> End {
    use tokio_tungstenite::tungstenite::Error;

    match error.into_inner().downcast_ref::<Error>() {
        Some(Error::Capacity(_)) => End::Close(CloseCode::TooBig),
        Some(Error::Utf8(_)) => End::Close(CloseCode::BadMessage),
        // The rest is a broken connection or a broken client.
        Some(_) | None => End::Gone,
    }
}

fn refused(of: &str, code: RefusalCode) -> ServerMessage {
    ServerMessage::Refused { of: of.to_owned(), code }
}

/// Refuses a message for the moment. An edit is refused by its id, so that its author's screen knows which one did not
/// arrive; `code` is `too_fast` or `busy`.
fn put_back(message: &ClientMessage, code: RefusalCode) -> ServerMessage {
    let of_edit =
        if code == RefusalCode::Busy { RecordRefusal::Busy } else { RecordRefusal::TooFast };
    match message {
        ClientMessage::RecordEdit { doc, edit, resend: _ } => {
            ServerMessage::RecordRefuse { doc: *doc, edit: edit.id, code: of_edit }
        }
        ClientMessage::RecordCommand { doc, id, command: _, seen: _ } => {
            ServerMessage::RecordRefuse { doc: *doc, edit: *id, code: of_edit }
        }
        ClientMessage::RecordSign { doc, id, seen: _, step_up: _ } => {
            ServerMessage::RecordRefuse { doc: *doc, edit: *id, code: of_edit }
        }
        other => refused(other.type_name(), code),
    }
}

/// Whether JSON is nested no deeper than [`DEPTH`], without parsing it.
fn is_shallow(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > DEPTH {
                    return false;
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_ends_the_connection_though_some_of_its_messages_pass() {
        let start = Instant::now();
        let (mut rate, mut flood) = (Bucket::new(start), Flood::default());
        let closed_after = (0..20_000).find(|ms| {
            let now = start + Duration::from_millis(*ms);
            rate.take(now, MESSAGES).is_err() && flood.goes_on(now)
        });

        // The burst of 200 lasts for 222 ms at 1 000 messages a second.
        assert!(closed_after.is_some_and(|ms| (10_000..10_500).contains(&ms)), "{closed_after:?}");
    }

    #[test]
    fn bursts_with_calm_between_them_are_forgiven() {
        let start = Instant::now();
        let mut flood = Flood::default();
        for second in 0..60 {
            assert!(!flood.goes_on(start + Duration::from_secs(second)));
        }
    }

    #[test]
    fn brackets_in_a_string_are_not_depth() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));

        assert!(is_shallow(&nested(DEPTH)));
        assert!(!is_shallow(&nested(DEPTH + 1)));
        assert!(is_shallow(&format!("{{\"a\":\"\\\"{}\"}}", "[".repeat(100))));
    }
}
