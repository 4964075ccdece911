/**
 * Safety prompts: what a second pair of eyes would point at. The server derives them, from the whole of `plan` and
 * `voice`; here they are only said. They are not an interaction checker, and say so.
 */
import { ArrowRight, TriangleAlert } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useLanguage } from "../../i18n";
import type { Address, Dismissal, Prompt, RowId } from "../../wire";
import { Button } from "../../ui/Button";
import { useCanEditRows, useCanWrite, useFieldSlice, useNames, useRecordSlice, useRegister, useRowNames, useSafetySlice, useScene } from "../context";
import { EMPTY_DOC, rowsOf, valueAt } from "../fold";
import { useJump } from "../jump";
import { sameItems } from "../store";
import { SayDialog } from "./SayDialog";
import style from "./panels.module.css";

/** After a change the question waits so long for the next one: an answer a keystroke would be noise. */
const ASK_AFTER_MS = 600;

/** Characters of a reason: the record takes no more. */
const REASON = 300;

const NONE: readonly Prompt[] = [];

/** Asks for the prompts while a panel that shows them is open. It draws nothing: what held this would be drawn with each letter. */
export function AskSafety() {
  const { record } = useScene();
  const plan = useRecordSlice((state) => state.docs.get("plan")?.server.seq ?? 0);
  const voice = useRecordSlice((state) => state.docs.get("voice")?.server.seq ?? 0);
  const line = useRecordSlice((state) => state.line);
  useEffect(() => {
    const timer = setTimeout(() => record.askSafety(), ASK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [record, plan, voice, line]);
  return null;
}

const usePrompts = (): readonly Prompt[] => useSafetySlice((state) => state.safety?.prompts ?? NONE);

/** A prompt belongs to a medicine if one of its places stands on its row, or it names it. */
const about = (row: RowId) => (prompt: Prompt): boolean => prompt.at.some((at) => at.row === row) || prompt.med === row;

/** The prompts of one medicine, on its card. */
export function MedicinePrompts({ row }: { readonly row: RowId }) {
  const mine = useSafetySlice((state) => (state.safety?.prompts ?? NONE).filter(about(row)), sameItems);
  return <PromptList prompts={mine} row={row} />;
}

/** Those about no medicine, and how many there are: above the list. */
export function PlanPrompts() {
  const { say } = useLanguage();
  const all = usePrompts();
  const meds = useFieldSlice((state) => rowsOf(state.docs.get("plan")?.shown ?? EMPTY_DOC, "meds"));
  const loose = useMemo(() => all.filter((prompt) => !meds.some((row) => about(row)(prompt))), [all, meds]);
  if (all.length === 0) return null;
  return (
    <>
      <p className={style["hint"]}>{say("plan.prompts.not_a_checker")}</p>
      <PromptList prompts={loose} />
    </>
  );
}

/** Every prompt that nobody laid aside, before the signature. They do not keep it back. */
export function OpenPrompts() {
  const { say } = useLanguage();
  const open = usePrompts().filter((prompt) => prompt.dismissed === undefined);
  return (
    <>
      <AskSafety />
      {open.length > 0 && (
        <section aria-label={say("plan.prompts.title")}>
          <h4 className={style["title"]}>{say("plan.prompts.title")}</h4>
          <p className={style["hint"]}>{say("plan.prompts.not_a_checker")}</p>
          <PromptList prompts={open} named />
        </section>
      )}
    </>
  );
}

function PromptList({ prompts, row, named }: { readonly prompts: readonly Prompt[]; readonly row?: RowId; readonly named?: boolean }) {
  const { say } = useLanguage();
  if (prompts.length === 0) return null;
  const open = prompts.filter((prompt) => prompt.dismissed === undefined);
  const aside = prompts.filter((prompt) => prompt.dismissed !== undefined);
  return (
    <>
      {open.length > 0 && <ul className={style["prompts"]}>{open.map((prompt) => <Open key={keyOf(prompt)} prompt={prompt} row={row} named={named === true} />)}</ul>}
      {aside.length > 0 && (
        <details className={style["aside"]}>
          <summary>{say("plan.prompts.laid_aside", { count: aside.length })}</summary>
          <ul className={style["prompts"]}>{aside.map((prompt) => <Aside key={keyOf(prompt)} prompt={prompt} row={row} />)}</ul>
        </details>
      )}
    </>
  );
}

const keyOf = ({ code, at }: Prompt): string => `${code} ${at.map((one) => `${one.row ?? ""}/${one.field}`).join(" ")}`;

function usePromptWords(): (prompt: Prompt, row: RowId | undefined) => string {
  const { say, g } = useLanguage();
  const named = useRowNames();
  const doc = useFieldSlice((state) => state.docs.get("plan")?.shown ?? EMPTY_DOC);
  return ({ code, at }, row) => {
    switch (code) {
      case "allergy": {
        const allergy = at.find((one) => one.field === "allergies.content")?.row;
        return say("plan.prompt.allergy", { substance: (allergy === undefined ? null : valueAt(doc, "allergies.content", allergy))?.substance ?? "" });
      }
      case "same_ingredient": {
        const others = at.flatMap((one) => (one.row === undefined || one.row === row ? [] : [named(one.row)]));
        return say("plan.prompt.same_ingredient", { other: g.list(row === undefined ? others.slice(1) : others) });
      }
      case "prose_dose": {
        const [text] = at;
        return say("plan.prompt.prose_dose", { field: text === undefined ? "" : say(`plan.field.${text.field}`) });
      }
      case "stopped_taken":
      case "controlled_under_agreement":
      case "sig_in_conflict":
      case "no_indication":
        return say(`plan.prompt.${code}`);
    }
  };
}

/** Where to look: the place that is not on the card the prompt stands on. */
function target({ at }: Prompt, row: RowId | undefined): Address | undefined {
  return at.find((one) => one.row !== row) ?? at.find((one) => one.field === "meds.indication" || one.field === "meds.sig" || one.field === "meds.adherence") ?? at[0];
}

function Open({ prompt, row, named }: { readonly prompt: Prompt; readonly row: RowId | undefined; readonly named: boolean }) {
  const { say } = useLanguage();
  const name = useRowNames();
  const jump = useJump();
  const words = usePromptWords()(prompt, row);
  const [first] = prompt.at;
  const said = named && first?.row !== undefined ? `${name(first.row)}: ${words}` : words;
  const go = target(prompt, named ? undefined : row);
  const { med } = prompt;
  return (
    <li className={style["prompt"]}>
      <span className={style["promptWords"]}><TriangleAlert size={18} aria-hidden />{said}</span>
      <span className={style["actions"]}>
        {go !== undefined && (
          <Button kind="quiet" icon={<ArrowRight size={18} aria-hidden />} onClick={() => jump(go)}>
            {say("plan.prompt.go", { what: say(`plan.field.${go.field}`) })}
          </Button>
        )}
        {med !== undefined && med !== row && (
          <Button kind="quiet" onClick={() => jump({ row: med, field: "meds.sig" })}>{say("plan.prompt.link", { medicine: name(med) })}</Button>
        )}
        {/* A field in conflict is decided, not laid aside. */}
        {prompt.code !== "sig_in_conflict" && <LayAside words={said} make={(reason) => ({ code: prompt.code, at: prompt.at, reason })} />}
      </span>
    </li>
  );
}

/** A reason, which stays in the record with its author and time. */
export function LayAside({ words, make }: { readonly words: string; readonly make: (reason: string) => Dismissal }) {
  const { say } = useLanguage();
  const { record } = useScene();
  const rows = useCanEditRows("dismissals");
  const field = useCanWrite("dismissals.content");
  const [open, setOpen] = useState(false);
  if (!rows || !field) return null;
  const send = (reason: string): null => {
    record.add("dismissals", null, { "dismissals.content": make(reason) });
    return null;
  };
  return (
    <>
      <Button kind="quiet" aria-label={say("plan.prompt.aside.of", { what: words })} onClick={() => setOpen(true)}>{say("plan.prompt.aside")}</Button>
      {open && (
        <SayDialog title={say("plan.prompt.aside")} box={{ label: say("plan.prompt.aside.reason"), most: REASON, needed: true }} send={send} onClose={() => setOpen(false)}>
          <p>{words}</p>
        </SayDialog>
      )}
    </>
  );
}

function Aside({ prompt, row }: { readonly prompt: Prompt; readonly row: RowId | undefined }) {
  const words = usePromptWords()(prompt, row);
  return (
    <li>
      <p>{words}</p>
      {prompt.dismissed !== undefined && <LaidAside row={prompt.dismissed} />}
    </li>
  );
}

/** Who laid it aside, when and why. */
export function LaidAside({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const names = useNames();
  const { value, by, at_ms } = useRegister("dismissals.content", row);
  if (value === null || by === null) return null;
  return <p className={style["by"]} data-field="dismissals.content">{say("plan.prompt.aside.done", { name: names.short(by), at: at_ms ?? 0, reason: value.reason })}</p>;
}
