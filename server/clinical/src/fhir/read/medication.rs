//! MedicationRequest, MedicationStatement and MedicationDispense: rows of the medication list.
//!
//! A request and what is stated or dispensed on it are one row. The same product twice otherwise stays two rows:
//! which of them is right is for a person to say.

use std::collections::{BTreeMap, BTreeSet};

use super::Reader;
use super::code::{Concept, RXNORM};
use super::dosage;
use super::patient::human_name;
use crate::fhir::chart::ChartRow;
use crate::fhir::issue::IssueCode;
use crate::fhir::node::{Node, fit};
use crate::field::{FieldName, ListName};
use crate::ingredient;
use crate::medication::{
    Adherence, MedicationKind, MedicationStatus, Product, Sig, Taking, Verify,
};
use crate::value::{Check, Code, Line, PartialDate, Value};

pub(in crate::fhir) use ingredient::of as ingredients_of;

/// Reasons, requests or ingredients of one medicine that are looked at. Real ones have five; a file made to be slow has
/// as many as fit.
const MANY: usize = 20;

/// One medicine, before it is a row.
struct Med<'f> {
    /// Place of its request, which others may name.
    request: Option<usize>,
    node: Node<'f>,
    kind: Option<MedicationKind>,
    product: Product,
    ingredients: Vec<String>,
    sig: Option<Sig>,
    indication: String,
    prescriber: String,
    status: MedicationStatus,
    not_taken: bool,
    /// What the patient says instead of the dosage of the request.
    told: Option<String>,
    since: Option<PartialDate>,
}

