import { describe, expect, it } from "vitest";
import { parseRoute, tokenIn } from "../route";
import { birthDate } from "./birthDate";
import { refusal } from "./refusal";

describe("the date of birth", () => {
  const today = new Date("2026-03-01T00:00:00Z");
  it("is made of three fields", () => {
    expect(birthDate("1947", "2", "5", today)).toBe("1947-02-05");
    expect(birthDate(" 1947 ", "12", "31", today)).toBe("1947-12-31");
  });
  it.each([["1947", "2", "30"], ["47", "2", "5"], ["1947", "", "5"], ["1947", "13", "1"], ["2027", "1", "1"], ["1879", "1", "1"], ["2023", "2", "29"]])("is refused where there was no such day: %s-%s-%s", (y, m, d) => {
    expect(birthDate(y, m, d, today)).toBeNull();
  });
});

describe("a link", () => {
  it("is taken whole or as its token", () => {
    expect(tokenIn(" https://clinic.example/j#0123456789ABCDEFGHJKMNPQRS ")).toBe("0123456789ABCDEFGHJKMNPQRS");
    expect(tokenIn("0123456789abcdefghjkmnpqrs")).toBe("0123456789abcdefghjkmnpqrs");
  });
  it("is not any text", () => {
    expect([tokenIn("hello"), tokenIn("https://clinic.example/"), tokenIn("")]).toEqual([null, null, null]);
  });
  it("leads to a seat, and an unknown path to a sentence", () => {
    expect(parseRoute("/v/0190-ab")).toEqual({ kind: "visit", seat: "0190-ab" });
    expect(parseRoute("/v/../x").kind).toBe("unknown");
  });
});

describe("a refused claim", () => {
  it("is told by its code, else by its status", () => {
    expect(refusal(403, "birth_date_wrong")).toBe("birthDate");
    expect(refusal(403, "staff_help")).toBe("tries");
    expect(refusal(429, "slow_down")).toBe("wait");
    expect(refusal(410, "visit_over")).toBe("over");
    expect(refusal(404, "link_unknown")).toBe("link");
    expect([refusal(0, "offline"), refusal(503, "unknown")]).toEqual(["offline", "offline"]);
  });
});
