// What the patient takes home, on paper: the page alone, and the Medicare form, tagged for screen readers.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { openSeat, until } from "../lib/browser.mjs";
import { addMedicine, joinAsStaff, saved, share } from "../lib/people.mjs";
import { startServer } from "../lib/server.mjs";

describe("on paper", { concurrency: false }, () => {
  let server;
  let pharmacist;

  before(async () => {
    server = await startServer();
    pharmacist = await openSeat(server.origin);
    const { page } = pharmacist;
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await addMedicine(page, "Vitamin C", "1 tablet every morning");
    await saved(pharmacist);
    await share(page);
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
    await page.getByRole("button", { name: "Show the Medicare form" }).click();
  });

  after(async () => {
    await pharmacist?.close();
    await server?.close();
  });

  it("holds a letter, a to-do list and a medicine list with who it was made for", async () => {
    const { page } = pharmacist;
    const form = page.locator("[data-print=medicare]");
    await form.getByText("Dear Ruth").waitFor();
    for (const title of ["Recommended to-do list", "Medicine list"]) await form.getByRole("heading", { name: title }).waitFor();
    assert.equal(await form.getByText("Prepared for: Ruth").count(), 3);
    const row = form.getByRole("row").filter({ hasText: "Vitamin C" });
    assert.match(await row.innerText(), /1 tablet every morning/);
  });

  it("prints nothing that stands around it", async () => {
    const { page } = pharmacist;
    await page.emulateMedia({ media: "print" });
    await until("the buttons are gone", async () => !(await page.getByText("Go back in").first().isVisible()));
    assert.equal(await page.getByText("Take the record along").first().isVisible(), false);
    assert.equal(await page.getByText("Dear Ruth").isVisible(), true);
  });

  it("is tagged, each part on a page of its own", async () => {
    const pdf = (await pharmacist.page.pdf({ format: "Letter", tagged: true })).toString("latin1");
    assert.match(pdf, /\/StructTreeRoot/);
    assert.ok((pdf.match(/\/Type \/Page\b/g) ?? []).length >= 3);
  });
});
