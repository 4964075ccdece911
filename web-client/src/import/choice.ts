/** What is accepted of a preview, and what must be ticked before: pure. */
import type { ImportPreview, ImportRow, ImportTick, ListName } from "../wire";

/** A row that may be accepted. */
export const isOpen = (row: ImportRow): boolean => row.told.kind === "new" || row.told.kind === "changed";

/** Whether a row tells that the chart stopped a medicine. */
export const isStopped = (row: ImportRow): boolean =>
  row.told.kind === "changed" && row.told.field === "meds.status" && stateOf(row.told.chart) === "stopped";

const stateOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "state" in value ? value.state : undefined;

/**
 * What stands ticked at first: what is plainly new or changed. What meets words of the team, and a medicine that may be
 * one there is already, waits for a person.
 */
export function firstChoice(preview: ImportPreview): ReadonlySet<string> {
  const plain = preview.rows.filter(({ told }) => (told.kind === "new" && told.like === null) || (told.kind === "changed" && !told.choice));
  return new Set(plain.map(({ key }) => key));
}

/** Warnings that wait for a tick, given what is accepted. */
export function neededTicks(preview: ImportPreview, accepted: ReadonlySet<string>): readonly ImportTick[] {
  const rows = preview.rows.filter((row) => isOpen(row) && accepted.has(row.key));
  return preview.ticks.filter((tick) => {
    switch (tick) {
      case "deceased":
      case "same_person":
        return rows.length > 0;
      case "no_dosage":
        return rows.some(({ told }) => told.kind === "new" && told.no_dosage);
      case "active_and_stopped":
        return rows.some((row) => row.list === "meds" && twice(preview, row));
      default:
        return tick satisfies never;
    }
  });
}

const twice = (preview: ImportPreview, row: ImportRow): boolean =>
  preview.issues.some(({ code, resource }) => code === "active_and_stopped" && JSON.stringify(resource) === JSON.stringify(row.source));

/** How many rows of each kind. */
export interface Counts {
  readonly new: number;
  readonly changed: number;
  readonly stopped: number;
  readonly same: number;
  readonly kept: number;
}

export function countsOf(preview: ImportPreview): Counts {
  const counts = { new: 0, changed: 0, stopped: 0, same: 0, kept: 0 };
  for (const row of preview.rows) {
    if (row.told.kind === "new") counts.new += 1;
    else if (isStopped(row)) counts.stopped += 1;
    else if (row.told.kind === "changed") counts.changed += 1;
    else counts.kept += 1;
  }
  for (const count of Object.values(preview.same)) counts.same += count;
  return counts;
}

/** Rows by the list they stand in, in the order of the preview. */
export function byList(rows: readonly ImportRow[]): readonly (readonly [ListName | null, readonly ImportRow[]])[] {
  const lists = new Map<ListName | null, ImportRow[]>();
  for (const row of rows) {
    const known = lists.get(row.list);
    if (known === undefined) lists.set(row.list, [row]);
    else known.push(row);
  }
  return [...lists];
}
