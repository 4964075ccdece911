import { CircleHelp, Clock, Moon, Octagon, Pause, Pill, Sun, Sunrise, Sunset } from "lucide-react";
import type { ReactNode } from "react";
import { useLanguage } from "../i18n";
import { useFieldSlice, useRegister, useRowNames, useRows, useValue } from "../plan/context";
import { LineField } from "../plan/fields";
import { EMPTY_DOC, registerAt, address, valueAt } from "../plan/fold";
import { Fold } from "../plan/Fold";
import { NarrativeText } from "../plan/NarrativeText";
import { sameItems } from "../plan/store";
import { Card } from "../ui/Card";
import { Chip } from "../ui/Chip";
import type { RowId } from "../wire";
import { grouped, type Group } from "./groups";
import { useSentences } from "./sentences";
import { Undecided } from "./Undecided";
import style from "./PatientPage.module.css";

const ICON: Record<Group, ReactNode> = {
  morning: <Sunrise size={24} aria-hidden />,
  noon: <Sun size={24} aria-hidden />,
  evening: <Sunset size={24} aria-hidden />,
  bedtime: <Moon size={24} aria-hidden />,
  as_needed: <CircleHelp size={24} aria-hidden />,
  other: <Clock size={24} aria-hidden />,
};

export function Medicines() {
  const { say } = useLanguage();
  const rows = useRows("meds");
  const doc = useFieldSlice((state) => state.docs.get("plan")?.shown ?? EMPTY_DOC);
  const stateOf = (row: RowId) => valueAt(doc, "meds.status", row)?.state ?? "active";
  // In doubt whether it is stopped: it stays on the list, where it says so.
  const taken = rows.filter((row) => stateOf(row) === "active" || stateOf(row) === "on_hold");
  const stopped = rows.filter((row) => stateOf(row) === "stopped");
  if (taken.length + stopped.length === 0) return <p>{say("patient.meds.none")}</p>;
  return (
    <>
      {grouped(taken, (row) => valueAt(doc, "meds.sig", row)).map(({ group, rows: members }) => (
        <section key={group} className={style["group"]}>
          <h2 className={style["groupTitle"]}>{ICON[group]}{say(`patient.meds.${group}`)}</h2>
          {members.map((row) => <Medicine key={row} row={row} group={group} />)}
        </section>
      ))}
      {stopped.length > 0 && (
        <section className={style["group"]}>
          <h2 className={style["groupTitle"]}><Octagon size={24} aria-hidden />{say("patient.meds.stopped")}</h2>
          {stopped.map((row) => <Stopped key={row} row={row} />)}
        </section>
      )}
    </>
  );
}

const FEELS = ["meds.how_it_feels"] as const;

function Medicine({ row, group }: { readonly row: RowId; readonly group: Group }) {
  const { say } = useLanguage();
  const sig = useRegister("meds.sig", row);
  const indication = useRegister("meds.indication", row);
  const status = useRegister("meds.status", row);
  const prescriber = useValue("meds.prescriber", row);
  const writable = useFieldSlice((state) => state.docs.get("voice")?.writable.has("meds.as_taken") === true);
  const heard = useValue("meds.as_taken", row);
  // Its box for own words stands once, on its first card.
  const first = sig.value?.prn !== undefined || (sig.value?.times?.[0] ?? group) === group;
  const others = sig.value?.prn !== undefined ? [] : (sig.value?.times ?? []).filter((time) => time !== group);
  const undecided = useUndecided(row);
  const sentences = useSentences();
  const name = useRowNames()(row);
  // Never a sentence that is older than the dose it speaks of.
  const said = !sig.pending && sig.rev <= sentences.seq ? sentences.how.get(row) : undefined;
  return (
    <Card>
      <h3 className={style["medicine"]}><Pill size={24} aria-hidden /><Name row={row} /></h3>
      {status.value?.state === "on_hold" && <Chip tone="warn" icon={<Pause size={20} aria-hidden />}>{say("patient.meds.on_hold")}</Chip>}
      {sig.state === "conflict"
        ? <Undecided />
        : said !== undefined && said.length > 0
          ? said.map((sentence) => <p key={sentence.text} className={style["how"]}>{sentence.from === "person" ? <bdi lang="">{sentence.text}</bdi> : sentence.text}</p>)
          : <p className={style["how"]}>{sig.value === null || sig.value.text === "" ? say("patient.meds.no_words") : sig.value.text}</p>}
      {others.length > 0 && <p>{say("patient.meds.also", { times: others.map((time) => say(`patient.meds.${time}`)) })}</p>}
      {indication.value !== null && indication.value !== "" && <p>{say("patient.meds.for", { what: indication.value })}</p>}
      {prescriber !== null && prescriber !== "" && <p className={style["quiet"]}>{say("patient.meds.by", { who: prescriber })}</p>}
      {sig.state !== "conflict" && undecided && <Undecided />}
      {first && (writable || (heard !== null && heard !== "")) && <LineField field="meds.as_taken" row={row} label={say("patient.meds.as_taken")} hint={say("patient.meds.as_taken.hint")} />}
      {first && (
        <Fold label={say("patient.meds.feels")} of={name} row={row} fields={FEELS}>
          <NarrativeText field="meds.how_it_feels" row={row} label={say("patient.meds.feels.label")} hint={say("patient.meds.feels.hint")} />
        </Fold>
      )}
    </Card>
  );
}

function Stopped({ row }: { readonly row: RowId }) {
  return <Card><h3 className={style["medicine"]}><Name row={row} /></h3></Card>;
}

function Name({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const product = useRegister("meds.product", row);
  if (product.state === "conflict") return <span>{say("patient.undecided")}</span>;
  return <bdi translate="no">{[product.value?.name, product.value?.strength_form].filter(Boolean).join(" ")}</bdi>;
}

/** Whether anything else about the medicine holds more than one value, or its place on the list is in doubt. */
function useUndecided(row: RowId): boolean {
  const states = useFieldSlice((state) => {
    const doc = state.docs.get("plan")?.shown ?? EMPTY_DOC;
    return (["meds.status", "meds.indication", "presence"] as const).map((field) => registerAt(doc, address(field, row)).state);
  }, sameItems);
  return states.includes("conflict");
}
