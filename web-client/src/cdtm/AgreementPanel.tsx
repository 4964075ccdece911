/** The agreements of the patient for pharmacist and physician: how they stand, what is due, and what may be done. */
import { Printer, RefreshCw } from "lucide-react";
import { useState } from "react";
import { useLanguage } from "../i18n";
import { newAgreementId, useAgreements } from "../plan/agreements";
import { Button } from "../ui/Button";
import { Chip } from "../ui/Chip";
import type { AgreementId, Agreements, AgreementStanding, AgreementView, SeatId, Terms } from "../wire";
import { ConsentForm, RegisterForm, ReportForm, ReviewForm, RevokeForm, SignForm } from "./forms";
import { Inspection, ReportPaper } from "./Paper";
import { Calls, Opening, Part, type Give } from "./parts";
import { emptyTerms, TermsForm, typedOf, type Writing } from "./TermsForm";
import { TermsFacts } from "./TermsFacts";
import style from "./cdtm.module.css";

const TONE: Record<AgreementStanding, "plain" | "info" | "ok" | "warn" | "danger"> = {
  draft: "plain", signed_physician: "info", signed_pharmacist: "info", active: "ok", expiring: "warn", expired: "danger", withdrawn: "danger", revoked: "danger",
};

type Shown =
  | { readonly kind: "list" }
  | { readonly kind: "inspection" }
  | { readonly kind: "paper"; readonly id: AgreementId };

/** What each seat of this page is writing. */
const writings = new Map<SeatId, Writing>();

export function AgreementPanel({ seat }: { readonly seat: SeatId }) {
  const { say } = useLanguage();
  const { known, look, act } = useAgreements(seat, "fresh");
  const [shown, setShown] = useState<Shown>({ kind: "list" });
  const [writing, setWriting] = useState(() => writings.get(seat) ?? null);
  const back = (): void => setShown({ kind: "list" });
  const write = (next: Writing | null): void => {
    if (next === null) writings.delete(seat);
    else writings.set(seat, next);
    setWriting(next);
  };
  if (known.kind === "loading") return <p className={style["quiet"]}>{say("cdtm.loading")}</p>;
  if (known.kind === "away") {
    return <div className={style["panel"]}><p>{say("cdtm.away")}</p><div className={style["tools"]}><Button onClick={look}>{say("cdtm.again")}</Button></div></div>;
  }
  const { all } = known;
  const newest = all.agreements.toReversed();
  if (shown.kind === "inspection") return <Inspection seat={seat} onBack={back} />;
  if (writing !== null) {
    const { id, seen, typed } = writing;
    const give: Give = async (wanted) => {
      const acted = await act(id, seen ?? newest.find((one) => one.id === id)?.seen ?? 0, wanted);
      // Said once that somebody else was first; who saves again means it.
      const now = writings.get(seat);
      if (now !== undefined && acted.kind === "refused" && acted.why.code === "changed_since") write({ ...now, seen: null });
      return acted;
    };
    return <TermsForm all={all} typed={typed} onType={(next) => write({ ...writing, typed: next })} give={give} close={() => write(null)} />;
  }
  const paper = shown.kind === "paper" ? newest.find(({ id }) => id === shown.id) : undefined;
  if (paper !== undefined) return <ReportPaper seat={seat} one={paper} onBack={back} />;
  const begin = (terms: Terms): void => write({ id: newAgreementId(), seen: 0, typed: typedOf(terms) });
  return (
    <div className={style["panel"]}>
      <div className={style["tools"]}>
        <Button icon={<RefreshCw size={20} aria-hidden />} onClick={look}>{say("cdtm.again")}</Button>
        {all.may_export && <Button icon={<Printer size={20} aria-hidden />} onClick={() => setShown({ kind: "inspection" })}>{say("cdtm.inspection")}</Button>}
      </div>
      {newest.length === 0 && <p>{say("cdtm.none")} {say(all.may_draft ? "cdtm.none.pcp" : "cdtm.none.pharmacist")}</p>}
      {newest.map((one) => (
        <One
          key={one.id} one={one} all={all} give={(wanted) => act(one.id, one.seen, wanted)}
          onWrite={(terms) => write({ id: one.id, seen: one.seen, typed: typedOf(terms) })} onNext={begin} onPaper={() => setShown({ kind: "paper", id: one.id })}
        />
      ))}
      {all.may_draft && !newest.some(({ standing }) => standing === "draft") && (
        <div className={style["tools"]}><Button kind={newest.length === 0 ? "primary" : "normal"} onClick={() => begin(emptyTerms(all))}>{say("cdtm.new")}</Button></div>
      )}
    </div>
  );
}

