import { useSyncExternalStore } from "react";

/** Narrower than this is a phone; the style sheets say the same. */
const PHONE = "(max-width: 759px)";

export function isPhone(): boolean {
  return typeof matchMedia === "function" && matchMedia(PHONE).matches;
}

export function usePhone(): boolean {
  return useSyncExternalStore(watch, isPhone);
}

function watch(changed: () => void): () => void {
  const query = matchMedia(PHONE);
  query.addEventListener("change", changed);
  return () => query.removeEventListener("change", changed);
}
