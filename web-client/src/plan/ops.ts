/** What operations are about: which document, which register, which row. Pure. */
import type { DocKind, ListName, Op, RowId, Snapshot } from "../wire";
import { address, keyOf } from "./fold";

const DOC_OF_LIST: { readonly [list in ListName]: DocKind } = {
  meds: "plan", allergies: "plan", immunizations: "plan", conditions: "plan", measures: "plan", problems: "plan", recommendations: "plan",
  goals: "plan", todos: "plan", touchpoints: "plan", teach_backs: "plan", care_team: "plan", comments: "plan", dismissals: "plan",
  questions: "voice", what_i_did: "voice", remarks: "voice", home_readings: "voice", consents: "voice", access: "voice",
  tasks: "team",
};

/** The document a list stands in. */
export const docOfList = (list: ListName): DocKind => DOC_OF_LIST[list];

/** Parts of a snapshot, in order, as one. */
export function join(parts: readonly Snapshot[]): Snapshot {
  const lists = new Map<ListName, RowId[]>();
  for (const { list, rows } of parts.flatMap((part) => part.lists)) lists.set(list, [...(lists.get(list) ?? []), ...rows]);
  return {
    lists: [...lists].map(([list, rows]) => ({ list, rows })),
    registers: parts.flatMap(({ registers }) => registers),
    texts: parts.flatMap(({ texts }) => texts),
  };
}

/** Whether an edit gives this register a value. */
export function setsKey(op: Op, key: string): boolean {
  switch (op.kind) {
    case "set":
    case "resolve":
      return keyOf(op.at) === key;
    case "add":
      return Object.keys(op.values).some((field) => `${op.row}/${field}` === key);
    case "tombstone":
    case "restore":
      return keyOf(address("presence", op.row)) === key;
    case "move":
    case "text":
    case "reviewed":
      return false;
    default:
      return op satisfies never;
  }
}

const rowOf = (op: Op): RowId | undefined => ("row" in op ? op.row : op.at.row);

/** Whether the later edit must not overtake the earlier one: the same address, or the row it stands on. */
export function touches(earlier: Op, later: Op): boolean {
  const row = rowOf(later);
  if (!("at" in earlier)) return row !== undefined && rowOf(earlier) === row;
  return "at" in later ? keyOf(earlier.at) === keyOf(later.at) : rowOf(earlier) !== undefined && rowOf(earlier) === row;
}
