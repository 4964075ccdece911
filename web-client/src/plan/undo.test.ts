/** Undo is a new edit of one's own last change, and never overwrites what somebody did since. */
import { describe, expect, it } from "vitest";
import type { Line } from "../call/connection";
import type { Author, Change, ClientMessage, DocId, EditId, PersonId, RecordId, RowId, SeatId, ServerMessage, What } from "../wire";
import { address, EMPTY_DOC } from "./fold";
import { NO_QUEUE } from "./queue";
import { SharedRecord } from "./record";
import { sinceDone } from "./undo";

const PLAN = "plan" as DocId;
const MED = "m1" as RowId;
const FOR = address("meds.indication", MED);
const ROSA: Author = { kind: "seat", person: "rosa" as PersonId, seat: "s1" as SeatId, role: "pharmacist" };
const LEE: Author = { kind: "seat", person: "lee" as PersonId, seat: "s2" as SeatId, role: "pcp" };

function begin() {
  let hear: (message: ServerMessage) => void = () => {};
  const sent: ClientMessage[] = [];
  const line = {
    send: (message: ClientMessage) => {
      sent.push(message);
      return true;
    },
    onMessage: (listener: (message: ServerMessage) => void) => {
      const before = hear;
      hear = (message) => {
        before(message);
        listener(message);
      };
      return () => {};
    },
    onState: (listener: (state: "open" | "closed") => void) => {
      listener("open");
      return () => {};
    },
  } as unknown as Line;
  let ids = 0;
  const record = new SharedRecord({
    line, record: "r" as RecordId, self: { person: "rosa" as PersonId, seat: "s1" as SeatId, role: "pharmacist" }, queue: Promise.resolve(NO_QUEUE),
    clock: { now: () => 0, wall: () => 0, later: () => () => {} },
    newEditId: () => `e${(ids += 1)}` as EditId, newRowId: () => `n${(ids += 1)}` as RowId,
  });
  hear({
    type: "record.snapshot", record: "r" as RecordId, doc: PLAN, kind: "plan", seq: 10, view: "full", client_id: 1, commands: [], people: [], part: 0, parts: 1,
    content: { mode: "full", state: { lists: [{ list: "meds", rows: [MED, "m2" as RowId] }], registers: [], texts: [] } }, writable: ["meds.indication"], writable_lists: ["meds"],
  });
  let seq = 10;
  const change = (by: Author, what: What, edit = `x${seq}`): void => {
    const told: Change = { seq: seq + 1, edit: edit as EditId, at_ms: 0, by, what };
    const prev = seq;
    seq += 1;
    hear(by === ROSA ? { type: "record.ack", doc: PLAN, edit: told.edit, prev, change: told } : { type: "record.change", doc: PLAN, prev, change: told });
  };
  const last = () => record.get().done.at(-1);
  const stands = () => {
    const done = last();
    return done === undefined ? "none" : sinceDone(done, record.get().docs.get("plan")?.server ?? EMPTY_DOC, record.self.person);
  };
  const edits = () => sent.flatMap((message) => (message.type === "record.edit" ? [message.edit.op] : []));
  /** Takes the last one back and lets the server accept it. */
  const undo = (): void => {
    const done = last();
    if (done === undefined) throw new Error("nothing to undo");
    record.takeBack(done, "undone");
  };
  return { change, last, stands, edits, undo };
}

const set = (before: string | null, after: string | null): What => ({ kind: "set", at: FOR, before, after });

