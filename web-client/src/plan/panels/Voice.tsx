/** The patient's own part, and the team's notes. */
import { useLanguage } from "../../i18n";
import type { RowId } from "../../wire";
import { Card } from "../../ui/Card";
import { useRowNames, useRows } from "../context";
import { LineField } from "../fields";
import { NarrativeText } from "../NarrativeText";
import { TextRows } from "./Implement";
import style from "./panels.module.css";

export function Voice() {
  const { say } = useLanguage();
  const meds = useRows("meds");
  return (
    <div className={style["panel"]}>
      <NarrativeText field="my_goals" hint={say("plan.voice.hint")} />
      <NarrativeText field="my_concerns" />
      <TextRows list="questions" />
      {meds.length > 0 && (
        <section aria-label={say("plan.field.meds.as_taken")} className={style["small"]}>
          <h3>{say("plan.field.meds.as_taken")}</h3>
          <Card>{meds.map((row) => <AsTaken key={row} row={row} />)}</Card>
        </section>
      )}
    </div>
  );
}

function AsTaken({ row }: { readonly row: RowId }) {
  return <LineField field="meds.as_taken" row={row} label={useRowNames()(row)} />;
}

export function Team() {
  const { say } = useLanguage();
  return <div className={style["panel"]}><NarrativeText field="note" hint={say("plan.note.hint")} /></div>;
}
