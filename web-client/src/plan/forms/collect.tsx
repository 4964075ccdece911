/** Forms of what is collected: medicines, allergies, immunizations, conditions, measures. */
import { useLanguage } from "../../i18n";
import type {
  Adherence, Allergy, AllergySeverity, Assessment, Condition, ConditionStatus, Immunization, Measure, MeasureKind, MeasureSource,
  MedicationKind, MedicationStatus, Product, Verify,
} from "../../wire";
import { Select } from "../../ui/Field";
import type { Shape } from "../Editor";
import { GrowField } from "../GrowField";
import { unitWords } from "../words";
import { DateBox, dateOk, TextBox } from "./parts";
import { picked } from "./sig";
import style from "./forms.module.css";

export const KINDS: readonly MedicationKind[] = ["rx", "otc", "vitamin", "supplement", "herbal", "sample", "device"];
export const ANSWERS = ["yes", "no", "unsure", "n_a"] as const;
const SEVERITIES: readonly AllergySeverity[] = ["mild", "moderate", "severe"];
const STATUSES: readonly ConditionStatus[] = ["active", "inactive"];
const MEASURES: readonly MeasureKind[] = ["blood_pressure", "weight", "heart_rate", "hba1c", "ldl_cholesterol", "creatinine", "egfr", "potassium", "inr", "alt"];
const SOURCES: readonly MeasureSource[] = ["staff", "patient", "chart"];
/** UCUM units a reading usually comes in. */
export const USUAL: Record<MeasureKind, string> = {
  blood_pressure: "mm[Hg]", weight: "kg", heart_rate: "/min", hba1c: "%", ldl_cholesterol: "mg/dL", creatinine: "mg/dL", egfr: "mL/min/{1.73_m2}",
  potassium: "mmol/L", inr: "", alt: "U/L",
};

// ---- medicine ----

export interface ProductDraft {
  readonly name: string;
  readonly strength: string;
  /** The code the name came with; it goes when the name is typed anew. */
  readonly from: Product | null;
}

export const productOf = ({ name, strength, from }: ProductDraft): Product | null =>
  name.trim() === "" ? null : {
    name: name.trim(),
    ...(from?.code !== undefined && from.name === name.trim() && (from.strength_form ?? "") === strength.trim() ? { code: from.code } : {}),
    ...(strength.trim() === "" ? {} : { strength_form: strength.trim() }),
    ...(from?.ingredients !== undefined && from.name === name.trim() ? { ingredients: from.ingredients } : {}),
  };

export function ProductBoxes(props: { readonly draft: ProductDraft; readonly change: (draft: ProductDraft) => void; readonly tried: boolean }) {
  const { say } = useLanguage();
  const { draft, change, tried } = props;
  return (
    <div className={style["pair"]}>
      <TextBox label={say("plan.med.name")} value={draft.name} most={200} problem={tried && draft.name.trim() === "" ? say("plan.needed") : undefined} onChange={(name) => change({ ...draft, name })} />
      <TextBox label={say("plan.med.strength")} value={draft.strength} most={100} hint={say("plan.med.strength.hint")} onChange={(strength) => change({ ...draft, strength })} />
    </div>
  );
}

export const productShape: Shape<Product, ProductDraft> = {
  begin: (value) => ({ name: value?.name ?? "", strength: value?.strength_form ?? "", from: value }),
  finish: (draft) => {
    const value = productOf(draft);
    return value === null ? "unfinished" : { value };
  },
  form: (parts) => <ProductBoxes {...parts} />,
};

export const statusShape: Shape<MedicationStatus, MedicationStatus | null> = {
  begin: (value) => value,
  finish: (draft) => {
    if (draft === null || (draft.state === "stopped" && !dateOk(draft.date ?? ""))) return "unfinished";
    return { value: draft.state === "stopped" ? { state: "stopped", reason: draft.reason.trim(), ...(draft.date === undefined || draft.date === "" ? {} : { date: draft.date }) } : draft };
  },
  form: ({ draft, change, tried }) => <StatusBoxes {...{ draft, change, tried }} />,
};

const STATES: readonly MedicationStatus["state"][] = ["active", "on_hold", "stopped", "entered_in_error"];
export const statusOf = (state: MedicationStatus["state"]): MedicationStatus => (state === "stopped" ? { state, reason: "" } : { state });
export const MED_STATES = STATES;

