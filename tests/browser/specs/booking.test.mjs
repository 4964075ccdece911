// The next visit, booked in the call: a link for each person, an invitation for the calendar, and cancelling it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";

import { openSeat, PHONE } from "../lib/browser.mjs";
import { joinAsStaff, listenToMedia, openLink } from "../lib/people.mjs";
import { assertNone, look, lookNarrow } from "../lib/screens.mjs";
import { startServer } from "../lib/server.mjs";

describe("booking the next visit", { concurrency: false }, () => {
  let server;
  let pharmacist;
  let patient;

  before(async () => {
    server = await startServer();
    pharmacist = await openSeat(server.origin);
    await pharmacist.context.grantPermissions(["camera", "microphone", "clipboard-read", "clipboard-write"]);
    patient = await openSeat(server.origin, { viewport: PHONE });
    for (const seat of [pharmacist, patient]) await listenToMedia(seat);
  });

  after(async () => {
    for (const seat of [pharmacist, patient]) await seat?.close();
    await server?.close();
  });

  it("gives each person a link that leads to the new visit", async () => {
    const { page } = pharmacist;
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await page.getByRole("button", { name: "Next visit" }).click();
    const dialog = page.getByRole("dialog", { name: "Next visit" });
    await dialog.getByText("No next visit is booked").waitFor();
    await dialog.getByRole("button", { name: "Book the visit" }).click();
    await dialog.getByRole("alert").waitFor();

    await dialog.getByLabel("Day").fill(`${new Date().getFullYear() + 1}-07-10`);
    await dialog.getByLabel("Time", { exact: true }).fill("10:00");
    await dialog.getByRole("button", { name: "Book the visit" }).click();

    await dialog.getByText(/July 10.*10:00.*EDT, 30 min/).waitFor();
    await dialog.getByRole("button", { name: /Copy link of Ruth/ }).click();
    await dialog.getByText("Copied").waitFor();
    assertNone([...(await look(page, "booking")), ...(await lookNarrow(page, "booking"))]);
    const link = await page.evaluate(() => navigator.clipboard.readText());
    await openLink(patient, link, server.birthDate);
    await patient.page.getByRole("heading", { name: /You are next|before you/ }).waitFor();
  });

  it("gives an invitation for the calendar, and takes it back", async () => {
    const { page } = pharmacist;
    const dialog = page.getByRole("dialog", { name: "Next visit" });
    const file = async (name) => {
      const [download] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("link", { name }).click()]);
      assert.equal(download.suggestedFilename(), "visit.ics");
      return readFile(await download.path(), "utf8");
    };
    const invitation = await file("Invitation for the calendar");
    assert.match(invitation, /METHOD:REQUEST[\s\S]*T140000Z/);
    assert.doesNotMatch(invitation, /Ruth|Delgado|\/j#/);

    await dialog.getByRole("button", { name: "Cancel this visit" }).click();
    await dialog.getByRole("button", { name: "Yes, cancel it" }).click();

    await dialog.getByText("Cancelled", { exact: true }).waitFor();
    assert.equal(await dialog.getByRole("button", { name: /Copy link/ }).count(), 0);
    assert.match(await file("Cancellation for the calendar"), /METHOD:CANCEL[\s\S]*SEQUENCE:1/);
    await patient.page.getByRole("heading", { name: /over|ended/i }).waitFor();
  });
});
