/** Four questions for each medicine in use. */
import { memo, useState } from "react";
import { useLanguage } from "../../i18n";
import type { RowId } from "../../wire";
import { Chip } from "../../ui/Chip";
import { useProblemTitle, useRowNames, useFieldSlice, useRegister, useRows, useValue } from "../context";
import { RegisterEditor } from "../Editor";
import { Choice } from "../fields";
import { CELLS, inUse } from "../counts";
import { EMPTY_DOC } from "../fold";
import { ANSWERS, assessmentShape } from "../forms/collect";
import { sameItems } from "../store";
import { AddProblem } from "./Problems";
import style from "./panels.module.css";

type Cell = (typeof CELLS)[number];

export function Assess() {
  const { say } = useLanguage();
  const rows = useFieldSlice((state) => inUse(state.docs.get("plan")?.shown ?? EMPTY_DOC), sameItems);
  const open = useFieldSlice((state) => {
    const doc = state.docs.get("plan")?.shown ?? EMPTY_DOC;
    return rows.flatMap((row) => CELLS.filter((cell) => doc.registers.get(`${row}/${cell}`) === undefined)).length;
  });
  if (rows.length === 0) return <div className={style["panel"]}><p>{say("plan.assess.none")}</p></div>;
  return (
    <div className={style["panel"]}>
      <div className={style["title"]}>
        <h3>{say("plan.assess.words")}</h3>
        {open > 0 ? <Chip tone="warn">{say("plan.assess.left", { count: open })}</Chip> : <Chip tone="ok">{say("plan.assess.complete")}</Chip>}
      </div>
      <table className={style["grid"]}>
        <thead>
          <tr>
            <th scope="col">{say("plan.field.meds.product")}</th>
            {CELLS.map((cell) => <th key={cell} scope="col">{say(`plan.field.${cell}`)}</th>)}
          </tr>
        </thead>
        <tbody>{rows.map((row) => <MedicineRow key={row} row={row} />)}</tbody>
      </table>
      <ProblemsFound />
    </div>
  );
}

/** A problem is written down where it is found; its card stands under Plan. */
function ProblemsFound() {
  const { say } = useLanguage();
  const rows = useRows("problems");
  const title = useProblemTitle();
  return (
    <section aria-label={say("plan.assess.found")} className={style["small"]}>
      <h3>{say("plan.assess.found")}</h3>
      {rows.length === 0 ? <p className={style["hint"]}>{say("plan.nothing_yet")}</p> : <ul>{rows.map((row, index) => <li key={row}>{title(row, index)}</li>)}</ul>}
      <AddProblem />
    </section>
  );
}

const MedicineRow = memo(function MedicineRow({ row }: { readonly row: RowId }) {
  const name = useRowNames()(row);
  const sig = useValue("meds.sig", row);
  return (
    <tr data-row={row} tabIndex={-1}>
      <th scope="row">
        <bdi translate="no">{name}</bdi>
        {sig !== null && <p className={style["medSig"]}>{sig.text}</p>}
      </th>
      {CELLS.map((cell) => <td key={cell}><Tick cell={cell} row={row} medicine={name} /></td>)}
    </tr>
  );
});

function Tick({ cell, row, medicine }: { readonly cell: Cell; readonly row: RowId; readonly medicine: string }) {
  const { say } = useLanguage();
  const view = useRegister(cell, row);
  const [noting, setNoting] = useState(false);
  const question = say(`plan.field.${cell}`);
  const label = say("plan.assess.cell", { medicine, question });
  if (noting) {
    return <RegisterEditor field={cell} row={row} shape={assessmentShape} label={question} opened={{ draft: view.value, onEnd: () => setNoting(false) }} />;
  }
  return (
    <>
      <span className={style["cellLabel"]} aria-hidden>{question}</span>
      <Choice
        field={cell} row={row} label={label} bare shape={assessmentShape} empty="–" keyOf={(value) => value.answer} asks={() => false}
        options={ANSWERS.map((answer) => ({
          key: answer, words: say(`plan.answer.${answer}`),
          // A note stays when the answer changes: it is somebody's words.
          value: view.value?.note === undefined ? { answer } : { answer, note: view.value.note },
        }))}
      />
      {view.state === "value" && view.value !== null && (view.writable || view.value.note !== undefined) && (
        view.writable
          ? (
            <button type="button" className={style["noteButton"]} onClick={() => setNoting(true)}>
              {view.value.note ?? <><span aria-hidden>{say("plan.assess.note")}</span><span className="unseen">{say("plan.assess.add_note", { what: label })}</span></>}
            </button>
          )
          : <p className={style["medSig"]}>{view.value.note}</p>
      )}
    </>
  );
}
