/** The visit of a touchpoint, which is booked beside the plan: whoever draws the panel brings its screen. */
import { createContext, use, type ReactNode } from "react";
import type { Role, RowId, TouchpointFormat, VisitId } from "../wire";

/** A touchpoint to be booked: what it proposes. */
export interface Proposal {
  readonly row: RowId;
  /** `seq` of the plan that is looked at. */
  readonly seen: number;
  /** "2026-12-08", or empty. */
  readonly day: string;
  /** "10:00", or empty. */
  readonly hour: string;
  readonly format: TouchpointFormat;
  readonly members: readonly Role[];
  /** The visit that was booked for it did not take place. */
  readonly missed: boolean;
}

/** Draws the visit that is booked for a touchpoint, or books one. */
export type DrawVisit = (proposal: Proposal, visit: VisitId | null) => ReactNode;

export const VisitContext = createContext<DrawVisit | null>(null);

export const useDrawVisit = (): DrawVisit | null => use(VisitContext);
