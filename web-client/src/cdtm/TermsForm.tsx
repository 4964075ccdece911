/** The draft, from the template. An incomplete draft is saved as it is; what is missing is listed on the agreement. */
import { Plus } from "lucide-react";
import { useLanguage } from "../i18n";
import { checkDecimal } from "../plan/decimal";
import { Checks } from "../plan/forms/parts";
import { Button } from "../ui/Button";
import { Field, Select } from "../ui/Field";
import type { AgreementId, Agreements, DrugRule, RecommendedAction, Terms } from "../wire";
import { ActForm, DayBox, isDay, Lines, LongText, type Give } from "./parts";
import style from "./cdtm.module.css";

/** What an order set can authorise; the server holds the same list. */
const ACTIONS: readonly RecommendedAction[] = ["start", "stop", "hold", "change_dose", "change_time", "change_form", "change_drug", "monitor"];

export function emptyTerms(all: Agreements): Terms {
  return {
    jurisdiction: all.templates[0]?.jurisdiction ?? "", pharmacist: all.pharmacists.length === 1 ? all.pharmacists[0]?.person ?? null : null,
    backup: { name: "", phone: "" }, condition: "", f2f_visit: null, start: null, end: null, board_told: null, disclosure: "",
    communication: { method: "", frequency: "", format: "" }, outcomes: [],
    order_set: {
      pharmacist_phone: "", provider_phone: "", patient: all.patient, drugs: [], extent: "", responsibilities: { physician: "", pharmacist: "" },
      procedures: "", tests: [], reporting: "", notify_events: [], immediate_consultation: "",
    },
  };
}

interface DrugDraft {
  readonly ingredient: string;
  readonly actions: readonly RecommendedAction[];
  readonly least: string;
  readonly most: string;
  readonly day: string;
  readonly unit: string;
}

const NEW_DRUG: DrugDraft = { ingredient: "", actions: [], least: "", most: "", day: "", unit: "mg" };

const draftOf = ({ ingredient, actions, dose }: DrugRule): DrugDraft =>
  ({ ingredient, actions, least: dose?.least ?? "", most: dose?.most ?? "", day: dose?.most_per_day ?? "", unit: dose?.unit ?? "mg" });

/** `null` if a number cannot be taken. */
function ruleOf({ ingredient, actions, least, most, day, unit }: DrugDraft): DrugRule | null {
  const good = (text: string): boolean => checkDecimal(text).kind === "good";
  const named = { ingredient: ingredient.trim(), actions: [...actions] };
  if (least === "" && most === "" && day === "") return { ...named, dose: null };
  if (!good(least) || !good(most) || (day !== "" && !good(day)) || unit.trim() === "") return null;
  return { ...named, dose: { least, most, most_per_day: day === "" ? null : day, unit: unit.trim() } };
}

/** What is typed. */
interface Typed {
  readonly draft: Terms;
  readonly days: { readonly f2f_visit: string; readonly start: string; readonly end: string; readonly board_told: string; readonly dob: string };
  readonly drugs: readonly DrugDraft[];
  readonly lines: { readonly outcomes: string; readonly tests: string; readonly events: string };
}

/** A draft that is being written: it outlives the dialog, so that nothing typed is lost with a key. */
export interface Writing {
  readonly id: AgreementId;
  /** `null`: as it stands when it is saved. */
  readonly seen: number | null;
  readonly typed: Typed;
}

export const typedOf = (terms: Terms): Typed => ({
  draft: terms,
  days: { f2f_visit: terms.f2f_visit ?? "", start: terms.start ?? "", end: terms.end ?? "", board_told: terms.board_told ?? "", dob: terms.order_set.patient.dob ?? "" },
  drugs: terms.order_set.drugs.map(draftOf),
  lines: { outcomes: terms.outcomes.join("\n"), tests: terms.order_set.tests.join("\n"), events: terms.order_set.notify_events.join("\n") },
});

const linesOf = (text: string): string[] => text.split("\n").map((line) => line.trim()).filter((line) => line !== "");

