/**
 * A narrative field's shared text. The only file that names Yjs, loaded with the first field that shows one.
 *
 * Client ids: what is known is applied first, then the fresh id is set; a document whose update was refused is
 * dropped and built anew. (An id set before its own structs arrive is changed by Yjs, and the server then refuses
 * everything typed.)
 */
import * as Y from "yjs";
import type { Address, Base64, Caret } from "../wire";
import { fromBase64, toBase64 } from "./base64";
import { keyOf } from "./fold";
import type { SharedRecord, TextEvent } from "./record";
import type { SharedText, Step } from "./textarea";

/** Between two updates sent while somebody types: others see words grow, the log stays short. */
export const FLUSH_MS = 100;
/** Keys closer together than this are undone together. */
const UNDO_GROUP_MS = 500;
/** Origins of transactions. */
const MINE = "mine";
const SERVER = "server";

export interface Timer {
  (ms: number, act: () => void): () => void;
}

const timeout: Timer = (ms, act) => {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
};

/** What the field needs of the record. */
export type TextPort = Pick<SharedRecord, "text" | "onText" | "type">;

export class NarrativeDoc implements SharedText {
  private readonly port: TextPort;
  private readonly at: Address;
  private readonly timer: Timer;
  private doc = new Y.Doc();
  private undoer: Y.UndoManager | null = null;
  private waiting: Uint8Array[] = [];
  private pause: (() => void) | null = null;
  private readonly changed = new Set<(steps: readonly Step[], typed: boolean) => void>();
  private readonly incoming = new Set<(update: Uint8Array) => void>();

  constructor(port: TextPort, at: Address, timer: Timer = timeout) {
    this.port = port;
    this.at = at;
    this.timer = timer;
    this.build();
    port.onText(at, (event) => this.receive(event));
  }

  read = (): string => this.text.toString();

  change(at: number, remove: number, insert: string): void {
    this.doc.transact(() => {
      if (remove > 0) this.text.delete(at, remove);
      if (insert !== "") this.text.insert(at, insert);
    }, MINE);
  }

  onChange(listener: (steps: readonly Step[], typed: boolean) => void): () => void {
    this.changed.add(listener);
    return () => void this.changed.delete(listener);
  }

  onIncoming(listener: (update: Uint8Array) => void): () => void {
    this.incoming.add(listener);
    return () => void this.incoming.delete(listener);
  }

  apply(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, SERVER);
  }

  undo(): void {
    this.undoer?.undo();
  }

  redo(): void {
    this.undoer?.redo();
  }

  /** Sends what was typed and is not sent yet. */
  flush(): void {
    this.pause?.();
    this.pause = null;
    if (this.waiting.length === 0) return;
    const update = Y.mergeUpdates(this.waiting);
    this.waiting = [];
    this.port.type(this.at, toBase64(update), this.read());
  }

  /** A caret as others can place it, whatever they typed meanwhile. */
  caret(from: number, to: number): Caret {
    const place = (index: number): Base64 => toBase64(Y.encodeRelativePosition(Y.createRelativePositionFromTypeIndex(this.text, index)));
    return { at: this.at, head: place(to), anchor: from === to ? null : place(from) };
  }

  /** Where somebody's caret stands here; `null` if it cannot be placed. */
  place(head: Base64): number | null {
    try {
      return Y.createAbsolutePositionFromRelativePosition(Y.decodeRelativePosition(fromBase64(head)), this.doc)?.index ?? null;
    } catch {
      return null; // somebody else's bytes
    }
  }

  private get text(): Y.Text {
    return this.doc.getText("t");
  }

  private receive(event: TextEvent): void {
    switch (event.kind) {
      case "update": {
        const update = fromBase64(event.update);
        // Without an area nobody holds updates back.
        if (this.incoming.size === 0) this.apply(update);
        for (const listener of this.incoming) listener(update);
        return;
      }
      case "client":
        this.flush();
        this.doc.clientID = event.clientId;
        return;
      case "reset": {
        this.flush();
        const before = this.read();
        this.undoer?.destroy();
        this.doc.destroy();
        this.doc = new Y.Doc();
        this.build();
        const after = this.read();
        if (before !== after) this.tell(steps(before, after), false);
        return;
      }
      default:
        return event satisfies never;
    }
  }

  private build(): void {
    const { updates, clientId } = this.port.text(this.at);
    for (const update of updates) Y.applyUpdate(this.doc, fromBase64(update), SERVER);
    this.doc.clientID = clientId;
    this.undoer = new Y.UndoManager(this.text, { trackedOrigins: new Set([MINE]), captureTimeout: UNDO_GROUP_MS });
    const own = this.undoer;
    this.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin === MINE || origin === own) this.outgoing(update);
    });
    this.text.observe((event) => this.tell(event.delta.map(step), event.transaction.origin === MINE));
  }

  private tell(changes: readonly Step[], typed: boolean): void {
    for (const listener of this.changed) listener(changes, typed);
  }

  /** The first key at once, then at most one update each `FLUSH_MS`. */
  private outgoing(update: Uint8Array): void {
    this.waiting.push(update);
    if (this.pause !== null) return;
    this.flush();
    this.pause = this.timer(FLUSH_MS, () => {
      this.pause = null;
      if (this.waiting.length === 0) return;
      const all = this.waiting;
      this.waiting = [];
      this.outgoing(Y.mergeUpdates(all));
    });
  }
}

const step = (part: { readonly insert?: unknown; readonly retain?: number | undefined; readonly delete?: number | undefined }): Step =>
  part.retain !== undefined ? { retain: part.retain }
    : part.delete !== undefined ? { remove: part.delete }
      : { insert: typeof part.insert === "string" ? part.insert : "" };

/** One text turned into another, roughly: what is common at both ends stays. */
function steps(before: string, after: string): readonly Step[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < before.length - head && tail < after.length - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  return [{ retain: head }, { remove: before.length - head - tail }, { insert: after.slice(head, after.length - tail) }];
}

const docs = new WeakMap<SharedRecord, Map<string, NarrativeDoc>>();

/** The text of a field: one for each record, so that leaving a panel and coming back neither loses nor repeats. */
export function narrative(record: SharedRecord, at: Address): NarrativeDoc {
  const known = docs.get(record) ?? new Map<string, NarrativeDoc>();
  docs.set(record, known);
  const doc = known.get(keyOf(at)) ?? new NarrativeDoc(record, at);
  known.set(keyOf(at), doc);
  return doc;
}
