/** The billing support sheet of a visit, on the screen and on paper: the server's figures, and the pharmacist's words to it. */
import { Printer, RefreshCw } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { readSheet, saySheet } from "../api";
import { useLanguage } from "../i18n";
import { Button } from "../ui/Button";
import type { Attestation, SeatId, Segment, SheetCommand, SheetReply } from "../wire";
import { AdjustForm, AttestForm, BillForm, placeOf } from "./forms";
import { hour, length, moment } from "./time";
import style from "./billing.module.css";

type Shown =
  | { readonly kind: "loading" }
  | { readonly kind: "away" }
  | { readonly kind: "sheet"; readonly reply: SheetReply };

/** `onPaper`: the sheet stands alone on the screen, so that it can be printed, and begins with whom it is about. In a call everybody knows. */
export function SheetPage({ seat, onPaper = false }: { readonly seat: SeatId; readonly onPaper?: boolean }) {
  const { say } = useLanguage();
  const [shown, setShown] = useState<Shown>({ kind: "loading" });
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let here = true;
    readSheet(seat).then(
      (reply) => here && setShown({ kind: "sheet", reply }),
      () => here && setShown({ kind: "away" }),
    );
    return () => {
      here = false;
    };
  }, [seat, asked]);
  const again = () => setAsked((count) => count + 1);
  const give = async (command: SheetCommand) => setShown({ kind: "sheet", reply: await saySheet(seat, command) });
  if (shown.kind === "loading") return <p className={style["quiet"]}>{say("billing.loading")}</p>;
  if (shown.kind === "away") {
    return (
      <div className={style["part"]}>
        <p>{say("billing.away")} {say("billing.away.what")}</p>
        <div className={style["tools"]}><Button onClick={again}>{say("billing.again")}</Button></div>
      </div>
    );
  }
  return (
    <article className={style["sheet"]}>
      <p className={style["quiet"]}>{say("billing.what")}</p>
      <div className={style["tools"]}>
        <Button icon={<RefreshCw size={20} aria-hidden />} onClick={again}>{say("billing.refresh")}</Button>
        {onPaper && <Button icon={<Printer size={20} aria-hidden />} onClick={() => window.print()}>{say("billing.print")}</Button>}
      </div>
      {onPaper && <Visit reply={shown.reply} />}
      <Review reply={shown.reply} />
      <PatientSide reply={shown.reply} give={give} />
      <Time reply={shown.reply} give={give} />
      <Lines reply={shown.reply} give={give} />
      {!onPaper && <Visit reply={shown.reply} />}
    </article>
  );
}

interface PartProps {
  readonly reply: SheetReply;
  readonly give: (command: SheetCommand) => Promise<void>;
}

function Review({ reply }: { readonly reply: SheetReply }) {
  const { say } = useLanguage();
  return reply.sheet.warnings.length === 0 ? null : (
    <section className={style["review"]}>
      <h3>{say("billing.review")}</h3>
      <ul>{reply.sheet.warnings.map((warning) => <li key={warning}>{say(`billing.warning.${warning}`)}</li>)}</ul>
    </section>
  );
}

function PatientSide({ reply, give }: PartProps) {
  const { say } = useLanguage();
  const said = reply.sheet.attestation;
  return (
    <Part title={say("billing.attest")}>
      {said !== undefined && <Attested reply={reply} what={said.what} />}
      {said !== undefined && <SaidBy reply={reply} name={said.name} at={said.at} />}
      {reply.writable && (
        <Opening words={say(said === undefined ? "billing.attest.edit" : "billing.attest.change")}>
          {(close) => <AttestForm before={said?.what} close={close} give={give} />}
        </Opening>
      )}
    </Part>
  );
}

function Attested({ reply, what }: { readonly reply: SheetReply; readonly what: Attestation }) {
  const { say, g } = useLanguage();
  const yes = (value: boolean) => say(value ? "billing.yes" : "billing.no");
  return (
    <dl className={style["facts"]}>
      <Fact name={say("billing.attest.identity")}>{yes(what.identity_checked)}</Fact>
      <Fact name={say("billing.attest.place")}>{say(`billing.place.${placeOf(what)}`)}</Fact>
      <Fact name={say("billing.attest.state")}>{what.location_state === "--" ? say("billing.attest.abroad") : what.location_state}</Fact>
      <Fact name={say("billing.pos")}>{reply.sheet.pos ?? say("billing.none")}</Fact>
      <Fact name={say("billing.attest.callback")}>{what.callback === "" ? say("billing.none") : what.callback}</Fact>
      <Fact name={say("billing.attest.private")}>{yes(what.private)}</Fact>
      <Fact name={say("billing.attest.others")}>{what.others_present.length === 0 ? say("billing.attest.others.none") : g.list(what.others_present)}</Fact>
    </dl>
  );
}

