import { describe, expect, it } from "vitest";
import type { CallId, ConnectionId, Presence, RosterSeat, SeatId, ServerMessage, TelephoneFacts, VisitId } from "../wire";
import { act, receive, START, type CallState, type Self } from "./state";
import { dial, isOnTelephone, phoneOf } from "./telephone";

const PRESENCE: Presence = { muted: false, camera_off: false, camera_resting: false, hand: false, step: null };

function seat(id: string, change: Partial<RosterSeat> = {}): RosterSeat {
  return { seat: id as SeatId, person: id as RosterSeat["person"], name: id, role: "patient", state: "present", since_ms: 0, presence: PRESENCE, loss: { from: 0, to: 0 }, media: "live", ...change };
}

function self(role: Self["role"], connection = "c1"): Self {
  const visit = { visit: "v" as VisitId, kind: "follow_up", practice: "Clinic", phone: "860", camera: "vp8", record: null, patient: null } as const;
  return { seat: "me" as SeatId, connection: connection as ConnectionId, call: "call" as CallId, role, visit, may: ["telephone"] };
}

const ON: TelephoneFacts = { since_ms: 1, by: "me" as SeatId };
const state = (change: Partial<CallState>): CallState => ({ ...START, self: self("pharmacist"), ...change });

describe("phoneOf", () => {
  it("offers the telephone when the patient's media is gone, and for nobody else's", () => {
    expect(phoneOf(state({ seats: [seat("a", { media: "unusable" })] })).kind).toBe("offered");
    for (const other of [seat("a"), seat("a", { media: "off" }), seat("a", { media: "unusable", role: "caregiver" }), seat("a", { media: "unusable", state: "waiting" })]) {
      expect(phoneOf(state({ seats: [other] })).kind).toBe("off");
    }
  });

  it("offers the way back only when something of the patient comes", () => {
    const back = (patient: RosterSeat) => {
      const phone = phoneOf(state({ telephone: ON, seats: [patient] }));
      return phone.kind === "on" && phone.back;
    };
    expect(back(seat("a"))).toBe(true);
    expect(back(seat("a", { media: "off" }))).toBe(false);
    // In a visit that was booked by telephone their page is connected, and sends nothing.
    expect(back(seat("a", { presence: { ...PRESENCE, muted: true, camera_off: true } }))).toBe(false);
  });

  it("knows who calls", () => {
    const phone = phoneOf(state({ telephone: { since_ms: 1, by: "b" as SeatId }, seats: [seat("b", { role: "pharmacist" })] }));
    expect(phone.kind === "on" && [phone.own, phone.by?.name]).toEqual([false, "b"]);
  });
});

describe("the telephone in the state", () => {
  const told: ServerMessage = { type: "telephone", telephone: ON };
  const welcome = (connection: string): ServerMessage => {
    const { seat: own, call, role, visit, may } = self("patient");
    return { type: "welcome", seat: own, connection: connection as ConnectionId, call, role, visit, may: [...may], now_ms: 0, admission: { state: "admitted" }, presence: PRESENCE };
  };

  it("silences the patient's page and nobody else's", () => {
    expect([isOnTelephone(state({ telephone: ON, self: self("patient") })), isOnTelephone(state({ telephone: ON })), isOnTelephone(state({ self: self("patient") }))]).toEqual([true, false, false]);
  });

  it("stays when the patient is let in, and is forgotten on a new connection, which is told anew", () => {
    const on = [welcome("c1"), told].reduce(receive, START);
    expect(receive(on, welcome("c1")).telephone).toEqual(ON);
    expect(receive(on, welcome("c2")).telephone).toBeNull();
    expect(receive(on, { type: "ended", why: "ended" }).telephone).toBeNull();
  });

  it("is so when the server says so, not when the button is pressed", () => {
    const done = act(state({}), { kind: "telephone", step: "begin" });
    expect([done.state.telephone, done.send]).toEqual([null, [{ type: "telephone", step: "begin" }]]);
  });
});

describe("dial", () => {
  it("keeps what a telephone dials", () => {
    expect(["+1 (505) 555-0142", "505.555.0142 ext. 12", "555 0142 x7"].map(dial)).toEqual(["tel:+15055550142", "tel:5055550142", "tel:5550142"]);
  });
});
