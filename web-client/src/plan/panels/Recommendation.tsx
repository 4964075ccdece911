/** One recommendation, from draft to decision. Commands need the line: they are never queued, and answer once. */
import { useId, useState, type FormEvent } from "react";
import { Send } from "lucide-react";
import { useLanguage } from "../../i18n";
import type { Command, DeclineReason, RowId } from "../../wire";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { Select } from "../../ui/Field";
import { useRowNames, useNames, useRecordSlice, useRegister, useRows, useScene, useValue } from "../context";
import { Focused, RegisterEditor } from "../Editor";
import { recommendationShape, useProblemTitle } from "../forms/planning";
import { picked, SigBoxes } from "../forms/sig";
import { GrowField } from "../GrowField";
import { useKeys } from "../keys";
import { NarrativeText } from "../NarrativeText";
import type { CommandAnswer } from "../record";
import { RowDoubt, RowTools } from "../rows";
import { formOf, sigOf, type SigForm } from "../sigform";
import { SigWords } from "../SigWords";
import editor from "../Editor.module.css";
import style from "./panels.module.css";

const REASONS: readonly DeclineReason[] = ["clinical_disagreement", "already_addressed", "patient_preference", "cost_coverage", "needs_visit", "not_prescriber", "other"];

export function Recommendation({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const content = useValue("recommendations.content", row);
  const state = useValue("recommendations.state", row) ?? "draft";
  const medicine = useRowNames();
  const problems = useRows("problems");
  const problemTitle = useProblemTitle();
  const mayDecide = useRecordSlice((all) => all.docs.get("plan")?.commands.has("decide") === true && all.closed === null);
  const title = content?.summary ?? say("plan.field.recommendations.content");
  const locked = state !== "draft";
  const index = content?.problem === undefined ? -1 : problems.indexOf(content.problem);
  return (
    <Card aria-label={title}>
      <RowDoubt list="recommendations" row={row} />
      <div className={style["head"]}>
        <div className={`${style["chips"]} ${style["grow"]}`}>
          <Chip tone={{ draft: "plain", sent: "info", accepted: "ok", accepted_modified: "ok", declined: "warn" }[state] as "plain" | "info" | "ok" | "warn"}>{say(`plan.rec.state.${state}`)}</Chip>
          {content !== null && <Chip tone="plain">{say(`plan.rec.action.${content.action}`)}</Chip>}
          {content?.med !== undefined && <Chip tone="plain"><bdi translate="no">{medicine(content.med)}</bdi></Chip>}
          {index >= 0 && content?.problem !== undefined && <Chip tone="plain">{problemTitle(content.problem, index)}</Chip>}
        </div>
        {!locked && <RowTools list="recommendations" row={row} name={title} />}
      </div>
      <RegisterEditor
        field="recommendations.content" row={row} shape={recommendationShape} locked={locked} bare
        show={(value) => (
          <>
            <strong className={style["name"]}>{value.summary}</strong>
            {value.regimen !== undefined && <span className={style["regimen"]}><SigWords sig={value.regimen} /></span>}
          </>
        )}
      />
      <NarrativeText field="recommendations.rationale" row={row} locked={locked} />
      {state === "draft" && <SendIt row={row} />}
      {state === "sent" && mayDecide && <Decide row={row} regimen={content?.regimen === undefined ? null : formOf(content.regimen)} />}
      <Decided row={row} />
    </Card>
  );
}

/** What a command may answer, in a sentence beside its button. */
export function useCommand(): {
  readonly busy: boolean;
  readonly problem: string | null;
  readonly give: (command: Command) => Promise<boolean>;
  /** The same for what is not a plain command. */
  readonly answer: (ask: () => Promise<CommandAnswer>) => Promise<boolean>;
} {
  const { record } = useScene();
  const { say } = useLanguage();
  const [busy, setBusy] = useState(false);
  const [answered, setAnswered] = useState<CommandAnswer | null>(null);
  const problem = answered === null || answered.kind === "done" ? null
    : answered.kind === "unknown" ? say("plan.command.unknown") : say(`plan.refused.${answered.code}`);
  const answer = async (ask: () => Promise<CommandAnswer>): Promise<boolean> => {
    setBusy(true);
    setAnswered(null);
    const got = await ask();
    setAnswered(got);
    setBusy(false);
    return got.kind === "done";
  };
  return { busy, problem, answer, give: (command) => answer(() => record.command("plan", command)) };
}

function SendIt({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const may = useRecordSlice((state) => state.docs.get("plan")?.commands.has("send_recommendation") === true && state.closed === null);
  const { busy, problem, give } = useCommand();
  if (!may) return null;
  return (
    <div className={style["actions"]}>
      <Button icon={<Send size={18} aria-hidden />} disabled={busy} onClick={() => void give({ kind: "send_recommendation", row })}>{busy ? say("plan.command.busy") : say("plan.rec.send")}</Button>
      <p className={style["hint"]}>{say("plan.rec.send.locked")}</p>
      {problem !== null && <p role="alert" className={style["problem"]}>{problem}</p>}
    </div>
  );
}

type Answering = { readonly kind: "none" } | { readonly kind: "change"; readonly regimen: SigForm; readonly note: string } | { readonly kind: "decline"; readonly reason: DeclineReason | ""; readonly note: string };

function Decide({ row, regimen }: { readonly row: RowId; readonly regimen: SigForm | null }) {
  const { say } = useLanguage();
  const id = useId();
  const { busy, problem, give } = useCommand();
  const [answering, setAnswering] = useState<Answering>({ kind: "none" });
  const [tried, setTried] = useState(false);
  const begin = (next: Answering): void => {
    setTried(false);
    setAnswering(next);
  };
  const accept = (): void => void give({ kind: "decide", row, outcome: "accepted", note: "" });
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
    if (sig === null || (sig === undefined && note === "")) return setTried(true);
    void give({ kind: "decide", row, outcome: "accepted_modified", ...(sig === undefined ? {} : { regimen: sig }), note });
  };
  return (
    <div role="group" aria-labelledby={id} className={style["decide"]} ref={keys}>
      <p id={id} className={style["title"]}>{say("plan.rec.decide.label")}</p>
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

function Decided({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const names = useNames();
  const { value, at_ms } = useRegister("recommendations.decision", row);
  if (value === null) return null;
  return (
    <div className={style["decision"]}>
      <p className={style["title"]}>{say(`plan.rec.state.${value.outcome}`)}</p>
      {value.reason !== undefined && <p>{say(`plan.rec.reason.${value.reason}`)}</p>}
      {value.regimen !== undefined && <p><SigWords sig={value.regimen} /></p>}
      {value.note !== undefined && value.note !== "" && <p>{value.note}</p>}
      <p className={style["by"]}>{say("plan.rec.decided_by", { name: names.person(value.by), at: at_ms ?? 0 })}</p>
    </div>
  );
}
