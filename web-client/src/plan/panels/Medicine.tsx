/** One medicine: what the chart says beside what the patient does. */
import { CircleCheck, CircleDollarSign, CircleDot, Lock, Octagon, Pause, ShieldAlert, TriangleAlert } from "lucide-react";
import { memo } from "react";
import { useLanguage } from "../../i18n";
import type { RowId } from "../../wire";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { useRegister, useRowNames, useValue } from "../context";
import { RegisterEditor } from "../Editor";
import { Choice, Flag, LineField } from "../fields";
import { Fold } from "../Fold";
import { SENSITIVITIES } from "../forms/choices";
import { adherenceShape, KINDS, MED_STATES, productShape, statusOf, statusShape, TAKING, verifyOf, verifyShape, VERIFY_STATES } from "../forms/collect";
import { dateShape, discrepancyShape, sourcesShape, supplyShape } from "../forms/more";
import { sigShape } from "../forms/sig";
import { Marks } from "../Marks";
import { NarrativeText } from "../NarrativeText";
import { RowDoubt, RowTools } from "../rows";
import { SigWords } from "../SigWords";
import { RowComments } from "./Comments";
import { MedicinePrompts } from "./Safety";
import { Named } from "./shared";
import editor from "../Editor.module.css";
import style from "./panels.module.css";

const MORE = [
  "meds.prescriber", "meds.how_it_feels", "meds.pharmacy", "meds.supply", "meds.start", "meds.sources", "meds.discrepancy", "meds.kind", "meds.cost_concern",
  "meds.high_alert", "meds.controlled", "meds.sensitivity",
] as const;

