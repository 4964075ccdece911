import { describe, expect, it } from "vitest";
import { counted, hour, isNpi, length } from "./time";

describe("time on a sheet", () => {
  it("writes lengths as a clock does", () => {
    expect([0, 479, 480, 3720, -90].map(length)).toEqual(["0:00", "7:59", "8:00", "1:02:00", "−1:30"]);
  });

  it("shows the hour of the practice, wherever the browser is", () => {
    const ms = Date.UTC(2026, 2, 10, 14, 5, 9);
    expect(hour(ms, "America/New_York", "en")).toMatch(/^10:05:09\sAM$/);
    expect(hour(ms, "America/Denver", "en")).toMatch(/^8:05:09\sAM$/);
  });

  it("goes on by itself only while it runs", () => {
    const timer = { counted_s: 100, running: true };
    expect([counted(timer, 5_900), counted({ ...timer, running: false }, 5_900), counted(timer, -1)]).toEqual([105, 100, 100]);
  });

  it("takes the example of CMS for an NPI and its neighbours not", () => {
    expect(["1234567893", "1234567890", "1234567839", "123456789", "3234567893"].map(isNpi)).toEqual([true, false, false, false, false]);
  });
});
