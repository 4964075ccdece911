/** What a person did last, and what would take it back: always by a new edit. Pure. */
import type { Address, Base, Change, DocKind, EditId, ListName, Op, PersonId, RowId, Value } from "../wire";
import { address, listOf, presenceOf, registerAt, rowsOf, type DocState } from "./fold";

export type Undoable =
  | { readonly kind: "set"; readonly at: Address; readonly before: Value | null; readonly after: Value | null }
  | { readonly kind: "added"; readonly list: ListName; readonly row: RowId }
  | { readonly kind: "removed"; readonly row: RowId }
  | { readonly kind: "moved"; readonly row: RowId; readonly after: RowId | null };

/** An own change that is on the server. */
export interface Done {
  readonly doc: DocKind;
  readonly seq: number;
  readonly edit: EditId;
  readonly what: Undoable;
}

/** How many steps back: a person who wants more reads the history. */
const DONE_MOST = 50;

/** What would take a change back; `before` is the document it came to. Decisions and ended conflicts stand; texts have an undo of their own. */
export function undoable({ what }: Change, before: DocState): Undoable | null {
  switch (what.kind) {
    case "set":
      return { kind: "set", at: what.at, before: what.before, after: what.after };
    case "added":
      return { kind: "added", list: what.list, row: what.row };
    case "tombstoned":
      return { kind: "removed", row: what.row };
    case "moved": {
      const list = listOf(before, what.row);
      if (list === undefined) return null;
      const rows = rowsOf(before, list);
      return { kind: "moved", row: what.row, after: rows[rows.indexOf(what.row) - 1] ?? null };
    }
    case "agreed":
    case "conflicted":
    case "resolved":
    case "restored":
    case "text":
    case "reviewed":
    case "decided":
      return null;
    default:
      return what satisfies never;
  }
}

/** Whether it still stands as it was done, somebody went on from it, or there is nothing left to take back. */
export type Since = "still" | "changed" | "gone";

/** `person`: who wants to undo; what they did themselves since is no reason not to. */
export function sinceDone({ seq, what }: Done, doc: DocState, person: PersonId): Since {
  switch (what.kind) {
    case "set": {
      const { row } = what.at;
      if (row !== undefined && presenceOf(doc, row) === "removed") return "gone";
      const register = registerAt(doc, what.at);
      return register.state === "value" && register.rev === seq ? "still" : "changed";
    }
    case "added": {
      if (presenceOf(doc, what.row) === "removed" || !rowsOf(doc, what.list).includes(what.row)) return "gone";
      const later = [...doc.registers].some(([key, register]) => key.startsWith(`${what.row}/`)
        && (register.state === "conflict" || (register.state === "value" && register.rev > seq && !(register.by.kind === "seat" && register.by.person === person))));
      const typed = [...doc.texts].some(([key, text]) => key.startsWith(`${what.row}/`) && text.rev > seq);
      return later || typed ? "changed" : "still";
    }
    case "removed": {
      const register = registerAt(doc, address("presence", what.row));
      return register.state === "value" && register.rev === seq ? "still" : "gone";
    }
    case "moved":
      return listOf(doc, what.row) !== undefined && presenceOf(doc, what.row) !== "removed" ? "still" : "gone";
    default:
      return what satisfies never;
  }
}

/** The new edit that takes something back. */
export function takeBack(what: Undoable, now: { readonly base: (at: Address) => Base; readonly seen: number; readonly reason: string }): Op {
  switch (what.kind) {
    case "set":
      return { kind: "set", at: what.at, base: now.base(what.at), value: what.before };
    case "added":
      return { kind: "tombstone", row: what.row, seen: now.seen, reason: now.reason };
    case "removed":
      return { kind: "restore", row: what.row, seen: now.seen };
    case "moved":
      return { kind: "move", row: what.row, after: what.after };
    default:
      return what satisfies never;
  }
}

/** The list with a change, if it is the person's own and can be taken back. */
export function noted(done: readonly Done[], doc: DocKind, change: Change, before: DocState, person: PersonId): readonly Done[] {
  const own = change.by.kind === "seat" && change.by.person === person;
  const what = own ? undoable(change, before) : null;
  return what === null ? done : [...done, { doc, seq: change.seq, edit: change.edit, what }].slice(-DONE_MOST);
}
