//! Collaborative drug therapy management: an agreement from draft to end, and what it allows.

mod a6;
mod allowed;
mod attacks;

use clinical::actor::{Actor, Millis, Role};
use clinical::cdtm::agreement::{Agreement, Now, Standing, Who};
use clinical::cdtm::day::Day;
use clinical::cdtm::entry::{Act, ActName, ConsentAnswer, ConsentMethod, Refusal, StatusReport};
use clinical::cdtm::template::Templates;
use clinical::cdtm::terms::Terms;
use clinical::id::{AgreementId, EntryId, PatientId};
use clinical::phi::Phi;
use serde_json::{Value as Json, json};

use crate::common::*;

const FILE: &str = include_str!("../../../rules/cdtm.json");

pub(crate) fn templates() -> Templates {
    Templates::parse(FILE).unwrap()
}

pub(crate) fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

pub(crate) fn patient_id() -> PatientId {
    PatientId(uuid(6, 1))
}

pub(crate) fn agreement_id() -> AgreementId {
    AgreementId(uuid(7, 1))
}

/// Dr. Raman's order set for hypertension, with Ana Reyes, from 15 January 2026 to 14 January 2027.
pub(crate) fn terms() -> Json {
    json!({
        "jurisdiction": "LA",
        "pharmacist": pharmacist().person,
        "backup": { "name": "Dr. Luis Ortega", "phone": "555-0188" },
        "condition": "Hypertension",
        "f2f_visit": "2026-01-08",
        "start": "2026-01-15",
        "end": "2027-01-14",
        "board_told": "2026-01-09",
        "disclosure": "The pharmacist is paid by the practice. Neither is paid by a maker of drugs.",
        "communication": { "method": "phone", "frequency": "each month", "format": "note in the record" },
        "outcomes": ["Blood pressure below 140/90"],
        "order_set": {
            "pharmacist_phone": "555-0142",
            "provider_phone": "555-0175",
            "patient": {
                "name": "Ruth Delgado", "address": "12 Elm St, Monroe LA", "gender": "female",
                "dob": "1954-03-02", "phone": "555-0121",
            },
            "drugs": [
                { "ingredient": "lisinopril", "actions": ["start", "stop", "hold", "change_dose", "change_time", "change_drug", "change_form"],
                  "dose": { "least": "2.5", "most": "40", "most_per_day": "40", "unit": "mg" } },
                { "ingredient": "losartan", "actions": ["start", "stop", "change_dose"],
                  "dose": { "least": "25", "most": "100", "most_per_day": "100", "unit": "mg" } },
                { "ingredient": "amlodipine", "actions": ["stop"], "dose": null },
            ],
            "extent": "Start, stop and adjust the drugs listed for hypertension.",
            "responsibilities": { "physician": "Diagnosis, yearly review.", "pharmacist": "Titration, labs, reports." },
            "procedures": "Titrate every 2 to 4 weeks by home readings.",
            "tests": ["Basic metabolic panel", "Potassium"],
            "reporting": "Note in the record after each visit.",
            "notify_events": ["Systolic above 180", "Potassium above 5.5"],
            "immediate_consultation": "Call Dr. Raman, else Dr. Ortega.",
        },
    })
}

pub(crate) fn patient() -> Actor {
    actor(9, Role::Patient)
}

fn who(actor: &Actor) -> Who {
    let name = match actor.role {
        Role::Pcp => "Dr. Priya Raman",
        Role::Pharmacist => "Ana Reyes, PharmD",
        _ => "Ruth Delgado",
    };
    Who { person: actor.person, role: actor.role, name: Phi::new(name.to_owned()) }
}

/// An agreement on paper, and the day.
pub(crate) struct Paper {
    pub(crate) agreement: Agreement,
    pub(crate) templates: Templates,
    pub(crate) today: Day,
    next: u128,
}

impl Paper {
    /// Drafted by the physician.
    pub(crate) fn drafted(terms: Json, today: &str) -> Result<Self, Refusal> {
        let templates = templates();
        let today = day(today);
        let act = draft(terms);
        let entry = Agreement::begin(entry_id(1), &who(&pcp()), &now(&templates, today, 1), act)?;
        let agreement = Agreement::load(agreement_id(), patient_id(), vec![entry]).unwrap();
        Ok(Self { agreement, templates, today, next: 1 })
    }

    /// Signed by both, with the patient's written consent, since 15 January 2026.
    pub(crate) fn active() -> Self {
        Self::signed(terms(), false)
    }

    pub(crate) fn signed(terms: Json, substitution: bool) -> Self {
        let mut paper = Self::drafted(terms, "2026-01-10").unwrap();
        paper.act(&pharmacist(), register()).unwrap();
        paper.act(&pcp(), Act::Sign).unwrap();
        paper.act(&pharmacist(), Act::Sign).unwrap();
        paper.act(&patient(), consent(ConsentAnswer::Given, substitution)).unwrap();
        paper.today = day("2026-01-15");
        paper
    }

    pub(crate) fn act(&mut self, by: &Actor, act: Act) -> Result<(), Refusal> {
        let seen = self.agreement.seen();
        self.act_as(by, act, seen)
    }

    pub(crate) fn act_as(&mut self, by: &Actor, act: Act, seen: u32) -> Result<(), Refusal> {
        self.next += 1;
        let now = now(&self.templates, self.today, self.next);
        let entry = self.agreement.decide(entry_id(self.next), &who(by), &now, act, seen)?;
        // As it is stored and read again.
        let mut entries = self.agreement.entries().to_vec();
        entries.push(serde_json::from_value(serde_json::to_value(entry).unwrap()).unwrap());
        self.agreement = Agreement::load(agreement_id(), patient_id(), entries).unwrap();
        Ok(())
    }

    /// What the screen of somebody offers.
    pub(crate) fn offers(&self, by: &Actor) -> Vec<ActName> {
        self.agreement.offers(&who(by), &now(&self.templates, self.today, self.next))
    }

    pub(crate) fn on(&self, text: &str) -> Standing {
        self.agreement.standing(day(text), false)
    }
}

fn entry_id(n: u128) -> EntryId {
    EntryId(uuid(8, n))
}

fn now(templates: &Templates, day: Day, n: u128) -> Now<'_> {
    let at_ms = Millis(T0 + i64::try_from(n).unwrap());
    Now { at_ms, day, templates, withdrawn_in_record: false }
}

pub(crate) fn draft(terms: Json) -> Act {
    let terms: Terms = serde_json::from_value(terms).unwrap();
    Act::Draft { terms: Box::new(Phi::new(terms)) }
}

pub(crate) fn register() -> Act {
    Act::Register { number: "CDTM-118".to_owned(), expires: day("2027-01-31") }
}

pub(crate) fn consent(answer: ConsentAnswer, substitution: bool) -> Act {
    Act::Consent {
        answer,
        method: ConsentMethod::Screen,
        name: Phi::new("Ruth Delgado".to_owned()),
        substitution,
        language: "es".to_owned(),
    }
}

pub(crate) fn report() -> Act {
    let said = |text: &str| text.to_owned();
    Act::Report {
        report: Phi::new(StatusReport {
            problems: said("None."),
            complications: said("None."),
            adherence: said("Takes it as agreed."),
            actions: said("Lisinopril 10 to 20 mg."),
        }),
    }
}
