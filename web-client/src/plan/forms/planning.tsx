/** Forms of what is planned: problems, recommendations, goals, to-dos, touchpoints, when to call. */
import { useLanguage } from "../../i18n";
import type {
  GoalTarget, Instruction, ProblemCategory, ProblemStatement, RecommendationContent, RecommendedAction, Role, RowId, Touchpoint,
  TouchpointFormat, WhenToCall,
} from "../../wire";
import { Button } from "../../ui/Button";
import { Select } from "../../ui/Field";
import { useRowNames, useRecordSlice, useRows } from "../context";
import type { Shape } from "../Editor";
import { EMPTY_DOC, valueAt } from "../fold";
import { GrowField } from "../GrowField";
import { formOf, sigOf, type SigForm } from "../sigform";
import { ReadingHint } from "../ReadingHint";
import { DateBox, dateOk, MedicineChecks, Checks, TextBox } from "./parts";
import { picked, SigBoxes } from "./sig";
import style from "./forms.module.css";

export const CATEGORIES: readonly ProblemCategory[] = ["needs_therapy", "unnecessary", "ineffective", "dose_too_low", "adverse_reaction", "dose_too_high", "needs_monitoring", "adherence", "cost"];
export const SEVERITIES = ["high", "moderate", "low"] as const;
export const URGENCIES = ["today", "this_week", "next_visit"] as const;
const ACTIONS: readonly RecommendedAction[] = ["start", "stop", "hold", "change_dose", "change_drug", "change_form", "change_time", "monitor", "educate", "adherence_aid", "refer", "immunize", "no_change"];
const FORMATS: readonly TouchpointFormat[] = ["video", "phone", "in_person", "message"];
const MEMBERS: readonly Role[] = ["patient", "caregiver", "pharmacist", "pcp", "nurse", "chw", "specialist"];

type Boxes<D> = { readonly draft: D; readonly change: (draft: D) => void; readonly tried: boolean };

// ---- problem ----

export const statementShape: Shape<ProblemStatement, ProblemStatement> = {
  begin: (value) => value ?? { condition: "", med_ids: [] },
  finish: (draft) => ({ value: { condition: draft.condition.trim(), med_ids: draft.med_ids } }),
  form: (parts) => <StatementBoxes {...parts} />,
};

export function StatementBoxes({ draft, change }: Boxes<ProblemStatement>) {
  const { say } = useLanguage();
  return (
    <>
      <GrowField label={say("plan.problem.condition")} value={draft.condition} most={200} onChange={(condition) => change({ ...draft, condition })} />
      <MedicineChecks label={say("plan.problem.medicines")} chosen={draft.med_ids} onChange={(chosen) => change({ ...draft, med_ids: [...chosen] })} />
    </>
  );
}

// ---- recommendation ----

export interface RecommendationDraft {
  readonly problem: RowId | "";
  readonly action: RecommendedAction;
  readonly med: RowId | "";
  readonly summary: string;
  /** `null`: no regimen is proposed. */
  readonly regimen: SigForm | null;
}

export const newRecommendation = (problem: RowId | ""): RecommendationDraft => ({ problem, action: "change_dose", med: "", summary: "", regimen: null });

export const recommendationShape: Shape<RecommendationContent, RecommendationDraft> = {
  begin: (value) => value === null ? newRecommendation("") : {
    problem: value.problem ?? "", action: value.action, med: value.med ?? "", summary: value.summary,
    regimen: value.regimen === undefined ? null : formOf(value.regimen),
  },
  finish: (draft) => {
    const summary = draft.summary.trim();
    const regimen = draft.regimen === null ? undefined : sigOf(draft.regimen);
    if (summary === "" || regimen === null) return "unfinished";
    return {
      value: {
        ...(draft.problem === "" ? {} : { problem: draft.problem }), action: draft.action, ...(draft.med === "" ? {} : { med: draft.med }), summary,
        ...(regimen === undefined ? {} : { regimen }),
      },
    };
  },
  form: (parts) => <RecommendationBoxes {...parts} />,
};

