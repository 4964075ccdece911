import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Language } from "../i18n";
import { gradeOf } from "./grade";

interface Case {
  readonly text: string;
  readonly names: readonly string[];
  readonly language: Language;
  readonly tenths: number;
  readonly verdict: string;
}

const cases = JSON.parse(readFileSync(new URL("../../../signaling/fixtures/reading/cases.json", import.meta.url), "utf8")) as readonly Case[];

describe("the reading grade", () => {
  it.each(cases)("is the page's own: $text", ({ text, names, language, tenths, verdict }) => {
    const grade = gradeOf(text, names, language);

    expect(grade === null ? null : [Math.round(grade.score * 10), grade.verdict]).toEqual([tenths, verdict]);
  });

  it("says nothing of no words", () => {
    expect(gradeOf(" - ", [], "en")).toBeNull();
  });
});
