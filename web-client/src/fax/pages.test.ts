import { describe, expect, it } from "vitest";
import type { PaperRow, RowId } from "../wire";
import { height, LINES, sheets } from "./pages";

const row = (n: number, length: number, rationale = length): PaperRow => ({
  row: `${n}` as RowId, content: { action: "stop", summary: "s".repeat(Math.min(300, length)) }, condition: "c".repeat(Math.min(200, length)),
  product: null, sig: null, undecided: false, rationale: "r".repeat(rationale), reference: "", sent_ms: 0,
});
const words = (one: PaperRow): readonly string[] => [one.condition ?? "", one.content?.summary ?? ""];

describe("the sheets for a prescriber", () => {
  it("hold short recommendations together and each of them once, in order", () => {
    const rows = Array.from({ length: 9 }, (_, n) => row(n, 20));
    const all = sheets(rows, words);
    expect(all.flat().map(({ number, part }) => [number, part])).toEqual(rows.map((_, n) => [n + 1, "whole"]));
    expect(all.length).toBeGreaterThan(2);
  });

  it("never hold more lines than a sheet has, whatever is written", () => {
    for (let size = 0; size <= 1200; size += 40) {
      for (const all of [sheets([row(1, size), row(2, 1200), row(3, 10)], words), sheets([row(1, 300, size)], words)]) {
        for (const sheet of all) expect(sheet.reduce((sum, piece) => sum + height(piece, words), 0), `${size}`).toBeLessThanOrEqual(LINES);
      }
    }
  });

  it("tear a recommendation that no sheet holds between its parts, and leave none of them out", () => {
    const all = sheets([row(1, 1200)], words);
    expect(all.flat().map(({ part }) => part)).toEqual(["what", "why", "answer"]);
    expect(all.length).toBe(2);
  });

  it("count what is wide as wide", () => {
    const wide = { ...row(1, 0), rationale: "錠".repeat(100) };
    const plain = { ...row(1, 0), rationale: "r".repeat(100) };
    expect(height({ row: wide, number: 1, part: "whole" }, words)).toBeGreaterThan(height({ row: plain, number: 1, part: "whole" }, words));
  });

  it("are none when nothing is asked", () => expect(sheets([], words)).toEqual([]));
});
