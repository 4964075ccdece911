/** What the patient has and takes. */
import { useLanguage } from "../../i18n";
import type { AllergyStatement } from "../../wire";
import { Flag } from "../fields";
import {
  allergyShape, conditionShape, immunizationShape, measureShape, newMeasure,
} from "../forms/collect";
import { AddRow, RowList } from "../rows";
import { today } from "../today";
import { Background } from "./Background";
import { AddMedicine } from "./AddMedicine";
import { Medicine } from "./Medicine";
import { Cards } from "./Cards";
import { AskSafety, PlanPrompts } from "./Safety";
import { Named, Small, wrap } from "./shared";
import style from "./panels.module.css";

const STATEMENTS: readonly AllergyStatement[] = ["unknown", "no_known", "listed"];

export function Collect() {
  const { say } = useLanguage();
  return (
    <div className={style["panel"]}>
      <AskSafety />
      <Background />
      <RowList list="meds" row={(row) => <Medicine row={row} />} add={<AddMedicine />}>
        <PlanPrompts />
        <Cards />
      </RowList>
      <RowList list="allergies" row={(row) => <Small list="allergies" row={row} field="allergies.content" shape={allergyShape} />} empty={say("plan.allergy.empty")}
        add={<AddRow list="allergies" begin={() => allergyShape.begin(null)} form={allergyShape.form} finish={wrap("allergies.content", allergyShape.finish)} />}>
        <div className={style["two"]}>
          <Named field="allergy_statement" values={STATEMENTS} words={(value) => say(`plan.allergy.statement.${value}`)} empty={say("plan.allergy.statement.unknown")} />
          <div className={style["beside"]}><Flag field="reviewed.allergies" /></div>
        </div>
      </RowList>
      <RowList list="conditions" row={(row) => <Small list="conditions" row={row} field="conditions.content" shape={conditionShape} />}
        add={<AddRow list="conditions" begin={() => conditionShape.begin(null)} form={conditionShape.form} finish={wrap("conditions.content", conditionShape.finish)} />} />
      <RowList list="measures" row={(row) => <Small list="measures" row={row} field="measures.content" shape={measureShape} locked />}
        add={<AddRow list="measures" begin={() => newMeasure(today())} form={measureShape.form} finish={wrap("measures.content", measureShape.finish)} />}>
        <p className={style["hint"]}>{say("plan.measure.locked")}</p>
      </RowList>
      <RowList list="immunizations" row={(row) => <Small list="immunizations" row={row} field="immunizations.content" shape={immunizationShape} />}
        add={<AddRow list="immunizations" begin={() => immunizationShape.begin(null)} form={immunizationShape.form} finish={wrap("immunizations.content", immunizationShape.finish)} />}>
        <Flag field="reviewed.immunizations" />
      </RowList>
    </div>
  );
}