#[derive(Default)]
pub(super) struct Medications<'f> {
    meds: Vec<Med<'f>>,
    statements: Vec<(Node<'f>, Option<usize>)>,
    dispenses: Vec<(Node<'f>, Option<usize>)>,
}

impl<'f> Medications<'f> {
    pub(super) fn request(&mut self, reader: &Reader<'f>, index: usize, node: &Node<'f>) {
        if node.truth("doNotPerform") == Some(true) {
            node.remark_at("doNotPerform", IssueCode::NotCurrent);
            return;
        }
        match node.string("intent") {
            Some("proposal" | "option") => {
                node.remark_at("intent", IssueCode::NotCurrent);
                return;
            }
            Some(
                "plan" | "order" | "original-order" | "reflex-order" | "filler-order"
                | "instance-order",
            ) => {}
            Some(_) => node.remark_at("intent", IssueCode::UnknownCode),
            None => node.remark_at("intent", IssueCode::Missing),
        }
        let Some((status, _)) = status(node) else { return };
        let Some(mut med) = reader.med(node, "dosageInstruction", "authoredOn", status) else {
            return;
        };
        med.request = Some(index);
        med.kind = med.kind.or_else(|| {
            // What a patient merely reported was not prescribed by anybody here.
            (node.truth("reportedBoolean") != Some(true)).then_some(MedicationKind::Rx)
        });
        self.meds.push(med);
    }

    pub(super) fn statement(&mut self, reader: &Reader<'f>, node: &Node<'f>) {
        self.statements.push((node.clone(), reader.linked(node, &["basedOn", "derivedFrom"])));
    }

    pub(super) fn dispense(&mut self, reader: &Reader<'f>, node: &Node<'f>) {
        self.dispenses.push((node.clone(), reader.linked(node, &["authorizingPrescription"])));
    }

    pub(super) fn rows(mut self, reader: &Reader<'f>) -> Vec<ChartRow> {
        let of_request: BTreeMap<usize, usize> = self
            .meds
            .iter()
            .enumerate()
            .filter_map(|(place, med)| med.request.map(|request| (request, place)))
            .collect();
        for (node, request) in std::mem::take(&mut self.statements) {
            let Some((status, not_taken)) = status(&node) else { continue };
            let place = request.and_then(|request| of_request.get(&request));
            match place.and_then(|place| self.meds.get_mut(*place)) {
                Some(med) => join(med, &node, &status, not_taken, reader),
                None => {
                    if let Some(mut med) = reader.med(&node, "dosage", "dateAsserted", status) {
                        med.not_taken = not_taken;
                        self.meds.push(med);
                    }
                }
            }
        }
        self.take_dispenses(reader, &of_request);
        compare(&self.meds);
        // In use first, then on hold, then stopped; inside, as the chart has them.
        self.meds.sort_by_key(|med| match med.status {
            MedicationStatus::Active => 0,
            MedicationStatus::OnHold => 1,
            MedicationStatus::Stopped { date: _, reason: _ } => 2,
            MedicationStatus::EnteredInError => 3,
        });
        self.meds.iter().filter_map(Med::row).collect()
    }

    /// A dispense of a known medicine adds nothing; of an unknown one the newest says that the patient was given it.
    fn take_dispenses(&mut self, reader: &Reader<'f>, of_request: &BTreeMap<usize, usize>) {
        let known: BTreeSet<String> = self.meds.iter().map(Med::key).collect();
        let mut newest: BTreeMap<String, Med<'f>> = BTreeMap::new();
        for (node, request) in std::mem::take(&mut self.dispenses) {
            if request.is_some_and(|request| of_request.contains_key(&request)) {
                continue;
            }
            match node.string("status") {
                Some("completed" | "in-progress" | "preparation" | "on-hold") => {}
                Some("cancelled" | "entered-in-error" | "stopped" | "declined" | "unknown") => {
                    node.remark_at("status", IssueCode::NotTrue);
                    continue;
                }
                Some(_) => node.remark_at("status", IssueCode::UnknownCode),
                None => node.remark_at("status", IssueCode::Missing),
            }
            let Some(mut med) =
                reader.med(&node, "dosageInstruction", "whenHandedOver", MedicationStatus::Active)
            else {
                continue;
            };
            med.kind = med.kind.or(Some(MedicationKind::Rx));
            let key = med.key();
            if known.contains(&key) {
                continue;
            }
            match newest.get(&key) {
                Some(known) if known.since >= med.since => {}
                Some(_) | None => {
                    newest.insert(key, med);
                }
            }
        }
        for med in newest.into_values() {
            med.node.remark_at("status", IssueCode::StatusUnclear);
            self.meds.push(med);
        }
    }
}

/// Takes what a statement says into the row of its request.
fn join<'f>(
    med: &mut Med<'f>,
    node: &Node<'f>,
    status: &MedicationStatus,
    not_taken: bool,
    reader: &Reader<'f>,
) {
    med.not_taken |= not_taken;
    let states = |status: &MedicationStatus| std::mem::discriminant(status);
    if states(status) != states(&med.status) {
        node.remark_at("status", IssueCode::StatusDiffers);
    }
    if let Some(sig) = dosage::read(node, "dosage", &med.product) {
        match &med.sig {
            None => med.sig = Some(sig),
            Some(known) if known.text != sig.text => {
                node.remark_at("dosage", IssueCode::DosageDiffers);
                if reader.is_told_at_home(node) {
                    med.told = Some(sig.text);
                }
            }
            Some(_) => {}
        }
    }
    if med.indication.is_empty() {
        med.indication = reader.indication(node);
    }
}

/// Remarks on the same ingredient twice: once for each medicine in use.
fn compare(meds: &[Med<'_>]) {
    let active = |med: &Med<'_>| matches!(med.status, MedicationStatus::Active);
    let holds = |med: &Med<'_>| {
        let mut holds = med.ingredients.clone();
        holds.push(med.key());
        holds
    };
    let ended: BTreeSet<String> = meds.iter().filter(|med| !active(med)).flat_map(holds).collect();
    let mut in_use: BTreeSet<String> = BTreeSet::new();
    for med in meds.iter().filter(|med| active(med)) {
        let holds = holds(med);
        if holds.iter().any(|one| in_use.contains(one)) {
            med.node.remark(IssueCode::DuplicateIngredient);
        }
        if holds.iter().any(|one| ended.contains(one)) {
            med.node.remark(IssueCode::ActiveAndStopped);
        }
        in_use.extend(holds);
    }
}

