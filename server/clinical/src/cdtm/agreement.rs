//! One agreement: entries that are never changed, and what they come to on a day.
//!
//! draft → signed by the physician → signed by the pharmacist → active → expiring → expired; or withdrawn by the patient,
//! revoked by one of the two. What is signed is not written again: other terms are another agreement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::day::Day;
use super::entry::{
    Act, ActName, ConsentAnswer, ConsentMethod, Deed, Entry, Refusal, StatusReport,
};
use super::template::{Gap, Template, Templates};
use super::terms::Terms;
use crate::actor::{Millis, Role};
use crate::id::{AgreementId, EntryId, PatientId, PersonId};
use crate::phi::Phi;
use crate::value::{Check as _, short};
use crate::version::Sha256Hex;

/// Entries of one agreement. A year of weekly actions, reports and reviews is far below; a browser that goes round in a
/// circle stops here.
pub const ENTRIES: usize = 1_000;

/// Where an agreement stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementStanding"))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Being written.
    Draft,
    /// Signed by the physician.
    SignedPhysician,
    /// Signed by both: waits for the patient's consent or the first day.
    SignedPharmacist,
    /// It holds.
    Active,
    /// It holds, and ends soon.
    Expiring,
    /// Its last day is over.
    Expired,
    /// The patient took the consent back.
    Withdrawn,
    /// One of the two ended it.
    Revoked,
}

impl Standing {
    /// Whether it has ended, in whatever way.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Expired | Self::Withdrawn | Self::Revoked => true,
            Self::Draft
            | Self::SignedPhysician
            | Self::SignedPharmacist
            | Self::Active
            | Self::Expiring => false,
        }
    }

    /// Whether something may be done under it.
    pub const fn holds(self) -> bool {
        match self {
            Self::Active | Self::Expiring => true,
            Self::Draft
            | Self::SignedPhysician
            | Self::SignedPharmacist
            | Self::Expired
            | Self::Withdrawn
            | Self::Revoked => false,
        }
    }
}

/// Who does something.
#[derive(Clone, Debug)]
pub struct Who {
    /// Who.
    pub person: PersonId,
    /// In which role.
    pub role: Role,
    /// Their name.
    pub name: Phi<String>,
}

/// When, and under which rules.
#[derive(Clone, Copy, Debug)]
pub struct Now<'a> {
    /// The instant.
    pub at_ms: Millis,
    /// The day, where the practice is.
    pub day: Day,
    /// The rules that hold.
    pub templates: &'a Templates,
    /// The patient took the written consent back in the record.
    pub withdrawn_in_record: bool,
}

/// An agreement, from its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    id: AgreementId,
    patient: PatientId,
    physician: PersonId,
    entries: Vec<Entry>,
    places: BTreeMap<EntryId, usize>,
}

/// Why stored entries are no agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// Nobody drafted it.
    #[error("the first entry of an agreement is its draft")]
    NoDraft,
    /// The terms are not those that were signed.
    #[error("the terms are not those that were signed")]
    OtherTerms,
}

impl Agreement {
    /// From what was stored, in order.
    ///
    /// # Errors
    /// The first entry is not a draft, or a signature is under other terms.
    pub fn load(id: AgreementId, patient: PatientId, entries: Vec<Entry>) -> Result<Self, Damaged> {
        let first = entries.first().and_then(|entry| match (&entry.deed, entry.by) {
            (Deed::Drafted { .. }, Some(by)) => Some(by),
            (_, _) => None,
        });
        let physician = first.ok_or(Damaged::NoDraft)?;
        let places = entries.iter().enumerate().map(|(place, entry)| (entry.id, place)).collect();
        let agreement = Self { id, patient, physician, entries, places };
        if agreement.is_as_signed() { Ok(agreement) } else { Err(Damaged::OtherTerms) }
    }

