/** Goals, worked out with the patient. */
import { memo } from "react";
import { useLanguage } from "../../i18n";
import { Chip } from "../../ui/Chip";
import { useRows, useValue } from "../context";
import { RegisterEditor } from "../Editor";
import { LineField } from "../fields";
import { Fold } from "../Fold";
import { ACHIEVEMENTS, OWNERS } from "../forms/choices";
import { goalProblemsShape } from "../forms/more";
import { targetShape } from "../forms/planning";
import { NarrativeText } from "../NarrativeText";
import { RowComments } from "./Comments";
import { Named, RowCard, TextRows, type TextRow } from "./shared";
import style from "./panels.module.css";

export function Goals() {
  const rows = useRows("goals");
  const none = useValue("outline.no_goal_reason") ?? "";
  return (
    <>
      <TextRows list="goals" row={(part) => <Goal {...part} />} />
      {(rows.length === 0 || none !== "") && <LineField field="outline.no_goal_reason" />}
    </>
  );
}

const MORE = ["goals.problems"] as const;

const Goal = memo(function Goal({ row, index, fresh }: TextRow) {
  const { say } = useLanguage();
  const name = say("plan.goal.number", { number: index + 1 });
  const achievement = useValue("goals.achievement", row);
  return (
    <RowCard
      list="goals" row={row} name={name} title={name}
      chips={achievement !== null && <Chip tone={achievement === "achieved" || achievement === "sustaining" ? "ok" : "plain"}>{say(`plan.goal.achievement.${achievement}`)}</Chip>}
    >
      <NarrativeText field="goals.text" row={row} fresh={fresh} />
      <div className={style["three"]}>
        <RegisterEditor field="goals.target" row={row} shape={targetShape} />
        <Named field="goals.owner" row={row} values={OWNERS} words={(value) => say(`plan.goal.owner.${value}`)} />
        <Named field="goals.achievement" row={row} values={ACHIEVEMENTS} words={(value) => say(`plan.goal.achievement.${value}`)} />
      </div>
      <Fold label={say("plan.more")} of={name} row={row} fields={MORE}>
        <RegisterEditor field="goals.problems" row={row} shape={goalProblemsShape} />
        <RowComments row={row} name={name} />
      </Fold>
    </RowCard>
  );
});
