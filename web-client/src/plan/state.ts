/** What is known of an open record: types only. `recordStore.ts` holds it. */
import type {
  Base64, Caret, ClosedReason, CommandName, DocId, DocKind, FieldName, GateItem, ListName, PersonId, PersonName, Prompt, RecordRefusal, Role, SeatId, StorageState, View,
} from "../wire";
import type { DocState } from "./fold";
import type { Draft, Entry } from "./queue";
import type { Waiting } from "./saved";
import type { Done } from "./undo";

/** Who writes on this page. */
export interface Writer {
  readonly person: PersonId;
  readonly seat: SeatId;
  readonly role: Role;
}

/** An own edit without an answer. */
export interface Pending extends Waiting {
  readonly entry: Entry;
  /** The line it was last sent on; 0 if it never was. */
  readonly sentOn: number;
  /** Put back by the server, to be sent again later; later edits of the same place wait behind it. */
  readonly putBack: boolean;
}

/** An edit the server did not take. It stays until the person has settled it. */
export interface Refused {
  readonly entry: Entry;
  readonly code: RecordRefusal;
  /** Whether an open editor of its field can show it, or only the box can. */
  readonly place: "editor" | "box";
}

export interface OpenDoc {
  readonly id: DocId;
  readonly kind: DocKind;
  readonly view: View;
  /** As the server said. */
  readonly server: DocState;
  /** With own edits on their way: what the screen shows. */
  readonly shown: DocState;
  readonly writable: ReadonlySet<FieldName>;
  readonly lists: ReadonlySet<ListName>;
  readonly commands: ReadonlySet<CommandName>;
  /** For typing in texts; another one with each line. */
  readonly clientId: number;
}

export interface RemoteCaret {
  readonly caret: Caret;
  /** When it last moved, on the page's clock. */
  readonly movedAt: DOMHighResTimeStamp;
}

export interface RecordState {
  readonly line: "up" | "down";
  readonly docs: ReadonlyMap<DocKind, OpenDoc>;
  readonly pending: readonly Pending[];
  readonly refused: readonly Refused[];
  /** Edits of an earlier page that cannot be read without a key. */
  readonly locked: number;
  readonly people: ReadonlyMap<PersonId, PersonName>;
  readonly carets: ReadonlyMap<SeatId, RemoteCaret>;
  readonly storage: StorageState;
  readonly closed: ClosedReason | null;
  /** What was missing before the plan may be signed when it was last asked; `null`: not asked. */
  readonly gate: { readonly seq: number; readonly missing: readonly GateItem[] } | null;
  /** The safety prompts when they were last asked for; `null`: not asked. */
  readonly safety: { readonly seq: number; readonly prompts: readonly Prompt[] } | null;
  /** Editors an earlier page left open, until they are opened again. */
  readonly drafts: ReadonlyMap<string, Draft>;
  /** Own changes that can be taken back, the newest last. */
  readonly done: readonly Done[];
}

export type CommandAnswer =
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly code: RecordRefusal }
  /** No line, or it broke before the answer: the record itself will show what became of it. */
  | { readonly kind: "unknown" };

/** What happens to a text, for whoever holds its Yjs document. */
export type TextEvent =
  | { readonly kind: "update"; readonly update: Base64 }
  /** Everything before the new line is applied: type under the new id from here. */
  | { readonly kind: "client"; readonly clientId: number }
  /** Drop the document and build it anew from `text()`. */
  | { readonly kind: "reset" };

export interface TextSource {
  /** In order, own unanswered ones last. */
  readonly updates: readonly Base64[];
  readonly clientId: number;
}