function One(props: {
  readonly one: AgreementView;
  readonly all: Agreements;
  readonly give: Give;
  readonly onWrite: (terms: Terms) => void;
  readonly onNext: (terms: Terms) => void;
  readonly onPaper: () => void;
}) {
  const { one, all, give } = props;
  const { say } = useLanguage();
  const may = new Set(one.may);
  const { terms } = one;
  const over = ["expired", "withdrawn", "revoked"].includes(one.standing);
  const title = terms.condition === "" ? say("cdtm.no_condition") : terms.condition;
  return (
    <article className={style["one"]} aria-label={title}>
      <div className={style["head"]}>
        <h3>{title}</h3>
        <Chip tone={TONE[one.standing]}>{say(`cdtm.standing.${one.standing}`)}</Chip>
      </div>
      <p className={style["quiet"]}>
        <bdi>{say("cdtm.with", { physician: one.physician.name, pharmacist: one.pharmacist?.name ?? say("cdtm.no_pharmacist") })}</bdi>
        {terms.start !== null && terms.end !== null && <> · {say("cdtm.term", { start: terms.start, end: terms.end })}</>}
      </p>
      {one.ended !== null && <p>{say("cdtm.ended", one.ended)}</p>}
      <Waits one={one} today={all.today} />
      <Dues one={one} />
      <Missing one={one} />
      {!over && <Calls one={one} />}
      <Consent one={one} />
      <div className={style["tools"]}>
        {may.has("draft") && <Button onClick={() => props.onWrite(terms)}>{say("cdtm.change")}</Button>}
        {may.has("register") && <Opening words={say("cdtm.register")}>{(close) => <RegisterForm before={one.registration} close={close} give={give} />}</Opening>}
        {may.has("sign") && one.gaps.filter((gap) => gap !== "registration" || all.may_draft === false).length === 0 && (
          <Opening kind="primary" words={say("cdtm.sign")}>{(close) => <SignForm close={close} give={give} />}</Opening>
        )}
        {may.has("report") && <Opening words={say("cdtm.report")}>{(close) => <ReportForm one={one} close={close} give={give} />}</Opening>}
        {may.has("review") && <Opening words={say("cdtm.review")}>{(close) => <ReviewForm close={close} give={give} />}</Opening>}
        {may.has("consent") && <Opening words={say("cdtm.consent.note")}>{(close) => <ConsentForm given={one.consent?.answer === "given"} close={close} give={give} />}</Opening>}
        {all.may_export && one.signatures.length > 0 && <Button icon={<Printer size={20} aria-hidden />} onClick={props.onPaper}>{say("cdtm.paper")}</Button>}
        {all.may_draft && one.standing !== "draft" && <Button onClick={() => props.onNext({ ...terms, f2f_visit: null, start: null, end: null })}>{say("cdtm.new.from")}</Button>}
        {may.has("revoke") && <Opening words={say("cdtm.revoke")}>{(close) => <RevokeForm close={close} give={give} />}</Opening>}
      </div>
      <details>
        <summary>{say("cdtm.terms")}</summary>
        <TermsFacts one={one} />
      </details>
      <Kept one={one} />
    </article>
  );
}

function Waits({ one, today }: { readonly one: AgreementView; readonly today: string }) {
  const { say } = useLanguage();
  if (one.standing !== "signed_pharmacist") return null;
  const { start } = one.terms;
  return <p>{one.consent?.answer === "given" && start !== null && start > today ? say("cdtm.waits.start", { day: start }) : say("cdtm.waits.consent")}</p>;
}

function Dues({ one }: { readonly one: AgreementView }) {
  const { say } = useLanguage();
  if (one.dues.length === 0) return null;
  return (
    <div>
      <ul className={style["dues"]}>
        {one.dues.map(({ what, days }) => <li key={what} className={days < 0 ? style["overdue"] : undefined}>{say(`cdtm.due.${what}`, { days })}</li>)}
      </ul>
      {one.notice !== null && <p>{say("cdtm.notice", { days: one.notice })}</p>}
    </div>
  );
}

function Missing({ one }: { readonly one: AgreementView }) {
  const { say } = useLanguage();
  if (one.gaps.length === 0) return null;
  return (
    <div className={style["missing"]}>
      <p>{say("cdtm.missing")}</p>
      <ul className={style["list"]}>{one.gaps.map((gap) => <li key={gap}>{say(`cdtm.gap.${gap}`)}</li>)}</ul>
    </div>
  );
}

function Consent({ one }: { readonly one: AgreementView }) {
  const { say } = useLanguage();
  if (one.standing === "draft") return null;
  const { consent } = one;
  return (
    <Part title={say("cdtm.consent")}>
      {consent === null ? <p>{say("cdtm.consent.none")}</p> : <p>{say(`cdtm.consent.${consent.answer}`, { name: consent.name, at: consent.at_ms })}</p>}
      {consent?.answer === "given" && <p className={style["quiet"]}>{say(consent.substitution ? "cdtm.consent.substitution" : "cdtm.consent.no_substitution")}</p>}
    </Part>
  );
}

/** What was reported, reviewed and done, newest first. */
export function Kept({ one }: { readonly one: AgreementView }) {
  const { say } = useLanguage();
  if (one.signatures.length < 2) return null;
  return (
    <>
      <Part title={say("cdtm.acts")}>
        {one.acts.length === 0 ? <p className={style["quiet"]}>{say("cdtm.acts.none")}</p> : (
          <ul className={style["list"]}>
            {one.acts.map((act, index) => <li key={index}>{act.summary} – {say(`plan.rec.action.${act.action}`)}{act.drug !== "" && <>: <bdi translate="no">{act.drug}</bdi></>} <span className={style["quiet"]}>({say("cdtm.by", act)})</span></li>)}
          </ul>
        )}
      </Part>
      {one.reports.length > 0 && (
        <Part title={say("cdtm.reports")}>
          {one.reports.map((entry, index) => (
            <div key={index}>
              <p className={style["quiet"]}>{say("cdtm.by", entry)}</p>
              <dl className={style["facts"]}>
                {(["problems", "complications", "adherence", "actions"] as const).map((what) => <div key={what} className={style["part"]}><dt>{say(`cdtm.report.${what}`)}</dt><dd>{entry.report[what]}</dd></div>)}
              </dl>
            </div>
          ))}
        </Part>
      )}
      {one.reviews.length > 0 && (
        <Part title={say("cdtm.reviews")}>
          <ul className={style["list"]}>{one.reviews.map((entry, index) => <li key={index}>{say(entry.goes_on ? "cdtm.review.goes_on" : "cdtm.review.ends")}{entry.note !== "" && `: ${entry.note}`} <span className={style["quiet"]}>({say("cdtm.by", entry)})</span></li>)}</ul>
        </Part>
      )}
    </>
  );
}
