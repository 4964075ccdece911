/** What one prescriber is asked, on paper: made to be faxed, ticked, signed and faxed back. */
import { Printer } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { prescriberPapers } from "../api";
import { useLanguage, type Say } from "../i18n";
import { sigShown } from "../plan/words";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Select } from "../ui/Field";
import type { PaperRow, PrescriberPaper, PrescriberPapers, SeatId } from "../wire";
import { sheets, type Piece, type Said as Measured } from "./pages";
import style from "./fax.module.css";

type Shown = { readonly kind: "loading" } | { readonly kind: "away" } | { readonly kind: "known"; readonly papers: PrescriberPapers };

export function PrescriberPaperButton({ seat }: { readonly seat: SeatId }) {
  const { say } = useLanguage();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="quiet" icon={<Printer size={18} aria-hidden />} onClick={() => setOpen(true)}>{say("fax.open")}</Button>
      {open && <Dialog title={say("fax.title")} sheet onClose={() => setOpen(false)}><Papers seat={seat} /></Dialog>}
    </>
  );
}

function Papers({ seat }: { readonly seat: SeatId }) {
  const { say } = useLanguage();
  const [shown, setShown] = useState<Shown>({ kind: "loading" });
  const [asked, setAsked] = useState(0);
  const [to, setTo] = useState(0);
  useEffect(() => {
    let here = true;
    prescriberPapers(seat).then((papers) => here && setShown({ kind: "known", papers }), () => here && setShown({ kind: "away" }));
    return () => {
      here = false;
    };
  }, [seat, asked]);
  if (shown.kind === "loading") return <p role="status">{say("fax.loading")}</p>;
  if (shown.kind === "away") {
    return (
      <>
        <p role="alert">{say("fax.away")}</p>
        <div><Button onClick={() => setAsked((count) => count + 1)}>{say("fax.again")}</Button></div>
      </>
    );
  }
  const { papers } = shown;
  const paper = papers.papers[to] ?? papers.papers[0];
  return (
    <>
      <p className={style["quiet"]}>{say("fax.what")}</p>
      {papers.withheld > 0 && <p role="status">{say("fax.withheld", { count: papers.withheld })}</p>}
      {papers.shut_out.map(({ to, why }) => <p key={to} role="alert" data-shut-out={why}>{say(`fax.shut_out.${why}`, { name: to })}</p>)}
      {paper === undefined ? papers.shut_out.length === 0 && <p>{say("fax.none")}</p> : (
        <>
          {papers.papers.length > 1 && (
            <Select label={say("fax.to")} value={String(to)} onChange={(event) => setTo(Number(event.currentTarget.value))}>
              {papers.papers.map((one, index) => <option key={index} value={String(index)}>{one.to === "" ? say("fax.nobody") : one.to}</option>)}
            </Select>
          )}
          <div><Button kind="primary" icon={<Printer size={20} aria-hidden />} onClick={() => window.print()}>{say("fax.print")}</Button></div>
          <Sheets papers={papers} paper={paper} onPaper={false} />
          {/* A window over the page does not break into sheets, so paper gets a copy of its own beside it. */}
          {createPortal(<Sheets papers={papers} paper={paper} onPaper />, document.body)}
        </>
      )}
    </>
  );
}

/** The lines of a recommendation as they stand on the paper, with their labels. */
function linesOf(row: PaperRow, say: Say): Record<"condition" | "medicine" | "proposal" | "regimen", string> {
  const undecided = say("fax.undecided");
  const now = row.sig === null ? say("fax.not_stated") : sigShown(row.sig, say);
  const product = row.product === null ? "" : `${row.product.name} ${row.product.strength_form ?? ""}`.trim();
  return {
    condition: row.condition ?? undecided,
    medicine: row.undecided ? `${product === "" ? "" : `${product}: `}${undecided}` : product === "" ? "" : `${product}: ${now}`,
    proposal: row.content === null ? undecided : `${say(`plan.rec.action.${row.content.action}`)}: ${row.content.summary}`,
    regimen: row.content?.regimen === undefined ? "" : sigShown(row.content.regimen, say),
  };
}

/** The same for measuring. */
function saidOf(row: PaperRow, say: Say): Measured {
  const { condition, medicine, proposal, regimen } = linesOf(row, say);
  const labelled = (label: string, words: string): readonly string[] => (words === "" ? [] : [`${label}: ${words}`]);
  return {
    now: [...labelled(say("fax.problem"), condition), ...labelled(say("fax.medicine"), medicine)],
    what: [...labelled(say("fax.proposal"), proposal), ...labelled(say("fax.regimen"), regimen)],
    reference: row.reference === "" ? "" : `${say("fax.reference")}: ${row.reference}`,
  };
}

