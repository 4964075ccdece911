/**
 * One typed line into a medicine and its atomic sig: "lisinopril 10 mg tablet, 1 tablet by mouth every morning for
 * blood pressure". Deterministic, by table; nothing is guessed.
 *
 * The patient's page is made from the structure alone, so a structure that says less than the words would drop what
 * it does not say. Therefore: one phrase that is not understood, and the whole instruction is kept as words only.
 */
import type { Dose, Frequency, PeriodUnit, Product, Route, Sig, TimeOfDay } from "../wire";
import { checkDecimal } from "./decimal";
import { DAYTIMES, MEALS, NUMBERS, PERIODS, ROUTES, SHORT, SPELLING, TIMES, UNITS, USUAL } from "./sigtable";

/** A number as it was typed and as it is written: "5.0" and "5". */
export interface Respelt {
  readonly typed: string;
  readonly written: string;
}

export interface ReadSig {
  /** `null`: nothing was said. */
  readonly sig: Sig | null;
  readonly indication: string;
  /** What was not understood; if there is any, the sig holds words only. */
  readonly left: readonly string[];
  readonly respelt: readonly Respelt[];
}

export interface ReadLine extends ReadSig {
  readonly product: Product | null;
  readonly overTheCounter: boolean;
}

/** What the server takes, in UTF-16 units. */
export const TEXT_MOST = 300;

// ---- spelling ----

/** Abbreviations in words, units spelled, numbers that cannot be misread. */
export function expandSig(text: string): string {
  return tidy(SHORT.reduce((said, [short, long]) => said.replace(short, long), spell(text).text.replace(/^((?:take|use|give|drink|swallow) )?([1-3])\s*(?:½|1\/2)(?!\d)/giu, "$1$2.5").replaceAll("½", "half a").replace(/(^|[^\d/])1\/2(?![\d/])/gu, "$1half a"))
    .replace(/half a a\b/giu, "half a"))
    .replace(/(\d+(?:\.\d+)?) (tablet|capsule|drop)(?!\p{L})/giu, (whole: string, count: string, _unit, at: number, all: string) => (Number(count) > 1 && !/[\d.]/u.test(all[at - 1] ?? "") ? `${whole}s` : whole));
}

const tidy = (text: string): string => text.replace(/\s+/gu, " ").replace(/\s+([,;.])/gu, "$1").trim();

function spell(text: string): { readonly text: string; readonly respelt: readonly Respelt[] } {
  const respelt: Respelt[] = [];
  const numbers = text.replace(/(^|[^\d.,/])(\d+\.\d+|\.\d+)(?![\d.])/gu, (whole, before: string, typed: string) => {
    const check = checkDecimal(typed);
    if (check.kind !== "misread") return whole;
    respelt.push({ typed, written: check.good });
    return before + check.good;
  });
  return { text: SPELLING.reduce((said, [short, long]) => said.replace(short, long), numbers), respelt };
}

// ---- the instruction ----

interface Found {
  dose?: Dose;
  route?: Route;
  implied?: Route;
  count?: number;
  period?: number;
  unit?: PeriodUnit;
  /** "every morning": once a day, unless how often is said as well. */
  perTime?: boolean;
  meal?: NonNullable<Frequency["meal"]>;
  times: TimeOfDay[];
  prn?: string;
  max?: string;
  indication?: string;
}

/** Reads what stands at the start of `text`; answers how much of it, or 0. Refuses what was said already. */
type Rule = (text: string, found: Found) => number;

const NUMBER = "(half a|half|\\d{1,6}(?:\\.\\d{1,5})?|one|two|three|four|five|six|seven|eight|nine|ten|twelve)";
const numeral = (said: string): string => NUMBERS[said.toLowerCase()] ?? said;
const small = (said: string): number | null => {
  const value = Number(numeral(said));
  return Number.isInteger(value) && value >= 1 ? value : null;
};

/** A rule of one pattern: `take` answers false if what it says cannot be. */
const rule = (pattern: RegExp, take: (match: RegExpExecArray, found: Found) => boolean): Rule => (text, found) => {
  const match = pattern.exec(text);
  return match !== null && take(match, found) ? match[0].length : 0;
};

function often(found: Found, count: number, period: number, unit: PeriodUnit): boolean {
  if (found.count !== undefined && found.perTime !== true) return false;
  if (count > 24 || period > 365) return false;
  Object.assign(found, { count, period, unit, perTime: false });
  return true;
}

