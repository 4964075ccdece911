//! The way to the CDS Hooks service the operator configured: the one other party this server ever calls.
//!
//! Bounded in time, bytes and how many ask at once. What is asked and what an answer means stands in
//! [`clinical::cds`]; when it is asked, in `visit/cards.rs`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use clinical::cds::{self, CdsCard, FirstOf, Service};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

/// An answer that takes longer is none: somebody is in a call.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Bytes of an answer.
const ANSWER_BYTES: usize = 256 * 1024;

/// People who may ask at once: each reads a whole record.
const ASKING: usize = 4;

/// How long somebody waits for a place.
const PLACE_WITHIN: Duration = Duration::from_secs(10);

/// What services there are is asked again after so long.
const KNOWN_FOR: Duration = Duration::from_secs(3_600);

/// A service, as configured.
#[derive(Debug)]
pub struct Cds {
    base: String,
    authorization: Option<HeaderValue>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    known: Mutex<Option<(Instant, Arc<FirstOf<Service>>)>>,
    asking: Semaphore,
}

/// Why a service cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CdsSetupError {
    /// Not an address.
    #[error(
        "--cds-hooks {base} is no address: write it as https://cds.example.org, without /cds-services"
    )]
    Address {
        /// What was given.
        base: String,
    },
    /// Patients' data would go over the network in the clear.
    #[error(
        "--cds-hooks {base} is not encrypted: use https, or http to this machine itself (http://127.0.0.1:PORT)"
    )]
    InTheClear {
        /// What was given.
        base: String,
    },
    /// No certificates to check against.
    #[error(
        "this machine has no root certificates ({why}): install ca-certificates, or start without --cds-hooks"
    )]
    Roots {
        /// What the system says.
        why: std::io::Error,
    },
    /// The token does not read.
    #[error("the token {} cannot be read ({why}): check --cds-hooks-token", path.display())]
    Token {
        /// The file.
        path: std::path::PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
}

/// What became of a question. Never what it was about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CdsAskError {
    /// No answer in time, or no connection.
    #[error("the service is away")]
    Away,
    /// It answers with an error.
    #[error("the service answered {0}")]
    Status(u16),
    /// Its answer is not one.
    #[error("the service's answer is not one")]
    Answer,
}

impl Cds {
    /// Prepares the way; nothing is asked yet.
    ///
    /// # Errors
    /// See [`CdsSetupError`].
    pub fn new(base: &str, token: Option<&Path>) -> Result<Self, CdsSetupError> {
        let base = base.trim_end_matches('/').to_owned();
        let uri: Uri =
            base.parse().map_err(|_not_one| CdsSetupError::Address { base: base.clone() })?;
        let host = uri.host().unwrap_or_default();
        match uri.scheme_str() {
            Some("https") if !host.is_empty() => {}
            Some("http") if matches!(host, "127.0.0.1" | "[::1]" | "localhost") => {}
            Some("http") => return Err(CdsSetupError::InTheClear { base }),
            _ => return Err(CdsSetupError::Address { base }),
        }
        let authorization = match token {
            None => None,
            Some(path) => {
                let unreadable = |why| CdsSetupError::Token { path: path.to_path_buf(), why };
                let text = std::fs::read_to_string(path).map_err(unreadable)?;
                let wrong = |_bytes| unreadable(std::io::ErrorKind::InvalidData.into());
                let mut value =
                    HeaderValue::from_str(&format!("Bearer {}", text.trim())).map_err(wrong)?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|why| CdsSetupError::Roots { why })?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            base,
            authorization,
            client: Client::builder(TokioExecutor::new()).build(connector),
            known: Mutex::new(None),
            asking: Semaphore::new(ASKING),
        })
    }

    /// A place among those who ask at once; none if all are taken for too long.
    pub(crate) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout(PLACE_WITHIN, self.asking.acquire()).await.ok()?.ok()
    }

    /// The services there are.
    pub(crate) async fn services(&self) -> Result<Arc<FirstOf<Service>>, CdsAskError> {
        let mut known = self.known.lock().await;
        if let Some((when, services)) = &*known
            && when.elapsed() < KNOWN_FOR
        {
            return Ok(Arc::clone(services));
        }
        let bytes = self.call(Method::GET, "/cds-services", Bytes::new()).await?;
        let found = cds::services(&bytes).map_err(|_wrong| CdsAskError::Answer)?;
        let services = Arc::new(found);
        *known = Some((Instant::now(), Arc::clone(&services)));
        Ok(services)
    }

    /// What a service says.
    pub(crate) async fn ask(
        &self,
        service: &Service,
        question: &serde_json::Value,
    ) -> Result<FirstOf<CdsCard>, CdsAskError> {
        let path = format!("/cds-services/{}", service.id);
        let bytes = self.call(Method::POST, &path, Bytes::from(question.to_string())).await?;
        cds::cards(&bytes).map_err(|_wrong| CdsAskError::Answer)
    }

    async fn call(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, CdsAskError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json");
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(Full::new(body)).map_err(|_wrong| CdsAskError::Away)?;
        let answered = async {
            let response = self.client.request(request).await.map_err(|_gone| CdsAskError::Away)?;
            let status = response.status();
            if !status.is_success() {
                return Err(CdsAskError::Status(status.as_u16()));
            }
            let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
            body.map(|body| body.to_bytes()).map_err(|_too_large_or_gone| CdsAskError::Answer)
        };
        tokio::time::timeout(ANSWER_WITHIN, answered).await.map_err(|_late| CdsAskError::Away)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patients_data_never_goes_over_a_network_in_the_clear() {
        for fine in
            ["https://cds.example.org", "https://cds.example.org/r4/", "http://127.0.0.1:9000"]
        {
            assert!(Cds::new(fine, None).is_ok(), "{fine}");
        }
        for wrong in ["http://cds.example.org", "http://127.0.0.1.example.org", "http://10.0.0.1"] {
            let error = Cds::new(wrong, None).unwrap_err();
            assert!(matches!(error, CdsSetupError::InTheClear { .. }), "{wrong}: {error}");
        }
        for wrong in ["", "cds.example.org", "ftp://cds.example.org", "https://", "/cds"] {
            let error = Cds::new(wrong, None).unwrap_err();
            assert!(matches!(error, CdsSetupError::Address { .. }), "{wrong}: {error}");
        }
        let missing = Cds::new("https://cds.example.org", Some(Path::new("/nowhere/token")));
        assert!(matches!(missing.unwrap_err(), CdsSetupError::Token { .. }));
    }
}
