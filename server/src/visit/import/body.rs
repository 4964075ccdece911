//! The body of an import: one line of JSON, and the file.

use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header;
use clinical::fhir::FILE_BYTES;

use super::ImportRequest;
use crate::http::problem::{Problem, ProblemCode};

/// Bytes of the first line. A key has 35 in JSON, and a chart at most a few thousand rows.
const ASK_BYTES: usize = 256 * 1024;

/// How long a file may take to arrive: 16 MiB in two minutes is one megabit a second.
const WITHIN: Duration = Duration::from_secs(120);

/// What arrived.
pub(super) enum Body {
    /// The request and the file.
    Whole(ImportRequest, Bytes),
    /// More than a chart has.
    TooLarge {
        /// As announced, or as many as were read.
        bytes: usize,
    },
}

/// Reads it whole, and not a byte more than a chart may have.
pub(super) async fn read(request: Request) -> Result<Body, Problem> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if let Some(bytes) = announced.filter(|bytes| *bytes > ASK_BYTES + FILE_BYTES) {
        return Ok(Body::TooLarge { bytes });
    }
    let whole = to_bytes(request.into_body(), ASK_BYTES + FILE_BYTES);
    let bytes = match tokio::time::timeout(WITHIN, whole).await {
        Ok(Ok(whole)) => whole,
        // Too long, or broken off: then nobody reads the answer.
        Ok(Err(_too_large)) => return Ok(Body::TooLarge { bytes: ASK_BYTES + FILE_BYTES }),
        Err(_elapsed) => return Err(Problem::new(ProblemCode::TooSlow)),
    };
    let bad = || Problem::new(ProblemCode::BadRequest);
    let head = bytes.get(..bytes.len().min(ASK_BYTES)).ok_or_else(bad)?;
    let end = head.iter().position(|byte| *byte == b'\n').ok_or_else(bad)?;
    let line = head.get(..end).ok_or_else(bad)?;
    let ask = serde_json::from_slice(line).map_err(|_wrong| bad())?;
    Ok(Body::Whole(ask, bytes.slice(end + 1..)))
}
