/** Two people in one field: no character is lost, nothing interleaves inside a word, and both see the same. */
import { describe, expect, it, vi } from "vitest";
import type { Base64 } from "../wire";
import { address } from "./fold";
import type { TextEvent } from "./record";
import { NarrativeDoc, type TextPort } from "./text";
import { bind, difference, HOLD_MS, shift, type Area } from "./textarea";

/** Mulberry32: the same trials in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A text area as far as the binding uses it. */
class FakeArea implements Area {
  value = "";
  selectionStart = 0;
  selectionEnd = 0;
  selectionDirection: "forward" | "backward" | "none" = "none";
  private readonly listeners = new Map<string, ((event: never) => void)[]>();
  matches = (): boolean => true;
  setSelectionRange = (from: number | null, to: number | null): void => {
    this.selectionStart = from ?? 0;
    this.selectionEnd = to ?? 0;
  };
  addEventListener = (type: string, listener: unknown): void => void this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener as (event: never) => void]);
  removeEventListener = (type: string, listener: unknown): void => void this.listeners.set(type, (this.listeners.get(type) ?? []).filter((other) => other !== listener));
  fire(type: string, event: object = {}): void {
    for (const listener of this.listeners.get(type) ?? []) listener(event as never);
  }
  /** What the browser does with a key: the selection is replaced, then the event comes. */
  key(text: string): void {
    this.value = this.value.slice(0, this.selectionStart) + text + this.value.slice(this.selectionEnd);
    this.selectionStart = this.selectionEnd = this.selectionStart + text.length;
    this.fire("input");
  }
  backspace(): void {
    if (this.selectionStart === this.selectionEnd && this.selectionStart > 0) this.selectionStart -= 1;
    this.key("");
  }
  at(from: number, to = from): void {
    this.setSelectionRange(from, to);
  }
}

/** A server that only orders: everybody gets every update in the same order, late. */
class Relay {
  log: Base64[] = [];
  readonly sides: Side[] = [];
  join(clientId: number): Side {
    const side = new Side(this, clientId);
    this.sides.push(side);
    return side;
  }
  settle(): void {
    for (let round = 0; round < 4; round += 1) {
      for (const side of this.sides) side.doc.flush();
      for (const side of this.sides) side.catchUp(Number.POSITIVE_INFINITY);
    }
  }
}

class Side {
  readonly area = new FakeArea();
  readonly doc: NarrativeDoc;
  readonly sent: { readonly update: Base64; readonly words: string }[] = [];
  private seen = 0;
  private hear: (event: TextEvent) => void = () => {};
  private readonly relay: Relay;
  constructor(relay: Relay, clientId: number) {
    this.relay = relay;
    const port: TextPort = {
      text: () => ({ updates: relay.log, clientId }),
      onText: (_at, listener) => {
        this.hear = listener;
        return () => {};
      },
      type: (_at, update, words) => {
        relay.log.push(update);
        this.sent.push({ update, words });
      },
    };
    this.seen = relay.log.length;
    this.doc = new NarrativeDoc(port, address("note"), () => () => {});
    bind(this.area, this.doc, () => {});
  }
  catchUp(count: number): void {
    const until = Math.min(this.relay.log.length, this.seen + count);
    for (; this.seen < until; this.seen += 1) {
      const update = this.relay.log[this.seen];
      if (update !== undefined) this.hear({ kind: "update", update });
    }
  }
  tell(event: TextEvent): void {
    this.hear(event);
  }
}

