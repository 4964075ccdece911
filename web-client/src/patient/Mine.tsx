/** What the patient adds to the plan, and who else is in it. */
import { MessageCircle, Phone, Trash2 } from "lucide-react";
import { use, useState } from "react";
import { useLanguage } from "../i18n";
import { useCanEditRows, useCanWrite, useRecordSlice, useRegister, useRowNames, useRows, useScene } from "../plan/context";
import { RegisterEditor } from "../plan/Editor";
import { address, EMPTY_DOC, standing, valueAt } from "../plan/fold";
import { Unfolded } from "../plan/Fold";
import { PRIORITIES, REMARK_KINDS } from "../plan/forms/choices";
import { USUAL } from "../plan/forms/collect";
import { today, TextBox, DateBox, dateOk } from "../plan/forms/parts";
import { contactShape } from "../plan/forms/rows";
import { picked } from "../plan/forms/sig";
import { Marks } from "../plan/Marks";
import { NarrativeText } from "../plan/NarrativeText";
import { FACTORS } from "../plan/places";
import { AddRow } from "../plan/rows";
import { sameItems } from "../plan/store";
import { unitWords } from "../plan/words";
import { Button, IconButton } from "../ui/Button";
import { Card } from "../ui/Card";
import { Chip } from "../ui/Chip";
import { Select } from "../ui/Field";
import type { Measure, MeasureKind, RowId } from "../wire";
import { Section } from "./Section";
import { Undecided } from "./Undecided";
import style from "./PatientPage.module.css";

// ---- what the team looks at, and what matters most ----

export function Problems() {
  const { say } = useLanguage();
  const rows = useRecordSlice((state) => {
    const doc = state.docs.get("plan")?.shown ?? EMPTY_DOC;
    return standing(doc, "problems").filter((row) => (valueAt(doc, "problems.plain_text", row) ?? "") !== "" || doc.registers.get(`${row}/problems.plain_text`)?.state === "conflict");
  }, sameItems);
  const unfolded = use(Unfolded);
  const all = useRows("problems");
  const shown = unfolded ? all : rows;
  return shown.length === 0 ? null : (
    <Section title={say("patient.problems")}>
      <p>{say("patient.problems.what")}</p>
      {shown.map((row) => <Problem key={row} row={row} />)}
    </Section>
  );
}

function Problem({ row }: { readonly row: RowId }) {
  const { record } = useScene();
  const { say } = useLanguage();
  const text = useRegister("problems.plain_text", row);
  const view = useRegister("problems.patient_priority", row);
  const at = address("problems.patient_priority", row);
  const pick = (value: number): void => view.state === "conflict"
    ? record.resolve(at, view.candidates.map(({ rev }) => rev), value)
    : record.set(at, value);
  return (
    <Card>
      {text.state === "conflict" ? <Undecided /> : <p className={style["how"]}>{text.value}</p>}
      <Marks field="problems.patient_priority" row={row} view={view} labelled>
        <Select label={say("patient.priority")} value={view.state === "value" && view.value !== null ? String(view.value) : ""} disabled={!view.writable} onChange={(event) => pick(Number(event.currentTarget.value))}>
          <option value="" disabled>{say("patient.choose")}</option>
          {PRIORITIES.map((value) => <option key={value} value={value}>{say(`patient.priority.${value}`)}</option>)}
        </Select>
      </Marks>
    </Card>
  );
}

// ---- what a plan must fit: one question at a time ----

export function Factors() {
  const { say } = useLanguage();
  const unfolded = use(Unfolded);
  const [at, setAt] = useState(0);
  const shown = unfolded ? FACTORS : FACTORS.slice(at, at + 1);
  return (
    <Section title={say("patient.factors")}>
      <p>{say("patient.factors.what")}</p>
      <Card>
        {shown.map((field) => <NarrativeText key={field} field={field} label={say(`patient.${field}`)} hint={say(`patient.${field}.hint`)} />)}
        <p className={style["quiet"]}>{say("patient.factors.step", { step: at + 1, of: FACTORS.length })}</p>
        <div className={style["steps"]}>
          {at > 0 && <Button onClick={() => setAt(at - 1)}>{say("patient.factors.back")}</Button>}
          {at < FACTORS.length - 1 && <Button onClick={() => setAt(at + 1)}>{say("patient.factors.next")}</Button>}
        </div>
      </Card>
    </Section>
  );
}

