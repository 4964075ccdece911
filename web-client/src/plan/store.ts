/** One value that many components read: replaced, never mutated. */
import { useRef, useSyncExternalStore } from "react";

export interface Readable<S> {
  get(): S;
  subscribe(listener: () => void): () => void;
}

export interface Store<S> extends Readable<S> {
  set(state: S): void;
  /** Several changes that readers hear of once: a message of the line is one event to the screen. */
  batch(run: () => void): void;
}

export function createStore<S>(initial: S): Store<S> {
  let state = initial;
  const listeners = new Set<() => void>();
  let depth = 0;
  let untold = false;
  const tell = (): void => {
    untold = false;
    for (const listener of listeners) listener();
  };
  return {
    get: () => state,
    set(next) {
      if (next === state) return;
      state = next;
      if (depth === 0) tell();
      else untold = true;
    },
    batch(run) {
      depth += 1;
      try {
        run();
      } finally {
        depth -= 1;
        if (depth === 0 && untold) tell();
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/**
 * The same store for readers who do not care about some of its changes: they are not even asked. With hundreds of
 * readers that is what a letter costs.
 */
export function sift<S>(source: Readable<S>, same: (a: S, b: S) => boolean): Readable<S> {
  let kept = source.get();
  let seen = kept;
  const listeners = new Set<() => void>();
  let undo: (() => void) | null = null;
  const get = (): S => {
    const now = source.get();
    if (now !== seen) {
      seen = now;
      if (!same(kept, now)) kept = now;
    }
    return kept;
  };
  let told = kept;
  const look = (): void => {
    if (get() === told) return;
    told = kept;
    for (const listener of listeners) listener();
  };
  return {
    get,
    subscribe(listener) {
      if (undo === null) {
        told = get();
        undo = source.subscribe(look);
      }
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0 || undo === null) return;
        undo();
        undo = null;
      };
    },
  };
}

/** A slice of a store: the component is drawn again only when `same` says the slice is another. */
export function useSlice<S, T>(store: Readable<S>, select: (state: S) => T, same: (a: T, b: T) => boolean = Object.is): T {
  const last = useRef<{ readonly value: T } | null>(null);
  const read = (): T => {
    const value = select(store.get());
    if (last.current !== null && same(last.current.value, value)) return last.current.value;
    last.current = { value };
    return value;
  };
  return useSyncExternalStore(store.subscribe, read, read);
}

export const sameItems = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a === b || (a.length === b.length && a.every((item, index) => item === b[index]));

/** The new items, but those that say the same as an old one are that one, and the old list if all are: what shows them is not drawn again. */
export function keepEqual<T>(before: readonly T[], now: readonly T[]): readonly T[] {
  const known = new Map(before.map((item) => [JSON.stringify(item), item]));
  const kept = now.map((item) => known.get(JSON.stringify(item)) ?? item);
  return sameItems(before, kept) ? before : kept;
}
