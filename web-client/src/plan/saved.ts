/**
 * Where a person's edits are, in three honest states. Computed from acknowledgements and from what the device's own
 * store said, never from the socket: unknown counts as not saved.
 */

/** One edit without an answer from the server. */
export interface Waiting {
  /** When it was typed, on the page's clock. */
  readonly since: DOMHighResTimeStamp;
  /** What the device's store said about it. */
  readonly device: "writing" | "kept" | "refused";
}

export type SaveState =
  | { readonly kind: "onServer" }
  /** Under way for less than a second: claims nothing. */
  | { readonly kind: "saving" }
  | { readonly kind: "onThisDevice"; readonly count: number }
  | { readonly kind: "notSaved"; readonly count: number };

export interface Facts {
  readonly waiting: readonly Waiting[];
  /** Edits the server refused and the person has not settled. */
  readonly refused: number;
  /** Edits of an earlier page that cannot be read yet because their key has not come. */
  readonly locked: number;
  /** Whether messages can leave at all. */
  readonly line: "up" | "down";
  readonly now: DOMHighResTimeStamp;
}

/** An answer within this time is the normal case: shorter flickers, longer hides that nothing is stored yet. */
export const GRACE_MS = 1_000;

export function saveState({ waiting, refused, locked, line, now }: Facts): SaveState {
  const late = (edit: Waiting): boolean => line === "down" || now - edit.since >= GRACE_MS;
  const lost = waiting.filter((edit) => edit.device !== "kept" && late(edit)).length + refused;
  if (lost > 0) return { kind: "notSaved", count: lost };
  if (locked > 0 || waiting.some(late)) return { kind: "onThisDevice", count: waiting.length + locked };
  return waiting.length > 0 ? { kind: "saving" } : { kind: "onServer" };
}

/** When the state changes by time alone; `null` if it does not. */
export function nextTurn({ waiting, line, now }: Facts): DOMHighResTimeStamp | null {
  if (line === "down") return null;
  const turns = waiting.map((edit) => edit.since + GRACE_MS).filter((at) => at > now);
  return turns.length === 0 ? null : Math.min(...turns);
}
