import { describe, expect, it } from "vitest";
import { areAsWanted, asWanted, CAMERA_LAYERS, type Sent, type WatchedLayers } from "./layers";

const all = (watched: WatchedLayers): Sent => ({ watched, room: "all" });

describe("layers of the own camera", () => {
  it("sends all of them until it is told who looks", () => {
    expect(areAsWanted(CAMERA_LAYERS, all(null))).toBe(true);
    expect(asWanted(CAMERA_LAYERS, all(null)).map(({ active }) => active)).toEqual([true, true, true]);
  });

  it("sends those that somebody looks at, and keeps everything else of an encoding", () => {
    const sent = asWanted(CAMERA_LAYERS, all(["q", "f"]));
    expect(sent.map(({ rid, active, maxBitrate }) => [rid, active, maxBitrate])).toEqual([["q", true, 150_000], ["h", false, 500_000], ["f", true, 1_500_000]]);
    expect(areAsWanted(sent, all(["f", "q"]))).toBe(true);
    expect(areAsWanted(sent, all([]))).toBe(false);
    expect(asWanted(sent, all([])).some(({ active }) => active)).toBe(false);
  });

  it("never stops a camera that has no layers", () => {
    expect(areAsWanted([{ active: true }], all([]))).toBe(true);
  });

  it("sends the smallest while a thin line is tried, whoever looks, and none while it rests", () => {
    const active = (watched: WatchedLayers, room: Sent["room"]) => asWanted(CAMERA_LAYERS, { watched, room }).map(({ active }) => active);
    expect(active(["h"], "least")).toEqual([true, false, false]);
    expect(active([], "least")).toEqual([true, false, false]);
    expect(active(null, "none")).toEqual([false, false, false]);
    const tried = asWanted(CAMERA_LAYERS, { watched: ["q"], room: "least" });
    expect(areAsWanted(tried, all(["q"]))).toBe(false);
    expect(asWanted(tried, all(["q"])).every(({ maxFramerate }) => maxFramerate === undefined)).toBe(true);
    expect(areAsWanted([{ active: false }], { watched: null, room: "none" })).toBe(true);
  });
});
