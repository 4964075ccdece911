//! Errors as a person meets them (RFC 9457): what, and what to do next. Never a value, a statement or a secret.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clinical::id::SeatId;
use serde::Serialize;

use crate::person::PersonError;
use crate::store::StoreError;
use crate::vault::VaultError;

/// The stable codes. Their words in each language are the web client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// The link is not known: mistyped, or taken back.
    LinkUnknown,
    /// The birth date does not match.
    BirthDateWrong,
    /// Too many wrong birth dates: a person will help.
    StaffHelp,
    /// The visit is over.
    VisitOver,
    /// No session, or not of this seat: open the link again.
    NoSession,
    /// There is nothing at this address.
    NotFound,
    /// This seat may see it, and not do that.
    NotAllowed,
    /// Another method is needed.
    MethodNotAllowed,
    /// The request is not what it must be.
    BadRequest,
    /// A mail address is none.
    BadAddress,
    /// A visit is booked for this follow-up already.
    AlreadyBooked,
    /// Somebody was first, or it does not stand as it was shown.
    ChangedMeanwhile,
    /// People are in that visit now.
    VisitRunning,
    /// The body is larger than allowed.
    TooLarge,
    /// The request did not arrive in time.
    TooSlow,
    /// The request comes from another site.
    ForeignOrigin,
    /// Too many requests.
    SlowDown,
    /// The store is away, full or stopped.
    StoreAway,
    /// Who is signed in here made this link, or does not answer for prescribers.
    NotYourLink,
    /// The patient does not want this prescriber to see the plan.
    AddresseeShutOut,
    /// The answer of the device does not hold.
    PasskeyRefused,
    /// The passkey may have been copied.
    PasskeyCopied,
    /// The passkey is set up already, or one too many.
    PasskeyKnown,
    /// Passkeys do not work at the server's address.
    PasskeysNotHere,
    /// Nothing was asked, or too long ago, or it was answered before.
    StepUpExpired,
    /// The web client is missing in this build.
    NoWebClient,
    /// Our fault.
    Internal,
}

/// The body of every error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Problem {
    /// Which: stable.
    pub code: ProblemCode,
    /// The HTTP status again.
    pub status: u16,
    /// What is wrong.
    pub title: &'static str,
    /// What to do next.
    pub next: &'static str,
    /// After how many seconds it may be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub retry_after_s: Option<u32>,
    /// Tries that are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub tries_left: Option<u32>,
    /// Whom to call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub phone: Option<String>,
    /// Of whose seat it is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub seat: Option<SeatId>,
}