/// The state of a request or a statement, and whether it is said not to be taken; `None` if it is no medicine of the
/// patient.
fn status(node: &Node<'_>) -> Option<(MedicationStatus, bool)> {
    let stopped = || {
        let reason = Concept::read_any(node, "statusReason").unwrap_or_default();
        let date = node
            .object_quiet("effectivePeriod")
            .and_then(|period| if period.has("end") { period.day("end") } else { None });
        MedicationStatus::Stopped { date, reason: fit(reason, 200).0 }
    };
    let unclear = |code| {
        node.remark_at("status", code);
        Some((MedicationStatus::Active, false))
    };
    match node.string("status") {
        Some("active") => Some((MedicationStatus::Active, false)),
        Some("on-hold") => Some((MedicationStatus::OnHold, false)),
        Some("stopped" | "completed") => Some((stopped(), false)),
        Some("cancelled") if node.source().kind == "MedicationRequest" => Some((stopped(), false)),
        Some("entered-in-error") => {
            node.remark_at("status", IssueCode::NotTrue);
            None
        }
        Some("draft") if node.source().kind == "MedicationRequest" => {
            node.remark_at("status", IssueCode::NotCurrent);
            None
        }
        Some("not-taken") if node.source().kind == "MedicationStatement" => {
            Some((MedicationStatus::Active, true))
        }
        Some("intended") if node.source().kind == "MedicationStatement" => {
            unclear(IssueCode::StatusUnclear)
        }
        Some("unknown") => unclear(IssueCode::StatusUnclear),
        Some(_) => {
            node.remark_at("status", IssueCode::StatusUnclear);
            unclear(IssueCode::UnknownCode)
        }
        None => unclear(IssueCode::StatusUnclear),
    }
}

impl Concept {
    /// A concept that may be something else, a reference: then it is none.
    fn read_quiet(node: &Node<'_>, name: &str) -> Option<Self> {
        if node.is_object(name) { Self::read(node, name) } else { None }
    }

    /// The label of a concept or of the first of a list of them: `statusReason` is one in a request, many in a
    /// statement.
    fn read_any(node: &Node<'_>, name: &str) -> Option<String> {
        if node.is_list(name) {
            Self::list(node, name).iter().find_map(Self::label)
        } else if node.is_object(name) {
            Self::read(node, name).and_then(|concept| concept.label())
        } else {
            None
        }
    }
}

