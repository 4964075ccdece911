// The rules of HL7 Standardized Medication Profile 1.0.0 (from input/fsh of HL7/smp-ig) and Pharmacist Care Plan 1.0.0
// (from the structure definitions of HL7/PhCP-r4, with what its base, C-CDA on FHIR's Care Plan Document, requires), as
// far as a bundle shows them. A bundle is held to the guide its own profile names.
const SMP = "http://hl7.org/fhir/us/smp/StructureDefinition/";
const PHCP = "http://hl7.org/fhir/us/phcp/StructureDefinition/";
const SNOMED = "http://snomed.info/sct";
const LOINC = "http://loinc.org";

const has = (concept, system, code) => (concept?.coding ?? []).some((coding) => coding.system === system && coding.code === code);
const profiles = (resource) => resource?.meta?.profile ?? [];
const list = (value) => value ?? [];

function lookup(bundle) {
  const found = new Map();
  for (const { fullUrl, resource } of list(bundle.entry)) {
    found.set(fullUrl, resource);
    found.set(`${resource.resourceType}/${resource.id}`, resource);
  }
  return (reference) => found.get(reference?.reference);
}

const isProfessional = (resource) => ["Practitioner", "PractitionerRole"].includes(resource?.resourceType);

function* document(bundle) {
  if (bundle.type !== "document") yield "Bundle.type is document";
  if (!bundle.identifier?.system || !bundle.identifier?.value) yield "Bundle.identifier has system and value";
  if (!bundle.timestamp) yield "Bundle.timestamp is there";
  if (bundle.entry?.[0]?.resource.resourceType !== "Composition") yield "the first entry is the Composition";
  const count = (kind) => list(bundle.entry).filter(({ resource }) => resource.resourceType === kind).length;
  if (count("Composition") !== 1) yield "there is one Composition";
  if (count("Patient") !== 1) yield "there is one Patient";
  for (const entry of list(bundle.entry)) {
    for (const name of ["search", "request", "response"]) if (entry[name]) yield `no entry has a ${name}`;
  }
}

function* attested(composition, find) {
  if (list(composition.attester).length === 0) yield "Composition.attester 1..*";
  for (const attester of list(composition.attester)) {
    if (attester.mode !== "professional") yield "Composition.attester.mode = professional";
    const nobody = list(attester.extension).some((one) => one.url.endsWith("/data-absent-reason"));
    if (composition.status === "final" || !nobody) {
      if (!isProfessional(find(attester.party))) yield "Composition.attester.party is a Practitioner";
    } else if (composition.status !== "preliminary") yield "only a draft has no attester";
  }
  for (const author of list(composition.author)) {
    if (!isProfessional(find(author))) yield "Composition.author is a Practitioner";
  }
}

function* sections(composition, codes, find) {
  for (const section of list(composition.section)) {
    if (!section.text?.div) yield "every section has text";
    if (!section.title) yield "every section has a title";
  }
  for (const [system, code, least, kinds] of codes) {
    const found = list(composition.section).filter((section) => has(section.code, system, code));
    if (found.length < least) yield `there is a section ${code}`;
    for (const section of found) {
      for (const entry of list(section.entry)) {
        if (!kinds.includes(find(entry)?.resourceType)) yield `section ${code} holds ${kinds.join(", ")}`;
      }
    }
  }
}

function* actionPlan(bundle) {
  yield* document(bundle);
  const find = lookup(bundle);
  const composition = list(bundle.entry)[0]?.resource;
  if (!profiles(composition).includes(`${SMP}smp-map-composition`)) yield "the Composition is an smp-map-composition";
  if (!has(composition?.type, LOINC, "80797-4")) yield "Composition.type is 80797-4";
  yield* attested(composition ?? {}, find);
  yield* sections(composition ?? {}, [
    [SNOMED, "736378000", 1, ["CarePlan"]],
    [LOINC, "80797-4", 0, ["DocumentReference"]],
    [LOINC, "10160-0", 0, ["List"]],
  ], find);
  if (list(composition?.section).length === 0) yield "Composition.section 1..*";
  for (const section of list(composition?.section).filter((one) => has(one.code, SNOMED, "736378000"))) {
    for (const entry of list(section.entry)) {
      if (!profiles(find(entry)).includes(`${SMP}smp-medication-action-plan`)) yield "the section holds an smp-medication-action-plan";
    }
  }
}

function* listBundle(bundle) {
  if (bundle.type !== "collection") yield "Bundle.type is collection";
  if (!list(bundle.entry).some(({ resource }) => resource.resourceType === "List")) yield "entry List 1..*";
  for (const entry of list(bundle.entry)) {
    for (const name of ["search", "request", "response"]) if (entry[name]) yield `no entry has a ${name}`;
  }
}

function* carePlan(plan, find) {
  const own = list(plan.category).filter((concept) => has(concept, SNOMED, "736378000"));
  if (own.length !== 1) yield "CarePlan.category 736378000 1..1";
  if (plan.intent !== "plan") yield "CarePlan.intent is plan";
  if (plan.author && !isProfessional(find(plan.author))) yield "CarePlan.author is a Practitioner";
  if (list(plan.supportingInfo).length === 0) yield "CarePlan.supportingInfo 1..*";
  for (const info of list(plan.supportingInfo)) {
    if (find(info)?.resourceType !== "DetectedIssue") yield "CarePlan.supportingInfo is a DetectedIssue";
  }
}

