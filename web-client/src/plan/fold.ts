/**
 * The fold of the shared record, as the browser does it: a snapshot and the changes after it give the document.
 *
 * It never decides: whether an edit is taken, becomes a conflict or is refused is the server's to say. The same fold
 * is written in `server/clinical`, and both read `signaling/fixtures/fold/`. State is replaced, never mutated.
 */
import type {
  Address, Author, Base64, Candidate, Change as WireChange, FieldName, FieldValues, ListName, Merged, Millis, Op, Register,
  RowId, RowPresence, Snapshot, Value, What,
} from "../wire";

/** A change; `contested`: its row is in doubt, "removed by A, changed by B". */
type Change = WireChange & { readonly contested?: Candidate[] };

/** A document as far as it has been received. */
export interface DocState {
  /** Of the last change folded. */
  readonly seq: number;
  /** Rows of each list in order; removed ones keep their place. */
  readonly lists: ReadonlyMap<ListName, readonly RowId[]>;
  /** By the text form of their address. */
  readonly registers: ReadonlyMap<string, Register>;
  /** By the text form of their address. */
  readonly texts: ReadonlyMap<string, TextState>;
}

/** A narrative text: Yjs updates in their order. Their meaning is `text.ts`'s to read. */
export interface TextState {
  /** `seq` of its last change. */
  readonly rev: number;
  readonly updates: readonly Base64[];
  /** Set while a merge waits to be read. */
  readonly merged: Merged | undefined;
}

/** The fields that hold a value, by name. */
export type RegisterName = keyof FieldValues & FieldName;

/** What a register of this name holds. */
export type ValueOf<F extends RegisterName> = NonNullable<FieldValues[F]>;

export const EMPTY_REGISTER: Register = { state: "empty" };
const NO_ROWS: readonly RowId[] = [];
const PRESENT: RowPresence = { state: "present" };

export const EMPTY_DOC: DocState = { seq: 0, lists: new Map(), registers: new Map(), texts: new Map() };

/** The text form of an address, the key of maps: `field` or `row/field`. */
export const keyOf = (at: Address): string => (at.row === undefined ? at.field : `${at.row}/${at.field}`);

/** The address of a field, with its row or without. */
export const address = (field: FieldName, row?: RowId): Address => (row === undefined ? { field } : { row, field });

export function fromSnapshot(snapshot: Snapshot, seq: number): DocState {
  return {
    seq,
    lists: new Map(snapshot.lists.map(({ list, rows }) => [list, rows])),
    registers: new Map(snapshot.registers.map(({ at, register }) => [keyOf(at), register])),
    texts: new Map(snapshot.texts.map(({ at, rev, state, merged }) => [keyOf(at), { rev, updates: [state], merged }])),
  };
}

/** Folds one accepted change. */
export function fold(doc: DocState, change: Change): DocState {
  const { row } = change.contested === undefined ? {} : rowed(change.what);
  const folded = apply({ ...doc, seq: change.seq }, change);
  return row === undefined || change.contested === undefined
    ? folded
    : withRegister(folded, address("presence", row), { state: "conflict", rev: change.seq, candidates: change.contested });
}

function apply(doc: DocState, { seq, by, at_ms, what }: Change): DocState {
  const write = (at: Address, value: Value | null): DocState =>
    withRegister(doc, at, { state: "value", value, rev: seq, by, at_ms });
  switch (what.kind) {
    case "set":
    case "resolved":
      return write(what.at, what.after);
    case "agreed":
      return doc;
    case "conflicted":
      return withRegister(doc, what.at, { state: "conflict", rev: seq, candidates: what.candidates });
    case "added":
      return added(doc, what.list, what.row, what.after, what.values, { seq, by, at_ms });
    case "tombstoned":
      return write(address("presence", what.row), { state: "removed", reason: what.reason } satisfies RowPresence);
    case "restored":
      return write(address("presence", what.row), PRESENT);
    case "moved":
      return moved(doc, what.row, what.after);
    case "text": {
      const key = keyOf(what.at);
      const before = doc.texts.get(key);
      return withText(doc, key, {
        rev: seq,
        updates: [...(before?.updates ?? []), what.update],
        merged: what.merged ?? before?.merged,
      });
    }
    case "reviewed": {
      const key = keyOf(what.at);
      const before = doc.texts.get(key);
      return before === undefined ? doc : withText(doc, key, { ...before, merged: undefined });
    }
    case "decided":
      return (what.added ?? []).reduce<DocState>(
        (state, { list, row, after }) => added(state, list, row, after, {}, { seq, by, at_ms }),
        what.sets.reduce<DocState>(
          (state, { at, value }) => withRegister(state, at, { state: "value", value, rev: seq, by, at_ms }),
          doc,
        ),
      );
    default:
      return what satisfies never;
  }
}

/** Who is writing here, for what is shown before the server has answered. */
export interface Self {
  readonly by: Author;
  readonly at_ms: Millis;
}

/**
 * What the screen shows while an own edit is on its way. Not a fold: an edit on a register in conflict changes
 * nothing until the server has said what became of it.
 */
