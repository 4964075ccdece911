/** Who may see this plan, as the patient wants it. */
import { useLanguage } from "../../i18n";
import { Select } from "../../ui/Field";
import { useChoosable, useInDoubt, type Choosable } from "../access";
import { useCanEditRows } from "../context";
import { RegisterEditor } from "../Editor";
import { accessShape } from "../forms/rows";
import { subjectWords } from "../words";
import style from "./panels.module.css";

export function Access() {
  const { say } = useLanguage();
  const { all, choose } = useChoosable();
  return (
    <section aria-label={say("plan.list.access")} data-list="access">
      <h3 className={style["title"]}>{say("plan.list.access")}</h3>
      <p className={style["hint"]}>{say("plan.access.hint")}</p>
      <ul className={style["access"]}>
        {all.map((one) => <Somebody key={one.row ?? JSON.stringify(one.subject)} one={one} onChoose={(level) => choose(one, level)} />)}
      </ul>
    </section>
  );
}

function Somebody({ one, onChoose }: { readonly one: Choosable; readonly onChoose: (level: Choosable["level"]) => void }) {
  const { say } = useLanguage();
  const allowed = useCanEditRows("access");
  const doubt = useInDoubt(one.row);
  const name = subjectWords(one.subject, say);
  const label = one.subject.kind === "person" && one.role !== null ? `${name}, ${say(`plan.role.${one.role}`)}` : name;
  if (doubt && one.row !== null) return <li><RegisterEditor field="access.content" row={one.row} shape={accessShape} /></li>;
  return (
    <li data-field="access.content">
      {one.levels.length === 0 || !allowed
        ? <p>{label}: {say(one.levels.length === 0 ? "plan.access.always" : `plan.access.${one.level}`)}</p>
        : (
          <Select label={label} value={one.level} onChange={(event) => onChoose(event.currentTarget.value as Choosable["level"])}>
            {[...new Set([...one.levels, one.level])].map((level) => <option key={level} value={level}>{say(`plan.access.${level}`)}</option>)}
          </Select>
        )}
    </li>
  );
}
