import { useLanguage } from "../i18n";
import { useCanWrite, useRegister, useRows, useScene } from "../plan/context";
import { address } from "../plan/fold";
import { NarrativeText } from "../plan/NarrativeText";
import { Card } from "../ui/Card";
import type { RowId } from "../wire";
import { OtherDeeds, TellMore } from "./TellMore";
import { Undecided } from "./Undecided";
import { useHasText } from "./useHasText";
import style from "./PatientPage.module.css";

export function Todos() {
  const { say } = useLanguage();
  const rows = useRows("todos");
  return (
    <>
      {rows.length === 0
        ? <p>{say("patient.todos.none")}</p>
        : <ol className={style["list"]}>{rows.map((row) => <li key={row}><Todo row={row} /></li>)}</ol>}
      <OtherDeeds todos={rows} />
    </>
  );
}

function Todo({ row }: { readonly row: RowId }) {
  const { record } = useScene();
  const { say } = useLanguage();
  const should = useRegister("todos.should_do", row);
  const tick = useRegister("todos.tick", row);
  const ticks = useCanWrite("todos.tick");
  const talked = useHasText("todos.talked_about", row);
  const at = address("todos.tick", row);
  // Patient and caregiver may tick at once and disagree: a further tick decides it.
  const toggle = (done: boolean): void => tick.state === "conflict"
    ? record.resolve(at, tick.candidates.map(({ rev }) => rev), done)
    : record.set(at, done);
  const done = tick.state === "value" && tick.value === true;
  return (
    <Card>
      {should.state === "conflict" ? <Undecided /> : <p className={style["how"]}>{should.value?.text}</p>}
      {should.value?.when !== undefined && <p>{say("patient.todos.when", { when: should.value.when })}</p>}
      {talked && <NarrativeText field="todos.talked_about" row={row} locked label={say("patient.todos.talked")} />}
      <label data-field="todos.tick" className={style["tick"]}>
        <input type="checkbox" checked={done} disabled={!ticks} onChange={(event) => toggle(event.currentTarget.checked)} />
        <span>{say("patient.todos.done")}</span>
        <span className="unseen">: {should.value?.text}</span>
      </label>
      <TellMore row={row} name={should.value?.text ?? ""} />
    </Card>
  );
}
