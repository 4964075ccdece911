/**
 * The prescriber's answer, by keyboard or touch, and what it writes into the medication list. Knows nothing of where
 * it stands: in the panel of a visit, or on the page of a link.
 */
import { useId, useState, type FormEvent } from "react";
import { useLanguage } from "../../i18n";
import type { Command, DeclineReason, ListUpdate, Product, RecommendationContent, RecommendedAction, RowId } from "../../wire";
import { Button } from "../../ui/Button";
import { Select } from "../../ui/Field";
import { Focused } from "../Editor";
import { TextBox } from "../forms/parts";
import { picked, SigBoxes } from "../forms/sig";
import { GrowField } from "../GrowField";
import { newRowId } from "../ids";
import { useKeys } from "../keys";
import { formOf, sigOf, type SigForm } from "../sigform";
import { today } from "../today";
import editor from "../Editor.module.css";
import style from "./panels.module.css";

const REASONS: readonly DeclineReason[] = ["clinical_disagreement", "already_addressed", "patient_preference", "cost_coverage", "needs_visit", "not_prescriber", "other"];

/** What the list would do: nothing, a change of one row, a new row, or both. */
type Effect = "stop" | "hold" | "sig" | "start" | "change" | null;

function effectOf({ action, med, regimen }: RecommendationContent): Effect {
  const of: Record<RecommendedAction, Effect> = {
    start: "start", stop: "stop", hold: "hold", change_dose: regimen === undefined ? null : "sig", change_time: regimen === undefined ? null : "sig",
    change_drug: "change", change_form: "change",
    monitor: null, educate: null, adherence_aid: null, refer: null, immunize: null, no_change: null,
  };
  return of[action] !== "start" && med === undefined ? null : of[action];
}

/** What stands around a decision. */
export interface Place {
  readonly row: RowId;
  readonly content: RecommendationContent;
  /** What the medicine it is about is called; empty if it names none. */
  readonly medicine: string;
  /** The plan is signed. */
  readonly sealed: boolean;
  /** Whether who decides may write into the medication list. */
  readonly updatesList: boolean;
  readonly busy: boolean;
  readonly problem: string | null;
  readonly give: (command: Command) => Promise<boolean>;
}

interface Update {
  readonly effect: Effect;
  readonly sealed: boolean;
  readonly wanted: boolean;
  readonly want: (wanted: boolean) => void;
  readonly name: string;
  readonly setName: (name: string) => void;
  readonly strength: string;
  readonly setStrength: (strength: string) => void;
  /** A name is missing for the row that would be added. */
  readonly incomplete: boolean;
  /** Whether "accepted with a change" can be written as well: a stop with a change is no stop. */
  readonly changeable: boolean;
  readonly list: () => { readonly list?: ListUpdate };
}

function useListUpdate({ content, sealed, updatesList }: Place): Update {
  const [wanted, want] = useState(false);
  const [name, setName] = useState("");
  const [strength, setStrength] = useState("");
  const effect = updatesList ? effectOf(content) : null;
  const adds = effect === "start" || effect === "change";
  const on = wanted && effect !== null && !sealed;
  return {
    effect, sealed, wanted: on, want, name, setName, strength, setStrength,
    incomplete: on && adds && name.trim() === "",
    changeable: effect === "sig" || adds,
    list: () => {
      if (!on) return {};
      const product: Product = { name: name.trim(), ...(strength.trim() === "" ? {} : { strength_form: strength.trim() }) };
      return { list: { day: today(), row: newRowId(), ...(adds ? { product } : {}) } };
    },
  };
}

function ListBoxes({ update, medicine, tried }: { readonly update: Update; readonly medicine: string; readonly tried: boolean }) {
  const { say } = useLanguage();
  const id = useId();
  const { effect } = update;
  if (effect === null) return null;
  if (update.sealed) return <p className={style["hint"]}>{say("plan.rec.list.sealed")}</p>;
  const words = effect === "start" ? say("plan.rec.list.words.start") : say(`plan.rec.list.words.${effect}`, { medicine });
  return (
    <div className={editor["boxes"]}>
      <label className={style["check"]}>
        <input type="checkbox" checked={update.wanted} aria-describedby={id} onChange={(event) => update.want(event.currentTarget.checked)} />
        {say("plan.rec.list")}
      </label>
      <p id={id} className={style["hint"]}>{words}</p>
      {update.wanted && (effect === "start" || effect === "change") && (
        <>
          <TextBox label={say("plan.rec.list.name")} value={update.name} most={200} problem={tried && update.incomplete ? say("plan.needed") : undefined} onChange={update.setName} />
          <TextBox label={say("plan.rec.list.strength")} value={update.strength} most={100} hint={say("plan.med.strength.hint")} onChange={update.setStrength} />
        </>
      )}
    </div>
  );
}

