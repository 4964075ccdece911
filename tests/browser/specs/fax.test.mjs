// The page for a prescriber: black and white, large and thick enough for a fax, for one addressee, page by page.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";

import { openSeat } from "../lib/browser.mjs";
import { addProblem, joinAsStaff, saved, tab } from "../lib/people.mjs";
import { assertNone, look } from "../lib/screens.mjs";
import { startServer } from "../lib/server.mjs";

const run = promisify(execFile);
const OUT = resolve(import.meta.dirname, "../out");

/** A fax is 200 dots an inch, each black or white. */
async function faxed(pdf, name) {
  const folder = await mkdtemp(join(tmpdir(), "mortar-fax-"));
  await writeFile(join(folder, "paper.pdf"), pdf);
  await run("pdftoppm", ["-r", "200", "-mono", join(folder, "paper.pdf"), join(folder, "page")]);
  const pages = (await readdir(folder)).filter((one) => one.endsWith(".pbm")).sort();
  const bitmaps = await Promise.all(pages.map((one) => readFile(join(folder, one))));
  // For eyes.
  await run("pdftoppm", ["-r", "200", "-mono", "-png", join(folder, "paper.pdf"), join(OUT, name)]);
  await rm(folder, { recursive: true, force: true });
  return bitmaps.map(bitmap);
}

/** A raw PBM: width, height, and whether a dot is black. */
function bitmap(bytes) {
  const [, width, height] = /^P4\s+(\d+)\s+(\d+)\s/.exec(bytes.subarray(0, 40).toString("latin1")).map(Number);
  const start = bytes.length - Math.ceil(width / 8) * height;
  const stride = Math.ceil(width / 8);
  return { width, height, black: (x, y) => ((bytes[start + y * stride + (x >> 3)] >> (7 - (x & 7))) & 1) === 1 };
}

/** The thickness in dots of each line that goes from edge to edge of the text. */
function rules({ width, height, black }) {
  const found = [];
  let run = 0;
  for (let y = 0; y < height; y += 1) {
    let dots = 0;
    for (let x = 0; x < width; x += 1) dots += black(x, y) ? 1 : 0;
    if (dots > width * 0.7) run += 1;
    else {
      if (run > 0) found.push(run);
      run = 0;
    }
  }
  return found;
}

async function recommend(page, { summary, to, rationale }) {
  await page.getByRole("button", { name: "Add a recommendation" }).click();
  await page.getByRole("textbox", { name: "In one line" }).fill(summary);
  await page.getByRole("button", { name: "Done" }).click();
  const card = page.getByLabel(summary, { exact: true }).first();
  await card.waitFor();
  if (rationale !== undefined) {
    await card.getByRole("textbox", { name: "Rationale" }).fill(rationale);
  }
  if (to !== undefined) {
    await card.getByRole("button", { name: /The prescriber of this visit/ }).click();
    await card.getByRole("textbox", { name: "Name of the prescriber" }).fill(to);
    await card.getByRole("combobox", { name: "What kind of prescriber" }).selectOption({ label: "Primary care" });
    await card.getByRole("button", { name: "Done" }).click();
  }
  await card.getByRole("button", { name: "Send to the prescriber" }).click();
  await card.getByText("Sent, waiting for an answer").first().waitFor();
}

