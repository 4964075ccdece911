/** When and whether to connect again. Pure: told the attempt, the close code and the randomness. */

/** The first retry is spread over this long, so that a restarted server is not met by everybody at once. */
export const FIRST_SPREAD_MS = 500;
/** Never wait longer than this: a patient who sees nothing move for more than 8 s closes the page. */
export const LONGEST_WAIT_MS = 8_000;
/** After "too fast" the server should see nothing for a while. */
const RATE_WAIT_MS = 8_000;

/** `attempt` counts from 0; `random` is in [0, 1). */
export function retryDelayMs(attempt: number, random: number): number {
  if (attempt === 0) return random * FIRST_SPREAD_MS;
  return Math.min(LONGEST_WAIT_MS, FIRST_SPREAD_MS * 2 ** (attempt - 1));
}

export type AfterClose =
  | { readonly kind: "retry"; readonly notBeforeMs: number }
  /** The session of this seat is gone: the link has to be opened again. */
  | { readonly kind: "door" }
  | { readonly kind: "removed" }
  | { readonly kind: "ended" }
  /** We said something the server does not understand: most likely an old page after an update. */
  | { readonly kind: "reload" };

/** Close codes of the server (4400 to 4429) and of the protocol. */
export function afterClose(code: number): AfterClose {
  switch (code) {
    case 4400: return { kind: "reload" };
    case 4401: return { kind: "door" };
    case 4403: return { kind: "removed" };
    case 4429: return { kind: "retry", notBeforeMs: RATE_WAIT_MS };
    default: return { kind: "retry", notBeforeMs: 0 }; // 1013 busy, 4408 slow, 4409 moved, and every broken line
  }
}

/** What a refused ticket means. */
export function afterRefusedTicket(status: number): AfterClose {
  if (status === 410) return { kind: "ended" };
  if (status === 401 || status === 404) return { kind: "door" };
  if (status === 403) return { kind: "removed" };
  if (status === 429) return { kind: "retry", notBeforeMs: RATE_WAIT_MS };
  return { kind: "retry", notBeforeMs: 0 };
}
