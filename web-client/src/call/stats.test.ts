import { describe, expect, it } from "vitest";
import { lineStats, NOTHING } from "./stats";

const pair = { type: "candidate-pair", timestamp: 10_000, nominated: true, state: "succeeded", bytesReceived: 500, availableOutgoingBitrate: 90_000 };
const report = (kind: string, timestamp: number, fractionLost: number) => ({ type: "remote-inbound-rtp", timestamp, kind, fractionLost, roundTripTime: 0.25 });

describe("what is read of getStats", () => {
  it("is nothing when there is nothing", () => {
    expect(lineStats([])).toEqual(NOTHING);
  });

  it("is the voice's loss, or the picture's while no voice is sent", () => {
    expect(lineStats([pair, report("video", 9_000, 0.5), report("audio", 9_000, 0.125)])).toEqual({ bytes: 500, room: 90_000, lost: 0.125, roundTripMs: 250 });
    expect(lineStats([pair, report("video", 9_000, 0.5)]).lost).toBe(0.5);
  });

  it("is no report that is older than a few seconds", () => {
    expect(lineStats([report("audio", 5_000, 0.125), pair])).toEqual({ bytes: 500, room: 90_000, lost: null, roundTripMs: null });
  });

  it("counts what came by any pair, where the browser says it", () => {
    const lostPair = { ...pair, state: "in-progress" };
    expect(lineStats([lostPair, { type: "transport", timestamp: 10_000, bytesReceived: 900 }])).toEqual({ ...NOTHING, bytes: 900, room: 90_000 });
    expect(lineStats([lostPair, { ...pair, bytesReceived: 20 }]).bytes).toBe((pair.bytesReceived ?? 0) + 20);
  });
});
