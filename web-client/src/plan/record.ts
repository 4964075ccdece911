/**
 * One open record: the documents as received, own edits on their way, and what became of them.
 *
 * Nothing typed is dropped: an edit is acknowledged, or waits here and on the device, or was refused and its words
 * stand on the screen. The socket being open proves nothing; only acknowledgements count.
 */
import type { Line } from "../call/connection";
import {
  FIELDS, type Address, type Base, type Base64, type Caret, type Change, type ClientMessage, type Command, type DocId, type DocKind, type EditId, type FieldName,
  type ListName, type Op, type PersonId, type RecordId, type RecordRefusal, type RefusalCode, type Role, type RowId, type SeatId, type ServerMessage, type Value,
} from "../wire";
import { CaretSender } from "./caret";
import type { Clock } from "./clock";
import {
  anticipate, EMPTY_DOC, fold, fromSnapshot, keyOf, listOf, registerAt, type DocState, type Self,
} from "./fold";
import { Histories } from "./histories";
import { docOfList, join, setsKey, touches } from "./ops";
import type { Draft, Entry, Queue } from "./queue";
import { AGAIN_MOST_MS, AGAIN_MS, EXPLAINED_BY_AN_EARLIER, handlingOf } from "./refusals";
import type { Facts } from "./saved";
import type { CommandAnswer, OpenDoc, Pending, RecordState, Refused, TextEvent, TextSource } from "./state";
import { createStore, type Readable } from "./store";
import { noted, takeBack, type Done } from "./undo";

export type * from "./state";
export type { Clock } from "./clock";

export interface Parts {
  readonly line: Line;
  readonly record: RecordId;
  readonly self: { readonly person: PersonId; readonly seat: SeatId; readonly role: Role };
  readonly queue: Promise<Queue>;
  readonly clock: Clock;
  readonly newEditId: () => EditId;
  readonly newRowId: () => RowId;
}

export class SharedRecord implements Readable<RecordState> {
  readonly self: Parts["self"];
  readonly id: RecordId;
  readonly newRowId: () => RowId;
  private readonly parts: Parts;
  private readonly store = createStore<RecordState>({
    line: "down", docs: new Map(), pending: [], refused: [], locked: 0, people: new Map(), carets: new Map(),
    storage: "ok", closed: null, gate: null, safety: null, drafts: new Map(), done: [],
  });
  private readonly kinds = new Map<DocId, DocKind>();
  private readonly halves = new Map<DocId, Extract<ServerMessage, { type: "record.snapshot" }>[]>();
  /** Documents that were asked for again: until they come, changes are not folded. */
  private readonly stale = new Set<DocId>();
  private readonly commands = new Map<EditId, (answer: CommandAnswer) => void>();
  private readonly texts = new Map<string, Set<(event: TextEvent) => void>>();
  private readonly undo: (() => void)[] = [];
  /** Counts lines; a document is sent to only when its snapshot came on this one. */
  private epoch = 0;
  private readonly openOn = new Map<DocId, number>();
  private order = 0;
  private again: (() => void) | null = null;
  private wait = AGAIN_MS;
  private readonly caret: CaretSender;
  readonly histories: Histories;
  /** Edits that take something back are not themselves taken back: pressing again goes further. */
  private readonly undone = new Set<EditId>();

  constructor(parts: Parts) {
    this.parts = parts;
    this.self = parts.self;
    this.id = parts.record;
    this.newRowId = parts.newRowId;
    this.caret = new CaretSender(parts.clock, (kind, caret) => {
      const doc = this.get().docs.get(kind);
      return doc !== undefined && parts.line.send({ type: "record.caret", doc: doc.id, caret });
    });
    this.histories = new Histories(parts.line);
    this.undo.push(() => this.histories.close());
    this.undo.push(parts.line.onMessage((message) => this.store.batch(() => this.receive(message))));
    this.undo.push(parts.line.onState((state) => (state === "open" ? this.lineUp() : this.lineDown())));
    void this.recall();
  }

  get = (): RecordState => this.store.get();
  subscribe = (listener: () => void): (() => void) => this.store.subscribe(listener);

  // ---- what a person does ----

  /** What a set of this register would build on now: an own edit on its way, or what the server said. */
  base(at: Address): Base {
    const key = keyOf(at);
    const mine = this.get().pending.findLast(({ entry }) => setsKey(entry.op, key));
    if (mine !== undefined) return { mine: mine.entry.edit };
    const register = registerAt(this.docOf(at.field)?.server ?? EMPTY_DOC, at);
    return { rev: register.state === "empty" ? 0 : register.rev };
  }

