/** What the call says of the telephone. Pure. */
import type { RosterSeat, TelephoneFacts } from "../wire";
import type { CallState } from "./state";

export type Phone =
  /** The patient's media has not come for a minute: it is time to offer the telephone. */
  | { readonly kind: "offered"; readonly patient: RosterSeat }
  /** Pharmacist and patient speak by telephone. */
  | { readonly kind: "on"; readonly on: TelephoneFacts; /** Whether this seat calls. */ readonly own: boolean; readonly by: RosterSeat | undefined; /** Whether the patient's media is here again. */ readonly back: boolean }
  | { readonly kind: "off" };

export function phoneOf({ self, seats, telephone }: Pick<CallState, "self" | "seats" | "telephone">): Phone {
  const patients = seats.filter((seat) => seat.role === "patient" && seat.state !== "waiting");
  if (telephone !== null) {
    const by = seats.find((seat) => seat.seat === telephone.by);
    return { kind: "on", on: telephone, own: telephone.by !== null && telephone.by === self?.seat, by, back: patients.some((seat) => seat.media === "live" && !(seat.presence.muted && seat.presence.camera_off)) };
  }
  const patient = patients.find((seat) => seat.media === "unusable");
  return patient === undefined ? { kind: "off" } : { kind: "offered", patient };
}

/** Whether this seat's sound is silent here because its person speaks on the telephone: heard twice, it would be an echo. */
export function isOnTelephone({ self, telephone }: Pick<CallState, "self" | "telephone">): boolean {
  return telephone !== null && self?.role === "patient";
}

/** A number as a link for the device that makes calls. */
export function dial(number: string): string {
  const [plain = ""] = number.split(/\s*(?:ext|x|#)/i);
  return `tel:${plain.replace(/[^+\d]/g, "")}`;
}
