/** Forms of whole rows: teach-backs, the care team, tasks, consents, and how the patient wants to be reached. */
import { useLanguage } from "../../i18n";
import type { AccessWish, CareTeamMember, Consent, ContactPreference, RowId, Task, TeachBack, TouchpointFormat } from "../../wire";
import { Select } from "../../ui/Field";
import { useRowNames, useRows } from "../context";
import type { FormParts, Shape } from "../Editor";
import { GrowField } from "../GrowField";
import { CONSENT_KINDS, CONSENT_METHODS, CONSENT_STATES, TEACH_BACK_RESULTS } from "./choices";
import { Pick } from "./more";
import { isNpi } from "./npi";
import { DateBox, dateOk, TextBox } from "./parts";
import { subjectWords } from "../words";
import { picked } from "./sig";
import style from "./forms.module.css";

// ---- teach-back ----

export interface TeachBackDraft {
  readonly about: RowId | "";
  readonly message: string;
  readonly result: TeachBack["result"] | "";
}

export const teachBackShape: Shape<TeachBack, TeachBackDraft> = {
  begin: (value) => ({ about: value?.about ?? "", message: value?.message ?? "", result: value?.result ?? "" }),
  finish: ({ about, message, result }) => message.trim() === "" || result === "" ? "unfinished" : {
    value: { ...(about === "" ? {} : { about }), message: message.trim(), result },
  },
  form: (parts) => <TeachBackBoxes {...parts} />,
};

function TeachBackBoxes({ draft, change, tried }: FormParts<TeachBackDraft>) {
  const { say } = useLanguage();
  const rows = [...useRows("meds"), ...useRows("todos")];
  const name = useRowNames();
  return (
    <>
      <GrowField label={say("plan.teach_back.message")} value={draft.message} most={300} problem={tried && draft.message.trim() === "" ? say("plan.needed") : undefined} onChange={(message) => change({ ...draft, message })} />
      <div className={style["pair"]}>
        <Pick label={say("plan.teach_back.result")} options={TEACH_BACK_RESULTS} value={draft.result} problem={tried && draft.result === "" ? say("plan.needed") : undefined} words={(result) => say(`plan.teach_back.result.${result}`)} onPick={(result) => change({ ...draft, result })} />
        <Select label={say("plan.about")} value={draft.about} onChange={(event) => change({ ...draft, about: picked(["", ...rows], event.currentTarget.value) })}>
          <option value="">{say("plan.about_whole")}</option>
          {rows.map((row) => <option key={row} value={row}>{name(row)}</option>)}
        </Select>
      </div>
    </>
  );
}

// ---- care team ----

export interface MemberDraft {
  readonly name: string;
  readonly role: string;
  readonly phone: string;
  readonly fax: string;
  readonly npi: string;
}

export const memberShape: Shape<CareTeamMember, MemberDraft> = {
  begin: (value) => ({ name: value?.name ?? "", role: value?.role ?? "", phone: value?.phone ?? "", fax: value?.fax ?? "", npi: value?.npi ?? "" }),
  finish: (draft) => {
    const [name, role, phone, fax, npi] = [draft.name.trim(), draft.role.trim(), draft.phone.trim(), draft.fax.trim(), draft.npi.trim()];
    if (name === "" || (npi !== "" && !isNpi(npi))) return "unfinished";
    return { value: { name, role, ...(phone === "" ? {} : { phone }), ...(fax === "" ? {} : { fax }), ...(npi === "" ? {} : { npi }) } };
  },
  form: (parts) => <MemberBoxes {...parts} />,
};

function MemberBoxes({ draft, change, tried }: FormParts<MemberDraft>) {
  const { say } = useLanguage();
  return (
    <>
      <div className={style["pair"]}>
        <TextBox label={say("plan.member.name")} value={draft.name} most={100} problem={tried && draft.name.trim() === "" ? say("plan.needed") : undefined} onChange={(name) => change({ ...draft, name })} />
        <TextBox label={say("plan.member.role")} value={draft.role} most={100} hint={say("plan.member.role.hint")} onChange={(role) => change({ ...draft, role })} />
      </div>
      <div className={style["pair"]}>
        <TextBox label={say("plan.member.phone")} value={draft.phone} most={40} onChange={(phone) => change({ ...draft, phone })} />
        <TextBox label={say("plan.member.fax")} value={draft.fax} most={40} onChange={(fax) => change({ ...draft, fax })} />
        <TextBox label={say("plan.member.npi")} value={draft.npi} most={10} problem={tried && draft.npi.trim() !== "" && !isNpi(draft.npi.trim()) ? say("plan.member.npi.bad") : undefined} onChange={(npi) => change({ ...draft, npi })} />
      </div>
    </>
  );
}

// ---- task ----

export interface TaskDraft {
  readonly title: string;
  readonly assignee: string;
  readonly due: string;
}

export const taskShape: Shape<Task, TaskDraft> = {
  begin: (value) => ({ title: value?.title ?? "", assignee: value?.assignee ?? "", due: value?.due ?? "" }),
  finish: ({ title, assignee, due }) => title.trim() === "" || assignee.trim() === "" || !dateOk(due) ? "unfinished" : {
    value: { title: title.trim(), assignee: assignee.trim(), ...(due === "" ? {} : { due }) },
  },
  form: (parts) => <TaskBoxes {...parts} />,
};

