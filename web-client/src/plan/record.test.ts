/** The store of an open record against a scripted line. */
import { describe, expect, it } from "vitest";
import type { Line } from "../call/connection";
import type {
  Author, Change, ClientMessage, DocId, EditId, FieldName, Op, PersonId, RecordId, RecordRefusal, RowId, SeatId, ServerMessage, Snapshot, What,
} from "../wire";
import { address, registerAt, valueAt } from "./fold";
import { NO_QUEUE, type Draft, type Entry, type Queue } from "./queue";
import { SharedRecord, type Clock } from "./record";
import { saveState } from "./saved";

const RECORD = "record" as RecordId;
const PLAN = "plan" as DocId;
const ROSA: Author = { kind: "seat", person: "rosa" as PersonId, seat: "s1" as SeatId, role: "pharmacist" };
const LEE: Author = { kind: "seat", person: "lee" as PersonId, seat: "s2" as SeatId, role: "pcp" };
const MED = "m1" as RowId;
const SIG = address("meds.sig", MED);
const FOR = address("meds.indication", MED);
const NOTE = address("outline.summary");
const FIELDS: FieldName[] = ["meds.sig", "meds.indication", "meds.product", "outline.summary"];

class Clocked implements Clock {
  time = 0;
  private timers: { readonly at: number; readonly act: () => void }[] = [];
  now = (): number => this.time;
  wall = (): number => 1_000_000 + this.time;
  later = (ms: number, act: () => void): (() => void) => {
    const timer = { at: this.time + ms, act };
    this.timers.push(timer);
    return () => void (this.timers = this.timers.filter((other) => other !== timer));
  };
  pass(ms: number): void {
    const until = this.time + ms;
    for (;;) {
      const due = this.timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.timers = this.timers.filter((other) => other !== due);
      this.time = due.at;
      due.act();
    }
    this.time = until;
  }
}

class Scripted implements Line {
  sent: ClientMessage[] = [];
  open = true;
  private hear: (message: ServerMessage) => void = () => {};
  private state: (state: "open" | "closed") => void = () => {};
  send = (message: ClientMessage): boolean => {
    if (this.open) this.sent.push(message);
    return this.open;
  };
  onMessage = (listener: (message: ServerMessage) => void): (() => void) => {
    this.hear = listener;
    return () => {};
  };
  onState = (listener: (state: "open" | "closed") => void): (() => void) => {
    this.state = listener;
    listener(this.open ? "open" : "closed");
    return () => {};
  };
  say = (message: ServerMessage): void => this.hear(message);
  break(): void {
    this.open = false;
    this.state("closed");
  }
  mend(): void {
    this.open = true;
    this.state("open");
  }
  get edits() {
    return this.sent.flatMap((message) => (message.type === "record.edit" ? [message] : []));
  }
  types = (): readonly string[] => this.sent.map(({ type }) => type);
}

class Memory implements Queue {
  readonly kept = new Map<EditId, Entry>();
  locked = 0;
  working = true;
  load = async () => ({ entries: [...this.kept.values()].toSorted((a, b) => a.order - b.order), locked: this.locked });
  put = async (entry: Entry): Promise<boolean> => {
    if (this.working) this.kept.set(entry.edit, entry);
    return this.working;
  };
  remove = async (edit: EditId): Promise<void> => void this.kept.delete(edit);
  readonly open = new Map<string, Draft>();
  drafts = async () => [...this.open.values()];
  keepDraft = async (draft: Draft): Promise<void> => void this.open.set(draft.key, draft);
  dropDraft = async (key: string): Promise<void> => void this.open.delete(key);
}

const EMPTY: Snapshot = { lists: [], registers: [], texts: [] };
const WITH_MED: Snapshot = {
  lists: [{ list: "meds", rows: [MED] }],
  registers: [{ at: SIG, register: { state: "value", value: { text: "10 mg" }, rev: 4, by: LEE, at_ms: 1 } }],
  texts: [],
};

function snapshot(state: Snapshot, seq: number, more: Partial<Extract<ServerMessage, { type: "record.snapshot" }>> = {}): ServerMessage {
  return {
    type: "record.snapshot", record: RECORD, doc: PLAN, kind: "plan", seq, view: "full", content: { mode: "full", state }, client_id: 11,
    writable: FIELDS, writable_lists: ["meds"], commands: ["share"], people: [], part: 0, parts: 1, ...more,
  };
}

