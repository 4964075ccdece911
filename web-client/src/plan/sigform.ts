/** What stands in the sig editor, and the sig it makes. Pure: half a sig is not a value, and nothing is invented. */
import type { Meal, PeriodUnit, Route, Sig, TimeOfDay } from "../wire";
import { checkDecimal } from "./decimal";
import { expandSig, readSig } from "./sigline";
import { TIMES } from "./sigtable";

/** The editor's boxes as typed. */
export interface SigForm {
  readonly dose: string;
  readonly unit: string;
  readonly route: Route | "";
  readonly count: string;
  readonly period: string;
  readonly periodUnit: PeriodUnit;
  readonly meal: Meal | "";
  readonly times: readonly TimeOfDay[];
  readonly prn: boolean;
  readonly prnReason: string;
  readonly max: string;
  readonly text: string;
}

export const formOf = (sig: Sig | null): SigForm => ({
  dose: sig?.dose?.value ?? "",
  unit: sig?.dose?.unit ?? "",
  route: sig?.route ?? "",
  count: sig?.freq === undefined ? "" : String(sig.freq.count),
  period: sig?.freq === undefined ? "1" : String(sig.freq.period),
  periodUnit: sig?.freq?.unit ?? "d",
  meal: sig?.freq?.meal ?? "",
  times: sig?.times ?? [],
  prn: sig?.prn !== undefined,
  prnReason: sig?.prn?.reason ?? "",
  max: sig?.max_per_day ?? "",
  text: sig?.text ?? "",
});

export type SigProblem = "bad_number" | "misread" | "zero" | "unit_needed" | "dose_needed" | "count_range" | "period_range" | "text_needed";

export interface SigCheck {
  readonly dose?: SigProblem;
  readonly unit?: SigProblem;
  readonly count?: SigProblem;
  readonly period?: SigProblem;
  readonly max?: SigProblem;
  readonly text?: SigProblem;
}

const numberProblem = (text: string): SigProblem | undefined => {
  const check = checkDecimal(text);
  return check.kind === "bad" ? "bad_number" : check.kind === "misread" || check.kind === "zero" ? check.kind : undefined;
};

const whole = (text: string, most: number): boolean => /^[1-9][0-9]{0,2}$/.test(text) && Number(text) <= most;

/** What keeps the form from being a sig, by box. */
export function checkSig(form: SigForm): SigCheck {
  const dose = numberProblem(form.dose) ?? (form.dose === "" && form.unit.trim() !== "" ? "dose_needed" : undefined);
  const unit = form.dose !== "" && form.unit.trim() === "" ? "unit_needed" : undefined;
  // A relation to food hangs on how often: without it, it would be lost.
  const count = (form.count !== "" || form.meal !== "") && !whole(form.count, 24) ? "count_range" : undefined;
  const period = form.count !== "" && !whole(form.period, 365) ? "period_range" : undefined;
  const max = numberProblem(form.max);
  const text = form.text.trim() === "" ? "text_needed" : undefined;
  return {
    ...(dose === undefined ? {} : { dose }), ...(unit === undefined ? {} : { unit }), ...(count === undefined ? {} : { count }),
    ...(period === undefined ? {} : { period }), ...(max === undefined ? {} : { max }), ...(text === undefined ? {} : { text }),
  };
}

/** The structure of the boxes that hold something usable; the text comes from its own box. */
export function structureOf(form: SigForm): Omit<Sig, "text"> {
  const { route, meal } = form;
  return {
    ...(checkDecimal(form.dose).kind === "good" && form.unit.trim() !== "" ? { dose: { value: form.dose, unit: form.unit.trim() } } : {}),
    ...(route === "" ? {} : { route }),
    ...(whole(form.count, 24) && whole(form.period, 365)
      ? { freq: { count: Number(form.count), period: Number(form.period), unit: form.periodUnit, ...(meal === "" ? {} : { meal }) } }
      : {}),
    ...(form.times.length === 0 ? {} : { times: TIMES.filter((time) => form.times.includes(time)) }),
    ...(form.prn ? { prn: { reason: form.prnReason.trim() } } : {}),
    ...(checkDecimal(form.max).kind === "good" ? { max_per_day: form.max } : {}),
  };
}

/** The sig, or `null` while something keeps it from being one. Its words are without abbreviations. */
export const sigOf = (form: SigForm): Sig | null =>
  Object.keys(checkSig(form)).length > 0 ? null : { text: expandSig(form.text), ...structureOf(form) };

/** The boxes as the words fill them; `null` if they are not understood whole, or say no more than the boxes do. */
export function boxesFrom(form: SigForm): SigForm | null {
  const { sig, left, indication } = readSig(form.text);
  if (sig === null || left.length > 0 || indication !== "") return null;
  const filled = formOf(sig);
  return JSON.stringify(structureOf(filled)) === JSON.stringify(structureOf(form)) ? null : filled;
}
