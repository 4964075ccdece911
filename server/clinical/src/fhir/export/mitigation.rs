//! What was done about a problem: v3-ActCode mitigations, written only for what happened.
//!
//! A recommendation that was sent is a consulted prescriber; one that was accepted is not yet a stopped medicine. Each
//! further code needs its trace in the record.

use super::out::Obj;
use super::row::coding;
use super::{Export, instant};
use crate::actor::{Author, Millis};
use crate::fhir::read::ingredients_of;
use crate::id::RowId;
use crate::medication::MedicationStatus;
use crate::recommendation::{
    DecisionOutcome, RecommendationContent, RecommendationState, RecommendedAction,
};
use crate::record::{Held, Med, Recommendation, Row, Said};

/// One step taken.
struct Step {
    code: &'static str,
    display: &'static str,
    text: String,
    at_ms: Option<Millis>,
    by: Option<Author>,
}

impl Export<'_> {
    /// The steps taken about a problem, in the order of its recommendations.
    pub(super) fn mitigations(&self, problem: RowId) -> Vec<Obj> {
        let of_problem = self.record.recommendations.iter().filter(|row| {
            row.content.content.value().is_some_and(|content| content.problem == Some(problem))
        });
        of_problem.flat_map(|row| self.steps(row)).map(|step| self.step(step)).collect()
    }

    fn step(&self, step: Step) -> Obj {
        let Step { code, display, text, at_ms, by } = step;
        let by = by.and_then(|by| by.person()).and_then(|person| self.professional(person));
        let code = coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", code, display);
        let action = Obj::new().with("coding", [code]).with("text", text);
        Obj::new().with("action", action).with("date", at_ms.map(instant)).with("author", by)
    }

    fn steps(&self, row: &Row<Recommendation>) -> Vec<Step> {
        let Recommendation { content, state, decision, .. } = &row.content;
        let (Held::Value(content), Held::Value(state)) = (content, state) else {
            return Vec::new();
        };
        let proposed = &content.value;
        let consulted = |at_ms| Step {
            code: "5",
            display: "Consulted Prescriber",
            text: proposed.summary.clone(),
            at_ms,
            by: Some(content.by),
        };
        match state.value {
            // Withdrawn before an answer: what the prescriber was asked no longer stands.
            RecommendationState::Draft | RecommendationState::Withdrawn => Vec::new(),
            RecommendationState::Sent => vec![consulted(Some(state.at_ms))],
            RecommendationState::Accepted
            | RecommendationState::AcceptedModified
            | RecommendationState::Declined
            | RecommendationState::Implemented
            | RecommendationState::Verified => {
                // When it was sent is in the log, and no longer in the record.
                let mut steps = vec![consulted(None)];
                if let Held::Value(decided) = decision {
                    let at = decided.at_ms;
                    match decided.value.outcome {
                        DecisionOutcome::Declined => steps.push(Step {
                            code: "6",
                            display: "Prescriber Declined Change",
                            text: decided.value.note.clone(),
                            at_ms: Some(at),
                            by: Some(decided.by),
                        }),
                        DecisionOutcome::Accepted | DecisionOutcome::AcceptedModified => {
                            let note = decided.value.note.as_str();
                            steps.extend(self.carried_out(proposed, note, at));
                        }
                    }
                }
                steps
            }
        }
    }

    /// What the record shows was done after a recommendation was accepted.
    fn carried_out(
        &self,
        proposed: &RecommendationContent,
        note: &str,
        decided: Millis,
    ) -> Vec<Step> {
        let med = proposed.med.and_then(|id| self.record.meds.iter().find(|row| row.id == id));
        let status = med.and_then(|row| match &row.content.status {
            Held::Value(said) => Some(said),
            Held::Empty | Held::Conflict(_) => None,
        });
        let name =
            med.and_then(|row| row.content.product.value()).map(|product| product.name.clone());
        let step = |code, display, said: (Millis, Author), text: String| Step {
            code,
            display,
            text,
            at_ms: Some(said.0),
            by: Some(said.1),
        };
        let stopped = || {
            status.filter(|said| matches!(said.value, MedicationStatus::Stopped { .. })).map(
                |said| {
                    let text = format!("Stopped {}", name.clone().unwrap_or_default());
                    step("13", "Stopped Concurrent Therapy", (said.at_ms, said.by), text)
                },
            )
        };
        let held = || {
            status.filter(|said| said.value == MedicationStatus::OnHold).map(|said| {
                let text = format!("On hold: {}", name.clone().unwrap_or_default());
                step("12", "Temporarily Suspended Concurrent Therapy", (said.at_ms, said.by), text)
            })
        };
        let changed = || {
            let Held::Value(sig) = &med?.content.sig else { return None };
            (sig.at_ms >= decided).then(|| {
                step("8", "Other Action Taken", (sig.at_ms, sig.by), sig.value.text.clone())
            })
        };
        let taught = || {
            let about = |row: &&Row<Held<crate::teach_back::TeachBack>>| {
                row.content.value().is_some_and(|teach_back| {
                    teach_back.about.is_some() && teach_back.about == proposed.med
                })
            };
            let row = self.record.teach_backs.iter().find(about)?;
            let Held::Value(said) = &row.content else { return None };
            let text = said.value.message.clone();
            Some(step("10", "Provided Patient Education", (said.at_ms, said.by), text))
        };
        let added = || {
            let words = format!("{} {note} {}", proposed.summary, regimen_text(proposed));
            self.added(&words, proposed.med, decided).map(|said| {
                let text = format!("Added {}", said.value);
                step("11", "Added Concurrent Therapy", (said.at_ms, said.by), text)
            })
        };
        match proposed.action {
            RecommendedAction::Stop | RecommendedAction::ChangeDrug => {
                [stopped(), added()].into_iter().flatten().collect()
            }
            RecommendedAction::Start => added().into_iter().collect(),
            RecommendedAction::Hold => held().into_iter().collect(),
            RecommendedAction::ChangeDose
            | RecommendedAction::ChangeForm
            | RecommendedAction::ChangeTime => changed().into_iter().collect(),
            RecommendedAction::Educate | RecommendedAction::AdherenceAid => {
                taught().into_iter().collect()
            }
            RecommendedAction::NoChange => {
                let kept = status.filter(|said| said.value == MedicationStatus::Active);
                let text = proposed.summary.clone();
                kept.map(|said| step("1", "Therapy Appropriate", (decided, said.by), text))
                    .into_iter()
                    .collect()
            }
            // Nothing in the record shows that a test was ordered; a referral or a shot has no code here.
            RecommendedAction::Monitor | RecommendedAction::Refer | RecommendedAction::Immunize => {
                Vec::new()
            }
        }
    }

    /// A medicine in use that was written down after the decision and whose ingredient the recommendation names.
    fn added(&self, words: &str, but: Option<RowId>, decided: Millis) -> Option<Said<String>> {
        let words = words.to_lowercase();
        self.record.meds.iter().filter(|row| Some(row.id) != but && self.goes(row.id)).find_map(
            |row| {
                let Med { product, status, .. } = &row.content;
                let Held::Value(product) = product else { return None };
                let in_use = matches!(status.value(), Some(MedicationStatus::Active));
                let named = ingredients_of(&product.value.name)
                    .iter()
                    .any(|ingredient| words.contains(ingredient.as_str()));
                (in_use && named && product.at_ms >= decided).then(|| Said {
                    value: product.value.name.clone(),
                    rev: product.rev,
                    by: product.by,
                    at_ms: product.at_ms,
                })
            },
        )
    }
}

fn regimen_text(proposed: &RecommendationContent) -> String {
    proposed.regimen.as_ref().map(|regimen| regimen.text.clone()).unwrap_or_default()
}
