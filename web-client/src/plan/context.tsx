/** What every part of the panel needs: the record, who is there, and who wrote. */
import { createContext, use, useMemo, useState, type ReactNode } from "react";
import type { PanelProps } from "../call/panel";
import { useLanguage, type Say } from "../i18n";
import { FIELDS, type Author, type CommandName, type DocKind, type FieldName, type ListName, type PersonId, type Register, type RosterSeat, type RowId, type SeatId } from "../wire";
import {
  address, EMPTY_DOC, EMPTY_REGISTER, keyOf, read, standing, type RegisterName, type ValueOf,
} from "./fold";
import { docOfList, setsKey } from "./ops";
import type { OpenDoc, RecordState, Refused, SharedRecord } from "./record";
import { acquire } from "./registry";
import { sealed } from "./sign";
import { sameItems, sift, useSlice, type Readable } from "./store";
import { titlesOf } from "./titles";
import { measureWords } from "./words";

export interface Scene {
  readonly record: SharedRecord;
  readonly roster: readonly RosterSeat[];
  readonly seat: SeatId;
}

/** Given by `RecordProvider`, and by tests that draw a part of the panel. */
export const SceneContext = createContext<Scene | null>(null);

/**
 * The form that narrative texts belong to. With each letter Chrome's autofill reads every field of the letter's form; without one, every
 * field of the page.
 */
export const TEXTS = "narrative-texts";

/** Opens the record of a panel. `waiting` stands until it is known who is writing. */
export function RecordProvider(props: { readonly panel: PanelProps; readonly waiting: ReactNode; readonly children: ReactNode }) {
  const { line, record, seat, role, roster } = props.panel;
  const person = roster.find((other) => other.seat === seat)?.person;
  return person === undefined
    ? props.waiting
    : <Opened {...{ line, record, seat, role, roster, person }}>{props.children}</Opened>;
}

function Opened({ line, record: id, seat, role, roster, person, children }: Omit<PanelProps, "language"> & { readonly person: PersonId; readonly children: ReactNode }) {
  const record = useMemo(() => acquire({ line, record: id, self: { person, seat, role } }), [line, id, person, seat, role]);
  // Who is there, without how loud and how well: a roster comes every second, and every field reads it.
  const [faces, setFaces] = useState(roster);
  if (faces !== roster && !sameFaces(faces, roster)) setFaces(roster);
  const scene = useMemo(() => ({ record, roster: faces, seat }), [record, faces, seat]);
  return <SceneContext value={scene}><form id={TEXTS} hidden />{children}</SceneContext>;
}

const sameFaces = (a: readonly RosterSeat[], b: readonly RosterSeat[]): boolean =>
  a.length === b.length && a.every((one, index) => {
    const other = b[index];
    return one.seat === other?.seat && one.person === other.person && one.name === other.name && one.role === other.role;
  });

export function useScene(): Scene {
  const scene = use(SceneContext);
  if (scene === null) throw new Error("a part of the record stands outside RecordProvider");
  return scene;
}

export const useRecordSlice = <T,>(select: (state: RecordState) => T, same?: (a: T, b: T) => boolean): T =>
  useSlice(useScene().record, select, same);

/**
 * A slice of what is not typed letter by letter: rows, registers, rights, people, drafts, own edits of registers. A plan
 * of thirty rows has a thousand readers of these, and none of them is asked for a letter in a text. `select` must not
 * read what texts say, carets, gate or prompts.
 */
export const useFieldSlice = <T,>(select: (state: RecordState) => T, same?: (a: T, b: T) => boolean): T =>
  useSlice(fieldsOf(useScene().record), select, same);

/** A slice of who is in which field, not of where in its text. `select` must read the carets alone. */
const usePlaceSlice = <T,>(select: (state: RecordState) => T, same?: (a: T, b: T) => boolean): T =>
  useSlice(placesOf(useScene().record), select, same);

/** A slice of the safety prompts. `select` must read `safety` alone. */
export const useSafetySlice = <T,>(select: (state: RecordState) => T, same?: (a: T, b: T) => boolean): T =>
  useSlice(safetyOf(useScene().record), select, same);

const sifted = (same: (a: RecordState, b: RecordState) => boolean) => {
  const known = new WeakMap<SharedRecord, Readable<RecordState>>();
  return (record: SharedRecord): Readable<RecordState> => {
    const before = known.get(record);
    if (before !== undefined) return before;
    const made = sift(record, same);
    known.set(record, made);
    return made;
  };
};

