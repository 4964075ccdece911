/** Where the touchpoints stand: what time and the calls of booked visits tell is known on the server alone. */
import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { readTouchpoints } from "../api";
import type { RowId, TouchpointLine, TouchpointStanding, Touchpoints } from "../wire";
import { useFieldSlice, useScene } from "./context";

/** How often it is asked again: a visit counts as missed a quarter of an hour after its time. */
const AGAIN_MS = 60_000;

export interface Standings {
  readonly lines: ReadonlyMap<RowId, TouchpointLine>;
  /** The last question had no answer. */
  readonly away: boolean;
  readonly put: (told: Touchpoints) => void;
}

const StandingsContext = createContext<Standings>({ lines: new Map(), away: false, put: () => undefined });

export const useStandings = (): Standings => use(StandingsContext);

export function StandingsProvider({ children }: { readonly children: ReactNode }) {
  const { seat } = useScene();
  // Asked when something about a touchpoint changed, and then every minute.
  const changed = useFieldSlice((state) => {
    const plan = state.docs.get("plan")?.server;
    // Of a record that was closed nothing is asked.
    if (plan === undefined || state.closed !== null) return null;
    const revs = (plan.lists.get("touchpoints") ?? []).flatMap((row) => ["touchpoints.content", "touchpoints.state", "presence"].map((field) => {
      const register = plan.registers.get(`${row}/${field}`);
      return register === undefined || register.state === "empty" ? 0 : register.rev;
    }));
    return revs.join(" ");
  });
  const [told, setTold] = useState<Touchpoints | null>(null);
  const [away, setAway] = useState(false);
  const put = useCallback((next: Touchpoints) => {
    setTold(next);
    setAway(false);
  }, []);
  useEffect(() => {
    // A plan without a touchpoint has nothing to ask about.
    if (changed === null || changed === "") return undefined;
    let here = true;
    const ask = () => void readTouchpoints(seat).then((next) => { if (here) put(next); }, () => { if (here) setAway(true); });
    ask();
    const timer = setInterval(ask, AGAIN_MS);
    return () => {
      here = false;
      clearInterval(timer);
    };
  }, [seat, changed, put]);
  const standings = useMemo(() => ({ lines: new Map((told?.rows ?? []).map((line) => [line.row, line])), away, put }), [told, away, put]);
  return <StandingsContext value={standings}>{children}</StandingsContext>;
}

/** Whether somebody has to do something about it now; as `Standing::is_owed` of the server. */
export const isOwed = (standing: TouchpointStanding): boolean => standing === "overdue" || standing === "unsaid" || standing === "missed";

/** The touchpoints somebody has to see to, in the order of the plan. */
export function useOwed(): readonly RowId[] {
  const { lines } = useStandings();
  return useMemo(() => [...lines.values()].filter((line) => isOwed(line.standing)).map((line) => line.row), [lines]);
}
