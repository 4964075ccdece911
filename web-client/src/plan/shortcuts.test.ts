import { describe, expect, it } from "vitest";
import { shortcutOf, type Pressed, type Where } from "./shortcuts";

const press = (key: string, more: Partial<Pressed> = {}): Pressed => ({ key, code: "", altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, ...more });
const card: Where = { typing: false, inside: true, single: true };
const box: Where = { ...card, typing: true };

describe("keys of the panel", () => {
  it("act singly on a card, never in a box, and not when they are switched off", () => {
    expect(shortcutOf(press("j"), card)).toEqual({ kind: "next" });
    expect(shortcutOf(press("?", { shiftKey: true }), card)).toEqual({ kind: "list" });
    for (const where of [box, { ...card, single: false }, { ...card, inside: false }]) expect(shortcutOf(press("j"), where)).toBeNull();
  });

  it("act with Alt and Shift everywhere, by the place of the key: a Mac writes another letter", () => {
    expect(shortcutOf(press("Ñ", { code: "KeyN", altKey: true, shiftKey: true }), box)).toEqual({ kind: "add" });
    expect(shortcutOf(press("#", { code: "Digit3", altKey: true, shiftKey: true }), box)).toEqual({ kind: "tab", index: 2 });
  });

  it("leave undo in a box to the box, and save with Ctrl or Cmd and Enter", () => {
    expect(shortcutOf(press("z", { ctrlKey: true }), card)).toEqual({ kind: "undo" });
    expect(shortcutOf(press("z", { metaKey: true }), box)).toBeNull();
    expect(shortcutOf(press("Z", { ctrlKey: true, shiftKey: true }), card)).toBeNull();
    expect(shortcutOf(press("Enter", { ctrlKey: true }), box)).toEqual({ kind: "save" });
  });

  it("leave the browser its own", () => {
    for (const key of ["n", "j", "t", "w", "1"]) expect(shortcutOf(press(key, { ctrlKey: true }), card)).toBeNull();
    expect(shortcutOf(press("j", { altKey: true, code: "KeyJ" }), card)).toBeNull();
  });
});
