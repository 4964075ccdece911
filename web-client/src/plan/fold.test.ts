/** The fold against the fixtures that Rust wrote: it must give what the server has, in every state. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import type { Change, Snapshot } from "../wire";
import { fromBase64 } from "./base64";
import { fold, fromSnapshot, type DocState } from "./fold";

const FOLDER = join(import.meta.dirname, "../../../signaling/fixtures/fold");

interface Case {
  readonly before: Snapshot;
  readonly change: Change;
  readonly after: Snapshot;
  readonly texts: Record<string, string>;
}

interface Sequence {
  readonly before: Snapshot;
  readonly steps: readonly { readonly change: Change; readonly after?: Snapshot; readonly texts?: Record<string, string> }[];
}

const read = (name: string): unknown => JSON.parse(readFileSync(join(FOLDER, name), "utf8"));

function wordsOf(updates: readonly string[]): string {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, fromBase64(update));
  return doc.getText("t").toString();
}

const texts = (doc: DocState): Record<string, string> => Object.fromEntries([...doc.texts].map(([key, { updates }]) => [key, wordsOf(updates)]));

/** Everything but the bytes of texts, which may differ while their words do not. */
const shape = (doc: DocState) => ({
  lists: new Map([...doc.lists].filter(([, rows]) => rows.length > 0)),
  registers: doc.registers,
  texts: new Map([...doc.texts].map(([key, { rev, merged }]) => [key, { rev, merged }])),
});

const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

describe("the fold", () => {
  it("has fixtures to read", () => expect(files.length).toBeGreaterThan(10));

  it.each(files.filter((name) => !name.startsWith("random")))("folds %s as the server does", (name) => {
    const one = read(name) as Case;
    const before = fromSnapshot(one.before, one.change.seq - 1);
    const frozen = JSON.stringify(one.before);
    const after = fold(before, one.change);
    expect(shape(after)).toEqual(shape(fromSnapshot(one.after, one.change.seq)));
    expect(texts(after)).toEqual(one.texts);
    expect(after.seq).toBe(one.change.seq);
    expect(JSON.stringify(one.before)).toBe(frozen);
  });

  it.each(files.filter((name) => name.startsWith("random")))("folds the sequence of %s as the server does, step by step", (name) => {
    const { before, steps } = read(name) as Sequence;
    let doc = fromSnapshot(before, 0);
    for (const step of steps) {
      doc = fold(doc, step.change);
      if (step.after !== undefined) expect(shape(doc)).toEqual(shape(fromSnapshot(step.after, step.change.seq)));
      if (step.texts !== undefined) expect(texts(doc)).toEqual(step.texts);
    }
    expect(steps.length).toBeGreaterThan(0);
  });
});