impl<'f> Reader<'f> {
    fn med(
        &self,
        node: &Node<'f>,
        dosage: &str,
        since: &str,
        status: MedicationStatus,
    ) -> Option<Med<'f>> {
        let (product, ingredients) = self.product(node)?;
        let since_day = node.day(since);
        self.judge_day(node, since, since_day.as_ref());
        Some(Med {
            request: None,
            node: node.clone(),
            kind: kind(node),
            sig: dosage::read(node, dosage, &product),
            product,
            ingredients,
            indication: self.indication(node),
            prescriber: self.prescriber(node),
            status,
            not_taken: false,
            told: None,
            since: since_day,
        })
    }

    /// Name, code, strength; and the ingredients, as far as the names tell.
    fn product(&self, node: &Node<'f>) -> Option<(Product, Vec<String>)> {
        let (concept, medication, fallback) = if node.has("medicationCodeableConcept") {
            (Concept::read(node, "medicationCodeableConcept"), None, None)
        } else if let Some(reference) = node.object("medicationReference") {
            let medication = self.file.follow(node, &reference, self.log);
            let concept =
                medication.as_ref().and_then(|medication| Concept::read(medication, "code"));
            (concept, medication, reference.text("display"))
        } else {
            node.remark_at("medication[x]", IssueCode::Missing);
            return None;
        };
        let concept = concept.unwrap_or_default();
        let Some(name) = concept.label().or(fallback) else {
            node.remark_at("medication[x]", IssueCode::Missing);
            return None;
        };
        let strength_form = medication.as_ref().map(strength_form).unwrap_or_default();
        let (name, shortened) = fit(name, 200);
        if shortened {
            node.remark_at("medication[x]", IssueCode::Shortened);
        }
        let mut ingredients = ingredient::of(&name);
        let mut coded: Vec<Code> = Vec::new();
        if let Some(medication) = &medication {
            for part in medication.list("ingredient").iter().take(MANY) {
                let Some(item) = Concept::read_quiet(part, "itemCodeableConcept") else { continue };
                ingredients.extend(item.label().iter().flat_map(|label| ingredient::of(label)));
                if let Some(code) = item.code_in(RXNORM)
                    && !coded.contains(code)
                {
                    coded.push(code.clone());
                }
            }
        }
        ingredients.sort_unstable();
        ingredients.dedup();
        let (name, shortened) = fit(name, 200);
        if shortened {
            node.remark_at("medication[x]", IssueCode::Shortened);
        }
        let product = Product {
            name,
            code: concept.code(RXNORM),
            strength_form: fit(strength_form, 100).0,
            ingredients: coded,
        };
        Some((product, ingredients))
    }

    /// What it is for, as the chart says: its reasons, in words.
    fn indication(&self, node: &Node<'f>) -> String {
        let mut reasons: Vec<String> = Concept::list(node, "reasonCode")
            .iter()
            .take(MANY)
            .filter_map(Concept::label)
            .collect();
        for reference in node.list("reasonReference").into_iter().take(MANY) {
            let target = if reference.has("reference") {
                self.file.follow(node, &reference, self.log)
            } else {
                None
            };
            let named = target.and_then(|target| Concept::read_any(&target, "code"));
            reasons.extend(named.or_else(|| reference.text("display")));
        }
        reasons.dedup();
        fit(reasons.join("; "), 400).0
    }

    /// Who prescribes it, by name.
    fn prescriber(&self, node: &Node<'f>) -> String {
        let Some(requester) = node.object_quiet("requester") else { return String::new() };
        let target = if requester.has("reference") {
            self.file.follow(node, &requester, self.log)
        } else {
            None
        };
        let named = target.and_then(|target| match target.source().kind.as_str() {
            "Practitioner" => practitioner(&target),
            "PractitionerRole" => {
                let person = target.object("practitioner")?;
                self.file
                    .follow(&target, &person, self.log)
                    .and_then(|person| practitioner(&person))
                    .or_else(|| person.text("display"))
            }
            "Organization" => target.text("name"),
            // A patient or a relative who reports a medicine does not prescribe it.
            _ => None,
        });
        fit(named.or_else(|| requester.text("display")).unwrap_or_default(), 400).0
    }

    /// The request a resource is based on, if this file has it.
    fn linked(&self, node: &Node<'f>, members: &[&str]) -> Option<usize> {
        for member in members {
            for reference in node.list(member).into_iter().take(MANY) {
                if let Some(target) = reference.quiet_string("reference") {
                    match self.file.find(target) {
                        Some(index) if self.kind_of(index) == Some("MedicationRequest") => {
                            return Some(index);
                        }
                        Some(_) => {}
                        None => reference.remark_at("reference", IssueCode::BrokenReference),
                    }
                }
            }
        }
        None
    }

    /// Whether the patient or a relative is the source of a statement.
    fn is_told_at_home(&self, node: &Node<'f>) -> bool {
        let source = node.object_quiet("informationSource");
        let reference = source.as_ref().and_then(|source| source.quiet_string("reference"));
        reference.is_some_and(|reference| {
            reference.starts_with("RelatedPerson/")
                || self
                    .file
                    .find(reference)
                    .and_then(|index| self.kind_of(index))
                    .is_some_and(|kind| matches!(kind, "Patient" | "RelatedPerson"))
        })
    }

    fn kind_of(&self, index: usize) -> Option<&'f str> {
        self.file.node(index, self.log).map(|node| node.source().kind.as_str())
    }
}

/// "Dr. Annette Legros".
fn practitioner(node: &Node<'_>) -> Option<String> {
    let (name, _, _) = human_name(node)?;
    let prefix = node
        .list("name")
        .first()
        .and_then(|name| name.strings("prefix").first().copied())
        .map(crate::fhir::node::clean)
        .filter(|prefix| !prefix.is_empty() && prefix.len() <= 20);
    Some(prefix.map_or_else(|| name.clone(), |prefix| format!("{prefix} {name}")))
}

