/** What the decision support of the practice says about the plan (CDS Hooks): its words, under its name. */
import { CircleAlert, Info, Octagon, RefreshCw } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { cardsOf } from "../../api";
import { useLanguage } from "../../i18n";
import { Button } from "../../ui/Button";
import { Chip } from "../../ui/Chip";
import type { CdsAnswer, CdsAnswers, CdsCard, Dismissal, RowId } from "../../wire";
import { docIn, useFieldSlice, useRows, useScene } from "../context";
import { address, keyOf } from "../fold";
import { LaidAside, LayAside } from "./Safety";
import style from "./panels.module.css";

/** After a change the question waits so long for the next one: each is a whole plan that leaves the house. */
const ASK_AFTER_MS = 3_000;

type Asked = { readonly state: "none" } | { readonly state: "asking" | "told" | "away"; readonly answers: CdsAnswers | null };

/** Asks when the panel opens, and again after what is not prose has changed. */
function useCards(): { readonly asked: Asked; readonly ask: () => void } {
  const { seat } = useScene();
  const plan = useFieldSlice((state) => docIn(state, "plan")?.server.registers);
  const [asked, setAsked] = useState<Asked>({ state: "asking", answers: null });
  const latest = useRef(0);
  const ask = useCallback(() => {
    latest.current += 1;
    const mine = latest.current;
    setAsked((before) => (before.state === "none" ? before : { state: "asking", answers: before.answers }));
    cardsOf(seat).then(
      (answers) => {
        if (mine === latest.current) setAsked(answers === undefined ? { state: "none" } : { state: "told", answers });
      },
      // What was said before may not be true of the plan as it is now: it goes.
      () => {
        if (mine === latest.current) setAsked({ state: "away", answers: null });
      },
    );
  }, [seat]);
  const first = useRef(true);
  useEffect(() => {
    if (asked.state === "none") return;
    const timer = setTimeout(ask, first.current ? 0 : ASK_AFTER_MS);
    first.current = false;
    return () => clearTimeout(timer);
    // Only what changes the plan asks again, not the answer.
  }, [plan, ask]); // oxlint-disable-line react-hooks/exhaustive-deps
  return { asked, ask };
}

export function Cards() {
  const { say, g } = useLanguage();
  const { asked, ask } = useCards();
  if (asked.state === "none" || (asked.state === "asking" && asked.answers === null)) return null;
  const { answers } = asked;
  return (
    <section aria-label={say("plan.cards.title", { service: answers?.services.map(({ service }) => service).join(", ") ?? "" })} className={style["cards"]}>
      {(answers === null || answers.services.length === 0) && <p>{say("plan.cards.incomplete")}</p>}
      {answers !== null && answers.withheld > 0 && <p>{say("plan.cards.withheld")}</p>}
      {answers !== null && answers.services_left_out > 0 && <p>{say("plan.cards.services_left_out", { count: answers.services_left_out })}</p>}
      {answers?.services.map((one) => <Service key={one.service} answer={one} />)}
      <div className={style["asked"]}>
        {answers !== null && <p className={style["hint"]}>{say("plan.cards.at", { time: g.time(answers.at_ms) })}</p>}
        <Button kind="quiet" disabled={asked.state === "asking"} icon={<RefreshCw size={18} aria-hidden />} onClick={ask}>
          {say(asked.state === "asking" ? "plan.cards.asking" : "plan.cards.again")}
        </Button>
      </div>
    </section>
  );
}

/** The row that laid a card aside: of this service, with this line. */
function useLaidAside(service: string): (card: CdsCard) => RowId | undefined {
  const rows = useRows("dismissals");
  const registers = useFieldSlice((state) => docIn(state, "plan")?.shown.registers);
  return useMemo(() => {
    const known = new Map<string, RowId>();
    for (const row of rows) {
      const held = registers?.get(keyOf(address("dismissals.content", row)));
      const laid = held?.state === "value" ? (held.value as Dismissal | null) : null;
      if (laid !== null && "summary" in laid && laid.service === service.normalize()) known.set(laid.summary, row);
    }
    return (card) => known.get(card.summary.normalize());
  }, [rows, registers, service]);
}

function Service({ answer }: { readonly answer: CdsAnswer }) {
  const { say } = useLanguage();
  const rowOf = useLaidAside(answer.service);
  const open = (answer.cards ?? []).filter((card) => rowOf(card) === undefined);
  const aside = (answer.cards ?? []).filter((card) => rowOf(card) !== undefined);
  return (
    <>
      <h4 className={style["title"]}>{say("plan.cards.title", { service: answer.service })}</h4>
      <p className={style["hint"]}>{say("plan.cards.not_ours")}</p>
      {answer.cards === null && <p>{say("plan.cards.away")}</p>}
      {answer.cards?.length === 0 && <p>{say("plan.cards.none")}</p>}
      {open.length > 0 && <ul className={style["prompts"]}>{open.map((card, index) => <One key={`${index} ${card.summary}`} service={answer.service} card={card} />)}</ul>}
      {aside.length > 0 && (
        <details className={style["aside"]}>
          <summary>{say("plan.cards.laid_aside", { count: aside.length })}</summary>
          <ul className={style["prompts"]}>{aside.map((card, index) => <One key={`${index} ${card.summary}`} service={answer.service} card={card} row={rowOf(card)} />)}</ul>
        </details>
      )}
      {answer.cards_left_out > 0 && <p>{say("plan.cards.left_out", { count: answer.cards_left_out })}</p>}
    </>
  );
}

const ICON = { critical: Octagon, warning: CircleAlert, info: Info } as const;

function One({ service, card, row }: { readonly service: string; readonly card: CdsCard; readonly row?: RowId | undefined }) {
  const { say } = useLanguage();
  const Icon = ICON[card.indicator];
  return (
    <li className={style["card"]}>
      <p>
        <Chip tone={card.indicator === "critical" ? "danger" : card.indicator === "warning" ? "warn" : "info"} icon={<Icon size={16} aria-hidden />}>{say(`plan.cards.${card.indicator}`)}</Chip>
        {" "}<bdi>{card.summary}</bdi>
      </p>
      {card.detail !== "" && <details><summary>{say("plan.cards.more")}</summary><p className={style["words"]}><bdi>{card.detail}</bdi></p></details>}
      <p className={style["hint"]}>
        {say("plan.cards.from", { source: card.source })}
        {card.links.map((link) => <span key={link.url}> · <a href={link.url} target="_blank" rel="noopener noreferrer">{link.label}</a></span>)}
      </p>
      {row === undefined
        ? <div><LayAside words={card.summary} make={(reason) => ({ service, summary: card.summary, reason })} /></div>
        : <LaidAside row={row} />}
    </li>
  );
}
