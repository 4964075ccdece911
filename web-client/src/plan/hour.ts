/** Hours of booked visits, in the zone in which they were agreed; and the hour a touchpoint proposes. */
import type { Language } from "../i18n";

const LOCALE: Record<Language, string> = { en: "en-US", es: "es-US" };

interface At {
  readonly starts_ms: number;
  readonly zone: string;
}

/**
 * "Tue, Dec 8, 10:00 AM EST", with the year if it is another than today's; `long`: "Tuesday, December 8, 2026 at 10:00 AM EST"; `plain`,
 * for patients: "Tuesday, December 8, 2026, 10:00 AM, Eastern time".
 */
export function hourIn(at: At, language: Language, how: "short" | "long" | "plain" = "short", now = Date.now()): string {
  if (how === "plain") return plainHour(at, language);
  const length = how === "short" ? "short" : "long";
  const year = how !== "short" || new Date(at.starts_ms).getUTCFullYear() !== new Date(now).getUTCFullYear();
  const shape = {
    weekday: length, ...(year ? { year: "numeric" as const } : {}), month: length, day: "numeric", hour: "numeric", minute: "2-digit", hour12: true, timeZoneName: "short",
  } as const;
  return formatIn(at.zone, LOCALE[language], shape).format(at.starts_ms);
}

/** In the words of what the patient takes home (`plain/visit.rs` of the server): a page that says it twice says it alike. */
function plainHour({ starts_ms, zone }: At, language: Language): string {
  const locale = LOCALE[language];
  const day = formatIn(zone, locale, { weekday: "long", year: "numeric", month: "long", day: "numeric" });
  const clock = formatIn(zone, locale, { hour: "numeric", minute: "2-digit", hour12: true }).formatToParts(starts_ms);
  const hour = Number(formatIn(zone, "en-US", { hour: "2-digit", hourCycle: "h23" }).format(starts_ms));
  const half = hour < 12 ? "de la mañana" : hour < 20 ? "de la tarde" : "de la noche";
  const time = clock.map(({ type, value }) => (type === "dayPeriod" && language === "es" ? half : value)).join("").replace("\u202f", " ");
  return [day.format(starts_ms), time, zoneWords(day.resolvedOptions().timeZone, language)].join(", ");
}

/** The server's `plain/words.rs` has the same; a test compares them. */
const ZONES: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  "America/New_York": { en: "Eastern time", es: "hora del este" },
  "America/Chicago": { en: "Central time", es: "hora del centro" },
  "America/Denver": { en: "Mountain time", es: "hora de la montaña" },
  "America/Phoenix": { en: "Arizona time", es: "hora de Arizona" },
  "America/Los_Angeles": { en: "Pacific time", es: "hora del Pacífico" },
  "America/Anchorage": { en: "Alaska time", es: "hora de Alaska" },
  "Pacific/Honolulu": { en: "Hawaii time", es: "hora de Hawái" },
  "America/Puerto_Rico": { en: "Puerto Rico time", es: "hora de Puerto Rico" },
};

/** A time zone as people of the United States call it; any other by its city. */
function zoneWords(zone: string, language: Language): string {
  const city = zone.slice(zone.lastIndexOf("/") + 1).replaceAll("_", " ");
  return ZONES[zone]?.[language] ?? (language === "es" ? `hora de ${city}` : `${city} time`);
}

/** In a zone this browser does not know, the reader's own: its name stands beside the hour, and the page is there. */
function formatIn(zone: string, locale: string, shape: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat(locale, { ...shape, timeZone: zone });
  } catch {
    return new Intl.DateTimeFormat(locale, shape);
  }
}

/** "Tue, Dec 1, 9:30 AM" of "2026-12-01T09:30", as it was said: no zone is put over it. */
export function wallHour(local: string, language: Language): string {
  return new Intl.DateTimeFormat(LOCALE[language], {
    timeZone: "UTC", weekday: "short", month: "short", day: "numeric", hour: "numeric", minute: "2-digit", hour12: true,
  }).format(Date.parse(`${local}:00Z`));
}

const NUMBERS: Readonly<Record<string, number>> = {
  a: 1, an: 1, one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, eight: 8, ten: 10, twelve: 12,
  un: 1, una: 1, uno: 1, dos: 2, tres: 3, cuatro: 4, cinco: 5, seis: 6, ocho: 8, diez: 10, doce: 12,
};
const SPAN = /(?:^|[^\p{L}\d])(\d{1,2}|\p{L}+)\s+(days?|weeks?|months?|d[ií]as?|semanas?|mes(?:es)?)(?![\p{L}])/iu;
const CLOCK = /(?:^|\D)([01]?\d|2[0-3]):([0-5]\d)\s*(am|pm|a\.\s?m\.|p\.\s?m\.)?/i;

/** What a touchpoint says of its day and hour, as far as it says it; nobody has to keep to it. `today` is "2026-12-01". */
export function proposed(said: { readonly when: string; readonly due?: string; readonly frequency?: string }, today: string): { readonly day: string; readonly hour: string } {
  return { day: dayOf(said, today), hour: hourOf(said.when) };
}

function dayOf(said: { readonly when: string; readonly due?: string; readonly frequency?: string }, today: string): string {
  if (said.due !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(said.due) && said.due > today) return said.due;
  for (const words of [said.when, said.frequency ?? ""]) {
    const span = SPAN.exec(words);
    const count = span?.[1] === undefined ? undefined : /^\d/.test(span[1]) ? Number(span[1]) : NUMBERS[span[1].toLowerCase()];
    const unit = span?.[2]?.toLowerCase();
    if (count === undefined || count < 1 || unit === undefined) continue;
    return later(today, count, unit.startsWith("m") ? "month" : unit.startsWith("d") ? "day" : "week");
  }
  return "";
}

function later(today: string, count: number, unit: "day" | "week" | "month"): string {
  const [year = 0, month = 1, day = 1] = today.split("-").map(Number);
  if (unit !== "month") return new Date(Date.UTC(year, month - 1, day + count * (unit === "week" ? 7 : 1))).toISOString().slice(0, 10);
  // Of a shorter month, its last day.
  const last = new Date(Date.UTC(year, month + count, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + count, Math.min(day, last))).toISOString().slice(0, 10);
}

function hourOf(when: string): string {
  const clock = CLOCK.exec(when);
  if (clock?.[1] === undefined || clock[2] === undefined) return "";
  const half = clock[3]?.[0]?.toLowerCase();
  const hour = Number(clock[1]);
  const of24 = half === "p" && hour < 12 ? hour + 12 : half === "a" && hour === 12 ? 0 : hour;
  return `${String(of24).padStart(2, "0")}:${clock[2]}`;
}
