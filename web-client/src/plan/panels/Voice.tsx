/** The patient's own part, and what is said among the team. */
import { memo } from "react";
import { useLanguage } from "../../i18n";
import type { RowId } from "../../wire";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { useRegister, useFieldSlice, useRowNames, useRows } from "../context";
import { RegisterEditor } from "../Editor";
import { Flag, LineField } from "../fields";
import { Fold } from "../Fold";
import { REMARK_STATES } from "../forms/choices";
import { contactShape } from "../forms/rows";
import { Marks } from "../Marks";
import { NarrativeText } from "../NarrativeText";
import { FACTORS } from "../places";
import { RowDoubt, RowTools } from "../rows";
import { Comments } from "./Comments";
import { Named, TextRows, type TextRow } from "./shared";
import style from "./panels.module.css";

export function Voice() {
  const { say } = useLanguage();
  const meds = useRows("meds");
  return (
    <div className={style["panel"]}>
      <NarrativeText field="my_goals" hint={say("plan.voice.hint")} />
      <NarrativeText field="my_concerns" />
      <TextRows list="questions" row={(part) => <Question {...part} />} />
      <TextRows list="remarks" empty={say("plan.remarks.none")} row={(part) => <Remark {...part} />} />
      <Fold label={say("plan.factors")} fields={FACTORS}>
        <div className={style["two"]}>{FACTORS.map((field) => <NarrativeText key={field} field={field} />)}</div>
      </Fold>
      <RegisterEditor field="contact_preference" shape={contactShape(say("plan.field.contact_preference"), say("plan.contact.times"), (format) => say(`plan.touchpoint.format.${format}`))} />
      {meds.length > 0 && (
        <section aria-label={say("plan.voice.medicines")} className={style["small"]}>
          <h3>{say("plan.voice.medicines")}</h3>
          {meds.map((row) => <OfMedicine key={row} row={row} />)}
        </section>
      )}
    </div>
  );
}

const OfMedicine = memo(function OfMedicine({ row }: { readonly row: RowId }) {
  const name = useRowNames()(row);
  return (
    <Card aria-label={name}>
      <h4 className={style["title"]}><bdi translate="no">{name}</bdi></h4>
      <LineField field="meds.as_taken" row={row} />
      <NarrativeText field="meds.how_it_feels" row={row} />
    </Card>
  );
});

const Question = memo(function Question({ row, index, fresh }: TextRow) {
  const { say } = useLanguage();
  const name = say("plan.question.number", { number: index + 1 });
  return (
    <Card aria-label={name}>
      <RowDoubt list="questions" row={row} />
      <div className={style["head"]}>
        <div className={style["grow"]}><NarrativeText field="questions.text" row={row} label={name} fresh={fresh} /></div>
        <RowTools list="questions" row={row} name={name} fixed />
      </div>
      <Flag field="questions.answered" row={row} />
    </Card>
  );
});

/** How the patient proposes a change. */
const Remark = memo(function Remark({ row, fresh }: TextRow) {
  const { say } = useLanguage();
  const named = useRowNames();
  const about = useRegister("remarks.about", row);
  return (
    <Card>
      <RowDoubt list="remarks" row={row} />
      <Marks field="remarks.about" row={row} view={about} labelled>
        <div className={style["chips"]}>
          {about.value !== null && <Chip tone="info">{say(`plan.remark.kind.${about.value.kind}`)}</Chip>}
          <span className={style["by"]}>{about.value?.row === undefined ? say("plan.comments.whole") : named(about.value.row)}</span>
        </div>
      </Marks>
      <div className={style["two"]}>
        <NarrativeText field="remarks.text" row={row} fresh={fresh} />
        <Named field="remarks.state" row={row} values={REMARK_STATES} words={(value) => say(`plan.remark.state.${value}`)} empty={say("plan.remark.state.open")} />
      </div>
    </Card>
  );
});

export function Team() {
  const { say } = useLanguage();
  const notes = useFieldSlice((state) => state.docs.has("team"));
  return (
    <div className={style["panel"]}>
      {notes && <NarrativeText field="note" hint={say("plan.note.hint")} />}
      {notes && <NarrativeText field="working_thoughts" hint={say("plan.working_thoughts.hint")} />}
      <Comments />
    </div>
  );
}
