/**
 * How hard a sentence for the patient is to read, while it is typed. The same formulas as the page itself
 * (`server/clinical/src/plain/reading.rs`): Flesch-Kincaid in English, Fernández-Huerta, corrected, in Spanish. Both
 * read `signaling/fixtures/reading.json`.
 */
import type { Language } from "../i18n";

export interface Grade {
  /** English: a US school grade, less is easier. Spanish: 0 to 100, more is easier. */
  readonly score: number;
  readonly verdict: "good" | "hard" | "too_hard";
}

/** `null` for no words. Words of `names` (medicines) are left out: they are as long as they are. */
export function gradeOf(text: string, names: readonly string[], language: Language): Grade | null {
  const known = new Set(names.flatMap((name) => name.split(/\s+/).map(bare)).filter((word) => new TextEncoder().encode(word).length > 2));
  let [sentences, words, syllables] = [0, 0, 0];
  for (const sentence of text.replace(/([.!?:])(?=\s)/gu, "$1\0").split("\0")) {
    const found = sentence.split(/[\s/-]+/u).map(bare).filter((word) => word !== "" && !known.has(word));
    if (found.length > 0) sentences += 1;
    words += found.length;
    syllables += found.reduce((sum, word) => sum + syllablesOf(word, language), 0);
  }
  if (words === 0) return null;
  const [length, weight] = [words / sentences, syllables / words];
  const exact = language === "en" ? 0.39 * length + 11.8 * weight - 15.59 : 206.84 - 60 * weight - 1.02 * length;
  // Halves away from zero, as the page rounds.
  const score = (Math.sign(exact) * Math.round(Math.abs(exact) * 10)) / 10;
  const [good, hard] = language === "en" ? [score <= 6, score <= 8] : [score >= 70, score >= 60];
  return { score, verdict: good ? "good" : hard ? "hard" : "too_hard" };
}

/** The letters and digits of a word, in lower case. */
const bare = (word: string): string => word.replace(/[^\p{Alphabetic}\p{N}]/gu, "").toLowerCase();

function syllablesOf(word: string, language: Language): number {
  // A number is read at a glance.
  if (/\d/.test(word)) return 1;
  return Math.max(1, language === "en" ? english(word) : spanish(word));
}

/** Groups of vowels, less what is silent. */
function english(word: string): number {
  let count = word.match(/[aeiouy]+/g)?.length ?? 0;
  const leAfterConsonant = /[^aeiouy]le$/.test(word);
  if (word.endsWith("e") && !leAfterConsonant && !word.endsWith("ee")) count = Math.max(0, count - 1);
  if (word.endsWith("ed") && !/[td]ed$/.test(word) && count > 1) count -= 1;
  if (word.endsWith("es") && count > 1 && !/(?:s|c|g|z|x|sh|ch|i)es$/.test(word)) count -= 1;
  const silent = /tia|cia|tio|sio|cio|gio|gua|qua/.test(word);
  for (const pair of ["ia", "io", "eo", "iu", "ua"]) if (word.includes(pair) && !silent) count += 1;
  return count;
}

/** Strong vowels and accented weak ones make a syllable each; weak ones join what stands beside them. */
function spanish(word: string): number {
  let count = 0;
  let before: "strong" | "accented" | "weak" | null = null;
  const letters = [...word];
  for (const [index, letter] of letters.entries()) {
    const kind = /[aeoáéó]/.test(letter) ? "strong" as const
      : /[íú]/.test(letter) ? "accented" as const
        : /[iuü]/.test(letter) || (letter === "y" && index + 1 === letters.length) ? "weak" as const
          : null;
    const joins = before !== null && (kind === "weak" || (before === "weak" && kind === "strong"));
    if (kind !== null && !joins) count += 1;
    before = kind;
  }
  return count;
}
