/** What became of the signed version that is in force. Pure. */
import type { Receipt, Receipts } from "../wire";

/** Of one version, what each of those whom it is for says, and to whom it was handed on. */
export interface Standing {
  /** The primary care provider has read it. */
  readonly acknowledged: Receipt | null;
  /** The patient's newest word. */
  readonly answer: Receipt | null;
  /** Oldest first. */
  readonly handed: readonly Receipt[];
}

export function receiptsOf(receipts: Receipts, version: number): Standing {
  const own = receipts.filter(({ of }) => of === version);
  return {
    acknowledged: own.findLast(({ what }) => what.kind === "acknowledged") ?? null,
    answer: own.findLast(({ what }) => what.kind === "agreed" || what.kind === "has_questions") ?? null,
    handed: own.filter(({ what }) => what.kind === "handed_on"),
  };
}