describe("difference", () => {
  it("finds a repeated letter where it was typed", () => {
    expect(difference("aaa", "aaaa", 2)).toEqual({ at: 1, remove: 0, insert: "a" });
    expect(difference("aaa", "aaaa", 4)).toEqual({ at: 3, remove: 0, insert: "a" });
    expect(difference("aaa", "aa", 1)).toEqual({ at: 1, remove: 1, insert: "" });
  });

  it("never cuts a character in half", () => {
    const { at, remove, insert } = difference("a😀b", "a😁b", 3);
    expect([at, remove, insert]).toEqual([1, 2, "😁"]);
  });

  it("makes the one text of the other, for any edit and any caret", () => {
    const next = random(7);
    const letters = "ab 1😀";
    const some = (length: number) => Array.from({ length }, () => Array.from(letters)[Math.floor(next() * 5)] ?? "").join("");
    for (let trial = 0; trial < 5_000; trial += 1) {
      const before = some(Math.floor(next() * 8));
      const from = Math.floor(next() * (before.length + 1));
      const to = from + Math.floor(next() * (before.length - from + 1));
      const insert = some(Math.floor(next() * 4));
      const after = before.slice(0, from) + insert + before.slice(to);
      const found = difference(before, after, Math.floor(next() * (after.length + 1)));
      expect(before.slice(0, found.at) + found.insert + before.slice(found.at + found.remove)).toBe(after);
    }
  });
});

describe("shift", () => {
  it("moves with what is put in before, not with what is put in exactly there", () => {
    expect(shift(3, [{ retain: 1 }, { insert: "xx" }])).toBe(5);
    expect(shift(3, [{ retain: 3 }, { insert: "xx" }])).toBe(3);
    expect(shift(3, [{ retain: 5 }, { insert: "xx" }])).toBe(3);
    expect(shift(0, [{ insert: "xx" }])).toBe(0);
  });

  it("is pulled back by what is taken out, at most to its beginning", () => {
    expect(shift(5, [{ retain: 1 }, { remove: 2 }])).toBe(3);
    expect(shift(5, [{ retain: 3 }, { remove: 9 }])).toBe(3);
    expect(shift(5, [{ retain: 5 }, { remove: 2 }])).toBe(5);
  });
});

describe("two people in one field", () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed + 1))("lose no character and keep each sentence whole (trial %i)", (seed) => {
    const next = random(seed);
    const relay = new Relay();
    const one = relay.join(101);
    const two = relay.join(202);
    one.area.key("start ");
    one.area.key("[]");
    relay.settle();
    const mine = "lisinopril stays at 10 mg until Monday";
    const theirs = "WATCH POTASSIUM AND CREATININE FIRST";
    one.area.at(one.area.value.indexOf("]"));
    two.area.at(0);
    const left = [Array.from(mine), Array.from(theirs)];
    while (left.some(({ length }) => length > 0)) {
      const who = next() < 0.5 ? 0 : 1;
      const side = who === 0 ? one : two;
      const letter = left[who]?.shift();
      if (letter !== undefined) side.area.key(letter);
      if (next() < 0.5) side.doc.flush();
      if (next() < 0.4) (next() < 0.5 ? one : two).catchUp(1 + Math.floor(next() * 4));
    }
    relay.settle();
    expect(one.area.value).toBe(two.area.value);
    expect(one.area.value).toBe(one.doc.read());
    expect(one.area.value).toContain(mine);
    expect(one.area.value).toContain(theirs);
    expect(one.area.value.length).toBe("start []".length + mine.length + theirs.length);
  });

  it("end equal after any edits, deletions and selections included", () => {
    for (let seed = 1; seed <= 24; seed += 1) {
      const next = random(seed * 31);
      const relay = new Relay();
      const sides = [relay.join(1), relay.join(2)];
      for (let step = 0; step < 80; step += 1) {
        const side = sides[next() < 0.5 ? 0 : 1];
        if (side === undefined) continue;
        const { area } = side;
        const roll = next();
        if (roll < 0.5) area.key(next() < 0.1 ? "😀" : String.fromCharCode(97 + Math.floor(next() * 26)));
        else if (roll < 0.65) {
          // The way a browser moves: never into the middle of a character.
          const places = [0, ...Array.from(area.value).map((_, index, all) => all.slice(0, index + 1).join("").length)];
          const place = () => places[Math.floor(next() * places.length)] ?? 0;
          const [a, b] = [place(), place()];
          area.at(Math.min(a, b), next() < 0.5 ? Math.min(a, b) : Math.max(a, b));
        } else if (roll < 0.75 && area.selectionStart !== area.selectionEnd) area.backspace();
        else if (roll < 0.9) side.catchUp(1 + Math.floor(next() * 5));
        else if (roll < 0.95) side.doc.undo();
        else side.doc.flush();
        expect(area.value).toBe(side.doc.read());
      }
      relay.settle();
      expect(sides[0]?.area.value).toBe(sides[1]?.area.value);
    }
  }, 30_000);
});

