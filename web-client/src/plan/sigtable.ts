/**
 * The words of instructions: what is typed short and what it stands for, and the phrases the atomic sig can hold.
 *
 * Abbreviations after the Joint Commission's "Do Not Use" list and the usual pharmacy ones. What two readers read
 * differently is not in the table on purpose: "od" is the right eye to one and once a day to another.
 */
import type { Meal, PeriodUnit, Route, TimeOfDay } from "../wire";

/** Of the day, in its order. */
export const TIMES: readonly TimeOfDay[] = ["morning", "noon", "evening", "bedtime"];

/** A word by itself; `long` may name the groups of `pattern`. What stands before is a group too, since Safari reads no lookbehind before 16.4. */
const short = (pattern: string, long: string): readonly [RegExp, string] =>
  [new RegExp(`(?<before>^|[^\\p{L}\\d.])(?:${pattern})(?![\\p{L}\\d])\\.?`, "giu"), `$<before>${long}`];

/** In order: longer ones first. */
export const SHORT: readonly (readonly [RegExp, string])[] = [
  short("q\\.?\\s?h\\.?\\s?s", "daily at bedtime"),
  short("q\\.?\\s?o\\.?\\s?d", "every other day"),
  short("q\\.?\\s?a\\.?\\s?m", "every morning"),
  short("q\\.?\\s?p\\.?\\s?m", "every evening"),
  short("q\\.?\\s?i\\.?\\s?d", "4 times daily"),
  short("t\\.?\\s?i\\.?\\s?d", "3 times daily"),
  short("b\\.?\\s?i\\.?\\s?d", "twice daily"),
  short("q\\s?(?<from>\\d{1,2})\\s?(?:-|to)\\s?(?<to>\\d{1,2})\\s?h(?:rs?|ours?)?", "every $<from> to $<to> hours"),
  short("q\\s?(?<each>\\d{1,2})\\s?h(?:rs?|ours?)?", "every $<each> hours"),
  short("q\\s?(?<each>\\d{1,3})\\s?d(?:ays?)?", "every $<each> days"),
  short("q\\s?(?<each>\\d{1,2})\\s?w(?:ks?|eeks?)?", "every $<each> weeks"),
  short("q\\.?\\s?w(?:k|eek)?", "every week"),
  short("q\\.?\\s?d", "daily"),
  short("p\\.?\\s?r\\.?\\s?n", "as needed"),
  short("p\\.?\\s?o", "by mouth"),
  short("h\\.?s", "at bedtime"),
  short("a\\.?c", "before meals"),
  short("p\\.?c", "after meals"),
  short("s\\.?l", "under the tongue"),
  short("sub\\s?-?q|s\\.?q|s\\.?c|subcut", "under the skin"),
  short("i\\.?m", "into a muscle"),
  short("tabs?", "tablet"),
  short("caps?", "capsule"),
  short("gtts?", "drop"),
  [/\bw\/\s?/giu, "with "],
];

/** Spelling of units and numbers, in medicines and in instructions. */
export const SPELLING: readonly (readonly [RegExp, string])[] = [
  [/(\d)\s*(?:µg|μg|ug|mcgs?)(?![\p{L}])/giu, "$1 mcg"],
  [/(\d)\s*(?:cc|mls?)(?![\p{L}])/giu, "$1 mL"],
  [/\/\s*(?:cc|mls?)(?![\p{L}])/giu, "/mL"],
  [/(\d)\s*(?:iu|u)(?![\p{L}])/giu, "$1 units"],
  [/(\d)\s*mgs?(?![\p{L}])/giu, "$1 mg"],
  [/(\d)\s*(?:gms?|grams?)(?![\p{L}])/giu, "$1 g"],
  [/(\d)\s*g(?![\p{L}])/gu, "$1 g"],
];