impl Problem {
    /// The problem of a code, in English for whoever reads the network.
    pub fn new(code: ProblemCode) -> Self {
        let (status, title, next) = match code {
            ProblemCode::LinkUnknown => (
                StatusCode::NOT_FOUND,
                "This link is not known.",
                "Open it exactly as it was sent, or ask the practice for a new one.",
            ),
            ProblemCode::BirthDateWrong => (
                StatusCode::FORBIDDEN,
                "The date of birth does not match.",
                "Type it again as year, month and day.",
            ),
            ProblemCode::StaffHelp => (
                StatusCode::FORBIDDEN,
                "The date of birth was wrong too often.",
                "Call the practice: a person will help you in.",
            ),
            ProblemCode::VisitOver => {
                (StatusCode::GONE, "This visit is over.", "Call the practice if you need help.")
            }
            ProblemCode::NoSession => (
                StatusCode::UNAUTHORIZED,
                "You are not signed in to this visit.",
                "Open the link again.",
            ),
            ProblemCode::NotFound => {
                (StatusCode::NOT_FOUND, "There is nothing at this address.", "Check the address.")
            }
            ProblemCode::NotAllowed => (
                StatusCode::FORBIDDEN,
                "This seat may not do that.",
                "Ask the pharmacist of the visit.",
            ),
            ProblemCode::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "This address does not take that method.",
                "Use the method in the documentation.",
            ),
            ProblemCode::BadRequest => (
                StatusCode::BAD_REQUEST,
                "The request is not what this address takes.",
                "Send JSON with exactly the documented fields.",
            ),
            ProblemCode::BadAddress => (
                StatusCode::BAD_REQUEST,
                "This is no mail address.",
                "Write it as name@example.org, without accents, spaces or a name before it.",
            ),
            ProblemCode::AlreadyBooked => (
                StatusCode::CONFLICT,
                "A visit is booked for this follow-up already.",
                "Look at the plan; move that visit, or cancel it first.",
            ),
            ProblemCode::ChangedMeanwhile => (
                StatusCode::CONFLICT,
                "It does not stand any more as it was shown.",
                "Look at it again, then decide.",
            ),
            ProblemCode::VisitRunning => (
                StatusCode::CONFLICT,
                "People are in that visit now.",
                "Wait until it is over, or ask its pharmacist or primary care to end it.",
            ),
            ProblemCode::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is larger than 64 KiB.",
                "Send less at once.",
            ),
            ProblemCode::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "The request did not arrive within 30 s.",
                "Look at your line, then try again.",
            ),
            ProblemCode::ForeignOrigin => (
                StatusCode::FORBIDDEN,
                "The request comes from another site.",
                "Open Mortar at its own address; behind a proxy start it with --origin.",
            ),
            ProblemCode::SlowDown => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests.",
                "Wait a moment and try again.",
            ),
            ProblemCode::StoreAway => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The server cannot reach its data.",
                "Try again in a minute; if it stays, call the practice.",
            ),
            ProblemCode::NotYourLink => (
                StatusCode::FORBIDDEN,
                "This browser is signed in as somebody who does not answer this recommendation.",
                "Send the link to the prescriber, who opens it in their own browser.",
            ),
            ProblemCode::AddresseeShutOut => (
                StatusCode::FORBIDDEN,
                "The patient does not want this prescriber to see the plan.",
                "Ask the patient, or address it to somebody the patient wants.",
            ),
            ProblemCode::PasskeyRefused => (
                StatusCode::FORBIDDEN,
                "The passkey was not taken.",
                "Try again with a passkey of yours, and let the device check who you are.",
            ),
            ProblemCode::PasskeyCopied => (
                StatusCode::FORBIDDEN,
                "This passkey may have been copied, and is not taken any more.",
                "Call the person who runs Mortar: they remove it, and give you a link for a new one.",
            ),
            ProblemCode::PasskeyKnown => (
                StatusCode::CONFLICT,
                "This passkey is set up already, or you have as many as one person may.",
                "Use it, or ask the person who runs Mortar to remove one.",
            ),
            ProblemCode::PasskeysNotHere => (
                StatusCode::CONFLICT,
                "Passkeys do not work at the address of this server.",
                "Ask the person who runs Mortar: it needs a name and https.",
            ),
            ProblemCode::StepUpExpired => (
                StatusCode::CONFLICT,
                "The question to your passkey is older than five minutes, or was answered before.",
                "Try again.",
            ),
            ProblemCode::NoWebClient => {
                (StatusCode::SERVICE_UNAVAILABLE, "The web client is not built.", "Run `make run`.")
            }
            ProblemCode::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something is wrong on our side.",
                "Try again; if it stays, call the practice.",
            ),
        };
        Self {
            code,
            status: status.as_u16(),
            title,
            next,
            retry_after_s: None,
            tries_left: None,
            phone: None,
            seat: None,
        }
    }

    /// With the seconds to wait.
    pub fn slow_down(wait: std::time::Duration) -> Self {
        let seconds = u32::try_from(wait.as_secs().saturating_add(1)).unwrap_or(u32::MAX);
        Self { retry_after_s: Some(seconds), ..Self::new(ProblemCode::SlowDown) }
    }
}

impl From<ProblemCode> for Problem {
    fn from(code: ProblemCode) -> Self {
        Self::new(code)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store refused a request");
        Self::new(ProblemCode::StoreAway)
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        tracing::error!(%error, "a sealed value does not open");
        Self::new(ProblemCode::StoreAway)
    }
}

impl From<PersonError> for Problem {
    fn from(error: PersonError) -> Self {
        tracing::error!(%error, "a person does not read");
        Self::new(ProblemCode::StoreAway)
    }
}

impl From<crate::link::NoRandomness> for Problem {
    fn from(error: crate::link::NoRandomness) -> Self {
        tracing::error!(%error, "no secret can be made");
        Self::new(ProblemCode::Internal)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
