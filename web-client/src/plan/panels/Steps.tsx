/** What became of a recommendation: seen, carried out, checked with the patient, or taken back. */
import { useCallback, useEffect, useRef, useState } from "react";
import { useLanguage } from "../../i18n";
import type { Command, RowId } from "../../wire";
import { useMay, useNames, useFieldSlice, useRegister, useScene, useValue } from "../context";
import { EMPTY_DOC } from "../fold";
import { standingOf, waits, type Standing } from "../standing";
import { useGive } from "./command";
import { SayButton } from "./SayDialog";
import style from "./panels.module.css";

export const useStanding = (row: RowId): Standing =>
  useFieldSlice((state) => standingOf(state.docs.get("plan")?.server ?? EMPTY_DOC, row, Date.now()));

/** Whether this seat answers: it may decide, and is whom the recommendation names, where it names somebody. */
export function useMayDecide(row: RowId): boolean {
  const { record } = useScene();
  const addressee = useValue("recommendations.addressee", row);
  const may = useMay("decide");
  return may && (addressee?.person === undefined ? record.self.role === "pcp" : addressee.person === record.self.person);
}

/** Characters of a word about a step: the record takes no more. */
const NOTE = 300;

/** So long a card must be on the screen before it counts as seen: scrolling past is not reading. */
const LOOKED_AT_MS = 1_500;

/** Says once that the card was on the screen of whom it is for. The result goes on what must be seen. */
export function useSeenMark(row: RowId, standing: Standing): (element: HTMLElement | null) => void {
  const { record } = useScene();
  const may = useMayDecide(row);
  const asked = useRef(false);
  const [element, setElement] = useState<HTMLElement | null>(null);
  const waiting = may && standing === "sent";
  useEffect(() => {
    if (!waiting || element === null || asked.current) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const observer = new IntersectionObserver((entries) => {
      clearTimeout(timer);
      const visible = entries.at(-1)?.isIntersecting === true && document.visibilityState === "visible";
      if (visible) timer = setTimeout(() => {
        asked.current = true;
        void record.command("plan", { kind: "mark_seen", row });
      }, LOOKED_AT_MS);
    });
    observer.observe(element);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  }, [record, row, element, waiting]);
  return useCallback((next: HTMLElement | null) => setElement(next), []);
}

/** Who did what with it, and what may be done next. */
export function Steps({ row, standing }: { readonly row: RowId; readonly standing: Standing }) {
  const { say } = useLanguage();
  const accepted = standing === "accepted" || standing === "accepted_modified";
  const mayWithdraw = useMay("withdraw_recommendation");
  const mayImplement = useMay("implemented");
  const mayVerify = useMay("verified");
  return (
    <>
      {waits(standing) && <Done row={row} field="recommendations.seen" words="plan.rec.step.seen" />}
      <Done row={row} field="recommendations.implemented" words="plan.rec.step.implemented" />
      <Done row={row} field="recommendations.verified" words="plan.rec.step.verified" />
      <Done row={row} field="recommendations.withdrawn" words="plan.rec.step.withdrawn" />
      <div className={style["actions"]}>
        {mayWithdraw && waits(standing) && (
          <Step label={say("plan.rec.withdraw")} box={say("plan.rec.withdraw.reason")} needed make={(reason) => ({ kind: "withdraw_recommendation", row, reason })} />
        )}
        {mayImplement && accepted && <Step label={say("plan.rec.implemented")} box={say("plan.rec.implemented.note")} make={(note) => ({ kind: "implemented", row, note })} />}
        {mayVerify && standing === "implemented" && <Step label={say("plan.rec.verified")} box={say("plan.rec.verified.note")} make={(note) => ({ kind: "verified", row, note })} />}
      </div>
    </>
  );
}

type StepField = "recommendations.seen" | "recommendations.implemented" | "recommendations.verified" | "recommendations.withdrawn";

function Done({ row, field, words }: { readonly row: RowId; readonly field: StepField; readonly words: `plan.rec.step.${"seen" | "implemented" | "verified" | "withdrawn"}` }) {
  const { say } = useLanguage();
  const names = useNames();
  const { value, by, at_ms } = useRegister(field, row);
  if (value === null || by === null) return null;
  return (
    <p className={style["by"]} data-field={field}>
      {say(words, { name: names.short(by), at: at_ms ?? 0 })}
      {typeof value === "string" && value !== "" && `: ${value}`}
    </p>
  );
}

/** One step with a word about it. */
function Step({ label, box, needed = false, make }: { readonly label: string; readonly box: string; readonly needed?: boolean; readonly make: (text: string) => Command }) {
  const give = useGive();
  return <SayButton label={label} box={{ label: box, most: NOTE, needed }} send={(text) => give(make(text))} />;
}