/// "20 mg tablet", where the Medication has it as structure.
fn strength_form(medication: &Node<'_>) -> String {
    let ingredients = medication.list("ingredient");
    let strength = match ingredients.as_slice() {
        [one] => one.object_quiet("strength").and_then(|ratio| {
            let amount = ratio.object("numerator")?;
            let per = ratio.object_quiet("denominator");
            let each =
                per.as_ref().is_none_or(|per| per.number("value").is_none_or(|value| value == "1"));
            let unit = amount.text("unit").or_else(|| amount.text("code"))?;
            let value = crate::format::decimal_of_json(amount.number("value")?)?;
            let unit = crate::format::unit_word(&unit).to_owned();
            let per_unit = per.and_then(|per| per.text("unit").or_else(|| per.text("code")));
            let liquid = per_unit.filter(|unit| crate::format::unit_word(unit) == "mL");
            each.then(|| match liquid {
                Some(_) => format!("{} {unit}/mL", value.as_str()),
                None => format!("{} {unit}", value.as_str()),
            })
        }),
        _ => None,
    };
    let form = Concept::read_any(medication, "form").map(|form| form.to_lowercase());
    [strength, form].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The kind, where the chart says it in its category.
fn kind(node: &Node<'_>) -> Option<MedicationKind> {
    let concepts = if node.is_list("category") {
        Concept::list(node, "category")
    } else {
        Concept::read(node, "category").into_iter().collect()
    };
    concepts.iter().flat_map(Concept::words).find_map(|word| {
        Some(match word.as_str() {
            "otc" | "over the counter" | "over-the-counter" | "non-prescription" => {
                MedicationKind::Otc
            }
            "vitamin" | "vitamins" => MedicationKind::Vitamin,
            "supplement" | "dietary supplement" => MedicationKind::Supplement,
            "herbal" | "herbal product" => MedicationKind::Herbal,
            "sample" => MedicationKind::Sample,
            _ => return None,
        })
    })
}

impl Med<'_> {
    /// What makes two entries the same product.
    fn key(&self) -> String {
        match &self.product.code {
            Some(code) if code.system == RXNORM => format!("rxnorm {}", code.code),
            Some(_) | None => self.product.name.to_lowercase(),
        }
    }

    fn row(&self) -> Option<ChartRow> {
        let mut row = ChartRow::new(ListName::Meds, self.node.source().clone());
        let mut put = |field, value: Option<Value>| {
            row.values.extend(value.map(|value| (field, value)));
        };
        let Some(product) = checked(&self.product) else {
            self.node.remark_at("medication[x]", IssueCode::WrongShape);
            return None;
        };
        put(FieldName::MedsProduct, Some(product));
        put(FieldName::MedsKind, self.kind.as_ref().and_then(checked));
        match &self.sig {
            Some(sig) => put(FieldName::MedsPrescribedSig, checked(sig)),
            None if matches!(self.status, MedicationStatus::Active) => {
                self.node.remark(IssueCode::NoDosage);
            }
            None => {}
        }
        for (field, text) in [
            (FieldName::MedsIndication, &self.indication),
            (FieldName::MedsPrescriber, &self.prescriber),
        ] {
            if !text.is_empty() {
                put(field, checked(&Line(text.clone())));
            }
        }
        put(FieldName::MedsStatus, checked(&self.status));
        put(FieldName::MedsVerify, checked(&Verify::Unverified));
        let taking = match (self.not_taken, &self.told) {
            (true, _) => Some(Taking::NotTaking),
            (false, Some(_)) => Some(Taking::Differently),
            (false, None) => None,
        };
        if let Some(taking) = taking {
            let adherence = Adherence {
                taking,
                reason: self.told.clone().unwrap_or_default(),
                missed_per_7d: None,
            };
            put(FieldName::MedsAdherence, checked(&adherence));
        }
        Some(row)
    }
}

/// The value, if it keeps its own rules. What is read here was cut and cleaned to keep them.
fn checked<T: serde::Serialize + Check>(value: &T) -> Option<Value> {
    Value::of(value).ok()
}
