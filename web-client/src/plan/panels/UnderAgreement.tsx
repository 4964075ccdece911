/** A recommendation under a collaborative agreement: who decides, doing it, and what became of that. */
import { FileCheck } from "lucide-react";
import { useId, useState } from "react";
import { useLanguage } from "../../i18n";
import type { AgreementView, Authority, ListUpdate, Product, RecommendedAction, RowId } from "../../wire";
import { Button } from "../../ui/Button";
import { useAgreements } from "../agreements";
import { useMay, useRegister, useScene, useValue } from "../context";
import { Choice } from "../fields";
import { TextBox } from "../forms/parts";
import { GrowField } from "../GrowField";
import { newRowId } from "../ids";
import { today } from "../today";
import { reasonWords } from "../words";
import { useCommand } from "./command";
import editor from "../Editor.module.css";
import style from "./panels.module.css";

/** Agreements this pharmacist could act under, ended ones left out: the server says for each day whether it may be. */
function useMine(): readonly AgreementView[] {
  const { seat, record } = useScene();
  const may = useMay("act_under_agreement");
  const { known } = useAgreements(seat, "once", may);
  if (known.kind !== "known" || !may) return [];
  const open = new Set(["signed_pharmacist", "active", "expiring"]);
  return known.all.agreements.filter((one) => one.pharmacist?.person === record.self.person && open.has(one.standing));
}

/** Who decides about a draft: the prescriber, or the pharmacist under one of their agreements. */
export function AuthorityPick({ row, locked }: { readonly row: RowId; readonly locked: boolean }) {
  const { say } = useLanguage();
  const view = useRegister("recommendations.authority", row);
  const mine = useMine();
  if (view.state === "empty" && (locked || mine.length === 0)) return null;
  const under = view.value?.kind === "under_cdtm" ? view.value : null;
  const options: { readonly key: string; readonly words: string; readonly value: Authority }[] = [
    { key: "", words: say("plan.authority.recommend"), value: { kind: "recommend" } },
    ...mine.map(({ id, physician, terms }) => (
      { key: id, words: say("plan.authority.under", { physician: physician.name, condition: terms.condition }), value: { kind: "under_cdtm", agreement: id } as const }
    )),
  ];
  // An agreement that has ended meanwhile, or a colleague's.
  if (under !== null && !mine.some(({ id }) => id === under.agreement)) options.push({ key: under.agreement, words: say("plan.authority.under_cdtm"), value: under });
  return (
    <Choice
      field="recommendations.authority" row={row} locked={locked} options={options} empty={say("plan.authority.recommend")}
      keyOf={(value) => (value.kind === "under_cdtm" ? value.agreement : "")}
    />
  );
}

/** Whether an action adds a row to the medication list. */
const ADDS: ReadonlySet<RecommendedAction> = new Set(["start", "change_drug", "change_form"]);

/** "Do it under the agreement": one command; what is not allowed goes to the physician. */
export function UnderAgreement({ row }: { readonly row: RowId }) {
  const { seat } = useScene();
  const { say } = useLanguage();
  const id = useId();
  const may = useMay("act_under_agreement");
  const { look } = useAgreements(seat, "once", may);
  const authority = useValue("recommendations.authority", row);
  const content = useValue("recommendations.content", row);
  const { busy, problem, give } = useCommand();
  const [name, setName] = useState("");
  const [strength, setStrength] = useState("");
  const [note, setNote] = useState("");
  const [tried, setTried] = useState(false);
  if (!may || authority?.kind !== "under_cdtm" || content === null) return null;
  const adds = ADDS.has(content.action);
  const missing = adds && name.trim() === "";
  const act = (): void => {
    if (missing) return setTried(true);
    const product: Product = { name: name.trim(), ...(strength.trim() === "" ? {} : { strength_form: strength.trim() }) };
    const list: ListUpdate = { day: today(), row: newRowId(), ...(adds ? { product } : {}) };
    const writes = content.action === "monitor" ? {} : { list };
    // The agreement has one entry more, or is not what it was: whoever shows it looks again.
    void give({ kind: "act_under_agreement", row, note: note.trim(), ...writes }).then(look);
  };
  return (
    <div role="group" aria-labelledby={id} className={style["decide"]}>
      <p id={id} className={style["title"]}>{say("plan.under.do")}</p>
      <p className={style["hint"]}>{say("plan.under.words")}</p>
      {adds && (
        <div className={editor["boxes"]}>
          <TextBox label={say("plan.under.product")} value={name} most={200} problem={tried && missing ? say("plan.needed") : undefined} onChange={setName} />
          <TextBox label={say("plan.under.strength")} value={strength} most={100} hint={say("plan.med.strength.hint")} onChange={setStrength} />
        </div>
      )}
      <GrowField label={say("plan.under.note")} value={note} most={300} onEnter={act} onChange={setNote} />
      <div className={style["actions"]}>
        <Button kind="primary" icon={<FileCheck size={18} aria-hidden />} disabled={busy} onClick={act}>{busy ? say("plan.command.busy") : say("plan.under.do")}</Button>
      </div>
      {problem !== null && <p role="alert" className={style["problem"]}>{problem}</p>}
    </div>
  );
}

/** What became of it: the agreement by which it was done, or every reason why not. */
export function UnderWhich({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const { value } = useRegister("recommendations.under_agreement", row);
  if (value === null) return null;
  return (
    <div data-field="recommendations.under_agreement" className={style["decision"]}>
      {value.reasons === undefined
        ? <p className={style["title"]}>{say("plan.under.done", value)}</p>
        : (
          <>
            <p className={style["title"]}>{say("plan.under.refused", value)}</p>
            <ul className={style["reasons"]}>{value.reasons.map((one, index) => <li key={index}>{reasonWords(one, say)}</li>)}</ul>
          </>
        )}
    </div>
  );
}
