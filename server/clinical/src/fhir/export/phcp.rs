//! HL7 Pharmacist Care Plan 1.0.0 (R4): a document of health concerns, goals, interventions and outcomes.

use super::body::{entries, section};
use super::out::Obj;
use super::people::own_identifier;
use super::row::{Made, coding, div};
use super::smp::{attester, document, named};
use super::{Export, instant, say};
use crate::medication::Supply;

const LOINC: &str = "http://loinc.org";

pub(super) fn bundle(export: &Export<'_>) -> Obj {
    let record = export.record;
    let problems: Vec<Made> = export.problems().map(|row| export.therapy_condition(row)).collect();
    let conditions = export.conditions();
    let allergies = export.allergies();
    let problem_ids: Vec<uuid::Uuid> = problems.iter().map(|made| made.id).collect();
    let goals = export.goals(&problem_ids);
    let medications = export.medications();
    let dispenses = export.dispenses();
    let sent: Vec<Made> = export.recommendations().map(|row| export.communication(row)).collect();
    let done: Vec<Made> =
        export.recommendations().filter_map(|row| export.intervention(row)).collect();
    let taught = export.teach_backs();
    let referral = export.referral();
    let measures = export.measures();
    let plan = export.care_plan(&goals, &[], &[]);

    let problem_words = export.problems().map(|row| {
        let category = row.content.category.value().map(say::value).unwrap_or_default();
        format!("{category}: {}", row.content.association.text).trim_matches([':', ' ']).to_owned()
    });
    let condition_words = record
        .conditions
        .iter()
        .map(|row| row.content.value().map(|condition| condition.text.clone()).unwrap_or_default());
    let allergy_words = record.allergies.iter().map(|row| {
        let substance = row.content.value().map(|allergy| allergy.substance.as_str());
        substance.map(|substance| format!("Allergy: {substance}")).unwrap_or_default()
    });
    let goal_words = record.goals.iter().map(|row| row.content.text.text.clone());
    let intervention_words = export.recommendations().map(|row| {
        row.content.content.value().map(|content| content.summary.clone()).unwrap_or_default()
    });
    let outcome_words = export.problems().map(|row| super::chart::shown(&row.content.outcome));

    let concerns: Vec<&Made> = problems.iter().chain(&conditions).chain(&allergies).collect();
    let interventions: Vec<&Made> = sent
        .iter()
        .chain(&done)
        .chain(&taught)
        .chain(&referral)
        .chain(&medications)
        .chain(&dispenses)
        .collect();
    let id = export.id("composition");
    let period = Obj::new().with("start", instant(export.source.now));
    let period = match record.outline.duration.value() {
        Some(duration) => Obj::new()
            .with("start", duration.start.as_str())
            .with("end", duration.planned_end.as_str()),
        None => period,
    };
    let concern_words = named(problem_words.chain(condition_words).chain(allergy_words));
    let composition =
        document(export, id, "http://hl7.org/fhir/us/phcp/StructureDefinition/PhCP-Composition")
            .with(
                "type",
                Obj::new().with("coding", [coding(LOINC, "18776-5", "Plan of care note")]),
            )
            .with("subject", export.patient_ref())
            .with("date", instant(export.source.now))
            .with("author", [export.author()])
            .with("title", "Pharmacist care plan")
            .with("attester", [attester(export)])
            .with("custodian", super::people::reference(export.id("organization")))
            .with(
                "event",
                [Obj::new()
                    .with("period", period)
                    .with("detail", [super::people::reference(plan.id)])],
            )
            .with(
                "section",
                [
                    section(
                        "Health concerns",
                        coding(LOINC, "75310-3", "Health concerns Document"),
                        &concern_words,
                        &concerns,
                    ),
                    section(
                        "Goals",
                        coding(LOINC, "61146-7", "Goals"),
                        &named(goal_words),
                        &goals.iter().collect::<Vec<_>>(),
                    ),
                    section(
                        "Interventions",
                        coding(LOINC, "62387-6", "Interventions Provided"),
                        &named(intervention_words),
                        &interventions,
                    ),
                    section(
                        "Outcomes",
                        coding(LOINC, "11383-7", ""),
                        &named(outcome_words),
                        &measures.iter().collect::<Vec<_>>(),
                    ),
                ],
            );
    let mut made = vec![Made::new(id, composition), export.patient(), plan];
    made.extend(problems);
    made.extend(conditions);
    made.extend(allergies);
    made.extend(goals);
    made.extend(sent);
    made.extend(done);
    made.extend(taught);
    made.extend(referral);
    made.extend(medications);
    made.extend(dispenses);
    made.extend(measures);
    made.extend(export.people());
    made.push(export.practice());
    let document = export.document();
    Obj::resource("Bundle")
        .with("id", document.to_string())
        .with("meta", export.meta(None))
        .with("identifier", own_identifier(document))
        .with("type", "document")
        .with("timestamp", instant(export.source.now))
        .with("entry", entries(made))
}

impl Export<'_> {
    /// Fills that are known by their day.
    fn dispenses(&self) -> Vec<Made> {
        let rows = self.record.meds.iter().filter(|row| self.goes(row.id));
        rows.filter_map(|row| {
            let Supply { days, last_fill } = row.content.supply.value()?;
            let (day, product) = (last_fill.as_ref()?, row.content.product.value()?);
            let id = self.id(&format!("dispense {}", row.id));
            let days = days.map(|days| Obj::new().with("value", days).with("unit", "days"));
            let resource = Obj::resource("MedicationDispense")
                .with("id", id.to_string())
                .with(
                    "meta",
                    Obj::new().with(
                        "profile",
                        ["http://hl7.org/fhir/us/phcp/StructureDefinition/PhCP-MedicationDispense"],
                    ),
                )
                .with("text", div("generated", &format!("<p>{}</p>", say::escape(&product.name))))
                .with("status", "completed")
                .with(
                    "medicationCodeableConcept",
                    super::body::concept(&product.name, product.code.as_ref()),
                )
                .with("subject", self.patient_ref())
                .with("daysSupply", days)
                .with("whenHandedOver", day.as_str());
            Some(Made::new(id, resource))
        })
        .collect()
    }
}
