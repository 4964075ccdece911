/** What the patient takes home, as the server's formatter made it (`clinical::plain::PlainPage`). Nothing is composed here. */
import type { Language } from "../i18n";
import type { SeatId } from "../wire";

export interface Sentence {
  readonly text: string;
  /** `person`: in the language it was written in. */
  readonly from: "page" | "person";
}

export interface Card {
  readonly row: string;
  readonly name: string;
  readonly how: readonly Sentence[];
  readonly why: readonly Sentence[];
  readonly prescriber: readonly Sentence[];
  readonly badge?: "new" | "changed" | "stopped";
  readonly badge_text: string;
}

export interface Task {
  readonly row: string;
  readonly talked_about: readonly Sentence[];
  readonly should_do: readonly Sentence[];
  readonly when: readonly Sentence[];
  readonly done: boolean;
}

export interface List {
  readonly title: string;
  readonly items: readonly (readonly Sentence[])[];
}

export interface Page {
  readonly language: Language;
  readonly title: string;
  readonly about: readonly Sentence[];
  readonly tasks: { readonly title: string; readonly talked_about: string; readonly should_do: string; readonly when: string; readonly tasks: readonly Task[] };
  readonly medicines: {
    readonly title: string; readonly how: string; readonly why: string; readonly prescriber: string;
    readonly groups: readonly { readonly slot: string; readonly title: string; readonly cards: readonly Card[] }[];
  };
  readonly allergies: List;
  readonly shots: List;
  readonly goals: List;
  readonly visits: List;
  readonly questions: List;
  readonly follow_up: List;
  readonly call: List;
  readonly emergency: List;
  readonly disposal: List;
}

export type Taken =
  | { readonly kind: "page"; readonly page: Page }
  /** The plan was not shared with the patient. */
  | { readonly kind: "nothing" }
  /** The server did not answer, or not with a page. */
  | { readonly kind: "away" };

/** Longer than any answer of a working server. */
const ANSWER_WITHIN_MS = 8_000;

export async function fetchPage(seat: SeatId, language: Language): Promise<Taken> {
  try {
    const reply = await fetch(`/api/seats/${encodeURIComponent(seat)}/takeaway?language=${language}`, {
      headers: { accept: "application/json" }, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (reply.status === 204 || reply.status === 404) return { kind: "nothing" };
    if (!reply.ok) return { kind: "away" };
    const body: unknown = await reply.json();
    return typeof body === "object" && body !== null && "medicines" in body && "tasks" in body ? { kind: "page", page: body as Page } : { kind: "away" };
  } catch {
    return { kind: "away" };
  }
}
