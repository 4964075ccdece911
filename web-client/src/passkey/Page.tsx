/** A passkey is set up: one person of the staff, one link, one button. */
import { CircleCheck, KeyRound } from "lucide-react";
import { useCallback, useEffect, useState, type FormEvent } from "react";
import { ApiFailure, enrolPasskey, openEnrolment } from "../api";
import { useLanguage } from "../i18n";
import { faultWords, obstacleWords } from "../plan/passkeyFaults";
import { Button } from "../ui/Button";
import { Column } from "../ui/Column";
import { Field } from "../ui/Field";
import { useScreenHeading } from "../ui/focus";
import { useSide } from "../ui/side";
import { makePasskey, obstacle } from "../webauthn";
import type { Enrolment } from "../wire";
import style from "./Page.module.css";

type State =
  | { readonly kind: "loading" }
  | { readonly kind: "ready"; readonly asked: Enrolment }
  | { readonly kind: "gone" | "not_here" | "away" | "done" };

export function Page({ token }: { readonly token: string }) {
  const { say } = useLanguage();
  const [state, setState] = useState<State>({ kind: "loading" });
  const heading = useScreenHeading(state.kind);
  useSide("staff");
  const load = useCallback(async () => {
    try {
      setState({ kind: "ready", asked: await openEnrolment(token) });
    } catch (failure) {
      if (!(failure instanceof ApiFailure)) throw failure;
      setState({ kind: failure.code === "link_unknown" ? "gone" : failure.code === "passkeys_not_here" ? "not_here" : "away" });
    }
  }, [token]);
  useEffect(() => void load(), [load]);
  switch (state.kind) {
    case "loading":
      return <Column over="Mortar"><p role="status">{say("passkey.loading")}</p></Column>;
    case "gone":
    case "not_here":
      return <Column over="Mortar"><h1 ref={heading} tabIndex={-1}>{say(`passkey.${state.kind}`)}</h1><p>{say(`passkey.${state.kind}.what`)}</p></Column>;
    case "away":
      return (
        <Column over="Mortar">
          <h1 ref={heading} tabIndex={-1}>{say("passkey.away")}</h1>
          <Button kind="primary" wide onClick={() => void load()}>{say("passkey.again")}</Button>
        </Column>
      );
    case "done":
      return (
        <Column over="Mortar">
          <h1 ref={heading} tabIndex={-1} className={style["done"]}><CircleCheck size={28} aria-hidden />{say("passkey.done")}</h1>
          <p>{say("passkey.done.what")}</p>
        </Column>
      );
    case "ready":
      return <SetUp asked={state.asked} token={token} onAgain={load} onDone={() => setState({ kind: "done" })} onGone={() => setState({ kind: "gone" })} />;
    default:
      return state satisfies never;
  }
}

interface SetUpProps {
  readonly asked: Enrolment;
  readonly token: string;
  readonly onAgain: () => Promise<void>;
  readonly onDone: () => void;
  readonly onGone: () => void;
}

function SetUp({ asked, token, onAgain, onDone, onGone }: SetUpProps) {
  const { say } = useLanguage();
  const heading = useScreenHeading("ready");
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const stands = obstacle(asked.origins);
  const setUp = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await enrolPasskey({ token, name, ...(await makePasskey(asked)) });
      onDone();
    } catch (failure) {
      if (failure instanceof ApiFailure && failure.code === "link_unknown") return onGone();
      setProblem(faultWords(say, failure, asked.origins));
      setBusy(false);
      // Every question is answered once: the next try has its own.
      if (failure instanceof ApiFailure) await onAgain();
    }
  };
  return (
    <Column over={asked.practice}>
      <h1 ref={heading} tabIndex={-1}>{say("passkey.title", { name: asked.name })}</h1>
      <p>{say("passkey.what")}</p>
      <p>{say("passkey.then")}</p>
      {asked.passkeys > 0 && <p>{say("passkey.have", { count: asked.passkeys })}</p>}
      {stands !== null
        ? <p role="alert" className={style["problem"]}>{obstacleWords(say, stands, asked.origins)}</p>
        : (
          <form className={style["form"]} noValidate onSubmit={(event) => void setUp(event)}>
            <p className={style["strong"]}>{say("passkey.yours", { name: asked.name })}</p>
            <Field label={say("passkey.name")} hint={say("passkey.name.hint")} value={name} maxLength={60} autoComplete="off" onChange={(event) => setName(event.currentTarget.value)} />
            {problem !== null && <p role="alert" className={style["problem"]}>{problem}</p>}
            <Button type="submit" kind="primary" wide icon={<KeyRound size={20} aria-hidden />} disabled={busy}>{say(busy ? "passkey.going" : "passkey.go")}</Button>
          </form>
        )}
      <p className={style["quiet"]}>{say("passkey.until", { until: asked.expires_ms })}</p>
    </Column>
  );
}
