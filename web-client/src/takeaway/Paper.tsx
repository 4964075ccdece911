/** The page itself, on the screen and on paper: the server's sentences in the server's order. */
import { useLanguage } from "../i18n";
import type { PlainCard, PlainList, PlainPage, PlainSentence } from "../wire";
import { Chip } from "../ui/Chip";
import style from "./EndPage.module.css";

export function Paper({ page }: { readonly page: PlainPage }) {
  const { say } = useLanguage();
  const { tasks, medicines } = page;
  return (
    <article lang={page.language} className={style["paper"]} data-print="page">
      <header className={style["part"]}>
        <h2 className={style["title"]}>{page.title}</h2>
        {page.about.map((sentence) => <p key={sentence.text}><Said sentence={sentence} /></p>)}
      </header>
      {tasks.tasks.length > 0 && (
        <section className={style["part"]}>
          <h3>{tasks.title}</h3>
          <ol className={style["cards"]}>
            {tasks.tasks.map((task) => (
              <li key={task.row} className={style["card"]}>
                <Row label={tasks.should_do} said={task.should_do} strong />
                <Row label={tasks.when} said={task.when} />
                <Row label={tasks.talked_about} said={task.talked_about} />
                {task.done && <div><Chip tone="ok">{say("takeaway.done")}</Chip></div>}
              </li>
            ))}
          </ol>
        </section>
      )}
      {medicines.groups.length > 0 && (
        <section className={style["part"]}>
          <h3>{medicines.title}</h3>
          {medicines.groups.map((group) => (
            <div key={group.slot} className={style["group"]}>
              <h4>{group.title}</h4>
              {group.cards.map((card) => <Medicine key={card.row} card={card} labels={medicines} />)}
            </div>
          ))}
        </section>
      )}
      {[page.call, page.emergency, page.visits, page.follow_up, page.goals, page.allergies, page.shots, page.questions, page.disposal]
        .map((list) => <Part key={list.title} list={list} />)}
    </article>
  );
}

const BADGE = { new: "info", changed: "warn", stopped: "danger" } as const;

function Medicine({ card, labels }: { readonly card: PlainCard; readonly labels: PlainPage["medicines"] }) {
  return (
    <div className={style["card"]}>
      <p className={style["medicine"]}>
        <bdi translate="no">{card.name}</bdi> {card.badge !== undefined && <Chip tone={BADGE[card.badge]}>{card.badge_text}</Chip>}
      </p>
      <Row label={labels.how} said={card.how} strong />
      <Row label={labels.why} said={card.why} />
      <Row label={labels.prescriber} said={card.prescriber} />
    </div>
  );
}

function Row({ label, said, strong = false }: { readonly label: string; readonly said: readonly PlainSentence[]; readonly strong?: boolean }) {
  return said.length === 0 ? null : (
    <div>
      <p className={style["label"]}>{label}</p>
      {said.map((sentence) => <p key={sentence.text} className={strong ? style["strong"] : undefined}><Said sentence={sentence} /></p>)}
    </div>
  );
}

function Part({ list }: { readonly list: PlainList }) {
  return list.items.length === 0 ? null : (
    <section className={style["part"]}>
      <h3>{list.title}</h3>
      <ul className={style["lines"]}>
        {list.items.map((item) => <li key={item.map(({ text }) => text).join()}>{item.map((sentence) => <Said key={sentence.text} sentence={sentence} after=" " />)}</li>)}
      </ul>
    </section>
  );
}

/** A person's words keep their own language: a reader must not pronounce them in the page's. */
export function Said({ sentence, after = "" }: { readonly sentence: PlainSentence; readonly after?: string }) {
  return sentence.from === "person" ? <><bdi lang="">{sentence.text}</bdi>{after}</> : <>{sentence.text}{after}</>;
}
