//! A row of the medication list as a MedicationStatement. What is known of the prescription stands contained in it, as a
//! request we only know of by report.

use super::body::{concept, dosage, required, words};
use super::out::Obj;
use super::people::reference;
use super::row::{Fields, KIND, Made, coding};
use super::{Export, instant, say};
use crate::actor::Millis;
use crate::field::{FieldName, ListName};
use crate::medication::{MedicationKind, MedicationStatus, Sensitivity, Taking, VerifySource};
use crate::record::{Held, Med, Row};

const ADHERENCE: &str =
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-MedicationStatement.adherence";

impl Export<'_> {
    /// The medication list, in its order.
    pub(super) fn medications(&self) -> Vec<Made> {
        let rows = self.record.meds.iter().filter(|row| self.goes(row.id));
        rows.map(|row| self.medication(row)).collect()
    }

    fn medication(&self, row: &Row<Med>) -> Made {
        let mut fields = Fields::of(self, ListName::Meds, row);
        let Med {
            kind,
            product,
            sig,
            prescribed_sig,
            indication,
            prescriber,
            pharmacy,
            supply,
            start,
            status,
            verify,
            sources,
            discrepancy,
            adherence,
            cost_concern,
            high_alert,
            controlled,
            sensitivity,
            indicated,
            effective,
            safe,
            adherent,
            because,
            as_taken,
            how_it_feels,
        } = &row.content;
        fields.register(FieldName::MedsProduct, "Medicine", product, |product| {
            format!("{} {}", product.name, product.strength_form).trim().to_owned()
        });
        // What the medicine is when two people named it: their words, before other open questions join them.
        let unnamed = fields.open().to_vec();
        fields.register(FieldName::MedsSig, "How it is taken", sig, |sig| sig.text.clone());
        fields.register(
            FieldName::MedsPrescribedSig,
            "How it was prescribed",
            prescribed_sig,
            |sig| sig.text.clone(),
        );
        fields.plain(FieldName::MedsStatus, "Status", status);
        fields.plain(FieldName::MedsBecause, "Because of", because);
        fields.plain(FieldName::MedsKind, "Kind", kind);
        fields.register(FieldName::MedsIndication, "What it is for", indication, |line| {
            line.0.clone()
        });
        fields.register(FieldName::MedsPrescriber, "Prescriber", prescriber, |line| line.0.clone());
        fields.register(FieldName::MedsPharmacy, "Pharmacy", pharmacy, |line| line.0.clone());
        fields.plain(FieldName::MedsSupply, "Supply", supply);
        fields.plain(FieldName::MedsStart, "Since", start);
        fields.plain(FieldName::MedsVerify, "Verified", verify);
        fields.plain(FieldName::MedsSources, "Lists compared", sources);
        fields.plain(FieldName::MedsDiscrepancy, "Discrepancy", discrepancy);
        fields.plain(FieldName::MedsAdherence, "Adherence", adherence);
        fields.plain(FieldName::MedsCostConcern, "Price is a worry", cost_concern);
        fields.plain(FieldName::MedsHighAlert, "High-alert medicine", high_alert);
        fields.plain(FieldName::MedsControlled, "Controlled substance", controlled);
        fields.plain(FieldName::MedsSensitivity, "Confidentiality", sensitivity);
        fields.plain(FieldName::MedsIndicated, "Indicated", indicated);
        fields.plain(FieldName::MedsEffective, "Effective", effective);
        fields.plain(FieldName::MedsSafe, "Safe", safe);
        fields.plain(FieldName::MedsAdherent, "Adherent", adherent);
        fields.register(FieldName::MedsAsTaken, "The patient takes it so", as_taken, |line| {
            line.0.clone()
        });
        fields.words(FieldName::MedsHowItFeels, "How it feels", how_it_feels);

        let medicine = required(product, &unnamed, |product| {
            let text = format!("{} {}", product.name, product.strength_form);
            concept(text.trim(), product.code.as_ref())
        });
        let asserted = [at(product), at(status), at(sig), at(verify)].into_iter().flatten().max();
        let stopped = match status.value() {
            Some(MedicationStatus::Stopped { date, reason }) => {
                Some((date.clone(), reason.clone()))
            }
            Some(
                MedicationStatus::Active
                | MedicationStatus::OnHold
                | MedicationStatus::EnteredInError,
            )
            | None => None,
        };
        let end = stopped.as_ref().and_then(|(date, _)| date.clone());
        let begin = start.value().filter(|start| {
            // A period that ends before it begins is no period.
            end.as_ref().is_none_or(|end| end.as_str() >= start.as_str())
        });
        let period = Obj::new()
            .with("start", begin.map(|day| day.as_str()))
            .with("end", end.as_ref().map(|day| day.as_str()));
        let request = self.request(&row.content, &medicine);
        let mut notes = fields.notes();
        notes.extend(as_taken.value().map(|line| words_note("The patient takes it so", &line.0)));
        let part2 = sensitivity.value() == Some(&Sensitivity::Part2);
        if part2 {
            notes.push(Obj::new().with("text", super::body::PART2));
        }
        let statement = Obj::new()
            .with("meta", med_meta(part2))
            .with(
                "extension",
                adherence.value().map(|said| vec![adherence_extension(said.taking, &said.reason)]),
            )
            .with("contained", request.clone().map(|request| vec![request]))
            .with("basedOn", request.map(|_request| vec![Obj::new().with("reference", "#request")]))
            .with("status", status_code(status, adherence.value().map(|said| said.taking)))
            .with("statusReason", stopped.map(|(_, reason)| vec![words(&reason)]))
            .with("category", kind.value().map(|kind| concept_of_kind(*kind)))
            .with("medicationCodeableConcept", medicine)
            .with("subject", self.patient_ref())
            .with("effectivePeriod", period)
            .with("dateAsserted", asserted.map(instant))
            .with("informationSource", self.source_of(row))
            .with("reasonCode", indication.value().map(|line| vec![words(&line.0)]))
            .with("note", notes)
            .with("dosage", sig.value().map(|sig| vec![dosage(sig)]));
        fields.resource("MedicationStatement", row.id, statement)
    }

    /// The prescription, as far as it is known.
    fn request(&self, med: &Med, medicine: &Obj) -> Option<Obj> {
        let prescriber = med.prescriber.value().filter(|line| !line.0.trim().is_empty());
        let pharmacy = med.pharmacy.value().filter(|line| !line.0.trim().is_empty());
        let days = med.supply.value().and_then(|supply| supply.days);
        let prescribed = med.prescribed_sig.value();
        if prescriber.is_none() && pharmacy.is_none() && days.is_none() && prescribed.is_none() {
            return None;
        }
        let bought = med.kind.value().is_some_and(|kind| match kind {
            MedicationKind::Rx | MedicationKind::Sample => false,
            MedicationKind::Otc
            | MedicationKind::Vitamin
            | MedicationKind::Supplement
            | MedicationKind::Herbal
            | MedicationKind::Device => true,
        });
        let status = match med.status.value() {
            Some(MedicationStatus::Active) => "active",
            Some(MedicationStatus::OnHold) => "on-hold",
            Some(MedicationStatus::Stopped { date: _, reason: _ }) => "stopped",
            Some(MedicationStatus::EnteredInError) => "entered-in-error",
            None => "unknown",
        };
        let supply = days.map(|days| {
            Obj::new()
                .with("value", days)
                .with("unit", "days")
                .with("system", "http://unitsofmeasure.org")
                .with("code", "d")
        });
        let dispense = Obj::new()
            .with("expectedSupplyDuration", supply)
            .with("performer", pharmacy.map(|line| Obj::new().with("display", line.0.as_str())));
        Some(
            Obj::resource("MedicationRequest")
                .with("id", "request")
                .with("status", status)
                .with("intent", if bought { "plan" } else { "order" })
                .with("reportedBoolean", true)
                .with("medicationCodeableConcept", medicine.clone())
                .with("subject", self.patient_ref())
                .with(
                    "requester",
                    prescriber.map(|line| Obj::new().with("display", line.0.as_str())),
                )
                .with("dosageInstruction", prescribed.map(|sig| vec![dosage(sig)]))
                .with("dispenseRequest", dispense),
        )
    }

    /// Who said it: the patient, where the patient was asked, else who wrote how it is taken.
    fn source_of(&self, row: &Row<Med>) -> Option<Obj> {
        let asked = row.content.sources.value();
        if asked.is_some_and(|sources| sources.0.contains(&VerifySource::Patient)) {
            return Some(self.patient_ref());
        }
        match &row.content.sig {
            Held::Value(said) => self.who(said.by),
            Held::Empty | Held::Conflict(_) => None,
        }
    }

    /// The list of what stands in it.
    pub(super) fn medication_list(&self, medications: &[Made]) -> Made {
        let id = self.id("medication list");
        let entries = medications.iter().map(|made| Obj::new().with("item", reference(made.id)));
        let entries: Vec<Obj> = entries.collect();
        let empty = entries.is_empty().then(|| {
            Obj::new().with(
                "coding",
                [coding(
                    "http://terminology.hl7.org/CodeSystem/list-empty-reason",
                    "unavailable",
                    "Unavailable",
                )],
            )
        });
        let notice = self.part2.then(|| vec![Obj::new().with("text", super::body::PART2)]);
        let text = format!(
            "<p>Medication list of {}, {} entries.</p>",
            say::escape(self.source.patient.name.expose()),
            entries.len()
        );
        let list = Obj::resource("List")
            .with("id", id.to_string())
            .with(
                "meta",
                Obj::new().with(
                    "profile",
                    ["http://hl7.org/fhir/us/smp/StructureDefinition/smp-medication-list"],
                ),
            )
            .with("text", super::row::div("additional", &text))
            .with("status", "current")
            .with("mode", if self.source.signed.is_some() { "snapshot" } else { "working" })
            .with("title", "Medication list")
            .with(
                "code",
                Obj::new().with(
                    "coding",
                    [coding("http://loinc.org", "10160-0", "History of Medication use Narrative")],
                ),
            )
            .with("subject", self.patient_ref())
            .with("date", instant(self.source.now))
            .with("source", self.author())
            .with("note", notice)
            .with("entry", entries)
            .with("emptyReason", empty);
        Made::new(id, list)
    }
}

