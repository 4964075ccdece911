import { describe, expect, it } from "vitest";
import { idMaker } from "./ids";

describe("an id", () => {
  it("is a UUIDv7 of its moment", () => {
    const id = idMaker(() => 0x0190_1234_5678, (bytes) => bytes.fill(0xff))();
    expect(id).toBe("01901234-5678-7000-bfff-ffffffffffff");
  });

  it("sorts after the one before it, within a millisecond and when the clock steps back", () => {
    let now = 1_000;
    const next = idMaker(() => now, (bytes) => bytes.fill(0));
    const ids = Array.from({ length: 5_000 }, (_, index) => {
      if (index === 4_500) now = 500;
      return next();
    });
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