describe("undo", () => {
  it("sets what stood before, on what stands now", () => {
    const { change, last, stands, edits, undo } = begin();
    change(ROSA, set("pain", "fever"));
    expect(stands()).toBe("still");
    undo();
    expect(edits()).toEqual([{ kind: "set", at: FOR, base: { rev: 11 }, value: "pain" }]);
    expect(last()).toBeUndefined();
  });

  it("asks where somebody wrote since, and then builds on what they wrote", () => {
    const { change, stands, edits, undo } = begin();
    change(ROSA, set("pain", "fever"));
    change(LEE, set("fever", "cough"));
    expect(stands()).toBe("changed");
    undo(); // the person was asked, and said so
    expect(edits()).toEqual([{ kind: "set", at: FOR, base: { rev: 12 }, value: "pain" }]);
  });

  it("asks where two values stand", () => {
    const { change, stands } = begin();
    change(ROSA, set("pain", "fever"));
    change(LEE, { kind: "conflicted", at: FOR, candidates: [] });
    expect(stands()).toBe("changed");
  });

  it("is of one's own changes alone", () => {
    const { change, last } = begin();
    change(LEE, set("pain", "fever"));
    expect(last()).toBeUndefined();
  });

  it("goes further back when it is asked again: an undo is not undone", () => {
    const { change, last, edits, undo } = begin();
    change(ROSA, set(null, "one"));
    change(ROSA, set("one", "two"));
    undo();
    change(ROSA, set("two", "one"), "e1");
    undo();
    expect(edits().map((op) => (op.kind === "set" ? op.value : op.kind))).toEqual(["one", null]);
    expect(last()).toBeUndefined();
  });

  it("asks about a step that a later own step stands on", () => {
    const { change, stands } = begin();
    change(ROSA, set(null, "one"));
    change(ROSA, { kind: "resolved", at: FOR, after: "two" });
    expect(stands()).toBe("changed");
  });

  it("takes a new row out, unless somebody went on in it", () => {
    const { change, stands, edits, undo } = begin();
    const row = "m3" as RowId;
    change(ROSA, { kind: "added", list: "meds", row, after: MED, values: {} });
    expect(stands()).toBe("still");
    change(ROSA, { kind: "agreed", at: address("meds.indication", row) });
    change(LEE, { kind: "set", at: address("meds.indication", row), before: null, after: "pain" });
    expect(stands()).toBe("changed");
    undo();
    expect(edits()).toEqual([{ kind: "tombstone", row, seen: 13, reason: "undone" }]);
  });

  it("brings a removed row back, and puts a moved one where it stood", () => {
    const { change, stands, edits, undo } = begin();
    change(ROSA, { kind: "moved", row: "m2" as RowId, after: null });
    change(ROSA, { kind: "tombstoned", row: MED, reason: "twice" });
    undo();
    change(ROSA, { kind: "restored", row: MED }, "e1");
    expect(stands()).toBe("still");
    undo();
    expect(edits()).toEqual([{ kind: "restore", row: MED, seen: 12 }, { kind: "move", row: "m2", after: MED }]);
  });

  it("says that there is nothing left when the row is gone", () => {
    const { change, stands } = begin();
    change(ROSA, set("pain", "fever"));
    change(LEE, { kind: "tombstoned", row: MED, reason: "twice" });
    expect(stands()).toBe("gone");
  });
});

describe("history", () => {
  it("is asked for one field, page by page, and answered", async () => {
    let hear: (message: ServerMessage) => void = () => {};
    const sent: ClientMessage[] = [];
    const { Histories } = await import("./histories");
    const histories = new Histories({
      send: (message: ClientMessage) => sent.push(message) > 0,
      onMessage: (listener: (message: ServerMessage) => void) => {
        hear = listener;
        return () => {};
      },
      onState: () => () => {},
    } as unknown as Line);
    const asked = histories.ask(PLAN, FOR, 40);
    // An answer to another question is not this one's.
    hear({ type: "record.history", doc: PLAN, at: address("meds.sig", MED), changes: [], people: [], next: 3 });
    hear({ type: "record.history", doc: PLAN, at: FOR, changes: [], people: [], next: 12 });
    expect(await asked).toEqual({ kind: "page", page: { changes: [], people: [], next: 12 } });
    const again = histories.ask(PLAN, FOR, 12);
    hear({ type: "refused", of: "record.history", code: "not_allowed" });
    expect(await again).toEqual({ kind: "refused", why: "not_allowed" });
    expect(sent).toEqual([{ type: "record.history", doc: PLAN, at: FOR, before: 40 }, { type: "record.history", doc: PLAN, at: FOR, before: 12 }]);
  });
});
