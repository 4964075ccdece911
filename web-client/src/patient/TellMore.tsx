/** What the patient says about a to-do: what they did, what makes it hard, how sure they are. */
import { Plus } from "lucide-react";
import { useId, useState } from "react";
import { useLanguage } from "../i18n";
import { useCanEditRows, useRecordSlice, useRegister, useRows, useScene } from "../plan/context";
import { address, EMPTY_DOC, standing, valueAt } from "../plan/fold";
import { Fold } from "../plan/Fold";
import { CONFIDENCES } from "../plan/forms/choices";
import { Marks } from "../plan/Marks";
import { NarrativeText } from "../plan/NarrativeText";
import { sameItems } from "../plan/store";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import type { RowId } from "../wire";
import { Section } from "./Section";
import style from "./PatientPage.module.css";

const FIELDS = ["todos.confidence", "todos.barrier"] as const;

export function TellMore({ row, name }: { readonly row: RowId; readonly name: string }) {
  const { say } = useLanguage();
  const mine = useRecordSlice((state) => {
    const doc = state.docs.get("voice")?.shown ?? EMPTY_DOC;
    return standing(doc, "what_i_did").filter((deed) => valueAt(doc, "what_i_did.todo", deed) === row);
  }, sameItems);
  return (
    <Fold label={say("patient.tell")} of={name} row={row} fields={FIELDS} begin={mine.length > 0 ? "open" : "closed"}>
      <Deeds rows={mine} todo={row} />
      <Ruler row={row} />
      <NarrativeText field="todos.barrier" row={row} label={say("patient.tell.barrier")} hint={say("patient.tell.barrier.hint")} />
    </Fold>
  );
}

/** What they did about nothing on the list, or about something that left it. */
export function OtherDeeds({ todos }: { readonly todos: readonly RowId[] }) {
  const { say } = useLanguage();
  const all = useRows("what_i_did");
  const rows = useRecordSlice((state) => {
    const doc = state.docs.get("voice")?.shown ?? EMPTY_DOC;
    return all.filter((deed) => {
      const todo = valueAt(doc, "what_i_did.todo", deed);
      return todo === null || !todos.includes(todo);
    });
  }, sameItems);
  return <Section title={say("patient.did.other")}><Deeds rows={rows} todo={null} /></Section>;
}

function Deeds({ rows, todo }: { readonly rows: readonly RowId[]; readonly todo: RowId | null }) {
  const { record } = useScene();
  const { say } = useLanguage();
  const allowed = useCanEditRows("what_i_did");
  const last = useRecordSlice((state) => state.docs.get("voice")?.shown.lists.get("what_i_did")?.at(-1) ?? null);
  const [fresh, setFresh] = useState<RowId | null>(null);
  const texts = rows.map((row) => (
    <div key={row} data-field="what_i_did.todo">
      <NarrativeText field="what_i_did.text" row={row} label={say("patient.did")} fresh={row === fresh} />
    </div>
  ));
  return (
    <>
      {todo === null ? texts.map((text) => <Card key={text.key}>{text}</Card>) : texts}
      {allowed && (
        <Button icon={<Plus size={24} aria-hidden />} onClick={() => setFresh(record.add("what_i_did", last, todo === null ? {} : { "what_i_did.todo": todo }))}>
          {say(rows.length === 0 ? "patient.did.add" : "patient.did.more")}
        </Button>
      )}
    </>
  );
}

/** How sure: 0 to 10, one tap. */
function Ruler({ row }: { readonly row: RowId }) {
  const { record } = useScene();
  const { say } = useLanguage();
  const id = useId();
  const view = useRegister("todos.confidence", row);
  const at = address("todos.confidence", row);
  const pick = (value: number): void => view.state === "conflict"
    ? record.resolve(at, view.candidates.map(({ rev }) => rev), value)
    : record.set(at, value);
  return (
    <Marks field="todos.confidence" row={row} view={view} labelled>
      <fieldset className={style["ruler"]} aria-describedby={`${id}-ends`}>
        <legend>{say("patient.sure")}</legend>
        <div className={style["marks"]}>
          {CONFIDENCES.map((value) => (
            <label key={value} className={style["mark"]}>
              <input type="radio" name={id} value={value} checked={view.state === "value" && view.value === value} disabled={!view.writable} onChange={() => pick(value)} />
              <span>{value}</span>
            </label>
          ))}
        </div>
        <p id={`${id}-ends`} className={style["quiet"]}>{say("patient.sure.ends")}</p>
      </fieldset>
    </Marks>
  );
}
