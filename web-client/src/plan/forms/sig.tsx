/** The sig editor: one register, one Done. */
import { Moon, Sun, Sunrise, Sunset } from "lucide-react";
import { useId, type ReactNode } from "react";
import { useLanguage } from "../../i18n";
import type { Meal, PeriodUnit, Route, Sig, TimeOfDay } from "../../wire";
import { Button } from "../../ui/Button";
import { Field, Select } from "../../ui/Field";
import { checkDecimal } from "../decimal";
import type { FormParts, Shape } from "../Editor";
import { GrowField } from "../GrowField";
import { PLAIN } from "../plain";
import { TIMES } from "../sigtable";
import { boxesFrom, checkSig, formOf, sigOf, structureOf, type SigCheck, type SigForm, type SigProblem } from "../sigform";
import { composeSig } from "../words";
import { TextBox } from "./parts";
import style from "./forms.module.css";

const ROUTES: readonly Route[] = ["oral", "sublingual", "inhaled", "nasal", "topical", "transdermal", "subcutaneous", "intramuscular", "ophthalmic", "otic", "rectal", "vaginal", "other"];
const PERIODS: readonly PeriodUnit[] = ["d", "h", "wk", "mo"];
const MEALS: readonly Meal[] = ["before", "with", "after"];
/** Units people write; any other may be typed. Spelled out, as "U" and "cc" are misread (Joint Commission). */
const UNITS = ["tablet", "capsule", "mg", "mcg", "g", "mL", "units", "drop", "puff", "spray", "patch"];
const ICONS: Record<TimeOfDay, ReactNode> = {
  morning: <Sunrise size={18} aria-hidden />, noon: <Sun size={18} aria-hidden />, evening: <Sunset size={18} aria-hidden />, bedtime: <Moon size={18} aria-hidden />,
};

export const sigShape: Shape<Sig, SigForm> = {
  begin: formOf,
  finish: (form) => {
    const sig = sigOf(form);
    return sig === null ? "unfinished" : { value: sig };
  },
  form: (parts) => <SigBoxes {...parts} />,
};

