//! Medication therapy problems and recommendations: DetectedIssue for the Standardized Medication Profile, Condition and
//! Procedure for the Pharmacist Care Plan, Communication for what was sent to whom.

use super::body::{paragraphs, words};
use super::out::Obj;
use super::people::{absent, reference};
use super::row::{Fields, MTP, Made, coding};
use super::{Export, instant, say};
use crate::field::{FieldName, ListName};
use crate::id::RowId;
use crate::problem::{ProblemCategory, ProblemOutcome, Severity};
use crate::recommendation::{
    Addressee, Authority, ByLink, Decision, RecommendationState, RecommendedAction, UnderAgreement,
};
use crate::record::{Held, Problem, Recommendation, Row};

const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

impl<'e> Export<'e> {
    /// Problems that go out.
    pub(super) fn problems(&self) -> impl Iterator<Item = &Row<Problem>> {
        self.record.problems.iter().filter(|row| self.goes(row.id))
    }

    /// Recommendations that go out.
    pub(super) fn recommendations(&self) -> impl Iterator<Item = &Row<Recommendation>> {
        self.record.recommendations.iter().filter(|row| self.goes(row.id))
    }

    fn problem_fields(&'e self, row: &Row<Problem>) -> Fields<'e> {
        let mut fields = Fields::of(self, ListName::Problems, row);
        let Problem {
            category,
            statement,
            severity,
            urgency,
            association,
            evidence,
            evidence_note,
            no_action_reason,
            responsible,
            due,
            outcome,
            plain_text,
            patient_priority,
        } = &row.content;
        fields.register(FieldName::ProblemsCategory, "Problem", category, |category| {
            mtp(*category).1.to_owned()
        });
        fields.register(FieldName::ProblemsStatement, "Concerns", statement, |statement| {
            let meds = statement.med_ids.iter().filter_map(|id| self.med_name(*id));
            let meds: Vec<String> = meds.collect();
            format!("{} {}", statement.condition, meds.join(", ")).trim().to_owned()
        });
        fields.plain(FieldName::ProblemsSeverity, "Severity", severity);
        fields.plain(FieldName::ProblemsUrgency, "Urgency", urgency);
        fields.words(FieldName::ProblemsAssociation, "Why", association);
        fields.plain(FieldName::ProblemsEvidence, "Readings", evidence);
        fields.words(FieldName::ProblemsEvidenceNote, "Evidence", evidence_note);
        fields.register(
            FieldName::ProblemsNoActionReason,
            "No action because",
            no_action_reason,
            |line| line.0.clone(),
        );
        fields.register(FieldName::ProblemsResponsible, "Responsible", responsible, |line| {
            line.0.clone()
        });
        fields.plain(FieldName::ProblemsDue, "Due", due);
        fields.plain(FieldName::ProblemsOutcome, "Outcome", outcome);
        fields.register(FieldName::ProblemsPlainText, "For the patient", plain_text, |text| {
            text.0.clone()
        });
        fields.plain(FieldName::ProblemsPatientPriority, "Patient's priority", patient_priority);
        fields
    }

    /// A name for people.
    pub(super) fn med_name(&self, id: RowId) -> Option<String> {
        let row = self.record.meds.iter().find(|row| row.id == id && self.goes(row.id))?;
        row.content.product.value().map(|product| product.name.clone())
    }

    /// SMP: a detected issue.
    pub(super) fn detected_issue(&self, row: &Row<Problem>) -> Made {
        let fields = self.problem_fields(row);
        let problem = &row.content;
        let meds = self.meds_of(problem);
        let status = match problem.outcome.value() {
            // "cancelled" is in no value set that R4 itself publishes for this element.
            Some(ProblemOutcome::Withdrawn) => "entered-in-error",
            Some(
                ProblemOutcome::Resolved
                | ProblemOutcome::Improved
                | ProblemOutcome::Unchanged
                | ProblemOutcome::Worsened,
            )
            | None => {
                if self.source.signed.is_some() {
                    "final"
                } else {
                    "preliminary"
                }
            }
        };
        let code = problem.category.value().map(|category| issue_code(*category, meds.len()));
        let severity = problem.severity.value().map(|severity| match severity {
            Severity::High => "high",
            Severity::Moderate => "moderate",
            Severity::Low => "low",
        });
        let readings = self.readings_of(problem);
        let note = problem.evidence_note.text.as_str();
        let evidence = Obj::new()
            .with("code", (!note.trim().is_empty()).then(|| vec![words(note)]))
            .with("detail", readings.iter().map(|id| reference(id.0)).collect::<Vec<_>>());
        let implicated: Vec<Obj> = meds
            .iter()
            .map(|(id, name)| reference(id.0).with("display", name.as_str()))
            .chain(self.conditions_of(problem).into_iter().map(|id| reference(id.0)))
            .collect();
        let condition = problem.statement.value().map(|said| said.condition.as_str());
        let mut detail: Vec<&str> = vec![condition.unwrap_or_default(), &problem.association.text];
        detail.retain(|text| !text.trim().is_empty());
        let mut detail = detail.join(": ");
        for open in fields.open() {
            detail = format!("{detail} {open}").trim().to_owned();
        }
        let (at, author) = self.found(problem);
        let resource = Obj::new()
            .with("meta", Obj::new().with("profile", [
                "http://hl7.org/fhir/us/smp/StructureDefinition/smp-medication-action-plan-detected-issue",
            ]))
            .with("status", status)
            .with("code", code)
            .with("severity", severity)
            .with("patient", self.patient_ref())
            .with("identifiedDateTime", at)
            .with("author", author)
            .with("implicated", implicated)
            .with("evidence", if evidence.members().is_empty() { vec![] } else { vec![evidence] })
            .with("detail", detail)
            .with("mitigation", self.mitigations(row.id));
        fields.resource("DetectedIssue", row.id, resource)
    }

    /// PhCP: a medication therapy condition.
    pub(super) fn therapy_condition(&self, row: &Row<Problem>) -> Made {
        let fields = self.problem_fields(row);
        let problem = &row.content;
        let clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical";
        let verification = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
        let (status, verified) = match problem.outcome.value() {
            Some(ProblemOutcome::Resolved) => {
                (Some(("resolved", "Resolved")), ("confirmed", "Confirmed"))
            }
            // Found not to be one.
            Some(ProblemOutcome::Withdrawn) => {
                (Some(("inactive", "Inactive")), ("refuted", "Refuted"))
            }
            Some(
                ProblemOutcome::Improved | ProblemOutcome::Unchanged | ProblemOutcome::Worsened,
            )
            | None => (Some(("active", "Active")), ("confirmed", "Confirmed")),
        };
        let meds = self.meds_of(problem);
        let names: Vec<&str> = meds.iter().map(|(_, name)| name.as_str()).collect();
        let code = match problem.category.value() {
            Some(category) => {
                let (code, display, _) = mtp(*category);
                Obj::new().with("coding", [coding(MTP, code, display)]).with(
                    "text",
                    format!("{display}: {}", names.join(", ")).trim_end_matches([':', ' ']),
                )
            }
            None => Obj::new().with("extension", [absent("unknown")]).with(
                "text",
                if fields.open().is_empty() {
                    "Medication therapy problem".to_owned()
                } else {
                    fields.open().join(" ")
                },
            ),
        };
        let note = problem.evidence_note.text.as_str();
        let readings = self.readings_of(problem).into_iter().map(|id| reference(id.0));
        let evidence =
            Obj::new().with("code", (!note.trim().is_empty()).then(|| vec![words(note)])).with(
                "detail",
                readings.chain(meds.iter().map(|(id, _)| reference(id.0))).collect::<Vec<_>>(),
            );
        let (at, author) = self.found(problem);
        let mut notes = fields.notes();
        let why = problem.association.text.as_str();
        notes.extend((!why.trim().is_empty()).then(|| Obj::new().with("text", why)));
        let resource = Obj::new()
            .with("meta", Obj::new().with("profile", [
                "http://hl7.org/fhir/us/phcp/StructureDefinition/PhCP-Medication-Therapy-Condition",
            ]))
            .with("clinicalStatus", status.map(|(code, display)| {
                Obj::new().with("coding", [coding(clinical, code, display)])
            }))
            .with("verificationStatus", Obj::new().with("coding", [coding(
                verification,
                verified.0,
                verified.1,
            )]))
            .with("category", [Obj::new().with("coding", [coding(
                "http://terminology.hl7.org/CodeSystem/condition-category",
                "problem-list-item",
                "Problem List Item",
            )])])
            .with("code", code)
            .with("subject", self.patient_ref())
            .with("recordedDate", at)
            .with("recorder", author)
            .with("evidence", if evidence.members().is_empty() { vec![] } else { vec![evidence] })
            .with("note", notes);
        fields.resource("Condition", row.id, resource)
    }

    /// What was recommended to whom.
    pub(super) fn communication(&self, row: &Row<Recommendation>) -> Made {
        let mut fields = Fields::of(self, ListName::Recommendations, row);
        let Recommendation {
            content,
            rationale,
            addressee,
            authority,
            under_agreement,
            reference: cited,
            replaces,
            state,
            seen,
            decision,
            implemented,
            verified,
            withdrawn,
        } = &row.content;
        fields.register(FieldName::RecommendationsContent, "Recommendation", content, |content| {
            let regimen = content.regimen.as_ref().map(|sig| sig.text.as_str()).unwrap_or_default();
            format!("{} {regimen}", content.summary).trim().to_owned()
        });
        fields.words(FieldName::RecommendationsRationale, "Why", rationale);
        fields.register(FieldName::RecommendationsAddressee, "To", addressee, |to| {
            let Addressee { name, person: _, role } = to;
            role.map_or_else(|| name.clone(), |role| format!("{name}, {}", say::value(&role)))
        });
        fields.register(FieldName::RecommendationsReference, "Reference", cited, |line| {
            line.0.clone()
        });
        fields.register(FieldName::RecommendationsAuthority, "Authority", authority, |authority| {
            match authority {
                Authority::Recommend => "the prescriber decides".to_owned(),
                Authority::UnderCdtm { agreement } => {
                    format!("under the collaborative agreement {agreement}")
                }
            }
        });
        let field = FieldName::RecommendationsUnderAgreement;
        fields.register(field, "Under the agreement", under_agreement, |told| {
            let UnderAgreement { agreement, entries: _, day, physician, condition, reasons } = told;
            let about = format!("{agreement} with {physician} for {condition}, {day}");
            if reasons.is_empty() {
                return format!("carried out under {about}");
            }
            let why = reasons.iter().map(|reason| {
                format!("{} {}", say::value(&reason.code), reason.about).trim().to_owned()
            });
            format!("not allowed by {about}: {}", why.collect::<Vec<_>>().join("; "))
        });
        fields.plain(FieldName::RecommendationsReplaces, "Replaces", replaces);
        fields.plain(FieldName::RecommendationsState, "State", state);
        fields.plain(FieldName::RecommendationsSeen, "Seen", seen);
        fields.plain(FieldName::RecommendationsImplemented, "Carried out", implemented);
        fields.plain(FieldName::RecommendationsVerified, "The patient does so", verified);
        fields.plain(FieldName::RecommendationsWithdrawn, "Taken back", withdrawn);
        fields.register(FieldName::RecommendationsDecision, "Decision", decision, |decision| {
            // The reason is a code of its own: a mitigation. Who decided is the author of the field.
            let Decision { by: _, outcome, regimen, reason: _, note, by_link } = decision;
            let regimen = regimen.as_ref().map(|sig| sig.text.as_str()).unwrap_or_default();
            let how = by_link.as_ref().map_or_else(String::new, |by_link| {
                let ByLink { made_by: _, name, credential } = by_link;
                format!("(by a link, answered by somebody who says they are {name}, {credential})")
            });
            let said = format!("{} {regimen} {note}", say::value(outcome));
            format!("{} {how}", said.trim()).trim().to_owned()
        });
        let sent = match state {
            Held::Value(said) => match said.value {
                RecommendationState::Draft | RecommendationState::Withdrawn => None,
                RecommendationState::Sent => Some(Some(instant(said.at_ms))),
                RecommendationState::Accepted
                | RecommendationState::AcceptedModified
                | RecommendationState::Declined
                | RecommendationState::Implemented
                | RecommendationState::Verified => Some(None),
            },
            Held::Empty | Held::Conflict(_) => None,
        };
        let to = addressee.value().map(|to| {
            let known = to.person.and_then(|person| self.person(person));
            known.unwrap_or_else(|| Obj::new().with("display", to.name.as_str()))
        });
        let about = content.value().and_then(|content| content.problem).filter(|id| {
            self.goes(*id) && self.record.problems.iter().any(|problem| problem.id == *id)
        });
        let mut said: Vec<String> =
            content.value().map(|content| content.summary.clone()).into_iter().collect();
        said.push(rationale.text.clone());
        let payload: Vec<Obj> = said
            .iter()
            .filter(|text| !text.trim().is_empty())
            .map(|text| Obj::new().with("contentString", text.as_str()))
            .collect();
        let sender = match content {
            Held::Value(said) => said.by.person().and_then(|person| self.professional(person)),
            Held::Empty | Held::Conflict(_) => None,
        };
        let resource = Obj::new()
            .with(
                "meta",
                Obj::new().with(
                    "profile",
                    ["http://hl7.org/fhir/us/phcp/StructureDefinition/PhCP-CareCoordination"],
                ),
            )
            .with("status", if sent.is_some() { "completed" } else { "preparation" })
            .with("category", [words("Recommendation to a prescriber")])
            .with("subject", self.patient_ref())
            .with("about", about.map(|id| vec![reference(id.0)]))
            .with("sent", sent.flatten())
            .with("recipient", to.map(|to| vec![to]))
            .with("sender", sender)
            .with("payload", payload)
            .with("note", fields.notes());
        fields.resource("Communication", row.id, resource)
    }

    /// PhCP: the intervention that followed an accepted recommendation.
    pub(super) fn intervention(&self, row: &Row<Recommendation>) -> Option<Made> {
        let content = row.content.content.value()?;
        let Held::Value(state) = &row.content.state else { return None };
        match state.value {
            RecommendationState::Accepted
            | RecommendationState::AcceptedModified
            | RecommendationState::Implemented
            | RecommendationState::Verified => {}
            RecommendationState::Draft
            | RecommendationState::Sent
            | RecommendationState::Declined
            | RecommendationState::Withdrawn => return None,
        }
        let profile = match content.action {
            RecommendedAction::Educate => {
                "http://hl7.org/fhir/us/phcp/StructureDefinition/PhCP-Instruction-Procedure"
            }
            RecommendedAction::Start
            | RecommendedAction::Stop
            | RecommendedAction::Hold
            | RecommendedAction::ChangeDose
            | RecommendedAction::ChangeDrug
            | RecommendedAction::ChangeForm
            | RecommendedAction::ChangeTime
            | RecommendedAction::Monitor
            | RecommendedAction::AdherenceAid
            | RecommendedAction::Refer
            | RecommendedAction::Immunize
            | RecommendedAction::NoChange => {
                "http://hl7.org/fhir/us/phcp/StructureDefinition/PhCP-Intervention-Procedure"
            }
        };
        let problem = content.problem.filter(|id| self.problems().any(|row| row.id == *id));
        let performer = state.by.person().and_then(|person| self.professional(person));
        let id = self.id(&format!("intervention {}", row.id));
        // Accepted is agreed on; whether it was carried out, the medication list says.
        let resource = Obj::resource("Procedure")
            .with("id", id.to_string())
            .with("meta", Obj::new().with("profile", [profile]))
            .with("text", super::row::div("generated", &paragraphs([content.summary.as_str()])))
            .with("status", "preparation")
            .with("code", words(&content.summary))
            .with("subject", self.patient_ref())
            .with("performer", performer.map(|who| vec![Obj::new().with("actor", who)]))
            .with("reasonReference", problem.map(|id| vec![reference(id.0)]));
        Some(Made::new(id, resource))
    }

    fn meds_of(&self, problem: &Problem) -> Vec<(RowId, String)> {
        let named = problem.statement.value().map(|statement| statement.med_ids.as_slice());
        let named = named.unwrap_or_default().iter();
        named.filter_map(|id| Some((*id, self.med_name(*id)?))).collect()
    }

    fn readings_of(&self, problem: &Problem) -> Vec<RowId> {
        let named =
            problem.evidence.value().map(|evidence| evidence.0.as_slice()).unwrap_or_default();
        let there = |id: &&RowId| self.record.measures.iter().any(|row| row.id == **id);
        named.iter().filter(there).copied().collect()
    }

    /// The diagnosis the problem names, where the list has it by that name.
    fn conditions_of(&self, problem: &Problem) -> Option<RowId> {
        let named = problem.statement.value()?.condition.trim().to_lowercase();
        let row = self.record.conditions.iter().find(|row| {
            row.content
                .value()
                .is_some_and(|condition| condition.text.trim().to_lowercase() == named)
        })?;
        (!named.is_empty()).then_some(row.id)
    }

    /// When it was found, and by whom.
    fn found(&self, problem: &Problem) -> (String, Obj) {
        let by = match (&problem.statement, &problem.category) {
            (Held::Value(said), _) => Some(said.by),
            (_, Held::Value(said)) => Some(said.by),
            (Held::Empty | Held::Conflict(_), Held::Empty | Held::Conflict(_)) => None,
        };
        let at = match &problem.statement {
            Held::Empty => self.written(&problem.category),
            Held::Value(_) | Held::Conflict(_) => self.written(&problem.statement),
        };
        let author = by.and_then(|by| by.person()).and_then(|person| self.professional(person));
        (at, author.unwrap_or_else(|| self.author()))
    }
}

/// Code and name of ours, and the alert HL7 has a code for, where there is one for every problem of the kind.
const fn mtp(
    category: ProblemCategory,
) -> (&'static str, &'static str, Option<(&'static str, &'static str)>) {
    match category {
        ProblemCategory::NeedsTherapy => ("IND-ADD", "Needs additional therapy", None),
        ProblemCategory::Unnecessary => ("IND-UNN", "Unnecessary therapy", None),
        ProblemCategory::Ineffective => {
            ("EFF-INE", "Ineffective medicine", Some(("PREVINEF", "previously ineffective")))
        }
        ProblemCategory::DoseTooLow => {
            ("EFF-LOW", "Dose too low", Some(("DOSEL", "Low Dose Alert")))
        }
        ProblemCategory::AdverseReaction => ("SAF-ADR", "Adverse reaction or interaction", None),
        ProblemCategory::DoseTooHigh => {
            ("SAF-HIGH", "Dose too high", Some(("DOSEH", "High Dose Alert")))
        }
        ProblemCategory::NeedsMonitoring => ("MON", "Needs monitoring", None),
        ProblemCategory::Adherence => ("ADH", "Hard to take", Some(("COMPLY", "Compliance Alert"))),
        ProblemCategory::Cost => ("COST", "Costs too much", None),
    }
}

/// HL7's code first, for readers that know only those. Of an unnecessary or unsafe medicine it depends on how many
/// medicines the problem names: two that do not go together are an interaction, two of a kind a duplication.
fn issue_code(category: ProblemCategory, meds: usize) -> Obj {
    let (code, display, alert) = mtp(category);
    let alert = match category {
        ProblemCategory::Unnecessary if meds > 1 => Some(("DUPTHPY", "Duplicate Therapy Alert")),
        ProblemCategory::AdverseReaction if meds > 1 => Some(("DRG", "Drug Interaction Alert")),
        ProblemCategory::NeedsTherapy
        | ProblemCategory::Unnecessary
        | ProblemCategory::Ineffective
        | ProblemCategory::DoseTooLow
        | ProblemCategory::AdverseReaction
        | ProblemCategory::DoseTooHigh
        | ProblemCategory::NeedsMonitoring
        | ProblemCategory::Adherence
        | ProblemCategory::Cost => alert,
    };
    let alert = alert.map(|(code, display)| coding(ACT, code, display));
    let codings: Vec<Obj> = alert.into_iter().chain([coding(MTP, code, display)]).collect();
    Obj::new().with("coding", codings).with("text", display)
}
