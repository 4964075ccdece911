/** The signature itself: what it needs here, in words, and the question before it. */
import { KeyRound, PenLine } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { answerStepUp, askStepUp, stepUpNeeds } from "../../api";
import { useLanguage } from "../../i18n";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { obstacle, askPasskey } from "../../webauthn";
import type { DocId, SeatId, StepUpNeeds, StepUpQuestion } from "../../wire";
import { useRecordSlice, useScene } from "../context";
import editor from "../Editor.module.css";
import { faultWords, obstacleWords } from "../passkeyFaults";
import { useCommand } from "./command";
import style from "./panels.module.css";

/** `seen`: the plan as it stands on the screen. `ready`: nothing is missing. */
export function SignOff({ seen, ready }: { readonly seen: number; readonly ready: boolean }) {
  const { say } = useLanguage();
  const { seat } = useScene();
  const doc = useRecordSlice((state) => state.docs.get("plan")?.id ?? null);
  const { needs, trouble, look } = useNeeds(seat);
  // What is signed is what stood on the screen when the question was asked, or nothing.
  const [asking, setAsking] = useState<number | null>(null);
  const ask = (): void => {
    void look();
    setAsking(seen);
  };
  return (
    <>
      <Needs needs={needs} trouble={trouble} />
      <div className={style["actions"]}>
        <Button kind="primary" icon={<PenLine size={18} aria-hidden />} disabled={!ready || needs?.needs === "enrolment"} onClick={ask}>{say("plan.sign")}</Button>
      </div>
      {asking !== null && doc !== null && <Ask doc={doc} seen={asking} needs={needs} trouble={trouble} look={look} onClose={() => setAsking(null)} />}
    </>
  );
}

interface Known {
  /** `null` until the server has said so. */
  readonly needs: StepUpNeeds | null;
  /** Why it has not. */
  readonly trouble: string | null;
}

/** In words, what a signature needs here. */
function Needs({ needs, trouble }: Known) {
  const { say } = useLanguage();
  if (trouble !== null) return <p role="alert" className={editor["refusal"]}>{trouble}</p>;
  return needs !== null && <p className={style["hint"]}>{say(`plan.sign.needs.${needs.needs}`)}</p>;
}

function useNeeds(seat: SeatId): Known & { readonly look: () => Promise<void> } {
  const { say } = useLanguage();
  const [known, setKnown] = useState<Known>({ needs: null, trouble: null });
  const look = useCallback(async () => {
    try {
      setKnown({ needs: await stepUpNeeds(seat), trouble: null });
    } catch (failure) {
      setKnown({ needs: null, trouble: faultWords(say, failure, []) });
    }
  }, [seat, say]);
  useEffect(() => void look(), [look]);
  return { ...known, look };
}

interface AskProps extends Known {
  readonly doc: DocId;
  readonly seen: number;
  readonly look: () => Promise<void>;
  readonly onClose: () => void;
}

function Ask({ doc, seen, needs, trouble, look, onClose }: AskProps) {
  const { say } = useLanguage();
  const { record } = useScene();
  const { busy, problem, answer } = useCommand();
  const origins = needs?.needs === "passkey" ? needs.origins : null;
  const passkey = usePasskeyFor(doc, seen, origins);
  const sign = async (): Promise<void> => {
    const proof = origins === null ? null : await passkey.confirm();
    if (proof === undefined) return; // the reason stands in the dialog
    if (await answer(() => record.sign(seen, proof))) return onClose();
    await look();
    passkey.again();
  };
  const stands = origins === null ? null : obstacle(origins);
  const wrong = passkey.problem ?? problem;
  return (
    <Dialog
      title={say("plan.sign.ask")} onClose={onClose}
      actions={(
        <>
          <Button onClick={onClose}>{say("plan.cancel")}</Button>
          <Button
            kind="primary" icon={origins === null ? undefined : <KeyRound size={18} aria-hidden />}
            disabled={busy || passkey.busy || stands !== null || needs === null || needs.needs === "enrolment"} onClick={() => void sign()}
          >
            {say(passkey.busy ? "passkey.going" : busy ? "plan.command.busy" : "plan.sign")}
          </Button>
        </>
      )}
    >
      <p>{say("plan.sign.statement")}</p>
      <p>{say("plan.sign.words")}</p>
      <Needs needs={needs} trouble={trouble} />
      {stands !== null && origins !== null && <p role="alert" className={editor["refusal"]}>{obstacleWords(say, stands, origins)}</p>}
      {wrong !== null && <p role="alert" className={editor["refusal"]}>{wrong}</p>}
    </Dialog>
  );
}

/**
 * Confirms with a passkey. The question is fetched before anybody presses: a browser lets a page ask for a passkey only in
 * the moment of the press. `confirm` gives back the proof, or nothing where a reason stands instead.
 */
function usePasskeyFor(doc: DocId, seen: number, origins: readonly string[] | null): {
  readonly busy: boolean;
  readonly problem: string | null;
  readonly confirm: () => Promise<string | undefined>;
  readonly again: () => void;
} {
  const { say } = useLanguage();
  const { seat } = useScene();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const question = useRef<Promise<StepUpQuestion> | null>(null);
  const closed = useRef(new AbortController());
  const has = origins !== null;
  const again = useCallback((): void => {
    const asked = !has ? null : askStepUp(seat, { doc, seen });
    asked?.catch(() => undefined); // said when it is needed
    question.current = asked;
  }, [seat, doc, seen, has]);
  useEffect(() => again(), [again]);
  useEffect(() => {
    closed.current = new AbortController();
    return () => closed.current.abort();
  }, []);
  const confirm = async (): Promise<string | undefined> => {
    const { signal } = closed.current;
    setBusy(true);
    setProblem(null);
    try {
      const asked = await (question.current ?? askStepUp(seat, { doc, seen }));
      const { proof } = await answerStepUp(seat, await askPasskey(asked, signal));
      return signal.aborted ? undefined : proof;
    } catch (failure) {
      if (!signal.aborted) setProblem(faultWords(say, failure, origins ?? []));
      again(); // every question is answered once
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, confirm, again };
}
