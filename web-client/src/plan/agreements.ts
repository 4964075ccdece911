/**
 * The agreements of the visit's patient, as far as this seat reads them. One copy for all who show them: the panel, a
 * recommendation's card, the patient's page. Each look is written down on the server, so nothing asks by itself.
 */
import { useEffect, useSyncExternalStore } from "react";
import { actOnAgreement, ApiFailure, readAgreements } from "../api";
import type { AgreementAct, AgreementId, AgreementRefusal, Agreements, EntryId, SeatId } from "../wire";
import { newRowId } from "./ids";

export type Known =
  | { readonly kind: "loading" }
  | { readonly kind: "away" }
  | { readonly kind: "known"; readonly all: Agreements };

/** How an act ended. */
export type Acted =
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly why: AgreementRefusal }
  | { readonly kind: "failed"; readonly code: string };

const LOADING: Known = { kind: "loading" };

class Shelf {
  private known: Known = LOADING;
  private asked: Promise<void> | null = null;
  private readonly listeners = new Set<() => void>();
  private readonly seat: SeatId;

  constructor(seat: SeatId) {
    this.seat = seat;
  }

  readonly get = (): Known => this.known;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Looks once; a second wish meanwhile is the same look. */
  look(): Promise<void> {
    this.asked ??= readAgreements(this.seat).then(
      (all) => this.set({ kind: "known", all }),
      // What was known is shown on: a dose is not changed by it, the server is asked again then.
      () => this.set(this.known.kind === "known" ? this.known : { kind: "away" }),
    ).finally(() => {
      this.asked = null;
    });
    return this.asked;
  }

  async act(agreement: AgreementId, seen: number, act: AgreementAct): Promise<Acted> {
    // Sent again after a lost line it is done once.
    const id = newRowId() as unknown as EntryId;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await actOnAgreement(this.seat, { agreement, id, seen, act });
        if (answer.state === "refused") {
          // What somebody else did is shown before it is tried again.
          if (answer.why.code === "changed_since") await this.look();
          return { kind: "refused", why: answer.why };
        }
        this.set({ kind: "known", all: answer.agreements });
        return { kind: "done" };
      } catch (failure) {
        if (!(failure instanceof ApiFailure)) throw failure;
        if (failure.status !== 0 || attempt > 0) return { kind: "failed", code: failure.code };
      }
    }
  }

  private set(known: Known): void {
    this.known = known;
    this.listeners.forEach((listener) => listener());
  }
}

const shelves = new Map<SeatId, Shelf>();

function shelfOf(seat: SeatId): Shelf {
  const known = shelves.get(seat);
  if (known !== undefined) return known;
  const shelf = new Shelf(seat);
  shelves.set(seat, shelf);
  return shelf;
}

export interface AgreementsHere {
  readonly known: Known;
  readonly look: () => void;
  readonly act: (agreement: AgreementId, seen: number, act: AgreementAct) => Promise<Acted>;
}

/** `fresh`: looks again when this is drawn, not only the first time in the visit. */
export function useAgreements(seat: SeatId, fresh: "fresh" | "once", wanted = true): AgreementsHere {
  const shelf = shelfOf(seat);
  const known = useSyncExternalStore(shelf.subscribe, shelf.get, shelf.get);
  useEffect(() => {
    if (wanted && (fresh === "fresh" || shelf.get().kind === "loading")) void shelf.look();
  }, [shelf, fresh, wanted]);
  return { known, look: () => void shelf.look(), act: (agreement, seen, act) => shelf.act(agreement, seen, act) };
}

/** A new id, as rows have them: UUIDv7. */
export const newAgreementId = (): AgreementId => newRowId() as unknown as AgreementId;
