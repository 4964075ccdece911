/** What is done about each refusal. The server's codes; the person's words stay on the screen with every one. */
import type { RecordRefusal } from "../wire";
import type { Entry } from "./queue";

export type Handling =
  /** Cannot be stored now: kept here and sent again. */
  | "again"
  /** The store stopped: kept here, sent again when the line is built anew. */
  | "kept"
  /** The world moved on, or the value breaks a rule: it stays in an open editor beside what stands now. */
  | "editor"
  /** No field can show it any more. */
  | "box"
  /** A text whose updates do not fit: the text is fetched anew, the words go to the box. */
  | "text";

export const HANDLING: Record<RecordRefusal | "locked", Handling> = {
  storage_full: "again",
  storage_away: "again",
  busy: "again",
  too_fast: "again",
  storage_failed: "kept",
  in_conflict: "editor",
  stale_resolution: "editor",
  row_removed: "editor",
  base_unknown: "editor",
  base_refused: "editor",
  bad_value: "editor",
  too_long: "editor",
  too_big: "editor",
  conflict_full: "editor",
  locked: "box",
  sealed: "box",
  unknown_address: "box",
  row_exists: "box",
  list_full: "box",
  not_allowed: "box",
  not_open: "box",
  text_bad: "text",
  text_foreign_client: "text",
  text_gap: "text",
  text_not_plain: "text",
  // Answers to commands, which are never queued; should one name an edit, its words are kept.
  unknown_row: "box",
  already_decided: "box",
  not_sent: "box",
  not_complete: "box",
  changed_since: "box",
  bad_decision: "box",
  not_ready: "box",
  not_signed: "box",
  not_addressee: "box",
  // The choice of before is back at once; what it was to be is a choice, not typed words.
  access_minimum: "box",
  already_booked: "box",
  not_booked: "box",
  yet_to_come: "box",
  step_up_needed: "box",
  passkey_needed: "box",
};

/** Refusals that only say that an earlier edit of the same place is still on its way. */
export const EXPLAINED_BY_AN_EARLIER: ReadonlySet<string> = new Set<RecordRefusal>(["text_gap", "base_refused", "unknown_address", "row_removed"]);

/** Of a text that is not taken, for whatever reason, its Yjs document holds words the server does not have. */
export const handlingOf = ({ op }: Entry, code: RecordRefusal): Handling =>
  op.kind === "text" && code !== "not_open" && (HANDLING[code] === "editor" || HANDLING[code] === "box") ? "text" : HANDLING[code];

/** First wait before a refused edit is sent again; doubles with each refusal. */
export const AGAIN_MS = 1_000;
/** A store that is away for long is asked twice a minute: often enough for people, seldom enough for the server. */
export const AGAIN_MOST_MS = 30_000;
