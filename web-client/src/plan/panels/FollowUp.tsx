/** What was agreed for later, what became of the problems, and what the patient did meanwhile. */
import { memo } from "react";
import { useLanguage } from "../../i18n";
import type { RowId } from "../../wire";
import { Card } from "../../ui/Card";
import { useProblemTitle, useRegister, useRows, useRowNames, useValue } from "../context";
import { RegisterEditor } from "../Editor";
import { LineField } from "../fields";
import { OUTCOMES } from "../forms/choices";
import { measureShape, newMeasure } from "../forms/collect";
import { durationShape } from "../forms/more";
import { today } from "../forms/parts";
import { touchpointShape, whenToCallShape } from "../forms/planning";
import { Marks } from "../Marks";
import { NarrativeText } from "../NarrativeText";
import { AddRow, RowDoubt, RowList, RowTools } from "../rows";
import { Named, Small, TextRows, wrap } from "./shared";
import { Overdue, Touchpoint } from "./Touchpoint";
import style from "./panels.module.css";

export function FollowUp() {
  const { say } = useLanguage();
  const touchpoints = useRows("touchpoints");
  const none = useValue("outline.no_touchpoint_reason") ?? "";
  return (
    <div className={style["panel"]}>
      <Overdue />
      <RowList
        list="touchpoints" row={(row) => <Touchpoint row={row} />}
        add={<AddRow list="touchpoints" begin={() => touchpointShape.begin(null)} form={touchpointShape.form} finish={wrap("touchpoints.content", touchpointShape.finish)} />}
      />
      {(touchpoints.length === 0 || none !== "") && <LineField field="outline.no_touchpoint_reason" />}
      <div className={style["two"]}>
        <LineField field="outline.interaction_frequency" />
        <RegisterEditor field="outline.duration" shape={durationShape} />
      </div>
      <NarrativeText field="outline.follow_up_instructions" />
      <RegisterEditor
        field="outline.when_to_call" shape={whenToCallShape}
        show={(value) => (
          <>
            {value.call !== "" && <><span className={style["by"]}>{say("plan.call.call")}: </span>{value.call}</>}
            {value.call !== "" && value.emergency !== "" && <br />}
            {value.emergency !== "" && <><span className={style["by"]}>{say("plan.call.emergency")}: </span>{value.emergency}</>}
          </>
        )}
      />
      <Outcomes />
      <TextRows list="what_i_did" empty={say("plan.what_i_did.none")} row={({ row, fresh }) => <Deed row={row} fresh={fresh} />} />
      <RowList
        list="home_readings" row={(row) => <Small list="home_readings" row={row} field="home_readings.content" shape={measureShape} locked />} empty={say("plan.home_readings.none")}
        add={<AddRow list="home_readings" begin={() => newMeasure(today(), "patient")} form={measureShape.form} finish={wrap("home_readings.content", measureShape.finish)} />}
      />
      <NarrativeText field="outline.summary" />
    </div>
  );
}

/** What became of each problem. A problem nobody looked at again is what this field fails in most. */
function Outcomes() {
  const { say } = useLanguage();
  const rows = useRows("problems");
  if (rows.length === 0) return null;
  return (
    <section aria-label={say("plan.outcomes")} className={style["small"]}>
      <h3>{say("plan.outcomes")}</h3>
      <Card>{rows.map((row, index) => <Outcome key={row} row={row} index={index} />)}</Card>
    </section>
  );
}

const Outcome = memo(function Outcome({ row, index }: { readonly row: RowId; readonly index: number }) {
  const { say } = useLanguage();
  const title = useProblemTitle()(row, index);
  const due = useRegister("problems.due", row);
  const responsible = useValue("problems.responsible", row) ?? "";
  return (
    <div data-row={row} tabIndex={-1} className={style["two"]}>
      <div>
        <p className={style["title"]}>{title}</p>
        <p className={style["by"]}>{[responsible, due.value === null ? "" : say("plan.problem.due_words", { due: due.value })].filter((part) => part !== "").join(", ")}</p>
      </div>
      <Named field="problems.outcome" row={row} label={say("plan.problem.outcome_of", { what: title })} bare values={OUTCOMES} words={(value) => say(`plan.problem.outcome.${value}`)} empty={say("plan.problem.outcome.open")} />
    </div>
  );
});

/** Something the patient did about a to-do, in their words. */
const Deed = memo(function Deed({ row, fresh }: { readonly row: RowId; readonly fresh: boolean }) {
  const { say } = useLanguage();
  const about = useRegister("what_i_did.todo", row);
  const named = useRowNames();
  return (
    <Card>
      <RowDoubt list="what_i_did" row={row} />
      <div className={style["smallRow"]}>
        <div className={style["smallValue"]}>
          <Marks field="what_i_did.todo" row={row} view={about} labelled>
            <p className={style["by"]}>{about.value === null ? say("plan.about_whole") : named(about.value)}</p>
          </Marks>
          <NarrativeText field="what_i_did.text" row={row} fresh={fresh} />
        </div>
        <RowTools list="what_i_did" row={row} name={say("plan.field.what_i_did.text")} fixed />
      </div>
    </Card>
  );
});
