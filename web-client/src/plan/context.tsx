/** What every part of the panel needs: the record, who is there, and who wrote. */
import { createContext, use, useMemo, useState, type ReactNode } from "react";
import type { PanelProps } from "../call/panel";
import { useLanguage, type Say } from "../i18n";
import { FIELDS, type Author, type DocKind, type FieldName, type ListName, type PersonId, type RosterSeat, type RowId, type SeatId } from "../wire";
import {
  address, EMPTY_DOC, EMPTY_REGISTER, keyOf, presenceOf, read, rowsOf, valueAt, type RegisterName, type ValueOf,
} from "./fold";
import { docOfList, setsKey } from "./ops";
import type { OpenDoc, RecordState, Refused, SharedRecord } from "./record";
import { acquire } from "./registry";
import { sealed } from "./sign";
import { sameItems, useSlice } from "./store";
import { measureWords } from "./words";

export interface Scene {
  readonly record: SharedRecord;
  readonly roster: readonly RosterSeat[];
  readonly seat: SeatId;
}

const Context = createContext<Scene | null>(null);

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
  const scene = useMemo(() => ({ record, roster, seat }), [record, roster, seat]);
  return <Context value={scene}>{children}</Context>;
}

export function useScene(): Scene {
  const scene = use(Context);
  if (scene === null) throw new Error("a part of the record stands outside RecordProvider");
  return scene;
}

export const useRecordSlice = <T,>(select: (state: RecordState) => T, same?: (a: T, b: T) => boolean): T =>
  useSlice(useScene().record, select, same);

export const docIn = (state: RecordState, kind: DocKind): OpenDoc | undefined => state.docs.get(kind);

/** Whether a signed plan is closed to this list or field: all but the comments about it. */
const closedBySignature = (state: RecordState, doc: DocKind, list: ListName | null): boolean =>
  doc === "plan" && list !== "comments" && sealed(state.docs.get("plan")?.server ?? EMPTY_DOC);

const canWrite = (state: RecordState, field: FieldName): boolean => {
  const { doc, list } = FIELDS[field];
  return state.closed === null && state.docs.get(doc)?.writable.has(field) === true && !closedBySignature(state, doc, list);
};

export const useCanWrite = (field: FieldName): boolean => useRecordSlice((state) => canWrite(state, field));

/** Whether this seat may add rows to a list and take them out. */
export const useCanEditRows = (list: ListName): boolean =>
  useRecordSlice((state) => state.closed === null && state.docs.get(docOfList(list))?.lists.has(list) === true && !closedBySignature(state, docOfList(list), list));

/** Rows of a list that stand, or are in doubt. */
export const useRows = (list: ListName): readonly RowId[] =>
  useRecordSlice((state) => {
    const doc = state.docs.get(docOfList(list))?.shown ?? EMPTY_DOC;
    return rowsOf(doc, list).filter((row) => presenceOf(doc, row) !== "removed");
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

export function useRegister<F extends RegisterName>(field: F, row?: RowId): RegisterView<F> {
  const key = keyOf(address(field, row));
  const register = useRecordSlice((state) => state.docs.get(FIELDS[field].doc)?.shown.registers.get(key) ?? EMPTY_REGISTER);
  const pending = useRecordSlice((state) => state.pending.some(({ entry }) => setsKey(entry.op, key)));
  const refused = useRecordSlice((state) => state.refused.find((one) => one.place === "editor" && setsKey(one.entry.op, key)) ?? null);
  const writable = useCanWrite(field);
  return useMemo(() => ({
    state: register.state,
    value: register.state === "value" ? read(field, register.value) : null,
    rev: register.state === "empty" ? 0 : register.rev,
    by: register.state === "value" ? register.by : null,
    at_ms: register.state === "value" ? register.at_ms : null,
    candidates: register.state === "conflict" ? register.candidates.map((one) => ({ ...one, value: read(field, one.value) })) : [],
    writable, pending, refused,
  }), [register, pending, refused, writable, field]);
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
  const people = useRecordSlice((state) => state.people);
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
  return useRecordSlice((state) => [...state.carets]
    .filter(([other, { caret }]) => other !== seat && keyOf(caret.at) === key && roster.some((one) => one.seat === other))
    .map(([other]) => other), sameItems);
}

/** What the rows of the plan are called, for values that point at them. */
export function useRowNames(): (row: RowId) => string {
  const { say, g } = useLanguage();
  const doc = useRecordSlice((state) => state.docs.get("plan")?.shown ?? EMPTY_DOC);
  return useMemo(() => (row: RowId) => {
    const product = valueAt(doc, "meds.product", row);
    if (product !== null) return [product.name, product.strength_form].filter(Boolean).join(" ");
    if (doc.lists.get("meds")?.includes(row) === true) return say("plan.medicine_unnamed");
    const measure = valueAt(doc, "measures.content", row);
    if (measure !== null) return measureWords(measure, say, g);
    const name = valueAt(doc, "problems.statement", row)?.condition
      ?? valueAt(doc, "recommendations.content", row)?.summary
      ?? valueAt(doc, "todos.should_do", row)?.text
      ?? "";
    return name === "" ? say("plan.row_unnamed") : name;
  }, [doc, say, g]);
}

/** A value that changes at a given moment of the page's clock, to draw what time alone changes. */
export function useTick(): [number, () => void] {
  const [tick, setTick] = useState(0);
  return [tick, () => setTick((before) => before + 1)];
}