export function TermsForm({ all, typed, onType, give, close }: { readonly all: Agreements; readonly typed: Typed; readonly onType: (typed: Typed) => void; readonly give: Give; readonly close: () => void }) {
  const { say } = useLanguage();
  const { draft, days, drugs, lines } = typed;
  const setDraft = (next: Terms): void => onType({ ...typed, draft: next });
  const setDays = (next: Typed["days"]): void => onType({ ...typed, days: next });
  const setDrugs = (next: readonly DrugDraft[]): void => onType({ ...typed, drugs: next });
  const setLines = (next: Typed["lines"]): void => onType({ ...typed, lines: next });
  const { order_set: set } = draft;
  const inSet = (part: Partial<Terms["order_set"]>): void => setDraft({ ...draft, order_set: { ...set, ...part } });
  const inPatient = (part: Partial<Terms["order_set"]["patient"]>): void => inSet({ patient: { ...set.patient, ...part } });
  const inTalk = (part: Partial<Terms["communication"]>): void => setDraft({ ...draft, communication: { ...draft.communication, ...part } });
  const finished = (): Terms | null => {
    const day = (text: string): string | null => (text === "" ? null : text);
    const rules = drugs.map(ruleOf);
    if (Object.values(days).some((text) => text !== "" && !isDay(text)) || rules.some((rule) => rule === null || rule.ingredient === "")) return null;
    return {
      ...draft, f2f_visit: day(days.f2f_visit), start: day(days.start), end: day(days.end), board_told: day(days.board_told), outcomes: linesOf(lines.outcomes),
      order_set: {
        ...set, patient: { ...set.patient, dob: day(days.dob) }, drugs: rules.filter((rule) => rule !== null),
        tests: linesOf(lines.tests), notify_events: linesOf(lines.events),
      },
    };
  };
  const act = () => {
    const whole = finished();
    return whole === null ? null : { kind: "draft" as const, terms: whole };
  };
  const line = (label: string, value: string, most: number, onChange: (value: string) => void, type = "text") => (
    <Field label={label} value={value} type={type} autoComplete="off" maxLength={most} onChange={(event) => onChange(event.currentTarget.value)} />
  );
  return (
    <ActForm label={say("cdtm.new")} submit={say("cdtm.save")} act={act} give={give} close={close}>
      {(tried) => (
        <>
          {all.templates.map((template) => template.jurisdiction === draft.jurisdiction && (
            <p key={template.version} className={style["quiet"]}>{say("cdtm.template")}: {template.name}, {template.version}{!template.verified && `. ${say("cdtm.unverified")}`}</p>
          ))}
          {all.templates.length > 1 && (
            <Select label={say("cdtm.template")} value={draft.jurisdiction} onChange={(event) => setDraft({ ...draft, jurisdiction: event.currentTarget.value })}>
              {all.templates.map(({ jurisdiction, name }) => <option key={jurisdiction} value={jurisdiction}>{name}</option>)}
            </Select>
          )}
          {line(say("cdtm.condition"), draft.condition, 200, (condition) => setDraft({ ...draft, condition }))}
          <div className={style["pair"]}>
            <DayBox label={say("cdtm.f2f")} value={days.f2f_visit} tried={tried} onChange={(f2f_visit) => setDays({ ...days, f2f_visit })} />
            <DayBox label={say("cdtm.start")} value={days.start} tried={tried} onChange={(start) => setDays({ ...days, start })} />
            <DayBox label={say("cdtm.end")} value={days.end} tried={tried} onChange={(end) => setDays({ ...days, end })} />
            <DayBox label={say("cdtm.board_told")} value={days.board_told} tried={tried} onChange={(board_told) => setDays({ ...days, board_told })} />
          </div>
          <Select label={say("cdtm.pharmacist")} value={draft.pharmacist ?? ""} onChange={(event) => setDraft({ ...draft, pharmacist: all.pharmacists.find(({ person }) => person === event.currentTarget.value)?.person ?? null })}>
            <option value="">{say("cdtm.no_pharmacist")}</option>
            {all.pharmacists.map(({ person, name }) => <option key={person} value={person}>{name}</option>)}
          </Select>
          <div className={style["pair"]}>
            {line(say("cdtm.provider_phone"), set.provider_phone, 40, (provider_phone) => inSet({ provider_phone }), "tel")}
            {line(say("cdtm.pharmacist_phone"), set.pharmacist_phone, 40, (pharmacist_phone) => inSet({ pharmacist_phone }), "tel")}
            {line(say("cdtm.backup.name"), draft.backup.name, 100, (name) => setDraft({ ...draft, backup: { ...draft.backup, name } }))}
            {line(say("cdtm.backup.phone"), draft.backup.phone, 40, (phone) => setDraft({ ...draft, backup: { ...draft.backup, phone } }), "tel")}
          </div>
          <div className={style["pair"]}>
            {line(say("cdtm.patient.name"), set.patient.name, 200, (name) => inPatient({ name }))}
            {line(say("cdtm.patient.gender"), set.patient.gender, 40, (gender) => inPatient({ gender }))}
            <DayBox label={say("cdtm.patient.dob")} value={days.dob} tried={tried} onChange={(dob) => setDays({ ...days, dob })} />
            {line(say("cdtm.patient.phone"), set.patient.phone, 40, (phone) => inPatient({ phone }), "tel")}
          </div>
          {line(say("cdtm.patient.address"), set.patient.address, 300, (address) => inPatient({ address }))}
          <h3>{say("cdtm.drugs")}</h3>
          {drugs.map((drug, index) => (
            <Drug
              // Drugs have no name of their own before one is typed.
              key={index} drug={drug} number={index + 1} tried={tried} onChange={(next) => setDrugs(drugs.with(index, next))}
              onRemove={() => setDrugs(drugs.toSpliced(index, 1))}
            />
          ))}
          <div className={style["tools"]}><Button icon={<Plus size={20} aria-hidden />} onClick={() => setDrugs([...drugs, NEW_DRUG])}>{say("cdtm.drug.add")}</Button></div>
          <Lines label={say("cdtm.tests")} value={lines.tests} onChange={(tests) => setLines({ ...lines, tests })} />
          <LongText label={say("cdtm.extent")} value={set.extent} most={1_000} onChange={(extent) => inSet({ extent })} />
          <LongText label={say("cdtm.procedures")} value={set.procedures} most={2_000} onChange={(procedures) => inSet({ procedures })} />
          <LongText label={say("cdtm.of_physician")} value={set.responsibilities.physician} most={1_000} onChange={(physician) => inSet({ responsibilities: { ...set.responsibilities, physician } })} />
          <LongText label={say("cdtm.of_pharmacist")} value={set.responsibilities.pharmacist} most={1_000} onChange={(pharmacist) => inSet({ responsibilities: { ...set.responsibilities, pharmacist } })} />
          <div className={style["pair"]}>
            {line(say("cdtm.communication.method"), draft.communication.method, 200, (method) => inTalk({ method }))}
            {line(say("cdtm.communication.frequency"), draft.communication.frequency, 200, (frequency) => inTalk({ frequency }))}
            {line(say("cdtm.communication.format"), draft.communication.format, 200, (format) => inTalk({ format }))}
          </div>
          <LongText label={say("cdtm.reporting")} value={set.reporting} most={500} onChange={(reporting) => inSet({ reporting })} />
          <Lines label={say("cdtm.notify_events")} value={lines.events} onChange={(events) => setLines({ ...lines, events })} />
          <LongText label={say("cdtm.immediate")} value={set.immediate_consultation} most={1_000} onChange={(immediate_consultation) => inSet({ immediate_consultation })} />
          <Lines label={say("cdtm.outcomes")} value={lines.outcomes} onChange={(outcomes) => setLines({ ...lines, outcomes })} />
          <LongText label={say("cdtm.disclosure")} value={draft.disclosure} most={2_000} onChange={(disclosure) => setDraft({ ...draft, disclosure })} />
        </>
      )}
    </ActForm>
  );
}

