/** Every field of the record has a place on the screen: a new one fails here until somebody has given it one. */
import { createElement, type ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import type { Line } from "./src/call/connection";
import { LanguageProvider } from "./src/i18n";
import { en } from "./src/i18n/en";
import { es } from "./src/i18n/es";
import { More } from "./src/patient/More";
import { Medicines } from "./src/patient/Medicines";
import { Todos } from "./src/patient/Todos";
import {
  FIELDS, type DocId, type EditId, type FieldName, type ListName, type PersonId, type RecordId, type Role, type RosterSeat, type RowId, type SeatId, type ServerMessage, type Snapshot,
} from "./src/wire";
import { SceneContext } from "./src/plan/context";
import { TAB_IDS } from "./src/plan/counts";
import { Unfolded } from "./src/plan/Fold";
import { docOfList } from "./src/plan/ops";
import { PLACE } from "./src/plan/places";
import { NO_QUEUE } from "./src/plan/queue";
import { SharedRecord } from "./src/plan/record";
import { Part } from "./src/plan/RecordPanel";

const ALL = Object.keys(FIELDS) as FieldName[];
const LISTS = [...new Set(ALL.map((field) => FIELDS[field].list))].filter((list) => list !== null) as ListName[];
const DOCS = ["plan", "voice", "team"] as const;
const AUTHOR = { kind: "import" } as const;
/** A prompt that was laid aside. */
const ASIDE = { code: "no_indication" as const, at: [{ row: "meds-1" as RowId, field: "meds.indication" as const }], reason: "Known." };

/** What an agreement did not allow. */
const REFUSED = { agreement: "a", entries: 5, day: "2027-01-15", physician: "Dr. Raman", condition: "Hypertension", reasons: [{ code: "ended", about: "2027-01-14" }] };

/** A record with one row in each list, or with none. */
function open(role: Role, filled: boolean): SharedRecord {
  let hear: (message: ServerMessage) => void = () => {};
  const line: Line = {
    send: () => true,
    onMessage: (listener) => {
      hear = listener;
      return () => {};
    },
    onState: (listener) => {
      listener("open");
      return () => {};
    },
  } as Line;
  let ids = 0;
  const record = new SharedRecord({
    line, record: "r" as RecordId, self: { person: "p" as PersonId, seat: "s" as SeatId, role }, queue: Promise.resolve(NO_QUEUE),
    clock: { now: () => 0, wall: () => 0, later: () => () => {} },
    newEditId: () => `e${(ids += 1)}` as EditId, newRowId: () => `n${(ids += 1)}` as RowId,
  });
  for (const kind of DOCS) {
    const lists = filled ? LISTS.filter((list) => docOfList(list) === kind).map((list) => ({ list, rows: (list === "recommendations" ? [1, 2] : [1]).map((row) => `${list}-${row}` as RowId) })) : [];
    const state: Snapshot = {
      lists, texts: kind === "plan" ? [{ at: { field: "outline.follow_up_instructions" }, rev: 1, state: "" }, { at: { field: "outline.education_notes" }, rev: 1, state: "" }, { at: { field: "outline.adherence_process" }, rev: 1, state: "" }] : [],
      registers: kind !== "plan" || !filled ? [] : [
        { at: { row: "recommendations-1" as RowId, field: "recommendations.state" }, register: { state: "value", value: "declined", rev: 1, by: AUTHOR, at_ms: 0 } },
        { at: { row: "recommendations-1" as RowId, field: "recommendations.decision" }, register: { state: "value", value: { by: "p", outcome: "declined", reason: "other" }, rev: 1, by: AUTHOR, at_ms: 0 } },
        { at: { row: "recommendations-1" as RowId, field: "recommendations.authority" }, register: { state: "value", value: { kind: "recommend" }, rev: 1, by: AUTHOR, at_ms: 0 } },
        { at: { row: "recommendations-1" as RowId, field: "recommendations.under_agreement" }, register: { state: "value", value: REFUSED, rev: 1, by: AUTHOR, at_ms: 0 } },
        // What only commands write is shown once it is there.
        ...([["implemented", "Done."], ["verified", "So it is."], ["withdrawn", "Not needed."]] as const).map(([step, value]) => (
          { at: { row: "recommendations-1" as RowId, field: `recommendations.${step}` as const }, register: { state: "value" as const, value, rev: 1, by: AUTHOR, at_ms: 0 } }
        )),
        { at: { row: "recommendations-2" as RowId, field: "recommendations.state" }, register: { state: "value", value: "sent", rev: 1, by: AUTHOR, at_ms: 0 } },
        { at: { row: "recommendations-2" as RowId, field: "recommendations.seen" }, register: { state: "value", value: true, rev: 1, by: AUTHOR, at_ms: 0 } },
        { at: { row: "touchpoints-1" as RowId, field: "touchpoints.state" }, register: { state: "value", value: { step: "missed" }, rev: 1, by: AUTHOR, at_ms: 0 } },
        { at: { row: "touchpoints-1" as RowId, field: "touchpoints.note" }, register: { state: "value", value: "Nobody came.", rev: 1, by: AUTHOR, at_ms: 0 } },
        { at: { row: "meds-1" as RowId, field: "meds.because" }, register: { state: "value", value: "recommendations-1", rev: 1, by: AUTHOR, at_ms: 0 } },
        { at: { row: "dismissals-1" as RowId, field: "dismissals.content" }, register: { state: "value", value: ASIDE, rev: 1, by: AUTHOR, at_ms: 0 } },
      ],
    };
    hear({
      type: "record.snapshot", record: "r" as RecordId, doc: kind as unknown as DocId, kind, seq: 1, view: "full", content: { mode: "full", state }, client_id: 1,
      writable: ALL.filter((field) => FIELDS[field].doc === kind), writable_lists: LISTS.filter((list) => docOfList(list) === kind), commands: ["share"],
      people: [], part: 0, parts: 1,
    });
  }
  if (filled) hear({ type: "record.safety", doc: "plan" as unknown as DocId, seq: 1, prompts: [{ code: ASIDE.code, at: ASIDE.at, dismissed: "dismissals-1" as RowId }] });
  return record;
}

function draw(record: SharedRecord, part: ReactNode, language: "en" | "es" = "en"): string {
  const seat = { seat: "s", person: "p", name: "Ana", role: "pharmacist", state: "present", since_ms: 0, presence: { muted: false, camera_off: false, camera_resting: false, hand: false, step: null }, loss: {} } as unknown as RosterSeat;
  const scene = createElement(SceneContext, { value: { record, roster: [seat], seat: seat.seat } }, createElement(Unfolded, { value: true }, part));
  return renderToStaticMarkup(createElement(LanguageProvider, { language, messages: language === "es" ? es : en, children: scene }));
}

const fieldsIn = (markup: string): ReadonlySet<string> => new Set([...markup.matchAll(/data-field="([^"]+)"/g)].map((match) => match[1] ?? ""));

const union = (...sets: readonly ReadonlySet<string>[]): ReadonlySet<string> => new Set(sets.flatMap((set) => [...set]));

describe("the staff's panel", () => {
  const drawn = new Map(TAB_IDS.map((tab) => [tab, union(...[true, false].map((filled) => fieldsIn(draw(open("pharmacist", filled), createElement(Part, { tab })))))]));

  // `presence` is drawn by its row; sharing stands over all tabs.
  it.each(ALL.filter((field) => field !== "presence" && field !== "share"))("has a place for %s, where its tab says", (field) => {
    expect([...drawn].filter(([, fields]) => fields.has(field)).map(([tab]) => tab)).toContain(PLACE[field]);
  });
});

describe("the patient's page", () => {
  const page = union(...[true, false].map((filled) => {
    const record = open("patient", filled);
    return union(...[createElement(Medicines), createElement(Todos), createElement(More, { shared: true })].map((part) => fieldsIn(draw(record, part))));
  }));
  // What became of a remark, and whether a question was answered, the team says: the patient reads it as words there.
  const voice = ALL.filter((field) => FIELDS[field].doc === "voice");

  it.each(voice)("has a place for %s", (field) => {
    expect([...page]).toContain(field);
  });
});

it("speaks Spanish in every part", () => {
  for (const tab of TAB_IDS) expect(draw(open("pharmacist", true), createElement(Part, { tab }), "es")).not.toMatch(/\bplan\.[a-z_]+\./);
});
