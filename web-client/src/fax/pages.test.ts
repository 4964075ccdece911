import { describe, expect, it } from "vitest";
import type { PaperRow, RowId } from "../wire";
import { cut, height, LINES, linesOf, sheets, type Said } from "./pages";

const row = (n: number, length: number, rationale = "r".repeat(length)): PaperRow => ({
  row: `${n}` as RowId, content: { action: "stop", summary: "s".repeat(Math.min(300, length)) }, condition: "c".repeat(Math.min(200, length)),
  product: null, sig: null, undecided: false, rationale, reference: "", sent_ms: 0,
});
const said = (one: PaperRow): Said => ({ now: [`Problem: ${one.condition ?? ""}`], what: [`Recommendation: ${one.content?.summary ?? ""}`], reference: one.reference });
const HEAD = ["Patient: Ruth Elena Delgado, born April 12, 1948", "To: Dr. Amy Chen", "From: Ana Reyes"];

describe("the sheets for a prescriber", () => {
  it("hold short recommendations together and each of them once, in order", () => {
    const rows = Array.from({ length: 9 }, (_, n) => row(n, 20));
    const all = sheets(rows, said, HEAD);
    expect(all.flat().map(({ number, part }) => [number, part])).toEqual(rows.map((_, n) => [n + 1, "whole"]));
    expect(all.length).toBe(3);
  });

  it("never hold more lines than a sheet has, whatever is written", () => {
    const texts = ["", "word ".repeat(240), "r".repeat(1200), "a\n".repeat(600), "\n".repeat(1200), "錠".repeat(600), "b\n\n\nc ".repeat(200)];
    for (const text of texts) {
      for (let size = 0; size <= 300; size += 60) {
        for (const sheet of sheets([row(1, size, text), row(2, 300, text), row(3, 10)], said, HEAD)) {
          expect(sheet.reduce((sum, piece) => sum + height(piece, said), 0), `${text.slice(0, 9)} ${size}`).toBeLessThanOrEqual(LINES - HEAD.length);
        }
      }
    }
  });

  it("tear a recommendation that no sheet holds between its parts, and leave no word of it out", () => {
    const words = Array.from({ length: 400 }, (_, n) => `word${n}`).join(" ");
    const pieces = sheets([row(1, 300, words)], said, HEAD).flat();
    expect(pieces.map(({ part }) => part).filter((part, at, all) => part !== all[at - 1])).toEqual(["now", "what", "why", "answer"]);
    expect(pieces.map(({ why }) => why).join("")).toBe(words);
  });

  it("cut between words, and inside a word only where a line cannot hold it", () => {
    for (const piece of cut("word ".repeat(300), 5)) {
      expect(linesOf(piece)).toBeLessThanOrEqual(5);
      expect(piece.startsWith("word")).toBe(true);
    }
    expect(cut("r".repeat(1000), 5).join("")).toBe("r".repeat(1000));
    expect(cut("", 5)).toEqual([]);
  });

  it("give the head the lines it takes", () => {
    const long = ["x".repeat(600), "To", "From"];
    expect(sheets(Array.from({ length: 9 }, (_, n) => row(n, 20)), said, long).length).toBeGreaterThan(3);
  });

  it("are none when nothing is asked", () => expect(sheets([], said, HEAD)).toEqual([]));
});
