import { useEffect } from "react";
import { useSay } from "../i18n";
import style from "./landmarks.module.css";

const PARTS = "header, main, aside, nav";

function enter(part: HTMLElement): void {
  if (!part.hasAttribute("tabindex")) part.tabIndex = -1;
  part.focus();
}

/** F6 goes to the next part of the page, Shift+F6 back, as in the programs that people know it from. */
export function useLandmarkKeys(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "F6" || event.altKey || event.ctrlKey || event.metaKey) return;
      const parts = [...document.querySelectorAll<HTMLElement>(PARTS)].filter((part) => part.closest("dialog") === null && part.parentElement?.closest(PARTS) === null);
      const nested = [...document.querySelectorAll<HTMLElement>("aside nav")];
      const all = [...parts, ...nested].toSorted((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
      const inside = document.activeElement?.closest<HTMLElement>(PARTS) ?? null;
      const at = inside === null ? -1 : all.indexOf(inside);
      const next = all[(at + (event.shiftKey ? -1 : 1) + all.length) % Math.max(1, all.length)];
      if (next === undefined) return;
      event.preventDefault();
      enter(next);
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

/** The first stop of Tab: straight to the main part. A button, since a link would change the address. */
export function SkipLink() {
  const say = useSay();
  return (
    <button type="button" className={style["skip"]} onClick={() => {
      const main = document.querySelector("main");
      if (main !== null) enter(main);
    }}>
      {say("ui.skip")}
    </button>
  );
}