function StatusBoxes({ draft, change, tried }: { readonly draft: MedicationStatus | null; readonly change: (draft: MedicationStatus) => void; readonly tried: boolean }) {
  const { say } = useLanguage();
  return (
    <>
      <Select label={say("plan.field.meds.status")} value={draft?.state ?? ""} onChange={(event) => change(statusOf(picked(STATES, event.currentTarget.value)))}>
        {draft === null && <option value="" disabled>{say("plan.none_chosen")}</option>}
        {STATES.map((state) => <option key={state} value={state}>{say(`plan.med.status.${state}`)}</option>)}
      </Select>
      {draft?.state === "stopped" && (
        <div className={style["pair"]}>
          <GrowField label={say("plan.med.stop.reason")} value={draft.reason} most={200} onChange={(reason) => change({ ...draft, reason })} />
          <DateBox label={say("plan.date")} value={draft.date ?? ""} tried={tried} onChange={(date) => change({ ...draft, date })} />
        </div>
      )}
    </>
  );
}

export const VERIFY_STATES: readonly Verify["state"][] = ["unverified", "patient_confirmed", "bottle_seen", "prescriber_confirmed", "could_not_verify"];
export const verifyOf = (state: Verify["state"]): Verify => (state === "could_not_verify" ? { state, reason: "" } : { state });
export const verifyShape: Shape<Verify, Verify | null> = {
  begin: (value) => value,
  finish: (draft) => (draft === null || (draft.state === "could_not_verify" && draft.reason.trim() === "") ? "unfinished" : { value: draft }),
  form: ({ draft, change, tried }) => <VerifyBoxes {...{ draft, change, tried }} />,
};

function VerifyBoxes({ draft, change, tried }: { readonly draft: Verify | null; readonly change: (draft: Verify) => void; readonly tried: boolean }) {
  const { say } = useLanguage();
  return (
    <>
      <Select label={say("plan.field.meds.verify")} value={draft?.state ?? ""} onChange={(event) => change(verifyOf(picked(VERIFY_STATES, event.currentTarget.value)))}>
        {draft === null && <option value="" disabled>{say("plan.none_chosen")}</option>}
        {VERIFY_STATES.map((state) => <option key={state} value={state}>{say(`plan.med.verify.${state}`)}</option>)}
      </Select>
      {draft?.state === "could_not_verify" && (
        <GrowField label={say("plan.med.verify.why")} value={draft.reason} most={200} problem={tried && draft.reason.trim() === "" ? say("plan.needed") : undefined} onChange={(reason) => change({ ...draft, reason })} />
      )}
    </>
  );
}

export const TAKING: readonly Adherence["taking"][] = ["as_prescribed", "differently", "not_taking", "unknown"];
export const adherenceShape: Shape<Adherence, Adherence | null> = {
  begin: (value) => value,
  finish: (draft) => draft === null ? "unfinished" : {
    value: {
      taking: draft.taking, ...((draft.reason ?? "").trim() === "" ? {} : { reason: (draft.reason ?? "").trim() }),
      ...(draft.missed_per_7d === undefined ? {} : { missed_per_7d: draft.missed_per_7d }),
    },
  },
  form: ({ draft, change }) => <AdherenceBoxes {...{ draft, change }} />,
};

function AdherenceBoxes({ draft, change }: { readonly draft: Adherence | null; readonly change: (draft: Adherence) => void }) {
  const { say } = useLanguage();
  return (
    <>
      <Select label={say("plan.field.meds.adherence")} value={draft?.taking ?? ""} onChange={(event) => change({ ...draft, taking: picked(TAKING, event.currentTarget.value) })}>
        {draft === null && <option value="" disabled>{say("plan.none_chosen")}</option>}
        {TAKING.map((taking) => <option key={taking} value={taking}>{say(`plan.med.taking.${taking}`)}</option>)}
      </Select>
      {draft !== null && (
        <div className={style["pair"]}>
          <GrowField label={say("plan.med.taking.why")} value={draft.reason ?? ""} most={300} onChange={(reason) => change({ ...draft, reason })} />
          <TextBox label={say("plan.med.missed_7d")} value={draft.missed_per_7d === undefined ? "" : String(draft.missed_per_7d)} most={2} decimal onChange={(text) => change(missed(draft, text))} />
        </div>
      )}
    </>
  );
}

/** Digits alone, as nothing else is a number of doses. */
function missed({ missed_per_7d: before, ...draft }: Adherence, text: string): Adherence {
  if (text === "") return draft;
  if (/^[0-9]{1,2}$/.test(text)) return { ...draft, missed_per_7d: Number(text) };
  return before === undefined ? draft : { ...draft, missed_per_7d: before };
}

