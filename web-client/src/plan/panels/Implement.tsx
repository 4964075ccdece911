/** Carrying the plan out: what prescribers decided, what the patient said back, what the team still does. */
import { memo } from "react";
import { useLanguage } from "../../i18n";
import type { RowId } from "../../wire";
import { useFieldSlice, useValue } from "../context";
import { RegisterEditor } from "../Editor";
import { EMPTY_DOC, standing, valueAt } from "../fold";
import { TASK_STATUSES } from "../forms/choices";
import { taskShape, teachBackShape } from "../forms/rows";
import { NarrativeText } from "../NarrativeText";
import { AddRow, RowList } from "../rows";
import { sameItems } from "../store";
import { Recommendation } from "./Recommendation";
import { Named, RowCard, Small, wrap } from "./shared";
import { Sign } from "./Sign";
import style from "./panels.module.css";

export function Implement() {
  return (
    <div className={style["panel"]}>
      <Decisions />
      <RowList
        list="teach_backs" row={(row) => <Small list="teach_backs" row={row} field="teach_backs.content" shape={teachBackShape} locked />}
        add={<AddRow list="teach_backs" begin={() => teachBackShape.begin(null)} form={teachBackShape.form} finish={wrap("teach_backs.content", teachBackShape.finish)} />}
      />
      <NarrativeText field="outline.education_notes" />
      <NarrativeText field="outline.adherence_process" />
      <Tasks />
      <Sign />
    </div>
  );
}

/** Recommendations that were sent: what stands with the prescriber, and what they said. */
function Decisions() {
  const { say } = useLanguage();
  const rows = useFieldSlice((state) => {
    const doc = state.docs.get("plan")?.shown ?? EMPTY_DOC;
    return standing(doc, "recommendations").filter((row) => (valueAt(doc, "recommendations.state", row) ?? "draft") !== "draft");
  }, sameItems);
  return <RowList list="recommendations" title={say("plan.implement.decisions")} rows={rows} empty={say("plan.implement.none")} row={(row) => <Recommendation row={row} />} />;
}

function Tasks() {
  const there = useFieldSlice((state) => state.docs.has("team"));
  if (!there) return null;
  return (
    <RowList
      list="tasks" row={(row) => <Task row={row} />}
      add={<AddRow list="tasks" begin={() => taskShape.begin(null)} form={taskShape.form} finish={wrap("tasks.content", taskShape.finish)} />}
    />
  );
}

const Task = memo(function Task({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const name = useValue("tasks.content", row)?.title ?? say("plan.field.tasks.content");
  return (
    <RowCard list="tasks" row={row} name={name}>
      <div className={style["two"]}>
        <RegisterEditor field="tasks.content" row={row} shape={taskShape} />
        <Named field="tasks.status" row={row} values={TASK_STATUSES} words={(value) => say(`plan.task.status.${value}`)} empty={say("plan.task.status.open")} />
      </div>
    </RowCard>
  );
});
