/** Who stands where on the stage, and how large a picture is worth asking for. Pure. */
import type { Role, RosterSeat, SeatId, SlotMap, SlotWish, VisitKind } from "../wire";

/** A face that changes more often than this makes people seasick. */
export const LARGE_STAYS_MS = 2_000;

export interface Face {
  readonly seat: RosterSeat;
  /** The video slot that carries the camera; `null` shows initials. */
  readonly mid: string | null;
}

export interface Layout {
  readonly large: Face | null;
  readonly strip: readonly Face[];
  readonly since: number;
}

export const EMPTY: Layout = { large: null, strip: [], since: 0 };

/** Roles whose face the patient came for. */
const STAFF: readonly Role[] = ["pharmacist", "pcp", "nurse", "chw", "specialist", "facilitator"];

export function isStaff(role: Role): boolean {
  return STAFF.includes(role);
}

/** The patient's side reads its own, larger and simpler page. */
export function isPatientSide(role: Role): boolean {
  return role === "patient" || role === "caregiver";
}

/** Who reads the billing sheet, for display: the server decides again each time. Team meetings have none. */
export function hasSheet(role: Role, kind: VisitKind): boolean {
  return (role === "pharmacist" || role === "pcp") && (kind === "initial_consult" || kind === "follow_up");
}

/** Who signs collaborative agreements, for display. */
export function mayAgree(role: Role): boolean {
  return role === "pharmacist" || role === "pcp";
}

/** Who books the next visit, for display. */
export function mayBook(role: Role): boolean {
  return role === "pharmacist" || role === "pcp" || role === "nurse";
}

/** Who takes charts from elsewhere into the record, for display. */
export function mayImport(role: Role): boolean {
  return role === "pharmacist" || role === "pcp";
}

/** Who prints what prescribers are asked, for display. */
export function printsForPrescribers(role: Role): boolean {
  return role === "pharmacist" || role === "pcp" || role === "nurse";
}

export interface Scene {
  readonly now: number;
  readonly me: SeatId;
  readonly role: Role;
  readonly seats: readonly RosterSeat[];
  readonly slots: ReadonlyMap<string, SlotMap>;
  readonly speaker: SeatId | null;
}

export function layout(before: Layout, scene: Scene): Layout {
  const others = scene.seats.filter((seat) => seat.seat !== scene.me && (seat.state === "present" || seat.state === "reconnecting"));
  const wanted = largeSeat(others, scene);
  const stays = others.find((seat) => seat.seat === before.large?.seat.seat);
  const fresh = stays !== undefined && scene.now - before.since < LARGE_STAYS_MS;
  const large = fresh ? stays : wanted;
  return {
    large: large === undefined ? null : face(large, scene.slots),
    strip: others.filter((seat) => seat.seat !== large?.seat).map((seat) => face(seat, scene.slots)),
    since: large?.seat === before.large?.seat.seat ? before.since : scene.now,
  };
}

function largeSeat(others: readonly RosterSeat[], scene: Scene): RosterSeat | undefined {
  const speaking = others.find((seat) => seat.seat === scene.speaker);
  // For staff the patient stays large whoever speaks; the patient sees who speaks to them.
  if (!isPatientSide(scene.role)) {
    return others.find((seat) => seat.role === "patient") ?? speaking ?? others[0];
  }
  return speaking ?? others.find((seat) => seat.role === "pharmacist") ?? others.find((seat) => isStaff(seat.role)) ?? others[0];
}

function face(seat: RosterSeat, slots: ReadonlyMap<string, SlotMap>): Face {
  for (const slot of slots.values()) {
    if (slot.seat === seat.seat && slot.source === "cam") return { seat, mid: slot.mid };
  }
  return { seat, mid: null };
}

/** Steps of height worth asking for: what layers there are. */
const HEIGHTS = [180, 360, 720] as const;

/** CSS height × device pixels, rounded up to a step; 0 while it is not seen. */
export function wishedHeight(cssHeight: number, ratio: number, hidden: boolean): number {
  if (hidden || cssHeight <= 0) return 0;
  const pixels = cssHeight * ratio;
  return HEIGHTS.find((height) => height >= pixels) ?? 720;
}

/** One wish for each video slot that changed. Slots without a place on the screen are worth nothing. */
export function wishes(
  mids: readonly string[],
  arranged: Layout,
  heights: ReadonlyMap<string, number>,
  hidden: boolean,
  ratio: number,
  sent: ReadonlyMap<string, SlotWish>,
): readonly SlotWish[] {
  return mids
    .map((mid): SlotWish => {
      const height = heights.get(mid);
      // A slot not drawn yet is asked for small, so that its first picture is on the way before its tile is.
      return {
        mid,
        max_height: hidden ? 0 : height === undefined ? 180 : wishedHeight(height, ratio, hidden),
        priority: arranged.large?.mid === mid ? 3 : 1,
      };
    })
    .filter((wish) => {
      const last = sent.get(wish.mid);
      return last === undefined || last.max_height !== wish.max_height || last.priority !== wish.priority;
    });
}

/** RTP timestamps wrap at 2^32: `a` is at or after `b` if it is less than half the circle ahead. */
export function atOrAfter(a: number, b: number): boolean {
  return ((a - b) >>> 0) < 0x8000_0000;
}
