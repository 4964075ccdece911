/** The server's sentences about medicines, in the reader's language. The client never composes a dose. */
import { createContext, use, useEffect, useState } from "react";
import { useLanguage } from "../i18n";
import { useRecordSlice, useScene } from "../plan/context";
import { fetchPage } from "../plan/page";
import type { PlainSentence } from "../wire";

export interface Sentences {
  /** The plan's `seq` when they were asked for: what was written after it is not in them. */
  readonly seq: number;
  /** How each medicine is taken, by row. */
  readonly how: ReadonlyMap<string, readonly PlainSentence[]>;
}

export const NO_SENTENCES: Sentences = { seq: -1, how: new Map() };
export const SentencesContext = createContext<Sentences>(NO_SENTENCES);
export const useSentences = (): Sentences => use(SentencesContext);

/** After the last change of the plan: typing is not asked about letter by letter. */
const ASK_AFTER_MS = 1_000;

/** Asks again whenever the plan changed. Until an answer that is new enough, words stand as they were typed. */
export function useFetchedSentences(): Sentences {
  const { seat } = useScene();
  const { language } = useLanguage();
  const seq = useRecordSlice((state) => state.docs.get("plan")?.server.seq ?? -1);
  const [got, setGot] = useState<{ readonly language: string; readonly sentences: Sentences } | null>(null);
  useEffect(() => {
    if (seq < 0) return;
    let current = true;
    const timer = setTimeout(() => {
      void fetchPage(seat, language).then((taken) => {
        if (!current || taken.kind !== "page") return;
        const how = new Map(taken.page.medicines.groups.flatMap(({ cards }) => cards.map((card) => [card.row, card.how] as const)));
        setGot({ language, sentences: { seq, how } });
      });
    }, ASK_AFTER_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [seat, language, seq]);
  return got?.language === language ? got.sentences : NO_SENTENCES;
}
