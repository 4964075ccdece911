/** What is left, as the tabs say it. */
import { describe, expect, it } from "vitest";
import type { Author, DocId, DocKind, FieldName, ListName, RowId } from "../wire";
import { leftIn } from "./counts";
import { address, EMPTY_DOC, keyOf, type DocState } from "./fold";
import type { OpenDoc, RecordState } from "./state";

const BY: Author = { kind: "import" };
type Said = readonly (readonly [FieldName, string | undefined, unknown])[];

function doc(lists: { readonly [list in ListName]?: readonly string[] }, said: Said): DocState {
  return {
    ...EMPTY_DOC,
    lists: new Map(Object.entries(lists).map(([list, rows]) => [list as ListName, rows as RowId[]])),
    registers: new Map(said.map(([field, row, value]) => [keyOf(address(field, row as RowId | undefined)), { state: "value" as const, value, rev: 1, by: BY, at_ms: 0 }])),
  };
}

function state(docs: { readonly [kind in DocKind]?: DocState }, commands: readonly string[] = []): RecordState {
  const open = Object.entries(docs).map(([kind, shown]) => [kind, { id: kind as unknown as DocId, kind, shown, server: shown, commands: new Set(commands) }] as const);
  return { docs: new Map(open) as unknown as ReadonlyMap<DocKind, OpenDoc> } as RecordState;
}

describe("what is left", () => {
  const meds = doc({ meds: ["a", "b", "c"] }, [
    ["meds.verify", "a", { state: "bottle_seen" }], ["meds.status", "c", { state: "stopped", reason: "" }], ["meds.safe", "a", { answer: "yes" }],
  ]);

  it("counts medicines in use that nobody verified, and questions nobody answered", () => {
    expect(leftIn(state({ plan: meds }), "collect")).toEqual({ kind: "unverified", count: 1 });
    expect(leftIn(state({ plan: meds }), "assess")).toEqual({ kind: "open_questions", count: 7 });
  });

  it("says two values before everything else, on the tab where the field stands", () => {
    const doubt = { ...meds, registers: new Map(meds.registers).set("a/meds.sig", { state: "conflict", rev: 3, candidates: [] }).set("a/meds.safe", { state: "conflict", rev: 4, candidates: [] }) };
    expect(leftIn(state({ plan: doubt }), "collect")).toEqual({ kind: "conflicts", count: 1 });
    expect(leftIn(state({ plan: doubt }), "assess")).toEqual({ kind: "conflicts", count: 1 });
    expect(leftIn(state({ plan: doubt }), "plan")).toEqual({ kind: "nothing" });
  });

  it("counts high problems with neither a recommendation nor a reason, and lets the prescriber decide first", () => {
    const plan = doc({ problems: ["p", "q", "r"], recommendations: ["x"] }, [
      ["problems.severity", "p", "high"], ["problems.severity", "q", "high"], ["problems.severity", "r", "high"],
      ["problems.no_action_reason", "q", "the patient does not want it"],
      ["recommendations.content", "x", { problem: "r", action: "stop", summary: "" }], ["recommendations.state", "x", "sent"],
    ]);
    expect(leftIn(state({ plan }), "plan")).toEqual({ kind: "unanswered", count: 1 });
    expect(leftIn(state({ plan }), "implement")).toEqual({ kind: "waiting", count: 1 });
    expect(leftIn(state({ plan }, ["decide"]), "plan")).toEqual({ kind: "to_decide", count: 1 });
  });

  it("counts what the patient still waits for, and tasks that have not ended", () => {
    const voice = doc({ questions: ["a", "b"], remarks: ["c", "d"] }, [["questions.answered", "a", true], ["remarks.state", "c", "taken_up"]]);
    expect(leftIn(state({ voice }), "voice")).toEqual({ kind: "to_answer", count: 2 });
    const team = doc({ tasks: ["t", "u"] }, [["tasks.status", "t", "done"]]);
    expect(leftIn(state({ team }), "implement")).toEqual({ kind: "tasks", count: 1 });
  });
});
