//! Patient, Practitioner, RelatedPerson, Organization: who it is about and by.

use super::out::Obj;
use super::row::{Made, coding, div};
use super::{Export, say};
use crate::actor::{Author, Role};
use crate::fhir::chart::Sex;
use crate::id::PersonId;

const V2_0203: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";

impl Export<'_> {
    /// A reference to the patient.
    pub(super) fn patient_ref(&self) -> Obj {
        let name = self.source.patient.name.expose().as_str();
        reference(self.source.patient_id.0).with("display", name)
    }

    /// A reference to somebody who wrote something; none for a chart that was read in, and for somebody whose name is
    /// not known here.
    pub(super) fn who(&self, by: Author) -> Option<Obj> {
        match by {
            Author::Import => None,
            Author::Seat(actor) => self.person(actor.person),
        }
    }

    /// A reference to a person.
    pub(super) fn person(&self, person: PersonId) -> Option<Obj> {
        let known = self.source.people.get(&person)?;
        if known.role == Role::Patient {
            return Some(self.patient_ref());
        }
        self.used.borrow_mut().insert(person);
        Some(reference(person.0).with("display", known.name.expose().as_str()))
    }

    /// The same where only a professional may stand.
    pub(super) fn professional(&self, person: PersonId) -> Option<Obj> {
        self.source.people.get(&person).filter(|known| is_staff(known.role))?;
        self.person(person)
    }

    /// Who answers for the export.
    pub(super) fn author(&self) -> Obj {
        self.professional(self.source.author)
            .unwrap_or_else(|| Obj::new().with("display", self.source.practice.name.as_str()))
    }

    /// A person's name in a sentence.
    pub(super) fn name_of(&self, by: Author) -> String {
        match by {
            Author::Import => "the imported chart".to_owned(),
            Author::Seat(actor) => self
                .source
                .people
                .get(&actor.person)
                .map_or_else(|| say::value(&actor.role), |known| known.name.expose().clone()),
        }
    }

    /// The patient.
    pub(super) fn patient(&self) -> Made {
        let facts = self.source.patient;
        let id = self.source.patient_id.0;
        let numbers = facts.record_numbers.iter().map(|number| {
            let kind = Obj::new().with("coding", [coding(V2_0203, "MR", "Medical record number")]);
            let system = Some(number.system.as_str()).filter(|system| is_uri(system));
            Obj::new()
                .with("type", kind)
                .with("system", system)
                .with("value", number.value.expose().as_str())
        });
        let mut identifiers: Vec<Obj> = numbers.collect();
        if identifiers.is_empty() {
            identifiers.push(own_identifier(id));
        }
        let name = Obj::new()
            .with("use", "official")
            .with("text", facts.name.expose().as_str())
            .with("family", facts.family.expose().as_str())
            .with("given", facts.given.expose().split(' ').collect::<Vec<_>>());
        let name = if name.members().len() > 1 {
            name
        } else {
            Obj::new().with("extension", [absent("unknown")])
        };
        let contact = |system: &'static str, value: &str, kind: Option<&'static str>| {
            Obj::new().with("system", system).with("value", value).with("use", kind)
        };
        let phones = facts.phones.iter().enumerate().map(|(place, phone)| {
            let kind = if place == 0 { Some("mobile") } else { None };
            contact("phone", phone.expose(), kind.filter(|_| facts.phones.len() > 1))
        });
        let mails = facts.emails.iter().map(|mail| contact("email", mail.expose(), None));
        let gender = match facts.sex.expose() {
            Sex::Male => "male",
            Sex::Female => "female",
            Sex::Other => "other",
            Sex::Unknown => "unknown",
        };
        let language = facts.language.as_ref().map(|tag| {
            let code =
                Obj::new().with("system", "urn:ietf:bcp:47").with("code", tag.expose().as_str());
            [Obj::new().with("language", Obj::new().with("coding", [code])).with("preferred", true)]
        });
        let born = facts.birth_date.as_ref().map(|day| day.expose().as_str());
        let words = format!(
            "<p>{}, {}</p>",
            say::escape(facts.name.expose()),
            born.unwrap_or("date of birth not known")
        );
        let mut patient = Obj::resource("Patient")
            .with("id", id.to_string())
            .with("text", div("generated", &words))
            .with("identifier", identifiers)
            .with("name", [name])
            .with("telecom", phones.chain(mails).collect::<Vec<_>>())
            .with("gender", gender)
            .with("birthDate", born);
        if let Some(deceased) = facts.deceased.as_ref() {
            patient = match &deceased.expose().on {
                Some(day) => patient.with("deceasedDateTime", day.as_str()),
                None => patient.with("deceasedBoolean", true),
            };
        }
        Made::new(id, patient.with("communication", language.map(Vec::from)))
    }

    /// Everybody who was referred to so far.
    pub(super) fn people(&self) -> Vec<Made> {
        let used = self.used.borrow();
        let known = used.iter().filter_map(|id| Some((id, self.source.people.get(id)?)));
        known
            .map(|(id, known)| {
                let name = known.name.expose();
                let words = div("generated", &format!("<p>{}</p>", say::escape(name)));
                let base = |kind| {
                    Obj::resource(kind)
                        .with("id", id.to_string())
                        .with("text", words.clone())
                        .with("identifier", [own_identifier(id.0)])
                };
                if is_staff(known.role) {
                    let person = base("Practitioner").with("name", [human_name(name)]);
                    Made::new(id.0, person)
                } else {
                    let person = base("RelatedPerson")
                        .with("patient", self.patient_ref())
                        .with("relationship", [Obj::new().with("text", say::value(&known.role))])
                        .with("name", [human_name(name)]);
                    Made::new(id.0, person)
                }
            })
            .collect()
    }

    /// The organisation that keeps the record.
    pub(super) fn practice(&self) -> Made {
        let practice = self.source.practice;
        let id = self.id("organization");
        let name = Some(practice.name.as_str()).filter(|name| !name.trim().is_empty());
        let name = name.unwrap_or("The practice");
        let phone = Some(practice.phone.as_str()).filter(|phone| !phone.trim().is_empty());
        let organization = Obj::resource("Organization")
            .with("id", id.to_string())
            .with("text", div("generated", &format!("<p>{}</p>", say::escape(name))))
            .with("identifier", [own_identifier(id)])
            .with("active", true)
            .with("name", name)
            .with(
                "telecom",
                phone.map(|phone| vec![Obj::new().with("system", "phone").with("value", phone)]),
            );
        Made::new(id, organization)
    }
}

