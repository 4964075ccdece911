/** The way from a list of what is missing to the field it is about, on whichever tab that stands. */
import { createContext, use } from "react";
import type { Address } from "../wire";
import { keyOf } from "./fold";

/** Shows the tab of a field and puts the focus into it. */
export const JumpContext = createContext<(at: Address) => void>(() => undefined);

export const useJump = (): ((at: Address) => void) => use(JumpContext);

/** Set on what surrounds a field, so that it can be found. */
export const spot = (at: Address): { readonly "data-at": string } => ({ "data-at": keyOf(at) });

/** Puts the focus into a field that is on the screen; whether it was there. */
export function focusField(root: ParentNode, at: Address): boolean {
  const field = root.querySelector<HTMLElement>(`[data-at="${CSS.escape(keyOf(at))}"]`);
  if (field === null) return false;
  const inside = field.querySelector<HTMLElement>("button, select, input, textarea, [contenteditable], [tabindex]");
  field.scrollIntoView({ block: "center" });
  inside?.focus({ preventScroll: true });
  return true;
}
