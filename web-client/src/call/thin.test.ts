import { describe, expect, it } from "vitest";
import { cameraRoom, FIRST_PAUSE_MS, isResting, LONGEST_PAUSE_MS, thin, THIN_BPS, THIN_FOR_MS, TRY_AT_LEAST_MS, TRY_MS, WIDE, WIDE_BPS, type CameraRoom, type LineSample, type Thin } from "./thin";

const GOOD = { picture: true, room: 2_000_000, lost: 0, told: 0, held: false, roundTripMs: 60 } as const;
const NARROW = { picture: true, room: 85_000, lost: 0, told: 0, held: false, roundTripMs: 60 } as const;
const OVERFLOWING = { picture: true, room: 400_000, lost: 0.3, told: 0, held: false, roundTripMs: 460 } as const;

/** Plays samples every half second and notes each change of what the camera may send. */
function play(from: Thin, start: number, forMs: number, at: (now: number, room: CameraRoom) => Omit<LineSample, "now">): { readonly end: Thin; readonly changes: readonly (readonly [number, CameraRoom])[] } {
  let state = from;
  const changes: (readonly [number, CameraRoom])[] = [];
  for (let now = start; now <= start + forMs; now += 500) {
    const before = cameraRoom(state);
    state = thin(state, { now, ...at(now, before) });
    const after = cameraRoom(state);
    if (after !== before) changes.push([now, after]);
  }
  return { end: state, changes };
}

const calm = play(WIDE, 0, 5_000, () => GOOD).end;
const resting = play(calm, 10_000, THIN_FOR_MS, () => NARROW).end;
const restedAt = 10_000 + THIN_FOR_MS;

describe("the own picture on a thin line", () => {
  it("goes on while the line carries it, with loss that no queue causes", () => {
    expect(play(calm, 10_000, 60_000, () => ({ ...GOOD, room: 300_000, lost: 0.3 })).changes).toEqual([]);
    expect(play(calm, 10_000, 60_000, () => ({ ...GOOD, roundTripMs: 400 })).changes).toEqual([]);
  });

  it("rests half a second after the browser believes the line too thin", () => {
    expect(play(calm, 10_000, 2_000, () => NARROW).changes).toEqual([[restedAt, "none"]]);
  });

  it("does not rest for a dip", () => {
    expect(play(calm, 10_000, 20_000, (now) => (now % 1_000 === 0 ? NARROW : GOOD)).changes).toEqual([]);
  });

  it("rests at once when the voice is lost in a queue that overflows, whatever the browser believes", () => {
    expect(play(calm, 10_000, 0, () => OVERFLOWING).changes).toEqual([[10_000, "none"]]);
    expect(play(calm, 10_000, 0, () => ({ ...OVERFLOWING, room: null })).changes).toEqual([[10_000, "none"]]);
  });

  it("rests at once when the server tells of loss while the estimate falls", () => {
    expect(play(calm, 10_000, 0, () => ({ ...GOOD, room: 120_000, told: 0.2 })).changes).toEqual([[10_000, "none"]]);
  });

  it("is tried with the smallest layer after a pause, and comes back when the line carries it", () => {
    const { end, changes } = play(resting, restedAt + 500, 10_000, (_now, room) => (room === "none" ? NARROW : { ...GOOD, room: WIDE_BPS }));
    expect(changes).toEqual([[restedAt + FIRST_PAUSE_MS, "least"], [restedAt + FIRST_PAUSE_MS + 500, "all"]]);
    expect(isResting(end)).toBe(false);
  });

  it("waits until the queue is empty before it is tried", () => {
    const { changes } = play(resting, restedAt + 500, 9_500, (now) => (now <= restedAt + 5_000 ? OVERFLOWING : GOOD));
    expect(changes[0]).toEqual([restedAt + 5_000 + FIRST_PAUSE_MS, "least"]);
  });

  it("gives a try up as soon as the line is known to be thin, and waits longer each time", () => {
    const { changes } = play(resting, restedAt + 500, 300_000, () => NARROW);
    const tries = changes.filter(([, room]) => room === "least").map(([at]) => at);
    const ends = changes.filter(([, room]) => room === "none").map(([at]) => at);
    expect((ends[0] ?? 0) - (tries[0] ?? 0)).toBe(TRY_AT_LEAST_MS);
    const pauses = tries.slice(1).map((at, i) => at - (ends[i] ?? 0));
    expect(pauses).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
    expect(Math.max(...pauses)).toBe(LONGEST_PAUSE_MS);
    expect(changes.some(([, room]) => room === "all")).toBe(false);
  });

  it("is tried sooner when the pictures of others flow again, and once only", () => {
    const later = { ...resting, pauseMs: LONGEST_PAUSE_MS };
    const eased = restedAt + 20_000;
    const { changes } = play(later, restedAt + 500, 60_000, (now) => ({ ...NARROW, held: now < eased }));
    expect(changes).toEqual([[eased, "least"], [eased + TRY_AT_LEAST_MS, "none"]]);
  });

  it("shows the picture as resting while it is tried", () => {
    const { end } = play(resting, restedAt + 500, FIRST_PAUSE_MS, () => NARROW);
    expect([cameraRoom(end), isResting(end)]).toEqual(["least", true]);
  });

  it("gives a try up that neither fails nor succeeds", () => {
    const { changes } = play(resting, restedAt + 500, 9_000, () => ({ ...GOOD, room: THIN_BPS + 1 }));
    expect(changes[1]).toEqual([restedAt + FIRST_PAUSE_MS + TRY_MS, "none"]);
  });

  it("trusts the reports alone where the browser does not say what it may send", () => {
    const { changes } = play(resting, restedAt + 500, 9_000, () => ({ ...GOOD, room: null }));
    expect(changes[1]).toEqual([restedAt + FIRST_PAUSE_MS + TRY_MS, "all"]);
  });

  it("waits longer when a picture that came back has to rest again, and forgets that after a good while", () => {
    const back = play(resting, restedAt + 500, FIRST_PAUSE_MS, () => GOOD).end;
    expect(cameraRoom(back)).toBe("all");
    const again = play(back, 20_000, THIN_FOR_MS, () => NARROW).end;
    expect(again.pauseMs).toBe(2 * FIRST_PAUSE_MS);
    const later = play(back, 60_000, THIN_FOR_MS, () => NARROW).end;
    expect(later.pauseMs).toBe(FIRST_PAUSE_MS);
  });

  it("is over when the person stops the camera", () => {
    expect(cameraRoom(thin(resting, { now: 20_000, ...NARROW, picture: false }))).toBe("all");
  });
});