describe("the page for a prescriber", { concurrency: false }, () => {
  let server;
  let pharmacist;

  before(async () => {
    server = await startServer();
    pharmacist = await openSeat(server.origin);
    const { page } = pharmacist;
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await tab(page, "Plan");
    await addProblem(page, "blood pressure above goal");
    await recommend(page, { summary: "Raise lisinopril to 20 mg daily.", to: "Dr. Amy Chen", rationale: "Home readings stay above 140/90 mm Hg although every dose is taken." });
    for (let n = 1; n <= 4; n += 1) await recommend(page, { summary: `Check potassium in week ${n}.`, to: "Dr. Amy Chen" });
    await recommend(page, { summary: "Stop the second statin.", to: "Dr. Otto Weiss" });
    await recommend(page, { summary: "Think about a pill box." });
    await saved(pharmacist);
    await page.getByRole("button", { name: "Page for a prescriber" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Print" }).waitFor();
  });

  after(async () => {
    await pharmacist?.close();
    await server?.close();
  });

  const paper = () => pharmacist.page.locator("[data-print=prescriber]");

  it("shows what one prescriber is asked, and nothing of what another is", async () => {
    const { page } = pharmacist;
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Which prescriber").selectOption({ label: "Dr. Otto Weiss" });
    assert.match(await paper().innerText().catch(() => paper().textContent()), /Stop the second statin/);
    assert.doesNotMatch(await paper().textContent(), /lisinopril|potassium|pill box/);
    await dialog.getByLabel("Which prescriber").selectOption({ label: "Dr. Amy Chen" });
    const text = await paper().textContent();
    assert.match(text, /Raise lisinopril.*Why.*140\/90.*Accept.*Accept with this change.*Decline, because/s);
    assert.doesNotMatch(text, /statin|pill box/);
    assert.match(text, /Draft: not signed/);
    assert.match(text, /Questions, or to answer by telephone/);
    assert.match(text, /Page 1 of 2/);
    assertNone(await look(page, "fax-dialog"));
  });

  it("is printed in black on white, 12 points and more, with lines of a point and more", async () => {
    const { page } = pharmacist;
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const seen = await paper().evaluate((root) => {
      const px = (value) => Number.parseFloat(value) * 0.75; // points
      const faults = [];
      const plain = (colour) => ["rgb(0, 0, 0)", "rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"].includes(colour);
      let words = 0;
      for (const one of [root, ...root.querySelectorAll("*")]) {
        const style = getComputedStyle(one);
        const says = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "");
        if (says) {
          words += 1;
          if (style.color !== "rgb(0, 0, 0)") faults.push(`${one.className}: colour ${style.color}`);
          if (px(style.fontSize) < 11.99) faults.push(`${one.className}: ${style.fontSize}`);
          if (Number(style.opacity) !== 1) faults.push(`${one.className}: opacity`);
        }
        if (!plain(style.backgroundColor)) faults.push(`${one.className}: background ${style.backgroundColor}`);
        if (style.backgroundImage !== "none" || style.boxShadow !== "none") faults.push(`${one.className}: shade`);
        for (const side of ["Top", "Right", "Bottom", "Left"]) {
          const width = px(style[`border${side}Width`]);
          if (width > 0 && width < 1) faults.push(`${one.className}: a line of ${width} pt`);
          if (width > 0 && style[`border${side}Color`] !== "rgb(0, 0, 0)") faults.push(`${one.className}: a line in ${style[`border${side}Color`]}`);
        }
      }
      return { faults, words };
    });
    assert.deepEqual(seen.faults, []);
    assert.ok(seen.words > 40, `${seen.words} pieces of text`);
    assert.equal(await page.getByRole("dialog").isVisible(), false, "the window is not printed");
    assert.equal(await page.getByRole("tab").first().isVisible(), false, "nor what stands around it");
  });

  it("fills as many sheets as it says, on Letter and on A4, and survives a fax", async () => {
    const { page } = pharmacist;
    const sheets = await paper().locator("[data-sheet]").count();
    assert.equal(sheets, 2);
    for (const format of ["Letter", "A4"]) {
      const pages = await faxed(await page.pdf({ format, preferCSSPageSize: false }), `fax-${format}`);
      assert.equal(pages.length, sheets, format);
      for (const sheet of pages) {
        const lines = rules(sheet);
        assert.ok(lines.length >= 2, `${format}: ${lines}`);
        // One point is 2.8 dots at 200 dpi.
        assert.ok(lines.every((thick) => thick >= 3), `${format}: ${lines}`);
      }
    }
  });

  it("can be printed after the visit too", async () => {
    const { page } = pharmacist;
    await page.emulateMedia({ media: "screen" });
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Leave" }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
    await page.getByRole("button", { name: "Page for a prescriber" }).click();
    await page.getByRole("dialog").getByLabel("Which prescriber").selectOption({ label: "Dr. Otto Weiss" });
    assert.match(await paper().textContent(), /Stop the second statin/);
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.getByText("Take the record along").first().isVisible(), false);
    assert.equal(await paper().isVisible(), true);
  });
});
