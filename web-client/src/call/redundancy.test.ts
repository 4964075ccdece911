import { describe, expect, it } from "vitest";
import { voiceFor, withVoice } from "./redundancy";

describe("redundant audio", () => {
  it("is sent where something is lost, and not where a full line loses it", () => {
    expect(voiceFor({ lost: 0, available: 2_000_000 })).toBe("plain");
    expect(voiceFor({ lost: 5, available: 2_000_000 })).toBe("redundant");
    expect(voiceFor({ lost: 30, available: 2_000_000 })).toBe("redundant");
    expect(voiceFor({ lost: 30, available: 64_000 })).toBe("plain");
    expect(voiceFor({ lost: 30, available: null })).toBe("redundant");
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