const fieldsOf = sifted((a, b) =>
  a.closed === b.closed && a.refused === b.refused && a.people === b.people && a.drafts === b.drafts && (a.pending === b.pending || sameItems(registerEdits(a), registerEdits(b)))
  && (a.docs === b.docs || (a.docs.size === b.docs.size && [...a.docs].every(([kind, doc]) => sameFields(doc, b.docs.get(kind))))));

const registerEdits = (state: RecordState): readonly RecordState["pending"][number]["entry"][] =>
  state.pending.filter(({ entry }) => entry.op.kind !== "text").map(({ entry }) => entry);

const sameFields = (a: OpenDoc, b: OpenDoc | undefined): boolean =>
  a === b || (b !== undefined && a.shown.registers === b.shown.registers && a.shown.lists === b.shown.lists && a.shown.texts.size === b.shown.texts.size
    && a.server.registers === b.server.registers && a.writable === b.writable && a.lists === b.lists && a.commands === b.commands);

const placesOf = sifted((a, b) =>
  a.carets === b.carets || (a.carets.size === b.carets.size && [...a.carets].every(([seat, { caret }]) => {
    const other = b.carets.get(seat)?.caret;
    return other !== undefined && keyOf(other.at) === keyOf(caret.at);
  })));

const safetyOf = sifted((a, b) => a.safety === b.safety);

export const docIn = (state: RecordState, kind: DocKind): OpenDoc | undefined => state.docs.get(kind);

/** Whether a signed plan is closed to this list or field: all but the comments about it. */
const closedBySignature = (state: RecordState, doc: DocKind, list: ListName | null): boolean =>
  doc === "plan" && list !== "comments" && sealed(state.docs.get("plan")?.server ?? EMPTY_DOC);

const canWrite = (state: RecordState, field: FieldName): boolean => {
  const { doc, list } = FIELDS[field];
  return state.closed === null && state.docs.get(doc)?.writable.has(field) === true && !closedBySignature(state, doc, list);
};

export const useCanWrite = (field: FieldName): boolean => useFieldSlice((state) => canWrite(state, field));

/** Whether this seat may add rows to a list and take them out. */
export const useCanEditRows = (list: ListName): boolean =>
  useFieldSlice((state) => state.closed === null && state.docs.get(docOfList(list))?.lists.has(list) === true && !closedBySignature(state, docOfList(list), list));

/** Whether this seat may give a command about the plan. Whether the moment is right is the plan's to say. */
export const useMay = (command: CommandName): boolean =>
  useFieldSlice((state) => state.closed === null && state.docs.get("plan")?.commands.has(command) === true);

/** Rows of a list that stand, or are in doubt. */
export const useRows = (list: ListName): readonly RowId[] =>
  useFieldSlice((state) => {
    const doc = state.docs.get(docOfList(list))?.shown ?? EMPTY_DOC;
    return standing(doc, list);
  }, sameItems);

/** A register as the screen shows it. */
export interface RegisterView<F extends RegisterName> {
  readonly state: "empty" | "value" | "conflict";
  readonly value: ValueOf<F> | null;
  readonly rev: number;
  readonly by: Author | null;
  readonly at_ms: number | null;
  readonly candidates: readonly { readonly value: ValueOf<F> | null; readonly rev: number; readonly by: Author; readonly at_ms: number }[];
  readonly writable: boolean;
  /** An own edit is on its way. */
  readonly pending: boolean;
  readonly refused: Refused | null;
}

/** What a field is drawn from. One reader of the store for each field: a plan of thirty rows has hundreds. */
interface Parts {
  readonly register: Register;
  readonly pending: boolean;
  readonly refused: Refused | null;
  readonly writable: boolean;
}

const sameParts = (a: Parts, b: Parts): boolean =>
  a.register === b.register && a.pending === b.pending && a.refused === b.refused && a.writable === b.writable;

export function useRegister<F extends RegisterName>(field: F, row?: RowId): RegisterView<F> {
  const key = keyOf(address(field, row));
  const parts = useFieldSlice((state): Parts => ({
    register: state.docs.get(FIELDS[field].doc)?.shown.registers.get(key) ?? EMPTY_REGISTER,
    pending: state.pending.length > 0 && state.pending.some(({ entry }) => setsKey(entry.op, key)),
    refused: state.refused.length === 0 ? null : state.refused.find((one) => one.place === "editor" && setsKey(one.entry.op, key)) ?? null,
    writable: canWrite(state, field),
  }), sameParts);
  return useMemo(() => {
    const { register, pending, refused, writable } = parts;
    return {
      state: register.state,
      value: register.state === "value" ? read(field, register.value) : null,
      rev: register.state === "empty" ? 0 : register.rev,
      by: register.state === "value" ? register.by : null,
      at_ms: register.state === "value" ? register.at_ms : null,
      candidates: register.state === "conflict" ? register.candidates.map((one) => ({ ...one, value: read(field, one.value) })) : [],
      writable, pending, refused,
    };
  }, [parts, field]);
}

