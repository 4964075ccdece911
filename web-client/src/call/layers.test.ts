import { describe, expect, it } from "vitest";
import { areAsWanted, asWanted, CAMERA_LAYERS, encodings, type Sent, type WatchedLayers } from "./layers";

const all = (watched: WatchedLayers): Sent => ({ watched, room: "all", sizes: "simulcast" });

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
    const active = (watched: WatchedLayers, room: Sent["room"]) => asWanted(CAMERA_LAYERS, { watched, room, sizes: "simulcast" }).map(({ active }) => active);
    expect(active(["h"], "least")).toEqual([true, false, false]);
    expect(active([], "least")).toEqual([true, false, false]);
    expect(active(null, "none")).toEqual([false, false, false]);
    const tried = asWanted(CAMERA_LAYERS, { watched: ["q"], room: "least", sizes: "simulcast" });
    expect(areAsWanted(tried, all(["q"]))).toBe(false);
    expect(asWanted(tried, all(["q"])).every(({ maxFramerate }) => maxFramerate === undefined)).toBe(true);
    expect(areAsWanted([{ active: false }], { watched: null, room: "none", sizes: "simulcast" })).toBe(true);
  });
});

describe("sizes of one stream", () => {
  const sent = (watched: WatchedLayers, room: Sent["room"] = "all") => ({ watched, room, sizes: "scalable" as const });
  const made = (watched: WatchedLayers, room?: Sent["room"]) => asWanted(encodings("scalable"), sent(watched, room))[0];

  it("sends all three until it is told who looks", () => {
    expect(areAsWanted(encodings("scalable"), sent(null))).toBe(true);
    expect(made(null)).toMatchObject({ active: true, scalabilityMode: "L3T3_KEY", scaleResolutionDownBy: 1 });
  });

  it("sends up to the largest that somebody looks at, in the size that it always has", () => {
    expect(made(["q", "h", "f"])).toMatchObject({ active: true, scalabilityMode: "L3T3_KEY", scaleResolutionDownBy: 1 });
    expect(made(["q", "h"])).toMatchObject({ active: true, scalabilityMode: "L2T3_KEY", scaleResolutionDownBy: 2 });
    expect(made(["q"])).toMatchObject({ active: true, scalabilityMode: "L1T3", scaleResolutionDownBy: 4 });
    expect(areAsWanted(encodings("scalable"), sent(["q"]))).toBe(false);
  });

  it("stops when nobody looks, and comes back as it was", () => {
    const stopped = asWanted(encodings("scalable"), sent([]));
    expect(stopped[0]?.active).toBe(false);
    expect(areAsWanted(stopped, sent([]))).toBe(true);
    expect(asWanted(stopped, sent(["q", "h", "f"]))).toMatchObject([{ active: true, scalabilityMode: "L3T3_KEY" }]);
  });

  it("sends the smallest alone while a thin line is tried, whoever looks, and none while it rests", () => {
    expect(made([], "least")).toMatchObject({ active: true, scalabilityMode: "L1T3", maxBitrate: 150_000 });
    expect(made(["f"], "none")).toMatchObject({ active: false });
  });
});
