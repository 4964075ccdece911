import { describe, expect, it } from "vitest";
import { look, UNSEEN, withVoice, type Uplink } from "./redundancy";

describe("redundant audio", () => {
  /** What is said after looking at these moments, half a second apart. */
  const said = (moments: readonly Partial<Uplink>[]) => {
    let watch = UNSEEN;
    return moments.map((moment, i) => {
      const { next, voice } = look(watch, { now: 500 * i, lost: 0, available: 1_000_000, roundTrip: 40, ...moment });
      watch = next;
      return voice;
    });
  };

  it("is sent while something is lost, however little the browser believes in the line", () => {
    expect(said([{ lost: 0 }, { lost: 5 }, { lost: 30, available: 50_000 }, { lost: 10, available: null, roundTrip: null }, { lost: 0 }]))
      .toEqual(["plain", "redundant", "redundant", "redundant", "plain"]);
  });

  it("is not sent where a full line loses it, nor for ten seconds after", () => {
    const full = { lost: 10, available: 64_000 };
    const voices = said([{}, { ...full, roundTrip: 400 }, ...Array.from({ length: 21 }, () => full)]);
    expect(voices.slice(0, 21)).toEqual(Array.from({ length: 21 }, () => "plain"));
    expect(voices.slice(21)).toEqual(["redundant", "redundant"]);
  });

  it("is sent beside a queue where there is ample room for it", () => {
    expect(said([{}, { lost: 10, roundTrip: 400, available: 1_000_000 }])).toEqual(["plain", "redundant"]);
  });

  it("follows a path that became longer", () => {
    const long = { lost: 10, roundTrip: 300, available: 64_000 };
    expect(said([{}, ...Array.from({ length: 150 }, () => long)]).at(-1)).toBe("redundant");
  });

  const head = "v=0\r\na=group:BUNDLE 0 1 2\r\n";
  const audio = (mid: string, formats: string) =>
    `m=audio 9 UDP/TLS/RTP/SAVPF ${formats}\r\na=mid:${mid}\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n`;
  const video = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n";

  it("comes first or last on its own line, and nothing else changes", () => {
    const answer = (mic: string) => head + audio("0", mic) + video + audio("2", "111 63");
    expect(withVoice(answer("111 63"), "0", "redundant")).toBe(answer("63 111"));
    expect(withVoice(answer("63 111"), "0", "redundant")).toBe(answer("63 111"));
    expect(withVoice(answer("63 111"), "0", "plain")).toBe(answer("111 63"));
    expect(withVoice(answer("111 63"), "7", "redundant")).toBe(answer("111 63"));
  });

  it("leaves an answer without it alone", () => {
    const plain = `${head}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n${video}`;
    expect(withVoice(plain, "0", "redundant")).toBe(plain);
  });
});
