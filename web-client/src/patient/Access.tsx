/** Who can see my plan: everybody named, and the choice where there is one. */
import { useLanguage } from "../i18n";
import { useChoosable, useInDoubt, type Choosable } from "../plan/access";
import { useCanEditRows } from "../plan/context";
import { Card } from "../ui/Card";
import { Select } from "../ui/Field";
import { Section } from "./Section";
import { Undecided } from "./Undecided";
import style from "./PatientPage.module.css";

export function Access() {
  const { say } = useLanguage();
  const { all, choose } = useChoosable();
  return (
    <Section title={say("patient.access")}>
      <p>{say("patient.access.what")}</p>
      <Card>
        <ul className={style["lines"]}>
          {all.map((one) => <Somebody key={one.row ?? JSON.stringify(one.subject)} one={one} onChoose={(level) => choose(one, level)} />)}
        </ul>
      </Card>
    </Section>
  );
}

function Somebody({ one, onChoose }: { readonly one: Choosable; readonly onChoose: (level: Choosable["level"]) => void }) {
  const { say } = useLanguage();
  const allowed = useCanEditRows("access");
  const doubt = useInDoubt(one.row);
  const role = one.role === null ? "" : say(`role.${one.role}`);
  const label = one.subject.kind === "role" ? say("patient.access.any", { role: role.toLocaleLowerCase() }) : role === "" ? one.subject.name : `${one.subject.name}, ${role}`;
  if (doubt) return <li><strong>{label}</strong> <Undecided /></li>;
  return (
    <li data-field="access.content">
      {one.levels.length === 0 || !allowed
        ? <><strong>{label}</strong>: {say(one.levels.length === 0 ? "patient.access.always" : `patient.access.${one.level}`)}</>
        : (
          <Select label={label} value={one.level} onChange={(event) => onChoose(event.currentTarget.value as Choosable["level"])}>
            {[...new Set([...one.levels, one.level])].map((level) => <option key={level} value={level}>{say(`patient.access.${level}`)}</option>)}
          </Select>
        )}
    </li>
  );
}
