import { CircleCheck, Plus, Phone, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useLanguage } from "../i18n";
import { useCanEditRows, useCanWrite, useRecordSlice, useRegister, useRows, useScene, useValue } from "../plan/context";
import { EMPTY_DOC, standing } from "../plan/fold";
import { NarrativeText } from "../plan/NarrativeText";
import { standingOf, type Standing } from "../plan/standing";
import { StandingsProvider } from "../plan/standings";
import { sameItems } from "../plan/store";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { Chip } from "../ui/Chip";
import type { RowId } from "../wire";
import { Access } from "./Access";
import { Agreement } from "./Agreement";
import { CareTeam, Consents, Contact, Factors, Problems, Readings, Remarks } from "./Mine";
import { Section } from "./Section";
import { Undecided } from "./Undecided";
import { useHasText } from "./useHasText";
import { Visit } from "./Visit";
import style from "./PatientPage.module.css";

export function More({ shared }: { readonly shared: boolean }) {
  const { say } = useLanguage();
  return (
    <>
      <Questions />
      {shared && <Problems />}
      <Section title={say("patient.voice")}>
        <Card>
          <NarrativeText field="my_goals" label={say("patient.my_goals")} />
          <NarrativeText field="my_concerns" label={say("patient.my_concerns")} />
        </Card>
      </Section>
      <Factors />
      <Remarks />
      <Readings />
      {shared && <Visits />}
      <Contact />
      {shared && <Goals />}
      {shared && <Recommended />}
      {shared && <Allergies />}
      {shared && <Shots />}
      {shared && <CareTeam />}
      <Consents />
      <Access />
      <Agreement />
      <WhenToCall shared={shared} />
    </>
  );
}

function Questions() {
  const { record } = useScene();
  const { say } = useLanguage();
  const rows = useRows("questions");
  const last = useRecordSlice((state) => state.docs.get("voice")?.shown.lists.get("questions")?.at(-1) ?? null);
  const allowed = useCanEditRows("questions");
  const writable = useCanWrite("questions.text");
  const [fresh, setFresh] = useState<RowId | null>(null);
  return (
    <Section title={say("patient.questions")}>
      {rows.length === 0 && writable && <p>{say("patient.questions.none")}</p>}
      {rows.map((row, index) => (
        <Card key={row}>
          <NarrativeText field="questions.text" row={row} label={say("patient.questions.one", { number: index + 1 })} fresh={row === fresh} />
          <Answered row={row} />
        </Card>
      ))}
      {allowed && (
        <Button icon={<Plus size={24} aria-hidden />} onClick={() => setFresh(record.add("questions", last, {}))}>{say("patient.questions.add")}</Button>
      )}
    </Section>
  );
}

