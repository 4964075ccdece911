/** Medication therapy problems, what is recommended to the prescriber, goals, and what the patient should do. */
import { Heart, TriangleAlert } from "lucide-react";
import { memo, useState } from "react";
import { useLanguage } from "../../i18n";
import type { ProblemCategory, ProblemStatement, RowId } from "../../wire";
import { Chip } from "../../ui/Chip";
import { Select } from "../../ui/Field";
import { useCanWrite, useProblemTitle, useFieldSlice, useValue } from "../context";
import { RegisterEditor } from "../Editor";
import { LineField } from "../fields";
import { EMPTY_DOC, standing, valueAt, type DocState } from "../fold";
import { Fold } from "../Fold";
import { PRIORITIES } from "../forms/choices";
import { dateShape, evidenceShape } from "../forms/more";
import { CATEGORIES, newRecommendation, recommendationShape, SEVERITIES, StatementBoxes, statementShape, URGENCIES } from "../forms/planning";
import { picked } from "../forms/sig";
import { NarrativeText } from "../NarrativeText";
import { AddRow, RowList } from "../rows";
import { sameItems } from "../store";
import { RowComments } from "./Comments";
import { Goals } from "./Goals";
import { Recommendation } from "./Recommendation";
import { Named, RowCard, wrap } from "./shared";
import { Todos } from "./Todos";
import style from "./panels.module.css";

export function PlanPanel() {
  return (
    <div className={style["panel"]}>
      <Problems />
      <RowList
        list="recommendations" row={(row) => <Recommendation row={row} />}
        add={<AddRow list="recommendations" begin={() => newRecommendation("")} form={recommendationShape.form} finish={wrap("recommendations.content", recommendationShape.finish)} />}
      />
      <Goals />
      <Todos />
    </div>
  );
}

type Order = "added" | "urgent" | "patient";
const ORDERS: readonly Order[] = ["added", "urgent", "patient"];

/** Their number is their place in the list and stays with them, in whatever order they are read. */
function Problems() {
  const { say } = useLanguage();
  const [order, setOrder] = useState<Order>("added");
  const rows = useFieldSlice((state) => {
    const plan = state.docs.get("plan")?.shown ?? EMPTY_DOC;
    const all = standing(plan, "problems");
    if (order === "added") return all;
    const rank = order === "urgent"
      ? (row: RowId) => urgency(valueAt(plan, "problems.severity", row), valueAt(plan, "problems.urgency", row))
      : (row: RowId) => valueAt(state.docs.get("voice")?.shown ?? EMPTY_DOC, "problems.patient_priority", row) ?? PRIORITIES.length + 1;
    return all.toSorted((a, b) => rank(a) - rank(b));
  }, sameItems);
  return (
    <RowList list="problems" rows={rows} row={(row, index) => <Problem row={row} index={index} movable={order === "added"} />} add={<AddProblem />}>
      {rows.length > 1 && (
        <Select label={say("plan.problem.order")} value={order} className={style["order"]} onChange={(event) => setOrder(picked(ORDERS, event.currentTarget.value))}>
          {ORDERS.map((one) => <option key={one} value={one}>{say(`plan.problem.order.${one}`)}</option>)}
        </Select>
      )}
    </RowList>
  );
}

/** High before moderate before low; among equals today before next visit. What nobody has said comes last. */
function urgency(severity: (typeof SEVERITIES)[number] | null, when: (typeof URGENCIES)[number] | null): number {
  const place = <T,>(all: readonly T[], one: T | null): number => (one === null ? all.length : all.indexOf(one));
  return place(SEVERITIES, severity) * (URGENCIES.length + 1) + place(URGENCIES, when);
}

const MORE = ["problems.evidence", "problems.evidence_note", "problems.responsible", "problems.due", "problems.no_action_reason"] as const;

/** Recommendations for a problem that stand. */
const answered = (doc: DocState, problem: RowId): boolean =>
  standing(doc, "recommendations").some((row) => valueAt(doc, "recommendations.content", row)?.problem === problem);

