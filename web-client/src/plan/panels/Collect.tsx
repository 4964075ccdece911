/** What the patient has and takes. */
import { useLanguage } from "../../i18n";
import type { AllergyStatement, MedicationKind, RowId } from "../../wire";
import { Select } from "../../ui/Field";
import { useCanWrite, useRegister } from "../context";
import { RegisterEditor, useWording } from "../Editor";
import { Choice } from "../fields";
import {
  allergyShape, conditionShape, immunizationShape, KINDS, measureShape, newMeasure, ProductBoxes, productOf, type ProductDraft,
} from "../forms/collect";
import { picked } from "../forms/sig";
import { AddRow, RowDoubt, RowList, RowTools } from "../rows";
import { today } from "../today";
import { words } from "../words";
import { Medicine } from "./Medicine";
import { PlanPrompts, useAskSafety } from "./Safety";
import style from "./panels.module.css";

const STATEMENTS: readonly AllergyStatement[] = ["unknown", "no_known", "listed"];

export function Collect() {
  const { say } = useLanguage();
  useAskSafety();
  return (
    <div className={style["panel"]}>
      <RowList list="meds" row={(row) => <Medicine row={row} />} add={<AddMedicine />}>
        <PlanPrompts />
      </RowList>
      <RowList list="allergies" row={(row) => <Small list="allergies" row={row} field="allergies.content" shape={allergyShape} />} empty={say("plan.allergy.empty")}
        add={<AddRow list="allergies" begin={() => allergyShape.begin(null)} form={allergyShape.form} finish={wrap("allergies.content", allergyShape.finish)} />}>
        <Choice
          field="allergy_statement" keyOf={(value) => value} empty={say("plan.allergy.statement.unknown")}
          options={STATEMENTS.map((value) => ({ key: value, words: say(`plan.allergy.statement.${value}`), value }))}
        />
      </RowList>
      <RowList list="conditions" row={(row) => <Small list="conditions" row={row} field="conditions.content" shape={conditionShape} />}
        add={<AddRow list="conditions" begin={() => conditionShape.begin(null)} form={conditionShape.form} finish={wrap("conditions.content", conditionShape.finish)} />} />
      <RowList list="measures" row={(row) => <Small list="measures" row={row} field="measures.content" shape={measureShape} locked />}
        add={<AddRow list="measures" begin={() => newMeasure(today())} form={measureShape.form} finish={wrap("measures.content", measureShape.finish)} />}>
        <p className={style["hint"]}>{say("plan.measure.locked")}</p>
      </RowList>
      <RowList list="immunizations" row={(row) => <Small list="immunizations" row={row} field="immunizations.content" shape={immunizationShape} />}
        add={<AddRow list="immunizations" begin={() => immunizationShape.begin(null)} form={immunizationShape.form} finish={wrap("immunizations.content", immunizationShape.finish)} />} />
    </div>
  );
}

type SmallField = "allergies.content" | "conditions.content" | "measures.content" | "immunizations.content";

/** The first value of a row that has one. */
export function wrap<F extends string, D, T>(field: F, finish: (draft: D) => { readonly value: T | null } | "unfinished") {
  return (draft: D): { readonly value: { [key in F]?: unknown } } | "unfinished" => {
    const finished = finish(draft);
    return finished === "unfinished" || finished.value === null ? "unfinished" : { value: { [field]: finished.value } as { [key in F]?: unknown } };
  };
}

/** A row of one value. */
function Small<F extends SmallField, D>(props: {
  readonly list: "allergies" | "conditions" | "measures" | "immunizations";
  readonly row: RowId;
  readonly field: F;
  readonly shape: Parameters<typeof RegisterEditor<F, D>>[0]["shape"];
  readonly locked?: boolean;
}) {
  const { say } = useLanguage();
  const wording = useWording();
  const view = useRegister(props.field, props.row);
  const what = say(`plan.field.${props.field as SmallField}`);
  const name = view.value === null ? what : words(props.field, view.value, wording);
  return (
    <div className={style["small"]}>
      <RowDoubt list={props.list} row={props.row} />
      <div className={style["smallRow"]}>
        <div className={style["smallValue"]}><RegisterEditor field={props.field} row={props.row} shape={props.shape} label={what} bare {...(props.locked === true ? { locked: true } : {})} /></div>
        <RowTools list={props.list} row={props.row} name={name} fixed />
      </div>
    </div>
  );
}

function AddMedicine() {
  const { say } = useLanguage();
  const kinds = useCanWrite("meds.kind");
  return (
    <AddRow<{ readonly product: ProductDraft; readonly kind: MedicationKind }>
      list="meds"
      begin={() => ({ product: { name: "", strength: "", from: null }, kind: "rx" })}
      finish={({ product, kind }) => {
        const value = productOf(product);
        return value === null ? "unfinished" : { value: { "meds.product": value, "meds.status": { state: "active" }, "meds.verify": { state: "unverified" }, ...(kinds ? { "meds.kind": kind } : {}) } };
      }}
      form={({ draft, change, tried }) => (
        <>
          <ProductBoxes draft={draft.product} tried={tried} change={(product) => change({ ...draft, product })} />
          <Select label={say("plan.field.meds.kind")} value={draft.kind} onChange={(event) => change({ ...draft, kind: picked(KINDS, event.currentTarget.value) })}>
            {KINDS.map((kind) => <option key={kind} value={kind}>{say(`plan.med.kind.${kind}`)}</option>)}
          </Select>
        </>
      )}
    />
  );
}

