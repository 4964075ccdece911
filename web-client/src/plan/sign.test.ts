import { describe, expect, it } from "vitest";
import type { Author, DocId, PersonId, Register, RowId, VersionContent } from "../wire";
import { EMPTY_DOC } from "./fold";
import { differences, sealed } from "./sign";

const by: Author = { kind: "import" };
const value = (rev: number): Register => ({ state: "value", value: { version: 1 } as never, rev, by, at_ms: 0 as never });

describe("a signed plan", () => {
  it("is closed from the signature on, until it is opened again", () => {
    const at = (registers: [string, Register][]) => sealed({ ...EMPTY_DOC, registers: new Map(registers) });

    expect(at([])).toBe(false);
    expect(at([["signed", value(5)]])).toBe(true);
    expect(at([["signed", value(5)], ["revision", value(6)]])).toBe(false);
    expect(at([["signed", value(9)], ["revision", value(6)]])).toBe(true);
  });
});

const row = (n: number): RowId => `row-${n}` as RowId;

function version(lists: VersionContent["lists"], fields: VersionContent["fields"] = {}): VersionContent {
  return {
    format: 1, doc: "d" as DocId, version: 1, seq: 1, fields, lists,
    signer: { person: "p" as PersonId, name: "Ana", credentials: [], statement: "", at_ms: 0 as never },
  };
}

describe("two versions", () => {
  const med = (n: number, sig: string, extra: object = {}) => ({ row: row(n), fields: { "meds.sig": { text: sig }, ...extra } });

  it("differ by what was changed, begun, stopped and taken out", () => {
    const before = version({ meds: [med(1, "10 mg daily"), med(2, "20 mg"), med(3, "5 mg")] }, { "outline.summary": "Old", share: false });
    const after = version(
      { meds: [med(1, "20 mg daily"), med(2, "20 mg", { "meds.status": { state: "stopped", reason: "pain" } }), med(4, "1 mg")] },
      { "outline.summary": "New", share: true },
    );

    expect(differences(before, after)).toEqual([
      { kind: "changed", list: "meds", row: row(1), field: "meds.sig", before: { text: "10 mg daily" }, after: { text: "20 mg daily" } },
      { kind: "stopped", row: row(2) },
      { kind: "new", list: "meds", row: row(4), in: after },
      { kind: "gone", list: "meds", row: row(3), in: before },
      { kind: "changed", list: null, row: null, field: "outline.summary", before: "Old", after: "New" },
    ]);
  });

  it("that say the same do not differ", () => {
    const same = version({ meds: [med(1, "10 mg daily")] });

    expect(differences(same, same)).toEqual([]);
  });
});
