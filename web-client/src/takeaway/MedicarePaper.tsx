/** The Medicare format (CMS-10396): a cover letter, the to-do list and the medicine list, each on a page of its own. */
import type { ReactNode } from "react";
import type { PlainCard, PlainLetter, PlainList, PlainPage, PlainSentence } from "../wire";
import { Said } from "./Paper";
import style from "./MedicarePaper.module.css";

export function MedicarePaper({ page, letter }: { readonly page: PlainPage; readonly letter: PlainLetter }) {
  const { tasks, medicines } = page;
  return (
    <article lang={page.language} className={style["form"]} data-print="medicare">
      <section className={style["sheet"]} aria-label={letter.from[0]?.text}>
        <Lines sentences={letter.from} />
        <Lines sentences={letter.date} />
        <Lines sentences={letter.prepared_for} />
        <Lines sentences={letter.greeting} />
        {letter.opening.map((sentence) => <p key={sentence.text}><Said sentence={sentence} /></p>)}
        <ul className={style["lines"]}>{letter.keep.map((sentence) => <li key={sentence.text}><Said sentence={sentence} /></li>)}</ul>
        <Lines sentences={letter.contact} />
        {letter.closing.map((sentence) => <p key={sentence.text}><Said sentence={sentence} /></p>)}
      </section>
      <Sheet title={letter.tasks} letter={letter}>
        <table className={style["table"]}>
          <thead><tr><th scope="col">{tasks.talked_about}</th><th scope="col">{tasks.should_do}</th></tr></thead>
          <tbody>
            {tasks.tasks.map((task) => (
              <tr key={task.row}>
                <td><Lines sentences={task.talked_about} /></td>
                <td><Lines sentences={task.should_do} /><Lines sentences={task.when} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </Sheet>
      <Sheet title={letter.medicines} letter={letter}>
        <Listed list={page.allergies} />
        <table className={style["table"]}>
          <thead>
            <tr>
              <th scope="col">{letter.medicine}</th><th scope="col">{medicines.how}</th><th scope="col">{medicines.why}</th><th scope="col">{medicines.prescriber}</th>
            </tr>
          </thead>
          <tbody>{once(page).map((card) => <Medicine key={card.row} card={card} />)}</tbody>
        </table>
        <h3>{letter.other}</h3>
        {[page.call, page.emergency, page.shots, page.follow_up, page.disposal].map((list) => <Listed key={list.title} list={list} />)}
      </Sheet>
    </article>
  );
}

function Sheet({ title, letter, children }: { readonly title: string; readonly letter: PlainLetter; readonly children: ReactNode }) {
  return (
    <section className={style["sheet"]} aria-label={title}>
      <h2 className={style["title"]}>{title}</h2>
      <Lines sentences={letter.prepared_for} />
      <Lines sentences={letter.date} />
      {children}
    </section>
  );
}

function Medicine({ card }: { readonly card: PlainCard }) {
  return (
    <tr>
      <th scope="row"><bdi translate="no">{card.name}</bdi></th>
      <td><Lines sentences={card.how} /></td>
      <td><Lines sentences={card.why} /></td>
      <td><Lines sentences={card.prescriber} /></td>
    </tr>
  );
}

/** A medicine taken in the morning and at night stands once. */
function once(page: PlainPage): readonly PlainCard[] {
  const rows = new Map<string, PlainCard>();
  for (const { cards } of page.medicines.groups) for (const card of cards) if (!rows.has(card.row)) rows.set(card.row, card);
  return [...rows.values()];
}

function Lines({ sentences }: { readonly sentences: readonly PlainSentence[] }) {
  return sentences.length === 0 ? null : <div>{sentences.map((sentence) => <p key={sentence.text}><Said sentence={sentence} /></p>)}</div>;
}

function Listed({ list }: { readonly list: PlainList }) {
  return list.items.length === 0 ? null : (
    <>
      <h3>{list.title}</h3>
      <ul className={style["lines"]}>{list.items.map((item) => <li key={item.map(({ text }) => text).join()}>{item.map((sentence) => <Said key={sentence.text} sentence={sentence} after=" " />)}</li>)}</ul>
    </>
  );
}
