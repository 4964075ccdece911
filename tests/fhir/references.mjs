// References: every one leads to an entry of the bundle (or to what the resource contains), of a type that may stand
// there. Addresses of entries are unique and fit the ids.
import { getDataType } from "@medplum/core";

const ANY = "http://hl7.org/fhir/StructureDefinition/Resource";

function index(bundle) {
  const found = new Map();
  for (const { fullUrl, resource } of bundle.entry ?? []) {
    found.set(fullUrl, resource);
    found.set(`${resource.resourceType}/${resource.id}`, resource);
  }
  return found;
}

function* walk(value, type, path, root, found) {
  let schema;
  try {
    schema = getDataType(type);
  } catch {
    return;
  }
  for (const [name, element] of Object.entries(schema.elements)) {
    const choices = name.endsWith("[x]")
      ? element.type.map((one) => [name.slice(0, -3) + one.code[0].toUpperCase() + one.code.slice(1), one])
      : [[name, element.type[0]]];
    for (const [key, inner] of choices) {
      const held = value[key];
      if (held === undefined || inner === undefined) continue;
      for (const one of Array.isArray(held) ? held : [held]) {
        const place = `${path}.${key}`;
        if (inner.code === "Reference" && one.reference !== undefined) {
          const target = one.reference.startsWith("#")
            ? (root.contained ?? []).find((resource) => `#${resource.id}` === one.reference)
            : found.get(one.reference);
          if (!target) yield `${place}: ${one.reference} leads nowhere`;
          const allowed = (inner.targetProfile ?? []).filter((profile) => profile !== ANY);
          const fits = allowed.length === 0 || allowed.some((profile) => profile.endsWith(`/${target?.resourceType}`));
          if (target && !fits) yield `${place}: leads to a ${target.resourceType}`;
        }
        if (typeof one === "object" && one !== null) {
          const inside = one.resourceType ?? inner.code;
          yield* walk(one, inside, place, one.resourceType && key !== "contained" ? one : root, found);
        }
      }
    }
  }
}

export function* references(bundle) {
  const found = index(bundle);
  const seen = new Set();
  for (const { fullUrl, resource } of bundle.entry ?? []) {
    if (seen.has(fullUrl)) yield `Bundle.entry: ${fullUrl} stands twice`;
    seen.add(fullUrl);
    const fits = fullUrl === `urn:uuid:${resource.id}` || fullUrl?.endsWith(`/${resource.resourceType}/${resource.id}`);
    if (!fits) yield `Bundle.entry: ${fullUrl} is not the address of ${resource.id}`;
    yield* walk(resource, resource.resourceType, resource.resourceType, resource, found);
  }
}
