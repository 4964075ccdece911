//! A signer confirms a signature with a passkey: the question, the answer, and the proof that lets the signature
//! through.

use axum::extract::State;
use axum::response::Response;
use clinical::actor::Millis;
use clinical::bytes::Base64;
use clinical::id::DocId;
use clinical::phi::Phi;
use clinical::version::Sha256Hex;
use serde::{Deserialize, Serialize};
use signaling::message::CommandName;
use signaling::role;

use super::evidence::{Evidence, Question};
use super::webauthn::{self, Assertion};
use super::{KnownPasskey, Passkey, entry, of, random, site, store, too_many};
use crate::audit::{Entry, Outcome};
use crate::config::StepUp;
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, Json, reply};
use crate::link::Secret;
use crate::record::Proof;
use crate::record::writer::Work;
use crate::store::{StoreError, now};
use crate::visit::Seat;

/// Reply of `GET /api/seats/{seat}/step-up`: what a signature of this seat needs.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "needs", rename_all = "snake_case")]
pub enum StepUpNeeds {
    /// Nothing: they have no passkey, and this practice lets them sign without.
    Nothing,
    /// One of their passkeys.
    Passkey {
        /// The pages at which it works, the usual one first.
        origins: Vec<String>,
    },
    /// A passkey, which they do not have.
    Enrolment,
}

/// Body of `POST /api/seats/{seat}/step-up`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct AskStepUp {
    /// The plan.
    doc: DocId,
    /// Its last change, as the signer sees it.
    seen: u64,
}

/// Reply of `POST /api/seats/{seat}/step-up`: the question.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct StepUpQuestion {
    /// Id of the relying party.
    site: String,
    /// To be answered once, by `until_ms`.
    challenge: Base64,
    /// One of these answers it.
    passkeys: Vec<KnownPasskey>,
    /// Until when.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    until_ms: Millis,
}

/// Body of `POST /api/seats/{seat}/step-up/answer`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct AnswerStepUp {
    /// `rawId` of the passkey.
    id: Base64,
    /// `clientDataJSON`.
    client_data: Base64,
    /// `authenticatorData`.
    authenticator_data: Base64,
    /// `signature`.
    signature: Base64,
    /// `userHandle`.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    user: Option<Base64>,
}

/// Reply of `POST /api/seats/{seat}/step-up/answer`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct StepUpProof {
    /// For `step_up` of `record.sign`. Good once.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    proof: Phi<String>,
    /// Until when.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    until_ms: Millis,
}

/// `GET /api/seats/{seat}/step-up`.
pub(crate) async fn needs(
    State(app): State<App>,
    Seated { seat, .. }: Seated,
) -> Result<Response, Problem> {
    signs(&seat)?;
    let held = store::held_by(&app.store, seat.person).await?;
    reply(&match (held, app.config.practice.step_up) {
        (0, StepUp::WhenEnrolled) => StepUpNeeds::Nothing,
        (0, StepUp::Required) => StepUpNeeds::Enrolment,
        _ => StepUpNeeds::Passkey { origins: site(&app)?.origins().to_vec() },
    })
}

/// `POST /api/seats/{seat}/step-up`: a question for one of the signer's passkeys.
pub(crate) async fn ask(
    State(app): State<App>,
    Seated { seat, visit, .. }: Seated,
    Json(AskStepUp { doc, seen }): Json<AskStepUp>,
) -> Result<Response, Problem> {
    signs(&seat)?;
    let site = site(&app)?;
    let held = of(&app.store, &app.vault, seat.person).await?;
    if held.is_empty() {
        return Err(Problem::new(ProblemCode::NotFound));
    }
    let question = Question { seat: seat.id, visit: visit.id, doc, seen, nonce: random()? };
    let until_ms = app.asked.signing.put(now(), seat.id, question).map_err(too_many)?;
    reply(&StepUpQuestion {
        site: site.id().to_owned(),
        challenge: Base64(question.challenge().to_vec()),
        passkeys: held.iter().map(KnownPasskey::from).collect(),
        until_ms,
    })
}