const change = (seq: number, edit: string, what: What, by: Author = ROSA): Change => ({ seq, edit: edit as EditId, at_ms: seq, by, what });
const set = (field: typeof SIG, after: unknown): What => ({ kind: "set", at: field, before: null, after });

interface Scene {
  readonly line: Scripted;
  readonly clock: Clocked;
  readonly queue: Memory;
  readonly record: SharedRecord;
  readonly ack: (edit: EditId, prev: number, seq: number, what: What | null) => void;
  readonly refuse: (edit: EditId, code: RecordRefusal) => void;
  readonly sig: () => unknown;
  readonly saved: () => string;
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
};

function begin(options: { readonly queue?: Queue; readonly state?: Snapshot | null } = {}): Scene {
  const line = new Scripted();
  const clock = new Clocked();
  const memory = new Memory();
  let ids = 0;
  const record = new SharedRecord({
    line, clock, record: RECORD, self: { person: "rosa" as PersonId, seat: "s1" as SeatId, role: "pharmacist" },
    queue: Promise.resolve(options.queue ?? memory),
    newEditId: () => `e${String((ids += 1)).padStart(3, "0")}` as EditId, newRowId: () => `r${(ids += 1)}` as RowId,
  });
  if (options.state !== null) line.say(snapshot(options.state ?? WITH_MED, 10));
  return {
    line, clock, queue: memory, record,
    ack: (edit, prev, seq, what) => line.say({ type: "record.ack", doc: PLAN, edit, prev, change: what === null ? null : change(seq, edit, what) }),
    refuse: (edit, code) => line.say({ type: "record.refuse", doc: PLAN, edit, code }),
    sig: () => {
      const doc = record.get().docs.get("plan");
      return doc === undefined ? undefined : valueAt(doc.shown, "meds.sig", MED)?.text;
    },
    saved: () => saveState(record.facts()).kind,
  };
}

const ids = (scene: Scene): readonly EditId[] => scene.line.edits.map(({ edit }) => edit.id);
const last = (scene: Scene): EditId => {
  const id = ids(scene).at(-1);
  if (id === undefined) throw new Error("nothing was sent");
  return id;
};

describe("opening", () => {
  it("asks for the record with nothing in hand, and is read-only until a snapshot came", () => {
    const scene = begin({ state: null });
    expect(scene.line.sent).toEqual([{ type: "record.open", record: RECORD, have: [] }]);
    scene.record.set(SIG, { text: "5 mg" });
    expect(scene.line.edits).toEqual([]);
    expect(scene.record.get().pending).toEqual([]);
  });

  it("joins a snapshot that comes in parts, in order", () => {
    const scene = begin({ state: null });
    const other = "m2" as RowId;
    scene.line.say(snapshot({ ...WITH_MED }, 10, { part: 0, parts: 2 }));
    expect(scene.record.get().docs.size).toBe(0);
    scene.line.say(snapshot({ ...EMPTY, lists: [{ list: "meds", rows: [other] }] }, 10, { part: 1, parts: 2 }));
    expect(scene.record.get().docs.get("plan")?.server.lists.get("meds")).toEqual([MED, other]);
  });

  it("says after a broken line what it has, and folds what it missed", () => {
    const scene = begin();
    scene.line.break();
    scene.line.sent = [];
    scene.line.mend();
    expect(scene.line.sent).toEqual([{ type: "record.open", record: RECORD, have: [{ doc: PLAN, seq: 10 }] }]);
    scene.line.say(snapshot(EMPTY, 12, { content: { mode: "since", changes: [change(12, "x", set(SIG, { text: "20 mg" }), LEE)] }, client_id: 12 }));
    expect(scene.sig()).toBe("20 mg");
    expect(scene.record.get().docs.get("plan")?.clientId).toBe(12);
  });
});

