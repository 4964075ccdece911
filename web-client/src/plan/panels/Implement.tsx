/** What the patient does, and what for. */
import { CircleCheck, Plus } from "lucide-react";
import { useState } from "react";
import { useLanguage } from "../../i18n";
import type { RowId } from "../../wire";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { useCanEditRows, useRecordSlice, useScene, useValue } from "../context";
import { RegisterEditor } from "../Editor";
import { instructionShape, targetShape } from "../forms/planning";
import { NarrativeText } from "../NarrativeText";
import { AddRow, RowDoubt, RowList, RowTools } from "../rows";
import { wrap } from "./Collect";
import { Sign } from "./Sign";
import style from "./panels.module.css";

export function Implement() {
  return (
    <div className={style["panel"]}>
      <RowList
        list="todos" row={(row, index) => <Todo row={row} index={index} />}
        add={<AddRow list="todos" begin={() => instructionShape.begin(null)} form={instructionShape.form} finish={wrap("todos.should_do", instructionShape.finish)} />}
      />
      <TextRows list="goals" />
      <Sign />
    </div>
  );
}

function Todo({ row, index }: { readonly row: RowId; readonly index: number }) {
  const { say } = useLanguage();
  const instruction = useValue("todos.should_do", row);
  const ticked = useValue("todos.tick", row);
  const name = instruction?.text ?? say("plan.field.todos.should_do");
  return (
    <Card aria-label={name}>
      <RowDoubt list="todos" row={row} />
      <div className={style["head"]}>
        <h4 className={style["title"]}>{say("plan.todo.number", { number: index + 1 })}</h4>
        <div className={`${style["chips"]} ${style["grow"]}`}>{ticked === true && <Chip tone="ok" icon={<CircleCheck size={16} aria-hidden />}>{say("plan.todo.ticked")}</Chip>}</div>
        <RowTools list="todos" row={row} name={name} />
      </div>
      <NarrativeText field="todos.talked_about" row={row} />
      <RegisterEditor field="todos.should_do" row={row} shape={instructionShape} />
    </Card>
  );
}

/** Lists whose rows begin with a text: the row is put in place, and the focus is in it. */
export function TextRows({ list }: { readonly list: "goals" | "questions" }) {
  const { record } = useScene();
  const { say } = useLanguage();
  const allowed = useCanEditRows(list);
  const last = useRecordSlice((state) => state.docs.get(list === "goals" ? "plan" : "voice")?.shown.lists.get(list)?.at(-1) ?? null);
  const [fresh, setFresh] = useState<RowId | null>(null);
  return (
    <RowList
      list={list}
      row={(row, index) => (list === "goals" ? <Goal row={row} index={index} fresh={row === fresh} /> : <Question row={row} index={index} fresh={row === fresh} />)}
      add={allowed && <Button className={style["add"]} icon={<Plus size={20} aria-hidden />} onClick={() => setFresh(record.add(list, last, {}))}>{say(`plan.add.${list}`)}</Button>}
    />
  );
}

interface TextRow {
  readonly row: RowId;
  readonly index: number;
  readonly fresh: boolean;
}

function Goal({ row, index, fresh }: TextRow) {
  const { say } = useLanguage();
  const name = say("plan.goal.number", { number: index + 1 });
  return (
    <Card aria-label={name}>
      <RowDoubt list="goals" row={row} />
      <div className={style["head"]}>
        <h4 className={`${style["title"]} ${style["grow"]}`}>{name}</h4>
        <RowTools list="goals" row={row} name={name} />
      </div>
      <NarrativeText field="goals.text" row={row} fresh={fresh} />
      <RegisterEditor field="goals.target" row={row} shape={targetShape} />
    </Card>
  );
}

function Question({ row, index, fresh }: TextRow) {
  const { say } = useLanguage();
  const name = say("plan.question.number", { number: index + 1 });
  return (
    <Card aria-label={name}>
      <RowDoubt list="questions" row={row} />
      <div className={style["head"]}>
        <div className={style["grow"]}><NarrativeText field="questions.text" row={row} label={name} fresh={fresh} /></div>
        <RowTools list="questions" row={row} name={name} fixed />
      </div>
    </Card>
  );
}