    /// The first entry of a new agreement.
    ///
    /// # Errors
    /// Why it is none.
    pub fn begin(id: EntryId, who: &Who, now: &Now<'_>, act: Act) -> Result<Entry, Refusal> {
        let Act::Draft { terms } = act else { return Err(Refusal::NotNow) };
        draft(&terms, now)?;
        Ok(entry(id, who, now, Deed::Drafted { terms }))
    }

    /// What somebody does, as the next entry; the caller stores it and loads again. `seen` is how many entries they
    /// looked at; who ends an agreement, or says no, need not have seen the last one.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn decide(
        &self,
        id: EntryId,
        who: &Who,
        now: &Now<'_>,
        act: Act,
        seen: u32,
    ) -> Result<Entry, Refusal> {
        if seen != self.seen() && !act.holds_whatever_came_before() {
            return Err(Refusal::ChangedSince);
        }
        if self.entries.len() >= ENTRIES {
            return Err(Refusal::Full);
        }
        self.check_party(who)?;
        let standing = self.standing(now.day, now.withdrawn_in_record);
        // The last months are reported on after they are over, too.
        if standing.is_over() && act.name() != ActName::Report {
            return Err(Refusal::Over);
        }
        let deed = match act {
            Act::Draft { terms } => {
                if standing != Standing::Draft {
                    return Err(Refusal::NotNow);
                }
                draft(&terms, now)?;
                Deed::Drafted { terms }
            }
            Act::Sign => self.sign(who, now, standing)?,
            Act::Consent { answer, method, name, substitution, language } => {
                if standing == Standing::Draft {
                    return Err(Refusal::NotNow);
                }
                let by_patient = who.role == Role::Patient;
                let in_writing = match method {
                    ConsentMethod::Screen => by_patient,
                    ConsentMethod::Paper => !by_patient,
                    ConsentMethod::Spoken => !by_patient && answer != ConsentAnswer::Given,
                };
                if !in_writing {
                    return Err(Refusal::NotInWriting);
                }
                short("name", name.expose().trim(), 1, 200)?;
                short("language", &language, 2, 10)?;
                // Nobody takes back what was not given; it is a no.
                let answer = match answer {
                    ConsentAnswer::Withdrawn if !self.consents() => ConsentAnswer::Declined,
                    ConsentAnswer::Given | ConsentAnswer::Declined | ConsentAnswer::Withdrawn => {
                        answer
                    }
                };
                let substitution = substitution && answer == ConsentAnswer::Given;
                Deed::Consented { answer, method, name, substitution, language }
            }
            Act::Register { number, expires } => {
                short("number", number.trim(), 1, 60)?;
                if expires < now.day {
                    return Err(Refusal::BadValue { field: "expires".to_owned() });
                }
                Deed::Registered { number, expires }
            }
            Act::Report { report } => {
                if self.term_begins(now.day).is_none() {
                    return Err(Refusal::NotNow);
                }
                let StatusReport { problems, complications, adherence, actions } = report.expose();
                short("problems", problems.trim(), 1, 1_500)?;
                short("complications", complications.trim(), 1, 1_500)?;
                short("adherence", adherence.trim(), 1, 1_500)?;
                short("actions", actions.trim(), 1, 1_500)?;
                Deed::Reported { report }
            }
            Act::Review { goes_on, note } => {
                if self.term_begins(now.day).is_none() {
                    return Err(Refusal::NotNow);
                }
                short("note", note.expose().trim(), usize::from(!goes_on), 1_000)?;
                Deed::Reviewed { goes_on, note }
            }
            Act::Revoke { reason } => {
                short("reason", reason.expose().trim(), 1, 500)?;
                Deed::Revoked { reason }
            }
        };
        Ok(entry(id, who, now, deed))
    }

    /// What is open to somebody now, of what their role may do: for their screen.
    pub fn offers(&self, who: &Who, now: &Now<'_>) -> Vec<ActName> {
        if self.check_party(who).is_err() {
            return Vec::new();
        }
        let standing = self.standing(now.day, now.withdrawn_in_record);
        let running = !standing.is_over();
        let began = self.term_begins(now.day).is_some();
        let is_open = |act: &ActName| match act {
            ActName::Draft => standing == Standing::Draft,
            ActName::Sign => match who.role {
                Role::Pcp => standing == Standing::Draft,
                Role::Pharmacist => standing == Standing::SignedPhysician,
                Role::Patient
                | Role::Caregiver
                | Role::Interpreter
                | Role::Nurse
                | Role::Chw
                | Role::Specialist
                | Role::Facilitator
                | Role::Learner
                | Role::Observer => false,
            },
            ActName::Consent => running && standing != Standing::Draft,
            ActName::Register | ActName::Revoke => running,
            ActName::Report => began,
            ActName::Review => running && began,
        };
        ActName::ALL.into_iter().filter(is_open).collect()
    }

    fn sign(&self, who: &Who, now: &Now<'_>, standing: Standing) -> Result<Deed, Refusal> {
        let gaps = self.gaps(now.day, now.templates)?;
        let sha256 = sha256(self.terms());
        match (standing, who.role) {
            (Standing::Draft, Role::Pcp) => {
                let gaps: Vec<Gap> =
                    gaps.into_iter().filter(|gap| *gap != Gap::Registration).collect();
                if !gaps.is_empty() {
                    return Err(Refusal::NotComplete { gaps });
                }
                let found = now.templates.find(&self.terms().jurisdiction, now.day);
                let template = Box::new(found.ok_or(Refusal::NoTemplate)?.clone());
                Ok(Deed::SignedPhysician { template, sha256 })
            }
            (Standing::SignedPhysician, Role::Pharmacist) => {
                if !gaps.is_empty() {
                    return Err(Refusal::NotComplete { gaps });
                }
                Ok(Deed::SignedPharmacist { sha256 })
            }
            (
                Standing::Draft
                | Standing::SignedPhysician
                | Standing::SignedPharmacist
                | Standing::Active
                | Standing::Expiring
                | Standing::Expired
                | Standing::Withdrawn
                | Standing::Revoked,
                _,
            ) => Err(Refusal::NotNow),
        }
    }

    /// The named physician, the named pharmacist, or the patient; what each role may do is asked before.
    fn check_party(&self, who: &Who) -> Result<(), Refusal> {
        let party = match who.role {
            Role::Pcp => self.physician == who.person,
            Role::Pharmacist => self.terms().pharmacist == Some(who.person),
            // Of whose record this is.
            Role::Patient => true,
            Role::Caregiver
            | Role::Interpreter
            | Role::Nurse
            | Role::Chw
            | Role::Specialist
            | Role::Facilitator
            | Role::Learner
            | Role::Observer => false,
        };
        if party { Ok(()) } else { Err(Refusal::NotYours) }
    }

    /// The entry that something was done under it. [`super::check::check`] has allowed it.
    pub fn acted(id: EntryId, who: &Who, now: &Now<'_>, deed: Deed) -> Entry {
        entry(id, who, now, deed)
    }

    /// The entry about what nobody did in the agreement itself, if it is not noted yet: its last day is over, or the
    /// patient took the consent back in the record.
    pub fn lapsed(&self, id: EntryId, now: &Now<'_>) -> Option<Entry> {
        let noted = self.entries.iter().any(|entry| entry.deed == Deed::Expired);
        let deed = match self.standing(now.day, now.withdrawn_in_record) {
            Standing::Expired if !noted => Deed::Expired,
            Standing::Withdrawn if self.consents() => Deed::Consented {
                answer: ConsentAnswer::Withdrawn,
                method: ConsentMethod::Screen,
                name: Phi::default(),
                substitution: false,
                language: String::new(),
            },
            Standing::Draft
            | Standing::SignedPhysician
            | Standing::SignedPharmacist
            | Standing::Active
            | Standing::Expiring
            | Standing::Expired
            | Standing::Withdrawn
            | Standing::Revoked => return None,
        };
        let Now { at_ms, day, .. } = *now;
        Some(Entry { id, by: None, role: None, name: Phi::default(), at_ms, day, deed })
    }
}