export function SigBoxes({ draft, change, tried }: FormParts<SigForm>) {
  const { say } = useLanguage();
  const units = useId();
  const problems = checkSig(draft);
  const composed = composeSig(structureOf(draft), say);
  // While the words say what the boxes say they go on together; once they were written by hand they stay.
  const set = (patch: Partial<SigForm>): void => {
    const next = { ...draft, ...patch };
    const follows = draft.text === "" || draft.text === composed;
    change(follows && patch.text === undefined ? { ...next, text: composeSig(structureOf(next), say) } : next);
  };
  // A number that can be misread is offered at once; what is merely unfinished waits for Done.
  const problem = (name: keyof SigCheck): string | undefined => {
    const code: SigProblem | undefined = problems[name];
    if (code === undefined || (!tried && code !== "bad_number")) return undefined;
    return code === "misread" ? undefined : say(`plan.sig.${code}`);
  };
  const fromWords = boxesFrom(draft);
  return (
    <>
      <GrowField label={say("plan.sig.text")} value={draft.text} most={300} problem={problem("text")} onChange={(text) => set({ text })} />
      {fromWords !== null && (
        <div className={style["offer"]}><Button onClick={() => change(fromWords)}>{say("plan.sig.fill", { what: composeSig(structureOf(fromWords), say) })}</Button></div>
      )}
      {fromWords === null && composed !== "" && composed !== draft.text && (
        <div className={style["offer"]}><Button onClick={() => change({ ...draft, text: composed })}>{say("plan.sig.follow", { text: composed })}</Button></div>
      )}
      {draft.text === "" && (
        <div className={style["offer"]}><Button onClick={() => change({ ...draft, text: say("plan.sig.not_sure") })}>{say("plan.sig.follow", { text: say("plan.sig.not_sure") })}</Button></div>
      )}
      <div className={style["pair"]}>
        <div>
          <TextBox label={say("plan.sig.dose")} value={draft.dose} most={16} decimal problem={problem("dose")} onChange={(dose) => set({ dose })} />
          <Offer text={draft.dose} onTake={(dose) => set({ dose })} />
        </div>
        <TextBox label={say("plan.sig.unit")} value={draft.unit} most={30} list={units} problem={problem("unit")} onChange={(unit) => set({ unit })} />
        <datalist id={units}>{UNITS.map((unit) => <option key={unit} value={unit}>{unit}</option>)}</datalist>
        <Select label={say("plan.sig.route")} value={draft.route} onChange={(event) => set({ route: picked(["", ...ROUTES], event.currentTarget.value) })}>
          <option value="">{say("plan.not_stated")}</option>
          {ROUTES.map((route) => <option key={route} value={route}>{say(`plan.sig.route.${route}`)}</option>)}
        </Select>
      </div>
      <div className={style["pair"]}>
        <Field label={say("plan.sig.count")} value={draft.count} inputMode="numeric" maxLength={2} {...PLAIN} problem={problem("count")} onChange={(event) => set({ count: event.currentTarget.value })} />
        <Field label={say("plan.sig.every")} value={draft.period} inputMode="numeric" maxLength={3} {...PLAIN} problem={problem("period")} onChange={(event) => set({ period: event.currentTarget.value })} />
        <Select label={say("plan.sig.period")} value={draft.periodUnit} onChange={(event) => set({ periodUnit: picked(PERIODS, event.currentTarget.value) })}>
          {PERIODS.map((unit) => <option key={unit} value={unit}>{say(`plan.sig.unit.${unit}`)}</option>)}
        </Select>
        <Select label={say("plan.sig.meal")} value={draft.meal} onChange={(event) => set({ meal: picked(["", ...MEALS], event.currentTarget.value) })}>
          <option value="">{say("plan.not_stated")}</option>
          {MEALS.map((meal) => <option key={meal} value={meal}>{say(`plan.sig.meal.${meal}`)}</option>)}
        </Select>
      </div>
      <div role="group" aria-label={say("plan.sig.times")} className={style["times"]}>
        {TIMES.map((time) => (
          <Button
            key={time} icon={ICONS[time]} aria-pressed={draft.times.includes(time)}
            onClick={() => set({ times: draft.times.includes(time) ? draft.times.filter((one) => one !== time) : [...draft.times, time] })}
          >
            {say(`plan.sig.time.${time}`)}
          </Button>
        ))}
      </div>
      <div className={style["pair"]}>
        <label className={style["check"]}>
          <input type="checkbox" checked={draft.prn} onChange={(event) => set({ prn: event.currentTarget.checked })} />
          <span>{say("plan.sig.prn")}</span>
        </label>
        {draft.prn && <TextBox label={say("plan.sig.prn_reason")} value={draft.prnReason} most={100} onChange={(prnReason) => set({ prnReason })} />}
        <div>
          <TextBox label={say("plan.sig.max")} value={draft.max} most={16} decimal problem={problem("max")} onChange={(max) => set({ max })} />
          <Offer text={draft.max} onTake={(max) => set({ max })} />
        </div>
      </div>
    </>
  );
}

/** "5.0" is read as 50 and ".5" as 5: the safe spelling is offered, never taken silently. */
function Offer({ text, onTake }: { readonly text: string; readonly onTake: (text: string) => void }) {
  const { say } = useLanguage();
  const check = checkDecimal(text);
  if (check.kind !== "misread") return null;
  const leading = text.startsWith(".") || text.startsWith(",");
  return (
    <div className={style["offer"]} role="status">
      <span>{say("plan.sig.misread", { bad: text })}</span>
      <Button onClick={() => onTake(check.good)}>
        {leading ? say("plan.sig.write_good", { good: check.good }) : say("plan.sig.write", { good: check.good, bad: text })}
      </Button>
    </div>
  );
}

/** One of the list: what a select gives back. */
export function picked<T extends string>(options: readonly T[], value: string): T {
  const found = options.find((option) => option === value) ?? options[0];
  if (found === undefined) throw new Error("a choice without options");
  return found;
}
