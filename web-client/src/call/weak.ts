import type { Loss } from "../wire";

/** From here on sound suffers in spite of all repair; less is nobody's business. */
const WEAK_PERCENT = 10;

/** The worse of the two ways, if it is bad enough to be named. */
export function weak(loss: Loss): { readonly way: "from" | "to"; readonly percent: number } | null {
  const way = loss.from >= loss.to ? "from" : "to";
  return loss[way] >= WEAK_PERCENT ? { way, percent: loss[way] } : null;
}
