// What a person's first page costs in transferred bytes, from the build's manifest and its brotli files. Run after the
// build: `npm run build && npm run budget`. Prints each sum as a METRIC line.
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

const DIST = join(import.meta.dirname, "dist");
const BUILT = existsSync(join(DIST, ".vite/manifest.json"));
/** A patient on a thin line: at 1 Mb/s this is two seconds. */
const PATIENT_MAX = 250_000;
const CLINICIAN_MAX = 600_000;

const manifest = BUILT ? JSON.parse(readFileSync(join(DIST, ".vite/manifest.json"), "utf8")) : {};
/** The one language a reader loads, and the latin font; the extended one comes only for characters that need it. */
const LANGUAGE = "src/i18n/en.ts";
const FONT = /hyperlegible-next-latin-wght/;

function reached(starts) {
  const seen = new Set();
  const queue = [...starts];
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    if (seen.has(key)) continue;
    seen.add(key);
    assert.ok(manifest[key], `${key} is not in the manifest`);
    queue.push(...(manifest[key].imports ?? []));
  }
  return seen;
}

function bytes(chunks) {
  const files = new Set(["index.html"]);
  for (const key of chunks) {
    files.add(manifest[key].file);
    for (const css of manifest[key].css ?? []) files.add(css);
    for (const asset of manifest[key].assets ?? []) if (FONT.test(asset)) files.add(asset);
  }
  const size = (file) => statSync(join(DIST, existsSync(join(DIST, `${file}.br`)) ? `${file}.br` : file)).size;
  return [...files].reduce((sum, file) => sum + size(file), 0);
}

const PAGES = [
  { name: "door", screens: ["src/join/Door.tsx"], max: PATIENT_MAX },
  { name: "patient", screens: ["src/join/Door.tsx", "src/call/Visit.tsx", "src/check/Check.tsx", "src/lobby/Waiting.tsx", "src/call/PatientCall.tsx", "src/patient/PatientPage.tsx"], max: PATIENT_MAX },
  { name: "clinician", screens: ["src/join/Door.tsx", "src/call/Visit.tsx", "src/check/Check.tsx", "src/call/ClinicianCall.tsx", "src/plan/RecordPanel.tsx", "src/plan/SavePill.tsx"], max: CLINICIAN_MAX },
];

for (const { name, screens, max } of PAGES) {
  test(`the ${name}'s page costs at most ${max} bytes`, { skip: BUILT ? false : "the web client is not built" }, () => {
    const sum = bytes(reached(["index.html", LANGUAGE, ...screens]));
    console.log(`METRIC web.first_page_bytes{page="${name}"} ${sum}`);
    assert.ok(sum <= max, `${sum} bytes`);
  });
}

test("the patient's side never loads the clinician's screen", { skip: BUILT ? false : "the web client is not built" }, () => {
  const chunks = reached(["index.html", LANGUAGE, ...PAGES[1].screens]);
  for (const forbidden of ["src/call/ClinicianCall.tsx", "src/plan/RecordPanel.tsx"]) assert.ok(!chunks.has(forbidden), forbidden);
});

test("the door loads no text engine", { skip: BUILT ? false : "the web client is not built" }, () => {
  const names = [...reached(["index.html", LANGUAGE, "src/join/Door.tsx"])];
  assert.deepEqual(names.filter((name) => /yjs|NarrativeText/.test(name)), []);
});
