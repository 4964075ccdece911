import { describe, expect, it } from "vitest";
import { begin, isReconnecting, isWatched, lost, REBUILD_AFTER_MS, recover, RESTART_TAKES_MS, SILENT_AFTER_MS, STALLED_AFTER_MS, type Recovery, type Repair, type Sample } from "./recovery";

/** Plays samples every half second and notes when something is done. */
function play(from: Recovery, start: number, forMs: number, at: (now: number) => Partial<Sample>): { readonly end: Recovery; readonly repairs: readonly (readonly [number, Repair])[] } {
  let state = from;
  const repairs: (readonly [number, Repair])[] = [];
  for (let now = start; now <= start + forMs; now += 500) {
    const { next, repair } = recover(state, { now, ice: "connected", bytes: now, due: true, line: true, nudge: false, ...at(now) });
    state = next;
    if (repair !== "none") repairs.push([now, repair]);
  }
  return { end: state, repairs };
}

const up = () => play(begin(0), 500, 2_000, () => ({})).end;

describe("recovery", () => {
  it("does nothing while bytes flow", () => {
    const { end, repairs } = play(up(), 3_000, 60_000, () => ({}));
    expect([end.phase.kind, repairs]).toEqual(["up", []]);
  });

  it("restarts ICE when no byte came for a second and a half, and says so within two", () => {
    const { end, repairs } = play(up(), 3_000, 2_000, () => ({ bytes: 2_500 }));
    expect(repairs).toEqual([[2_500 + SILENT_AFTER_MS, "restart"]]);
    expect(isReconnecting(end)).toBe(true);
  });

  it("takes figures that stay away for silence", () => {
    const { repairs } = play(up(), 3_000, 1_500, () => ({ bytes: null }));
    expect(repairs).toEqual([[2_500 + SILENT_AFTER_MS, "restart"]]);
  });

  it("does not take one late sample of a busy machine for silence", () => {
    const { repair } = recover(up(), { now: 5_500, ice: "connected", bytes: 2_500, due: true, line: true, nudge: false });
    expect(repair).toBe("none");
  });

  it("does not take silence for a fault when nobody sends", () => {
    const { repairs } = play(up(), 3_000, 30_000, () => ({ bytes: 2_500, due: false }));
    expect(repairs).toEqual([]);
  });

  it("does not trust a moment without a figure", () => {
    const { repairs } = play(up(), 3_000, 10_000, (now) => (now === 4_000 ? { bytes: null } : {}));
    expect(repairs).toEqual([]);
  });

  it("restarts at once when ICE has failed, and as soon as a second brought nothing when it is disconnected", () => {
    expect(recover(up(), { now: 3_000, ice: "failed", bytes: 3_000, due: true, line: true, nudge: false }).repair).toBe("restart");
    expect(play(up(), 3_000, 1_000, () => ({ ice: "disconnected", bytes: 2_500 })).repairs).toEqual([[2_500 + STALLED_AFTER_MS, "restart"]]);
  });

  it("leaves a path alone that is only full: ICE calls it disconnected while bytes still come", () => {
    const { end, repairs } = play(up(), 3_000, 30_000, () => ({ ice: "disconnected" }));
    expect([end.phase.kind, repairs]).toEqual(["up", []]);
  });

  it("restarts at once when the network is back, without waiting for silence", () => {
    expect(recover(up(), { now: 3_000, ice: "connected", bytes: 3_000, due: true, line: true, nudge: true }).repair).toBe("restart");
  });

  it("goes on talking meanwhile, and takes silence after that for what it is", () => {
    const { next } = recover(up(), { now: 3_000, ice: "connected", bytes: 3_000, due: true, line: true, nudge: true });
    expect(isReconnecting(next)).toBe(false);
    const { end, repairs } = play(next, 3_500, 2_000, () => ({ bytes: 3_000 }));
    expect(repairs).toEqual([[3_000 + SILENT_AFTER_MS, "restart"]]);
    expect(isReconnecting(end)).toBe(true);
  });

  it("restarts when the machine slept", () => {
    expect(recover(up(), { now: 60_000, ice: "connected", bytes: 60_000, due: true, line: true, nudge: false }).repair).toBe("restart");
  });

  it("tries a second restart after three seconds and a new connection after six", () => {
    const { repairs } = play(up(), 3_000, 7_000, () => ({ ice: "disconnected", bytes: null }));
    const begun = 2_500 + STALLED_AFTER_MS;
    expect(repairs).toEqual([[begun, "restart"], [begun + RESTART_TAKES_MS, "restart"], [begun + REBUILD_AFTER_MS, "rebuild"]]);
  });

  it("goes on building connections, never faster than every four seconds", () => {
    const broken = play(up(), 3_000, 60_000, () => ({ ice: "disconnected", bytes: null })).repairs.filter(([, repair]) => repair === "rebuild").map(([now]) => now);
    expect(broken.length).toBeGreaterThan(5);
    expect(broken.slice(1).every((now, i) => now - (broken[i] ?? 0) >= 4_000)).toBe(true);
  });

  it("is up again only when bytes flow after the restart", () => {
    const restarting = recover(up(), { now: 3_000, ice: "failed", bytes: null, due: true, line: true, nudge: false }).next;
    const connected = recover(restarting, { now: 3_500, ice: "connected", bytes: 2_500, due: true, line: true, nudge: false }).next;
    expect(isReconnecting(connected)).toBe(true);
    const flowing = recover(connected, { now: 4_000, ice: "connected", bytes: 2_600, due: true, line: true, nudge: false }).next;
    expect(isReconnecting(flowing)).toBe(false);
  });

  it("is looked at again soon from the first silent sample until bytes flow", () => {
    const silent = { ice: "connected", bytes: 2_500, due: true, line: true, nudge: false } as const;
    const before = up();
    expect(isWatched(before)).toBe(false);
    const first = recover(before, { ...silent, now: 3_000 }).next;
    expect(isWatched(first)).toBe(true);
    expect(isWatched(recover(first, { ...silent, now: 3_100, bytes: 2_501 }).next)).toBe(false);

    // Looked at every 100 ms, it is taken for dead after the same time, and by as many samples at least.
    let state = first;
    let restarted = 0;
    for (let now = 3_100; restarted === 0 && now < 9_000; now += 100) {
      const { next, repair } = recover(state, { ...silent, now });
      state = next;
      if (repair === "restart") restarted = now;
    }
    expect(restarted).toBe(2_500 + SILENT_AFTER_MS);
    expect(isWatched(state)).toBe(true);
  });

  it("waits for the socket, then restarts at once", () => {
    const { end, repairs } = play(up(), 3_000, 20_000, () => ({ ice: "disconnected", bytes: null, line: false }));
    expect([isReconnecting(end), repairs]).toEqual([true, []]);
    expect(recover(end, { now: 23_500, ice: "disconnected", bytes: null, due: true, line: true, nudge: false }).repair).toBe("restart");
  });

  it("builds a new connection when the server lost the transport", () => {
    const gone = lost(up(), 3_000);
    expect(gone.phase).toEqual({ kind: "rebuilding", since: 3_000, tries: 1 });
    expect(isReconnecting(gone)).toBe(true);
  });

  it("does not call the first connection a reconnection", () => {
    expect(isReconnecting(play(begin(0), 500, 3_000, () => ({ ice: "checking", bytes: null })).end)).toBe(false);
  });

  it("tries the first connection again when it does not come up", () => {
    const { repairs } = play(begin(0), 500, 5_000, () => ({ ice: "checking", bytes: null }));
    expect(repairs).toEqual([[4_000, "rebuild"]]);
  });
});
