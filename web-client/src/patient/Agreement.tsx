/** The agreement in plain words: what it is, yes or no in writing, and the way out, which is open on any day. */
import { Phone } from "lucide-react";
import { useId, useState } from "react";
import { useLanguage } from "../i18n";
import { useAgreements, type AgreementsHere } from "../plan/agreements";
import { useScene } from "../plan/context";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import type { AgreementView, ConsentAnswer } from "../wire";
import { Section } from "./Section";
import style from "./PatientPage.module.css";

export function Agreement() {
  const { seat, record } = useScene();
  const { say } = useLanguage();
  const here = useAgreements(seat, "fresh", record.self.role === "patient");
  if (here.known.kind !== "known" || here.known.all.agreements.length === 0) return null;
  return <Section title={say("patient.cdtm")}>{here.known.all.agreements.toReversed().map((one) => <One key={one.id} one={one} here={here} />)}</Section>;
}

function One({ one, here }: { readonly one: AgreementView; readonly here: AgreementsHere }) {
  const { say } = useLanguage();
  const { terms, consent } = one;
  const pharmacist = one.pharmacist?.name ?? "";
  if (["expired", "withdrawn", "revoked"].includes(one.standing)) {
    return <Card><p className={style["how"]}>{terms.condition}</p><p>{say(one.standing === "withdrawn" ? "patient.cdtm.stopped" : "patient.cdtm.over")}</p></Card>;
  }
  const may = one.may.includes("consent");
  return (
    <Card aria-label={terms.condition}>
      <p className={style["how"]}>{say("patient.cdtm.what", { pharmacist, physician: one.physician.name, condition: terms.condition })}</p>
      <p>{say("patient.cdtm.drugs")}</p>
      <ul className={style["lines"]}>{terms.order_set.drugs.map(({ ingredient }) => <li key={ingredient}><bdi translate="no">{ingredient}</bdi></li>)}</ul>
      {terms.start !== null && terms.end !== null && <p>{say("patient.cdtm.from", { start: terms.start, end: terms.end })}</p>}
      <p><strong>{say("patient.cdtm.money")}</strong> {terms.disclosure}</p>
      <p className={style["call"]}><Phone size={24} aria-hidden /><strong>{say("patient.cdtm.call")}</strong></p>
      <Number name={pharmacist} phone={terms.order_set.pharmacist_phone} />
      <Number name={one.physician.name} phone={terms.order_set.provider_phone} />
      <p><strong>{say("patient.cdtm.free")}</strong></p>
      {consent?.answer === "given"
        ? (
          <>
            <p>{say("patient.cdtm.said_yes", { at: consent.at_ms })} {say(one.standing === "signed_physician" || one.standing === "signed_pharmacist" ? "patient.cdtm.soon" : "patient.cdtm.active")}</p>
            {may && <Stop one={one} here={here} />}
          </>
        )
        : (
          <>
            {consent?.answer === "declined" && <p>{say("patient.cdtm.said_no", { at: consent.at_ms })}</p>}
            {may && <Ask one={one} here={here} />}
          </>
        )}
    </Card>
  );
}

function Number({ name, phone }: { readonly name: string; readonly phone: string }) {
  const { say } = useLanguage();
  if (phone === "") return null;
  return <p><a className={style["phone"]} href={`tel:${phone.replaceAll(/[^0-9+,;*#]/g, "")}`}>{say("cdtm.call.pharmacist", { name, phone })}</a></p>;
}

/** One answer, said to the server and kept on the screen until it is stored. */
function useAnswer({ one, here }: { readonly one: AgreementView; readonly here: AgreementsHere }) {
  const { say, language } = useLanguage();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const answer = async (said: ConsentAnswer, name: string, substitution: boolean): Promise<boolean> => {
    setBusy(true);
    setProblem(null);
    const acted = await here.act(one.id, one.seen, { kind: "consent", answer: said, method: "screen", name, substitution, language });
    setBusy(false);
    if (acted.kind !== "done") setProblem(say(acted.kind === "refused" ? "cdtm.refused.changed_since" : "cdtm.failed"));
    return acted.kind === "done";
  };
  return { busy, problem, answer };
}

function Ask(props: { readonly one: AgreementView; readonly here: AgreementsHere }) {
  const { say } = useLanguage();
  const id = useId();
  const { busy, problem, answer } = useAnswer(props);
  const [name, setName] = useState("");
  const [substitution, setSubstitution] = useState(false);
  const [tried, setTried] = useState(false);
  const give = (said: ConsentAnswer): void => {
    if (name.trim() === "") return setTried(true);
    void answer(said, name.trim(), substitution);
  };
  return (
    <div role="group" aria-labelledby={id} className={style["ask"]}>
      <h3 id={id}>{say("patient.cdtm.ask")}</h3>
      <Field label={say("patient.cdtm.name")} value={name} maxLength={200} autoComplete="name" problem={tried && name.trim() === "" ? say("cdtm.needed") : undefined} onChange={(event) => setName(event.currentTarget.value)} />
      <label className={style["tick"]}>
        <input type="checkbox" checked={substitution} onChange={(event) => setSubstitution(event.currentTarget.checked)} />
        {say("patient.cdtm.substitution")}
      </label>
      <Button kind="primary" wide disabled={busy} onClick={() => give("given")}>{say("patient.cdtm.yes")}</Button>
      <Button wide disabled={busy} onClick={() => give("declined")}>{say("patient.cdtm.no")}</Button>
      {problem !== null && <p role="alert">{problem}</p>}
    </div>
  );
}

function Stop(props: { readonly one: AgreementView; readonly here: AgreementsHere }) {
  const { say } = useLanguage();
  const { busy, problem, answer } = useAnswer(props);
  const [asking, setAsking] = useState(false);
  const stop = (): void => void answer("withdrawn", props.one.consent?.name ?? "", false).then((done) => { if (done) setAsking(false); });
  return (
    <>
      <Button onClick={() => setAsking(true)}>{say("patient.cdtm.stop")}</Button>
      {asking && (
        <Dialog
          title={say("patient.cdtm.stop")} onClose={() => setAsking(false)}
          actions={(
            <>
              <Button onClick={() => setAsking(false)}>{say("patient.cdtm.stop.no")}</Button>
              <Button kind="danger" disabled={busy} onClick={stop}>{say("patient.cdtm.stop.yes")}</Button>
            </>
          )}
        >
          <p>{say("patient.cdtm.stop.words")}</p>
          {problem !== null && <p role="alert">{problem}</p>}
        </Dialog>
      )}
    </>
  );
}
