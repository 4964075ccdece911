/** Who has the signed version, and what they say to it. */
import { CircleCheck, CircleHelp, Clock } from "lucide-react";
import { useState } from "react";
import { useLanguage } from "../../i18n";
import type { Receipt, ReceiptForm, Recipient } from "../../wire";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Select } from "../../ui/Field";
import editor from "../Editor.module.css";
import { useMay, useNames, useRegister } from "../context";
import { receiptsOf } from "../receipts";
import { handedTo } from "../words";
import { useCommand, useGive } from "./command";
import { Notices } from "./Notices";
import { SayDialog } from "./SayDialog";
import style from "./panels.module.css";

const TO: readonly Recipient[] = ["patient", "caregiver", "pcp", "pharmacy", "care_team"];
const HOW: readonly ReceiptForm[] = ["paper", "post", "fax", "file", "read_aloud"];
/** Characters of a name: the record takes no more. */
const NAME = 80;

export function Receipts({ version }: { readonly version: number }) {
  const { say } = useLanguage();
  const names = useNames();
  const { acknowledged, answer, handed } = receiptsOf(useRegister("receipts").value ?? [], version);
  const mayAcknowledge = useMay("acknowledge");
  const mayHandOn = useMay("hand_on");
  const shared = useRegister("share").value === true;
  return (
    <Card aria-label={say("plan.receipts")}>
      <h4 className={style["title"]}>{say("plan.receipts")}</h4>
      <Line who={say("plan.receipt.pcp")} receipt={acknowledged} version={version} />
      <Line who={say("plan.receipt.patient")} receipt={answer} version={version} />
      {answer?.what.kind === "has_questions" && answer.what.text !== "" && <blockquote>{answer.what.text}</blockquote>}
      {handed.length > 0 && (
        <ul>
          {handed.map(({ what, by, at_ms }, index) => what.kind === "handed_on" && (
            <li key={index}>{say("plan.receipt.handed_on", { to: handedTo(what, say), how: say(`plan.receipt.how.${what.how}`), name: names.person(by), at: at_ms })}</li>
          ))}
        </ul>
      )}
      {mayHandOn && <Notices version={version} shared={shared} />}
      <div className={style["actions"]}>
        {acknowledged === null && mayAcknowledge && <Acknowledge version={version} />}
        {mayHandOn && <HandOn version={version} />}
      </div>
    </Card>
  );
}

/** What one of them says, or that nothing is known: an empty line would read as "done". */
function Line({ who, receipt, version }: { readonly who: string; readonly receipt: Receipt | null; readonly version: number }) {
  const { say } = useLanguage();
  const names = useNames();
  if (receipt === null || receipt.what.kind === "handed_on") {
    return <p className={style["said"]}><Clock size={20} aria-hidden /><span>{who}: {say("plan.receipt.not_yet", { version })}</span></p>;
  }
  const asks = receipt.what.kind === "has_questions";
  return (
    <p className={style["said"]}>
      {asks ? <CircleHelp size={20} aria-hidden /> : <CircleCheck size={20} aria-hidden />}
      <span>{say(`plan.receipt.${receipt.what.kind}`, { version, name: names.person(receipt.by), at: receipt.at_ms })}</span>
    </p>
  );
}

function Acknowledge({ version }: { readonly version: number }) {
  const { say } = useLanguage();
  const { busy, problem, give } = useCommand();
  return (
    <>
      <Button kind="primary" disabled={busy} onClick={() => void give({ kind: "acknowledge", version })}>{busy ? say("plan.command.busy") : say("plan.receipt.acknowledge", { version })}</Button>
      {problem !== null && <p role="alert" className={editor["refusal"]}>{problem}</p>}
    </>
  );
}

function HandOn({ version }: { readonly version: number }) {
  const { say } = useLanguage();
  const give = useGive();
  const [open, setOpen] = useState(false);
  const [to, setTo] = useState<Recipient>("patient");
  const [how, setHow] = useState<ReceiptForm>("paper");
  return (
    <>
      <Button onClick={() => setOpen(true)}>{say("plan.receipt.hand_on")}</Button>
      {open && (
        <SayDialog
          title={say("plan.receipt.hand_on")} box={{ label: say("plan.receipt.name"), most: NAME }} onClose={() => setOpen(false)}
          send={(name) => give({ kind: "hand_on", version, to, how, ...(name === "" ? {} : { name }) })}
        >
          <Select label={say("plan.receipt.to")} value={to} onChange={(event) => setTo(event.currentTarget.value as Recipient)}>
            {TO.map((one) => <option key={one} value={one}>{say(`plan.receipt.to.${one}`)}</option>)}
          </Select>
          <Select label={say("plan.receipt.how")} value={how} onChange={(event) => setHow(event.currentTarget.value as ReceiptForm)}>
            {HOW.map((one) => <option key={one} value={one}>{say(`plan.receipt.how.${one}`)}</option>)}
          </Select>
        </SayDialog>
      )}
    </>
  );
}