/// What is read of it.
impl Agreement {
    /// Its id.
    pub const fn id(&self) -> AgreementId {
        self.id
    }

    /// Whose.
    pub const fn patient(&self) -> PatientId {
        self.patient
    }

    /// The one physician: who drafted it.
    pub const fn physician(&self) -> PersonId {
        self.physician
    }

    /// The physician's name when they wrote last.
    pub fn physician_name(&self) -> Phi<String> {
        let own = |entry: &&Entry| entry.by == Some(self.physician);
        self.entries.iter().rev().find(own).map(|entry| entry.name.clone()).unwrap_or_default()
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many entries there are: what an act names as seen.
    pub fn seen(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// Whether an entry is in it: it was sent before.
    pub fn holds(&self, entry: EntryId) -> bool {
        self.places.contains_key(&entry)
    }

    /// The terms as they stand.
    pub fn terms(&self) -> &Terms {
        static NONE: std::sync::LazyLock<Terms> = std::sync::LazyLock::new(empty_terms);
        let drafted = self.entries.iter().rev().find_map(|entry| match &entry.deed {
            Deed::Drafted { terms } => Some(terms.expose()),
            _ => None,
        });
        // `load` has seen a draft.
        drafted.unwrap_or(&NONE)
    }

    /// The rules it was signed under.
    pub fn template(&self) -> Option<&Template> {
        self.entries.iter().find_map(|entry| match &entry.deed {
            Deed::SignedPhysician { template, .. } => Some(&**template),
            _ => None,
        })
    }

    /// Whether every signature is under the terms that stand.
    fn is_as_signed(&self) -> bool {
        let mut signed = self.entries.iter().filter_map(|entry| match &entry.deed {
            Deed::SignedPhysician { sha256, .. } | Deed::SignedPharmacist { sha256 } => {
                Some(sha256)
            }
            _ => None,
        });
        let Some(first) = signed.next() else { return true };
        *first == sha256(self.terms()) && signed.all(|other| other == first)
    }

    fn signed_pharmacist(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.deed, Deed::SignedPharmacist { .. }))
    }

