//! The route table and what holds for every route.

pub mod assets;
pub mod auth;
pub mod problem;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;

use crate::call::Calls;
use crate::cds::Cds;
use crate::config::{Config, Tls};
use crate::limits::{Limits, What};
use crate::outbox::Outbox;
use crate::passkey::{self, Asked, NoPasskeys, RelyingParty};
use crate::record::Records;
use crate::record::writer::Writer;
use crate::store::Store;
use crate::vault::Vault;
use crate::visit::time::Terms;
use auth::Tickets;
use problem::{Problem, ProblemCode};

/// Largest JSON body. Nothing over HTTP is larger than a form; edits go by WebSocket.
const BODY_BYTES: usize = 64 * 1024;

/// How long a body may take to arrive. Longer helps the thinnest line, shorter frees the place of who sends nothing.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// What the handlers share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App(Arc<Shared>);

/// See [`App`].
#[derive(Debug)]
pub struct Shared {
    /// How the server runs.
    pub config: Config,
    /// The database.
    pub store: Store,
    /// Keys.
    pub vault: Vault,
    /// The log of accesses, among others.
    pub writer: Writer,
    /// Open records.
    pub records: Records,
    /// Live calls.
    pub calls: Calls,
    /// By what billing sheets are made.
    pub terms: Terms,
    /// The decision support service of the operator.
    pub cds: Option<Cds>,
    /// The way out for mails, if the operator gave one.
    pub outbox: Option<Outbox>,
    /// By what agreements are judged.
    pub agreements: Arc<crate::agreement::Rules>,
    /// Held while something is written into an agreement.
    pub agreement_writes: tokio::sync::Mutex<()>,
    /// Who may how often.
    pub limits: Limits,
    /// Held while a birth date is compared and counted.
    pub birth_dates: tokio::sync::Mutex<()>,
    /// Tickets for WebSockets.
    pub tickets: Tickets,
    /// The site passkeys are made for, or why there are none here.
    pub(crate) site: Result<RelyingParty, NoPasskeys>,
    /// Questions to passkeys that are not answered yet.
    pub asked: Asked,
    /// Says when the server stops.
    pub stopping: tokio::sync::watch::Receiver<bool>,
}

impl App {
    /// Shares it.
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The other end of the TCP connection. Never logged.
#[derive(Clone, Copy)]
pub struct Address(pub IpAddr);

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(..)")
    }
}

/// One line for each route.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/api/links/claim", post(crate::link::claim))
        .route("/api/seats/{seat}", get(crate::visit::who_am_i))
        .route("/api/seats/{seat}/join", post(crate::visit::join))
        .route("/api/seats/{seat}/key", get(crate::visit::key))
        .route("/api/seats/{seat}/takeaway", get(crate::visit::takeaway::page))
        .route("/api/seats/{seat}/export", post(crate::visit::export::export))
        .route("/api/seats/{seat}/import", post(crate::visit::import::import))
        .route("/api/seats/{seat}/notices", get(crate::notice::list).post(crate::notice::again))
        .route(
            "/api/seats/{seat}/acknowledge",
            get(crate::notice::to_read).post(crate::notice::acknowledge),
        )
        .route("/api/seats/{seat}/versions", get(crate::visit::versions::list))
        .route("/api/seats/{seat}/versions/{version}", get(crate::visit::versions::content))
        .route("/api/seats/{seat}/cards", get(crate::visit::cards::cards))
        .route("/api/seats/{seat}/timer", get(crate::visit::time::timer))
        .route("/api/seats/{seat}/telephone", get(crate::visit::telephone::number))
        .route(
            "/api/seats/{seat}/sheet",
            get(crate::visit::time::read).post(crate::visit::time::say),
        )
        .route(
            "/api/seats/{seat}/bookings",
            get(crate::visit::booking::list).post(crate::visit::booking::book),
        )
        .route(
            "/api/seats/{seat}/bookings/{visit}",
            post(crate::visit::booking::reschedule).delete(crate::visit::booking::cancel),
        )
        .route("/api/seats/{seat}/bookings/{visit}/invitation", get(crate::visit::booking::invite))
        .route("/api/seats/{seat}/bookings/{visit}/mail", post(crate::visit::booking::mail::again))
        .route("/api/seats/{seat}/touchpoints", get(crate::visit::touchpoint::list))
        .route("/api/seats/{seat}/touchpoints/{row}", post(crate::visit::touchpoint::tell))
        .route(
            "/api/seats/{seat}/recommendations/{row}/link",
            post(crate::decision::make).delete(crate::decision::revoke),
        )
        .route("/api/seats/{seat}/prescribers", get(crate::decision::paper::papers))
        .route(
            "/api/seats/{seat}/agreements",
            get(crate::agreement::list).post(crate::agreement::act),
        )
        .route("/api/seats/{seat}/agreements/export", post(crate::agreement::export))
        .route(
            "/api/seats/{seat}/step-up",
            get(passkey::step_up::needs).post(passkey::step_up::ask),
        )
        .route("/api/seats/{seat}/step-up/answer", post(passkey::step_up::answer))
        .route("/api/passkeys/open", post(passkey::open))
        .route("/api/passkeys/enrol", post(passkey::enrol))
        .route("/api/decisions/open", post(crate::decision::open))
        .route("/api/decisions/answer", post(crate::decision::answer))
        .route("/api/seats/{seat}/leave-session", post(crate::visit::leave_session))
        .route("/api/ws", get(crate::socket::upgrade))
        .fallback(assets::serve)
        .method_not_allowed_fallback(|| async { Problem::new(ProblemCode::MethodNotAllowed) })
        .layer(middleware::from_fn_with_state(app.clone(), every_route))
        .with_state(app)
}

