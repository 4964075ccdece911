//! The embedded web client, and the headers that guard it.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::problem::{Problem, ProblemCode};
use crate::config::Tls;

/// What `vite build` made. In debug builds it is read from the disk at each request.
#[derive(RustEmbed)]
#[folder = "../web-client/dist/"]
#[allow_missing = true]
struct Client;

/// Headers of every answer, beside the policy.
pub(super) const HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    (
        "permissions-policy",
        "camera=(self), microphone=(self), display-capture=(self), screen-wake-lock=(self), \
         accelerometer=(), autoplay=(self), browsing-topics=(), geolocation=(), \
         gyroscope=(), hid=(), magnetometer=(), midi=(), payment=(), serial=(), usb=(), \
         publickey-credentials-create=(self), publickey-credentials-get=(self)",
    ),
];

/// The one style that React Aria injects for press handling (react-aria-components 1.22.1). After an upgrade the
/// browser test of the policy fails and prints the new one.
const PRESS_STYLE: &str = "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='";

/// The Content-Security-Policy: everything comes from us, and nothing is run that is not a file of ours.
pub(super) fn policy(tls: Tls, host: Option<&str>) -> HeaderValue {
    let socket = match tls {
        Tls::Off => "ws",
        Tls::SelfSigned => "wss",
    };
    // 'self' covers WebSockets in Chromium and Firefox, not in older Safari.
    let socket = host.map(|host| format!(" {socket}://{host} wss://{host}")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' {PRESS_STYLE}; img-src 'self' blob: data:; \
         media-src 'self' blob:; font-src 'self'; connect-src 'self'{socket}; worker-src 'self'; \
         manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types mortar"
    );
    HeaderValue::from_str(&policy)
        .unwrap_or_else(|_odd_host| HeaderValue::from_static("default-src 'none'"))
}

/// Whether the web client is part of this build.
pub fn is_built() -> bool {
    Client::get("index.html").is_some()
}

/// Everything that is not an API route: a file of the client, or the page that shows a screen.
pub(super) async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let code = if path.starts_with("/api/") {
            ProblemCode::NotFound
        } else {
            ProblemCode::MethodNotAllowed
        };
        return Problem::new(code).into_response();
    }
    let screen = matches!(path, "/" | "/j" | "/d" | "/k") || path.starts_with("/v/");
    let name = if screen { "index.html" } else { path.trim_start_matches('/') };
    // Files that are meant for the server or for other requests are not pages.
    let hidden = name.starts_with('.') || name.contains("/.") || name.ends_with(".br");
    if hidden || name.starts_with("api/") {
        return Problem::new(ProblemCode::NotFound).into_response();
    }
    match Client::get(name) {
        Some(file) => answer(name, file, request.headers(), request.method()),
        None if screen => Problem::new(ProblemCode::NoWebClient).into_response(),
        None => Problem::new(ProblemCode::NotFound).into_response(),
    }
}

fn answer(name: &str, file: EmbeddedFile, asked: &HeaderMap, method: &Method) -> Response {
    let takes_brotli = asked
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .split(',')
                .any(|coding| coding.split(';').next().is_some_and(|c| c.trim() == "br"))
        });
    let compressed = if takes_brotli { Client::get(&format!("{name}.br")) } else { None };
    let kind = file.metadata.mimetype().to_owned();
    let encoded = compressed.is_some();
    let file = compressed.unwrap_or(file);
    let tag = etag(&file.metadata.sha256_hash());
    let immutable = name.starts_with("assets/");

    let unchanged = asked
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|known| known.trim() == tag));
    let length = file.data.len();
    let body = if unchanged || method == Method::HEAD {
        Body::empty()
    } else {
        Body::from(file.data.into_owned())
    };
    let status = if unchanged { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    let kind = if kind == "text/html" { "text/html; charset=utf-8".to_owned() } else { kind };
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if encoded {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    if method == Method::HEAD {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let cache = if immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// A strong tag: the first 16 bytes of the content's SHA-256.
fn etag(hash: &[u8; 32]) -> String {
    use std::fmt::Write as _;

    let mut tag = String::from("\"");
    for byte in hash.iter().take(16) {
        let _infallible = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}