// ---- how the patient proposes a change ----

export function Remarks() {
  const { record } = useScene();
  const { say } = useLanguage();
  const rows = useRows("remarks");
  const allowed = useCanEditRows("remarks");
  const last = useRecordSlice((state) => state.docs.get("voice")?.shown.lists.get("remarks")?.at(-1) ?? null);
  const [fresh, setFresh] = useState<RowId | null>(null);
  if (rows.length === 0 && !allowed) return null;
  return (
    <Section title={say("patient.remarks")}>
      <p>{say("patient.remarks.what")}</p>
      {rows.map((row) => <Remark key={row} row={row} fresh={row === fresh} />)}
      {allowed && (
        <div className={style["steps"]}>
          {REMARK_KINDS.map((kind) => (
            <Button key={kind} icon={<MessageCircle size={24} aria-hidden />} onClick={() => setFresh(record.add("remarks", last, { "remarks.about": { kind } }))}>
              {say(`patient.remarks.add.${kind}`)}
            </Button>
          ))}
        </div>
      )}
    </Section>
  );
}

function Remark({ row, fresh }: { readonly row: RowId; readonly fresh: boolean }) {
  const { record } = useScene();
  const { say } = useLanguage();
  const about = useRegister("remarks.about", row);
  const state = useRegister("remarks.state", row);
  const rows = [...useRows("meds"), ...useRows("todos")];
  const name = useRowNames();
  const { value } = about;
  return (
    <Card>
      <div data-field="remarks.state" className={style["steps"]}>
        {value !== null && <Chip tone="plain">{say(`patient.remarks.kind.${value.kind}`)}</Chip>}
        <Chip tone={state.value === "taken_up" ? "ok" : "info"}>{say(`patient.remarks.state.${state.value ?? "open"}`)}</Chip>
      </div>
      <NarrativeText field="remarks.text" row={row} label={say("patient.remarks.text")} fresh={fresh} />
      <Marks field="remarks.about" row={row} view={about} labelled>
        {value !== null && rows.length > 0 && (
          <Select
            label={say("patient.remarks.about")} value={value.row ?? ""} disabled={!about.writable}
            onChange={(event) => {
              const chosen = picked(["", ...rows], event.currentTarget.value);
              record.set(address("remarks.about", row), { kind: value.kind, ...(chosen === "" ? {} : { row: chosen }) });
            }}
          >
            <option value="">{say("patient.remarks.whole")}</option>
            {rows.map((one) => <option key={one} value={one}>{name(one)}</option>)}
          </Select>
        )}
      </Marks>
    </Card>
  );
}

// ---- readings at home ----

/** What people measure at home. */
const AT_HOME = ["blood_pressure", "weight", "heart_rate"] as const satisfies readonly MeasureKind[];

interface ReadingDraft {
  readonly kind: (typeof AT_HOME)[number];
  readonly value: string;
  readonly at: string;
}

const wholeDay = (at: string): boolean => dateOk(at) && at.length === 10;
/** "132/84" for a blood pressure, a number for the others. */
const reads = ({ kind, value }: ReadingDraft): boolean =>
  (kind === "blood_pressure" ? /^[0-9]{2,3} ?\/ ?[0-9]{2,3}$/ : /^[0-9]{1,3}([.][0-9])?$/).test(value.trim());

