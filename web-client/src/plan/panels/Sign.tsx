/** Sign-off: what is missing, the signature, what was signed, and what may happen afterwards. */
import { CircleCheck } from "lucide-react";
import { Fragment, useEffect } from "react";
import { useLanguage } from "../../i18n";
import type { Address, Command, GateCode, GateItem } from "../../wire";
import { Card } from "../../ui/Card";
import { useFieldSlice, useMay, useNames, useRecordSlice, useRegister, useRowNames, useScene } from "../context";
import { EMPTY_DOC } from "../fold";
import { useJump } from "../jump";
import { grouped, sealed } from "../sign";
import { useGive } from "./command";
import { Receipts } from "./Receipts";
import { OpenPrompts } from "./Safety";
import { SayButton } from "./SayDialog";
import { SignOff } from "./SignOff";
import { Versions } from "./Versions";
import style from "./panels.module.css";

/** After a change the question waits so long for the next one: an answer a keystroke would be noise. */
const ASK_AFTER_MS = 400;

export function Sign() {
  const { say } = useLanguage();
  const names = useNames();
  const closed = useFieldSlice((state) => sealed(state.docs.get("plan")?.server ?? EMPTY_DOC));
  const signed = useRegister("signed");
  const revision = useRegister("revision");
  const mayAddend = useMay("addend");
  const mayRevise = useMay("revise");
  const maySign = useMay("sign");
  return (
    <section aria-label={say("plan.sign.title")} data-field="signed" className={style["sign"]}>
      <div data-field="revision" className={style["title"]}><h3>{say("plan.sign.title")}</h3></div>
      {signed.value !== null && signed.by !== null && (
        <p className={style["said"]}>
          <CircleCheck size={20} aria-hidden />
          <span>{say("plan.signed.by", { version: signed.value.version, name: names.short(signed.by), at: signed.at_ms ?? 0 })}</span>
        </p>
      )}
      {closed && <p>{say("plan.signed.closed")}</p>}
      {!closed && revision.value !== null && <p>{say("plan.revising", { version: revision.value.of, reason: revision.value.reason })}</p>}
      {!closed && (maySign ? <Gate /> : <p className={style["hint"]}>{say("plan.sign.not_yours")}</p>)}
      {closed && (
        <div className={style["actions"]}>
          {mayAddend && <Late label={say("plan.addendum")} box={say("plan.addendum.text")} most={2000} make={(text) => ({ kind: "addend", text })} />}
          {mayRevise && <Late label={say("plan.revise")} words={say("plan.revise.words")} box={say("plan.revise.reason")} most={300} make={(reason) => ({ kind: "revise", reason })} />}
        </div>
      )}
      <div data-field="addenda"><Addenda /></div>
      <div data-field="receipts">{signed.value !== null && <Receipts version={signed.value.version} />}</div>
      {signed.value !== null && <Versions newest={signed.value.version} />}
    </section>
  );
}

/** What is missing, each with the way to it, and the signature once nothing is. */
function Gate() {
  const { say } = useLanguage();
  const { record } = useScene();
  const seq = useRecordSlice((state) => state.docs.get("plan")?.server.seq ?? 0);
  const line = useRecordSlice((state) => state.line);
  const gate = useRecordSlice((state) => state.gate);
  const unsent = useRecordSlice((state) => state.pending.length + state.refused.length > 0);
  useEffect(() => {
    const timer = setTimeout(() => record.askGate(), ASK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [record, seq, line]);
  if (gate === null) return <p>{say("plan.sign.asking")}</p>;
  const ready = gate.missing.length === 0 && gate.seq === seq;
  return (
    <>
      <p role="status">{gate.missing.length === 0 ? say("plan.sign.ready") : say("plan.sign.missing", { count: gate.missing.length })}</p>
      {gate.missing.length > 0 && (
        <ul className={style["missing"]}>{[...grouped(gate.missing, ({ code }) => code)].map(([code, items]) => <Rule key={code} code={code} items={items} />)}</ul>
      )}
      <OpenPrompts />
      {unsent && <p className={style["hint"]}>{say("plan.sign.unsent")}</p>}
      <SignOff seen={seq} ready={ready && !unsent} />
    </>
  );
}

/** One rule, and every place where it is broken: a row's name once, its fields after it. */
function Rule({ code, items }: { readonly code: GateCode; readonly items: readonly GateItem[] }) {
  const { say } = useLanguage();
  const named = useRowNames();
  const rows = grouped(items.flatMap(({ at }) => (at === undefined ? [] : [at])), (at) => at.row);
  return (
    <li>
      <p className={style["title"]}>{say(`plan.gate.${code}`)}</p>
      {[...rows].map(([row, fields]) => (
        <p key={row ?? ""}>
          {row !== undefined && <><bdi translate="no">{named(row)}</bdi>: </>}
          {fields.map((at, index) => <Fragment key={at.field}>{index > 0 && " · "}<Way at={at} row={row === undefined ? "" : named(row)} /></Fragment>)}
        </p>
      ))}
    </li>
  );
}

function Way({ at, row }: { readonly at: Address; readonly row: string }) {
  const { say } = useLanguage();
  const jump = useJump();
  return (
    <button type="button" className={style["jump"]} onClick={() => jump(at)}>
      <span className="unseen">{say("plan.sign.go", { what: row })} </span>{say(`plan.field.${at.field}`)}
    </button>
  );
}

/** A late fact, or a reason. */
function Late(props: { readonly label: string; readonly words?: string; readonly box: string; readonly most: number; readonly make: (text: string) => Command }) {
  const give = useGive();
  return (
    <SayButton label={props.label} box={{ label: props.box, most: props.most, needed: true }} send={(text) => give(props.make(text))}>
      {props.words !== undefined && <p>{props.words}</p>}
    </SayButton>
  );
}

function Addenda() {
  const { say } = useLanguage();
  const names = useNames();
  const addenda = useRegister("addenda").value ?? [];
  if (addenda.length === 0) return null;
  return (
    <Card aria-label={say("plan.addendum.title")}>
      <h4 className={style["title"]}>{say("plan.addendum.title")}</h4>
      {addenda.map(({ of, text, by, at_ms }, index) => (
        <div key={index}>
          <p>{text}</p>
          <p className={style["by"]}>{say("plan.addendum.by", { version: of, name: names.person(by), at: at_ms })}</p>
        </div>
      ))}
    </Card>
  );
}