export const useValue = <F extends RegisterName>(field: F, row?: RowId): ValueOf<F> | null => useRegister(field, row).value;

/** How people are named: from the roster by seat, then from the record's own list; never from what somebody typed. */
export interface Names {
  /** "Rosa Diaz, pharmacist". */
  readonly full: (author: Author) => string;
  /** "Rosa Diaz". */
  readonly short: (author: Author) => string;
  readonly person: (person: PersonId) => string;
  readonly seat: (seat: SeatId) => string;
  /** 0 to 7, by order of joining: the colour on the tile and on the caret. */
  readonly colour: (seat: SeatId) => number;
}

/** Colours of people in the tokens. */
const COLOURS = 8;

export function useNames(): Names {
  const { roster } = useScene();
  const people = useFieldSlice((state) => state.people);
  const { say } = useLanguage();
  return useMemo(() => {
    const person = (id: PersonId): string =>
      roster.find((seat) => seat.person === id)?.name ?? people.get(id)?.name ?? say("plan.somebody");
    const short = (author: Author): string => (author.kind === "import" ? say("plan.chart") : person(author.person));
    return {
      person,
      short,
      full: (author) => (author.kind === "import" ? say("plan.chart") : say("plan.name_role", { name: person(author.person), role: roleWord(say, author.role) })),
      seat: (id) => roster.find((seat) => seat.seat === id)?.name ?? say("plan.somebody"),
      colour: (id) => Math.max(0, roster.findIndex((seat) => seat.seat === id)) % COLOURS,
    };
  }, [roster, people, say]);
}

export const roleWord = (say: Say, role: RosterSeat["role"]): string => say(`plan.role.${role}`);

export const fieldLabel = (say: Say, field: FieldName): string => say(`plan.field.${field}`);

/** Seats whose caret or open editor is at this address, the own one left out. */
export function useEditing(key: string): readonly SeatId[] {
  const { seat, roster } = useScene();
  return usePlaceSlice((state) => (state.carets.size === 0 ? NOBODY : [...state.carets]
    .filter(([other, { caret }]) => other !== seat && keyOf(caret.at) === key && roster.some((one) => one.seat === other))
    .map(([other]) => other)), sameItems);
}

/** What the rows of the plan are called, for values that point at them. It is another function only when a name changed. */
export function useRowNames(): (row: RowId) => string {
  const { say, g } = useLanguage();
  const { record } = useScene();
  const titles = useFieldSlice(() => titlesOf(record));
  return useMemo(() => (row: RowId) => {
    const title = titles.get(row);
    if (title === undefined) return say("plan.row_unnamed");
    if (typeof title !== "string") return measureWords(title, say, g);
    return title === "" ? say("plan.medicine_unnamed") : title;
  }, [titles, say, g]);
}

/** "Problem 2: high cholesterol". */
export function useProblemTitle(): (row: RowId, index: number) => string {
  const { say } = useLanguage();
  const { record } = useScene();
  const titles = useFieldSlice(() => titlesOf(record));
  return useMemo(() => (row, index) => {
    const number = say("plan.problem.number", { number: index + 1 });
    const title = titles.get(row);
    return typeof title === "string" && title !== "" ? `${number}: ${title}` : number;
  }, [titles, say]);
}

/** Seats in a row, the own one left out: an open editor, or a caret in one of its texts. */
export function useLookers(row: RowId): readonly SeatId[] {
  const { seat, roster } = useScene();
  return usePlaceSlice((state) => (state.carets.size === 0 ? NOBODY : [...state.carets]
    .filter(([other, { caret }]) => other !== seat && caret.at.row === row && roster.some((one) => one.seat === other))
    .map(([other]) => other)), sameItems);
}
const NOBODY: readonly SeatId[] = [];

/** A value that changes at a given moment of the page's clock, to draw what time alone changes. */
export function useTick(): [number, () => void] {
  const [tick, setTick] = useState(0);
  return [tick, () => setTick((before) => before + 1)];
}
