import { describe, expect, it } from "vitest";
import type { RowId, Sig } from "../wire";
import { grouped } from "./groups";

describe("my medicines", () => {
  it("stand at each time of day they are taken, in the order of the day", () => {
    const sigs: Record<string, Sig | null> = {
      a: { text: "", times: ["morning", "evening"] }, b: { text: "", prn: { reason: "" }, times: ["bedtime"] }, c: null, d: { text: "", times: ["morning"] },
    };
    const rows = Object.keys(sigs) as RowId[];
    expect(grouped(rows, (row) => sigs[row] ?? null)).toEqual([
      { group: "morning", rows: ["a", "d"] }, { group: "evening", rows: ["a"] }, { group: "as_needed", rows: ["b"] }, { group: "other", rows: ["c"] },
    ]);
  });
});
