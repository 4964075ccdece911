/** Keys of everything inside an element: a form that ends with Esc, a card with letters. */
import { useCallback, useEffect, useRef, type RefCallback } from "react";

export function useKeys<T extends HTMLElement>(act: (event: KeyboardEvent) => void): RefCallback<T> {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  return useCallback((element: T | null) => {
    if (element === null) return;
    const listener = (event: KeyboardEvent): void => latest.current(event);
    element.addEventListener("keydown", listener);
    return () => element.removeEventListener("keydown", listener);
  }, []);
}
