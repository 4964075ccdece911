/** The panel by keyboard: what the keys do, and the list of them. */
import { Keyboard } from "lucide-react";
import { useEffect, useRef, useState, type RefObject } from "react";
import { useLanguage, type PlainKey } from "../i18n";
import type { FieldName, RowId } from "../wire";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { TAB_IDS } from "./counts";
import { shortcutOf, type Shortcut } from "./shortcuts";
import style from "./Shortcuts.module.css";

export interface KeyActs {
  readonly tab: (index: number) => void;
  readonly undo: () => void;
  readonly history: (field: FieldName, row?: RowId) => void;
  readonly list: () => void;
}

/** Where the choice stands: WEB.md §5 names it among what may be kept on a device. */
const STORED = "single_keys";

export function singleKeys(): boolean {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true; // storage switched off
  }
}

function chooseSingleKeys(on: boolean): void {
  try {
    localStorage.setItem(STORED, on ? "on" : "off");
  } catch {
    // storage switched off: they stay on
  }
}

const TYPING = "textarea, select, input:not([type=checkbox]):not([type=radio]), [contenteditable=true]";

/** Listens for as long as the panel stands. */
export function useShortcuts(root: RefObject<HTMLElement | null>, acts: KeyActs): void {
  const latest = useRef(acts);
  useEffect(() => {
    latest.current = acts;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const panel = root.current;
      const { target } = event;
      if (panel === null || event.defaultPrevented || event.isComposing) return;
      const element = target instanceof HTMLElement ? target : document.body;
      const typing = element.matches(TYPING);
      const shortcut = shortcutOf(event, { typing, inside: panel.contains(element), single: !typing && singleKeys() });
      // The page is looked through last: a letter is typed often, a shortcut seldom.
      if (shortcut === null || document.querySelector("dialog[open]") !== null) return;
      event.preventDefault();
      act(shortcut, panel, element, latest.current);
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [root]);
}

function act(shortcut: Shortcut, panel: HTMLElement, from: HTMLElement, acts: KeyActs): void {
  switch (shortcut.kind) {
    case "tab":
      return acts.tab(shortcut.index);
    case "undo":
      return acts.undo();
    case "list":
      return acts.list();
    case "history": {
      const field = from.closest<HTMLElement>("[data-field]")?.dataset["field"] ?? from.querySelector<HTMLElement>("[data-field]")?.dataset["field"];
      const row = from.closest<HTMLElement>("[data-row]")?.dataset["row"];
      return field === undefined ? undefined : acts.history(field as FieldName, row as RowId | undefined);
    }
    case "add": {
      // The line that is open already is where the next one is typed.
      const open = from.closest("form") === null ? (from.closest("[data-list]") ?? panel).querySelector<HTMLElement>("form[data-adding] input") : null;
      if (open !== null) return open.focus();
      return (from.closest("[data-list]")?.querySelector<HTMLElement>(":scope > button[data-add], :scope > :last-child[data-add]") ?? panel.querySelector<HTMLElement>("button[data-add]"))?.click();
    }
    case "save":
      return from.closest("form") === null ? from.blur() : from.closest("form")?.requestSubmit();
    case "next":
    case "previous": {
      const own = from.closest("[data-row]");
      const rows = [...panel.querySelectorAll<HTMLElement>("[data-row]")].filter((row) => row !== own && !row.contains(from));
      const side = shortcut.kind === "next" ? Node.DOCUMENT_POSITION_FOLLOWING : Node.DOCUMENT_POSITION_PRECEDING;
      const there = rows.filter((row) => (from.compareDocumentPosition(row) & side) !== 0);
      const to = shortcut.kind === "next" ? there[0] : there.at(-1);
      to?.focus();
      return to?.scrollIntoView({ block: "nearest" });
    }
    default:
      return shortcut satisfies never;
  }
}

const LIST: readonly (readonly [keys: string, single: string | null, words: PlainKey])[] = [
  ["Alt+Shift+N", "N", "plan.keys.add"],
  ["Enter", null, "plan.keys.enter"],
  ["Ctrl+Enter", null, "plan.keys.save"],
  ["Esc", null, "plan.keys.escape"],
  ["Alt+Shift+J", "J", "plan.keys.next"],
  ["Alt+Shift+K", "K", "plan.keys.previous"],
  ["Ctrl+Z", null, "plan.keys.undo"],
  ["Alt+Shift+Y", "Y", "plan.keys.history"],
  [`Alt+Shift+1 – ${TAB_IDS.length}`, null, "plan.keys.tab"],
  ["A, C, D", null, "plan.keys.decide"],
  ["F6", null, "plan.keys.landmark"],
  ["Alt+Shift+/", "?", "plan.keys.list"],
];

export function ShortcutsButton({ onOpen }: { readonly onOpen: () => void }) {
  const { say } = useLanguage();
  return <Button kind="quiet" icon={<Keyboard size={18} aria-hidden />} aria-keyshortcuts="?" onClick={onOpen}>{say("plan.keys")}</Button>;
}

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }) {
  const { say } = useLanguage();
  const [single, setSingle] = useState(singleKeys);
  return (
    <Dialog title={say("plan.keys.title")} onClose={onClose}>
      <table className={style["keys"]}>
        <thead><tr><th scope="col">{say("plan.keys.anywhere")}</th><th scope="col">{say("plan.keys.on_card")}</th><th scope="col">{say("plan.keys.does")}</th></tr></thead>
        <tbody>
          {LIST.map(([keys, one, words]) => <tr key={keys}><td><kbd>{keys}</kbd></td><td>{one !== null && <kbd>{one}</kbd>}</td><td>{say(words)}</td></tr>)}
        </tbody>
      </table>
      <label className={style["single"]}>
        <input
          type="checkbox" checked={single}
          onChange={(event) => {
            chooseSingleKeys(event.currentTarget.checked);
            setSingle(event.currentTarget.checked);
          }}
        />
        <span>{say("plan.keys.single")}</span>
      </label>
    </Dialog>
  );
}
