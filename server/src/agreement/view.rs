//! What a seat receives of the agreements of its patient.

use clinical::actor::{Millis, Role};
use clinical::cdtm::agreement::{Agreement, Now, Standing, Who};
use clinical::cdtm::day::Day;
use clinical::cdtm::due::Due;
use clinical::cdtm::entry::{
    ActName, ConsentAnswer, ConsentMethod, Deed, Entry, Refusal, StatusReport,
};
use clinical::cdtm::template::{Gap, Template};
use clinical::cdtm::terms::{PatientBlock, Terms};
use clinical::id::{AgreementId, PersonId, RowId};
use clinical::phi::Phi;
use clinical::recommendation::RecommendedAction;
use serde::Serialize;
use signaling::role;

/// Reply of `GET /api/seats/{seat}/agreements`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Agreements {
    /// The day, where the practice is.
    pub today: Day,
    /// Whether this seat may begin one.
    pub may_draft: bool,
    /// Whether it may take reports and the list for an inspection along.
    pub may_export: bool,
    /// The rules that hold today; for who may draft.
    pub templates: Vec<Template>,
    /// Whom a draft may name; for who may draft.
    pub pharmacists: Vec<Party>,
    /// What the chart knows of the patient; for who may draft.
    #[cfg_attr(feature = "typescript", ts(type = "AgreementPatient"))]
    pub patient: Phi<PatientBlock>,
    /// Oldest first.
    pub agreements: Vec<AgreementView>,
}

/// Somebody on the staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementParty"))]
pub struct Party {
    /// Who.
    pub person: PersonId,
    /// Name.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
}

/// One agreement.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct AgreementView {
    /// Which.
    pub id: AgreementId,
    /// What an act names as seen.
    pub seen: u32,
    /// Where it stands today.
    pub standing: Standing,
    /// The physician.
    pub physician: Party,
    /// The pharmacist, once one is named.
    pub pharmacist: Option<Party>,
    /// The terms.
    #[cfg_attr(feature = "typescript", ts(type = "Terms"))]
    pub terms: Phi<Terms>,
    /// The rules it was signed under, or would be today.
    pub template: Option<Template>,
    /// What is missing before it is signed.
    pub gaps: Vec<Gap>,
    /// The signatures.
    pub signatures: Vec<AgreementSignature>,
    /// The patient's last answer.
    pub consent: Option<AgreementConsent>,
    /// The registration with the Board.
    pub registration: Option<Registration>,
    /// What is due, the most pressing first.
    pub dues: Vec<Due>,
    /// The notice its end has come to, in days.
    pub notice: Option<u16>,
    /// Status reports, newest first; for its two parties.
    pub reports: Vec<ReportEntry>,
    /// Reviews, newest first; for its two parties.
    pub reviews: Vec<ReviewEntry>,
    /// What was done under it, newest first; for its two parties.
    pub acts: Vec<ActEntry>,
    /// How it ended.
    pub ended: Option<AgreementEnd>,
    /// What this seat may do with it now.
    pub may: Vec<ActName>,
}

/// A signature.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct AgreementSignature {
    /// Who.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
    /// In which role.
    pub role: Role,
    /// When.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at_ms: Millis,
    /// Of the terms (RFC 8785), in hexadecimal digits.
    pub sha256: String,
}

/// The patient's answer.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct AgreementConsent {
    /// The answer.
    pub answer: ConsentAnswer,
    /// How it was given.
    pub method: ConsentMethod,
    /// As the patient wrote it, or who saw or heard it.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
    /// Another drug may take the place of one.
    pub substitution: bool,
    /// When.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at_ms: Millis,
}

/// A registration with the Board.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementRegistration"))]
pub struct Registration {
    /// As the Board wrote it.
    pub number: String,
    /// The last day it holds.
    pub expires: Day,
}

/// A status report.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementReportEntry"))]
pub struct ReportEntry {
    /// Who wrote it.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
    /// On which day.
    pub day: Day,
    /// What it says.
    #[cfg_attr(feature = "typescript", ts(type = "StatusReport"))]
    pub report: Phi<StatusReport>,
}

/// A review.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementReviewEntry"))]
pub struct ReviewEntry {
    /// Who reviewed.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
    /// On which day.
    pub day: Day,
    /// Whether it goes on.
    pub goes_on: bool,
    /// In their words.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub note: Phi<String>,
}

/// Something done under it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementActEntry"))]
pub struct ActEntry {
    /// Who did it.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
    /// On which day.
    pub day: Day,
    /// What.
    pub action: RecommendedAction,
    /// With which medicine; empty for none.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub drug: Phi<String>,
    /// In one line.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub summary: Phi<String>,
    /// The recommendation in the plan.
    pub recommendation: RowId,
}

/// How an agreement ended.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct AgreementEnd {
    /// On which day.
    pub day: Day,
    /// Who ended it; empty for a term that is over, or a withdrawal in the record.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Phi<String>,
    /// Why; empty if nobody had to say.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub reason: Phi<String>,
}

/// Reply of `POST /api/seats/{seat}/agreements`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AgreementAnswer {
    /// It is stored; this is how they stand now.
    Done {
        /// All of the patient's.
        agreements: Agreements,
    },
    /// It was refused, and nothing was written.
    Refused {
        /// Why.
        why: Refusal,
    },
}

