//! HL7 Standardized Medication Profile 1.0.0 (STU 1): the bundle of a medication action plan, or of the list alone.

use super::body::{entries, paragraphs, section};
use super::out::Obj;
use super::people::{absent, own_identifier};
use super::row::{Made, coding, div};
use super::{Export, instant, say};

const SNOMED: &str = "http://snomed.info/sct";
const LOINC: &str = "http://loinc.org";

pub(super) fn bundle(export: &Export<'_>) -> Obj {
    let medications = export.medications();
    let list = export.medication_list(&medications);
    let issues: Vec<Made> = export.problems().map(|row| export.detected_issue(row)).collect();
    let allergies = export.allergies();
    let immunizations = export.immunizations();
    let conditions = export.conditions();
    let measures = export.measures();
    let id = export.document();
    if issues.is_empty() {
        let mut made = vec![list, export.patient()];
        made.extend(medications);
        made.extend(allergies);
        made.extend(immunizations);
        made.extend(conditions);
        made.extend(measures);
        made.extend(export.people());
        return Obj::resource("Bundle")
            .with("id", id.to_string())
            .with(
                "meta",
                export.meta(Some("http://hl7.org/fhir/us/smp/StructureDefinition/smp-bundle")),
            )
            .with("identifier", own_identifier(id))
            .with("type", "collection")
            .with("timestamp", instant(export.source.now))
            .with("entry", entries(made));
    }
    let goals = export.goals(&[]);
    let plan = export.care_plan(&goals, &issues, &[]);
    let composition = composition(export, &plan, &issues, &list, &medications);
    let mut made = vec![composition, export.patient(), plan];
    made.extend(issues);
    made.push(list);
    made.extend(medications);
    made.extend(allergies);
    made.extend(immunizations);
    made.extend(conditions);
    made.extend(measures);
    made.extend(goals);
    made.extend(export.people());
    made.push(export.practice());
    Obj::resource("Bundle")
        .with("id", id.to_string())
        .with(
            "meta",
            export.meta(Some(
                "http://hl7.org/fhir/us/smp/StructureDefinition/smp-medication-action-plan-bundle",
            )),
        )
        .with("identifier", own_identifier(id))
        .with("type", "document")
        .with("timestamp", instant(export.source.now))
        .with("entry", entries(made))
}

fn composition(
    export: &Export<'_>,
    plan: &Made,
    issues: &[Made],
    list: &Made,
    medications: &[Made],
) -> Made {
    let plan_code = coding(SNOMED, "736378000", "Medication management plan (record artifact)");
    let list_code = coding(LOINC, "10160-0", "History of Medication use Narrative");
    let said = format!("{} medication therapy problems.", issues.len());
    let counted = format!("{} medicines.", medications.len());
    let id = export.id("composition");
    let resource =
        document(export, id, "http://hl7.org/fhir/us/smp/StructureDefinition/smp-map-composition")
            .with(
                "type",
                Obj::new()
                    .with("coding", [coding(LOINC, "80797-4", "Pharmacology Plan of care note")]),
            )
            .with("subject", export.patient_ref())
            .with("date", instant(export.source.now))
            .with("author", [export.author()])
            .with("title", "Medication action plan")
            .with("attester", [attester(export)])
            .with("custodian", super::people::reference(export.id("organization")))
            .with(
                "section",
                [
                    section(
                        "Medication action plan",
                        plan_code,
                        &paragraphs([said.as_str()]),
                        &[plan],
                    ),
                    section("Medication list", list_code, &paragraphs([counted.as_str()]), &[list]),
                ],
            );
    Made::new(id, resource)
}

/// What every document of ours begins with. A draft says that nobody has signed it.
pub(super) fn document(export: &Export<'_>, id: uuid::Uuid, profile: &'static str) -> Obj {
    let state = match export.source.signed {
        Some(signed) => format!("Version {}, signed.", signed.version),
        None => "Draft: nobody has signed it.".to_owned(),
    };
    let about = format!("Medication action plan of {}.", export.source.patient.name.expose());
    let mut lines = vec![about.as_str(), state.as_str()];
    if export.part2 {
        lines.push(super::body::PART2);
    }
    Obj::resource("Composition")
        .with("id", id.to_string())
        .with("meta", Obj::new().with("profile", [profile]))
        .with("language", "en-US")
        .with("text", div("additional", &paragraphs(lines)))
        .with("identifier", own_identifier(export.document()))
        .with("status", if export.source.signed.is_some() { "final" } else { "preliminary" })
}

/// Who signed. Of a draft nobody has, and the profile wants an attester all the same: it says that there is none yet.
pub(super) fn attester(export: &Export<'_>) -> Obj {
    let attester = Obj::new();
    match export.source.signed {
        Some(signed) => {
            let party = export.professional(signed.by).unwrap_or_else(|| export.author());
            attester
                .with("mode", "professional")
                .with("time", instant(signed.at_ms))
                .with("party", party)
        }
        None => attester.with("extension", [absent("temp-unknown")]).with("mode", "professional"),
    }
}

/// Names of what a section holds, for its words.
pub(super) fn named(texts: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = texts.filter(|text| !text.trim().is_empty()).collect();
    let body: String = lines.iter().map(|text| format!("<p>{}</p>", say::escape(text))).collect();
    if body.is_empty() { "<p>None.</p>".to_owned() } else { body }
}
