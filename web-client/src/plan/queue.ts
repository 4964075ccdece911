/**
 * Edits without an answer, on the device: sealed, written durably, gone once the server has them. Each seat has its own:
 * one person may sit in two visits in one browser, and the key of the one does not open what the other keeps.
 *
 * The key lives in the server's session row and comes after authentication; here it is a `CryptoKey` that cannot be
 * read out again. A stolen disk holds nothing readable, and a reload without a line can count its edits, not show them.
 */
import type { Base, DocId, EditId, Op, RecordRefusal, SeatId } from "../wire";

/** What is kept of one edit. */
export interface Entry {
  readonly doc: DocId;
  readonly edit: EditId;
  /** The order of typing, over reloads; the queue is resent in it. */
  readonly order: number;
  readonly op: Op;
  /** When it was typed: milliseconds since 1970. */
  readonly typedAt: number;
  /** Of a text: the whole field as its author saw it, for the box of what could not be saved. */
  readonly words?: string;
  /** Set once the server refused it; it is then kept for the person, not for sending. */
  readonly refused?: RecordRefusal;
}

/** An editor that was open: what stood in it, and what its author had seen. Not an edit until they end it. */
export interface Draft {
  /** Document and address. */
  readonly key: string;
  readonly value: unknown;
  readonly base: Base;
  readonly seen: number;
}

export interface Queue {
  /** What earlier pages left here. `locked`: how many there are that cannot be read without a key. */
  load(): Promise<{ readonly entries: readonly Entry[]; readonly locked: number }>;
  /** Whether it is on the disk. Never throws. */
  put(entry: Entry): Promise<boolean>;
  remove(edit: EditId): Promise<void>;
  /** Editors an earlier page left open. */
  drafts(): Promise<readonly Draft[]>;
  keepDraft(draft: Draft): Promise<void>;
  dropDraft(key: string): Promise<void>;
}

/** A device without a store: nothing is ever kept, and the pill says so. */
export const NO_QUEUE: Queue = {
  load: async () => ({ entries: [], locked: 0 }),
  put: async () => false,
  remove: async () => {},
  drafts: async () => [],
  keepDraft: async () => {},
  dropDraft: async () => {},
};

const DATABASE = "mortar";
const VERSION = 2;
const QUEUE = "queue";
const DRAFTS = "drafts";
/** AES-GCM's own length of initialisation vectors (NIST SP 800-38D §5.2.1.1). */
const IV_BYTES = 12;

/** A row of either store; `id` is an edit's id, or a draft's place. */
interface Sealed {
  readonly seat: SeatId;
  readonly id: string;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly sealed: ArrayBuffer;
}

/** A queue in IndexedDB. `key` may fail, and is asked again the next time it is needed. */
export async function openQueue(factory: IDBFactory | undefined, seat: SeatId, key: () => Promise<CryptoKey>): Promise<Queue> {
  let db: IDBDatabase;
  try {
    if (factory === undefined) return NO_QUEUE;
    db = await openDatabase(factory);
  } catch {
    return NO_QUEUE; // private mode, a full disk, a broken profile: all mean that nothing is kept
  }
  let known: CryptoKey | null = null;
  const unlock = async (): Promise<CryptoKey | null> => {
    try {
      known ??= await key();
    } catch {
      known = null;
    }
    return known;
  };
  const readAll = async <T>(store: string): Promise<{ readonly found: readonly T[]; readonly locked: number }> => {
    const rows = await all(db, store, seat).catch(() => []);
    if (rows.length === 0) return { found: [], locked: 0 };
    const secret = await unlock();
    if (secret === null) return { found: [], locked: rows.length };
    const found: T[] = [];
    for (const row of rows) {
      const value = await open(secret, store, row);
      // The key of this seat goes on as long as its session is renewed in this browser. A row it does not open is older
      // than that: nobody can read it any more.
      if (value === null) await forget(store, row.id);
      else found.push(value as T);
    }
    return { found, locked: 0 };
  };
  const keep = async (store: string, id: string, value: Entry | Draft): Promise<boolean> => {
    const secret = await unlock();
    if (secret === null) return false;
    try {
      const row = await seal(secret, store, seat, id, value);
      await write(db, store, (rows) => rows.put(row));
      return true;
    } catch {
      return false;
    }
  };
  const forget = (store: string, id: string): Promise<void> => write(db, store, (rows) => rows.delete([seat, id])).catch(() => {});
  return {
    async load() {
      const { found, locked } = await readAll<Entry>(QUEUE);
      return { entries: found.toSorted((a, b) => a.order - b.order), locked };
    },
    put: (entry) => keep(QUEUE, entry.edit, entry),
    remove: (edit) => forget(QUEUE, edit),
    drafts: async () => (await readAll<Draft>(DRAFTS)).found,
    keepDraft: async (draft) => void (await keep(DRAFTS, draft.key, draft)),
    dropDraft: (key) => forget(DRAFTS, key),
  };
}

/** The key's bytes, as the server sends them, made into a key that cannot be exported. */
export const importKey = (bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);

/** Deletes everything: a shared computer keeps nothing after sign-out. */
export function forgetDevice(factory: IDBFactory): Promise<void> {
  return new Promise((done) => {
    const request = factory.deleteDatabase(DATABASE);
    request.onsuccess = request.onerror = request.onblocked = () => done();
  });
}

function openDatabase(factory: IDBFactory): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const request = factory.open(DATABASE, VERSION);
    request.onupgradeneeded = () => {
      const db = request.result;
      for (const store of [QUEUE, DRAFTS]) {
        if (db.objectStoreNames.contains(store)) db.deleteObjectStore(store); // version 1 was never released
        db.createObjectStore(store, { keyPath: ["seat", "id"] }).createIndex("seat", "seat");
      }
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      done(request.result);
    };
    request.onerror = () => fail(request.error);
    request.onblocked = () => fail(new Error("blocked"));
  });
}

function write(db: IDBDatabase, store: string, act: (rows: IDBObjectStore) => IDBRequest): Promise<void> {
  return new Promise((done, fail) => {
    // Strict: the browser answers after the disk has, not after its cache has.
    const transaction = db.transaction(store, "readwrite", { durability: "strict" });
    act(transaction.objectStore(store));
    transaction.oncomplete = () => done();
    transaction.onabort = transaction.onerror = () => fail(transaction.error);
  });
}

function all(db: IDBDatabase, store: string, seat: SeatId): Promise<readonly Sealed[]> {
  return new Promise((done, fail) => {
    const request: IDBRequest<Sealed[]> = db.transaction(store, "readonly").objectStore(store).index("seat").getAll(seat);
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}

/** Bound to its place: a row copied under another seat or id does not open. */
const place = (store: string, seat: SeatId, id: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(`${store}/${seat}/${id}`);

async function seal(key: CryptoKey, store: string, seat: SeatId, id: string, value: Entry | Draft): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const plain = new TextEncoder().encode(JSON.stringify(value));
  return { seat, id, iv, sealed: await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: place(store, seat, id) }, key, plain) };
}

async function open(key: CryptoKey, store: string, row: Sealed): Promise<unknown> {
  try {
    const additionalData = place(store, row.seat, row.id);
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: row.iv, additionalData }, key, row.sealed);
    return JSON.parse(new TextDecoder().decode(plain)) as unknown;
  } catch {
    return null;
  }
}
