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

/** Text and carets by turns. Nodes that are there are written into: making them anew costs as much as all the rest of a letter. */
export function drawTwin(twin: HTMLElement, text: string, carets: readonly TwinCaret[]): void {
  const nodes = 2 * carets.length + 1;
  if (twin.childNodes.length !== nodes) {
    twin.replaceChildren(...Array.from({ length: nodes }, (_, index) => (index % 2 === 0 ? document.createTextNode("") : document.createElement("span"))));
  }
  let from = 0;
  carets.toSorted((a, b) => a.position - b.position).forEach((caret, index) => {
    const at = Math.min(Math.max(caret.position, from), text.length);
    write(twin.childNodes[2 * index], text.slice(from, at));
    drawCaret(twin.childNodes[2 * index + 1], caret);
    from = at;
  });
  // A line break at the end has no height of its own.
  write(twin.lastChild, `${text.slice(from)}\n`);
}

function write(node: ChildNode | null | undefined, text: string): void {
  if (node instanceof Text && node.data !== text) node.data = text;
}

function drawCaret(node: ChildNode | undefined, { name, colour, fresh }: TwinCaret): void {
  if (!(node instanceof HTMLElement)) return;
  const look = classes(style["caret"], personClass(colour));
  if (node.className !== look) node.className = look;
  const flag = node.firstElementChild;
  if (!fresh) return flag?.remove();
  const shown = flag ?? node.appendChild(document.createElement("span"));
  if (flag === null) shown.className = style["flag"] ?? "";
  if (shown.textContent !== name) shown.textContent = name;
}