describe("an own edit", () => {
  it("is shown at once, is not saved by being sent, and is saved by its acknowledgement", async () => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    expect(scene.sig()).toBe("5 mg");
    expect(scene.saved()).toBe("saving");
    await settled();
    scene.clock.pass(1_000);
    expect(scene.saved()).toBe("onThisDevice");
    scene.ack(last(scene), 10, 11, set(SIG, { text: "5 mg" }));
    await settled();
    expect(scene.saved()).toBe("onServer");
    expect(scene.queue.kept.size).toBe(0);
    expect(scene.record.get().docs.get("plan")?.server.seq).toBe(11);
  });

  it("builds on the revision that was seen, and a second one on the first", () => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    scene.record.set(SIG, { text: "7.5 mg" });
    scene.record.set(FOR, "pain");
    expect(scene.line.edits.map(({ edit }) => (edit.op.kind === "set" ? edit.op.base : null))).toEqual([{ rev: 4 }, { mine: "e001" }, { rev: 0 }]);
    scene.ack("e001" as EditId, 10, 11, set(SIG, { text: "5 mg" }));
    expect(scene.sig()).toBe("7.5 mg");
    scene.ack("e002" as EditId, 11, 12, set(SIG, { text: "7.5 mg" }));
    scene.record.set(SIG, { text: "10 mg" });
    expect(scene.line.edits.at(-1)?.edit.op).toMatchObject({ base: { rev: 12 } });
  });

  it("builds on a row that is still on its way", () => {
    const scene = begin();
    const row = scene.record.add("meds", MED, { "meds.product": { name: "aspirin" } });
    expect(scene.record.base(address("meds.product", row))).toEqual({ mine: ids(scene)[0] });
    expect(scene.record.get().docs.get("plan")?.shown.lists.get("meds")).toEqual([MED, row]);
  });

  it("keeps the base its editor was opened on, whatever came meanwhile", () => {
    const scene = begin();
    const base = scene.record.base(SIG);
    scene.line.say({ type: "record.change", doc: PLAN, prev: 10, change: change(11, "x", set(SIG, { text: "20 mg" }), LEE) });
    scene.record.set(SIG, { text: "5 mg" }, base);
    expect(scene.line.edits[0]?.edit.op).toMatchObject({ base: { rev: 4 } });
  });

  it("that became a conflict shows both values, not its own", () => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    const candidates = [{ value: { text: "20 mg" }, rev: 11, by: LEE, at_ms: 1, edit: "x" as EditId }, { value: { text: "5 mg" }, rev: 12, by: ROSA, at_ms: 2, edit: "e001" as EditId }];
    scene.line.say({ type: "record.change", doc: PLAN, prev: 10, change: change(11, "x", set(SIG, { text: "20 mg" }), LEE) });
    scene.ack("e001" as EditId, 11, 12, { kind: "conflicted", at: SIG, candidates });
    const doc = scene.record.get().docs.get("plan");
    expect(doc && registerAt(doc.shown, SIG)).toEqual({ state: "conflict", rev: 12, candidates });
    expect(scene.sig()).toBeUndefined();
  });

  it("is acknowledged without a change where the seat sees nothing of it", () => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    scene.ack(last(scene), 10, 11, null);
    expect(scene.record.get().pending).toEqual([]);
    expect(scene.line.types()).not.toContain("record.resync");
  });
});

describe("a gap", () => {
  it("asks for the document once, folds nothing until it came, and loses no acknowledgement", () => {
    const scene = begin();
    scene.record.set(FOR, "pain");
    const edit = last(scene);
    scene.line.say({ type: "record.change", doc: PLAN, prev: 13, change: change(14, "x", set(SIG, { text: "20 mg" }), LEE) });
    scene.line.say({ type: "record.change", doc: PLAN, prev: 14, change: change(15, "y", set(SIG, { text: "30 mg" }), LEE) });
    expect(scene.line.types().filter((type) => type === "record.resync")).toEqual(["record.resync"]);
    expect(scene.sig()).toBe("10 mg");
    scene.ack(edit, 15, 16, set(FOR, "pain"));
    expect(scene.record.get().pending).toEqual([]);
    scene.line.say(snapshot({ ...WITH_MED, registers: [{ at: SIG, register: { state: "value", value: { text: "30 mg" }, rev: 15, by: LEE, at_ms: 1 } }] }, 16));
    expect(scene.sig()).toBe("30 mg");
    scene.line.say({ type: "record.change", doc: PLAN, prev: 16, change: change(17, "z", set(SIG, { text: "40 mg" }), LEE) });
    expect(scene.sig()).toBe("40 mg");
  });

  it("is not seen in a change that was folded before", () => {
    const scene = begin();
    scene.line.say({ type: "record.change", doc: PLAN, prev: 8, change: change(9, "x", set(SIG, { text: "old" }), LEE) });
    expect(scene.sig()).toBe("10 mg");
    expect(scene.line.types()).not.toContain("record.resync");
  });
});

