/**
 * Typed catalogues without a library. `en.ts` is the source; `es.ts` must have the same keys with the same values, or
 * the type check fails. A feature keeps its own sentences beside it (`plan/en.ts`, `plan/es.ts`) under its own prefix.
 */
import { createContext, use, useCallback, useMemo, useState, type ReactNode } from "react";
import type { en } from "./en";
import { grammar, type Grammar, type Language } from "./grammar";

export { grammar, months, type Grammar, type Language } from "./grammar";

/** What another language must offer, given the English source. */
export type Translation<M> = {
  readonly [K in keyof M]: M[K] extends (values: infer V, g: Grammar) => string ? (values: V, g: Grammar) => string : string;
};
export type Messages = Translation<typeof en>;
export type TextKey = keyof Messages;

type Values<K extends TextKey> = Messages[K] extends (values: infer V, g: Grammar) => string ? [values: V] : [];
/** `say("wait.before", { count: 2 })`. */
export type Say = <K extends TextKey>(key: K, ...values: Values<K>) => string;
/** Keys of sentences that need no values: what a table of codes may name. */
export type PlainKey = { [K in TextKey]: Messages[K] extends string ? K : never }[TextKey];

export function speaker(messages: Messages, g: Grammar): Say {
  return (key, ...values) => {
    const message: unknown = messages[key];
    if (typeof message === "string") return message;
    return typeof message === "function" ? endedOnce(String(message(values[0], g))) : String(key);
  };
}

/** The period of "p.m." ends its sentence too (Ortografía de la lengua española, 2010: after an abbreviation no second one). */
const endedOnce = (sentence: string): string => sentence.replaceAll(/([ap]\.\s?m\.)\./gu, "$1");

export async function loadMessages(language: Language): Promise<Messages> {
  return language === "es" ? (await import("./es")).es : (await import("./en")).en;
}

const STORED = "language";

/** The person's choice, else the browser's first language that we speak. */
export function preferredLanguage(): Language {
  const stored = remembered();
  if (stored !== null) return stored;
  return navigator.languages.find((tag) => /^(en|es)\b/i.test(tag))?.toLowerCase().startsWith("es") === true ? "es" : "en";
}

function remembered(): Language | null {
  try {
    const stored = localStorage.getItem(STORED);
    return stored === "en" || stored === "es" ? stored : null;
  } catch {
    return null; // storage switched off: the browser's language serves
  }
}

export interface LanguageValue {
  readonly language: Language;
  readonly say: Say;
  readonly g: Grammar;
  /** A choice made by the person is kept for the next visit. */
  choose(language: Language): void;
}

const Context = createContext<LanguageValue | null>(null);

export function LanguageProvider(props: { readonly language: Language; readonly messages: Messages; readonly children: ReactNode }) {
  const [current, setCurrent] = useState({ language: props.language, messages: props.messages });
  const choose = useCallback((language: Language) => {
    try {
      localStorage.setItem(STORED, language);
    } catch {
      // storage switched off: the choice lasts as long as the page
    }
    void loadMessages(language).then((messages) => {
      document.documentElement.lang = language;
      setCurrent({ language, messages });
    });
  }, []);
  const value = useMemo(() => {
    const g = grammar(current.language);
    return { language: current.language, say: speaker(current.messages, g), g, choose };
  }, [current, choose]);
  return <Context value={value}>{props.children}</Context>;
}

export function useLanguage(): LanguageValue {
  const value = use(Context);
  if (value === null) throw new Error("a component that speaks stands outside LanguageProvider");
  return value;
}

export function useSay(): Say {
  return useLanguage().say;
}
