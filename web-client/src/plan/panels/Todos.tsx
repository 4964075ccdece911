/** What the patient should do, and what they say about it. */
import { CircleCheck, Gauge } from "lucide-react";
import { memo } from "react";
import { useLanguage } from "../../i18n";
import type { RowId } from "../../wire";
import { Chip } from "../../ui/Chip";
import { useValue } from "../context";
import { RegisterEditor } from "../Editor";
import { Flag } from "../fields";
import { Fold } from "../Fold";
import { CONFIDENCES } from "../forms/choices";
import { instructionShape } from "../forms/planning";
import { NarrativeText } from "../NarrativeText";
import { AddRow, RowList } from "../rows";
import { RowComments } from "./Comments";
import { Named, RowCard, wrap } from "./shared";
import style from "./panels.module.css";

export function Todos() {
  return (
    <RowList
      list="todos" row={(row, index) => <Todo row={row} index={index} />}
      add={<AddRow list="todos" begin={() => instructionShape.begin(null)} form={instructionShape.form} finish={wrap("todos.should_do", instructionShape.finish)} />}
    />
  );
}

/** Below this a person will hardly do it: the plan is talked over again (motivational interviewing's confidence ruler). */
const SURE_ENOUGH = 7;
const MORE = ["todos.confidence", "todos.barrier", "todos.tick"] as const;

const Todo = memo(function Todo({ row, index }: { readonly row: RowId; readonly index: number }) {
  const { say } = useLanguage();
  const instruction = useValue("todos.should_do", row);
  const ticked = useValue("todos.tick", row);
  const confidence = useValue("todos.confidence", row);
  const name = instruction?.text ?? say("plan.field.todos.should_do");
  const chips = (
    <>
      {ticked === true && <Chip tone="ok" icon={<CircleCheck size={16} aria-hidden />}>{say("plan.todo.ticked")}</Chip>}
      {confidence !== null && confidence < SURE_ENOUGH && <Chip tone="warn" icon={<Gauge size={16} aria-hidden />}>{say("plan.todo.unsure", { count: confidence })}</Chip>}
    </>
  );
  return (
    <RowCard list="todos" row={row} name={name} title={say("plan.todo.number", { number: index + 1 })} chips={chips}>
      <NarrativeText field="todos.talked_about" row={row} />
      <RegisterEditor field="todos.should_do" row={row} shape={instructionShape} />
      <Fold label={say("plan.todo.said")} of={name} row={row} fields={MORE}>
        <div className={style["two"]}>
          <Named field="todos.confidence" row={row} values={CONFIDENCES} words={(value) => say("plan.confidence.words", { count: Number(value) })} />
          <div className={style["beside"]}><Flag field="todos.tick" row={row} /></div>
        </div>
        <NarrativeText field="todos.barrier" row={row} />
        <RowComments row={row} name={name} />
      </Fold>
    </RowCard>
  );
});
