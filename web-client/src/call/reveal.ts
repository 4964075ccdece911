/** When a picture may be shown, and when a name may stand under it. Pure. */
import { atOrAfter } from "./layout";

/** A slot that changed hands shows its picture after this long even if no frame proved whose it is; then without a name. */
export const UNPROVEN_AFTER_MS = 500;

export type Reveal = "blank" | "unproven" | "proven";

/** `from`: first RTP timestamp of the new source; `frame`: of the frame that was just drawn. */
export function revealOnFrame(before: Reveal, from: number | null, frame: number | undefined): Reveal {
  if (before === "proven") return "proven";
  // A slot that says nothing never carried anybody else.
  if (from === null) return "proven";
  if (frame !== undefined && atOrAfter(frame, from)) return "proven";
  return before;
}

export function revealOnTimeout(before: Reveal): Reveal {
  return before === "blank" ? "unproven" : before;
}
