/** Signed versions as the screen needs them: whether the plan is closed, and what changed between two. Pure. */
import type { FieldName, ListName, RowId, VersionContent, VersionRow } from "../wire";
import { EMPTY_REGISTER, type DocState, type RegisterName } from "./fold";

const revOf = (doc: DocState, field: FieldName): number => {
  const register = doc.registers.get(field) ?? EMPTY_REGISTER;
  return register.state === "empty" ? 0 : register.rev;
};

/** Whether the plan is signed and was not opened again. */
export const sealed = (doc: DocState): boolean => revOf(doc, "signed") > revOf(doc, "revision");

/** One difference between two versions. */
export type Difference =
  | { readonly kind: "new" | "gone"; readonly list: ListName; readonly row: RowId; readonly in: VersionContent }
  | { readonly kind: "stopped"; readonly row: RowId }
  | {
    readonly kind: "changed"; readonly list: ListName | null; readonly row: RowId | null; readonly field: FieldName;
    readonly before: unknown; readonly after: unknown;
  };

/** What changed from one version to the next, in the order of the plan. */
export function differences(before: VersionContent, after: VersionContent): readonly Difference[] {
  const found: Difference[] = [];
  const lists = new Set([...Object.keys(after.lists), ...Object.keys(before.lists)] as ListName[]);
  for (const list of lists) {
    const [old, now] = [rowsOf(before, list), rowsOf(after, list)];
    for (const [row, fields] of now) {
      const was = old.get(row);
      if (was === undefined) found.push({ kind: "new", list, row, in: after });
      else if (list === "meds" && stopped(fields) && !stopped(was)) found.push({ kind: "stopped", row });
      else found.push(...changed(list, row, was, fields));
    }
    for (const row of old.keys()) if (!now.has(row)) found.push({ kind: "gone", list, row, in: before });
  }
  found.push(...changed(null, null, before.fields, after.fields));
  return found;
}

type Fields = VersionRow["fields"];

const rowsOf = (content: VersionContent, list: ListName): ReadonlyMap<RowId, Fields> =>
  new Map((content.lists[list] ?? []).map(({ row, fields }) => [row, fields]));

const stopped = (fields: Fields): boolean => {
  const status = fields["meds.status"];
  return typeof status === "object" && status !== null && "state" in status && status.state === "stopped";
};

/** Fields of decisions and of sharing move without a revision and are told where they are made. */
const OWN: ReadonlySet<string> = new Set<FieldName>(["share", "addenda", "receipts", "touchpoints.state", "touchpoints.note", "recommendations.state", "recommendations.decision"]);

function changed(list: ListName | null, row: RowId | null, before: Fields, after: Fields): readonly Difference[] {
  const names = new Set([...Object.keys(after), ...Object.keys(before)] as RegisterName[]);
  return [...names]
    .filter((field) => !OWN.has(field) && JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => ({ kind: "changed" as const, list, row, field, before: before[field] ?? null, after: after[field] ?? null }));
}

/** Items under their keys, in the order in which each key was first seen. */
export function grouped<K, T>(items: readonly T[], key: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