/** Units of a dose: as typed, and as kept. */
export const UNITS: Readonly<Record<string, string>> = {
  tablet: "tablet", tablets: "tablet", capsule: "capsule", capsules: "capsule", caplet: "caplet", caplets: "caplet", softgel: "softgel", softgels: "softgel",
  mg: "mg", mcg: "mcg", g: "g", ml: "mL", unit: "units", units: "units", drop: "drop", drops: "drop", puff: "puff", puffs: "puff", spray: "spray", sprays: "spray",
  patch: "patch", patches: "patch", lozenge: "lozenge", lozenges: "lozenge", suppository: "suppository", suppositories: "suppository", packet: "packet", packets: "packet",
};

export const NUMBERS: Readonly<Record<string, string>> = {
  half: "0.5", "half a": "0.5", one: "1", two: "2", three: "3", four: "4", five: "5", six: "6", seven: "7", eight: "8", nine: "9", ten: "10", twelve: "12",
};

export const ROUTES: readonly (readonly [RegExp, Route])[] = [
  [/^(?:by mouth|orally)\b/iu, "oral"],
  [/^(?:under (?:the|your) tongue|sublingually)\b/iu, "sublingual"],
  [/^(?:by inhalation|inhaled|breathed in)\b/iu, "inhaled"],
  [/^(?:in(?:to)? (?:the|your) nose|nasally|intranasally)\b/iu, "nasal"],
  [/^(?:on (?:the|your) skin|to (?:the|your) skin|topically)\b/iu, "topical"],
  [/^(?:transdermally|patch on the skin)\b/iu, "transdermal"],
  [/^(?:under (?:the|your) skin|subcutaneously)\b/iu, "subcutaneous"],
  [/^(?:into (?:a|the) muscle|intramuscularly)\b/iu, "intramuscular"],
  [/^in(?:to)? (?:the|your) eye\b/iu, "ophthalmic"],
  [/^in(?:to)? (?:the|your) ear\b/iu, "otic"],
  [/^rectally\b/iu, "rectal"],
  [/^vaginally\b/iu, "vaginal"],
];

export const PERIODS: Readonly<Record<string, PeriodUnit>> = {
  hour: "h", hours: "h", day: "d", days: "d", daily: "d", week: "wk", weeks: "wk", weekly: "wk", month: "mo", months: "mo", monthly: "mo",
};

export const DAYTIMES: Readonly<Record<string, TimeOfDay>> = { morning: "morning", noon: "noon", midday: "noon", evening: "evening", bedtime: "bedtime", bed: "bedtime" };

export const MEALS: Readonly<Record<string, Meal>> = { before: "before", with: "with", after: "after" };

/** Instructions written most, by what the medicine is. Offered, never filled in by themselves. */
const ORAL = (unit: string): readonly string[] => [
  `1 ${unit} by mouth every morning`, `1 ${unit} by mouth daily`, `1 ${unit} by mouth twice daily`, `1 ${unit} by mouth daily at bedtime`,
  `1 ${unit} by mouth 3 times daily`, `1 ${unit} by mouth twice daily with food`, `1 ${unit} by mouth every 6 hours as needed for pain`, `1 ${unit} by mouth every week`,
];
export const USUAL: readonly (readonly [RegExp, readonly string[]])[] = [
  [/inhaler|inhalation|hfa|diskus|respimat/iu, ["2 puffs inhaled every 4 hours as needed for wheezing", "1 puff inhaled twice daily", "2 puffs inhaled twice daily", "1 puff inhaled daily"]],
  [/insulin|pen\b|units\/mL|injection/iu, ["10 units under the skin daily at bedtime", "4 units under the skin before meals, 3 times daily", "0.5 mg under the skin every week"]],
  [/eye|ophth/iu, ["1 drop into the eye twice daily", "1 drop into the eye daily at bedtime"]],
  [/nasal/iu, ["1 spray into the nose daily", "2 sprays into the nose daily"]],
  [/patch/iu, ["1 patch on the skin daily", "1 patch on the skin every week", "1 patch on the skin every 3 days"]],
  [/cream|ointment|gel\b|lotion/iu, ["On the skin twice daily", "On the skin daily at bedtime"]],
  [/solution|suspension|syrup|liquid/iu, ["5 mL by mouth twice daily", "10 mL by mouth every 6 hours as needed"]],
  [/capsule|softgel/iu, ORAL("capsule")],
  [/./u, ORAL("tablet")],
];