const UNIT = `(${Object.keys(UNITS).toSorted((a, b) => b.length - a.length).join("|")})`;
const TIME = "(?:in the |at |at the )?(?:morning|noon|midday|evening|bedtime)";
const TIME_LIST = `${TIME}(?:(?:,| and|, and) (?:every )?${TIME})*`;
const PER_DAY = "(?:daily|a day|per day|each day|every day)";

function times(said: string, found: Found): boolean {
  const list = [...said.toLowerCase().matchAll(/morning|noon|midday|evening|bedtime|bed\b/gu)].map(([one]) => DAYTIMES[one]).filter((one) => one !== undefined);
  if (list.length === 0 || found.times.length > 0 || new Set(list).size !== list.length) return false;
  found.times = TIMES.filter((time) => list.includes(time));
  return true;
}

const RULES: readonly Rule[] = [
  rule(/^(?:take|use|give|swallow|drink|inject|apply|place|put|insert)\b/iu, () => true),
  rule(/^inhale\b/iu, (_match, found) => {
    found.implied = "inhaled";
    return true;
  }),
  rule(new RegExp(`^${NUMBER} ?${UNIT}\\b`, "iu"), ([, value = "", unit = ""], found) => {
    const exact = numeral(value);
    if (found.dose !== undefined || checkDecimal(exact).kind !== "good") return false;
    found.dose = { value: exact, unit: UNITS[unit.toLowerCase()] ?? unit };
    return true;
  }),
  (text, found) => {
    for (const [pattern, route] of ROUTES) {
      const match = pattern.exec(text);
      if (match === null) continue;
      if (found.route !== undefined) return 0;
      found.route = route;
      return match[0].length;
    }
    return 0;
  },
  rule(new RegExp(`^(?:once )?${PER_DAY}\\b`, "iu"), (_match, found) => often(found, 1, 1, "d")),
  rule(/^(?:once )?(?:weekly|a week|per week|every week)\b/iu, (_match, found) => often(found, 1, 1, "wk")),
  rule(/^(?:once )?(?:monthly|a month|per month|every month)\b/iu, (_match, found) => often(found, 1, 1, "mo")),
  rule(/^twice (?:(daily|weekly|monthly)|(?:a|per|each|every) (day|week|month))\b/iu, ([, adverb, noun], found) => often(found, 2, 1, PERIODS[(adverb ?? noun ?? "").toLowerCase()] ?? "d")),
  rule(new RegExp(`^${NUMBER} times (?:(daily|weekly|monthly)|(?:a|per|each|every) (day|week|month))\\b`, "iu"), ([, count = "", adverb, noun], found) => {
    const whole = small(count);
    return whole !== null && often(found, whole, 1, PERIODS[(adverb ?? noun ?? "").toLowerCase()] ?? "d");
  }),
  rule(/^every other (day|week)\b/iu, ([, unit = ""], found) => often(found, 1, 2, PERIODS[unit.toLowerCase()] ?? "d")),
  // "Every 4 to 6 hours" is two rhythms: not one.
  rule(new RegExp(`^every ${NUMBER} (hours?|days?|weeks?|months?)\\b`, "iu"), ([, period = "", unit = ""], found) => {
    const whole = small(period);
    return whole !== null && often(found, 1, whole, PERIODS[unit.toLowerCase()] ?? "d");
  }),
  rule(/^every (hour)\b/iu, (_match, found) => often(found, 1, 1, "h")),
  rule(new RegExp(`^(?:every|each) (?:night at bedtime|${TIME_LIST})(?![\\p{L}])`, "iu"), ([said], found) => {
    if (!times(said, found)) return false;
    if (found.count === undefined) Object.assign(found, { count: found.times.length, period: 1, unit: "d", perTime: true });
    return true;
  }),
  rule(new RegExp(`^(?:in the |at |at the )(?:morning|noon|midday|evening|bedtime)(?:(?:,| and|, and) ${TIME})*(?![\\p{L}])|^before bed\\b`, "iu"), ([said], found) => times(said, found)),
  rule(/^(before|with|after) (?:food|meals|a meal|eating)\b/iu, ([, when = ""], found) => {
    if (found.meal !== undefined) return false;
    const meal = MEALS[when.toLowerCase()];
    if (meal === undefined) return false;
    found.meal = meal;
    return true;
  }),
  rule(/^(?:only )?(?:as|if|when) needed(?: for ([^,;.]+?))?(?=$|[,;.]| (?:max|maximum|no more|not more|at most|up to|do not)\b| *$)/iu, ([, reason = ""], found) => {
    if (found.prn !== undefined || reason.length > 100 || lasts(reason) || hides(reason)) return false;
    found.prn = reason.trim();
    return true;
  }),
  rule(new RegExp(`^(?:max(?:imum)?(?: of)?|no more than|not more than|at most|up to|do not (?:take|use) more than|do not exceed) ${NUMBER}(?: (doses?|times|${UNIT.slice(1, -1)}))? ?(?:daily|(?:a|per|each|in a|in one|in 1|/) ?(?:day|24 hours))(?![\\p{L}])`, "iu"), ([, count = "", of], found) => {
    const most = numeral(count);
    const unit = of === undefined || /^(?:doses?|times)$/iu.test(of) ? null : UNITS[of.toLowerCase()];
    // So many tablets are so many doses only where one dose is one tablet.
    // "8 a day" of two tablets each may be tablets or doses: only where one dose is one of them it is both.
    const single = found.dose?.value === "1";
    const counted = of !== undefined && unit === null;
    const doses = counted || (single && (unit === null || found.dose?.unit === unit));
    if (found.max !== undefined || !doses || checkDecimal(most).kind !== "good") return false;
    found.max = most;
    return true;
  }),
  rule(/^for ([^,;]+?)(?=$|[,;])/iu, ([, what = ""], found) => {
    if (found.indication !== undefined || lasts(what) || hides(what)) return false;
    found.indication = what.replace(/\.$/u, "").trim();
    return true;
  }),
];

