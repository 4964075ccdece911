import { describe, expect, it } from "vitest";
import type { CameraFormat } from "../wire";
import { formatOf, sendingOf, type Able } from "./format";

const able = (formats: readonly CameraFormat[], scalable = true, descriptors = true): Able => ({ formats: new Set(formats), scalable, descriptors });
const ALL = ["vp8", "h264", "vp9", "av1"] as const;

describe("the format of the own camera", () => {
  it("is what the practice prefers, where the browser can send it in three sizes", () => {
    expect(ALL.map((wish) => sendingOf(wish, able(ALL)))).toEqual([
      { format: "vp8", sizes: "simulcast" },
      { format: "h264", sizes: "simulcast" },
      { format: "vp9", sizes: "scalable" },
      { format: "av1", sizes: "scalable" },
    ]);
  });

  it("is VP8 where it cannot, and H.264 where there is no VP8", () => {
    const firefox = able(["vp8", "vp9", "av1"], false, false);
    expect(ALL.map((wish) => sendingOf(wish, firefox).format)).toEqual(["vp8", "vp8", "vp8", "vp8"]);
    expect(sendingOf("av1", able(ALL, true, false))).toEqual({ format: "vp8", sizes: "simulcast" });
    expect(sendingOf("vp8", able(["h264"]))).toEqual({ format: "h264", sizes: "simulcast" });
    expect(sendingOf("vp9", able(["h264"]))).toEqual({ format: "h264", sizes: "simulcast" });
    expect(sendingOf("vp8", able([]))).toEqual({ format: "vp8", sizes: "simulcast" });
  });
});

describe("codecs of the browser", () => {
  const format = (mimeType: string, sdpFmtpLine?: string) => formatOf(sdpFmtpLine === undefined ? { mimeType } : { mimeType, sdpFmtpLine });

  it("are taken in the profiles that every decoder knows", () => {
    expect(format("video/VP8")).toBe("vp8");
    expect(format("video/H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f")).toBe("h264");
    expect(format("video/VP9", "profile-id=0")).toBe("vp9");
    expect(format("video/VP9")).toBe("vp9");
    expect(format("video/AV1", "level-idx=5;profile=0;tier=0")).toBe("av1");
  });

  it("are left out in others", () => {
    expect(format("video/H264", "packetization-mode=0;profile-level-id=42e01f")).toBeNull();
    expect(format("video/H264", "packetization-mode=1;profile-level-id=42001f")).toBeNull();
    expect(format("video/H264", "packetization-mode=1;profile-level-id=640c1f")).toBeNull();
    expect(format("video/H264")).toBeNull();
    expect(format("video/VP9", "profile-id=2")).toBeNull();
    expect(format("video/AV1", "profile=1")).toBeNull();
    expect(format("video/rtx")).toBeNull();
  });
});