function RecommendationBoxes({ draft, change, tried }: Boxes<RecommendationDraft>) {
  const { say } = useLanguage();
  const problems = useRows("problems");
  const meds = useRows("meds");
  const name = useRowNames();
  const title = useProblemTitle();
  return (
    <>
      <GrowField label={say("plan.rec.summary")} value={draft.summary} most={300} problem={tried && draft.summary.trim() === "" ? say("plan.needed") : undefined} onChange={(summary) => change({ ...draft, summary })} />
      <div className={style["pair"]}>
        <Select label={say("plan.rec.action")} value={draft.action} onChange={(event) => change({ ...draft, action: picked(ACTIONS, event.currentTarget.value) })}>
          {ACTIONS.map((action) => <option key={action} value={action}>{say(`plan.rec.action.${action}`)}</option>)}
        </Select>
        <Select label={say("plan.rec.med")} value={draft.med} onChange={(event) => change({ ...draft, med: picked(["", ...meds], event.currentTarget.value) })}>
          <option value="">{say("plan.rec.no_med")}</option>
          {meds.map((row) => <option key={row} value={row}>{name(row)}</option>)}
        </Select>
        <Select label={say("plan.rec.problem")} value={draft.problem} onChange={(event) => change({ ...draft, problem: picked(["", ...problems], event.currentTarget.value) })}>
          <option value="">{say("plan.rec.no_problem")}</option>
          {problems.map((row, index) => <option key={row} value={row}>{title(row, index)}</option>)}
        </Select>
      </div>
      {draft.regimen === null
        ? <div><Button onClick={() => change({ ...draft, regimen: formOf(null) })}>{say("plan.rec.add_regimen")}</Button></div>
        : (
          <fieldset className={style["regimen"]}>
            <legend className={style["label"]}>{say("plan.rec.regimen")}</legend>
            <SigBoxes draft={draft.regimen} change={(regimen) => change({ ...draft, regimen })} tried={tried} />
            <div><Button kind="quiet" onClick={() => change({ ...draft, regimen: null })}>{say("plan.rec.drop_regimen")}</Button></div>
          </fieldset>
        )}
    </>
  );
}

/** "Problem 2: high cholesterol". */
export function useProblemTitle(): (row: RowId, index: number) => string {
  const { say } = useLanguage();
  const doc = useRecordSlice((state) => state.docs.get("plan")?.shown ?? EMPTY_DOC);
  return (row, index) => {
    const number = say("plan.problem.number", { number: index + 1 });
    const condition = valueAt(doc, "problems.statement", row)?.condition ?? "";
    return condition === "" ? number : `${number}: ${condition}`;
  };
}

// ---- goal, to-do, touchpoint, when to call ----

export interface TargetDraft {
  readonly measure: string;
  readonly value: string;
  readonly due: string;
}

export const targetShape: Shape<GoalTarget, TargetDraft> = {
  begin: (value) => ({ measure: value?.measure ?? "", value: value?.value ?? "", due: value?.due ?? "" }),
  finish: ({ measure, value, due }) => measure.trim() === "" || value.trim() === "" || !dateOk(due)
    ? "unfinished"
    : { value: { measure: measure.trim(), value: value.trim(), ...(due === "" ? {} : { due }) } },
  form: (parts) => <TargetBoxes {...parts} />,
};

function TargetBoxes({ draft, change, tried }: Boxes<TargetDraft>) {
  const { say } = useLanguage();
  const needed = (text: string): string | undefined => (tried && text.trim() === "" ? say("plan.needed") : undefined);
  return (
    <div className={style["pair"]}>
      <TextBox label={say("plan.goal.measure")} value={draft.measure} most={100} problem={needed(draft.measure)} onChange={(measure) => change({ ...draft, measure })} />
      <TextBox label={say("plan.goal.value")} value={draft.value} most={100} problem={needed(draft.value)} onChange={(value) => change({ ...draft, value })} />
      <DateBox label={say("plan.goal.due")} value={draft.due} tried={tried} onChange={(due) => change({ ...draft, due })} />
    </div>
  );
}

export interface InstructionDraft {
  readonly text: string;
  readonly when: string;
  readonly meds: readonly RowId[];
}

