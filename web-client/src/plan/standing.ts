/**
 * Where a recommendation stands for a reader: its state, and what follows from time and from other rows. The same
 * rule as `Doc::standing_of` of the server. Pure.
 */
import type { RecommendationState, RowId } from "../wire";
import { registerAt, address, standing as standingRows, valueAt, type DocState } from "./fold";

export type Standing = RecommendationState | "seen" | "no_response" | "replaced";

/** 14 days without an answer, in milliseconds. */
export const NO_RESPONSE_MS = 14 * 24 * 60 * 60 * 1000;

export function standingOf(doc: DocState, row: RowId, now: number): Standing {
  const state = valueAt(doc, "recommendations.state", row) ?? "draft";
  if (state !== "draft" && state !== "sent") return state;
  if (isReplaced(doc, row)) return "replaced";
  if (state === "draft") return state;
  const sent = registerAt(doc, address("recommendations.state", row));
  if (sent.state === "value" && now - sent.at_ms >= NO_RESPONSE_MS) return "no_response";
  return valueAt(doc, "recommendations.seen", row) === true ? "seen" : state;
}

/** Whether another one was sent in its place, and not taken back since. */
function isReplaced(doc: DocState, row: RowId): boolean {
  return standingRows(doc, "recommendations").some((other) => {
    const state = valueAt(doc, "recommendations.state", other) ?? "draft";
    return other !== row && state !== "draft" && state !== "withdrawn" && valueAt(doc, "recommendations.replaces", other) === row;
  });
}

/** Whether it waits for an answer. */
export const waits = (standing: Standing): boolean => standing === "sent" || standing === "seen" || standing === "no_response";