export const assessmentShape: Shape<Assessment, Assessment | null> = {
  begin: (value) => value,
  finish: (draft) => (draft === null ? "unfinished" : { value: { answer: draft.answer, ...((draft.note ?? "").trim() === "" ? {} : { note: (draft.note ?? "").trim() }) } }),
  form: ({ draft, change }) => <AssessmentBoxes {...{ draft, change }} />,
};

function AssessmentBoxes({ draft, change }: { readonly draft: Assessment | null; readonly change: (draft: Assessment) => void }) {
  const { say } = useLanguage();
  return (
    <>
      <Select label={say("plan.field.meds.indicated")} value={draft?.answer ?? ""} onChange={(event) => change({ ...draft, answer: picked(ANSWERS, event.currentTarget.value) })}>
        {draft === null && <option value="" disabled>{say("plan.none_chosen")}</option>}
        {ANSWERS.map((answer) => <option key={answer} value={answer}>{say(`plan.answer.${answer}`)}</option>)}
      </Select>
      <GrowField label={say("plan.assess.note")} value={draft?.note ?? ""} most={500} onChange={(note) => change({ answer: draft?.answer ?? "unsure", note })} />
    </>
  );
}

// ---- allergies ----

export interface AllergyDraft {
  readonly substance: string;
  readonly reactions: string;
  readonly severity: AllergySeverity | "";
  readonly source: string;
  readonly from: Allergy | null;
}

export const allergyShape: Shape<Allergy, AllergyDraft> = {
  begin: (value) => ({ substance: value?.substance ?? "", reactions: (value?.reactions ?? []).join(", "), severity: value?.severity ?? "", source: value?.source ?? "", from: value }),
  finish: (draft) => {
    const substance = draft.substance.trim();
    if (substance === "") return "unfinished";
    const reactions = draft.reactions.split(",").map((one) => one.trim()).filter((one) => one !== "");
    return {
      value: {
        substance,
        ...(draft.from?.code !== undefined && draft.from.substance === substance ? { code: draft.from.code } : {}),
        ...(reactions.length === 0 ? {} : { reactions }),
        ...(draft.severity === "" ? {} : { severity: draft.severity }),
        ...(draft.source.trim() === "" ? {} : { source: draft.source.trim() }),
      },
    };
  },
  form: ({ draft, change, tried }) => <AllergyBoxes {...{ draft, change, tried }} />,
};

function AllergyBoxes({ draft, change, tried }: { readonly draft: AllergyDraft; readonly change: (draft: AllergyDraft) => void; readonly tried: boolean }) {
  const { say } = useLanguage();
  return (
    <>
      <div className={style["pair"]}>
        <TextBox label={say("plan.allergy.substance")} value={draft.substance} most={200} problem={tried && draft.substance.trim() === "" ? say("plan.needed") : undefined} onChange={(substance) => change({ ...draft, substance })} />
        <Select label={say("plan.allergy.severity")} value={draft.severity} onChange={(event) => change({ ...draft, severity: picked(["", ...SEVERITIES], event.currentTarget.value) })}>
          <option value="">{say("plan.not_stated")}</option>
          {SEVERITIES.map((severity) => <option key={severity} value={severity}>{say(`plan.allergy.severity.${severity}`)}</option>)}
        </Select>
      </div>
      <div className={style["pair"]}>
        <GrowField label={say("plan.allergy.reactions")} value={draft.reactions} most={600} hint={say("plan.allergy.reactions.hint")} onChange={(reactions) => change({ ...draft, reactions })} />
        <TextBox label={say("plan.allergy.source")} value={draft.source} most={100} onChange={(source) => change({ ...draft, source })} />
      </div>
    </>
  );
}

// ---- immunizations, conditions, measures ----

export interface DatedDraft<T> {
  readonly text: string;
  readonly date: string;
  readonly from: T | null;
}

export const immunizationShape: Shape<Immunization, DatedDraft<Immunization>> = {
  begin: (value) => ({ text: value?.vaccine ?? "", date: value?.date ?? "", from: value }),
  finish: ({ text, date, from }) => {
    const vaccine = text.trim();
    if (vaccine === "" || !dateOk(date)) return "unfinished";
    return { value: { vaccine, ...(from?.code !== undefined && from.vaccine === vaccine ? { code: from.code } : {}), ...(date === "" ? {} : { date }) } };
  },
  form: ({ draft, change, tried }) => <ImmunizationBoxes {...{ draft, change, tried }} />,
};

