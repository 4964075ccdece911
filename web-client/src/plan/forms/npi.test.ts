import { expect, it } from "vitest";
import { isNpi } from "./npi";

it("finds a mistyped provider identifier by its check digit", () => {
  expect(isNpi("1234567893")).toBe(true);
  for (const bad of ["1234567890", "1234576893", "123456789", "12345678930", "123456789X", ""]) expect(isNpi(bad), bad).toBe(false);
});
