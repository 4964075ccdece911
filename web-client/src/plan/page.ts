/** What the patient takes home, as the server's formatter made it (`clinical::plain::PlainPage`). Nothing is composed here. */
import type { Language } from "../i18n";
import type { PlainPage, SeatId } from "../wire";

export type Taken =
  | { readonly kind: "page"; readonly page: PlainPage }
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
    if (reply.status === 204) return { kind: "nothing" };
    if (!reply.ok) return { kind: "away" };
    const body: unknown = await reply.json();
    return typeof body === "object" && body !== null && "medicines" in body && "tasks" in body ? { kind: "page", page: body as PlainPage } : { kind: "away" };
  } catch {
    return { kind: "away" };
  }
}