    /// The last answer of the patient.
    fn consent(&self) -> Option<(ConsentAnswer, bool)> {
        self.entries.iter().rev().find_map(|entry| match &entry.deed {
            Deed::Consented { answer, substitution, .. } => Some((*answer, *substitution)),
            _ => None,
        })
    }

    /// Whether the patient has said yes, and not otherwise since.
    pub fn consents(&self) -> bool {
        matches!(self.consent(), Some((ConsentAnswer::Given, _)))
    }

    /// Whether the patient has explicitly allowed another drug in the place of one.
    pub fn may_substitute(&self) -> bool {
        matches!(self.consent(), Some((ConsentAnswer::Given, true)))
    }

    /// Since when the patient consents: a withdrawal in the record after it ends the agreement.
    pub fn consented_at(&self) -> Option<Millis> {
        let given = |entry: &&Entry| {
            matches!(entry.deed, Deed::Consented { answer: ConsentAnswer::Given, .. })
        };
        self.entries.iter().rev().find(given).map(|entry| entry.at_ms)
    }

    pub(super) fn substitution_needs_consent(&self) -> bool {
        self.template().is_none_or(|template| template.substitution_needs_consent)
    }

    /// Number and last day of the registration.
    pub fn registration(&self) -> Option<(&str, Day)> {
        self.entries.iter().rev().find_map(|entry| match &entry.deed {
            Deed::Registered { number, expires } => Some((number.as_str(), *expires)),
            _ => None,
        })
    }

    /// The registration is missing or over: until when it held.
    pub(super) fn registration_gap(&self, today: Day) -> Option<Option<Day>> {
        let asked = self.template().is_none_or(|template| template.registration);
        let until = self.registration().map(|(_, expires)| expires);
        let holds = until.is_some_and(|until| today <= until);
        (asked && !holds).then_some(until)
    }