  /** `base` is what the person had seen when they began; without it, what stands now. */
  set(at: Address, value: Value | null, base: Base = this.base(at)): void {
    this.settle(keyOf(at));
    this.edit({ kind: "set", at, base, value });
  }

  resolve(at: Address, seen: readonly number[], value: Value | null): void {
    this.settle(keyOf(at));
    this.edit({ kind: "resolve", at, seen: [...seen], value });
  }

  add(list: ListName, after: RowId | null, values: { [key in FieldName]?: unknown }): RowId {
    const row = this.parts.newRowId();
    this.edit({ kind: "add", list, row, after, values });
    return row;
  }

  remove(list: ListName, row: RowId, reason: string): void {
    this.edit({ kind: "tombstone", row, seen: this.docOfList(list)?.server.seq ?? 0, reason });
  }

  restore(list: ListName, row: RowId): void {
    this.edit({ kind: "restore", row, seen: this.docOfList(list)?.server.seq ?? 0 });
  }

  move(row: RowId, after: RowId | null): void {
    this.edit({ kind: "move", row, after });
  }

  /** "I have read what the merge made." */
  reviewed(at: Address): void {
    const text = this.docOf(at.field)?.server.texts.get(keyOf(at));
    if (text !== undefined) this.edit({ kind: "reviewed", at, seen: text.rev });
  }

  /** Takes an own change back by a new edit, on what stands now: the person has seen it. `reason`: why a row goes. */
  takeBack(done: Done, reason: string): void {
    this.forgetDone(done);
    const edit = this.edit(takeBack(done.what, { base: (at) => this.base(at), seen: this.get().docs.get(done.doc)?.server.seq ?? 0, reason }));
    if (edit !== null) this.undone.add(edit);
  }

  /** It stays as it is. */
  forgetDone(done: Done): void {
    this.patch({ done: this.get().done.filter((one) => one.edit !== done.edit) });
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
    if (doc === undefined || !this.parts.line.send(message(doc.id, id, doc.server.seq))) return Promise.resolve({ kind: "unknown" });
    return new Promise((answer) => this.commands.set(id, answer));
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
    const doc = this.docOf(at.field);
    return doc === undefined ? null : `${doc.id}/${keyOf(at)}`;
  }

  private takeDraft(key: string): void {
    if (!this.get().drafts.has(key)) return;
    const drafts = new Map(this.get().drafts);
    drafts.delete(key);
    this.patch({ drafts });
  }

  /** Takes a refused edit off the screen: only a person does this. */
  dismiss(edit: EditId): void {
    this.patch({ refused: this.get().refused.filter((refused) => refused.entry.edit !== edit) });
    void this.forget(edit);
  }

  setCaret(kind: DocKind, caret: Caret | null): void {
    this.caret.set(kind, caret);
  }

  close(): void {
    for (const step of this.undo.splice(0)) step();
    this.again?.();
    this.parts.line.send({ type: "record.close", record: this.id });
    for (const answer of this.commands.values()) answer({ kind: "unknown" });
    this.commands.clear();
  }

  // ---- texts ----

  text(at: Address): TextSource {
    const key = keyOf(at);
    const doc = this.docOf(at.field);
    const mine = this.get().pending.flatMap(({ entry }) => (entry.op.kind === "text" && keyOf(entry.op.at) === key ? [entry.op.update] : []));
    return { updates: [...(doc?.server.texts.get(key)?.updates ?? []), ...mine], clientId: doc?.clientId ?? 0 };
  }

