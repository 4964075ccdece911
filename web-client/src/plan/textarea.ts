/**
 * Keeps a text area and a shared text equal. The area is uncontrolled: it is written here, in the same task as the
 * text. (With an area a framework writes later, the next difference is taken against text the reader has not got, and
 * other people's characters are deleted.)
 */

/** One step of a change: what is kept, put in, taken out, in UTF-16 units. */
export interface Step {
  readonly retain?: number;
  readonly insert?: string;
  readonly remove?: number;
}

/** What the binding needs of a shared text. */
export interface SharedText {
  read(): string;
  /** One change, one transaction. */
  change(at: number, remove: number, insert: string): void;
  /** Called in the task of the change. `typed`: it came from the area. Returns the undoing. */
  onChange(listener: (steps: readonly Step[], typed: boolean) => void): () => void;
  /** Applies what others did. */
  apply(update: Uint8Array): void;
  /** Others' updates as they come. Returns the undoing. */
  onIncoming(listener: (update: Uint8Array) => void): () => void;
  undo(): void;
  redo(): void;
}

/** What the binding uses of an `HTMLTextAreaElement`. */
export interface Area extends Pick<
  HTMLTextAreaElement,
  "value" | "selectionStart" | "selectionEnd" | "selectionDirection" | "setSelectionRange" | "addEventListener" | "removeEventListener"
> {
  matches(selectors: string): boolean;
}

/** A pause this long ends the hold on others' updates: Android keeps a composition open for every word. */
export const HOLD_MS = 1_000;

/** Binds until the returned function is called. `drawn`: after the area shows something new. */
export function bind(area: Area, text: SharedText, drawn: () => void): () => void {
  let composing = false;
  let held: Uint8Array[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const release = (): void => {
    clearTimeout(timer);
    composing = false;
    const all = held;
    held = [];
    for (const update of all) text.apply(update);
  };
  const hold = (): void => {
    clearTimeout(timer);
    timer = setTimeout(release, HOLD_MS);
  };
  const draw = (steps: readonly Step[], typed: boolean): void => {
    if (!typed) {
      const from = shift(area.selectionStart, steps);
      const to = shift(area.selectionEnd, steps);
      const direction = area.selectionDirection;
      const focused = area.matches(":focus");
      area.value = text.read();
      if (focused) area.setSelectionRange(from, to, direction);
    }
    drawn();
  };
  const typed = (): void => {
    const { at, remove, insert } = difference(text.read(), area.value, area.selectionEnd);
    if (remove > 0 || insert !== "") text.change(at, remove, insert);
    if (composing) hold();
  };
  const start = (): void => {
    composing = true;
    hold();
  };
  const end = (): void => {
    typed();
    release();
  };
  // Writing `value` clears the browser's own history, so undo is ours.
  const history = (event: InputEvent): void => {
    if (event.inputType !== "historyUndo" && event.inputType !== "historyRedo") return;
    event.preventDefault();
    if (event.inputType === "historyUndo") text.undo();
    else text.redo();
  };
  // A cleared history makes no event: the keys are read as well.
  const keys = (event: KeyboardEvent): void => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) text.redo();
    else text.undo();
  };

  area.value = text.read();
  drawn();
  const stop = [
    text.onChange(draw),
    text.onIncoming((update) => {
      if (composing) held.push(update);
      else text.apply(update);
    }),
  ];
  area.addEventListener("input", typed);
  area.addEventListener("compositionstart", start);
  area.addEventListener("compositionend", end);
  area.addEventListener("blur", release);
  area.addEventListener("beforeinput", history);
  area.addEventListener("keydown", keys);
  return () => {
    release();
    for (const step of stop) step();
    area.removeEventListener("input", typed);
    area.removeEventListener("compositionstart", start);
    area.removeEventListener("compositionend", end);
    area.removeEventListener("blur", release);
    area.removeEventListener("beforeinput", history);
    area.removeEventListener("keydown", keys);
  };
}

/**
 * Where a position is after a change by somebody else: what is put in before it moves it, what is put in exactly at
 * it does not, what is taken out before it pulls it back.
 */
export function shift(position: number, steps: readonly Step[]): number {
  let at = 0;
  let moved = position;
  for (const step of steps) {
    if (at >= moved) break;
    if (step.retain !== undefined) at += step.retain;
    else if (step.insert !== undefined) {
      moved += step.insert.length;
      at += step.insert.length;
    } else if (step.remove !== undefined) moved -= Math.min(step.remove, moved - at);
  }
  return moved;
}

/**
 * What one input did. The common end is taken first, but never past the caret, then the common beginning: in "aaa" a
 * new "a" is found where it was typed.
 */
export function difference(before: string, after: string, caret: number): { readonly at: number; readonly remove: number; readonly insert: string } {
  const most = Math.min(before.length, after.length - Math.min(caret, after.length));
  let tail = 0;
  while (tail < most && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail += 1;
  const rest = Math.min(before.length, after.length) - tail;
  let head = 0;
  while (head < rest && before.charCodeAt(head) === after.charCodeAt(head)) head += 1;
  // Never between the halves of a surrogate pair: half a character is not text.
  if (head > 0 && isHigh(after.charCodeAt(head - 1))) head -= 1;
  if (tail > 0 && isLow(after.charCodeAt(after.length - tail))) tail -= 1;
  return { at: head, remove: Math.max(0, before.length - head - tail), insert: after.slice(head, Math.max(head, after.length - tail)) };
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