/// Works here, or is a colleague elsewhere.
const fn is_staff(role: Role) -> bool {
    match role {
        Role::Patient | Role::Caregiver => false,
        Role::Interpreter
        | Role::Pharmacist
        | Role::Pcp
        | Role::Nurse
        | Role::Chw
        | Role::Specialist
        | Role::Facilitator
        | Role::Learner
        | Role::Observer => true,
    }
}

/// "Dr. Priya Raman, MD" with the parts a reader sorts by; the whole always stands in `text`.
fn human_name(name: &str) -> Obj {
    let (person, suffix) = match name.split_once(',') {
        Some((person, suffix)) => (person, Some(suffix.trim())),
        None => (name, None),
    };
    let mut words: Vec<&str> = person.split_whitespace().collect();
    let prefix = words
        .first()
        .copied()
        .filter(|first| words.len() > 1 && first.ends_with('.') && first.len() > 2);
    if prefix.is_some() {
        words.remove(0);
    }
    let family = words.pop();
    Obj::new()
        .with("text", name)
        .with("family", family)
        .with("given", words)
        .with("prefix", prefix.map(|prefix| vec![prefix]))
        .with("suffix", suffix.map(|suffix| vec![suffix]))
}

/// A reference inside the bundle.
pub(super) fn reference(id: uuid::Uuid) -> Obj {
    Obj::new().with("reference", format!("urn:uuid:{id}"))
}

/// Why an element that must be there is not (FHIR R4, extension data-absent-reason).
pub(super) fn absent(why: &'static str) -> Obj {
    Obj::new()
        .with("url", "http://hl7.org/fhir/StructureDefinition/data-absent-reason")
        .with("valueCode", why)
}

/// Our own id as an identifier: unique for ever, and no secret.
pub(super) fn own_identifier(id: uuid::Uuid) -> Obj {
    Obj::new().with("system", "urn:ietf:rfc:3986").with("value", format!("urn:uuid:{id}"))
}

/// Whether a text can stand where FHIR wants a `uri`.
pub(super) fn is_uri(text: &str) -> bool {
    text.contains(':') && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}
