/**
 * Says things to screen readers, each once. The two live regions stand in index.html, outside React, from the first
 * paint: a region that appears together with its text is often not read.
 */
export type Level = "polite" | "assertive";

/** The same id is not said again for this long: a flapping line must not talk without end. */
const REPEAT_AFTER_MS = 60_000;
/** Sentences this close together are joined: a roster arriving is one announcement. */
const JOIN_MS = 500;

const said = new Map<string, number>();
const waiting: Record<Level, string[]> = { polite: [], assertive: [] };
const timers: Record<Level, number | undefined> = { polite: undefined, assertive: undefined };

/** `id` names the event, so that one event is one announcement wherever it is noticed. */
export function announce(level: Level, id: string, words: string): void {
  const now = performance.now();
  const before = said.get(id);
  if (before !== undefined && now - before < REPEAT_AFTER_MS) return;
  said.set(id, now);
  waiting[level].push(words);
  timers[level] ??= window.setTimeout(() => {
    timers[level] = undefined;
    const region = document.getElementById(level);
    if (region !== null) region.textContent = waiting[level].join(" ");
    waiting[level] = [];
  }, JOIN_MS);
}

/** Lets the same event be said again, when its opposite happened: "back" makes the next "reconnecting" new. */
export function forget(id: string): void {
  said.delete(id);
}
