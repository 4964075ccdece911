/** Paths of the client. A token is never part of one: it is taken out of the fragment and kept in memory. */
import { useSyncExternalStore } from "react";
import type { SeatId } from "./wire";

export type Route =
  | { readonly kind: "start" }
  | { readonly kind: "door" }
  | { readonly kind: "decision" }
  | { readonly kind: "passkey" }
  | { readonly kind: "visit"; readonly seat: SeatId }
  | { readonly kind: "unknown" };

export function parseRoute(path: string): Route {
  if (path === "/") return { kind: "start" };
  if (path === "/j") return { kind: "door" };
  if (path === "/d") return { kind: "decision" };
  if (path === "/k") return { kind: "passkey" };
  const visit = /^\/v\/([0-9A-Za-z-]{1,64})$/.exec(path);
  if (visit?.[1] !== undefined) return { kind: "visit", seat: visit[1] as SeatId };
  return { kind: "unknown" };
}

/** Reads the link's token once and removes it from the address. */
export function takeLinkToken(): string | null {
  const token = location.hash.slice(1);
  const { pathname } = location;
  if (!["/j", "/d", "/k"].includes(pathname) || token === "") return null;
  history.replaceState(null, "", pathname);
  return token;
}

/** The token in a pasted link, or a token by itself; `null` if it is neither. 26 characters of Crockford base32. */
export function tokenIn(pasted: string): string | null {
  const last = pasted.trim().split("#").at(-1) ?? "";
  return /^[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{16,64}$/.test(last) ? last : null;
}

const listeners = new Set<() => void>();
const changed = () => listeners.forEach((listener) => listener());
if (typeof window !== "undefined") window.addEventListener("popstate", changed);

export function go(path: string): void {
  history.pushState(null, "", path);
  changed();
}

/** Like `go`, for a screen one does not come back to: the door after it has opened. */
export function replace(path: string): void {
  history.replaceState(null, "", path);
  changed();
}

export function usePath(): string {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => location.pathname,
  );
}
