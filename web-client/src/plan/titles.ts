/** What rows are called, worked out once for each state of the plan. */
import type { Measure, RowId } from "../wire";
import { EMPTY_DOC, read, valueAt, type DocState } from "./fold";
import type { SharedRecord } from "./record";

/** A row's own words; of a reading, the reading; empty for a medicine without a name. */
export type Titles = ReadonlyMap<RowId, string | Measure>;

interface Known {
  readonly doc: DocState;
  readonly titles: Titles;
}

const known = new WeakMap<SharedRecord, Known>();

/** The same map as before while no name has changed: most changes are about something else. */
export function titlesOf(record: SharedRecord): Titles {
  const doc = record.get().docs.get("plan")?.shown ?? EMPTY_DOC;
  const before = known.get(record);
  if (before?.doc === doc) return before.titles;
  const titles = readTitles(doc);
  const kept = before !== undefined && same(before.titles, titles) ? before.titles : titles;
  known.set(record, { doc, titles: kept });
  return kept;
}

const same = (a: Titles, b: Titles): boolean => a.size === b.size && [...a].every(([row, title]) => b.get(row) === title);

function readTitles(doc: DocState): Titles {
  const titles = new Map<RowId, string | Measure>();
  for (const row of doc.lists.get("meds") ?? []) {
    const product = valueAt(doc, "meds.product", row);
    titles.set(row, [product?.name, product?.strength_form].filter(Boolean).join(" "));
  }
  for (const row of doc.lists.get("measures") ?? []) {
    const register = doc.registers.get(`${row}/measures.content`);
    const measure = register?.state === "value" ? read("measures.content", register.value) : null;
    if (measure !== null) titles.set(row, measure);
  }
  const words = (row: RowId, text: string | undefined): void => {
    if (text !== undefined && text !== "") titles.set(row, text);
  };
  for (const row of doc.lists.get("problems") ?? []) words(row, valueAt(doc, "problems.statement", row)?.condition);
  for (const row of doc.lists.get("recommendations") ?? []) words(row, valueAt(doc, "recommendations.content", row)?.summary);
  for (const row of doc.lists.get("todos") ?? []) words(row, valueAt(doc, "todos.should_do", row)?.text);
  for (const row of doc.lists.get("allergies") ?? []) words(row, valueAt(doc, "allergies.content", row)?.substance);
  for (const row of doc.lists.get("conditions") ?? []) words(row, valueAt(doc, "conditions.content", row)?.text);
  for (const row of doc.lists.get("immunizations") ?? []) words(row, valueAt(doc, "immunizations.content", row)?.vaccine);
  for (const row of doc.lists.get("care_team") ?? []) words(row, valueAt(doc, "care_team.content", row)?.name);
  for (const row of doc.lists.get("touchpoints") ?? []) words(row, valueAt(doc, "touchpoints.content", row)?.purpose);
  for (const row of doc.lists.get("teach_backs") ?? []) words(row, valueAt(doc, "teach_backs.content", row)?.message);
  return titles;
}
