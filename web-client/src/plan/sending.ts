/** Own edits from the key press to their answer: kept on the device, sent in their order, sent again, or refused. */
import type { Line } from "../call/connection";
import type { DocId, EditId, Op, RecordRefusal } from "../wire";
import type { Clock } from "./clock";
import { keyOf } from "./fold";
import { touches } from "./ops";
import type { Entry, Queue } from "./queue";
import type { RecordStore } from "./recordStore";
import { AGAIN_MOST_MS, AGAIN_MS, EXPLAINED_BY_AN_EARLIER, handlingOf } from "./refusals";
import type { Pending, Refused } from "./state";
import type { Texts } from "./texts";

interface Parts {
  readonly store: RecordStore;
  readonly texts: Texts;
  readonly line: Line;
  readonly queue: Promise<Queue>;
  readonly clock: Clock;
  readonly newEditId: () => EditId;
  /** Asks for the document anew: what this page has of it is not what the server has. */
  readonly askAgain: (doc: DocId) => void;
}

export class Sending {
  private readonly parts: Parts;
  private readonly store: RecordStore;
  /** Counts lines; a document is sent to only when its snapshot came on this one. */
  private epoch = 0;
  private readonly openOn = new Map<DocId, number>();
  private order = 0;
  private again: (() => void) | null = null;
  private wait = AGAIN_MS;

  constructor(parts: Parts) {
    this.parts = parts;
    this.store = parts.store;
  }

  lineUp(): void {
    this.epoch += 1;
    this.wait = AGAIN_MS;
    this.store.patch({ pending: this.store.get().pending.map((pending) => ({ ...pending, putBack: false })) });
    if (this.store.get().locked > 0) void this.recall();
    for (const pending of this.store.get().pending) if (pending.device === "refused") void this.keep(pending.entry);
  }

  close(): void {
    this.again?.();
  }

  /** A document's snapshot came on this line. */
  opened(doc: DocId): void {
    this.openOn.set(doc, this.epoch);
  }

  edit(op: Op, words?: string): EditId | null {
    const kind = this.store.kindOf(op);
    const doc = this.store.get().docs.get(kind);
    if (doc === undefined) return null; // read-only until the first snapshot: no screen offers it
    this.order = Math.max(this.order + 1, this.parts.clock.wall()); // goes on where an earlier page stopped
    const entry: Entry = {
      doc: doc.id, edit: this.parts.newEditId(), order: this.order, op, typedAt: this.parts.clock.wall(),
      ...(words === undefined ? {} : { words }),
    };
    const behind = this.store.get().pending.some((other) => other.putBack && touches(other.entry.op, op));
    const pending: Pending = { entry, since: this.parts.clock.now(), device: "writing", sentOn: 0, putBack: behind };
    this.store.batch(() => {
      this.store.patch({ pending: [...this.store.get().pending, pending] });
      this.store.redraw(kind);
      if (!behind) this.send(pending, false);
    });
    void this.keep(entry);
    return entry.edit;
  }

  private send({ entry }: Pending, resend: boolean): void {
    if (this.openOn.get(entry.doc) !== this.epoch || this.epoch === 0) return;
    const ago = Math.max(0, Math.round(this.parts.clock.wall() - entry.typedAt));
    const sent = this.parts.line.send({
      type: "record.edit", doc: entry.doc, edit: { id: entry.edit, op: entry.op, ...(resend ? { typed_ago_ms: ago } : {}) },
      ...(resend ? { resend: true } : {}),
    });
    if (!sent) return;
    this.mark(entry.edit, { sentOn: this.epoch });
  }

  /** Sends what this line has not carried yet, in the order it was typed. */
  resend(doc: DocId): void {
    for (const pending of this.store.get().pending) {
      if (pending.entry.doc === doc && pending.sentOn !== this.epoch && !pending.putBack) this.send(pending, true);
    }
  }

  private async keep(entry: Entry): Promise<void> {
    const kept = await (await this.parts.queue).put(entry);
    const waiting = this.store.get().pending.some((pending) => pending.entry.edit === entry.edit);
    if (!waiting) {
      // Answered while it was being written.
      if (!this.store.get().refused.some((refused) => refused.entry.edit === entry.edit)) await this.forget(entry.edit);
      return;
    }
    this.mark(entry.edit, { device: kept ? "kept" : "refused" });
  }