export function Sheets({ papers, paper, onPaper }: { readonly papers: PrescriberPapers; readonly paper: PrescriberPaper; readonly onPaper: boolean }) {
  const { say, g } = useLanguage();
  const about = say("fax.about", { name: papers.patient, born: papers.birth_date === "" ? "" : g.date(papers.birth_date) });
  const to = say("fax.for", { name: paper.to === "" ? say("fax.nobody") : paper.to });
  const date = say("fax.date", { at: g.date(dayOf(papers.at_ms)) });
  const from = say("fax.from", { name: papers.from, practice: papers.practice });
  const all = sheets(paper.rows, (row) => saidOf(row, say), [about, `${to} ${date}`, from]);
  return (
    <article className={onPaper ? style["paper"] : style["seen"]} {...(onPaper ? { "data-print": "prescriber" } : { "aria-label": say("fax.title") })}>
      {all.map((pieces, index) => (
        <section key={index} className={style["sheet"]} data-sheet={index + 1}>
          <header className={style["head"]}>
            <div className={style["line"]}><h2>{say("fax.head")}</h2><p>{say("fax.page", { page: index + 1, of: all.length })}</p></div>
            {papers.version === null
              ? <p className={style["draft"]}>{say("fax.draft")}</p>
              : <p>{say("fax.version", { version: papers.version })}</p>}
            <p><bdi>{about}</bdi></p>
            <div className={style["line"]}><p><bdi>{to}</bdi></p><p>{date}</p></div>
            <p><bdi>{from}</bdi></p>
          </header>
          {pieces.map((piece, at) => <Asked key={at} piece={piece} of={paper.rows.length} />)}
          <footer className={style["foot"]}>
            <div className={style["sign"]}><span>{say("fax.signature")}</span><span className={style["rule"]} /><span>{say("fax.signed_on")}</span><span className={style["short"]} /></div>
            <p className={style["call"]}>{say("fax.call", { phone: papers.phone })}</p>
            <p>{say("fax.private")}</p>
          </footer>
        </section>
      ))}
    </article>
  );
}

function dayOf(ms: number): string {
  const day = new Date(ms);
  return `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, "0")}-${String(day.getDate()).padStart(2, "0")}`;
}

function Asked({ piece, of }: { readonly piece: Piece; readonly of: number }) {
  const { say } = useLanguage();
  const { row, number, part, why } = piece;
  const { condition, medicine, proposal, regimen } = linesOf(row, say);
  const has = (one: Piece["part"]): boolean => part === "whole" || part === one;
  const begins = part === "whole" || part === "now" || (part === "what" && condition === "" && medicine === "");
  return (
    <section className={style["asked"]} data-part={part}>
      <h3>{say(begins ? "fax.number" : "fax.continued", { number, of })}</h3>
      {has("now") && condition !== "" && <Said label={say("fax.problem")}>{condition}</Said>}
      {has("now") && medicine !== "" && <Said label={say("fax.medicine")}>{medicine}</Said>}
      {has("what") && <Said label={say("fax.proposal")} strong>{proposal}</Said>}
      {has("what") && regimen !== "" && <Said label={say("fax.regimen")}>{regimen}</Said>}
      {why !== "" && <Said label={say("fax.why")}>{why}</Said>}
      {has("answer") && row.reference !== "" && <Said label={say("fax.reference")}>{row.reference}</Said>}
      {has("answer") ? (
        <div className={style["answers"]}>
          <p className={style["answer"]}><span className={style["box"]} aria-hidden />{say("fax.accept")}</p>
          <p className={style["answer"]}><span className={style["box"]} aria-hidden />{say("fax.change")}<span className={style["rule"]} /></p>
          <p className={style["answer"]}><span className={style["box"]} aria-hidden />{say("fax.decline")}<span className={style["rule"]} /></p>
        </div>
      ) : <p>{say("fax.goes_on")}</p>}
    </section>
  );
}

function Said({ label, strong = false, children }: { readonly label: string; readonly strong?: boolean; readonly children: ReactNode }) {
  return <p className={strong ? style["strong"] : undefined}><span className={style["label"]}>{label}:</span> <bdi lang="">{children}</bdi></p>;
}
