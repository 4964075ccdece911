import { describe, expect, it } from "vitest";
import { weak } from "./weak";
import type { RosterSeat, SeatId, SlotMap } from "../wire";
import { deviceFault, goesOnByItself, platform } from "./faults";
import { atOrAfter, EMPTY, layout, LARGE_STAYS_MS, wishedHeight, wishes, type Scene } from "./layout";
import { rmsDbfs, VOICE_SCORE, voiceScore } from "./meter";
import { afterClose, afterRefusedTicket, retryDelayMs } from "./retry";
import { revealOnFrame, revealOnTimeout } from "./reveal";
import { wanted } from "./wanted";

const seat = (id: string, role: RosterSeat["role"], state: RosterSeat["state"] = "present"): RosterSeat =>
  ({ seat: id as SeatId, person: id as RosterSeat["person"], name: id, role, state, since_ms: 0, presence: { muted: false, camera_off: false, camera_resting: false, hand: false, step: null }, loss: { from: 0, to: 0 }, media: "live" });
const slot = (mid: string, who: string): SlotMap => ({ mid, seat: who as SeatId, source: "cam", from_rtp_timestamp: null, held: null });

describe("layout", () => {
  const scene: Scene = {
    now: 10_000, me: "rosa" as SeatId, role: "pharmacist", speaker: null,
    seats: [seat("rosa", "pharmacist"), seat("weber", "pcp"), seat("maria", "patient")],
    slots: new Map([["2", slot("2", "weber")], ["3", slot("3", "maria")]]),
  };

  it("keeps the patient large for staff, whoever speaks", () => {
    const arranged = layout(EMPTY, { ...scene, speaker: "weber" as SeatId });
    expect([arranged.large?.seat.name, arranged.large?.mid]).toEqual(["maria", "3"]);
    expect(arranged.strip.map((face) => face.seat.name)).toEqual(["weber"]);
  });

  it("shows the patient the pharmacist, then who speaks", () => {
    const patient: Scene = { ...scene, me: "maria" as SeatId, role: "patient" };
    const first = layout(EMPTY, patient);
    expect(first.large?.seat.name).toBe("rosa");
    const soon = layout(first, { ...patient, now: 10_000 + LARGE_STAYS_MS - 1, speaker: "weber" as SeatId });
    expect(soon.large?.seat.name).toBe("rosa");
    const later = layout(first, { ...patient, now: 10_000 + LARGE_STAYS_MS, speaker: "weber" as SeatId });
    expect(later.large?.seat.name).toBe("weber");
  });

  it("has no place for who waits or is not there", () => {
    const arranged = layout(EMPTY, { ...scene, seats: [seat("rosa", "pharmacist"), seat("maria", "patient", "waiting"), seat("weber", "pcp", "absent")] });
    expect([arranged.large, arranged.strip]).toEqual([null, []]);
  });

  it("replaces a large face at once when it is gone", () => {
    const first = layout(EMPTY, scene);
    const gone = layout(first, { ...scene, now: 10_100, seats: scene.seats.filter((s) => s.role !== "patient") });
    expect(gone.large?.seat.name).toBe("weber");
  });

  it("asks for the next step of height, and for nothing where nobody looks", () => {
    expect([wishedHeight(170, 1, false), wishedHeight(170, 2, false), wishedHeight(2_000, 2, false), wishedHeight(170, 1, true), wishedHeight(0, 2, false)]).toEqual([180, 360, 720, 0, 0]);
  });

  it("wishes only what changed", () => {
    const arranged = layout(EMPTY, scene);
    const heights = new Map([["2", 100], ["3", 300]]);
    const first = wishes(["2", "3"], arranged, heights, false, 1, new Map());
    expect(first).toEqual([{ mid: "2", max_height: 180, priority: 1 }, { mid: "3", max_height: 360, priority: 3 }]);
    expect(wishes(["2", "3"], arranged, heights, false, 1, new Map(first.map((wish) => [wish.mid, wish])))).toEqual([]);
  });
});