fn at<T>(held: &Held<T>) -> Option<Millis> {
    match held {
        Held::Empty => None,
        Held::Value(said) => Some(said.at_ms),
        Held::Conflict(candidates) => candidates.iter().map(|said| said.at_ms).max(),
    }
}

fn med_meta(part2: bool) -> Obj {
    let label =
        coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "42CFRPart2", "42 CFR Part2");
    Obj::new()
        .with("profile", ["http://hl7.org/fhir/us/smp/StructureDefinition/smp-medicationstatement"])
        .with("security", part2.then(|| vec![label]))
}

fn words_note(label: &str, text: &str) -> Obj {
    Obj::new().with("text", format!("{label}: {text}"))
}

fn concept_of_kind(kind: MedicationKind) -> Obj {
    let (code, display) = match kind {
        MedicationKind::Rx => ("rx", "Prescribed"),
        MedicationKind::Otc => ("otc", "Over the counter"),
        MedicationKind::Vitamin => ("vitamin", "Vitamin or mineral"),
        MedicationKind::Supplement => ("supplement", "Dietary supplement"),
        MedicationKind::Herbal => ("herbal", "Herbal"),
        MedicationKind::Sample => ("sample", "Sample"),
        MedicationKind::Device => ("device", "Device"),
    };
    Obj::new().with("coding", [coding(KIND, code, display)])
}

