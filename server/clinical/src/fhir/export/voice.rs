//! The patient's own part and the team's: what somebody said, agreed to, or keeps as a note.

use super::body::words;
use super::out::Obj;
use super::people::reference;
use super::row::{Fields, Made, coding};
use super::{Export, say};
use crate::access::{AccessLevel, AccessWish, Subject};
use crate::consent::{Consent, ConsentState};
use crate::field::{FieldName, ListName};
use crate::record::{Factors, Held, Row};

impl Export<'_> {
    /// Questions, remarks, what the patient did, comments of the team: messages about the record.
    pub(super) fn messages(&self) -> Vec<Made> {
        let mut made = Vec::new();
        for row in &self.record.questions {
            let mut fields = Fields::of(self, ListName::Questions, row);
            fields.words(FieldName::QuestionsText, "Question", &row.content.text);
            fields.plain(FieldName::QuestionsAnswered, "Answered", &row.content.answered);
            let message = self.message("Question of the patient", &row.content.text.text, None);
            made.push(fields.resource("Communication", row.id, message));
        }
        for row in self.record.what_i_did.iter().filter(|row| self.goes(row.id)) {
            let mut fields = Fields::of(self, ListName::WhatIDid, row);
            fields.plain(FieldName::WhatIDidTodo, "About", &row.content.todo);
            fields.words(FieldName::WhatIDidText, "What I did", &row.content.text);
            let about = row.content.todo.value().filter(|id| {
                self.goes(**id) && self.record.todos.iter().any(|todo| todo.id == **id)
            });
            let about = about.map(|id| reference(id.0));
            let message = self.message("What the patient did", &row.content.text.text, about);
            made.push(fields.resource("Communication", row.id, message));
        }
        for row in self.record.remarks.iter().filter(|row| self.goes(row.id)) {
            let mut fields = Fields::of(self, ListName::Remarks, row);
            fields.plain(FieldName::RemarksAbout, "About", &row.content.about);
            fields.words(FieldName::RemarksText, "Remark", &row.content.text);
            fields.plain(FieldName::RemarksState, "State", &row.content.state);
            let message = self.message("Remark of the patient", &row.content.text.text, None);
            made.push(fields.resource("Communication", row.id, message));
        }
        for row in self.record.comments.iter().filter(|row| self.goes(row.id)) {
            let mut fields = Fields::of(self, ListName::Comments, row);
            fields.plain(FieldName::CommentsAbout, "About", &row.content.about);
            fields.words(FieldName::CommentsText, "Comment", &row.content.text);
            let message = self.message("Comment of the team", &row.content.text.text, None);
            made.push(fields.resource("Communication", row.id, message));
        }
        for row in self.record.dismissals.iter().filter(|row| self.goes(row.id)) {
            let mut fields = Fields::of(self, ListName::Dismissals, row);
            fields.plain(FieldName::DismissalsContent, "Prompt laid aside", &row.content);
            let reason = row.content.value().map_or("", |laid| laid.reason());
            let message = self.message("Prompt laid aside", reason, None);
            made.push(fields.resource("Communication", row.id, message));
        }
        made
    }

    fn message(&self, kind: &str, text: &str, about: Option<Obj>) -> Obj {
        let payload =
            (!text.trim().is_empty()).then(|| vec![Obj::new().with("contentString", text)]);
        Obj::new()
            .with("status", "completed")
            .with("category", [words(kind)])
            .with("subject", self.patient_ref())
            .with("about", about.map(|about| vec![about]))
            .with("payload", payload)
    }

    /// What the patient agreed to.
    pub(super) fn consents(&self) -> Vec<Made> {
        self.record.consents.iter().map(|row| self.consent(row)).collect()
    }

    fn consent(&self, row: &Row<Held<Consent>>) -> Made {
        let mut fields = Fields::of(self, ListName::Consents, row);
        fields.plain(FieldName::ConsentsContent, "Consent", &row.content);
        let (status, decision) = match row.content.value().map(|consent| consent.state) {
            Some(ConsentState::Given) => ("active", Some("permit")),
            Some(ConsentState::Declined) => ("rejected", Some("deny")),
            Some(ConsentState::Withdrawn) => ("inactive", Some("deny")),
            None => ("proposed", None),
        };
        let kind = match row.content.value() {
            Some(consent) => words(&say::value(&consent.kind)),
            None => self.said(&row.content, fields.open()),
        };
        let witness =
            row.content.value().map(|consent| consent.witness.as_str()).unwrap_or_default();
        let verified = (!witness.trim().is_empty()).then(|| {
            vec![
                Obj::new()
                    .with("verified", true)
                    .with("verifiedWith", Obj::new().with("display", witness)),
            ]
        });
        let resource = self
            .privacy_consent(&row.content, status, &kind)
            .with("verification", verified)
            .with("provision", Obj::new().with("type", decision));
        fields.resource("Consent", row.id, resource)
    }

    /// Who may see the plan: each wish a privacy consent of its own (R4 Consent.provision.actor).
    pub(super) fn access(&self) -> Vec<Made> {
        self.record.access.iter().map(|row| self.wish(row)).collect()
    }

    fn wish(&self, row: &Row<Held<AccessWish>>) -> Made {
        let mut fields = Fields::of(self, ListName::Access, row);
        fields.plain(FieldName::AccessContent, "Access", &row.content);
        let wish = row.content.value();
        let (status, decision) = match wish.map(|wish| wish.level) {
            Some(AccessLevel::None) => ("active", Some("deny")),
            Some(
                AccessLevel::Listen
                | AccessLevel::EditVoice
                | AccessLevel::Legal
                | AccessLevel::AsRole,
            ) => ("active", Some("permit")),
            None => ("proposed", None),
        };
        let whom = wish.map(|wish| match &wish.subject {
            Subject::Person { person: _, name } => name.clone(),
            Subject::Role { role } => say::value(role),
        });
        let actor = whom.map(|whom| {
            let system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
            let role = coding(system, "IRCP", "information recipient");
            vec![
                Obj::new()
                    .with("role", Obj::new().with("coding", [role]))
                    .with("reference", Obj::new().with("display", whom)),
            ]
        });
        let kind = match wish {
            Some(wish) => words(&say::value(&wish.level)),
            None => self.said(&row.content, fields.open()),
        };
        let resource = self
            .privacy_consent(&row.content, status, &kind)
            .with("provision", Obj::new().with("type", decision).with("actor", actor));
        fields.resource("Consent", row.id, resource)
    }

    /// What every Consent of ours has (R4 Consent, scope `patient-privacy`): its kind, whose, when and by whom.
    fn privacy_consent<T>(&self, content: &Held<T>, status: &str, kind: &Obj) -> Obj {
        let system = "http://terminology.hl7.org/CodeSystem/consentscope";
        let scope =
            Obj::new().with("coding", [coding(system, "patient-privacy", "Privacy Consent")]);
        let document = coding("http://loinc.org", "59284-0", "Consent Document");
        let performer = match content {
            Held::Value(said) => self.who(said.by),
            Held::Empty | Held::Conflict(_) => None,
        };
        Obj::new()
            .with("status", status)
            .with("scope", scope)
            .with("category", [Obj::new().with("coding", [document]), kind.clone()])
            .with("patient", self.patient_ref())
            .with("dateTime", self.written(content))
            .with("performer", performer.map(|who| vec![who]))
            .with("policyRule", kind.clone())
    }

    /// What matters to the patient, in own words.
    pub(super) fn own_words(&self) -> Option<Made> {
        let record = self.record;
        let Factors { culture, values, home, social, lifestyle, literacy, function, cost } =
            &record.factors;
        let texts = [
            (FieldName::MyGoals, "What matters to me", &record.my_goals),
            (FieldName::MyConcerns, "What worries me", &record.my_concerns),
            (FieldName::FactorsCulture, "Customs and beliefs", culture),
            (FieldName::FactorsValues, "What I value", values),
            (FieldName::FactorsHome, "Home and family", home),
            (FieldName::FactorsSocial, "Work, transport, food, housing", social),
            (FieldName::FactorsLifestyle, "Eating, moving, drinking, smoking", lifestyle),
            (FieldName::FactorsLiteracy, "Reading and numbers", literacy),
            (
                FieldName::FactorsFunction,
                "Swallowing, seeing, hearing, moving, remembering",
                function,
            ),
            (FieldName::FactorsCost, "Paying for medicines", cost),
        ];
        let mut fields = Fields::whole(self);
        let mut items = Vec::new();
        for (field, label, text) in texts {
            fields.words(field, label, text);
            if !text.text.trim().is_empty() {
                items.push(item(field, label, &text.text));
            }
        }
        let preference = &record.contact_preference;
        fields.plain(FieldName::ContactPreference, "How to reach me", preference);
        if let Some(preference) = preference.value() {
            items.push(item(
                FieldName::ContactPreference,
                "How to reach me",
                &say::value(preference),
            ));
        }
        for open in fields.open().to_vec() {
            items.push(item(FieldName::ContactPreference, "How to reach me", &open));
        }
        if items.is_empty() {
            return None;
        }
        let resource = Obj::new()
            .with("status", "completed")
            .with("subject", self.patient_ref())
            .with("authored", super::instant(self.source.now))
            .with("source", self.patient_ref())
            .with("item", items);
        Some(fields.made("QuestionnaireResponse", self.id("own words"), resource))
    }

    /// The team's working notes.
    pub(super) fn team_notes(&self) -> Option<Made> {
        let (note, thoughts) = (&self.record.note, &self.record.working_thoughts);
        let mut fields = Fields::whole(self);
        fields.words(FieldName::Note, "Working note", note);
        fields.words(FieldName::WorkingThoughts, "Thoughts that are not yet a plan", thoughts);
        let notes: Vec<Obj> = [note, thoughts]
            .into_iter()
            .filter(|words| !words.text.trim().is_empty())
            .map(|words| Obj::new().with("text", words.text.as_str()))
            .collect();
        if notes.is_empty() {
            return None;
        }
        let resource = Obj::new()
            .with("status", "in-progress")
            .with("subject", self.patient_ref())
            .with("date", super::instant(self.source.now))
            .with("note", notes);
        Some(fields.made("ClinicalImpression", self.id("team notes"), resource))
    }
}

fn item(field: FieldName, label: &str, text: &str) -> Obj {
    Obj::new()
        .with("linkId", field.as_str())
        .with("text", label)
        .with("answer", [Obj::new().with("valueString", text)])
}
