/** Cuts what a prescriber is asked into sheets that survive a fax: nothing runs over the edge of a sheet. Pure. */
import type { PaperRow } from "../wire";

/** What stands in a recommendation, each with its label: what is so now, and what is proposed. */
export interface Said {
  readonly now: readonly string[];
  readonly what: readonly string[];
  readonly reference: string;
}

/** A piece of a recommendation that is never torn apart. */
export interface Piece {
  readonly row: PaperRow;
  /** Its number on the paper, from 1. */
  readonly number: number;
  readonly part: "whole" | "now" | "what" | "why" | "answer";
  /** The words of the rationale that stand in this piece. */
  readonly why: string;
}

/** Lines of 12 point on Letter (A4 has more) between the first line of the head and the signature, with two to spare. */
export const LINES = 37;
/** Letters of a line with the margins of Letter and A4 at their widest; most lines hold 85. */
const LETTERS = 66;
/** Lines of a piece besides its words: the number and the space around it, the three boxes. */
const AROUND = { begin: 2, answer: 5, goes_on: 1 } as const;
/** Lines of rationale in one piece. */
const WHY = 18;

export const linesOf = (text: string): number =>
  text === "" ? 0 : text.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / LETTERS)), 0);

/** Ideographs and emoji are twice as wide. */
const widthOf = (line: string): number => [...line].reduce((sum, letter) => sum + ((letter.codePointAt(0) ?? 0) > 0x2e7f ? 2 : 1), 0);

const all = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + linesOf(text), 0);

/** How many lines a piece takes at most. */
export function height({ row, part, why }: Piece, said: (row: PaperRow) => Said): number {
  const { now, what, reference } = said(row);
  switch (part) {
    case "whole": return AROUND.begin + all([...now, ...what, why, reference]) + AROUND.answer;
    case "now": return AROUND.begin + all(now) + AROUND.goes_on;
    case "what": return AROUND.begin + all(what) + AROUND.goes_on;
    case "why": return AROUND.begin + all([why]) + AROUND.goes_on;
    case "answer": return AROUND.begin + all([reference]) + AROUND.answer;
    default: return part satisfies never;
  }
}

/** Cuts a long text between its words, or where there are none. */
export function cut(text: string, lines: number): readonly string[] {
  const out: string[] = [];
  let held = "";
  for (const word of (text.match(/\S*\s|\S+$/gu) ?? []).flatMap((one) => [...chunks(one, LETTERS)])) {
    if (held !== "" && linesOf(held + word) > lines) {
      out.push(held);
      held = "";
    }
    held += word;
  }
  return held === "" ? out : [...out, held];
}

function* chunks(word: string, letters: number): Generator<string> {
  const all = [...word];
  for (let at = 0; at < all.length; at += letters) yield all.slice(at, at + letters).join("");
}

/**
 * Sheets of pieces, each of which has `head` at its top. A recommendation stands whole on one sheet if any sheet can
 * hold it.
 */
export function sheets(rows: readonly PaperRow[], said: (row: PaperRow) => Said, head: readonly string[]): readonly (readonly Piece[])[] {
  const room = LINES - all(head);
  const out: Piece[][] = [];
  let left = 0;
  const put = (piece: Piece): void => {
    const lines = height(piece, said);
    if (lines > left || out.length === 0) {
      out.push([]);
      left = room;
    }
    out.at(-1)?.push(piece);
    left -= lines;
  };
  rows.forEach((row, index) => {
    const piece = { row, number: index + 1 };
    const whole: Piece = { ...piece, part: "whole", why: row.rationale };
    if (height(whole, said) <= room) return put(whole);
    if (said(row).now.length > 0) put({ ...piece, part: "now", why: "" });
    put({ ...piece, part: "what", why: "" });
    for (const why of cut(row.rationale.replaceAll(/\n{2,}/g, "\n"), WHY)) put({ ...piece, part: "why", why });
    put({ ...piece, part: "answer", why: "" });
  });
  return out;
}