describe("a name under a face", () => {
  it("stands only when a frame of that person was drawn", () => {
    expect(revealOnFrame("blank", 1_000, 999)).toBe("blank");
    expect(revealOnFrame("blank", 1_000, undefined)).toBe("blank");
    expect(revealOnFrame("blank", 1_000, 1_000)).toBe("proven");
    expect(revealOnFrame(revealOnTimeout("blank"), 1_000, 5_000)).toBe("proven");
  });

  it("leaves the picture without a name when nothing proves whose it is", () => {
    expect(revealOnTimeout("blank")).toBe("unproven");
    expect(revealOnTimeout("proven")).toBe("proven");
  });

  it("knows that RTP timestamps wrap", () => {
    expect([atOrAfter(5, 0xffff_fff0), atOrAfter(0xffff_fff0, 5), atOrAfter(7, 7)]).toEqual([true, false, true]);
  });
});

describe("what goes to the senders", () => {
  const mic = { id: "mic" } as MediaStreamTrack;
  const cam = { id: "cam" } as MediaStreamTrack;
  const all = { admitted: true, muted: false, cameraOff: false, reconnecting: false, onTelephone: false, mic, cam };

  it("is nothing before somebody is let in", () => {
    expect(wanted({ ...all, admitted: false })).toEqual({ mic: null, cam: null });
  });

  it("is no sound while the screen says reconnecting, and no sound while muted", () => {
    expect([wanted({ ...all, reconnecting: true }).mic, wanted({ ...all, muted: true }).mic, wanted({ ...all, onTelephone: true }).mic, wanted(all).mic]).toEqual([null, null, null, mic]);
  });
});

describe("retries", () => {
  it("spreads the first, then doubles up to eight seconds", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 60].map((attempt) => retryDelayMs(attempt, 0.5))).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  });

  it("knows which closings are final", () => {
    expect([1006, 1013, 4408, 4409, 4429, 4401, 4403, 4400].map((code) => afterClose(code).kind)).toEqual(["retry", "retry", "retry", "retry", "retry", "door", "removed", "reload"]);
    expect([0, 500, 503, 429, 401, 403, 404, 410].map((status) => afterRefusedTicket(status).kind)).toEqual(["retry", "retry", "retry", "retry", "door", "removed", "door", "ended"]);
  });
});

describe("device faults", () => {
  it.each([
    ["NotAllowedError", "Permission denied", "denied", "blocked"],
    ["NotAllowedError", "Permission dismissed", "prompt", "dismissed"],
    ["NotAllowedError", "Permission denied by system", "denied", "blocked_system"],
    ["NotAllowedError", "", "granted", "blocked_system"],
    ["NotAllowedError", "", "unknown", "blocked"],
    ["NotReadableError", "Could not start video source", "granted", "busy"],
    ["AbortError", "", "granted", "busy"],
    ["NotFoundError", "", "granted", "none"],
  ] as const)("%s (%s, %s) is %s", (name, message, permission, fault) => {
    expect(deviceFault(name, message, permission)).toBe(fault);
  });

  it("goes on by itself only when the browser now says yes", () => {
    expect([goesOnByItself("blocked", "granted"), goesOnByItself("blocked", "denied"), goesOnByItself("dismissed", "prompt"), goesOnByItself("busy", "granted")]).toEqual([true, false, false, false]);
  });

  it("names the system and the browser for the words of help", () => {
    expect(platform("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Version/17.0 Mobile Safari/604.1", 5)).toEqual({ system: "ios", browser: "safari" });
    expect(platform("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537 Chrome/126 Mobile Safari/537", 5)).toEqual({ system: "android", browser: "chrome" });
    expect(platform("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/126 Safari/537 Edg/126", 0)).toEqual({ system: "windows", browser: "edge" });
  });
});

describe("a voice", () => {
  it("is measured in dBFS", () => {
    expect(rmsDbfs(new Float32Array(64).fill(1))).toBeCloseTo(0);
    expect(rmsDbfs(new Float32Array(64).fill(0.1))).toBeCloseTo(-20);
    expect(rmsDbfs(new Float32Array(64))).toBe(-120);
  });

  it("is words, not one bang", () => {
    const follow = (readings: readonly number[]) => readings.reduce(voiceScore, 0);
    expect(follow([-20, -20, ...Array<number>(60).fill(-70)])).toBe(0);
    expect(follow([-30, -30, -50, -30, -30])).toBe(VOICE_SCORE);
  });
});

describe("a weak line", () => {
  it("is named for the worse way, and only once sound suffers", () => {
    expect(weak({ from: 5, to: 5 })).toBeNull();
    expect(weak({ from: 5, to: 20 })).toEqual({ way: "to", percent: 20 });
    expect(weak({ from: 10, to: 10 })).toEqual({ way: "from", percent: 10 });
  });
});
