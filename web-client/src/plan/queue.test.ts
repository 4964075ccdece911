/** The queue on the device: sealed, durable, bound to its seat. */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { describe, expect, it } from "vitest";
import type { DocId, EditId, SeatId } from "../wire";
import { forgetDevice, importKey, openQueue, type Entry } from "./queue";

/** Two visits of one person in one browser. */
const AT_TEN = "rosa at ten" as SeatId;
const AT_NOON = "rosa at noon" as SeatId;
const key = (byte: number) => () => importKey(new Uint8Array(32).fill(byte));
const entry = (edit: string, order: number, value = "canary 20 mg"): Entry => ({
  doc: "plan" as DocId, edit: edit as EditId, order, typedAt: 1, op: { kind: "set", at: { field: "meds.sig" }, base: { rev: 0 }, value },
});

/** Everything that lies on the disk. */
function stored(factory: IDBFactory): Promise<unknown[]> {
  return new Promise((done, fail) => {
    const request = factory.open("mortar");
    request.onerror = () => fail(request.error);
    request.onsuccess = () => {
      const all = request.result.transaction("queue").objectStore("queue").getAll();
      all.onsuccess = () => done(all.result);
    };
  });
}

describe("the queue", () => {
  it("gives back over a reload what was put in, in the order of typing", async () => {
    const factory = new IDBFactory();
    const first = await openQueue(factory, AT_TEN, key(1));
    expect(await first.put(entry("b", 2))).toBe(true);
    expect(await first.put(entry("a", 3))).toBe(true);
    expect(await first.put(entry("c", 1))).toBe(true);
    await first.remove("a" as EditId);
    const second = await openQueue(factory, AT_TEN, key(1));
    expect(await second.load()).toEqual({ entries: [entry("c", 1), entry("b", 2)], locked: 0 });
  });

  it("writes nothing that can be read without the key", async () => {
    const factory = new IDBFactory();
    await (await openQueue(factory, AT_TEN, key(1))).put(entry("a", 1));
    const [row] = await stored(factory) as { sealed: ArrayBuffer }[];
    expect(row).toBeDefined();
    const bytes = new TextDecoder("latin1").decode(row?.sealed);
    expect(bytes).not.toContain("canary");
    expect(JSON.stringify(Object.keys(row ?? {}).toSorted())).toBe('["id","iv","sealed","seat"]');
  });

  it("holds a key that cannot be read out again", async () => {
    await expect(crypto.subtle.exportKey("raw", await key(1)())).rejects.toThrow();
  });

  it("counts without a key, and reads once it has come", async () => {
    const factory = new IDBFactory();
    await (await openQueue(factory, AT_TEN, key(1))).put(entry("a", 1));
    let tries = 0;
    const queue = await openQueue(factory, AT_TEN, () => ((tries += 1) === 1 ? Promise.reject(new Error("away")) : key(1)()));
    expect(await queue.load()).toEqual({ entries: [], locked: 1 });
    expect((await queue.load()).entries.length).toBe(1);
  });

  it("keeps nothing, and says so, while there is no key", async () => {
    const queue = await openQueue(new IDBFactory(), AT_TEN, () => Promise.reject(new Error("away")));
    expect(await queue.put(entry("a", 1))).toBe(false);
  });

  it("is one for each seat, and opens no row of another session's key or another place", async () => {
    const factory = new IDBFactory();
    await (await openQueue(factory, AT_TEN, key(1))).put(entry("a", 1));
    expect((await (await openQueue(factory, AT_NOON, key(1))).load()).entries).toEqual([]);
    expect(await (await openQueue(factory, AT_TEN, key(2))).load()).toEqual({ entries: [], locked: 0 });
  });

  it("leaves alone what another seat keeps in the same place", async () => {
    const factory = new IDBFactory();
    const draft = { key: "plan/meds.sig", value: "10 mg", base: { rev: 3 }, seen: 3 };
    const ten = await openQueue(factory, AT_TEN, key(1));
    await ten.put(entry("a", 1));
    await ten.keepDraft(draft);
    const noon = await openQueue(factory, AT_NOON, key(2));
    await noon.load();
    await noon.keepDraft({ ...draft, value: "20 mg" });
    await noon.dropDraft(draft.key);
    expect(await ten.drafts()).toEqual([draft]);
    expect((await (await openQueue(factory, AT_TEN, key(1))).load()).entries).toEqual([entry("a", 1)]);
  });

  it("without a database says that nothing is kept, instead of failing", async () => {
    const none = await openQueue(undefined, AT_TEN, key(1));
    expect([await none.put(entry("a", 1)), (await none.load()).entries.length]).toEqual([false, 0]);
    const broken = { open: () => { throw new DOMException("private mode", "SecurityError"); } } as unknown as IDBFactory;
    expect(await (await openQueue(broken, AT_TEN, key(1))).put(entry("a", 1))).toBe(false);
  });

  it("keeps open editors as it keeps edits", async () => {
    const factory = new IDBFactory();
    const first = await openQueue(factory, AT_TEN, key(1));
    const draft = { key: "plan/meds.sig", value: "canary", base: { rev: 3 }, seen: 3 };
    await first.keepDraft(draft);
    expect(await (await openQueue(factory, AT_TEN, key(1))).drafts()).toEqual([draft]);
    expect(await (await openQueue(factory, AT_NOON, key(1))).drafts()).toEqual([]);
    await first.dropDraft(draft.key);
    expect(await first.drafts()).toEqual([]);
  });

  it("is gone after sign-out", async () => {
    const factory = new IDBFactory();
    const queue = await openQueue(factory, AT_TEN, key(1));
    await queue.put(entry("a", 1));
    await forgetDevice(factory);
    expect((await (await openQueue(factory, AT_TEN, key(1))).load()).entries).toEqual([]);
  });
});
