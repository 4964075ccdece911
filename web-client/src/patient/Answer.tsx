/** The patient's word to the signed plan: yes, or questions first. */
import { CircleCheck, CircleHelp } from "lucide-react";
import { useState, type FormEvent } from "react";
import { useLanguage } from "../i18n";
import { useMay, useNames, useRegister } from "../plan/context";
import { GrowField } from "../plan/GrowField";
import { useCommand } from "../plan/panels/command";
import { receiptsOf } from "../plan/receipts";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { Section } from "./Section";
import style from "./PatientPage.module.css";

/** Characters of a question: the record takes no more. */
const MOST = 500;

export function Answer() {
  const { say } = useLanguage();
  const names = useNames();
  const signed = useRegister("signed");
  const receipts = useRegister("receipts").value ?? [];
  const may = useMay("answer_plan");
  if (signed.value === null || signed.by === null) return null;
  const { answer, acknowledged } = receiptsOf(receipts, signed.value.version);
  return (
    <Section title={say("patient.signed")}>
      <Card>
        <p>{say("patient.signed.by", { name: names.short(signed.by), at: signed.at_ms ?? 0 })}</p>
        {acknowledged !== null && <p>{say("patient.signed.read", { name: names.person(acknowledged.by) })}</p>}
        {answer?.what.kind === "agreed" && <p className={style["call"]}><CircleCheck size={24} aria-hidden /><strong>{say("patient.signed.agreed")}</strong></p>}
        {answer?.what.kind === "has_questions" && (
          <>
            <p className={style["call"]}><CircleHelp size={24} aria-hidden /><strong>{say("patient.signed.asked")}</strong></p>
            {answer.what.text !== "" && <blockquote>{answer.what.text}</blockquote>}
          </>
        )}
        {may && <Say version={signed.value.version} agreed={answer?.what.kind === "agreed"} />}
      </Card>
    </Section>
  );
}

function Say({ version, agreed }: { readonly version: number; readonly agreed: boolean }) {
  const { say } = useLanguage();
  const { busy, problem, give } = useCommand();
  const [asking, setAsking] = useState<string | null>(null);
  const ask = (event: FormEvent): void => {
    event.preventDefault();
    void give({ kind: "answer_plan", version, questions: asking?.trim() ?? "" }).then((done) => { if (done) setAsking(null); });
  };
  return (
    <>
      {problem !== null && <p role="alert">{problem}</p>}
      {asking === null
        ? (
          <div className={style["steps"]}>
            {!agreed && <Button kind="primary" disabled={busy} onClick={() => void give({ kind: "answer_plan", version })}>{say("patient.signed.agree")}</Button>}
            <Button disabled={busy} onClick={() => setAsking("")}>{say("patient.signed.ask")}</Button>
          </div>
        )
        : (
          <form className={style["ask"]} noValidate onSubmit={ask}>
            <GrowField label={say("patient.signed.question")} value={asking} most={MOST} onChange={setAsking} />
            <p>{say("patient.signed.aloud")}</p>
            <div className={style["steps"]}>
              <Button type="submit" kind="primary" disabled={busy}>{say("patient.signed.send")}</Button>
              <Button onClick={() => setAsking(null)}>{say("patient.signed.back")}</Button>
            </div>
          </form>
        )}
    </>
  );
}