function* detectedIssue(issue, find) {
  if (issue.author && !isProfessional(find(issue.author))) yield "DetectedIssue.author is a Practitioner";
  for (const one of list(issue.implicated)) {
    const kinds = ["MedicationStatement", "Condition", "Observation", "AllergyIntolerance"];
    if (!kinds.includes(find(one)?.resourceType)) yield `DetectedIssue.implicated is one of ${kinds.join(", ")}`;
  }
  for (const step of list(issue.mitigation)) {
    if (step.author && !isProfessional(find(step.author))) yield "DetectedIssue.mitigation.author is a Practitioner";
  }
}

function* medicationList(one, find) {
  if (!one.code) yield "List.code 1..1";
  if (find(one.subject)?.resourceType !== "Patient") yield "List.subject is the Patient";
  if (!isProfessional(find(one.source))) yield "List.source is a Practitioner";
  for (const { item } of list(one.entry)) {
    if (find(item)?.resourceType !== "MedicationStatement") yield "List.entry.item is a MedicationStatement";
  }
}

function* statement(one, find) {
  if (find(one.subject)?.resourceType !== "Patient") yield "MedicationStatement.subject is the Patient";
  const kinds = ["Patient", "Practitioner", "PractitionerRole", "RelatedPerson"];
  if (one.informationSource && !kinds.includes(find(one.informationSource)?.resourceType)) {
    yield `MedicationStatement.informationSource is one of ${kinds.join(", ")}`;
  }
  const says = list(one.extension).find((extension) => extension.url.endsWith("MedicationStatement.adherence"));
  const code = says?.extension?.find((inner) => inner.url === "code")?.valueCodeableConcept?.coding?.[0]?.code;
  if (says && !["taking", "taking-as-directed", "taking-not-as-directed", "not-taking", "on-hold", "stopped", "unknown"].includes(code)) {
    yield "the adherence extension has its code";
  }
  if (code === "not-taking" && one.status === "active") yield "what is not taken is not active";
}

function* pharmacistCarePlan(bundle) {
  yield* document(bundle);
  const find = lookup(bundle);
  const composition = list(bundle.entry)[0]?.resource ?? {};
  if (!has(composition.type, LOINC, "18776-5")) yield "Composition.type is 18776-5";
  if (!composition.custodian) yield "Composition.custodian 1..1";
  if (!composition.identifier) yield "Composition.identifier 1..1";
  if (list(composition.event).length > 1) yield "Composition.event 0..1";
  for (const event of list(composition.event)) if (!event.period) yield "Composition.event.period 1..1";
  yield* attested(composition, find);
  yield* sections(composition, [
    [LOINC, "75310-3", 1, ["Condition", "AllergyIntolerance", "Observation"]],
    [LOINC, "61146-7", 1, ["Goal"]],
    [LOINC, "62387-6", 0, ["MedicationDispense", "Communication", "ServiceRequest", "Procedure", "MedicationStatement", "MedicationRequest"]],
    [LOINC, "11383-7", 0, ["Observation"]],
    [LOINC, "48768-6", 0, ["Coverage"]],
  ], find);
  for (const { resource } of list(bundle.entry)) {
    if (resource.resourceType === "Encounter" && list(resource.type).length === 0) yield "Encounter.type 1..*";
    if (profiles(resource).includes(`${PHCP}PhCP-CareCoordination`)) {
      if (list(resource.category).length > 1) yield "Communication.category 0..1";
      if (resource.sender && !isProfessional(find(resource.sender))) yield "Communication.sender is a Practitioner";
    }
  }
}

// What both guides take over from US Core 8 for whom and by whom.
function* people(bundle) {
  for (const { resource } of list(bundle.entry)) {
    if (resource.resourceType === "Patient") {
      if (list(resource.identifier).length === 0) yield "Patient.identifier 1..*";
      if (list(resource.name).length === 0) yield "Patient.name 1..*";
      if (!resource.gender) yield "Patient.gender 1..1";
    }
    if (resource.resourceType === "Practitioner") {
      if (list(resource.identifier).length === 0) yield "Practitioner.identifier 1..*";
      if (!resource.name?.[0]?.family) yield "Practitioner.name.family 1..1";
    }
  }
}

export function* guides(bundle) {
  const find = lookup(bundle);
  if (profiles(bundle).includes(`${SMP}smp-medication-action-plan-bundle`)) yield* actionPlan(bundle);
  if (profiles(bundle).includes(`${SMP}smp-bundle`)) yield* listBundle(bundle);
  const first = list(bundle.entry)[0]?.resource;
  if (profiles(first).includes(`${PHCP}PhCP-Composition`)) yield* pharmacistCarePlan(bundle);
  for (const { resource } of list(bundle.entry)) {
    const claims = (name) => profiles(resource).includes(SMP + name);
    if (claims("smp-medication-action-plan")) yield* carePlan(resource, find);
    if (claims("smp-medication-action-plan-detected-issue")) yield* detectedIssue(resource, find);
    if (claims("smp-medication-list")) yield* medicationList(resource, find);
    if (claims("smp-medicationstatement")) yield* statement(resource, find);
  }
  yield* people(bundle);
}
