/**
 * One open record: the documents as received, own edits on their way, and what became of them.
 *
 * Nothing typed is dropped: an edit is acknowledged, or waits here and on the device, or was refused and its words
 * stand on the screen. The socket being open proves nothing; only acknowledgements count.
 */
import type { Line } from "../call/connection";
import type {
  Address, Base, Base64, Caret, Change, ClientMessage, Command, DocId, DocKind, EditId, FieldName, ListName, RecordId, RowId, ServerMessage, Value,
} from "../wire";
import { CaretSender } from "./caret";
import type { Clock } from "./clock";
import { Commands } from "./commands";
import { EMPTY_DOC, fold, fromSnapshot, keyOf, registerAt, type DocState } from "./fold";
import { Histories } from "./histories";
import { join, setsKey } from "./ops";
import type { Draft, Queue } from "./queue";
import { RecordStore } from "./recordStore";
import type { Facts } from "./saved";
import { Sending } from "./sending";
import type { CommandAnswer, OpenDoc, RecordState, TextEvent, TextSource, Writer } from "./state";
import { keepEqual, type Readable } from "./store";
import { Texts } from "./texts";
import { noted, takeBack, type Done } from "./undo";

export type * from "./state";
export type { Clock } from "./clock";

export interface Parts {
  readonly line: Line;
  readonly record: RecordId;
  readonly self: Writer;
  readonly queue: Promise<Queue>;
  readonly clock: Clock;
  readonly newEditId: () => EditId;
  readonly newRowId: () => RowId;
}

export class SharedRecord implements Readable<RecordState> {
  readonly self: Writer;
  readonly id: RecordId;
  readonly newRowId: () => RowId;
  private readonly parts: Parts;
  private readonly store: RecordStore;
  private readonly texts: Texts;
  private readonly commands: Commands;
  private readonly sending: Sending;
  private readonly halves = new Map<DocId, Extract<ServerMessage, { type: "record.snapshot" }>[]>();
  /** Documents that were asked for again: until they come, changes are not folded. */
  private readonly stale = new Set<DocId>();
  private readonly undo: (() => void)[] = [];
  private readonly caret: CaretSender;
  readonly histories: Histories;
  /** Edits that take something back are not themselves taken back: pressing again goes further. */
  private readonly undone = new Set<EditId>();

  constructor(parts: Parts) {
    this.parts = parts;
    this.self = parts.self;
    this.id = parts.record;
    this.newRowId = parts.newRowId;
    this.store = new RecordStore(parts.self, parts.clock);
    this.texts = new Texts(this.store);
    this.commands = new Commands(parts.line);
    this.sending = new Sending({ ...parts, store: this.store, texts: this.texts, askAgain: (doc) => this.askAgain(doc) });
    this.caret = new CaretSender(parts.clock, (kind, caret) => {
      const doc = this.get().docs.get(kind);
      return doc !== undefined && parts.line.send({ type: "record.caret", doc: doc.id, caret });
    });
    this.histories = new Histories(parts.line);
    this.undo.push(() => this.histories.close());
    this.undo.push(parts.line.onMessage((message) => this.store.batch(() => this.receive(message))));
    this.undo.push(parts.line.onState((state) => (state === "open" ? this.lineUp() : this.lineDown())));
    void this.sending.recall();
  }

  get = (): RecordState => this.store.get();
  subscribe = (listener: () => void): (() => void) => this.store.subscribe(listener);

  // ---- what a person does ----

  /** What a set of this register would build on now: an own edit on its way, or what the server said. */
  base(at: Address): Base {
    const key = keyOf(at);
    const mine = this.get().pending.findLast(({ entry }) => setsKey(entry.op, key));
    if (mine !== undefined) return { mine: mine.entry.edit };
    const register = registerAt(this.store.docOf(at.field)?.server ?? EMPTY_DOC, at);
    return { rev: register.state === "empty" ? 0 : register.rev };
  }

  /** `base` is what the person had seen when they began; without it, what stands now. */
  set(at: Address, value: Value | null, base: Base = this.base(at)): void {
    this.sending.settle(keyOf(at));
    this.sending.edit({ kind: "set", at, base, value });
  }

  resolve(at: Address, seen: readonly number[], value: Value | null): void {
    this.sending.settle(keyOf(at));
    this.sending.edit({ kind: "resolve", at, seen: [...seen], value });
  }

  add(list: ListName, after: RowId | null, values: { [key in FieldName]?: unknown }): RowId {
    const row = this.parts.newRowId();
    this.sending.edit({ kind: "add", list, row, after, values });
    return row;
  }

  remove(list: ListName, row: RowId, reason: string): void {
    this.sending.edit({ kind: "tombstone", row, seen: this.store.docOfList(list)?.server.seq ?? 0, reason });
  }

  restore(list: ListName, row: RowId): void {
    this.sending.edit({ kind: "restore", row, seen: this.store.docOfList(list)?.server.seq ?? 0 });
  }

