import { useRef, useSyncExternalStore } from "react";

/** One value that components read a slice of. State is replaced, never mutated. */
export interface Store<S> {
  get(): S;
  set(next: S): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<S>(initial: S): Store<S> {
  let state = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => state,
    set: (next) => {
      if (Object.is(next, state)) return;
      state = next;
      for (const listener of listeners) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Reads a slice. `select` should return a value of the state itself, or a plain value, so that others' changes redraw nothing. */
export function useStore<S, T>(store: Store<S>, select: (state: S) => T): T {
  const last = useRef<{ readonly state: S; readonly value: T; readonly select: (state: S) => T } | null>(null);
  return useSyncExternalStore(store.subscribe, () => {
    const state = store.get();
    if (last.current?.state === state && last.current.select === select) return last.current.value;
    const value = select(state);
    last.current = { state, value, select };
    return value;
  });
}