type Answering = { readonly kind: "none" } | { readonly kind: "change"; readonly regimen: SigForm; readonly note: string } | { readonly kind: "decline"; readonly reason: DeclineReason | ""; readonly note: string };

export function Decide(place: Place) {
  const { row, content, busy, problem, give } = place;
  const { say } = useLanguage();
  const regimen = content.regimen === undefined ? null : formOf(content.regimen);
  const update = useListUpdate(place);
  const id = useId();
  const [answering, setAnswering] = useState<Answering>({ kind: "none" });
  const [tried, setTried] = useState(false);
  const begin = (next: Answering): void => {
    setTried(false);
    setAnswering(next);
  };
  const accept = (): void => {
    if (update.incomplete) return setTried(true);
    void give({ kind: "decide", row, outcome: "accepted", note: "", ...update.list() });
  };
  const change = (): void => begin({ kind: "change", regimen: regimen ?? formOf(null), note: "" });
  const decline = (): void => begin({ kind: "decline", reason: "", note: "" });
  // Single keys act only while the focus is on the card's own buttons, never in a box.
  const keys = useKeys<HTMLDivElement>((event) => {
    if (event.key === "Escape" && answering.kind !== "none") {
      event.stopPropagation();
      return begin({ kind: "none" });
    }
    if (event.ctrlKey || event.metaKey || event.altKey || busy || !(event.target instanceof HTMLButtonElement)) return;
    const act = { a: accept, c: change, d: decline }[event.key.toLowerCase()];
    if (act === undefined || answering.kind !== "none") return;
    event.preventDefault();
    act();
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (answering.kind === "none") return;
    const note = answering.note.trim();
    if (answering.kind === "decline") {
      if (answering.reason === "") return setTried(true);
      return void give({ kind: "decide", row, outcome: "declined", reason: answering.reason, note });
    }
    const untouched = JSON.stringify(answering.regimen) === JSON.stringify(formOf(null));
    const sig = untouched ? undefined : sigOf(answering.regimen);
    if (sig === null || (sig === undefined && note === "") || (update.changeable && update.incomplete)) return setTried(true);
    const list = update.changeable ? update.list() : {};
    void give({ kind: "decide", row, outcome: "accepted_modified", ...(sig === undefined ? {} : { regimen: sig }), note, ...list });
  };
  return (
    <div role="group" aria-labelledby={id} className={style["decide"]} ref={keys}>
      <p id={id} className={style["title"]}>{say("plan.rec.decide.label")}</p>
      {(answering.kind === "none" || (answering.kind === "change" && update.changeable)) && <ListBoxes update={update} medicine={place.medicine} tried={tried} />}
      {answering.kind === "none"
        ? (
          <div className={style["actions"]}>
            <Button kind="primary" disabled={busy} aria-keyshortcuts="a" onClick={accept}>{busy ? say("plan.command.busy") : say("plan.rec.accept.key")}</Button>
            <Button disabled={busy} aria-keyshortcuts="c" onClick={change}>{say("plan.rec.change.key")}</Button>
            <Button disabled={busy} aria-keyshortcuts="d" onClick={decline}>{say("plan.rec.decline.key")}</Button>
          </div>
        )
        : (
          <form className={editor["form"]} noValidate onSubmit={submit} aria-label={say(answering.kind === "change" ? "plan.rec.change.title" : "plan.rec.decline.title")}>
            <Focused>
              {answering.kind === "change"
                ? <SigBoxes draft={answering.regimen} tried={tried} change={(next) => setAnswering({ ...answering, regimen: next })} />
                : (
                  <Select
                    label={say("plan.reason")} value={answering.reason} problem={tried && answering.reason === "" ? say("plan.rec.decline.pick") : undefined}
                    onChange={(event) => setAnswering({ ...answering, reason: picked(REASONS, event.currentTarget.value) })}
                  >
                    <option value="" disabled>{say("plan.none_chosen")}</option>
                    {REASONS.map((reason) => <option key={reason} value={reason}>{say(`plan.rec.reason.${reason}`)}</option>)}
                  </Select>
                )}
              <GrowField
                label={say("plan.rec.note")} value={answering.note} most={300} problem={tried && answering.kind === "change" ? say("plan.rec.change.needed") : undefined}
                onChange={(note) => setAnswering({ ...answering, note })}
              />
            </Focused>
            <div className={style["actions"]}>
              <Button type="submit" kind="primary" disabled={busy}>{say(busy ? "plan.command.busy" : answering.kind === "change" ? "plan.rec.change.send" : "plan.rec.decline.send")}</Button>
              <Button kind="quiet" onClick={() => begin({ kind: "none" })}>{say("plan.cancel")}</Button>
            </div>
          </form>
        )}
      {problem !== null && <p role="alert" className={style["problem"]}>{problem}</p>}
    </div>
  );
}