function ImmunizationBoxes({ draft, change, tried }: { readonly draft: DatedDraft<Immunization>; readonly change: (draft: DatedDraft<Immunization>) => void; readonly tried: boolean }) {
  const { say } = useLanguage();
  return (
    <div className={style["pair"]}>
      <TextBox label={say("plan.immunization.vaccine")} value={draft.text} most={200} problem={tried && draft.text.trim() === "" ? say("plan.needed") : undefined} onChange={(text) => change({ ...draft, text })} />
      <DateBox label={say("plan.date")} value={draft.date} tried={tried} onChange={(date) => change({ ...draft, date })} />
    </div>
  );
}

export interface ConditionDraft extends DatedDraft<Condition> {
  readonly status: ConditionStatus;
}

export const conditionShape: Shape<Condition, ConditionDraft> = {
  begin: (value) => ({ text: value?.text ?? "", date: value?.onset ?? "", status: value?.status ?? "active", from: value }),
  finish: ({ text, date, status, from }) => {
    const words = text.trim();
    if (words === "" || !dateOk(date)) return "unfinished";
    return { value: { text: words, ...(from?.code !== undefined && from.text === words ? { code: from.code } : {}), status, ...(date === "" ? {} : { onset: date }) } };
  },
  form: ({ draft, change, tried }) => <ConditionBoxes {...{ draft, change, tried }} />,
};

function ConditionBoxes({ draft, change, tried }: { readonly draft: ConditionDraft; readonly change: (draft: ConditionDraft) => void; readonly tried: boolean }) {
  const { say } = useLanguage();
  return (
    <div className={style["pair"]}>
      <TextBox label={say("plan.condition.text")} value={draft.text} most={200} problem={tried && draft.text.trim() === "" ? say("plan.needed") : undefined} onChange={(text) => change({ ...draft, text })} />
      <Select label={say("plan.condition.status")} value={draft.status} onChange={(event) => change({ ...draft, status: picked(STATUSES, event.currentTarget.value) })}>
        {STATUSES.map((status) => <option key={status} value={status}>{say(`plan.condition.status.${status}`)}</option>)}
      </Select>
      <DateBox label={say("plan.condition.onset")} value={draft.date} tried={tried} onChange={(date) => change({ ...draft, date })} />
    </div>
  );
}

export interface MeasureDraft {
  readonly kind: MeasureKind;
  readonly value: string;
  readonly unit: string;
  readonly at: string;
  readonly source: MeasureSource;
}

/** `today`: a FHIR date. */
export const newMeasure = (today: string, source: MeasureSource = "staff"): MeasureDraft => ({ kind: "blood_pressure", value: "", unit: USUAL.blood_pressure, at: today, source });

export const measureShape: Shape<Measure, MeasureDraft> = {
  begin: (value) => value ?? newMeasure(""),
  finish: (draft) => (draft.value.trim() === "" || !/^\d{4}(-\d{2}){2}$/.test(draft.at) ? "unfinished" : { value: { ...draft, value: draft.value.trim(), unit: draft.unit.trim() } }),
  form: ({ draft, change, tried }) => <MeasureBoxes {...{ draft, change, tried }} />,
};

function MeasureBoxes({ draft, change, tried }: { readonly draft: MeasureDraft; readonly change: (draft: MeasureDraft) => void; readonly tried: boolean }) {
  const { say } = useLanguage();
  return (
    <div className={style["pair"]}>
      <Select
        label={say("plan.measure.kind")} value={draft.kind}
        onChange={(event) => {
          const kind = picked(MEASURES, event.currentTarget.value);
          change({ ...draft, kind, unit: draft.unit === USUAL[draft.kind] ? USUAL[kind] : draft.unit });
        }}
      >
        {MEASURES.map((kind) => <option key={kind} value={kind}>{say(`plan.measure.kind.${kind}`)}</option>)}
      </Select>
      <TextBox label={say("plan.measure.value")} value={draft.value} most={40} problem={tried && draft.value.trim() === "" ? say("plan.needed") : undefined} onChange={(value) => change({ ...draft, value })} />
      <TextBox label={say("plan.measure.unit")} value={draft.unit} most={40} hint={unitWords(draft.unit) === draft.unit ? undefined : unitWords(draft.unit)} onChange={(unit) => change({ ...draft, unit })} />
      <DateBox label={say("plan.measure.at")} value={draft.at} tried={tried} onChange={(at) => change({ ...draft, at })} />
      <Select label={say("plan.measure.source")} value={draft.source} onChange={(event) => change({ ...draft, source: picked(SOURCES, event.currentTarget.value) })}>
        {SOURCES.map((source) => <option key={source} value={source}>{say(`plan.measure.source.${source}`)}</option>)}
      </Select>
    </div>
  );
}