export function anticipate(doc: DocState, op: Op, self: Self): DocState {
  const write = (at: Address, value: Value | null): DocState =>
    withRegister(doc, at, { state: "value", value, rev: revOf(doc, at), ...self });
  switch (op.kind) {
    case "set":
      return registerAt(doc, op.at).state === "conflict" ? doc : write(op.at, op.value);
    case "resolve":
      return write(op.at, op.value);
    case "add":
      return holds(doc, op.list, op.row) ? doc : added(doc, op.list, op.row, op.after, op.values, { seq: 0, ...self });
    case "tombstone":
      return write(address("presence", op.row), { state: "removed", reason: op.reason } satisfies RowPresence);
    case "restore":
      return write(address("presence", op.row), PRESENT);
    case "move":
      return moved(doc, op.row, op.after);
    case "text":
    case "reviewed":
      return doc;
    default:
      return op satisfies never;
  }
}

export const registerAt = (doc: DocState, at: Address): Register => doc.registers.get(keyOf(at)) ?? EMPTY_REGISTER;

/** The revision a set of this register would build on; 0 for an empty one. */
export function revOf(doc: DocState, at: Address): number {
  const register = registerAt(doc, at);
  return register.state === "empty" ? 0 : register.rev;
}

/** The value everybody sees; `null` if there is none, or more than one. */
export function valueAt<F extends RegisterName>(doc: DocState, field: F, row?: RowId): ValueOf<F> | null {
  const register = registerAt(doc, address(field, row));
  return register.state === "value" ? read(field, register.value) : null;
}

/** Reads a register's value as the type of its field: the server has parsed it under that name. */
export const read = <F extends RegisterName>(_field: F, value: Value | null): ValueOf<F> | null =>
  (value ?? null) as ValueOf<F> | null;

/** Rows of a list in order, removed ones included. */
export const rowsOf = (doc: DocState, list: ListName): readonly RowId[] => doc.lists.get(list) ?? NO_ROWS;

/** Whether a row stands: present, taken out, or two people disagree. */
export function presenceOf(doc: DocState, row: RowId): "present" | "removed" | "conflict" {
  const register = registerAt(doc, address("presence", row));
  if (register.state === "conflict") return "conflict";
  return register.state === "value" && read("presence", register.value)?.state === "removed" ? "removed" : "present";
}

/** Rows a reader should see: those in doubt stay until somebody decided. */
export const standing = (doc: DocState, list: ListName): readonly RowId[] =>
  rowsOf(doc, list).filter((row) => presenceOf(doc, row) !== "removed");

export function listOf(doc: DocState, row: RowId): ListName | undefined {
  for (const [list, rows] of doc.lists) if (rows.includes(row)) return list;
  return undefined;
}

/** Addresses of every register two people disagree about. */
export const conflicts = (doc: DocState): readonly string[] =>
  [...doc.registers].filter(([, register]) => register.state === "conflict").map(([key]) => key);

/** The row a change is about, where it is about one. */
const rowed = (what: What): { readonly row?: RowId } =>
  "at" in what ? what.at
    : "row" in what ? what
      : what.sets.find(({ at }) => at.row !== undefined)?.at ?? {};

const holds = (doc: DocState, list: ListName, row: RowId): boolean => rowsOf(doc, list).includes(row);

const withRegister = (doc: DocState, at: Address, register: Register): DocState => ({
  ...doc,
  registers: new Map(doc.registers).set(keyOf(at), register),
});

const withText = (doc: DocState, key: string, text: TextState): DocState => ({
  ...doc,
  texts: new Map(doc.texts).set(key, text),
});

function added(
  doc: DocState, list: ListName, row: RowId, after: RowId | null, values: { [key in FieldName]?: Value },
  mark: { readonly seq: number; readonly by: Author; readonly at_ms: Millis },
): DocState {
  const registers = new Map(doc.registers);
  for (const [field, value] of Object.entries(values)) {
    registers.set(`${row}/${field}`, { state: "value", value: value ?? null, rev: mark.seq, by: mark.by, at_ms: mark.at_ms });
  }
  const rows = placed(rowsOf(doc, list).filter((other) => other !== row), row, after);
  return { ...doc, registers, lists: new Map(doc.lists).set(list, rows) };
}

function moved(doc: DocState, row: RowId, after: RowId | null): DocState {
  const list = listOf(doc, row);
  if (list === undefined) return doc;
  const rest = rowsOf(doc, list).filter((other) => other !== row);
  return { ...doc, lists: new Map(doc.lists).set(list, placed(rest, row, after)) };
}

/** Below `after`, or on top; below everything if that row is not in this view. */
function placed(rows: readonly RowId[], row: RowId, after: RowId | null): readonly RowId[] {
  if (after === null) return [row, ...rows];
  const at = rows.indexOf(after);
  return at < 0 ? [...rows, row] : [...rows.slice(0, at + 1), row, ...rows.slice(at + 1)];
}

/** An address from its text form. */
export function parseKey(key: string): Address {
  const cut = key.indexOf("/");
  return cut < 0
    ? { field: key as FieldName }
    : { row: key.slice(0, cut) as RowId, field: key.slice(cut + 1) as FieldName };
}