/// An agreement through the eyes of somebody who reads agreements; `None` if they see nothing of this one.
pub(super) fn view(agreement: &Agreement, who: &Who, now: &Now<'_>) -> Option<AgreementView> {
    let standing = agreement.standing(now.day, now.withdrawn_in_record);
    let party = role::may_read_draft_agreement(who.role);
    if standing == Standing::Draft && !party {
        return None;
    }
    let entries = agreement.entries();
    let newest = || entries.iter().rev().filter(|_entry| party);
    let ended = ended(agreement, standing, now);
    let template = agreement
        .template()
        .or_else(|| now.templates.find(&agreement.terms().jurisdiction, now.day));
    let gaps = match standing {
        Standing::Draft | Standing::SignedPhysician if party => {
            agreement.gaps(now.day, now.templates).unwrap_or_default()
        }
        Standing::Draft
        | Standing::SignedPhysician
        | Standing::SignedPharmacist
        | Standing::Active
        | Standing::Expiring
        | Standing::Expired
        | Standing::Withdrawn
        | Standing::Revoked => Vec::new(),
    };
    let may = agreement.offers(who, now);
    Some(AgreementView {
        id: agreement.id(),
        seen: agreement.seen(),
        standing,
        physician: Party { person: agreement.physician(), name: agreement.physician_name() },
        // Named by the caller, who knows the staff.
        pharmacist: None,
        terms: Phi::new(agreement.terms().clone()),
        template: template.cloned(),
        gaps,
        signatures: entries.iter().filter_map(signature).collect(),
        consent: entries.iter().rev().find_map(consent),
        registration: agreement
            .registration()
            .map(|(number, expires)| Registration { number: number.to_owned(), expires }),
        dues: if party { agreement.dues(now.day, now.withdrawn_in_record) } else { Vec::new() },
        notice: agreement.notice(now.day).filter(|_days| standing.holds()),
        reports: newest().filter_map(report).collect(),
        reviews: newest().filter_map(review).collect(),
        acts: newest().filter_map(act).collect(),
        ended,
        may: may.into_iter().filter(|act| role::may_act_on_agreement(who.role, *act)).collect(),
    })
}

fn signature(entry: &Entry) -> Option<AgreementSignature> {
    let (Deed::SignedPhysician { sha256, .. } | Deed::SignedPharmacist { sha256 }) = &entry.deed
    else {
        return None;
    };
    let sha256 = sha256.as_str().to_owned();
    Some(AgreementSignature {
        name: entry.name.clone(),
        role: entry.role?,
        at_ms: entry.at_ms,
        sha256,
    })
}

fn consent(entry: &Entry) -> Option<AgreementConsent> {
    let Deed::Consented { answer, method, name, substitution, language: _ } = &entry.deed else {
        return None;
    };
    Some(AgreementConsent {
        answer: *answer,
        method: *method,
        name: name.clone(),
        substitution: *substitution,
        at_ms: entry.at_ms,
    })
}

fn report(entry: &Entry) -> Option<ReportEntry> {
    let Deed::Reported { report } = &entry.deed else { return None };
    Some(ReportEntry { name: entry.name.clone(), day: entry.day, report: report.clone() })
}

fn review(entry: &Entry) -> Option<ReviewEntry> {
    let Deed::Reviewed { goes_on, note } = &entry.deed else { return None };
    let (name, day) = (entry.name.clone(), entry.day);
    Some(ReviewEntry { name, day, goes_on: *goes_on, note: note.clone() })
}

fn act(entry: &Entry) -> Option<ActEntry> {
    let Deed::Acted { recommendation, action, drug, summary } = &entry.deed else { return None };
    Some(ActEntry {
        name: entry.name.clone(),
        day: entry.day,
        action: *action,
        drug: drug.clone(),
        summary: summary.clone(),
        recommendation: *recommendation,
    })
}

fn ended(agreement: &Agreement, standing: Standing, now: &Now<'_>) -> Option<AgreementEnd> {
    let last = agreement.entries().iter().rev().find_map(|entry| {
        let reason = match &entry.deed {
            Deed::Revoked { reason } | Deed::Reviewed { goes_on: false, note: reason } => {
                reason.clone()
            }
            Deed::Consented { answer: ConsentAnswer::Withdrawn, .. } => Phi::default(),
            Deed::Drafted { .. }
            | Deed::SignedPhysician { .. }
            | Deed::SignedPharmacist { .. }
            | Deed::Consented { .. }
            | Deed::Registered { .. }
            | Deed::Reported { .. }
            | Deed::Reviewed { .. }
            | Deed::Acted { .. }
            | Deed::Expired => return None,
        };
        Some(AgreementEnd { day: entry.day, name: entry.name.clone(), reason })
    });
    let nobody = |day| AgreementEnd { day, name: Phi::default(), reason: Phi::default() };
    match standing {
        Standing::Expired => agreement.terms().end.map(nobody),
        Standing::Withdrawn | Standing::Revoked => Some(last.unwrap_or_else(|| nobody(now.day))),
        Standing::Draft
        | Standing::SignedPhysician
        | Standing::SignedPharmacist
        | Standing::Active
        | Standing::Expiring => None,
    }
}
