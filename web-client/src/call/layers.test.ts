import { describe, expect, it } from "vitest";
import { areAsWatched, asWatched, CAMERA_LAYERS } from "./layers";

describe("layers of the own camera", () => {
  it("sends all of them until it is told who looks", () => {
    expect(areAsWatched(CAMERA_LAYERS, null)).toBe(true);
    expect(asWatched(CAMERA_LAYERS, null).map(({ active }) => active)).toEqual([true, true, true]);
  });

  it("sends those that somebody looks at, and keeps everything else of an encoding", () => {
    const sent = asWatched(CAMERA_LAYERS, ["q", "f"]);
    expect(sent.map(({ rid, active, maxBitrate }) => [rid, active, maxBitrate])).toEqual([["q", true, 150_000], ["h", false, 500_000], ["f", true, 1_500_000]]);
    expect(areAsWatched(sent, ["f", "q"])).toBe(true);
    expect(areAsWatched(sent, [])).toBe(false);
    expect(asWatched(sent, []).some(({ active }) => active)).toBe(false);
  });

  it("never stops a camera that has no layers", () => {
    expect(areAsWatched([{ active: true }], [])).toBe(true);
  });
});