  /** Takes over what an earlier page of this seat left on the device. A seat has one record. */
  async recall(): Promise<void> {
    const queue = await this.parts.queue;
    const { entries, locked } = await queue.load();
    const drafts = await queue.drafts();
    const state = this.store.get();
    const known = new Set([...state.pending, ...state.refused].map(({ entry }) => entry.edit));
    const fresh = entries.filter(({ edit }) => !known.has(edit));
    const now = this.parts.clock.now();
    const waiting = fresh.filter(({ refused }) => refused === undefined)
      .map((entry): Pending => ({ entry, since: now, device: "kept", sentOn: 0, putBack: false }));
    const refused = fresh.flatMap((entry): Refused[] => (entry.refused === undefined ? [] : [{ entry, code: entry.refused, place: "box" }]));
    this.order = Math.max(this.order, ...fresh.map(({ order }) => order));
    // Older ones first; what was typed here meanwhile goes behind them.
    this.store.patch({ locked, drafts: new Map(drafts.map((draft) => [draft.key, draft])), pending: [...waiting, ...state.pending], refused: [...state.refused, ...refused] });
    for (const [id, kind] of this.store.kinds) {
      this.store.redraw(kind);
      if (waiting.some(({ entry }) => entry.doc === id)) this.parts.texts.tellAll(kind, { kind: "reset" });
      this.resend(id);
    }
  }

  /** The server has it. */
  answered(edit: EditId): void {
    this.wait = AGAIN_MS;
    this.drop(edit);
  }

  /** Takes a refused edit off the screen: only a person does this. */
  dismiss(edit: EditId): void {
    this.store.patch({ refused: this.store.get().refused.filter((refused) => refused.entry.edit !== edit) });
    void this.forget(edit);
  }

  private mark(edit: EditId, change: Partial<Pending>): void {
    this.store.patch({ pending: this.store.get().pending.map((pending) => (pending.entry.edit === edit ? { ...pending, ...change } : pending)) });
  }

  private drop(edit: EditId): void {
    if (!this.store.get().pending.some(({ entry }) => entry.edit === edit)) return;
    this.store.patch({ pending: this.store.get().pending.filter(({ entry }) => entry.edit !== edit) });
    void this.forget(edit);
  }

  private async forget(edit: EditId): Promise<void> {
    await (await this.parts.queue).remove(edit);
  }

  /** A new value for a field settles what was refused there. */
  settle(key: string): void {
    for (const { entry, place } of this.store.get().refused) {
      if (place === "editor" && (entry.op.kind === "set" || entry.op.kind === "resolve") && keyOf(entry.op.at) === key) this.dismiss(entry.edit);
    }
  }

  refuse(doc: DocId, edit: EditId, code: RecordRefusal): void {
    const pending = this.store.get().pending.find(({ entry }) => entry.edit === edit);
    if (pending === undefined) return;
    const { entry } = pending;
    if (EXPLAINED_BY_AN_EARLIER.has(code) && this.waitsBehind(entry)) return this.sendLater(edit);
    switch (handlingOf(entry, code)) {
      case "again":
        return this.sendLater(edit);
      case "kept":
        return this.store.patch({ storage: "failed" });
      case "editor":
        return this.refused(entry, code, entry.op.kind === "set" || entry.op.kind === "resolve" ? "editor" : "box");
      case "box":
        return this.refused(entry, code, "box");
      case "text": {
        // What was typed after it builds on it: all of it goes to the box, as the field last stood.
        const key = entry.op.kind === "text" ? keyOf(entry.op.at) : "";
        const later = this.store.get().pending
          .filter((other) => other.entry.order >= entry.order && other.entry.op.kind === "text" && keyOf(other.entry.op.at) === key);
        const words = later.at(-1)?.entry.words ?? entry.words ?? "";
        for (const other of later) if (other.entry.edit !== edit) this.drop(other.entry.edit);
        this.refused({ ...entry, words }, code, "box");
        return this.parts.askAgain(doc);
      }
    }
  }

  private refused(entry: Entry, code: RecordRefusal, place: Refused["place"]): void {
    const { pending, refused } = this.store.get();
    const kept: Entry = { ...entry, refused: code };
    this.store.patch({
      pending: pending.filter((other) => other.entry.edit !== entry.edit),
      refused: [...refused, { entry: kept, code, place }],
    });
    void this.parts.queue.then((queue) => queue.put(kept));
    const kind = this.store.kinds.get(entry.doc);
    if (kind !== undefined) this.store.redraw(kind);
  }

  /** Whether an edit of the same place, before this one, has no answer: it was put back, or put back and sent again already. */
  private waitsBehind(entry: Entry): boolean {
    return this.store.get().pending.some((other) => other.entry.order < entry.order && touches(other.entry.op, entry.op));
  }

  private sendLater(edit: EditId): void {
    this.mark(edit, { putBack: true });
    if (this.again !== null) return;
    const wait = this.wait;
    this.wait = Math.min(this.wait * 2, AGAIN_MOST_MS);
    this.again = this.parts.clock.later(wait, () => {
      this.again = null;
      const docs = new Set(this.store.get().pending.filter(({ putBack }) => putBack).map(({ entry }) => entry.doc));
      this.store.patch({ pending: this.store.get().pending.map((pending) => (pending.putBack ? { ...pending, putBack: false, sentOn: 0 } : pending)) });
      for (const doc of docs) this.resend(doc);
    });
  }
}