describe("a broken line", () => {
  it("keeps edits and sends them again in their order, marked, after the snapshot of the new line", async () => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    scene.line.break();
    scene.record.set(FOR, "pain");
    scene.record.set(SIG, { text: "7.5 mg" });
    await settled();
    expect(scene.saved()).toBe("onThisDevice");
    expect([...scene.queue.kept.keys()]).toEqual(["e001", "e002", "e003"]);
    scene.line.sent = [];
    scene.clock.pass(5_000);
    scene.line.mend();
    expect(scene.line.edits).toEqual([]);
    scene.line.say(snapshot(EMPTY, 10, { content: { mode: "since", changes: [] } }));
    expect(scene.line.edits.map(({ edit, resend }) => [edit.id, resend, edit.typed_ago_ms])).toEqual([["e001", true, 5_000], ["e002", true, 5_000], ["e003", true, 5_000]]);
    expect(scene.sig()).toBe("7.5 mg");
  });

  it("does not count an edit as sent again when its answer is among what was missed", () => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    scene.line.break();
    scene.line.mend();
    scene.line.say(snapshot(EMPTY, 11, { content: { mode: "since", changes: [change(11, "e001", set(SIG, { text: "5 mg" }))] } }));
    scene.ack("e001" as EditId, 11, 11, set(SIG, { text: "5 mg" }));
    expect(scene.record.get().pending).toEqual([]);
    expect(scene.line.types()).not.toContain("record.resync");
    expect(scene.sig()).toBe("5 mg");
  });

  it("after a reload, sends what the earlier page left before anything new", async () => {
    const memory = new Memory();
    const op: Op = { kind: "set", at: FOR, base: { rev: 0 }, value: "left behind" };
    memory.kept.set("old" as EditId, { doc: PLAN, edit: "old" as EditId, order: 5, op, typedAt: 999_000 });
    const scene = begin({ queue: memory });
    await settled();
    expect(scene.line.edits).toEqual([{ type: "record.edit", doc: PLAN, edit: { id: "old", op, typed_ago_ms: 1_000 }, resend: true }]);
    expect(scene.saved()).toBe("saving");
    const doc = scene.record.get().docs.get("plan");
    expect(doc && valueAt(doc.shown, "meds.indication", MED)).toBe("left behind");
  });

  it("counts what it cannot read without a key", async () => {
    const memory = new Memory();
    memory.locked = 3;
    const scene = begin({ queue: memory });
    await settled();
    expect(saveState(scene.record.facts())).toEqual({ kind: "onThisDevice", count: 3 });
  });
});

describe("a device that keeps nothing", () => {
  it("never says that an unanswered edit is kept", async () => {
    const scene = begin({ queue: NO_QUEUE });
    scene.record.set(SIG, { text: "5 mg" });
    await settled();
    scene.clock.pass(1_000);
    expect(scene.saved()).toBe("notSaved");
    scene.ack(last(scene), 10, 11, set(SIG, { text: "5 mg" }));
    expect(scene.saved()).toBe("onServer");
  });

  it("says so at once when the line is down", async () => {
    const scene = begin({ queue: NO_QUEUE });
    scene.line.break();
    scene.record.set(SIG, { text: "5 mg" });
    await settled();
    expect(scene.saved()).toBe("notSaved");
  });
});

