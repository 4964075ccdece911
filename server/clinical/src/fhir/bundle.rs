//! The file: its resources, and how they refer to each other.

use std::collections::BTreeMap;

use super::chart::ResourceRef;
use super::issue::{FhirVersion, IssueCode, ReadError};
use super::json::{self, Json, Why};
use super::node::{Log, Node};
use crate::phi::Phi;

/// Bytes of a file. Large hospital exports have 5 MiB for a patient; more would be a file of many patients.
pub const FILE_BYTES: usize = 16 * 1024 * 1024;

/// Resources in a file. The longest synthetic lives have about 10,000.
pub const RESOURCES: usize = 50_000;

/// The texts of a file, parsed: one for a bundle, one a line for NDJSON.
pub(crate) struct Parsed<'a> {
    /// With the place it counts from: 0, or its line.
    pub values: Vec<(usize, Json<'a>)>,
    /// Lines of NDJSON that are not JSON.
    pub broken_lines: Vec<usize>,
}

/// Parses a file as JSON, or as NDJSON where it is not one value.
pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed<'_>, ReadError> {
    if bytes.len() > FILE_BYTES {
        return Err(ReadError::TooLarge { bytes: bytes.len(), limit: FILE_BYTES });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|wrong| ReadError::NotUtf8 { at: wrong.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.trim_start().chars().next() {
        None => return Err(ReadError::Empty),
        Some('<') => return Err(ReadError::Xml),
        Some(_) => {}
    }
    let mut budget = json::budget();
    let broken = match json::parse(text, 0, &mut budget) {
        Ok((value, end)) if end == text.len() => {
            return Ok(Parsed { values: vec![(0, value)], broken_lines: Vec::new() });
        }
        Ok((_, end)) => json::Broken { at: end, why: Why::Syntax },
        Err(broken) => broken,
    };
    match broken.why {
        Why::Syntax | Why::TwoNames => {}
        Why::TooDeep | Why::TooMany => return Err(refusal(text, broken)),
    }
    lines(text).unwrap_or_else(|| Err(refusal(text, broken)))
}

/// Reads NDJSON: more than half of the lines must be resources, else it is a broken file of another kind.
fn lines(text: &str) -> Option<Result<Parsed<'_>, ReadError>> {
    let mut parsed = Parsed { values: Vec::new(), broken_lines: Vec::new() };
    let mut budget = json::budget();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match json::parse(line, 0, &mut budget) {
            Ok((value, end)) if end == line.len() && is_resource(&value) => {
                parsed.values.push((number, value));
            }
            Err(json::Broken { at: _, why: Why::TooMany }) => {
                return Some(Err(ReadError::TooManyValues { line: number + 1 }));
            }
            Ok(_) | Err(_) => parsed.broken_lines.push(number),
        }
        if parsed.values.len() + parsed.broken_lines.len() > RESOURCES {
            return Some(Err(ReadError::TooManyResources { limit: RESOURCES }));
        }
    }
    let ndjson = parsed.values.len() > parsed.broken_lines.len()
        && parsed.values.len() + parsed.broken_lines.len() > 1;
    ndjson.then_some(Ok(parsed))
}

fn is_resource(value: &Json<'_>) -> bool {
    matches!(value, Json::Map(map) if matches!(map.get("resourceType"), Some(Json::Text(_))))
}

fn refusal(text: &str, broken: json::Broken) -> ReadError {
    let (line, column) = json::line_and_column(text, broken.at);
    match broken.why {
        Why::Syntax => ReadError::NotJson { line, column },
        Why::TwoNames => ReadError::DuplicateName { line, column },
        Why::TooDeep => ReadError::TooDeep { line, column },
        Why::TooMany => ReadError::TooManyValues { line },
    }
}

/// A resource and its place.
pub(crate) struct Resource<'j> {
    json: &'j Json<'j>,
    source: ResourceRef,
    full_url: Option<&'j str>,
}

/// The resources of a file, found by address.
pub(crate) struct File<'j> {
    resources: Vec<Resource<'j>>,
    by_url: BTreeMap<&'j str, usize>,
    by_type_and_id: BTreeMap<(&'j str, &'j str), usize>,
    by_id: BTreeMap<&'j str, usize>,
    by_identifier: BTreeMap<(String, &'j str), usize>,
}