    /// What keeps it from being signed on a day.
    ///
    /// # Errors
    /// No rules of its jurisdiction hold.
    pub fn gaps(&self, today: Day, templates: &Templates) -> Result<Vec<Gap>, Refusal> {
        let found = self.template().or_else(|| templates.find(&self.terms().jurisdiction, today));
        let template = found.ok_or(Refusal::NoTemplate)?;
        let mut gaps = template.gaps(self.terms(), templates, today);
        let registered = self.registration().is_some_and(|(_, expires)| today <= expires);
        if template.registration && !registered {
            gaps.push(Gap::Registration);
        }
        Ok(gaps)
    }

    /// Where it stands on a day. `withdrawn_in_record`: the patient took the written consent back in the record.
    pub fn standing(&self, today: Day, withdrawn_in_record: bool) -> Standing {
        let mut consented = false;
        for entry in &self.entries {
            match &entry.deed {
                Deed::Consented { answer: ConsentAnswer::Given, .. } => consented = true,
                Deed::Consented { answer: ConsentAnswer::Withdrawn, .. } => {
                    return Standing::Withdrawn;
                }
                Deed::Revoked { .. } | Deed::Reviewed { goes_on: false, .. } => {
                    return Standing::Revoked;
                }
                Deed::Consented { answer: ConsentAnswer::Declined, .. } => consented = false,
                Deed::Drafted { .. }
                | Deed::SignedPhysician { .. }
                | Deed::SignedPharmacist { .. }
                | Deed::Registered { .. }
                | Deed::Reported { .. }
                | Deed::Reviewed { goes_on: true, .. }
                | Deed::Acted { .. }
                | Deed::Expired => {}
            }
        }
        if consented && withdrawn_in_record {
            return Standing::Withdrawn;
        }
        let Some(template) = self.template() else { return Standing::Draft };
        // No agreement is signed without both.
        let (Some(start), Some(end)) = (self.terms().start, self.terms().end) else {
            return Standing::Draft;
        };
        if today > end {
            Standing::Expired
        } else if !self.signed_pharmacist() {
            Standing::SignedPhysician
        } else if !consented || today < start {
            Standing::SignedPharmacist
        } else if template
            .notice_days
            .first()
            .is_some_and(|days| today.until(end) <= i32::from(*days))
        {
            Standing::Expiring
        } else {
            Standing::Active
        }
    }

    /// The first day of its term, once that has come and both have signed.
    pub(super) fn term_begins(&self, today: Day) -> Option<Day> {
        self.terms().start.filter(|start| *start <= today && self.signed_pharmacist())
    }
}

fn draft(terms: &Phi<Terms>, now: &Now<'_>) -> Result<(), Refusal> {
    terms.expose().check()?;
    let known = now.templates.find(&terms.expose().jurisdiction, now.day);
    known.map(|_template| ()).ok_or(Refusal::NoTemplate)
}

fn entry(id: EntryId, who: &Who, now: &Now<'_>, deed: Deed) -> Entry {
    let Who { person, role, name } = who;
    Entry {
        id,
        by: Some(*person),
        role: Some(*role),
        name: name.clone(),
        at_ms: now.at_ms,
        day: now.day,
        deed,
    }
}

/// Of the terms as canonical JSON (RFC 8785).
fn sha256(terms: &Terms) -> Sha256Hex {
    Sha256Hex::of(&serde_json_canonicalizer::to_vec(terms).unwrap_or_default())
}

fn empty_terms() -> Terms {
    Terms {
        jurisdiction: String::new(),
        pharmacist: None,
        backup: super::terms::Contact::default(),
        condition: String::new(),
        f2f_visit: None,
        start: None,
        end: None,
        board_told: None,
        disclosure: String::new(),
        communication: super::terms::Communication::default(),
        outcomes: Vec::new(),
        order_set: super::terms::OrderSet::default(),
    }
}