/** The team says whether it was answered. */
function Answered({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const { value } = useRegister("questions.answered", row);
  return <p data-field="questions.answered" className={style["quiet"]}>{value === true && <Chip tone="ok" icon={<CircleCheck size={20} aria-hidden />}>{say("patient.questions.answered")}</Chip>}</p>;
}

function Visits() {
  const { say } = useLanguage();
  const rows = useRows("touchpoints");
  const next = useHasText("outline.follow_up_instructions");
  return (
    <Section title={say("patient.visits")}>
      {rows.length === 0 ? <p>{say("patient.visits.none")}</p> : <StandingsProvider>{rows.map((row) => <Visit key={row} row={row} />)}</StandingsProvider>}
      {next && <Card><NarrativeText field="outline.follow_up_instructions" locked label={say("patient.next")} /></Card>}
    </Section>
  );
}

function Goals() {
  const { say } = useLanguage();
  const rows = useRows("goals");
  return rows.length === 0 ? null : <Section title={say("patient.goals")}>{rows.map((row, index) => <Goal key={row} row={row} number={index + 1} />)}</Section>;
}

function Goal({ row, number }: { readonly row: RowId; readonly number: number }) {
  const { say } = useLanguage();
  const { state, value } = useRegister("goals.target", row);
  return (
    <Card>
      <NarrativeText field="goals.text" row={row} locked label={say("patient.goals.one", { number })} />
      {state === "conflict" ? <Undecided /> : value !== null && <p>{value.measure}: {value.value}</p>}
    </Card>
  );
}

/** What was taken back or replaced is not asked of anybody any more, so it is not shown. */
const ANSWER: Record<Standing, "waiting" | "yes" | "changed" | "no" | null> = {
  draft: "waiting", sent: "waiting", seen: "waiting", no_response: "waiting", accepted: "yes", accepted_modified: "changed",
  declined: "no", implemented: "yes", verified: "yes", withdrawn: null, replaced: null,
};

function Recommended() {
  const { say } = useLanguage();
  const rows = useRecordSlice((state) => {
    const doc = state.docs.get("plan")?.shown ?? EMPTY_DOC;
    return standing(doc, "recommendations").filter((row) => ANSWER[standingOf(doc, row, Date.now())] !== null);
  }, sameItems);
  return rows.length === 0 ? null : <Section title={say("patient.recommended")}>{rows.map((row) => <Idea key={row} row={row} />)}</Section>;
}

function Idea({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const content = useValue("recommendations.content", row);
  const answer = useRecordSlice((state) => ANSWER[standingOf(state.docs.get("plan")?.shown ?? EMPTY_DOC, row, Date.now())]);
  // Carried out says what was decided, not whether it was changed on the way.
  const changed = useValue("recommendations.decision", row)?.outcome === "accepted_modified";
  const authority = useValue("recommendations.authority", row);
  if (content === null || answer === null) return null;
  const said = answer === "yes" && authority?.kind === "under_cdtm" ? "agreement" : answer === "yes" && changed ? "changed" : answer;
  return <Card><p className={style["how"]}>{content.summary}</p><p data-field="recommendations.authority">{say(`patient.recommended.${said}`)}</p></Card>;
}

function Allergies() {
  const { say } = useLanguage();
  const rows = useRows("allergies");
  return (
    <Section title={say("patient.allergies")}>
      {rows.length === 0 ? <p>{say("patient.allergies.none")}</p> : <Card><ul className={style["lines"]}>{rows.map((row) => <Allergy key={row} row={row} />)}</ul></Card>}
    </Section>
  );
}

function Allergy({ row }: { readonly row: RowId }) {
  const { say, g } = useLanguage();
  const { state, value } = useRegister("allergies.content", row);
  if (state === "conflict") return <li><Undecided /></li>;
  if (value === null) return null;
  return (
    <li>
      <strong>{value.substance}</strong>{value.reactions !== undefined && value.reactions.length > 0 && `: ${g.list(value.reactions)}`}
      {value.severity !== undefined && ` (${say(`patient.severity.${value.severity}`)})`}
    </li>
  );
}

function Shots() {
  const { say } = useLanguage();
  const rows = useRows("immunizations");
  return rows.length === 0 ? null : (
    <Section title={say("patient.shots")}><Card><ul className={style["lines"]}>{rows.map((row) => <Shot key={row} row={row} />)}</ul></Card></Section>
  );
}

function Shot({ row }: { readonly row: RowId }) {
  const { g } = useLanguage();
  const { state, value } = useRegister("immunizations.content", row);
  if (state === "conflict") return <li><Undecided /></li>;
  return value === null ? null : <li>{value.vaccine}{value.date !== undefined && `, ${g.date(value.date)}`}</li>;
}

function WhenToCall({ shared }: { readonly shared: boolean }) {
  const { say } = useLanguage();
  const { state, value } = useRegister("outline.when_to_call");
  return (
    <Section title={say("patient.call")}>
      <Card>
        {shared && state === "conflict" && <Undecided />}
        {value !== null && value.call !== "" && <><p className={style["call"]}><Phone size={24} aria-hidden /><strong>{say("patient.call.clinic")}</strong></p><p>{value.call}</p></>}
        <p className={style["call"]}><TriangleAlert size={24} aria-hidden /><strong>{say("patient.call.911")}</strong></p>
        <p>{value !== null && value.emergency !== "" ? value.emergency : say("patient.call.always")}</p>
      </Card>
    </Section>
  );
}
