/** Medication therapy problems and what is recommended to the prescriber. */
import { useLanguage } from "../../i18n";
import type { ProblemCategory, ProblemStatement, RowId } from "../../wire";
import { Card } from "../../ui/Card";
import { Select } from "../../ui/Field";
import { useCanWrite } from "../context";
import { RegisterEditor } from "../Editor";
import { Choice, LineField } from "../fields";
import { CATEGORIES, newRecommendation, recommendationShape, SEVERITIES, StatementBoxes, statementShape, URGENCIES, useProblemTitle } from "../forms/planning";
import { picked } from "../forms/sig";
import { NarrativeText } from "../NarrativeText";
import { AddRow, RowDoubt, RowList, RowTools } from "../rows";
import { wrap } from "./Collect";
import { Recommendation } from "./Recommendation";
import style from "./panels.module.css";

export function PlanPanel() {
  return (
    <div className={style["panel"]}>
      <RowList list="problems" row={(row, index) => <Problem row={row} index={index} />} add={<AddProblem />} />
      <RowList
        list="recommendations" row={(row) => <Recommendation row={row} />}
        add={<AddRow list="recommendations" begin={() => newRecommendation("")} form={recommendationShape.form} finish={wrap("recommendations.content", recommendationShape.finish)} />}
      />
    </div>
  );
}

function Problem({ row, index }: { readonly row: RowId; readonly index: number }) {
  const { say } = useLanguage();
  const title = useProblemTitle()(row, index);
  return (
    <Card aria-label={title}>
      <RowDoubt list="problems" row={row} />
      <div className={style["head"]}>
        <h4 className={`${style["title"]} ${style["grow"]}`}>{say("plan.problem.number", { number: index + 1 })}</h4>
        <RowTools list="problems" row={row} name={title} />
      </div>
      <RegisterEditor field="problems.statement" row={row} shape={statementShape} />
      <div className={style["four"]}>
        <Choice field="problems.category" row={row} keyOf={(value) => value} options={CATEGORIES.map((value) => ({ key: value, words: say(`plan.problem.category.${value}`), value }))} />
        <Choice field="problems.severity" row={row} keyOf={(value) => value} options={SEVERITIES.map((value) => ({ key: value, words: say(`plan.problem.severity.${value}`), value }))} />
        <Choice field="problems.urgency" row={row} keyOf={(value) => value} options={URGENCIES.map((value) => ({ key: value, words: say(`plan.problem.urgency.${value}`), value }))} />
      </div>
      <NarrativeText field="problems.association" row={row} />
      <LineField field="problems.plain_text" row={row} hint={say("plan.problem.plain.hint")} />
    </Card>
  );
}

function AddProblem() {
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