const Problem = memo(function Problem({ row, index, movable }: { readonly row: RowId; readonly index: number; readonly movable: boolean }) {
  const { say } = useLanguage();
  const title = useProblemTitle()(row, index);
  const priority = useValue("problems.patient_priority", row);
  const outcome = useValue("problems.outcome", row);
  const high = useValue("problems.severity", row) === "high";
  const noAction = useValue("problems.no_action_reason", row) ?? "";
  const alone = useFieldSlice((state) => !answered(state.docs.get("plan")?.shown ?? EMPTY_DOC, row));
  const chips = (
    <>
      {high && alone && noAction === "" && <Chip tone="warn" icon={<TriangleAlert size={16} aria-hidden />}>{say("plan.problem.unanswered")}</Chip>}
      {priority !== null && <Chip tone="info" icon={<Heart size={16} aria-hidden />}>{say("plan.problem.matters", { rank: say(`plan.priority.${priority as 1 | 2 | 3}`) })}</Chip>}
      {outcome !== null && <Chip tone={outcome === "resolved" || outcome === "improved" ? "ok" : "plain"}>{say(`plan.problem.outcome.${outcome}`)}</Chip>}
    </>
  );
  return (
    <RowCard list="problems" row={row} name={title} title={say("plan.problem.number", { number: index + 1 })} chips={chips} fixed={!movable}>
      <div className={style["two"]}>
        <RegisterEditor field="problems.statement" row={row} shape={statementShape} />
        <Named field="problems.category" row={row} values={CATEGORIES} words={(value) => say(`plan.problem.category.${value}`)} />
      </div>
      <div className={style["three"]}>
        <Named field="problems.severity" row={row} values={SEVERITIES} words={(value) => say(`plan.problem.severity.${value}`)} />
        <Named field="problems.urgency" row={row} values={URGENCIES} words={(value) => say(`plan.problem.urgency.${value}`)} />
        <Named field="problems.patient_priority" row={row} values={PRIORITIES} words={(value) => say(`plan.priority.${value as 1 | 2 | 3}`)} />
      </div>
      <NarrativeText field="problems.association" row={row} />
      <LineField field="problems.plain_text" row={row} hint={say("plan.problem.plain.hint")} />
      <Fold label={say("plan.more")} of={title} row={row} fields={MORE}>
        <RegisterEditor field="problems.evidence" row={row} shape={evidenceShape} />
        <NarrativeText field="problems.evidence_note" row={row} />
        <div className={style["two"]}>
          <LineField field="problems.responsible" row={row} />
          <RegisterEditor field="problems.due" row={row} shape={dateShape} />
        </div>
        <LineField field="problems.no_action_reason" row={row} />
        <RowComments row={row} name={title} />
      </Fold>
      <AddRow
        list="recommendations" quiet label={say("plan.problem.recommend")} begin={() => newRecommendation(row)} form={recommendationShape.form}
        finish={wrap("recommendations.content", recommendationShape.finish)}
      />
    </RowCard>
  );
});

/** Also where problems are found: under the four questions. */
export function AddProblem() {
  const { say } = useLanguage();
  const statement = useCanWrite("problems.statement");
  const category = useCanWrite("problems.category");
  return (
    <AddRow<{ readonly category: ProblemCategory; readonly statement: ProblemStatement }>
      list="problems"
      begin={() => ({ category: "needs_therapy", statement: { condition: "", med_ids: [] } })}
      finish={(draft) => ({
        value: {
          ...(category ? { "problems.category": draft.category } : {}),
          ...(statement ? { "problems.statement": { condition: draft.statement.condition.trim(), med_ids: draft.statement.med_ids } } : {}),
        },
      })}
      form={({ draft, change, tried }) => (
        <>
          {category && (
            <Select label={say("plan.field.problems.category")} value={draft.category} onChange={(event) => change({ ...draft, category: picked(CATEGORIES, event.currentTarget.value) })}>
              {CATEGORIES.map((one) => <option key={one} value={one}>{say(`plan.problem.category.${one}`)}</option>)}
            </Select>
          )}
          {statement && <StatementBoxes draft={draft.statement} tried={tried} change={(next) => change({ ...draft, statement: next })} />}
        </>
      )}
    />
  );
}
