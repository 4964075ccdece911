/** Who holds the narrative texts of an open record, and hears what happens to them. */
import { FIELDS, type Address, type Change, type DocKind, type FieldName } from "../wire";
import { keyOf } from "./fold";
import type { RecordStore } from "./recordStore";
import type { TextEvent, TextSource } from "./state";

type Listener = (event: TextEvent) => void;

export class Texts {
  private readonly store: RecordStore;
  private readonly listeners = new Map<string, Set<Listener>>();

  constructor(store: RecordStore) {
    this.store = store;
  }

  source(at: Address): TextSource {
    const key = keyOf(at);
    const doc = this.store.docOf(at.field);
    const mine = this.store.get().pending.flatMap(({ entry }) => (entry.op.kind === "text" && keyOf(entry.op.at) === key ? [entry.op.update] : []));
    return { updates: [...(doc?.server.texts.get(key)?.updates ?? []), ...mine], clientId: doc?.clientId ?? 0 };
  }

  on(at: Address, listener: Listener): () => void {
    const key = keyOf(at);
    const listeners = this.listeners.get(key) ?? new Set();
    this.listeners.set(key, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Somebody's change, if it is one of a text. */
  tell({ what }: Change): void {
    if (what.kind !== "text") return;
    const event: TextEvent = { kind: "update", update: what.update };
    for (const listener of this.listeners.get(keyOf(what.at)) ?? []) listener(event);
  }

  /** All texts of a document. */
  tellAll(kind: DocKind, event: TextEvent): void {
    for (const [key, listeners] of this.listeners) {
      const field = key.slice(key.indexOf("/") + 1) as FieldName;
      if (FIELDS[field].doc === kind) for (const listener of listeners) listener(event);
    }
  }
}
