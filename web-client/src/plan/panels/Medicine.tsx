/** One medicine: what the chart says beside what the patient does. */
import { CircleCheck, CircleDot, Pause, TriangleAlert, Octagon } from "lucide-react";
import { useLanguage } from "../../i18n";
import type { RowId } from "../../wire";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { useRowNames, useRegister, useValue } from "../context";
import { RegisterEditor } from "../Editor";
import { Choice, LineField } from "../fields";
import { adherenceShape, KINDS, MED_STATES, productShape, statusOf, statusShape, TAKING, verifyOf, verifyShape, VERIFY_STATES } from "../forms/collect";
import { sigShape } from "../forms/sig";
import { Marks } from "../Marks";
import { RowDoubt, RowTools } from "../rows";
import { SigWords } from "../SigWords";
import { MedicinePrompts } from "./Safety";
import editor from "../Editor.module.css";
import style from "./panels.module.css";

export function Medicine({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const name = useRowNames()(row);
  const kind = useValue("meds.kind", row);
  const status = useValue("meds.status", row);
  const verify = useRegister("meds.verify", row);
  const sig = useRegister("meds.sig", row);
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
      <div className={style["chips"]}>
        {kind !== null && kind !== "rx" && <Chip tone="plain">{say(`plan.med.kind.${kind}`)}</Chip>}
        {status?.state === "stopped" && <Chip tone="danger" icon={<Octagon size={16} aria-hidden />}>{say("plan.med.status.stopped")}</Chip>}
        {status?.state === "on_hold" && <Chip tone="warn" icon={<Pause size={16} aria-hidden />}>{say("plan.med.status.on_hold")}</Chip>}
        {status?.state === "entered_in_error" && <Chip tone="plain">{say("plan.med.status.entered_in_error")}</Chip>}
        {verify.value === null || verify.value.state === "unverified" || verify.value.state === "could_not_verify"
          ? <Chip tone="warn" icon={<TriangleAlert size={16} aria-hidden />}>{say(`plan.med.verify.${verify.value?.state ?? "unverified"}`)}</Chip>
          : <Chip tone="info" icon={<CircleCheck size={16} aria-hidden />}>{say(`plan.med.verify.${verify.value.state}`)}</Chip>}
        {sig.state === "empty" && <Chip tone="warn" icon={<CircleDot size={16} aria-hidden />}>{say("plan.med.no_sig")}</Chip>}
      </div>
      <MedicinePrompts row={row} />
      <div className={style["two"]}>
        <Marks field="meds.prescribed_sig" row={row} view={prescribed}>
          <div className={editor["read"]}>
            {prescribed.value === null ? <span className={editor["nothing"]}>{say("plan.not_stated")}</span> : <SigWords sig={prescribed.value} />}
          </div>
        </Marks>
        <RegisterEditor field="meds.sig" row={row} shape={sigShape} show={(value) => <SigWords sig={value} />} />
      </div>
      <div className={style["three"]}>
        <LineField field="meds.indication" row={row} />
        <LineField field="meds.as_taken" row={row} />
        <LineField field="meds.prescriber" row={row} />
      </div>
      <div className={style["four"]}>
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
        <Choice
          field="meds.kind" row={row} keyOf={(value) => value}
          options={KINDS.map((value) => ({ key: value, words: say(`plan.med.kind.${value}`), value }))}
        />
      </div>
    </Card>
  );
}

function Name({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const product = useValue("meds.product", row);
  return product === null
    ? say("plan.medicine_unnamed")
    : <bdi translate="no"><strong className={style["name"]}>{product.name}</strong> {product.strength_form}</bdi>;
}