impl<'j> File<'j> {
    /// Takes the resources out of bundles and indexes them.
    pub(crate) fn of(parsed: &'j Parsed<'j>, log: &Log) -> Result<Self, ReadError> {
        let mut resources = Vec::new();
        for line in &parsed.broken_lines {
            let source = ResourceRef { entry: *line, kind: String::new(), id: None };
            log.write(&source, "", IssueCode::BrokenLine);
        }
        for (place, value) in &parsed.values {
            unpack(value, *place, None, &mut resources, log)?;
        }
        let mut file = Self {
            resources,
            by_url: BTreeMap::new(),
            by_type_and_id: BTreeMap::new(),
            by_id: BTreeMap::new(),
            by_identifier: BTreeMap::new(),
        };
        for (index, resource) in file.resources.iter().enumerate() {
            if let Some(url) = resource.full_url {
                file.by_url.entry(url).or_insert(index);
            }
            let Json::Map(map) = resource.json else { continue };
            let (Some(Json::Text(kind)), id) = (map.get("resourceType"), map.get("id")) else {
                continue;
            };
            if let Some(Json::Text(id)) = id {
                file.by_type_and_id.entry((kind.as_ref(), id.as_ref())).or_insert(index);
                file.by_id.entry(id.as_ref()).or_insert(index);
            }
            let Some(Json::List(identifiers)) = map.get("identifier") else { continue };
            for identifier in identifiers {
                if let Json::Map(identifier) = identifier
                    && let Some(Json::Text(value)) = identifier.get("value")
                {
                    let system = match identifier.get("system") {
                        Some(Json::Text(system)) => system.as_ref(),
                        Some(_) | None => "",
                    };
                    file.by_identifier
                        .entry((format!("{kind}|{system}"), value.as_ref()))
                        .or_insert(index);
                }
            }
        }
        Ok(file)
    }

    /// Every resource with its type.
    pub(crate) fn resources<'f>(
        &'f self,
        log: &'f Log,
    ) -> impl Iterator<Item = (usize, &'f str, Node<'f>)> {
        self.resources.iter().enumerate().map(move |(index, resource)| {
            (index, resource.source.kind.as_str(), Node::new(resource.json, &resource.source, log))
        })
    }

    /// One resource.
    pub(crate) fn node<'f>(&'f self, index: usize, log: &'f Log) -> Option<Node<'f>> {
        self.resources.get(index).map(|resource| Node::new(resource.json, &resource.source, log))
    }

    /// Whether the same resource, by type and id, stood earlier in the file.
    pub(crate) fn is_repeat(&self, index: usize, node: &Node<'_>) -> bool {
        let id = node.quiet_string("id");
        id.is_some_and(|id| {
            self.by_type_and_id
                .get(&(node.source().kind.as_str(), id))
                .is_some_and(|first| *first != index)
        })
    }

    /// Where a reference of this file points, if it points to an entry.
    pub(crate) fn find(&self, reference: &str) -> Option<usize> {
        let reference = reference.split("/_history/").next().unwrap_or(reference);
        if let Some(index) = self.by_url.get(reference) {
            return Some(*index);
        }
        if let Some((kind, token)) = reference.split_once("?identifier=") {
            let (system, value) = token.split_once('|').unwrap_or(("", token));
            return self.by_identifier.get(&(format!("{kind}|{system}"), value)).copied();
        }
        // An id alone, where the entries have no addresses.
        if let Some(id) = reference.strip_prefix("urn:uuid:") {
            return self.by_id.get(id).copied();
        }
        // "Type/id", or an address that ends so.
        let mut parts = reference.rsplit('/');
        let id = parts.next()?;
        let kind = parts.next()?;
        if let Some(index) = self.by_type_and_id.get(&(kind, id)) {
            return Some(*index);
        }
        // A bundle with `urn:uuid:` addresses whose references are relative, and the other way round.
        self.by_url.get(format!("urn:uuid:{id}").as_str()).copied()
    }

    /// Follows the member `name`, a Reference, of `node`, which stands in the resource `root`. Remarks on a reference
    /// that leads nowhere.
    pub(crate) fn follow<'f>(
        &'f self,
        root: &Node<'f>,
        reference: &Node<'f>,
        log: &'f Log,
    ) -> Option<Node<'f>> {
        let target = reference.string("reference")?;
        let found = match target.strip_prefix('#') {
            Some(id) => root.contained(id),
            None => self.find(target).and_then(|index| self.node(index, log)),
        };
        if found.is_none() {
            reference.remark_at("reference", IssueCode::BrokenReference);
        }
        found
    }

    /// The FHIR version, judged by profiles and by shapes that only one version has.
    pub(crate) fn refuse_other_versions(&self, log: &Log) -> Result<(), ReadError> {
        for (index, resource) in self.resources.iter().enumerate() {
            let node = Node::new(resource.json, &resource.source, log);
            if let Some(found) = other_version(&resource.source.kind, &node) {
                return Err(ReadError::NotR4 { found, entry: index });
            }
        }
        Ok(())
    }
}

