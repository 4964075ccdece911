// What every screen must be: readable by everybody, and not wider than its device.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

import { AxeBuilder } from "@axe-core/playwright";

/** WCAG 2.2, levels A and AA. */
const RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];

const OUT = resolve(import.meta.dirname, "../out");
mkdirSync(OUT, { recursive: true });

/** The narrowest phone in use: 320 CSS pixels, also what 1280 pixels are at 400 % (WCAG 1.4.10). */
export const NARROW = 320;

/** Looks at one screen: the rules, its width, and a picture for people who review. */
export async function look(page, name) {
  const faults = [...(await broken(page)), ...(await sideways(page))];
  await page.screenshot({ path: join(OUT, `${name}.png`), animations: "disabled" });
  return faults.map((fault) => `${name}: ${fault}`);
}

/** The same screen on the narrowest phone, and back. */
export async function lookNarrow(page, name) {
  const before = page.viewportSize();
  await page.setViewportSize({ width: NARROW, height: 640 });
  const faults = await sideways(page);
  await page.screenshot({ path: join(OUT, `${name}-narrow.png`), animations: "disabled" });
  await page.setViewportSize(before);
  return faults.map((fault) => `${name} at ${NARROW}: ${fault}`);
}

async function broken(page) {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).setLegacyMode().analyze();
  // What is half under the fixed controls of the call comes free by scrolling, and `scroll-padding` keeps the focus free.
  const covered = (id, node) => id === "target-size" && node.failureSummary?.includes("partially obscured");
  return violations.flatMap(({ id, nodes }) => nodes.filter((node) => !covered(id, node)).map((node) => `${id} at ${node.target.join(" ")}: ${node.failureSummary?.replaceAll(/\s+/g, " ")}`));
}

/** Names what reaches over the right edge, since "too wide" alone is hard to mend. */
async function sideways(page) {
  return page.evaluate(() => {
    const root = document.scrollingElement ?? document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const wide = [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1);
    return [`scrolls sideways (${root.scrollWidth} > ${root.clientWidth}): ${wide.slice(-3).map((one) => `${one.tagName} ${one.className}`).join(", ")}`];
  });
}

/** Every fault of every screen at once: a review reads them together. */
export function assertNone(faults) {
  assert.deepEqual(faults, []);
}
