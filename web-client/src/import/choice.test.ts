import { describe, expect, it } from "vitest";
import type { ImportPreview, ImportRow, ImportTold } from "../wire";
import { byList, countsOf, firstChoice, neededTicks } from "./choice";

const source = { entry: 3, kind: "MedicationRequest", id: "m" };
const row = (key: string, told: ImportTold, list: ImportRow["list"] = "meds"): ImportRow => ({ key, list, row: null, name: key, told, source });
const fresh = (more: Partial<Extract<ImportTold, { kind: "new" }>> = {}): ImportTold => ({ kind: "new", values: {}, texts: {}, like: null, no_dosage: false, ...more });
const changed = (more: Partial<Extract<ImportTold, { kind: "changed" }>> = {}): ImportTold => ({ kind: "changed", field: "meds.indication", record: "a", chart: "b", choice: false, ...more });

const preview: ImportPreview = {
  person: { name: "Ruth", birth_date: "1948-04-12", deceased: true }, sameness: "name_and_birth", before: null, sealed: false, not_yours: 0,
  rows: [
    row("plain", fresh()), row("no_dosage", fresh({ no_dosage: true })), row("like", fresh({ like: "lisinopril 10 mg" })),
    row("changed", changed()), row("choice", changed({ choice: true })),
    row("stopped", changed({ field: "meds.status", chart: { state: "stopped", reason: "" } })),
    row("allergy", fresh(), "allergies"), row("absent", { kind: "absent" }), row("kept", { kind: "kept", field: "meds.sig", record: null, chart: null }),
    row("statement", changed({ field: "allergy_statement" }), null),
  ],
  same: { meds: 2, conditions: 3 }, issues: [{ resource: source, path: "", code: "active_and_stopped", severity: "warning" }], issues_left_out: 0, ignored: {},
  ticks: ["deceased", "same_person", "no_dosage", "active_and_stopped"],
};

describe("what is accepted of a chart", () => {
  it("begins with what is plain, and leaves to a person what meets words of the team or looks like a medicine that is there", () => {
    expect([...firstChoice(preview)]).toEqual(["plain", "no_dosage", "changed", "stopped", "allergy", "statement"]);
  });

  it("asks for the warnings of what is accepted, and for none when nothing is", () => {
    expect(neededTicks(preview, new Set())).toEqual([]);
    expect(neededTicks(preview, new Set(["allergy"]))).toEqual(["deceased", "same_person"]);
    expect(neededTicks(preview, new Set(["no_dosage"]))).toEqual(["deceased", "same_person", "no_dosage", "active_and_stopped"]);
    expect(neededTicks(preview, new Set(["absent"]))).toEqual([]);
  });

  it("counts every row once", () => {
    expect(countsOf(preview)).toEqual({ new: 4, changed: 3, stopped: 1, same: 5, kept: 2 });
  });

  it("keeps the order of the preview, list by list", () => {
    expect(byList(preview.rows).map(([list, rows]) => [list, rows.length])).toEqual([["meds", 8], ["allergies", 1], [null, 1]]);
  });
});
