import { describe, expect, it } from "vitest";
import type { CallId, ConnectionId, Presence, RecordId, RosterSeat, SeatId, ServerMessage, VisitId } from "../wire";
import { act, closedBy, presenceNow, receive, START, type CallState } from "./state";

const me = "me" as SeatId;
const PRESENCE: Presence = { muted: false, camera_off: false, camera_resting: false, hand: false, step: null };

function welcome(change: Partial<Extract<ServerMessage, { type: "welcome" }>> = {}): ServerMessage {
  return {
    type: "welcome", seat: me, connection: "c1" as ConnectionId, call: "call" as CallId, role: "pharmacist", now_ms: 0,
    visit: { visit: "v" as VisitId, kind: "initial_consult", practice: "Clinic", phone: "860", camera: "vp8", record: "r" as RecordId, patient: null },
    admission: { state: "admitted" }, presence: PRESENCE, may: ["admit"], ...change,
  };
}

function seat(id: string, change: Partial<RosterSeat> = {}): RosterSeat {
  return { seat: id as SeatId, person: id as RosterSeat["person"], name: id, role: "patient", state: "present", since_ms: 0, presence: PRESENCE, loss: { from: 0, to: 0 }, media: "live", ...change };
}

const after = (messages: readonly ServerMessage[], from: CallState = START) => messages.reduce(receive, from);

describe("receive", () => {
  it("knows itself after the welcome", () => {
    const state = after([welcome()]);
    expect(state.self?.seat).toBe(me);
    expect(state.admission).toEqual({ state: "admitted" });
  });

  it("keeps seats in order of joining when one of them changes", () => {
    const state = after([welcome(), { type: "roster", seats: [seat("a"), seat("b")] }, { type: "seat", seat: seat("a", { state: "reconnecting" }) }, { type: "seat", seat: seat("c") }]);
    expect(state.seats.map((s) => [s.seat, s.state])).toEqual([["a", "reconnecting"], ["b", "present"], ["c", "present"]]);
  });

  it("forgets who spoke when that seat is gone", () => {
    const state = after([welcome(), { type: "roster", seats: [seat("a")] }, { type: "speaker", seat: "a" as SeatId }, { type: "seat_gone", seat: "a" as SeatId }]);
    expect(state.speaker).toBeNull();
    expect(state.seats).toEqual([]);
  });

  it("replaces only the slots that a message names", () => {
    const slot = (mid: string, who: string | null) => ({ mid, seat: who as SeatId | null, source: "cam" as const, from_rtp_timestamp: null, held: null });
    const state = after([welcome(), { type: "slots", slots: [slot("2", "a"), slot("3", "b")] }, { type: "slots", slots: [slot("3", null)] }]);
    expect([...state.slots.values()].map((s) => s.seat)).toEqual(["a", null]);
  });

  it("knows nothing of the call any more when it is sent back to the waiting room", () => {
    const state = after([welcome(), { type: "roster", seats: [seat("a")] }, { type: "speaker", seat: "a" as SeatId }, { type: "admission", admission: { state: "waiting", before: 1, staff_present: true } }]);
    expect([state.seats, state.slots.size, state.speaker]).toEqual([[], 0, null]);
  });

  it("keeps mute, camera and hand of the person over a reconnect, whatever the server remembered", () => {
    const muted = act(after([welcome()]), { kind: "mute", muted: true }).state;
    const state = receive(muted, welcome({ connection: "c2" as ConnectionId }));
    expect(state.own.muted).toBe(true);
  });

  it("takes over a raised hand after a reload", () => {
    expect(after([welcome({ presence: { ...PRESENCE, hand: true } })]).own.hand).toBe(true);
  });

  it("counts a message of a newer server and goes on", () => {
    const state = receive(after([welcome()]), { type: "from.the.future" } as unknown as ServerMessage);
    expect([state.unknown, state.self?.seat]).toEqual([1, me]);
  });

  it("is over when the server says so, and knows nobody then", () => {
    const state = after([welcome(), { type: "roster", seats: [seat("a")] }, { type: "ended", why: "ended" }]);
    expect([state.over, state.seats]).toEqual([{ why: "ended" }, []]);
  });
});

describe("act", () => {
  it("tells the server each change of presence, and only that", () => {
    expect(act(after([welcome()]), { kind: "hand", up: true }).send).toEqual([{ type: "presence", patch: { hand: true } }]);
  });

  it("does not tell the same step of the check twice", () => {
    const once = act(START, { kind: "step", step: "camera" });
    expect(once.send).toEqual([{ type: "presence", patch: { step: "camera" } }]);
    expect(act(once.state, { kind: "step", step: "camera" }).send).toEqual([]);
  });

  it("leaves at once on the own screen, and says goodbye", () => {
    const { state, send } = act(after([welcome()]), { kind: "leave" });
    expect([state.over, send]).toEqual([{ why: "left" }, [{ type: "leave" }]]);
  });

  it("ends the visit only when the server says so", () => {
    const { state, send } = act(after([welcome()]), { kind: "end" });
    expect([state.over, send]).toEqual([null, [{ type: "end" }]]);
  });

  it("says all of the own presence after a reconnect", () => {
    const state = act(act(START, { kind: "mute", muted: true }).state, { kind: "step", step: "ready" }).state;
    expect(presenceNow(state.own)).toEqual({ type: "presence", patch: { muted: true, camera_off: false, camera_resting: false, hand: false, step: "ready" } });
  });
});

describe("a closed connection", () => {
  it("does not overwrite why the visit was over", () => {
    const ended = after([welcome(), { type: "ended", why: "revoked" }]);
    expect(closedBy(ended, "removed").over).toEqual({ why: "revoked" });
  });

  it("sends a seat without a session to its link", () => {
    expect(closedBy(after([welcome()]), "door").over).toEqual({ why: "session_over" });
  });
});