function Drug({ drug, number, tried, onChange, onRemove }: { readonly drug: DrugDraft; readonly number: number; readonly tried: boolean; readonly onChange: (next: DrugDraft) => void; readonly onRemove: () => void }) {
  const { say } = useLanguage();
  const title = say("cdtm.drug", { number });
  const dosed = drug.least !== "" || drug.most !== "" || drug.day !== "";
  const dose = (label: string, value: string, needed: boolean, change: (value: string) => void) => (
    <Field
      label={label} value={value} inputMode="decimal" autoComplete="off" maxLength={16} onChange={(event) => change(event.currentTarget.value)}
      problem={tried && dosed && (value === "" ? needed : checkDecimal(value).kind !== "good") ? say("cdtm.dose.bad") : undefined}
    />
  );
  return (
    <section className={style["drug"]} aria-label={title}>
      <h4>{title}</h4>
      <Field
        label={say("cdtm.drug.ingredient")} hint={say("cdtm.drug.ingredient.hint")} value={drug.ingredient} autoComplete="off" maxLength={200}
        problem={tried && drug.ingredient.trim() === "" ? say("cdtm.needed") : undefined} onChange={(event) => onChange({ ...drug, ingredient: event.currentTarget.value })}
      />
      <Checks label={say("cdtm.drug.actions")} options={ACTIONS.map((value) => ({ value, words: say(`plan.rec.action.${value}`) }))} chosen={drug.actions} onChange={(actions) => onChange({ ...drug, actions })} />
      <div className={style["pair"]}>
        {dose(say("cdtm.drug.least"), drug.least, true, (least) => onChange({ ...drug, least }))}
        {dose(say("cdtm.drug.most"), drug.most, true, (most) => onChange({ ...drug, most }))}
        {dose(say("cdtm.drug.day"), drug.day, false, (day) => onChange({ ...drug, day }))}
        <Field label={say("cdtm.drug.unit")} value={drug.unit} autoComplete="off" maxLength={30} onChange={(event) => onChange({ ...drug, unit: event.currentTarget.value })} />
      </div>
      <div className={style["tools"]}><Button kind="quiet" onClick={onRemove}>{say("cdtm.drug.remove", { name: drug.ingredient.trim() === "" ? title : drug.ingredient })}</Button></div>
    </section>
  );
}
