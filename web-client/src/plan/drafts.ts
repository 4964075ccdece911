/** An open editor outlives a reload: what stands in it is kept on the device, and opens again. */
import { useEffect, useRef } from "react";
import type { Base, RowId } from "../wire";
import { useFieldSlice, useScene } from "./context";
import { address, type RegisterName } from "./fold";

export interface Kept<D> {
  readonly value: D;
  readonly base: Base;
  readonly seen: number;
}

/** A pause in typing this long is worth a write; every letter is not. */
const KEEP_AFTER_MS = 300;

/**
 * Keeps `draft` while it is open. `reopen` is called once with what an earlier page left, if `fits` says that it is a
 * form of today.
 */
export function useKeptDraft<D>(field: RegisterName, row: RowId | undefined, draft: Kept<D> | null, fits: (value: unknown) => value is D, reopen: (kept: Kept<D>) => void): void {
  const { record } = useScene();
  const left = useFieldSlice((state) => {
    const key = record.draftKey(address(field, row));
    return key === null ? undefined : state.drafts.get(key);
  });
  const open = useRef(false);
  const act = useRef({ fits, reopen });
  useEffect(() => {
    act.current = { fits, reopen };
  });
  useEffect(() => {
    const at = address(field, row);
    if (draft === null) {
      if (open.current) record.dropDraft(at);
      open.current = false;
      return;
    }
    open.current = true;
    const timer = setTimeout(() => record.keepDraft(at, draft), KEEP_AFTER_MS);
    return () => clearTimeout(timer);
  }, [record, field, row, draft]);
  useEffect(() => {
    if (left === undefined) return;
    const { value, base, seen } = left;
    if (!open.current && act.current.fits(value)) act.current.reopen({ value, base, seen });
    else record.dropDraft(address(field, row));
  }, [record, left, field, row]);
}

/** Whether a kept form has the boxes of the form of today: another build may have others. */
export const sameBoxes = <D>(today: D) => (kept: unknown): kept is D => {
  const boxes = (form: unknown): string => (typeof form === "object" && form !== null ? Object.keys(form).toSorted().join() : typeof form);
  return today === null || boxes(today) === boxes(kept);
};