  onText(at: Address, listener: (event: TextEvent) => void): () => void {
    const key = keyOf(at);
    const listeners = this.texts.get(key) ?? new Set();
    this.texts.set(key, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** `words`: the whole field as its author sees it, should the server not take it. */
  type(at: Address, update: Base64, words: string): void {
    const base = this.docOf(at.field)?.server.texts.get(keyOf(at))?.rev ?? 0;
    this.edit({ kind: "text", at, base, update }, words);
  }

  // ---- saving ----

  facts(): Facts {
    const { pending, refused, locked, line } = this.get();
    return { waiting: pending, refused: refused.length, locked, line, now: this.parts.clock.now() };
  }

  // ---- the line ----

  private lineUp(): void {
    this.epoch += 1;
    this.stale.clear();
    this.halves.clear();
    this.wait = AGAIN_MS;
    this.caret.forget();
    const have = [...this.get().docs.values()].map((doc) => ({ doc: doc.id, seq: doc.server.seq }));
    this.patch({ line: "up", pending: this.get().pending.map((pending) => ({ ...pending, held: false })) });
    this.parts.line.send({ type: "record.open", record: this.id, have });
    if (this.get().locked > 0) void this.recall();
    for (const pending of this.get().pending) if (pending.device === "refused") void this.keep(pending.entry);
  }

  private lineDown(): void {
    this.patch({ line: "down", carets: new Map() });
    const open = [...this.commands.values()];
    this.commands.clear();
    for (const answer of open) answer({ kind: "unknown" });
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
        return this.refuse(message.doc, message.edit, message.code);
      case "record.resync":
        if (this.kinds.has(message.doc)) this.stale.add(message.doc);
        return;
      case "record.caret": {
        const carets = new Map(this.get().carets);
        if (message.caret === null) carets.delete(message.seat);
        else carets.set(message.seat, { caret: message.caret, movedAt: this.parts.clock.now() });
        return this.patch({ carets });
      }
      case "record.gate":
        return this.patch({ gate: { seq: message.seq, missing: message.missing } });
      case "record.safety":
        return this.patch({ safety: { seq: message.seq, prompts: message.prompts } });
      case "record.status":
        return this.patch({ storage: message.storage });
      case "record.closed":
        // What may not be read any more is not left on the screen.
        if (message.record === this.id) this.patch({ closed: message.why, ...(message.why === "not_allowed" ? { docs: new Map(), carets: new Map(), gate: null, safety: null, done: [] } : {}) });
        return;
      case "refused":
        if (message.of === "record.command") this.commandRefused(message.code);
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
    this.kinds.set(part.doc, part.kind);
    this.stale.delete(part.doc);
    this.openOn.set(part.doc, this.epoch);
    const people = new Map(this.get().people);
    for (const name of part.people) people.set(name.person, name);
    const doc: OpenDoc = {
      id: part.doc, kind: part.kind, view: part.view, server, shown: server, writable: new Set(part.writable),
      lists: new Set(part.writable_lists), commands: new Set(part.commands), clientId: part.client_id,
    };
    this.patch({ people, closed: null, docs: new Map(this.get().docs).set(part.kind, doc) });
    this.redraw(part.kind);
    if (full.length > 0) this.tellTexts(part.kind, () => ({ kind: "reset" }));
    else {
      for (const change of since) this.tellText(change);
      this.tellTexts(part.kind, () => ({ kind: "client", clientId: part.client_id }));
    }
    this.resend(part.doc);
  }

  private ack({ doc, edit, prev, change }: Extract<ServerMessage, { type: "record.ack" }>): void {
    this.commands.get(edit)?.({ kind: "done" });
    this.commands.delete(edit);
    const kind = this.kinds.get(doc);
    this.drop(edit);
    this.wait = AGAIN_MS;
    if (kind === undefined) return;
    if (change !== null) this.take(kind, prev, change);
    this.redraw(kind);
  }

  private change({ doc, prev, change, person }: Extract<ServerMessage, { type: "record.change" }>): void {
    if (person !== undefined) this.patch({ people: new Map(this.get().people).set(person.person, person) });
    const kind = this.kinds.get(doc);
    if (kind === undefined) return;
    this.take(kind, prev, change);
    this.redraw(kind);
  }

  /** Folds a change if it is the next one we should have; asks for the document if one is missing. */
  private take(kind: DocKind, prev: number, change: Change): void {
    const doc = this.get().docs.get(kind);
    if (doc === undefined || this.stale.has(doc.id) || change.seq <= doc.server.seq) return;
    if (prev !== doc.server.seq) return this.askAgain(doc.id);
    const done = this.undone.delete(change.edit) ? this.get().done : noted(this.get().done, kind, change, doc.server, this.self.person);
    this.patch({ done, docs: new Map(this.get().docs).set(kind, { ...doc, server: fold(doc.server, change) }) });
    this.tellText(change);
  }

  private askAgain(doc: DocId): void {
    if (this.stale.has(doc)) return;
    this.stale.add(doc);
    this.parts.line.send({ type: "record.resync", doc });
  }

  private refuse(doc: DocId, edit: EditId, code: RecordRefusal): void {
    const command = this.commands.get(edit);
    if (command !== undefined) {
      this.commands.delete(edit);
      return command({ kind: "refused", code });
    }
    const pending = this.get().pending.find(({ entry }) => entry.edit === edit);
    if (pending === undefined) return;
    const { entry } = pending;
    if (EXPLAINED_BY_AN_EARLIER.has(code) && this.waitsBehind(entry)) return this.hold(edit);
    switch (handlingOf(entry, code)) {
      case "again":
        return this.hold(edit);
      case "kept":
        return this.patch({ storage: "failed" });
      case "editor":
        return this.refused(entry, code, entry.op.kind === "set" || entry.op.kind === "resolve" ? "editor" : "box");
      case "box":
        return this.refused(entry, code, "box");
      case "text": {
        // What was typed after it builds on it: all of it goes to the box, as the field last stood.
        const key = entry.op.kind === "text" ? keyOf(entry.op.at) : "";
        const later = this.get().pending
          .filter((other) => other.entry.order >= entry.order && other.entry.op.kind === "text" && keyOf(other.entry.op.at) === key);
        const words = later.at(-1)?.entry.words ?? entry.words ?? "";
        for (const other of later) if (other.entry.edit !== edit) this.drop(other.entry.edit);
        this.refused({ ...entry, words }, code, "box");
        return this.askAgain(doc);
      }
    }
  }

  /** The message itself was refused, and names no command. Of several under way it may have been any. */
  private commandRefused(code: RefusalCode): void {
    const open = [...this.commands.values()];
    this.commands.clear();
    const known = code === "too_fast" || code === "busy" || code === "not_allowed" ? code : "not_open";
    for (const answer of open) answer(open.length === 1 ? { kind: "refused", code: known } : { kind: "unknown" });
  }

  private refused(entry: Entry, code: RecordRefusal, place: Refused["place"]): void {
    const { pending, refused } = this.get();
    const kept: Entry = { ...entry, refused: code };
    this.patch({
      pending: pending.filter((other) => other.entry.edit !== entry.edit),
      refused: [...refused, { entry: kept, code, place }],
    });
    void this.parts.queue.then((queue) => queue.put(kept));
    const kind = this.kinds.get(entry.doc);
    if (kind !== undefined) this.redraw(kind);
  }

  /** Whether an edit of the same place, before this one, has no answer: it was put back, or put back and sent again already. */
  private waitsBehind(entry: Entry): boolean {
    return this.get().pending.some((other) => other.entry.order < entry.order && touches(other.entry.op, entry.op));
  }

  private hold(edit: EditId): void {
    this.patch({ pending: this.get().pending.map((pending) => (pending.entry.edit === edit ? { ...pending, held: true } : pending)) });
    if (this.again !== null) return;
    const wait = this.wait;
    this.wait = Math.min(this.wait * 2, AGAIN_MOST_MS);
    this.again = this.parts.clock.later(wait, () => {
      this.again = null;
      const docs = new Set(this.get().pending.filter(({ held }) => held).map(({ entry }) => entry.doc));
      this.patch({ pending: this.get().pending.map((pending) => (pending.held ? { ...pending, held: false, sentOn: 0 } : pending)) });
      for (const doc of docs) this.resend(doc);
    });
  }

  // ---- the queue ----

  private edit(op: Op, words?: string): EditId | null {
    const kind = this.kindOf(op);
    const doc = this.get().docs.get(kind);
    if (doc === undefined) return null; // read-only until the first snapshot: no screen offers it
    this.order = Math.max(this.order + 1, this.parts.clock.wall()); // goes on where an earlier page stopped
    const entry: Entry = {
      doc: doc.id, edit: this.parts.newEditId(), order: this.order, op, typedAt: this.parts.clock.wall(),
      ...(words === undefined ? {} : { words }),
    };
    const behind = this.get().pending.some((other) => other.held && touches(other.entry.op, op));
    const pending: Pending = { entry, since: this.parts.clock.now(), device: "writing", sentOn: 0, held: behind };
    this.store.batch(() => {
      this.patch({ pending: [...this.get().pending, pending] });
      this.redraw(kind);
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
    this.patch({ pending: this.get().pending.map((other) => (other.entry.edit === entry.edit ? { ...other, sentOn: this.epoch } : other)) });
  }

  /** Sends what this line has not carried yet, in the order it was typed. */
  private resend(doc: DocId): void {
    for (const pending of this.get().pending) {
      if (pending.entry.doc === doc && pending.sentOn !== this.epoch && !pending.held) this.send(pending, true);
    }
  }

  private async keep(entry: Entry): Promise<void> {
    const kept = await (await this.parts.queue).put(entry);
    const waiting = this.get().pending.some((pending) => pending.entry.edit === entry.edit);
    if (!waiting) {
      // Answered while it was being written.
      if (!this.get().refused.some((refused) => refused.entry.edit === entry.edit)) await this.forget(entry.edit);
      return;
    }
    this.patch({
      pending: this.get().pending.map((pending) => (pending.entry.edit === entry.edit ? { ...pending, device: kept ? "kept" : "refused" } : pending)),
    });
  }

  /** Takes over what an earlier page of this seat left on the device. A seat has one record. */
  private async recall(): Promise<void> {
    const queue = await this.parts.queue;
    const { entries, locked } = await queue.load();
    const drafts = await queue.drafts();
    const state = this.get();
    const known = new Set([...state.pending, ...state.refused].map(({ entry }) => entry.edit));
    const fresh = entries.filter(({ edit }) => !known.has(edit));
    const now = this.parts.clock.now();
    const waiting = fresh.filter(({ refused }) => refused === undefined)
      .map((entry): Pending => ({ entry, since: now, device: "kept", sentOn: 0, held: false }));
    const refused = fresh.flatMap((entry): Refused[] => (entry.refused === undefined ? [] : [{ entry, code: entry.refused, place: "box" }]));
    this.order = Math.max(this.order, ...fresh.map(({ order }) => order));
    // Older ones first; what was typed here meanwhile goes behind them.
    this.patch({ locked, drafts: new Map(drafts.map((draft) => [draft.key, draft])), pending: [...waiting, ...state.pending], refused: [...state.refused, ...refused] });
    for (const [id, kind] of this.kinds) {
      this.redraw(kind);
      if (waiting.some(({ entry }) => entry.doc === id)) this.tellTexts(kind, () => ({ kind: "reset" }));
      this.resend(id);
    }
  }

  private drop(edit: EditId): void {
    if (!this.get().pending.some(({ entry }) => entry.edit === edit)) return;
    this.patch({ pending: this.get().pending.filter(({ entry }) => entry.edit !== edit) });
    void this.forget(edit);
  }

  private async forget(edit: EditId): Promise<void> {
    await (await this.parts.queue).remove(edit);
  }

  /** A new value for a field settles what was refused there. */
  private settle(key: string): void {
    for (const { entry, place } of this.get().refused) {
      if (place === "editor" && (entry.op.kind === "set" || entry.op.kind === "resolve") && keyOf(entry.op.at) === key) this.dismiss(entry.edit);
    }
  }

  // ---- helpers ----

  private patch(change: Partial<RecordState>): void {
    this.store.set({ ...this.get(), ...change });
  }

  /** Own edits on their way, drawn over what the server said. */
  private redraw(kind: DocKind): void {
    const doc = this.get().docs.get(kind);
    if (doc === undefined) return;
    const self: Self = { by: { kind: "seat", ...this.self }, at_ms: this.parts.clock.wall() };
    const shown = this.get().pending.reduce(
      (state, { entry }) => (entry.doc === doc.id ? anticipate(state, entry.op, { ...self, at_ms: entry.typedAt }) : state),
      doc.server,
    );
    this.patch({ docs: new Map(this.get().docs).set(kind, { ...doc, shown }) });
  }

  private tellText(change: Change): void {
    if (change.what.kind !== "text") return;
    const event: TextEvent = { kind: "update", update: change.what.update };
    for (const listener of this.texts.get(keyOf(change.what.at)) ?? []) listener(event);
  }

  private tellTexts(kind: DocKind, event: () => TextEvent): void {
    for (const [key, listeners] of this.texts) {
      const field = key.slice(key.indexOf("/") + 1) as FieldName;
      if (FIELDS[field].doc === kind) for (const listener of listeners) listener(event());
    }
  }

  private docOf(field: FieldName): OpenDoc | undefined {
    return this.get().docs.get(FIELDS[field].doc);
  }

  private docOfList(list: ListName): OpenDoc | undefined {
    return this.get().docs.get(docOfList(list));
  }

  private kindOf(op: Op): DocKind {
    switch (op.kind) {
      case "set":
      case "resolve":
      case "text":
      case "reviewed":
        return op.at.field === "presence" && op.at.row !== undefined ? this.kindOfRow(op.at.row) : FIELDS[op.at.field].doc;
      case "add":
        return docOfList(op.list);
      case "tombstone":
      case "restore":
      case "move":
        return this.kindOfRow(op.row);
      default:
        return op satisfies never;
    }
  }

  private kindOfRow(row: RowId): DocKind {
    for (const doc of this.get().docs.values()) if (listOf(doc.shown, row) !== undefined) return doc.kind;
    return "plan";
  }
}
