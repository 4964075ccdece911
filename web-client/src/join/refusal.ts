/** What a refused claim means to the person at the door. Pure. */

export type Refusal = "birthDate" | "link" | "over" | "early" | "tries" | "wait" | "offline";

/** `code` decides where the server gave one that we know; else the HTTP status does. */
export function refusal(status: number, code: string): Refusal {
  switch (code) {
    case "birth_date_wrong": return "birthDate";
    case "staff_help": return "tries";
    case "visit_over": return "over";
    case "too_early": return "early";
    case "slow_down": return "wait";
    case "too_slow": return "offline";
    case "link_unknown":
    case "foreign_origin": return "link";
    default: break;
  }
  if (status === 0 || status >= 500) return "offline";
  if (status === 429) return "wait";
  return "link";
}
