/** Keys of the record panel: which of them is meant by a key that was pressed. Pure. */

export type Shortcut =
  | { readonly kind: "add" | "next" | "previous" | "save" | "undo" | "history" | "list" }
  | { readonly kind: "tab"; readonly index: number };

/** What of a keyboard event decides. */
export interface Pressed {
  readonly key: string;
  readonly code: string;
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
}

export interface Where {
  /** In a box somebody types or chooses in. */
  readonly typing: boolean;
  /** In the panel, where single keys act. */
  readonly inside: boolean;
  /** Single keys can be switched off (WCAG 2.1.4). */
  readonly single: boolean;
}

const BY_CODE: Readonly<Record<string, Shortcut["kind"]>> = { KeyN: "add", KeyJ: "next", KeyK: "previous", KeyY: "history", Slash: "list" };
const BY_KEY: Readonly<Record<string, Shortcut["kind"]>> = { n: "add", j: "next", k: "previous", y: "history", "?": "list" };

export function shortcutOf(pressed: Pressed, { typing, inside, single }: Where): Shortcut | null {
  const { key, code, altKey, ctrlKey, metaKey, shiftKey } = pressed;
  const plain = (kind: Shortcut["kind"] | undefined): Shortcut | null => (kind === undefined || kind === "tab" ? null : { kind });
  if ((ctrlKey || metaKey) && !altKey) {
    if (key === "Enter" && !shiftKey) return inside ? { kind: "save" } : null;
    // In a box the undo is the box's own.
    return key.toLowerCase() === "z" && !shiftKey && !typing ? { kind: "undo" } : null;
  }
  if (altKey && shiftKey && !ctrlKey && !metaKey) {
    const digit = /^Digit([1-7])$/.exec(code)?.[1];
    return digit === undefined ? plain(BY_CODE[code]) : { kind: "tab", index: Number(digit) - 1 };
  }
  return !altKey && single && inside && !typing ? plain(BY_KEY[key]) : null;
}