/**
 * "Pain as needed", "cholesterol at bedtime": a reason that swallowed a part of the instruction. Where it ends is a
 * person's to say, so such a line stays words.
 */
function hides(what: string): boolean {
  for (const { index } of what.matchAll(/\s\S/gu)) if (RULES.some((one) => one(what.slice(index + 1), { times: [] }) > 0)) return true;
  return false;
}

/** "7 days": how long, which the sig has no place for. */
const lasts = (what: string): boolean => /(?:^|\b)(?:\d+|a|an|one|two|three|four|five|six|seven|ten|the next|up to)\b.*\b(?:days?|weeks?|months?|hours?|doses?|nights?|years?)\b/iu.test(what);

/** Reads an instruction. `strength`: "10 mg", to understand "2 tablets (20 mg)". */
export function readSig(typed: string, strength = ""): ReadSig {
  const text = expandSig(typed);
  const { respelt } = spell(typed);
  const found: Found = { times: [] };
  const left: string[] = [];
  let rest = text;
  let words = "";
  while (rest !== "") {
    const gap = /^(?:[\s,;]+|\.(?=\s|$)|and\b(?=\s))+/iu.exec(rest)?.[0] ?? "";
    if (gap !== "") {
      words += gap;
      rest = rest.slice(gap.length);
      continue;
    }
    const before = found.indication;
    const read = amountAgain(rest, found, strength) || RULES.reduce((length, one) => (length > 0 ? length : one(rest, found)), 0);
    const length = read > 0 ? read : /^[^\s,;]+/u.exec(rest)?.[0].length ?? 1;
    const piece = rest.slice(0, length);
    if (read === 0) left.push(piece);
    // What it is for has a field of its own.
    words += found.indication === before ? piece : "";
    rest = rest.slice(length);
  }
  const said = tidy(words).replace(/^[\s,;]+|[\s,;]+$/gu, "");
  const indication = found.indication ?? "";
  if (said === "") return { sig: null, indication, left: [], respelt };
  const structure = left.length > 0 ? null : structureOf(found);
  return {
    sig: { text: said, ...structure }, indication, respelt,
    left: structure === null && left.length === 0 ? [said] : joined(left, said),
  };
}

/** Neighbouring words are one phrase again, as they stood. */
function joined(left: readonly string[], said: string): readonly string[] {
  return left.reduce<string[]>((phrases, one) => {
    const last = phrases.at(-1);
    if (last !== undefined && said.includes(`${last} ${one}`)) return [...phrases.slice(0, -1), `${last} ${one}`];
    return [...phrases, one];
  }, []);
}

/** "(20 mg)" behind the dose: it may stand if it is what the strength makes it. */
function amountAgain(rest: string, found: Found, strength: string): number {
  const match = /^\((\d+(?:\.\d+)?) ?(mg|mcg|g|units)\)/iu.exec(rest);
  const one = /^(\d+(?:\.\d+)?) (mg|mcg|g|units)\b/iu.exec(strength);
  if (match === null || one === null || found.dose === undefined) return 0;
  const same = match[2]?.toLowerCase() === one[2]?.toLowerCase() && Math.abs(Number(found.dose.value) * Number(one[1]) - Number(match[1])) < 1e-9;
  return same ? match[0].length : 0;
}