export const Medicine = memo(function Medicine({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const name = useRowNames()(row);
  const status = useValue("meds.status", row);
  const prescribed = useRegister("meds.prescribed_sig", row);
  return (
    <Card aria-label={name} className={status?.state === "stopped" || status?.state === "entered_in_error" ? style["ended"] : undefined}>
      <RowDoubt list="meds" row={row} />
      <div className={style["head"]}>
        <div className={style["grow"]}>
          <RegisterEditor field="meds.product" row={row} shape={productShape} bare show={() => <Name row={row} />} />
        </div>
        <RowTools list="meds" row={row} name={name} />
      </div>
      <Chips row={row} />
      <MedicinePrompts row={row} />
      <Because row={row} />
      <div className={style["two"]}>
        <Marks field="meds.prescribed_sig" row={row} view={prescribed}>
          <div className={editor["read"]}>
            {prescribed.value === null ? <span className={editor["nothing"]}>{say("plan.not_stated")}</span> : <SigWords sig={prescribed.value} />}
          </div>
        </Marks>
        <RegisterEditor field="meds.sig" row={row} shape={sigShape} show={(value) => <SigWords sig={value} />} />
      </div>
      <div className={style["two"]}>
        <LineField field="meds.indication" row={row} />
        <LineField field="meds.as_taken" row={row} />
      </div>
      <div className={style["three"]}>
        <Choice
          field="meds.verify" row={row} shape={verifyShape} asks={(value) => value.state === "could_not_verify"} keyOf={(value) => value.state}
          empty={say("plan.med.verify.unverified")}
          options={VERIFY_STATES.map((state) => ({ key: state, words: say(`plan.med.verify.${state}`), value: verifyOf(state) }))}
        />
        <Choice
          field="meds.adherence" row={row} shape={adherenceShape} asks={(value) => value.taking === "differently" || value.taking === "not_taking"} keyOf={(value) => value.taking}
          options={TAKING.map((taking) => ({ key: taking, words: say(`plan.med.taking.${taking}`), value: { taking } }))}
        />
        <Choice
          field="meds.status" row={row} shape={statusShape} asks={(value) => value.state === "stopped"} keyOf={(value) => value.state}
          options={MED_STATES.map((state) => ({ key: state, words: say(`plan.med.status.${state}`), value: statusOf(state) }))}
        />
      </div>
      <Fold label={say("plan.more")} of={name} row={row} fields={MORE}><More row={row} name={name} /></Fold>
    </Card>
  );
});

function More({ row, name }: { readonly row: RowId; readonly name: string }) {
  const { say } = useLanguage();
  return (
    <>
      <div className={style["three"]}>
        <LineField field="meds.prescriber" row={row} />
        <LineField field="meds.pharmacy" row={row} />
        <Named field="meds.kind" row={row} values={KINDS} words={(value) => say(`plan.med.kind.${value}`)} />
      </div>
      <div className={style["three"]}>
        <RegisterEditor field="meds.start" row={row} shape={dateShape} />
        <RegisterEditor field="meds.supply" row={row} shape={supplyShape} />
        <RegisterEditor field="meds.sources" row={row} shape={sourcesShape} />
      </div>
      <div className={style["two"]}>
        <RegisterEditor field="meds.discrepancy" row={row} shape={discrepancyShape} />
        <Named field="meds.sensitivity" row={row} values={SENSITIVITIES} words={(value) => say(`plan.med.sensitivity.${value}`)} empty={say("plan.med.sensitivity.none")} />
      </div>
      <div className={style["flags"]}>
        <Flag field="meds.high_alert" row={row} />
        <Flag field="meds.controlled" row={row} />
        <Flag field="meds.cost_concern" row={row} />
      </div>
      <NarrativeText field="meds.how_it_feels" row={row} />
      <RowComments row={row} name={name} />
    </>
  );
}

/** The recommendation whose acceptance wrote what stands here. */
function Because({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const named = useRowNames();
  const because = useValue("meds.because", row);
  return because === null ? null : <p className={style["by"]} data-field="meds.because">{say("plan.med.because", { what: named(because) })}</p>;
}

/** What must be seen without opening anything. */
function Chips({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const kind = useValue("meds.kind", row);
  const status = useValue("meds.status", row);
  const verify = useRegister("meds.verify", row);
  const sig = useRegister("meds.sig", row);
  const discrepancy = useValue("meds.discrepancy", row);
  const alert = useValue("meds.high_alert", row) === true;
  const controlled = useValue("meds.controlled", row) === true;
  const cost = useValue("meds.cost_concern", row) === true;
  const part2 = useValue("meds.sensitivity", row) === "part2";
  return (
    <div className={style["chips"]}>
      {kind !== null && kind !== "rx" && <Chip tone="plain">{say(`plan.med.kind.${kind}`)}</Chip>}
      {status?.state === "stopped" && <Chip tone="danger" icon={<Octagon size={16} aria-hidden />}>{say("plan.med.status.stopped")}</Chip>}
      {status?.state === "on_hold" && <Chip tone="warn" icon={<Pause size={16} aria-hidden />}>{say("plan.med.status.on_hold")}</Chip>}
      {status?.state === "entered_in_error" && <Chip tone="plain">{say("plan.med.status.entered_in_error")}</Chip>}
      {verify.value === null || verify.value.state === "unverified" || verify.value.state === "could_not_verify"
        ? <Chip tone="warn" icon={<TriangleAlert size={16} aria-hidden />}>{say(`plan.med.verify.${verify.value?.state ?? "unverified"}`)}</Chip>
        : <Chip tone="info" icon={<CircleCheck size={16} aria-hidden />}>{say(`plan.med.verify.${verify.value.state}`)}</Chip>}
      {sig.state === "empty" && <Chip tone="warn" icon={<CircleDot size={16} aria-hidden />}>{say("plan.med.no_sig")}</Chip>}
      {discrepancy !== null && discrepancy.kind !== "none" && <Chip tone="warn" icon={<TriangleAlert size={16} aria-hidden />}>{say(`plan.med.discrepancy.${discrepancy.kind}`)}</Chip>}
      {alert && <Chip tone="danger" icon={<TriangleAlert size={16} aria-hidden />}>{say("plan.field.meds.high_alert")}</Chip>}
      {controlled && <Chip tone="plain" icon={<ShieldAlert size={16} aria-hidden />}>{say("plan.field.meds.controlled")}</Chip>}
      {part2 && <Chip tone="plain" icon={<Lock size={16} aria-hidden />}>{say("plan.med.sensitivity.part2")}</Chip>}
      {cost && <Chip tone="plain" icon={<CircleDollarSign size={16} aria-hidden />}>{say("plan.field.meds.cost_concern")}</Chip>}
    </div>
  );
}

function Name({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const product = useValue("meds.product", row);
  return product === null
    ? say("plan.medicine_unnamed")
    : <bdi translate="no"><strong className={style["name"]}>{product.name}</strong> {product.strength_form}</bdi>;
}