  move(row: RowId, after: RowId | null): void {
    this.sending.edit({ kind: "move", row, after });
  }

  /** "I have read what the merge made." */
  reviewed(at: Address): void {
    const text = this.store.docOf(at.field)?.server.texts.get(keyOf(at));
    if (text !== undefined) this.sending.edit({ kind: "reviewed", at, seen: text.rev });
  }

  /** Takes an own change back by a new edit, on what stands now: the person has seen it. `reason`: why a row goes. */
  takeBack(done: Done, reason: string): void {
    this.forgetDone(done);
    const edit = this.sending.edit(takeBack(done.what, { base: (at) => this.base(at), seen: this.get().docs.get(done.doc)?.server.seq ?? 0, reason }));
    if (edit !== null) this.undone.add(edit);
  }

  /** It stays as it is. */
  forgetDone(done: Done): void {
    this.store.patch({ done: this.get().done.filter((one) => one.edit !== done.edit) });
  }

  /** A decision: needs the line, is never queued, and answers once. */
  command(kind: DocKind, command: Command): Promise<CommandAnswer> {
    return this.decide(kind, (doc, id, seen) => ({ type: "record.command", doc, id, command, seen }));
  }

  /** Signs the plan as it stood at `seen`. */
  sign(seen: number, proof: string | null): Promise<CommandAnswer> {
    return this.decide("plan", (doc, id) => ({ type: "record.sign", doc, id, seen, ...(proof === null ? {} : { step_up: proof }) }));
  }

  private decide(kind: DocKind, message: (doc: DocId, id: EditId, seen: number) => ClientMessage): Promise<CommandAnswer> {
    const doc = this.get().docs.get(kind);
    const id = this.parts.newEditId();
    return doc === undefined ? Promise.resolve({ kind: "unknown" }) : this.commands.give(id, message(doc.id, id, doc.server.seq));
  }

  /** Asks what is missing before the plan may be signed; the answer comes into the state. */
  askGate(): void {
    const doc = this.get().docs.get("plan");
    if (doc !== undefined) this.parts.line.send({ type: "record.gate", doc: doc.id });
  }

  /** Asks for the safety prompts; the answer comes into the state. */
  askSafety(): void {
    const doc = this.get().docs.get("plan");
    if (doc !== undefined) this.parts.line.send({ type: "record.safety", doc: doc.id });
  }

  /** Keeps an open editor over a reload. Nobody else sees it. */
  keepDraft(at: Address, draft: Omit<Draft, "key">): void {
    const key = this.draftKey(at);
    if (key === null) return;
    this.takeDraft(key);
    void this.parts.queue.then((queue) => queue.keepDraft({ ...draft, key }));
  }

  /** The editor was ended or cancelled. */
  dropDraft(at: Address): void {
    const key = this.draftKey(at);
    if (key === null) return;
    this.takeDraft(key);
    void this.parts.queue.then((queue) => queue.dropDraft(key));
  }

  /** Document and address: where a draft is kept. */
  draftKey(at: Address): string | null {
    const doc = this.store.docOf(at.field);
    return doc === undefined ? null : `${doc.id}/${keyOf(at)}`;
  }

  private takeDraft(key: string): void {
    if (!this.get().drafts.has(key)) return;
    const drafts = new Map(this.get().drafts);
    drafts.delete(key);
    this.store.patch({ drafts });
  }

  /** Takes a refused edit off the screen: only a person does this. */
  dismiss(edit: EditId): void {
    this.sending.dismiss(edit);
  }

  setCaret(kind: DocKind, caret: Caret | null): void {
    this.caret.set(kind, caret);
  }

  close(): void {
    for (const step of this.undo.splice(0)) step();
    this.sending.close();
    this.parts.line.send({ type: "record.close", record: this.id });
    this.commands.lost();
  }

  // ---- texts ----

  text(at: Address): TextSource {
    return this.texts.source(at);
  }

  onText(at: Address, listener: (event: TextEvent) => void): () => void {
    return this.texts.on(at, listener);
  }

  /** `words`: the whole field as its author sees it, should the server not take it. */
  type(at: Address, update: Base64, words: string): void {
    const base = this.store.docOf(at.field)?.server.texts.get(keyOf(at))?.rev ?? 0;
    this.sending.edit({ kind: "text", at, base, update }, words);
  }

  // ---- saving ----

  facts(): Facts {
    const { pending, refused, locked, line } = this.get();
    return { waiting: pending, refused: refused.length, locked, line, now: this.parts.clock.now() };
  }

  // ---- the line ----

  private lineUp(): void {
    this.stale.clear();
    this.halves.clear();
    this.caret.forget();
    const have = [...this.get().docs.values()].map((doc) => ({ doc: doc.id, seq: doc.server.seq }));
    this.store.patch({ line: "up" });
    this.sending.lineUp();
    this.parts.line.send({ type: "record.open", record: this.id, have });
  }