function Time({ reply, give }: PartProps) {
  const { say, language } = useLanguage();
  const { sheet, zone } = reply;
  const row = (segment: Segment) => (
    <tr key={segment.start} className={segment.counted ? undefined : style["out"]}>
      <td>{hour(segment.start, zone, language)}</td>
      <td>{hour(segment.stop, zone, language)}</td>
      <td>{say(`billing.modality.${segment.modality}`)}</td>
      <td>{length((segment.stop - segment.start) / 1000)}</td>
      <td>{say(segment.counted ? "billing.counted" : "billing.left_out")}</td>
    </tr>
  );
  return (
    <Part title={say("billing.time")}>
      {sheet.segments.length === 0 ? <p>{say("billing.no_time")}</p> : (
        <Table label={say("billing.time")} heads={[say("billing.from"), say("billing.to"), say("billing.how"), say("billing.length"), say("billing.counted")]}>{sheet.segments.map(row)}</Table>
      )}
      <dl className={style["facts"]}>
        <Fact name={say("billing.measured")}>{length(sheet.measured_s)}</Fact>
        {sheet.adjustments.map((said) => (
          <Fact key={said.at} name={say("billing.adjustments")}>
            {said.what.delta_s > 0 ? "+" : ""}{length(said.what.delta_s)}: <bdi>{said.what.reason}</bdi> <span className={style["quiet"]}>({say("billing.said", { name: said.name, when: moment(said.at, zone, language) })})</span>
          </Fact>
        ))}
      </dl>
      <p className={style["total"]}>{say("billing.total")}: {length(sheet.counted_s)}</p>
      {reply.writable && <Opening words={say("billing.adjust")}>{(close) => <AdjustForm close={close} give={give} />}</Opening>}
    </Part>
  );
}

function Lines({ reply, give }: PartProps) {
  const { say } = useLanguage();
  const { sheet } = reply;
  const billing = sheet.billing;
  return (
    <Part title={say("billing.lines")}>
      {billing !== undefined && (
        <dl className={style["facts"]}>
          <Fact name={say("billing.payer")}>{sheet.rule?.name ?? billing.what.payer}</Fact>
          {sheet.rule !== undefined && <Fact name={say("billing.rule")}>{say("billing.rule.version", { version: sheet.table, from: sheet.rule.valid_from })}</Fact>}
          <Fact name={say("billing.acquaintance")}>{say(`billing.acquaintance.${billing.what.patient}`)}</Fact>
          <Fact name={say("billing.free")}>{say(billing.what.free ? "billing.yes" : "billing.no")}</Fact>
          <Fact name={say("billing.npi")}>{billing.what.npi ?? say("billing.none")}</Fact>
        </dl>
      )}
      {billing !== undefined && <SaidBy reply={reply} name={billing.name} at={billing.at} />}
      {sheet.lines.length > 0 && (
        <Table label={say("billing.lines")} heads={[say("billing.code"), say("billing.units"), say("billing.modifiers"), say("billing.pos")]}>
          {sheet.lines.map((line, n) => (
            // The lines are the server's and never move by themselves.
            <tr key={n}><td>{line.code}</td><td>{line.units}</td><td>{line.modifiers.join(" ")}</td><td>{sheet.pos ?? say("billing.none")}</td></tr>
          ))}
        </Table>
      )}
      {sheet.lines.length === 0 && sheet.rule !== undefined && <p>{say("billing.no_lines")}</p>}
      {reply.writable && (
        <Opening words={say(billing === undefined ? "billing.bill.edit" : "billing.bill.change")}>
          {(close) => <BillForm before={billing?.what} first={reply.kind === "initial_consult"} payers={reply.payers} close={close} give={give} />}
        </Opening>
      )}
    </Part>
  );
}

function Visit({ reply }: { readonly reply: SheetReply }) {
  const { say, g } = useLanguage();
  const { sheet } = reply;
  return (
    <Part title={say("billing.facts")}>
      <dl className={style["facts"]}>
        {reply.patient !== null && <Fact name={say("billing.patient")}><bdi>{reply.patient.name}</bdi>{reply.patient.birth_date !== "" && `, ${say("billing.born", { date: reply.patient.birth_date })}`}</Fact>}
        <Fact name={say("billing.kind")}>{say(`visit.${reply.kind}`)}</Fact>
        <Fact name={say("billing.day")}>{g.date(sheet.day)}</Fact>
        <Fact name={say("billing.practice")}><bdi>{reply.practice}</bdi></Fact>
        <Fact name={say("billing.pharmacist")}><bdi>{g.list(reply.pharmacists)}</bdi></Fact>
      </dl>
      <h3>{say("billing.done")}</h3>
      <dl className={style["facts"]}>
        {(["drugs", "problems", "conditions", "interventions"] as const).map((what) => <Fact key={what} name={say(`billing.done.${what}`)}>{g.number(sheet.done[what])}</Fact>)}
      </dl>
    </Part>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return <section className={style["part"]}><h2>{title}</h2>{children}</section>;
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return <><dt>{name}</dt><dd>{children}</dd></>;
}

/** On a narrow phone it scrolls by itself, also by keyboard. */
function Table({ label, heads, children }: { readonly label: string; readonly heads: readonly string[]; readonly children: ReactNode }) {
  return (
    <div role="region" aria-label={label} tabIndex={0} className={style["wide"]}>
      <table className={style["table"]}>
        <thead><tr>{heads.map((head) => <th key={head} scope="col">{head}</th>)}</tr></thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function SaidBy({ reply, name, at }: { readonly reply: SheetReply; readonly name: string; readonly at: number }) {
  const { say, language } = useLanguage();
  return <p className={style["quiet"]}>{say("billing.said", { name, when: moment(at, reply.zone, language) })}</p>;
}

/** A button that opens a form in its place. */
function Opening({ words, children }: { readonly words: string; readonly children: (close: () => void) => ReactNode }) {
  const [open, setOpen] = useState(false);
  return open ? children(() => setOpen(false)) : <div className={style["tools"]}><Button onClick={() => setOpen(true)}>{words}</Button></div>;
}