/// `POST /api/seats/{seat}/step-up/answer`: whatever the answer is, its question is used up.
pub(crate) async fn answer(
    State(app): State<App>,
    Seated { seat, visit, .. }: Seated,
    Json(answer): Json<AnswerStepUp>,
) -> Result<Response, Problem> {
    signs(&seat)?;
    let site = site(&app)?;
    let AnswerStepUp { id, client_data, authenticator_data, signature, user } = answer;
    let now = now();
    let question = app.asked.signing.take(now, &seat.id, |_| true);
    let question = question.ok_or(ProblemCode::StepUpExpired)?;
    let held = of(&app.store, &app.vault, seat.person).await?;
    let log = |action, outcome, object| Entry {
        visit: Some(visit.id),
        ..entry(action, outcome, Some((seat.person, seat.role)), object)
    };
    // One of somebody else's, or one that was taken away.
    let Some(passkey) = held.into_iter().find(|held| held.body.credential == id) else {
        let entry = log("passkey.refused", Outcome::Denied, format!("seat:{}", seat.id));
        app.writer.audit(vec![entry]).await?;
        return Err(Problem::new(ProblemCode::PasskeyRefused));
    };
    let object = format!("passkey:{}", passkey.id);
    if passkey.copied.is_some() {
        app.writer.audit(vec![log("passkey.refused", Outcome::Denied, object)]).await?;
        return Err(Problem::new(ProblemCode::PasskeyCopied));
    }
    let assertion = Assertion {
        client_data: &client_data.0,
        authenticator_data: &authenticator_data.0,
        signature: &signature.0,
        user_handle: user.as_ref().map(|user| user.0.as_slice()),
    };
    let (challenge, person) = (question.challenge(), seat.person.0);
    let used = webauthn::used(site, &challenge, &passkey.body.key.0, person.as_bytes(), assertion);
    let counter = match used {
        Ok(counter) => counter,
        Err(why) => {
            tracing::info!(seat.id = %seat.id, %why, "an answer of a passkey is not taken");
            app.writer.audit(vec![log("passkey.refused", Outcome::Denied, object)]).await?;
            return Err(Problem::new(ProblemCode::PasskeyRefused));
        }
    };
    if went_back(passkey.body.counter, counter) {
        tracing::warn!(passkey.id = %passkey.id, "a passkey's counter went back: it may have been copied, and is refused from now on");
        let audit = vec![log("passkey.clone_suspected", Outcome::Denied, object)];
        let first = vec![store::copied(&passkey, now)];
        app.writer.store(Work { first, audit, ..Work::default() }).await.committed()?;
        return Err(Problem::new(ProblemCode::PasskeyCopied));
    }
    let first = vec![store::used(&app.store, &app.vault, &passkey, counter, now).await?];
    let audit = vec![log("step_up.confirmed", Outcome::Done, object)];
    match app.writer.store(Work { first, audit, ..Work::default() }).await.committed() {
        Ok(()) => {}
        // It was used at once for something else, or taken away.
        Err(StoreError::Constraint) => return Err(Problem::new(ProblemCode::StepUpExpired)),
        Err(error) => return Err(error.into()),
    }
    let Passkey { body, .. } = passkey;
    let proof = Proof {
        person: seat.person,
        question,
        passkey: Sha256Hex::of(&id.0),
        at: now,
        evidence: Evidence {
            question,
            credential: id,
            key: body.key,
            client_data,
            authenticator_data,
            signature,
        },
    };
    let secret = Secret::new()?;
    let until_ms = app.records.proofs().give(now, &secret, proof).map_err(too_many)?;
    reply(&StepUpProof { proof: Phi::new(secret.text()), until_ms })
}

/// Whether the seat may sign at all.
fn signs(seat: &Seat) -> Result<(), Problem> {
    if role::may_command(seat.role, CommandName::Sign) {
        Ok(())
    } else {
        Err(Problem::new(ProblemCode::NotAllowed))
    }
}

/// Whether a counter says that there is a second one of the passkey (WebAuthn §6.1.1). Those that are kept in step
/// between devices do not count, and always say 0.
const fn went_back(before: u32, now: u32) -> bool {
    (before != 0 || now != 0) && now <= before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_has_to_grow_unless_it_does_not_count() {
        assert!(!went_back(0, 0), "a passkey that does not count");
        assert!(!went_back(7, 8) && !went_back(0, 1));
        assert!(went_back(8, 8) && went_back(8, 7));
        assert!(went_back(8, 0), "it counted before");
    }
}