/// A reader that does not know the extension must not think that a medicine is taken which is not.
const fn status_code(status: &Held<MedicationStatus>, taking: Option<Taking>) -> &'static str {
    match status.value() {
        Some(MedicationStatus::Active) => match taking {
            Some(Taking::NotTaking) => "not-taken",
            Some(Taking::AsPrescribed | Taking::Differently | Taking::Unknown) | None => "active",
        },
        Some(MedicationStatus::OnHold) => "on-hold",
        Some(MedicationStatus::Stopped { date: _, reason: _ }) => "stopped",
        Some(MedicationStatus::EnteredInError) => "entered-in-error",
        None => "unknown",
    }
}

fn adherence_extension(taking: Taking, reason: &str) -> Obj {
    let (code, display) = match taking {
        Taking::AsPrescribed => ("taking-as-directed", "Taking As Directed"),
        Taking::Differently => ("taking-not-as-directed", "Taking Not As Directed"),
        Taking::NotTaking => ("not-taking", "Not Taking"),
        Taking::Unknown => ("unknown", "Unknown"),
    };
    let system = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence";
    let code = Obj::new().with("coding", [coding(system, code, display)]);
    let mut inside = vec![Obj::new().with("url", "code").with("valueCodeableConcept", code)];
    if !reason.trim().is_empty() {
        inside.push(Obj::new().with("url", "reason").with("valueCodeableConcept", words(reason)));
    }
    Obj::new().with("url", ADHERENCE).with("extension", inside)
}
