import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { LanguageProvider, type Language } from "../i18n";
import { en } from "../i18n/en";
import { es } from "../i18n/es";
import type { PaperRow, PrescriberPapers, RowId } from "../wire";
import { Sheets } from "./PrescriberPaper";

const row = (more: Partial<PaperRow>): PaperRow => ({
  row: "r" as RowId, content: { action: "change_dose", summary: "Raise lisinopril.", regimen: { text: "20 mg daily" } }, condition: "hypertension",
  product: { name: "Lisinopril 10 mg" }, sig: { text: "10 mg daily" }, undecided: false, rationale: "Above 140/90.", reference: "a guideline", sent_ms: 1, ...more,
});
const papers = (version: number | null): PrescriberPapers => ({
  practice: "Harbor Street", phone: "555-0142", patient: "Ruth Delgado", birth_date: "1948-04-12", from: "Ana Reyes", at_ms: Date.UTC(2026, 10, 30, 12), version, papers: [], shut_out: [], withheld: 0,
});

const drawn = (rows: readonly PaperRow[], version: number | null, language: Language = "en"): string => {
  const all = papers(version);
  const children = createElement(Sheets, { papers: all, paper: { to: "Dr. Amy Chen", rows: [...rows] }, onPaper: true });
  // oxlint-disable-next-line react/no-children-prop
  return renderToStaticMarkup(createElement(LanguageProvider, { language, messages: language === "es" ? es : en, children }))
    .replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
};

describe("the paper for a prescriber", () => {
  it("says everything a decision needs, and that a plan is signed or is not", () => {
    const draft = drawn([row({})], null);
    for (const words of [
      "Draft: not signed", "Patient: Ruth Delgado, born April 12, 1948", "To: Dr. Amy Chen", "From: Ana Reyes, Harbor Street", "Page 1 of 1", "Problem: hypertension",
      "Medicine now: Lisinopril 10 mg: 10 mg daily", "Recommendation: Change the dose: Raise lisinopril.", "To be taken so: 20 mg daily", "Why: Above 140/90.", "Source: a guideline",
      "Accept", "Accept with this change:", "Decline, because:", "Signature", "555-0142",
    ]) expect(draft).toContain(words);
    const signed = drawn([row({})], 2);
    expect(signed).toContain("Signed plan, version 2");
    expect(signed).not.toContain("Draft");
  });

  it("says what is not decided yet instead of one of two values", () => {
    const text = drawn([row({ undecided: true, sig: null, condition: null })], null);
    expect(text).toContain("Medicine now: Lisinopril 10 mg: Not decided yet");
    expect(text).toContain("Problem: Not decided yet");
    expect(drawn([row({ content: null })], null)).toContain("Recommendation: Not decided yet");
    expect(drawn([row({ sig: null })], null)).toContain("Lisinopril 10 mg: How it is taken is not known");
  });

  it("numbers its sheets, and each has its head and a line to sign", () => {
    const text = drawn(Array.from({ length: 9 }, () => row({})), null);
    const sheets = text.match(/Recommendations for your decision/g)?.length ?? 0;
    expect(sheets).toBeGreaterThan(2);
    expect(text.match(/Signature/g)).toHaveLength(sheets);
    expect(text).toContain(`Page ${sheets} of ${sheets}`);
    expect(text).toContain("9 of 9");
  });

  it("speaks Spanish", () => {
    const text = drawn([row({ undecided: true })], null, "es");
    for (const words of ["Borrador: sin firmar", "Para: Dr. Amy Chen", "Aún sin decidir", "Acepto con este cambio:", "Firma", "Página 1 de 1"]) expect(text).toContain(words);
  });
});