describe("a refusal", () => {
  it.each(["busy", "too_fast", "storage_full", "storage_away"] as const)("%s keeps the edit and sends it again, later each time", async (code) => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    const edit = last(scene);
    scene.line.sent = [];
    scene.refuse(edit, code);
    scene.clock.pass(999);
    expect(scene.line.edits).toEqual([]);
    scene.clock.pass(1);
    expect(scene.line.edits.map(({ edit: { id }, resend }) => [id, resend])).toEqual([[edit, true]]);
    scene.refuse(edit, code);
    scene.clock.pass(1_999);
    expect(scene.line.edits.length).toBe(1);
    scene.clock.pass(1);
    expect(scene.line.edits.length).toBe(2);
    expect(scene.sig()).toBe("5 mg");
    expect(scene.record.get().refused).toEqual([]);
  });

  it("that puts an edit back lets no later edit of the same place overtake it", () => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    scene.refuse("e001" as EditId, "busy");
    scene.line.sent = [];
    scene.record.set(SIG, { text: "7.5 mg" });
    scene.record.set(FOR, "pain");
    expect(ids(scene)).toEqual(["e003"]);
    scene.clock.pass(1_000);
    expect(ids(scene)).toEqual(["e003", "e001", "e002"]);
  });

  it("of an edit that builds on one put back is no refusal", () => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    scene.record.set(SIG, { text: "7.5 mg" });
    scene.refuse("e001" as EditId, "storage_full");
    scene.refuse("e002" as EditId, "base_refused");
    expect(scene.record.get().refused).toEqual([]);
    scene.line.sent = [];
    scene.clock.pass(1_000);
    expect(ids(scene)).toEqual(["e001", "e002"]);
  });

  it("of an edit that builds on one put back is none either when that one is on its way again", () => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    scene.record.set(SIG, { text: "7.5 mg" });
    scene.refuse("e001" as EditId, "storage_full");
    scene.clock.pass(1_000);
    // On a slow line the answer to the second comes only now.
    scene.refuse("e002" as EditId, "base_refused");
    expect(scene.record.get().refused).toEqual([]);
    scene.line.sent = [];
    scene.clock.pass(2_000);
    expect(ids(scene)).toEqual(["e002"]);
  });

  it("of a text with a gap before it only sends the queue again, if an earlier one was put back", () => {
    const scene = begin();
    scene.record.type(NOTE, "AA==", "a");
    scene.record.type(NOTE, "AQ==", "ab");
    scene.refuse("e001" as EditId, "busy");
    scene.refuse("e002" as EditId, "text_gap");
    expect(scene.line.types()).not.toContain("record.resync");
    scene.line.sent = [];
    scene.clock.pass(1_000);
    expect(ids(scene)).toEqual(["e001", "e002"]);
  });

  it.each(["in_conflict", "stale_resolution", "row_removed", "base_unknown", "bad_value", "too_long", "conflict_full"] as const)("%s keeps the typed value for an open editor", async (code) => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    scene.refuse(last(scene), code);
    await settled();
    expect(scene.sig()).toBe("10 mg");
    expect(scene.record.get().refused).toMatchObject([{ code, place: "editor", entry: { op: { value: { text: "5 mg" } } } }]);
    expect(scene.saved()).toBe("notSaved");
    // The next value of the field settles it, under a new id.
    scene.record.set(SIG, { text: "6 mg" });
    await settled();
    expect(scene.record.get().refused).toEqual([]);
    expect(new Set(ids(scene)).size).toBe(2);
  });

  it.each(["not_allowed", "not_open", "unknown_address"] as const)("%s puts the words into the box, where they stay over a reload", async (code) => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    scene.refuse(last(scene), code);
    await settled();
    expect(scene.record.get().refused).toMatchObject([{ code, place: "box" }]);
    const again = begin({ queue: scene.queue });
    await settled();
    expect(again.record.get().refused).toMatchObject([{ code, place: "box", entry: { op: { value: { text: "5 mg" } } } }]);
    expect(again.line.edits).toEqual([]);
    const [first] = again.record.get().refused;
    if (first !== undefined) again.record.dismiss(first.entry.edit);
    await settled();
    expect([again.record.get().refused.length, scene.queue.kept.size]).toEqual([0, 0]);
  });

  it.each(["text_bad", "text_foreign_client", "text_gap", "text_not_plain", "too_long", "row_removed", "locked", "not_allowed"] as const)("%s of a text drops the text, keeps its last words once, and asks for the document", async (code) => {
    const scene = begin();
    const events: string[] = [];
    scene.record.onText(NOTE, ({ kind }) => events.push(kind));
    scene.record.type(NOTE, "AA==", "half");
    scene.record.type(NOTE, "AQ==", "half a word");
    scene.refuse("e001" as EditId, code);
    scene.refuse("e002" as EditId, "text_gap");
    await settled();
    expect(scene.record.get().refused).toMatchObject([{ code, place: "box", entry: { words: "half a word" } }]);
    expect(scene.record.get().pending).toEqual([]);
    expect(scene.line.types().filter((type) => type === "record.resync").length).toBe(1);
    scene.line.say({ type: "record.resync", doc: PLAN, why: "asked" });
    scene.line.say(snapshot(WITH_MED, 10, { client_id: 99 }));
    expect(events).toEqual(["reset"]);
    expect(scene.record.text(NOTE)).toEqual({ updates: [], clientId: 99 });
  });

  it("storage_failed keeps the edit and says that the store stopped", async () => {
    const scene = begin();
    scene.record.set(SIG, { text: "5 mg" });
    scene.refuse(last(scene), "storage_failed");
    await settled();
    expect([scene.record.get().storage, scene.record.get().pending.length]).toEqual(["failed", 1]);
  });
});