/** The structure, or `null` if what was said does not go together. */
function structureOf(found: Found): Omit<Sig, "text"> | null {
  const { dose, count, period, unit, meal, prn, max } = found;
  const route = found.implied ?? found.route;
  const timed = found.times.length > 0;
  if (meal !== undefined && count === undefined) return null;
  if (timed && count !== undefined && (unit !== "d" || period !== 1 || count !== found.times.length)) return null;
  if (dose === undefined && count === undefined && !timed && prn === undefined) return null;
  return {
    ...(dose === undefined ? {} : { dose }),
    ...(route === undefined ? {} : { route }),
    ...(count === undefined || period === undefined || unit === undefined ? {} : { freq: { count, period, unit, ...(meal === undefined ? {} : { meal }) } }),
    ...(timed ? { times: found.times } : {}),
    ...(prn === undefined ? {} : { prn: { reason: prn } }),
    ...(max === undefined ? {} : { max_per_day: max }),
  };
}

// ---- the whole line ----

// "10 units" of insulin is a dose; "100 units/mL" is a strength.
const STRENGTH = /(^|[^\p{L}\d])(\d[\d.,]*(?:\s*-\s*\d[\d.]*)*\s*(?:mg|mcg|g|mL|units(?=\s*\/)|mEq|%)(?:\s*[-/]\s*(?:\d[\d.]*\s*)?(?:mg|mcg|g|mL|units|hour|dose|actuation))*)/iu;

/** Where the first strength of a line stands. */
function strengthIn(text: string): { readonly from: number; readonly to: number } | null {
  const found = STRENGTH.exec(text);
  if (found?.[1] === undefined) return null;
  return { from: found.index + found[1].length, to: found.index + found[0].length };
}

const startsSig = (text: string): boolean => {
  const said = expandSig(text);
  return RULES.some((one) => one(said, { times: [] }) > 0);
};

/** Where the instruction begins: at a comma, or at the first words that are one. */
function cut(text: string, from: number): number {
  const comma = text.slice(from).search(/,(?!\d)/u);
  const until = comma < 0 ? text.length : from + comma;
  for (const { index } of text.slice(from, until).matchAll(/\s\S/gu)) if (startsSig(text.slice(from + index + 1))) return from + index + 1;
  return until;
}

export function readLine(typed: string): ReadLine {
  const { text: spelt, respelt } = spell(typed.replace(/\s+/gu, " ").trimStart());
  const strength = strengthIn(spelt);
  const nameEnds = cut(spelt, 0);
  const has = strength !== null && strength.from <= nameEnds && strength.from > 0;
  // "10 mg" of a name is its strength; what follows up to the instruction is its form.
  const end = has ? cut(spelt, strength.to) : nameEnds;
  const named = (has ? spelt.slice(0, strength.from) : spelt.slice(0, end)).replace(/[\s,]+$/u, "");
  const overTheCounter = /(?:^|[\s(])otc\b\)?/iu.test(named);
  const name = named.replace(/(?:^|\s*[\s(])otc\b\)?/giu, " ").replace(/\s+/gu, " ").trim();
  const form = has ? tidy(spelt.slice(strength.from, end)).replace(/\btabs?\b/giu, "tablet").replace(/\bcaps?\b/giu, "capsule") : "";
  const said = spelt.slice(end).replace(/^[\s,;]+/u, "");
  const read = readSig(said, form);
  return {
    ...read, respelt, overTheCounter,
    product: name === "" ? null : { name, ...(form === "" ? {} : { strength_form: form }) },
  };
}

/** Common instructions for what is typed so far: those that go on with it, at most five. */
export function suggestions(typed: string): readonly string[] {
  const { text } = spell(typed.replace(/\s+/gu, " ").trimStart());
  const { product } = readLine(typed);
  if (product === null) return [];
  const strength = strengthIn(text);
  const end = strength !== null && strength.from <= cut(text, 0) && strength.from > 0 ? cut(text, strength.to) : cut(text, 0);
  const comma = /,\s*$/u.test(text.slice(0, end + 2)) || text[end] === ",";
  if (!comma && product.strength_form === undefined) return [];
  const said = expandSig(text.slice(end).replace(/^[\s,;]+/u, "")).toLowerCase();
  const whole = `${product.name} ${product.strength_form ?? ""}`;
  const usual = USUAL.find(([kind]) => kind.test(whole))?.[1] ?? [];
  return usual.filter((one) => one.toLowerCase().startsWith(said) && one.toLowerCase() !== said).slice(0, 5);
}

/** The line with a suggestion in place of its instruction. */
export function withSuggestion(typed: string, suggestion: string): string {
  const { product } = readLine(typed);
  return product === null ? suggestion : `${[product.name, product.strength_form].filter(Boolean).join(" ")}, ${suggestion}`;
}
