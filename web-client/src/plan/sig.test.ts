/** Numbers and sigs: what could be misread is never taken, and nothing is invented. */
import { describe, expect, it } from "vitest";
import { en } from "../i18n/en";
import { es } from "../i18n/es";
import { grammar, speaker } from "../i18n";
import type { Sig } from "../wire";
import { checkDecimal, isPartialDate } from "./decimal";
import { checkSig, formOf, sigOf, structureOf, type SigForm } from "./sigform";
import { composeSig, unitWords, words } from "./words";

const say = speaker(en, grammar("en"));
const diga = speaker(es, grammar("es"));
const form = (more: Partial<SigForm>): SigForm => ({ ...formOf(null), text: "as the bottle says", ...more });

describe("a decimal", () => {
  it.each([["0.5", "good"], ["5", "good"], ["12.125", "good"], ["100", "good"], ["", "empty"], ["0", "zero"], ["0.0", "zero"], ["1e3", "bad"], ["-1", "bad"], ["a", "bad"], [".", "bad"], ["1.2.3", "bad"], ["٥", "bad"], ["1234567890", "bad"]])("%s is %s", (text, kind) => {
    expect(checkDecimal(text).kind).toBe(kind);
  });

  it.each([["5.0", "5"], [".5", "0.5"], ["5.", "5"], ["05", "5"], ["0.50", "0.5"], ["1,5", "1.5"], ["00.10", "0.1"]])("%s is offered as %s", (text, good) => {
    expect(checkDecimal(text)).toEqual({ kind: "misread", good });
    expect(checkDecimal(good).kind).toBe("good");
  });
});

describe("a date", () => {
  it("is as exact as it is known", () => {
    expect(["2019", "2019-04", "2020-02-29"].every(isPartialDate)).toBe(true);
    expect(["19", "2019-13", "2019-02-29", "2019-4-3", "1900-02-29", "2019-04-31"].some(isPartialDate)).toBe(false);
  });
});

describe("the sig editor", () => {
  it("makes the sig of what was typed and nothing more", () => {
    expect(sigOf(form({}))).toEqual({ text: "as the bottle says" });
    expect(sigOf(form({ dose: "0.5", unit: "tablet", route: "oral", count: "2", meal: "with", times: ["evening", "morning"], prn: true, prnReason: "pain", max: "4" }))).toEqual({
      text: "as the bottle says", dose: { value: "0.5", unit: "tablet" }, route: "oral", freq: { count: 2, period: 1, unit: "d", meal: "with" },
      times: ["morning", "evening"], prn: { reason: "pain" }, max_per_day: "4",
    });
  });

  it("gives back the sig it was opened with", () => {
    const sig: Sig = { text: "x", dose: { value: "20", unit: "mg" }, route: "oral", freq: { count: 1, period: 2, unit: "d" }, times: ["bedtime"], prn: { reason: "" }, max_per_day: "1" };
    expect(sigOf(formOf(sig))).toEqual(sig);
  });

  it("ends with no dose that could be misread, halved or left without its unit", () => {
    expect(checkSig(form({ dose: "5.0", unit: "mg" })).dose).toBe("misread");
    expect(checkSig(form({ dose: ".5", unit: "mg" })).dose).toBe("misread");
    expect(checkSig(form({ dose: "5" })).unit).toBe("unit_needed");
    expect(checkSig(form({ unit: "mg" })).dose).toBe("dose_needed");
    expect(checkSig(form({ dose: "0", unit: "mg" })).dose).toBe("zero");
    expect(checkSig(form({ count: "25" })).count).toBe("count_range");
    expect(checkSig(form({ count: "2", period: "0" })).period).toBe("period_range");
    expect(checkSig(form({ meal: "with" })).count).toBe("count_range");
    expect(checkSig(form({ text: " " })).text).toBe("text_needed");
    expect(sigOf(form({ dose: "5.0", unit: "mg" }))).toBeNull();
  });

  it("offers a sentence of its boxes in the reader's language", () => {
    const structure = structureOf(form({ dose: "1", unit: "tablet", route: "oral", count: "2", times: ["morning", "evening"], prn: true, prnReason: "pain", max: "4" }));
    expect(composeSig(structure, say)).toBe("1 tablet by mouth twice a day, in the morning, in the evening, as needed for pain, at most 4 a day");
    expect(composeSig(structure, diga)).toBe("1 tablet por la boca 2 veces por día, por la mañana, por la noche, si hace falta para pain, máximo 4 al día");
    expect(composeSig({}, say)).toBe("");
    expect(composeSig({ freq: { count: 1, period: 8, unit: "h" } }, say)).toBe("every 8 hours");
    expect(composeSig({ freq: { count: 1, period: 1, unit: "d" } }, say)).toBe("daily");
  });
});

describe("words of a value", () => {
  const wording = { say, g: grammar("en"), named: () => "lisinopril 10 mg" };
  it("tell two sigs apart even where their texts are the same", () => {
    const one: Sig = { text: "At bedtime", dose: { value: "5", unit: "mg" } };
    const other: Sig = { text: "At bedtime", dose: { value: "20", unit: "mg" } };
    expect(words("meds.sig", one, wording)).not.toBe(words("meds.sig", other, wording));
  });
  it("print UCUM as people write it", () => {
    expect([unitWords("mm[Hg]"), unitWords("mL/min/{1.73_m2}"), unitWords("mg/dL")]).toEqual(["mm Hg", "mL/min/", "mg/dL"]);
  });
});
