/** One recommendation by link, for a prescriber outside a visit: everything on one page, answered by keyboard or touch. */
import { useCallback, useEffect, useState, type ReactNode } from "react";
import { answerDecision, ApiFailure, openDecision } from "../api";
import { useLanguage, type PlainKey } from "../i18n";
import { newEditId } from "../plan/ids";
import { TextBox } from "../plan/forms/parts";
import { Decide } from "../plan/panels/Decide";
import { SigWords } from "../plan/SigWords";
import type { Command, DecisionPage, RecordRefusal } from "../wire";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { Column } from "../ui/Column";
import { useScreenHeading } from "../ui/focus";
import { useSide } from "../ui/side";
import style from "./Page.module.css";

type State =
  | { readonly kind: "loading" }
  | { readonly kind: "page"; readonly page: DecisionPage }
  | { readonly kind: "gone" | "not_yours" }
  | { readonly kind: "away" };

export function Page({ token }: { readonly token: string }) {
  const { say } = useLanguage();
  const [state, setState] = useState<State>({ kind: "loading" });
  useSide("staff");
  const load = useCallback(async () => {
    try {
      const page = await openDecision(token);
      setState({ kind: "page", page });
      return page;
    } catch (failure) {
      if (!(failure instanceof ApiFailure)) throw failure;
      setState({ kind: failure.code === "link_unknown" ? "gone" : failure.code === "not_your_link" ? "not_yours" : "away" });
      return null;
    }
  }, [token]);
  useEffect(() => {
    let current = true;
    void load().then((page) => {
      if (!current || page === null || !page.waits) return;
      // It is on the screen of whom it is for. Refused once it was said before, which changes nothing here.
      void answerDecision({ token, id: newEditId(), command: { kind: "mark_seen", row: page.row }, seen: page.seen }).catch(() => undefined);
    });
    return () => {
      current = false;
    };
  }, [load, token]);
  switch (state.kind) {
    case "loading":
      return <Column over="Mortar"><p role="status">{say("decision.loading")}</p></Column>;
    case "gone":
      return <Column over="Mortar"><h1>{say("decision.gone")}</h1><p>{say("decision.gone.what")}</p></Column>;
    case "not_yours":
      return <Column over="Mortar"><h1>{say("decision.not_yours")}</h1><p>{say("decision.not_yours.what")}</p></Column>;
    case "away":
      return (
        <Column over="Mortar">
          <h1>{say("decision.away")}</h1>
          <Button kind="primary" wide onClick={() => void load()}>{say("decision.again")}</Button>
        </Column>
      );
    case "page":
      return <Question page={state.page} token={token} reload={load} />;
  }
}