function TaskBoxes({ draft, change, tried }: FormParts<TaskDraft>) {
  const { say } = useLanguage();
  const needed = (text: string): string | undefined => (tried && text.trim() === "" ? say("plan.needed") : undefined);
  return (
    <>
      <GrowField label={say("plan.task.title")} value={draft.title} most={200} problem={needed(draft.title)} onChange={(title) => change({ ...draft, title })} />
      <div className={style["pair"]}>
        <TextBox label={say("plan.task.assignee")} value={draft.assignee} most={100} hint={say("plan.task.assignee.hint")} problem={needed(draft.assignee)} onChange={(assignee) => change({ ...draft, assignee })} />
        <DateBox label={say("plan.task.due")} value={draft.due} tried={tried} onChange={(due) => change({ ...draft, due })} />
      </div>
    </>
  );
}

// ---- consent ----

export interface ConsentDraft {
  readonly kind: Consent["kind"] | "";
  readonly state: Consent["state"] | "";
  readonly method: Consent["method"];
  readonly witness: string;
  readonly scope: string;
}

export const consentShape: Shape<Consent, ConsentDraft> = {
  begin: (value) => ({ kind: value?.kind ?? "", state: value?.state ?? "", method: value?.method ?? "verbal", witness: value?.witness ?? "", scope: value?.scope ?? "" }),
  finish: ({ kind, state, method, witness, scope }) => {
    if (kind === "" || state === "" || (method === "verbal" && witness.trim() === "")) return "unfinished";
    return { value: { kind, state, method, ...(witness.trim() === "" ? {} : { witness: witness.trim() }), ...(scope.trim() === "" ? {} : { scope: scope.trim() }) } };
  },
  form: (parts) => <ConsentBoxes {...parts} />,
};

function ConsentBoxes({ draft, change, tried }: FormParts<ConsentDraft>) {
  const { say } = useLanguage();
  const needed = (text: string): string | undefined => (tried && text.trim() === "" ? say("plan.needed") : undefined);
  return (
    <>
      <div className={style["pair"]}>
        <Pick label={say("plan.consent.kind")} options={CONSENT_KINDS} value={draft.kind} problem={needed(draft.kind)} words={(kind) => say(`plan.consent.kind.${kind}`)} onPick={(kind) => change({ ...draft, kind })} />
        <Pick label={say("plan.consent.state")} options={CONSENT_STATES} value={draft.state} problem={needed(draft.state)} words={(state) => say(`plan.consent.state.${state}`)} onPick={(state) => change({ ...draft, state })} />
        <Pick label={say("plan.consent.method")} options={CONSENT_METHODS} value={draft.method} words={(method) => say(`plan.consent.method.${method}`)} onPick={(method) => change({ ...draft, method })} />
      </div>
      <div className={style["pair"]}>
        <TextBox
          label={say("plan.consent.witness")} value={draft.witness} most={100} onChange={(witness) => change({ ...draft, witness })}
          problem={draft.method === "verbal" && tried && draft.witness.trim() === "" ? say("plan.consent.witness.needed") : undefined}
        />
        <TextBox label={say("plan.consent.scope")} value={draft.scope} most={300} onChange={(scope) => change({ ...draft, scope })} />
      </div>
    </>
  );
}

// ---- who may see the plan ----

export interface AccessDraft {
  readonly subject: AccessWish["subject"] | null;
  readonly level: AccessWish["level"];
}

const LEVELS: readonly AccessWish["level"][] = ["as_role", "listen", "edit_voice", "legal", "none"];

export const accessShape: Shape<AccessWish, AccessDraft> = {
  begin: (value) => ({ subject: value?.subject ?? null, level: value?.level ?? "none" }),
  finish: ({ subject, level }) => (subject === null ? "unfinished" : { value: { subject, level } }),
  form: (parts) => <AccessBoxes {...parts} />,
};

function AccessBoxes({ draft, change }: FormParts<AccessDraft>) {
  const { say } = useLanguage();
  const label = draft.subject === null ? say("plan.field.access.content") : subjectWords(draft.subject, say);
  return <Pick label={label} options={LEVELS} value={draft.level} words={(level) => say(`plan.access.${level}`)} onPick={(level) => change({ ...draft, level })} />;
}

// ---- how the patient wants to be reached ----

const WAYS: readonly TouchpointFormat[] = ["phone", "video", "in_person", "message"];

export interface ContactDraft {
  readonly format: TouchpointFormat | "";
  readonly times: string;
}

/** `words`: how the reader's side of the page calls the ways. */
export const contactShape = (label: string, times: string, words: (format: TouchpointFormat) => string): Shape<ContactPreference, ContactDraft> => ({
  begin: (value) => ({ format: value?.format ?? "", times: value?.times ?? "" }),
  finish: ({ format, times: when }) => (format === "" ? "unfinished" : { value: { format, ...(when.trim() === "" ? {} : { times: when.trim() }) } }),
  form: (parts) => <ContactBoxes label={label} times={times} words={words} {...parts} />,
});

function ContactBoxes(props: FormParts<ContactDraft> & { readonly label: string; readonly times: string; readonly words: (format: TouchpointFormat) => string }) {
  const { say } = useLanguage();
  const { draft, change, tried } = props;
  return (
    <>
      <Pick label={props.label} options={WAYS} value={draft.format} problem={tried && draft.format === "" ? say("plan.needed") : undefined} words={props.words} onPick={(format) => change({ ...draft, format })} />
      <GrowField label={props.times} value={draft.times} most={200} onChange={(times) => change({ ...draft, times })} />
    </>
  );
}
