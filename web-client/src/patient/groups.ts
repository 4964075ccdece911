/** Under which time of day a medicine stands. Pure. */
import type { RowId, Sig, TimeOfDay } from "../wire";

export type Group = TimeOfDay | "as_needed" | "other";
export const GROUPS: readonly Group[] = ["morning", "noon", "evening", "bedtime", "as_needed", "other"];

/** Each time it is taken; needed ones stand apart, whatever else is said of them. */
function groupsOf(sig: Sig | null): readonly Group[] {
  if (sig?.prn !== undefined) return ["as_needed"];
  return sig?.times === undefined || sig.times.length === 0 ? ["other"] : sig.times;
}

export interface Grouped {
  readonly group: Group;
  readonly rows: readonly RowId[];
}

export function grouped(rows: readonly RowId[], sigOf: (row: RowId) => Sig | null): readonly Grouped[] {
  const byGroup = new Map<Group, RowId[]>();
  for (const row of rows) {
    for (const group of groupsOf(sigOf(row))) byGroup.set(group, [...(byGroup.get(group) ?? []), row]);
  }
  return GROUPS.flatMap((group) => {
    const members = byGroup.get(group);
    return members === undefined ? [] : [{ group, rows: members }];
  });
}
