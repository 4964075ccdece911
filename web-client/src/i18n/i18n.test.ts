import { describe, expect, it } from "vitest";
import { en } from "./en";
import { es } from "./es";
import { grammar, months, speaker } from ".";

/** Screens a patient reads: simple words only. */
const PATIENT = /^(patient|join|check|wait|fault|over|start|takeaway)\./;
/** English grade by Flesch-Kincaid, Spanish ease by Fernández-Huerta, each over all patient sentences together. */
const GRADE_MAX = 6;
const EASE_MIN = 70;
const FORBIDDEN_EN = /\b(error|failed|failure|invalid|session|permission|browser|abort|timeout|oops|sorry)\b|!/i;
const FORBIDDEN_ES = /\b(error|fall[óo]|inválid[oa]|sesión|permiso|navegador)\b|[¡!]/i;
const WORDS_MAX = 14;

/** Values wide enough for every sentence of the catalogue. */
const VALUES = { count: 2, minutes: 2, name: "Ana", phone: "860", date: "1950-01-02", step: 1, of: 3 };

function sentences(catalogue: object, only?: RegExp): readonly (readonly [string, string])[] {
  return Object.entries(catalogue)
    .filter(([key]) => only === undefined || only.test(key))
    .map(([key, message]) => [key, typeof message === "function" ? String(message(VALUES, grammar("en"))) : String(message)] as const);
}

const split = (text: string) => text.split(/[.?:]+\s*/).filter((part) => part.trim() !== "");
const wordsOf = (text: string) => text.match(/[\p{L}\d'-]+/gu) ?? [];

function syllablesEn(word: string): number {
  const groups = word.toLowerCase().replace(/e$/, "").match(/[aeiouy]+/g);
  return Math.max(1, groups?.length ?? 0);
}

function syllablesEs(word: string): number {
  return Math.max(1, (word.toLowerCase().match(/[aeiouáéíóúü]+/g) ?? []).reduce((sum, group) => sum + (/[íú]/.test(group) && group.length > 1 ? 2 : 1), 0));
}

describe("the catalogues", () => {
  it("have the same keys in both languages", () => {
    expect(Object.keys(es).toSorted()).toEqual(Object.keys(en).toSorted());
  });

  it("have functions where the other has, and nothing empty", () => {
    for (const [key, message] of Object.entries(en)) {
      expect([key, typeof (es as Record<string, unknown>)[key]]).toEqual([key, typeof message]);
      if (typeof message === "string") expect(message.trim(), key).not.toBe("");
    }
  });

  it("say nothing in English that a patient should not have to know", () => {
    expect(sentences(en, PATIENT).filter(([, text]) => FORBIDDEN_EN.test(text))).toEqual([]);
  });

  it("say nothing in Spanish that a patient should not have to know", () => {
    expect(sentences(es, PATIENT).filter(([, text]) => FORBIDDEN_ES.test(text))).toEqual([]);
  });

  it("keep a patient's sentences short in both languages", () => {
    for (const catalogue of [en, es]) {
      const long = sentences(catalogue, PATIENT).flatMap(([key, text]) => split(text).filter((part) => wordsOf(part).length > WORDS_MAX).map((part) => [key, part]));
      expect(long).toEqual([]);
    }
  });

  it("read at grade 6 or below in English", () => {
    const parts = sentences(en, PATIENT).flatMap(([, text]) => split(text));
    const words = parts.flatMap(wordsOf);
    const syllables = words.reduce((sum, word) => sum + syllablesEn(word), 0);
    const grade = 0.39 * (words.length / parts.length) + 11.8 * (syllables / words.length) - 15.59;
    expect(grade).toBeLessThanOrEqual(GRADE_MAX);
  });

  it("read easily in Spanish", () => {
    const parts = sentences(es, PATIENT).flatMap(([, text]) => split(text));
    const words = parts.flatMap(wordsOf);
    const syllables = words.reduce((sum, word) => sum + syllablesEs(word), 0);
    const ease = 206.84 - 60 * (syllables / words.length) - 1.02 * (words.length / parts.length);
    expect(ease).toBeGreaterThanOrEqual(EASE_MIN);
  });

  it("say one o'clock in Spanish in the singular", () => {
    const say = speaker(es, grammar("es"));
    const at = (hour: number) => new Date(2026, 6, 1, hour, 5).getTime();
    expect(say("schedule.mail.trying", { at: at(13) })).toMatch(/ a la 1:05/);
    expect(say("schedule.mail.trying", { at: at(10) })).toMatch(/ a las 10:05/);
    expect(say("phone.on", { since: grammar("es").time(at(14)) })).toMatch(/ desde las 2:05/);
  });

  it("count in words", () => {
    const say = speaker(en, grammar("en"));
    expect([say("wait.before", { count: 1 }), say("wait.before", { count: 3 })]).toEqual(["1 person is before you", "3 people are before you"]);
    const diga = speaker(es, grammar("es"));
    expect(diga("wait.before", { count: 1 })).toBe("Hay 1 persona antes de usted");
  });

  it("end a sentence with one period, also after an hour", () => {
    const at = Date.UTC(2026, 11, 8, 15, 30);
    const said = [speaker(en, grammar("en")), speaker(es, grammar("es"))].map((say) => say("patient.signed.by", { name: "Ana", at }));
    expect(said[0]).toMatch(/[AP]M\.$/);
    expect(said[1]).toMatch(/[^.] ?[ap]\.\s?m\.$/);
  });

  it("name months and whole dates, and leave other dates as they are", () => {
    expect([months("en")[1], months("es")[1]]).toEqual(["February", "febrero"]);
    expect([grammar("en").date("1947-02-15"), grammar("en").date("1947")]).toEqual(["February 15, 1947", "1947"]);
  });
});