export const instructionShape: Shape<Instruction, InstructionDraft> = {
  begin: (value) => ({ text: value?.text ?? "", when: value?.when ?? "", meds: value?.med_ids ?? [] }),
  finish: ({ text, when, meds }) => text.trim() === "" ? "unfinished" : {
    value: { text: text.trim(), ...(meds.length === 0 ? {} : { med_ids: [...meds] }), ...(when.trim() === "" ? {} : { when: when.trim() }) },
  },
  form: (parts) => <InstructionBoxes {...parts} />,
};

export function InstructionBoxes({ draft, change, tried }: Boxes<InstructionDraft>) {
  const { say } = useLanguage();
  return (
    <>
      <GrowField label={say("plan.todo.text")} value={draft.text} most={300} problem={tried && draft.text.trim() === "" ? say("plan.needed") : undefined} onChange={(text) => change({ ...draft, text })} />
      <ReadingHint text={draft.text} />
      <TextBox label={say("plan.todo.when")} value={draft.when} most={100} onChange={(when) => change({ ...draft, when })} />
      <MedicineChecks label={say("plan.todo.medicines")} chosen={draft.meds} onChange={(meds) => change({ ...draft, meds })} />
    </>
  );
}

export interface TouchpointDraft {
  readonly purpose: string;
  readonly when: string;
  readonly format: TouchpointFormat;
  readonly members: readonly Role[];
}

export const touchpointShape: Shape<Touchpoint, TouchpointDraft> = {
  begin: (value) => ({ purpose: value?.purpose ?? "", when: value?.when ?? "", format: value?.format ?? "video", members: value?.members ?? ["patient", "pharmacist"] }),
  finish: ({ purpose, when, format, members }) => purpose.trim() === "" || when.trim() === "" ? "unfinished" : {
    value: { purpose: purpose.trim(), when: when.trim(), format, ...(members.length === 0 ? {} : { members: MEMBERS.filter((role) => members.includes(role)) }) },
  },
  form: (parts) => <TouchpointBoxes {...parts} />,
};

export function TouchpointBoxes({ draft, change, tried }: Boxes<TouchpointDraft>) {
  const { say } = useLanguage();
  const needed = (text: string): string | undefined => (tried && text.trim() === "" ? say("plan.needed") : undefined);
  return (
    <>
      <div className={style["pair"]}>
        <TextBox label={say("plan.touchpoint.purpose")} value={draft.purpose} most={200} problem={needed(draft.purpose)} onChange={(purpose) => change({ ...draft, purpose })} />
        <TextBox label={say("plan.touchpoint.when")} value={draft.when} most={100} hint={say("plan.touchpoint.when.hint")} problem={needed(draft.when)} onChange={(when) => change({ ...draft, when })} />
        <Select label={say("plan.touchpoint.format")} value={draft.format} onChange={(event) => change({ ...draft, format: picked(FORMATS, event.currentTarget.value) })}>
          {FORMATS.map((format) => <option key={format} value={format}>{say(`plan.touchpoint.format.${format}`)}</option>)}
        </Select>
      </div>
      <Checks label={say("plan.touchpoint.members")} options={MEMBERS.map((role) => ({ value: role, words: say(`plan.role.${role}`) }))} chosen={draft.members} onChange={(members) => change({ ...draft, members })} />
    </>
  );
}

export const whenToCallShape: Shape<WhenToCall, WhenToCall> = {
  begin: (value) => value ?? { call: "", emergency: "" },
  finish: ({ call, emergency }) => ({ value: { call: call.trim(), emergency: emergency.trim() } }),
  form: (parts) => <WhenToCallBoxes {...parts} />,
};

function WhenToCallBoxes({ draft, change }: Boxes<WhenToCall>) {
  const { say } = useLanguage();
  return (
    <>
      <GrowField label={say("plan.call.call")} value={draft.call} most={400} onChange={(call) => change({ ...draft, call })} />
      <GrowField label={say("plan.call.emergency")} value={draft.emergency} most={400} onChange={(emergency) => change({ ...draft, emergency })} />
      <ReadingHint text={`${draft.call} ${draft.emergency}`} />
    </>
  );
}
