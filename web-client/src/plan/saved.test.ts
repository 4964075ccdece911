import { describe, expect, it } from "vitest";
import { GRACE_MS, nextTurn, saveState, type Facts, type Waiting } from "./saved";

const facts = (more: Partial<Facts>): Facts => ({ waiting: [], refused: 0, locked: 0, line: "up", now: 10_000, ...more });
const edit = (age: number, device: Waiting["device"] = "kept"): Waiting => ({ since: 10_000 - age, device });

describe("the save state", () => {
  it.each<[string, Partial<Facts>, object]>([
    ["everything was acknowledged", {}, { kind: "onServer" }],
    ["an edit is younger than a second", { waiting: [edit(999)] }, { kind: "saving" }],
    ["an edit is older, and kept", { waiting: [edit(1_000), edit(1)] }, { kind: "onThisDevice", count: 2 }],
    ["there is no line, and it is kept", { waiting: [edit(1)], line: "down" }, { kind: "onThisDevice", count: 1 }],
    ["it is older, and the device refused it", { waiting: [edit(1_000, "refused"), edit(1_000)] }, { kind: "notSaved", count: 1 }],
    ["it is older, and nobody knows", { waiting: [edit(1_000, "writing")] }, { kind: "notSaved", count: 1 }],
    ["there is no line, and nobody knows", { waiting: [edit(1, "writing")], line: "down" }, { kind: "notSaved", count: 1 }],
    ["the server refused one", { refused: 1 }, { kind: "notSaved", count: 1 }],
    ["an earlier page left some behind", { locked: 2 }, { kind: "onThisDevice", count: 2 }],
  ])("when %s", (_words, given, state) => expect(saveState(facts(given))).toEqual(state));

  it("never says saved while anything is unanswered", () => {
    for (const device of ["writing", "kept", "refused"] as const) {
      for (const line of ["up", "down"] as const) {
        for (const age of [0, 500, 1_000, 60_000]) expect(saveState(facts({ waiting: [edit(age, device)], line })).kind).not.toBe("onServer");
      }
    }
  });

  it("turns by time alone once a second has passed", () => {
    expect(nextTurn(facts({ waiting: [edit(400), edit(200)] }))).toBe(10_000 - 400 + GRACE_MS);
    expect(nextTurn(facts({ waiting: [edit(5_000)] }))).toBeNull();
    expect(nextTurn(facts({}))).toBeNull();
  });
});
