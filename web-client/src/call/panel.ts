import type { Language } from "../i18n";
import type { RecordId, Role, RosterSeat, SeatId } from "../wire";
import type { Line } from "./connection";

/** What the call gives to the panel beside or below the faces. */
export interface PanelProps {
  readonly line: Line;
  readonly record: RecordId;
  readonly role: Role;
  /** The own seat. */
  readonly seat: SeatId;
  readonly roster: readonly RosterSeat[];
  readonly language: Language;
}