describe("a command", () => {
  it("answers when it is done, or why not", async () => {
    const scene = begin();
    const done = scene.record.command("plan", { kind: "share" });
    const [sent] = scene.line.sent.slice(-1);
    expect(sent).toMatchObject({ type: "record.command", command: { kind: "share" }, seen: 10 });
    scene.ack("e001" as EditId, 10, 11, { kind: "decided", decision: "shared", sets: [{ at: { field: "share" }, value: true }] });
    expect(await done).toEqual({ kind: "done" });
    const refused = scene.record.command("plan", { kind: "share" });
    scene.refuse("e002" as EditId, "already_decided");
    expect(await refused).toEqual({ kind: "refused", code: "already_decided" });
  });

  it("is answered when the message itself was refused", async () => {
    const scene = begin();
    const one = scene.record.command("plan", { kind: "share" });
    scene.line.say({ type: "refused", of: "record.command", code: "wrong_state" });
    expect(await one).toEqual({ kind: "refused", code: "not_open" });
    const two = [scene.record.command("plan", { kind: "share" }), scene.record.command("plan", { kind: "share" })];
    scene.line.say({ type: "refused", of: "record.command", code: "too_fast" });
    expect(await Promise.all(two)).toEqual([{ kind: "unknown" }, { kind: "unknown" }]);
  });

  it("is never kept for later", async () => {
    const scene = begin();
    const lost = scene.record.command("plan", { kind: "share" });
    scene.line.break();
    expect(await lost).toEqual({ kind: "unknown" });
    expect(await scene.record.command("plan", { kind: "share" })).toEqual({ kind: "unknown" });
    scene.line.mend();
    scene.line.say(snapshot(WITH_MED, 10));
    expect(scene.line.sent.filter(({ type }) => type === "record.command").length).toBe(1);
  });
});

describe("an editor that was open", () => {
  it("is kept with what its author had seen, and found again after a reload", async () => {
    const scene = begin();
    scene.record.keepDraft(SIG, { value: { text: "7" }, base: { rev: 4 }, seen: 4 });
    await settled();
    const again = begin({ queue: scene.queue });
    await settled();
    const key = again.record.draftKey(SIG);
    expect(key === null ? null : again.record.get().drafts.get(key)).toEqual({ key: "plan/m1/meds.sig", value: { text: "7" }, base: { rev: 4 }, seen: 4 });
    expect(again.line.edits).toEqual([]);
    again.record.dropDraft(SIG);
    await settled();
    expect([again.record.get().drafts.size, scene.queue.open.size]).toEqual([0, 0]);
  });
});

describe("carets", () => {
  it("are sent ten times a second at most, only when they moved, and dropped at once on leaving", () => {
    const scene = begin();
    const at = (head: string) => ({ at: NOTE, head, anchor: null });
    const sent = () => scene.line.sent.flatMap((message) => (message.type === "record.caret" ? [message.caret?.head ?? null] : []));
    scene.record.setCaret("plan", at("a"));
    scene.record.setCaret("plan", at("b"));
    scene.record.setCaret("plan", at("c"));
    expect(sent()).toEqual(["a"]);
    scene.clock.pass(100);
    expect(sent()).toEqual(["a", "c"]);
    scene.clock.pass(100);
    scene.record.setCaret("plan", at("c"));
    scene.clock.pass(100);
    scene.record.setCaret("plan", null);
    expect(sent()).toEqual(["a", "c", null]);
  });

  it("of others go with them and with the line", () => {
    const scene = begin();
    const say = (seat: string, head: string | null) => scene.line.say({ type: "record.caret", doc: PLAN, seat: seat as SeatId, caret: head === null ? null : { at: NOTE, head, anchor: null } });
    say("s2", "a");
    say("s3", "b");
    say("s2", null);
    expect([...scene.record.get().carets.keys()]).toEqual(["s3"]);
    scene.line.break();
    expect(scene.record.get().carets.size).toBe(0);
  });
});
