import { describe, expect, it } from "vitest";
import { en } from "../i18n/en";
import { grammar, speaker } from "../i18n";
import type { RosterSeat, SeatId } from "../wire";
import { announcements, mediaAnnouncements } from "./announcements";
import { START, type CallState } from "./state";

const say = speaker(en, grammar("en"));
const seat = (id: string, state: RosterSeat["state"] = "present", hand = false): RosterSeat =>
  ({ seat: id as SeatId, person: id as RosterSeat["person"], name: id, role: "patient", state, since_ms: 0, presence: { muted: false, camera_off: false, camera_resting: false, hand, step: null }, loss: { from: 0, to: 0 }, media: "live" });
const inCall = (seats: readonly RosterSeat[]): CallState => ({
  ...START,
  self: { seat: "me" as SeatId } as CallState["self"],
  admission: { state: "admitted" },
  seats: [seat("me"), ...seats],
});
const words = (before: CallState, after: CallState) => announcements(before, after, say).map((said) => said.words);

describe("announcements", () => {
  it("say once that one is in", () => {
    expect(words({ ...START, admission: { state: "waiting", before: 0, staff_present: true } }, { ...START, admission: { state: "admitted" } })).toEqual(["You are in the visit."]);
  });

  it("name who comes, waits, leaves and raises a hand", () => {
    expect(words(inCall([]), inCall([seat("Rosa")]))).toEqual(["Rosa is here."]);
    expect(words(inCall([]), inCall([seat("Maria", "waiting")]))).toEqual(["Maria is in the waiting room."]);
    expect(words(inCall([seat("Rosa")]), inCall([seat("Rosa", "absent")]))).toEqual(["Rosa left."]);
    expect(words(inCall([seat("Rosa")]), inCall([]))).toEqual(["Rosa left."]);
    expect(words(inCall([seat("Rosa")]), inCall([seat("Rosa", "present", true)]))).toEqual(["Rosa raised a hand."]);
  });

  it("count when many come at once", () => {
    expect(words(inCall([]), inCall(["a", "b", "c", "d", "e"].map((id) => seat(id))))).toEqual(["5 people joined."]);
  });

  it("are silent about reconnecting seats, levels and what did not change", () => {
    expect(words(inCall([seat("Rosa")]), inCall([seat("Rosa", "reconnecting")]))).toEqual([]);
    expect(words(inCall([seat("Rosa", "reconnecting")]), inCall([seat("Rosa")]))).toEqual([]);
  });

  it("tell the patient at once that the telephone rings, and everybody when that is over, but not for a line that broke", () => {
    const on = (role: string, connection = "c1"): CallState => ({ ...inCall([]), self: { seat: "me", role, connection } as CallState["self"], telephone: { since_ms: 1, by: "Rosa" as SeatId } });
    const off = (state: CallState): CallState => ({ ...state, telephone: null });
    const told = (before: CallState, after: CallState) => announcements(before, after, say).map((said) => [said.level, said.words]);
    expect(told(off(on("patient")), on("patient"))).toEqual([["assertive", "Your pharmacist is calling you by phone now. Please pick up."]]);
    expect(told(off(on("pcp")), on("pcp"))).toEqual([["polite", "The visit goes on by phone."]]);
    expect(told(on("patient"), off(on("patient")))).toEqual([["polite", "The phone call is over."]]);
    expect(told(on("patient"), off(on("patient", "c2")))).toEqual([]);
  });

  it("tell when the own line drops and comes back", () => {
    expect(mediaAnnouncements("up", "reconnecting", say).map((said) => said.level)).toEqual(["assertive"]);
    expect(mediaAnnouncements("reconnecting", "up", say).map((said) => said.words)).toEqual(["The line is back."]);
    expect(mediaAnnouncements("connecting", "up", say)).toEqual([]);
  });
});
