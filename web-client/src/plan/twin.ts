/** The twin of a text area: same text, same shape, so that the area grows with it and carets have a place to stand. */
import { classes } from "../ui/classes";
import { personClass } from "./person";
import style from "./NarrativeText.module.css";

/** How long a caret shows its name after it moved. */
export const FLAG_MS = 3_000;

export interface TwinCaret {
  /** UTF-16 units from the beginning. */
  readonly position: number;
  readonly name: string;
  /** 0 to 7. */
  readonly colour: number;
  readonly fresh: boolean;
}

export function drawTwin(twin: HTMLElement, text: string, carets: readonly TwinCaret[]): void {
  const parts: (string | Node)[] = [];
  let from = 0;
  for (const { position, name, colour, fresh } of carets.toSorted((a, b) => a.position - b.position)) {
    const at = Math.min(Math.max(position, from), text.length);
    parts.push(text.slice(from, at));
    from = at;
    const caret = document.createElement("span");
    caret.className = classes(style["caret"], personClass(colour));
    if (fresh) {
      const flag = document.createElement("span");
      flag.className = style["flag"] ?? "";
      flag.textContent = name;
      caret.append(flag);
    }
    parts.push(caret);
  }
  // A line break at the end has no height of its own.
  parts.push(`${text.slice(from)}\n`);
  twin.replaceChildren(...parts);
}