function Question({ page, token, reload }: { readonly page: DecisionPage; readonly token: string; readonly reload: () => Promise<unknown> }) {
  const { say, g } = useLanguage();
  const heading = useScreenHeading(page.row);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const { content, medicine, decision } = page;
  const [who, setWho] = useState<Who>({ name: "", credential: "", attested: false });
  const [tried, setTried] = useState(false);
  const give = async (command: Command): Promise<boolean> => {
    const name = who.name.trim();
    const credential = who.credential.trim();
    if (name === "" || credential === "" || !who.attested) {
      setTried(true);
      setProblem(say("decision.who.needed"));
      return false;
    }
    setBusy(true);
    setProblem(null);
    try {
      const answered = await answerDecision({ token, id: newEditId(), command, seen: page.seen, who: { name, credential, attested: true } });
      if (answered.state === "refused") setProblem(say(`plan.refused.${answered.code}` satisfies `plan.refused.${RecordRefusal}`));
      // What stands now is shown either way: who was first, or what changed meanwhile.
      await reload();
      return answered.state === "done";
    } catch (failure) {
      if (!(failure instanceof ApiFailure)) throw failure;
      setProblem(say("decision.unknown"));
      return false;
    } finally {
      setBusy(false);
    }
  };
  const named = medicine === null ? "" : [medicine.product.name, medicine.product.strength_form].filter(Boolean).join(" ");
  return (
    <Column over={page.practice}>
      <h1 ref={heading} tabIndex={-1}>{content.summary}</h1>
      <p>{say("decision.for", { prescriber: page.prescriber, patient: page.patient, born: page.birth_date === "" ? "" : g.date(page.birth_date) })}</p>
      <Card>
        <dl className={style["facts"]}>
          <Fact of="plan.rec.action">{say(`plan.rec.action.${content.action}`)}</Fact>
          {content.regimen !== undefined && <Fact of="plan.rec.regimen"><SigWords sig={content.regimen} /></Fact>}
          {page.condition !== "" && <Fact of="plan.problem.condition">{page.condition}</Fact>}
          {medicine !== null && <Fact of="plan.rec.med"><bdi translate="no">{named}</bdi></Fact>}
          {medicine !== null && medicine.sig !== null && <Fact of="plan.field.meds.sig"><SigWords sig={medicine.sig} /></Fact>}
          {page.rationale !== "" && <Fact of="plan.field.recommendations.rationale">{page.rationale}</Fact>}
          {page.reference !== "" && <Fact of="plan.field.recommendations.reference">{page.reference}</Fact>}
        </dl>
      </Card>
      {page.waits
        ? (
          <>
            <WhoAnswers prescriber={page.prescriber} who={who} tried={tried} change={setWho} />
            <Decide row={page.row} content={content} medicine={named} sealed={page.sealed} updatesList={page.updates_list} busy={busy} problem={problem} give={give} />
          </>
        )
        : (
          <div role="status" className={style["answered"]}>
            <p className={style["strong"]}>{say(`plan.rec.state.${page.state}`)}</p>
            {decision?.reason !== undefined && <p>{say(`plan.rec.reason.${decision.reason}`)}</p>}
            {decision?.regimen !== undefined && <p><SigWords sig={decision.regimen} /></p>}
            {decision?.note !== undefined && decision.note !== "" && <p>{decision.note}</p>}
            {decision?.by_link !== undefined && <p>{decision.by_link.name}, {decision.by_link.credential}</p>}
            <p>{say("decision.stored")}</p>
            {problem !== null && <p role="alert">{problem}</p>}
          </div>
        )}
      <p className={style["quiet"]}>{say("decision.until", { until: g.moment(page.expires_ms), phone: page.phone })}</p>
    </Column>
  );
}

interface Who {
  readonly name: string;
  readonly credential: string;
  readonly attested: boolean;
}

/** A link proves that somebody holds it, so who answers says who they are and stands by it. */
function WhoAnswers(props: { readonly prescriber: string; readonly who: Who; readonly tried: boolean; readonly change: (who: Who) => void }) {
  const { say } = useLanguage();
  const { who, change } = props;
  const missing = (text: string): string | undefined => (props.tried && text.trim() === "" ? say("plan.needed") : undefined);
  return (
    <fieldset className={style["who"]}>
      <legend className={style["strong"]}>{say("decision.who")}</legend>
      <TextBox label={say("decision.who.name")} value={who.name} most={100} problem={missing(who.name)} onChange={(name) => change({ ...who, name })} />
      <TextBox label={say("decision.who.credential")} value={who.credential} most={100} hint={say("decision.who.credential.hint")} problem={missing(who.credential)} onChange={(credential) => change({ ...who, credential })} />
      <label className={style["attest"]}>
        <input type="checkbox" checked={who.attested} aria-invalid={props.tried && !who.attested} onChange={(event) => change({ ...who, attested: event.currentTarget.checked })} />
        {say("decision.who.attest", { prescriber: props.prescriber })}
      </label>
    </fieldset>
  );
}

function Fact({ of, children }: { readonly of: PlainKey; readonly children: ReactNode }) {
  const { say } = useLanguage();
  return <><dt>{say(of)}</dt><dd>{children}</dd></>;
}
