/** A sifted store tells only of what its readers care about, and never shows an old state. */
import { describe, expect, it, vi } from "vitest";
import { createStore, keepEqual, sift } from "./store";

interface Both {
  readonly field: string;
  readonly letters: number;
}

const sameField = (a: Both, b: Both): boolean => a.field === b.field;

describe("a sifted store", () => {
  it("asks nobody for a letter, and tells of a field once", () => {
    const store = createStore<Both>({ field: "5 mg", letters: 0 });
    const fields = sift(store, sameField);
    const told = vi.fn<() => void>();
    fields.subscribe(told);
    for (let n = 1; n <= 10; n += 1) store.set({ ...store.get(), letters: n });
    expect(told).not.toHaveBeenCalled();
    store.set({ field: "10 mg", letters: 11 });
    expect(told).toHaveBeenCalledTimes(1);
    expect(fields.get().field).toBe("10 mg");
  });

  it("shows the field of now, also to who asks before being told, and tells them all the same", () => {
    const store = createStore<Both>({ field: "5 mg", letters: 0 });
    const fields = sift(store, sameField);
    const told = vi.fn<() => void>();
    // This reader of the whole store hears of it first, and reads the sifted one.
    store.subscribe(() => void fields.get());
    fields.subscribe(told);
    store.set({ field: "10 mg", letters: 0 });
    expect(fields.get().field).toBe("10 mg");
    expect(told).toHaveBeenCalledTimes(1);
  });

  it("gives the same state while its part is the same", () => {
    const store = createStore<Both>({ field: "5 mg", letters: 0 });
    const fields = sift(store, sameField);
    const before = fields.get();
    store.set({ field: "5 mg", letters: 1 });
    expect(fields.get()).toBe(before);
  });

  it("hears nothing while nobody listens, and is up to date for who comes", () => {
    const store = createStore<Both>({ field: "5 mg", letters: 0 });
    const fields = sift(store, sameField);
    const first = vi.fn<() => void>();
    fields.subscribe(first)();
    store.set({ field: "10 mg", letters: 0 });
    expect(first).not.toHaveBeenCalled();
    const second = vi.fn<() => void>();
    fields.subscribe(second);
    expect(fields.get().field).toBe("10 mg");
    store.set({ field: "20 mg", letters: 0 });
    expect(second).toHaveBeenCalledTimes(1);
  });
});

describe("a list that came again", () => {
  it("is the old one where it says the same, and keeps old items among new ones", () => {
    const before = [{ code: "a", at: [1] }, { code: "b", at: [2] }];
    expect(keepEqual(before, [{ code: "a", at: [1] }, { code: "b", at: [2] }])).toBe(before);
    const now = keepEqual(before, [{ code: "b", at: [2] }, { code: "c", at: [3] }]);
    expect(now).toEqual([{ code: "b", at: [2] }, { code: "c", at: [3] }]);
    expect(now[0]).toBe(before[1]);
  });
});