describe("composition", () => {
  it("holds others' updates back until it ends", () => {
    const relay = new Relay();
    const one = relay.join(1);
    const two = relay.join(2);
    one.area.fire("compositionstart");
    one.area.key("か");
    two.area.key("hello ");
    relay.settle();
    expect(one.area.value).toBe("か");
    one.area.fire("compositionend");
    relay.settle();
    expect(one.area.value).toBe(two.area.value);
    expect(one.area.value).toContain("hello ");
    expect(one.area.value).toContain("か");
  });

  it("lets them through after a pause, because some keyboards never end it", () => {
    vi.useFakeTimers();
    const relay = new Relay();
    const one = relay.join(1);
    const two = relay.join(2);
    one.area.fire("compositionstart");
    one.area.key("word");
    two.area.key("hello ");
    relay.settle();
    expect(one.area.value).toBe("word");
    vi.advanceTimersByTime(HOLD_MS);
    expect(one.area.value).toContain("hello ");
    vi.useRealTimers();
  });

  it("lets them through when the field is left", () => {
    const relay = new Relay();
    const one = relay.join(1);
    const two = relay.join(2);
    one.area.fire("compositionstart");
    two.area.key("hello");
    relay.settle();
    one.area.fire("blur");
    expect(one.area.value).toBe("hello");
  });
});

describe("undo", () => {
  it("takes back one's own words only, by the browser's own key", () => {
    const relay = new Relay();
    const one = relay.join(1);
    const two = relay.join(2);
    one.area.key("mine");
    relay.settle();
    two.area.at(4);
    two.area.key(" theirs");
    relay.settle();
    let stopped = 0;
    one.area.fire("beforeinput", { inputType: "historyUndo", preventDefault: () => (stopped += 1) });
    relay.settle();
    expect([one.area.value, two.area.value, stopped]).toEqual([" theirs", " theirs", 1]);
    one.area.fire("beforeinput", { inputType: "historyRedo", preventDefault: () => (stopped += 1) });
    expect(one.area.value).toBe("mine theirs");
  });
});

describe("client ids", () => {
  it("are set after what is known was applied, so that a page loaded again goes on under a fresh one", () => {
    const relay = new Relay();
    const before = relay.join(7);
    before.area.key("before");
    before.doc.flush();
    const after = relay.join(8);
    after.area.at(6);
    after.area.key(" after");
    relay.settle();
    expect(before.area.value).toBe("before after");
  });

  it("change with the line while the text goes on", () => {
    const relay = new Relay();
    const one = relay.join(1);
    const two = relay.join(2);
    one.area.key("a");
    one.tell({ kind: "client", clientId: 33 });
    one.area.key("b");
    relay.settle();
    expect(two.area.value).toBe("ab");
  });

  it("after a refused text the document is built anew from what the server has, and typing goes on", () => {
    const relay = new Relay();
    const one = relay.join(1);
    const two = relay.join(2);
    one.area.key("kept ");
    relay.settle();
    one.area.key("refused");
    one.doc.flush();
    relay.log = relay.log.slice(0, 1);
    one.tell({ kind: "reset" });
    expect(one.area.value).toBe("kept ");
    one.area.at(5);
    one.area.key("again");
    one.doc.flush();
    two.catchUp(9);
    expect(two.area.value).toBe("kept again");
  });

  it("send the field as its author saw it beside each update", () => {
    const relay = new Relay();
    const one = relay.join(1);
    one.area.key("half a word");
    one.doc.flush();
    expect(one.sent.at(-1)?.words).toBe("half a word");
  });
});