fn other_version(kind: &str, node: &Node<'_>) -> Option<FhirVersion> {
    if node.is_object("meta")
        && let Some(meta) = node.object("meta")
        && meta.is_list("profile")
    {
        for profile in meta.strings("profile") {
            if profile.contains("/fhir/5.")
                || profile.contains("/fhir/6.")
                || profile.ends_with("|5.0.0")
            {
                return Some(FhirVersion::R5);
            }
            if profile.contains("/fhir/3.") || profile.contains("/fhir/1.") {
                return Some(FhirVersion::Stu3);
            }
        }
    }
    if let Some(version) = node.quiet_string("fhirVersion") {
        match version.split('.').next() {
            Some("5" | "6") => return Some(FhirVersion::R5),
            Some("0" | "1" | "3") => return Some(FhirVersion::Stu3),
            Some(_) | None => {}
        }
    }
    let r5 = match kind {
        // CodeableReference came with R5.
        "MedicationRequest" | "MedicationStatement" | "MedicationDispense" => {
            node.is_object("medication")
        }
        "Encounter" => node.is_list("class") || node.has("actualPeriod"),
        "AllergyIntolerance" => node.is_object("type"),
        "Bundle" => node.has("issues"),
        "Condition" => node.is_list("participant"),
        "ActorDefinition"
        | "ArtifactAssessment"
        | "BiologicallyDerivedProductDispense"
        | "ConditionDefinition"
        | "DeviceAssociation"
        | "DeviceDispense"
        | "DeviceUsage"
        | "EncounterHistory"
        | "FormularyItem"
        | "GenomicStudy"
        | "ImagingSelection"
        | "InventoryItem"
        | "InventoryReport"
        | "NutritionIntake"
        | "Permission"
        | "RequestOrchestration"
        | "Requirements"
        | "TestPlan"
        | "Transport" => true,
        _ => false,
    };
    let old = match kind {
        "MedicationOrder" | "DiagnosticOrder" | "ProcedureRequest" | "ReferralRequest" => true,
        "MedicationStatement" => node.has("taken") || node.has("wasNotTaken"),
        "Immunization" => node.has("notGiven") || node.has("wasNotGiven"),
        "MedicationRequest" => node.object_quiet("requester").is_some_and(|r| r.has("agent")),
        _ => false,
    };
    if r5 { Some(FhirVersion::R5) } else { old.then_some(FhirVersion::Stu3) }
}

/// Whether a text could be the name of a resource type; anything else is not repeated to anybody.
fn type_name(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn unpack<'j>(
    value: &'j Json<'j>,
    place: usize,
    full_url: Option<&'j str>,
    resources: &mut Vec<Resource<'j>>,
    log: &Log,
) -> Result<(), ReadError> {
    let nowhere = |kind: &str| ResourceRef { entry: place, kind: kind.to_owned(), id: None };
    let Json::Map(map) = value else {
        log.write(&nowhere(""), "", IssueCode::NotAResource);
        return Ok(());
    };
    let kind = match map.get("resourceType") {
        Some(Json::Text(kind)) if type_name(kind) => kind.as_ref(),
        Some(_) | None => {
            log.write(&nowhere(""), "resourceType", IssueCode::NotAResource);
            return Ok(());
        }
    };
    if kind != "Bundle" {
        if resources.len() >= RESOURCES {
            return Err(ReadError::TooManyResources { limit: RESOURCES });
        }
        let id = match map.get("id") {
            // Shown beside the row: what is no visible letter has no place in it (FHIR allows fewer letters still).
            Some(Json::Text(id)) if id.len() <= 64 && id.bytes().all(|b| b.is_ascii_graphic()) => {
                Some(Phi::new(id.as_ref().to_owned()))
            }
            Some(_) | None => None,
        };
        let source = ResourceRef { entry: place, kind: kind.to_owned(), id };
        resources.push(Resource { json: value, source, full_url });
        return Ok(());
    }
    match map.get("entry") {
        None => {}
        Some(Json::List(entries)) => {
            for (index, entry) in entries.iter().enumerate() {
                let url = match entry {
                    Json::Map(entry) => match entry.get("fullUrl") {
                        Some(Json::Text(url)) => Some(url.as_ref()),
                        Some(_) | None => None,
                    },
                    Json::Null
                    | Json::Bool(_)
                    | Json::Number(_)
                    | Json::Text(_)
                    | Json::List(_) => None,
                };
                let resource = match entry {
                    Json::Map(entry) => entry.get("resource"),
                    Json::Null
                    | Json::Bool(_)
                    | Json::Number(_)
                    | Json::Text(_)
                    | Json::List(_) => None,
                };
                let place = place + index;
                match resource {
                    Some(resource) => unpack(resource, place, url, resources, log)?,
                    None => {
                        let source = ResourceRef { entry: place, kind: String::new(), id: None };
                        log.write(&source, "resource", IssueCode::NotAResource);
                    }
                }
            }
        }
        Some(_) => log.write(&nowhere("Bundle"), "entry", IssueCode::WrongShape),
    }
    Ok(())
}

/// Whether the file is FHIR at all.
pub(crate) fn is_fhir(parsed: &Parsed<'_>) -> bool {
    parsed.values.iter().any(|(_, value)| is_resource(value))
}
