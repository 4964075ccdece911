/** What sentences need from a language: plurals, numbers, times. Built on Intl; no parser at run time. */
export type Language = "en" | "es";

export interface Grammar {
  readonly language: Language;
  number(value: number): string;
  plural(count: number, forms: { readonly one: string; readonly other: string }): string;
  /** "a, b and c". */
  list(items: readonly string[]): string;
  /** "9:40 AM": 12 hours in both languages, as people in US clinics read them. */
  time(ms: number): string;
  /** "February 15, 2026 at 9:40 AM", where the reader is. */
  moment(ms: number): string;
  /** "February 15, 1954" from a FHIR date; what is not a whole date comes back as it is. */
  date(iso: string): string;
}

const LOCALE: Record<Language, string> = { en: "en-US", es: "es-US" };

export function grammar(language: Language): Grammar {
  const locale = LOCALE[language];
  const numbers = new Intl.NumberFormat(locale);
  const plurals = new Intl.PluralRules(locale);
  const lists = new Intl.ListFormat(locale, { type: "conjunction" });
  const times = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit", hour12: true });
  const moments = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short", hour12: true });
  const dates = new Intl.DateTimeFormat(locale, { year: "numeric", month: "long", day: "numeric", timeZone: "UTC" });
  return {
    language,
    number: (value) => numbers.format(value),
    plural: (count, forms) => (plurals.select(count) === "one" ? forms.one : forms.other),
    list: (items) => lists.format(items),
    time: (ms) => times.format(ms),
    moment: (ms) => moments.format(ms),
    date: (iso) => {
      const at = /^\d{4}-\d{2}-\d{2}$/.test(iso) ? Date.parse(`${iso}T00:00:00Z`) : Number.NaN;
      return Number.isNaN(at) ? iso : dates.format(at);
    },
  };
}

/** Names of the twelve months, for a choice list. */
export function months(language: Language): readonly string[] {
  const format = new Intl.DateTimeFormat(LOCALE[language], { month: "long", timeZone: "UTC" });
  return Array.from({ length: 12 }, (_, month) => format.format(Date.UTC(2000, month, 15)));
}
