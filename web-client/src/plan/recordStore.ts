/** What is known of an open record, the one way to change it, and which document a thing belongs to. */
import { FIELDS, type DocId, type DocKind, type FieldName, type ListName, type Op, type RowId } from "../wire";
import type { Clock } from "./clock";
import { anticipate, listOf, type Self } from "./fold";
import { docOfList } from "./ops";
import type { OpenDoc, RecordState, Writer } from "./state";
import { createStore, type Readable } from "./store";

export class RecordStore implements Readable<RecordState> {
  /** Documents that were ever received. */
  readonly kinds = new Map<DocId, DocKind>();
  private readonly self: Writer;
  private readonly clock: Clock;
  private readonly store = createStore<RecordState>({
    line: "down", docs: new Map(), pending: [], refused: [], locked: 0, people: new Map(), carets: new Map(),
    storage: "ok", closed: null, gate: null, safety: null, drafts: new Map(), done: [],
  });

  constructor(self: Writer, clock: Clock) {
    this.self = self;
    this.clock = clock;
  }

  get = (): RecordState => this.store.get();
  subscribe = (listener: () => void): (() => void) => this.store.subscribe(listener);
  /** Several changes that readers hear of once. */
  batch = (run: () => void): void => this.store.batch(run);

  patch(change: Partial<RecordState>): void {
    this.store.set({ ...this.get(), ...change });
  }

  putDoc(doc: OpenDoc): void {
    this.patch({ docs: new Map(this.get().docs).set(doc.kind, doc) });
  }

  /** Own edits on their way, drawn over what the server said. */
  redraw(kind: DocKind): void {
    const doc = this.get().docs.get(kind);
    if (doc === undefined) return;
    const self: Self = { by: { kind: "seat", ...this.self }, at_ms: this.clock.wall() };
    const shown = this.get().pending.reduce(
      (state, { entry }) => (entry.doc === doc.id ? anticipate(state, entry.op, { ...self, at_ms: entry.typedAt }) : state),
      doc.server,
    );
    if (shown !== doc.shown) this.putDoc({ ...doc, shown });
  }

  docOf(field: FieldName): OpenDoc | undefined {
    return this.get().docs.get(FIELDS[field].doc);
  }

  docOfList(list: ListName): OpenDoc | undefined {
    return this.get().docs.get(docOfList(list));
  }

  /** The document an edit changes. */
  kindOf(op: Op): DocKind {
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
