/** What a seat knows of its call: a pure fold over the server's messages and the person's intents. */
import type {
  Admission, CallId, CheckStep, ClientMessage, ConnectionId, EndReason, Power, Presence, RefusalCode, Role, RosterSeat, SeatId,
  ServerMessage, SlotMap, TelephoneFacts, TelephoneStep, VisitFacts,
} from "../wire";
import type { Closing } from "./connection";

export interface Self {
  readonly seat: SeatId;
  readonly connection: ConnectionId;
  readonly call: CallId;
  readonly role: Role;
  readonly visit: VisitFacts;
  readonly may: readonly Power[];
}

/** What the person wants of the own media; it outlives every reconnect, and the server is told again after each. */
export interface Own {
  readonly muted: boolean;
  readonly cameraOff: boolean;
  /** Not a wish: the line carries the voice and no picture. */
  readonly cameraResting: boolean;
  readonly hand: boolean;
  readonly step: CheckStep | null;
}

export type Over =
  | { readonly why: EndReason }
  /** Closed by the server with a code that says so. */
  | { readonly why: "removed" | "session_over" };

export interface CallState {
  readonly self: Self | null;
  readonly admission: Admission | null;
  /** In order of joining. */
  readonly seats: readonly RosterSeat[];
  /** By mid. */
  readonly slots: ReadonlyMap<string, SlotMap>;
  readonly speaker: SeatId | null;
  /** How the visit goes on by telephone. */
  readonly telephone: TelephoneFacts | null;
  readonly own: Own;
  readonly over: Over | null;
  /** The last refusal that a person should know of; `n` grows, so that the same twice is two. */
  readonly refused: { readonly of: string; readonly code: RefusalCode; readonly n: number } | null;
  /** Messages of a type this page does not know: a newer server. Counted, never a crash. */
  readonly unknown: number;
}

export const START: CallState = {
  self: null,
  admission: null,
  seats: [],
  slots: new Map(),
  speaker: null,
  telephone: null,
  own: { muted: false, cameraOff: false, cameraResting: false, hand: false, step: null },
  over: null,
  refused: null,
  unknown: 0,
};

export function receive(state: CallState, message: ServerMessage): CallState {
  switch (message.type) {
    case "welcome": {
      const { seat, connection, call, role, visit, may } = message;
      const again = state.self?.call === call;
      return {
        ...state,
        self: { seat, connection, call, role, visit, may },
        admission: message.admission,
        // A new page takes over the hand that was up; a page that only reconnected knows better than the server.
        own: again ? state.own : { ...state.own, hand: message.presence.hand },
        over: null,
        // A new connection is told anew, if there is something to tell.
        telephone: state.self?.connection === connection ? state.telephone : null,
      };
    }
    case "admission":
      return { ...state, admission: message.admission, ...(message.admission.state === "waiting" ? EMPTIED : {}) };
    case "roster":
      return { ...state, seats: message.seats };
    case "seat":
      return { ...state, seats: withSeat(state.seats, message.seat) };
    case "seat_gone":
      return {
        ...state,
        seats: state.seats.filter((seat) => seat.seat !== message.seat),
        speaker: state.speaker === message.seat ? null : state.speaker,
      };
    case "slots": {
      const slots = new Map(state.slots);
      for (const slot of message.slots) slots.set(slot.mid, slot);
      return { ...state, slots };
    }
    case "speaker":
      return { ...state, speaker: message.seat };
    case "telephone":
      return { ...state, telephone: message.telephone };
    case "ended":
      return { ...state, ...EMPTIED, telephone: null, over: { why: message.why } };
    case "refused":
      return { ...state, refused: { of: message.of, code: message.code, n: (state.refused?.n ?? 0) + 1 } };
    case "pong":
    case "answer":
    case "media_failed":
    case "layers":
    case "record.snapshot":
    case "record.ack":
    case "record.change":
    case "record.refuse":
    case "record.resync":
    case "record.caret":
    case "record.history":
    case "record.gate":
    case "record.safety":
    case "record.status":
    case "record.closed":
      return state; // of the media and of the record, which fold them themselves
    default:
      message satisfies never;
      return { ...state, unknown: state.unknown + 1 };
  }
}