  private lineDown(): void {
    this.store.patch({ line: "down", carets: new Map() });
    this.commands.lost();
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case "record.snapshot":
        if (message.record === this.id) this.snapshot(message);
        return;
      case "record.ack":
        return this.ack(message);
      case "record.change":
        return this.change(message);
      case "record.refuse":
        if (!this.commands.refused(message.edit, message.code)) this.sending.refuse(message.doc, message.edit, message.code);
        return;
      case "record.resync":
        if (this.store.kinds.has(message.doc)) this.stale.add(message.doc);
        return;
      case "record.caret": {
        const carets = new Map(this.get().carets);
        if (message.caret === null) carets.delete(message.seat);
        else carets.set(message.seat, { caret: message.caret, movedAt: this.parts.clock.now() });
        return this.store.patch({ carets });
      }
      case "record.gate":
        return this.store.patch({ gate: { seq: message.seq, missing: message.missing } });
      case "record.safety":
        return this.store.patch({ safety: { seq: message.seq, prompts: keepEqual(this.get().safety?.prompts ?? [], message.prompts) } });
      case "record.status":
        return this.store.patch({ storage: message.storage });
      case "record.closed":
        // What may not be read any more is not left on the screen.
        if (message.record === this.id) this.store.patch({ closed: message.why, ...(message.why === "not_allowed" ? { docs: new Map(), carets: new Map(), gate: null, safety: null, done: [] } : {}) });
        return;
      case "refused":
        if (message.of === "record.command") this.commands.messageRefused(message.code);
        return;
      default:
        return; // the call's messages
    }
  }

  private snapshot(part: Extract<ServerMessage, { type: "record.snapshot" }>): void {
    const before = this.halves.get(part.doc) ?? [];
    const parts = before[0]?.seq === part.seq && before.length < part.parts ? [...before, part] : [part];
    if (parts.length < part.parts) {
      this.halves.set(part.doc, parts);
      return;
    }
    this.halves.delete(part.doc);
    const old = this.get().docs.get(part.kind);
    const full = parts.flatMap(({ content }) => (content.mode === "full" ? [content.state] : []));
    const since = parts.flatMap(({ content }) => (content.mode === "since" ? content.changes : []));
    const server: DocState = full.length > 0
      ? fromSnapshot(join(full), part.seq)
      : { ...since.reduce((doc, change) => (change.seq > doc.seq ? fold(doc, change) : doc), old?.server ?? EMPTY_DOC), seq: part.seq };
    this.store.kinds.set(part.doc, part.kind);
    this.stale.delete(part.doc);
    this.sending.opened(part.doc);
    const people = new Map(this.get().people);
    for (const name of part.people) people.set(name.person, name);
    const doc: OpenDoc = {
      id: part.doc, kind: part.kind, view: part.view, server, shown: server, writable: new Set(part.writable),
      lists: new Set(part.writable_lists), commands: new Set(part.commands), clientId: part.client_id,
    };
    this.store.patch({ people, closed: null });
    this.store.putDoc(doc);
    this.store.redraw(part.kind);
    if (full.length > 0) this.texts.tellAll(part.kind, { kind: "reset" });
    else {
      for (const change of since) this.texts.tell(change);
      this.texts.tellAll(part.kind, { kind: "client", clientId: part.client_id });
    }
    this.sending.resend(part.doc);
  }

  private ack({ doc, edit, prev, change }: Extract<ServerMessage, { type: "record.ack" }>): void {
    this.commands.done(edit);
    const kind = this.store.kinds.get(doc);
    this.sending.answered(edit);
    if (kind === undefined) return;
    if (change !== null) this.take(kind, prev, change);
    this.store.redraw(kind);
  }

  private change({ doc, prev, change, person }: Extract<ServerMessage, { type: "record.change" }>): void {
    if (person !== undefined) this.store.patch({ people: new Map(this.get().people).set(person.person, person) });
    const kind = this.store.kinds.get(doc);
    if (kind === undefined) return;
    this.take(kind, prev, change);
    this.store.redraw(kind);
  }

  /** Folds a change if it is the next one we should have; asks for the document if one is missing. */
  private take(kind: DocKind, prev: number, change: Change): void {
    const doc = this.get().docs.get(kind);
    if (doc === undefined || this.stale.has(doc.id) || change.seq <= doc.server.seq) return;
    if (prev !== doc.server.seq) return this.askAgain(doc.id);
    const done = this.undone.delete(change.edit) ? this.get().done : noted(this.get().done, kind, change, doc.server, this.self.person);
    this.store.patch({ done });
    this.store.putDoc({ ...doc, server: fold(doc.server, change) });
    this.texts.tell(change);
  }

  private askAgain(doc: DocId): void {
    if (this.stale.has(doc)) return;
    this.stale.add(doc);
    this.parts.line.send({ type: "record.resync", doc });
  }
}