export function Readings() {
  const { say } = useLanguage();
  const rows = useRows("home_readings");
  const writable = useCanWrite("home_readings.content");
  if (rows.length === 0 && !writable) return null;
  return (
    <Section title={say("patient.readings")}>
      {rows.length > 0 && <Card><ul className={style["lines"]}>{rows.map((row) => <Reading key={row} row={row} />)}</ul></Card>}
      <AddRow<ReadingDraft>
        list="home_readings" label={say("patient.readings.add")} begin={() => ({ kind: "blood_pressure", value: "", at: today() })}
        finish={(draft) => !reads(draft) || !wholeDay(draft.at) ? "unfinished" : {
          value: { "home_readings.content": { kind: draft.kind, value: draft.value.trim().replaceAll(" ", ""), unit: draft.kind === "weight" ? "[lb_av]" : USUAL[draft.kind], at: draft.at, source: "patient" } satisfies Measure },
        }}
        form={({ draft, change, tried }) => (
          <>
            <Select label={say("patient.readings.kind")} value={draft.kind} onChange={(event) => change({ ...draft, kind: picked(AT_HOME, event.currentTarget.value), value: "" })}>
              {AT_HOME.map((kind) => <option key={kind} value={kind}>{say(`patient.readings.${kind}`)}</option>)}
            </Select>
            <TextBox
              label={say("patient.readings.value")} value={draft.value} most={8} hint={say(`patient.readings.${draft.kind}.hint`)}
              problem={tried && !reads(draft) ? say(`patient.readings.${draft.kind}.hint`) : undefined} onChange={(value) => change({ ...draft, value })}
            />
            <DateBox label={say("patient.readings.day")} value={draft.at} tried={tried} onChange={(at) => change({ ...draft, at })} />
          </>
        )}
      />
    </Section>
  );
}

function Reading({ row }: { readonly row: RowId }) {
  const { record } = useScene();
  const { say, g } = useLanguage();
  const { value } = useRegister("home_readings.content", row);
  const allowed = useCanEditRows("home_readings");
  const known = value === null ? undefined : AT_HOME.find((kind) => kind === value.kind);
  const words = value === null ? "" : `${known === undefined ? say(`plan.measure.kind.${value.kind}`) : say(`patient.readings.${known}`)}: ${value.value} ${unitWords(value.unit)}, ${g.date(value.at.slice(0, 10))}`;
  return (
    <li data-field="home_readings.content" className={style["line"]}>
      <span>{words}</span>
      {allowed && <IconButton label={say("patient.readings.remove", { what: words })} onClick={() => record.remove("home_readings", row, say("plan.remove.entered_in_error"))}><Trash2 size={24} aria-hidden /></IconButton>}
    </li>
  );
}

// ---- how to be reached, who looks after me, what I said yes to ----

export function Contact() {
  const { say } = useLanguage();
  const shape = contactShape(say("patient.contact"), say("patient.contact.times"), (format) => say(`patient.contact.${format}`));
  return (
    <Section title={say("patient.contact")}>
      <RegisterEditor
        field="contact_preference" shape={shape} bare label={say("patient.contact")} empty={say("patient.contact.none")}
        show={(value) => [say(`patient.contact.${value.format}`), value.times].filter(Boolean).join(", ")}
      />
    </Section>
  );
}

export function CareTeam() {
  const { say } = useLanguage();
  const rows = useRows("care_team");
  return rows.length === 0 ? null : <Section title={say("patient.team")}><Card><ul className={style["lines"]}>{rows.map((row) => <Member key={row} row={row} />)}</ul></Card></Section>;
}

function Member({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const { state, value } = useRegister("care_team.content", row);
  if (state === "conflict") return <li><Undecided /></li>;
  if (value === null) return null;
  return (
    <li className={style["member"]}>
      <strong>{value.name}</strong>{value.role !== "" && <span>{value.role}</span>}
      {value.phone !== undefined && (
        <a className={style["phone"]} href={`tel:${value.phone.replace(/[^+\d]/g, "")}`}><Phone size={24} aria-hidden />{say("patient.team.call", { phone: value.phone })}</a>
      )}
    </li>
  );
}

export function Consents() {
  const { say } = useLanguage();
  const rows = useRows("consents");
  return rows.length === 0 ? null : <Section title={say("patient.consents")}><Card><ul className={style["lines"]}>{rows.map((row) => <Consent key={row} row={row} />)}</ul></Card></Section>;
}

function Consent({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const { value } = useRegister("consents.content", row);
  return (
    <li data-field="consents.content">
      {value !== null && <>{say(`patient.consent.${value.kind}`)}: <strong>{say(`patient.consent.${value.state}`)}</strong></>}
    </li>
  );
}