/** A seat outside the call knows nothing of it. */
const EMPTIED = { seats: [], slots: new Map<string, SlotMap>(), speaker: null } as const;

function withSeat(seats: readonly RosterSeat[], seat: RosterSeat): readonly RosterSeat[] {
  return seats.some((known) => known.seat === seat.seat)
    ? seats.map((known) => (known.seat === seat.seat ? seat : known))
    : [...seats, seat];
}

/** A new transport: nothing is known of its slots until the server says it. */
export function withoutSlots(state: CallState): CallState {
  return state.slots.size === 0 ? state : { ...state, slots: new Map() };
}

export type Intent =
  | { readonly kind: "mute"; readonly muted: boolean }
  | { readonly kind: "camera"; readonly off: boolean }
  | { readonly kind: "rest"; readonly resting: boolean }
  | { readonly kind: "hand"; readonly up: boolean }
  | { readonly kind: "step"; readonly step: CheckStep }
  | { readonly kind: "admit"; readonly seat: SeatId; /** The patient agreed aloud. */ readonly agreed: boolean }
  | { readonly kind: "sendBack"; readonly seat: SeatId }
  | { readonly kind: "telephone"; readonly step: TelephoneStep }
  | { readonly kind: "leave" }
  | { readonly kind: "end" };

export interface Act {
  readonly state: CallState;
  readonly send: readonly ClientMessage[];
}

export function act(state: CallState, intent: Intent): Act {
  switch (intent.kind) {
    case "mute":
      return own(state, { muted: intent.muted }, { muted: intent.muted });
    case "camera":
      return own(state, { cameraOff: intent.off }, { camera_off: intent.off });
    case "rest":
      return own(state, { cameraResting: intent.resting }, { camera_resting: intent.resting });
    case "hand":
      return own(state, { hand: intent.up }, { hand: intent.up });
    case "step":
      return state.own.step === intent.step ? { state, send: [] } : own(state, { step: intent.step }, { step: intent.step });
    case "admit":
      return { state, send: [{ type: "admit", seat: intent.seat, agreed: intent.agreed }] };
    case "sendBack":
      return { state, send: [{ type: "send_back", seat: intent.seat }] };
    case "telephone":
      return { state, send: [{ type: "telephone", step: intent.step }] }; // so when the server says so
    case "leave":
      return { state: { ...state, ...EMPTIED, over: { why: "left" } }, send: [{ type: "leave" }] };
    case "end":
      return { state, send: [{ type: "end" }] }; // over when the server says so
    default:
      return intent satisfies never;
  }
}

function own(state: CallState, change: Partial<Own>, patch: Partial<Presence>): Act {
  const { step, ...rest } = patch;
  return {
    state: { ...state, own: { ...state.own, ...change } },
    send: [{ type: "presence", patch: step === null || step === undefined ? rest : { ...rest, step } }],
  };
}

/** After each welcome: the server is told what this seat shows, since it may have forgotten or never known. */
export function presenceNow(own: Own): ClientMessage {
  const { muted, cameraOff, cameraResting, hand, step } = own;
  return { type: "presence", patch: { muted, camera_off: cameraOff, camera_resting: cameraResting, hand, ...(step === null ? {} : { step }) } };
}

/** The connection was closed with a meaning. */
export function closedBy(state: CallState, why: Closing): CallState {
  if (state.over !== null) return state;
  if (why === "removed") return { ...state, ...EMPTIED, over: { why: "removed" } };
  if (why === "ended") return { ...state, ...EMPTIED, over: { why: "ended" } };
  if (why === "door") return { ...state, ...EMPTIED, over: { why: "session_over" } };
  return state;
}