/// Whether the server takes requests. Says nothing about anybody.
async fn healthz(State(app): State<App>) -> Response {
    use signaling::message::StorageState;

    let storage = match app.store.state() {
        StorageState::Ok => "ok",
        StorageState::Full => "full",
        StorageState::Away => "away",
        StorageState::Failed => "failed",
    };
    let body = format!("{{\"status\":\"ok\",\"storage\":\"{storage}\"}}");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// What holds everywhere: no request that changes something from another site, and the headers of every answer.
async fn every_route(State(app): State<App>, request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/") || request.uri().path() == "/healthz";
    let host = host_of(request.headers(), request.uri());
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let mut response = if changes && !same_origin(&app, request.headers(), host.as_deref()) {
        Problem::new(ProblemCode::ForeignOrigin).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in assets::HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
        .insert(header::CONTENT_SECURITY_POLICY, assets::policy(app.config.tls, host.as_deref()));
    if app.config.tls == Tls::SelfSigned
        || app.config.origins.iter().any(|o| o.starts_with("https://"))
    {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        );
    }
    if api || response.status().is_client_error() || response.status().is_server_error() {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The authority the browser used: `Host`, or `:authority` in HTTP/2.
pub(crate) fn host_of(headers: &HeaderMap, uri: &axum::http::Uri) -> Option<String> {
    let host = match headers.get(header::HOST) {
        Some(value) => value.to_str().ok()?.to_owned(),
        None => uri.authority()?.as_str().to_owned(),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    (!host.is_empty() && host.len() <= 255 && host.chars().all(plain)).then_some(host)
}

/// Whether a request comes from a page of ours.
pub(crate) fn same_origin(app: &App, headers: &HeaderMap, host: Option<&str>) -> bool {
    let Some(origin) = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()) else {
        // Browsers name the origin of every request that changes something; what does not is no browser of ours.
        return false;
    };
    if !app.config.origins.is_empty() {
        return app.config.origins.iter().any(|known| known == origin);
    }
    let Some(host) = host else { return false };
    is_local_name(host) && origin == format!("{}://{host}", app.config.tls.scheme())
}

/// A name that no foreign site can be made to share with us: `localhost` or a plain address (DNS rebinding needs a
/// name of its own).
pub(crate) fn is_local_name(host: &str) -> bool {
    if host.parse::<std::net::SocketAddr>().is_ok() || host.parse::<IpAddr>().is_ok() {
        return true;
    }
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let name = name.trim_start_matches('[').trim_end_matches(']');
    (name == "localhost" || name.parse::<IpAddr>().is_ok())
        && port.chars().all(|c| c.is_ascii_digit())
}

/// Takes one of a limited kind of request.
pub(crate) fn limit(app: &App, what: What) -> Result<(), Problem> {
    app.limits.take(Instant::now(), what).map_err(Problem::slow_down)
}

/// A JSON body: at most 64 KiB, `application/json`, no unknown field. An empty one reads as `{}`.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, _app: &App) -> Result<Self, Problem> {
        let json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value.split(';').next().is_some_and(|kind| kind.trim() == "application/json")
            });
        let bytes = whole(request.into_body(), BODY_WITHIN).await?;
        let bytes = if bytes.is_empty() { b"{}".as_slice() } else { bytes.as_ref() };
        if !json {
            return Err(Problem::new(ProblemCode::BadRequest));
        }
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|_wrong| Problem::new(ProblemCode::BadRequest))
    }
}

async fn whole(body: Body, within: Duration) -> Result<axum::body::Bytes, Problem> {
    match tokio::time::timeout(within, axum::body::to_bytes(body, BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_too_large)) => Err(Problem::new(ProblemCode::TooLarge)),
        Err(_elapsed) => Err(Problem::new(ProblemCode::TooSlow)),
    }
}

/// Waits until the server stops.
pub(crate) async fn stopped(stopping: &mut tokio::sync::watch::Receiver<bool>) {
    // If the other end is gone, the process is about to be.
    let _stopping = stopping.wait_for(|stop| *stop).await;
}

/// A JSON reply.
pub(crate) fn reply<T: serde::Serialize>(body: &T) -> Result<Response, Problem> {
    let body = serde_json::to_vec(body).map_err(|_wrong| Problem::new(ProblemCode::Internal))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::{Bytes, HttpBody};

    use super::*;

    /// Promises a body and sends nothing.
    struct Silent;

    impl HttpBody for Silent {
        type Data = Bytes;
        type Error = axum::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            _context: &mut Context<'_>,
        ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, axum::Error>>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let problem = whole(Body::new(Silent), Duration::ZERO).await.unwrap_err();

        assert_eq!(problem.code, ProblemCode::TooSlow);
    }
}
