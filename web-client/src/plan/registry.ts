/**
 * The records open in this page. The panel and the save pill stand in different places of the screen and mean the same
 * record, and a panel that is closed and opened again goes on where it was.
 */
import type { Line } from "../call/connection";
import type { PersonId, RecordId, Role, SeatId } from "../wire";
import { fromBase64 } from "./base64";
import { newEditId, newRowId } from "./ids";
import { importKey, openQueue } from "./queue";
import { SharedRecord, type Clock } from "./record";
import { createStore, type Readable } from "./store";

const clock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  later: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};

interface Opened {
  readonly line: Line;
  readonly record: SharedRecord;
}

const opened = new Map<RecordId, Opened>();
const open = createStore<ReadonlyMap<RecordId, Opened>>(new Map());

export const openRecords: Readable<ReadonlyMap<RecordId, { readonly record: SharedRecord }>> = open;

export interface Ask {
  readonly line: Line;
  readonly record: RecordId;
  readonly self: { readonly person: PersonId; readonly seat: SeatId; readonly role: Role };
}

/** The record, opened on this line if it is not yet. */
export function acquire({ line, record: id, self }: Ask): SharedRecord {
  const known = opened.get(id);
  if (known !== undefined && known.line === line && known.record.self.seat === self.seat) return known.record;
  known?.record.close();
  const queue = openQueue(globalThis.indexedDB, self.seat, () => fetchKey(self.seat));
  const record = new SharedRecord({ line, record: id, self, queue, clock, newEditId, newRowId });
  opened.set(id, { line, record });
  window.addEventListener("beforeunload", warn);
  // Told a moment later: this runs while a component is being drawn, and others read the store.
  queueMicrotask(() => open.set(new Map(opened)));
  return record;
}

async function fetchKey(seat: SeatId): Promise<CryptoKey> {
  const reply = await fetch(`/api/seats/${encodeURIComponent(seat)}/key`, { headers: { accept: "application/json" }, cache: "no-store" });
  if (!reply.ok) throw new Error("no key");
  const body: unknown = await reply.json();
  if (typeof body !== "object" || body === null || !("key" in body) || typeof body.key !== "string") throw new Error("no key");
  return importKey(fromBase64(body.key));
}

/** Warns before the page goes while the server does not have everything. */
function warn(event: BeforeUnloadEvent): void {
  if (unsettled() > 0) event.preventDefault();
}

/** Waits for acknowledgements, at most so long; how many edits the server still does not have. For *Leave*. */
export async function settle(withinMs: number): Promise<number> {
  const until = performance.now() + withinMs;
  while (unsettled() > 0 && performance.now() < until) await new Promise((next) => setTimeout(next, SETTLE_LOOK_MS));
  return unsettled();
}

/** Short enough not to be felt, long enough not to spin. */
const SETTLE_LOOK_MS = 50;

/** Edits of any record of this page that the server does not have. */
export function unsettled(): number {
  let count = 0;
  for (const { record } of open.get().values()) {
    const { pending, refused, locked } = record.get();
    count += pending.length + refused.length + locked;
  }
  return count;
}
