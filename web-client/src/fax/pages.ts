/** Cuts what a prescriber is asked into pages that survive a fax: nothing runs over the edge of a sheet. Pure. */
import type { PaperRow } from "../wire";

/** A piece of a recommendation that is never torn apart. */
export interface Piece {
  readonly row: PaperRow;
  /** Its number on the paper, from 1. */
  readonly number: number;
  readonly part: "whole" | "what" | "why" | "answer";
}

/**
 * Lines of 12 point between head and signature of a sheet. Letter with 18 mm margins has 45 lines, A4 more; head and
 * signature take 15. More would run over on the sheet with the longest names.
 */
export const LINES = 28;
/** Letters of the widest kind that fit into a line with the margins of Letter and A4; most lines hold 85. */
const LETTERS = 66;
/** Lines of a recommendation besides its words: heading, labels, three boxes, two lines to write on. */
const AROUND = { what: 4, why: 1, answer: 6 } as const;

const linesOf = (text: string): number =>
  text === "" ? 0 : text.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / LETTERS)), 0);

/** Ideographs and emoji are twice as wide. */
const widthOf = (line: string): number => [...line].reduce((sum, letter) => sum + ((letter.codePointAt(0) ?? 0) > 0x2e7f ? 2 : 1), 0);

/** How many lines a piece takes at most. `words` says what stands there. */
export function height(piece: Piece, words: (row: PaperRow) => readonly string[]): number {
  const what = AROUND.what + words(piece.row).reduce((sum, text) => sum + linesOf(text), 0);
  const why = linesOf(piece.row.rationale) + linesOf(piece.row.reference);
  const reasons = why === 0 ? 0 : AROUND.why + why;
  switch (piece.part) {
    case "whole": return what + reasons + AROUND.answer;
    case "what": return what;
    case "why": return 1 + reasons;
    case "answer": return 1 + AROUND.answer;
    default: return piece.part satisfies never;
  }
}

/** Sheets of pieces. A recommendation stands whole on one sheet if any sheet can hold it. */
export function sheets(rows: readonly PaperRow[], words: (row: PaperRow) => readonly string[]): readonly (readonly Piece[])[] {
  const out: Piece[][] = [];
  let left = 0;
  const put = (piece: Piece): void => {
    const lines = height(piece, words);
    if (lines > left || out.length === 0) {
      out.push([]);
      left = LINES;
    }
    out.at(-1)?.push(piece);
    left -= lines;
  };
  rows.forEach((row, index) => {
    const whole: Piece = { row, number: index + 1, part: "whole" };
    if (height(whole, words) <= LINES) return put(whole);
    put({ ...whole, part: "what" });
    if (row.rationale !== "" || row.reference !== "") put({ ...whole, part: "why" });
    put({ ...whole, part: "answer" });
  });
  return out;
}
