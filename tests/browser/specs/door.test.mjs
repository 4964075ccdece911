// The door when things go wrong, and what the person reads then.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { openSeat, PHONE, until } from "../lib/browser.mjs";
import { admitAll, joinAsStaff, listenToMedia, media } from "../lib/people.mjs";
import { startServer } from "../lib/server.mjs";
import { giveBirthDate } from "../lib/words.mjs";

describe("the door", { concurrency: false }, () => {
  let server;
  let seat;

  before(async () => {
    server = await startServer();
    seat = await openSeat(server.origin, { viewport: PHONE });
  });
  after(async () => {
    // Refusals are what this is about: the browser reports each as a failed resource.
    if (seat !== undefined) seat.faults.splice(0, seat.faults.length, ...seat.faults.filter((fault) => !/status of 4\d\d/.test(fault)));
    await seat?.close();
    await server?.close();
  });

  it("says that a link is unknown, and whom to call is never a dead end", async () => {
    const { page } = seat;
    await page.goto(`${server.origin}/j#00000000000000000000000000`);
    await page.getByRole("heading", { name: "This link does not work" }).waitFor();
    await page.getByText("open the newest message from your clinic").waitFor();
  });

  it("says that a text is no link, and takes the whole link where it is put in", async () => {
    const { page } = seat;
    await page.goto(server.origin);
    await page.getByRole("textbox").fill("https://example.org/other");
    await page.getByRole("button", { name: "Go to my visit" }).click();
    await page.getByText("This is not a visit link").waitFor();
    await page.getByRole("textbox").fill(server.links.patient);
    await page.getByRole("button", { name: "Go to my visit" }).click();
    await page.getByRole("heading", { name: "When were you born?" }).waitFor();
    assert.equal(new URL(page.url()).hash, "", "the link's secret does not stay in the address");
  });

  it("counts wrong dates aloud, and after the third a person helps", async () => {
    const { page } = seat;
    const [year, month, day] = server.birthDate.split("-");
    const wrong = `${Number(year) + 1}-${month}-${day}`;
    await giveBirthDate(page, wrong);
    await page.getByText("This date does not match our papers. Please look again. You can try 2 more times.").waitFor();
    await giveBirthDate(page, wrong);
    await page.getByText("You can try one more time.").waitFor();
    await giveBirthDate(page, wrong);
    await page.getByRole("heading", { name: "A person will help you" }).waitFor();
    await page.getByRole("link", { name: /^Call / }).waitFor();
  });

  it("lets nobody in with the right date after that, on another device either", async () => {
    const other = await openSeat(server.origin, { viewport: PHONE });
    await other.page.goto(server.links.patient);
    await giveBirthDate(other.page, server.birthDate);
    await other.page.getByRole("heading", { name: "A person will help you" }).waitFor();
    other.faults.splice(0);
    await other.close();
  });

  it("puts two seats of one browser into the call, each in its own tab", async () => {
    const { context } = seat;
    const tabs = [];
    for (const link of [server.links.pharmacist, server.links.clinician]) {
      const page = await context.newPage();
      await joinAsStaff({ page }, link);
      tabs.push(page);
    }
    for (const page of tabs) {
      await page.getByText(/^People \(\d\)$/).click();
      const people = page.getByRole("group").filter({ hasText: /^People/ });
      for (const name of ["Ana Reyes", "Priya Raman"]) {
        const row = people.getByRole("listitem").filter({ hasText: name });
        await row.waitFor();
        await until(`${name} is here`, async () => !/not here|waiting|reconnecting/.test(await row.innerText()));
      }
    }
    assert.notEqual(new URL(tabs[0].url()).pathname, new URL(tabs[1].url()).pathname, "each has its own seat");
    await tabs[1].close();
    await tabs[0].getByRole("button", { name: "Leave", exact: true }).click();
    await tabs[0].getByRole("button", { name: "End for everyone" }).click();
    await tabs[0].getByRole("heading", { name: "The visit is over" }).waitFor();
    await tabs[0].close();
  });

  it("says that a visit is over to whoever comes late", async () => {
    const { page } = seat;
    await page.goto(server.links.caregiver);
    await page.getByRole("heading", { name: "This visit is over" }).waitFor();
    await page.getByText("call your clinic").first().waitFor();
  });
});

describe("a camera and a microphone that are denied", { concurrency: false }, () => {
  let server;
  let pharmacist;
  let patient;

  before(async () => {
    server = await startServer();
    pharmacist = await openSeat(server.origin);
    patient = await openSeat(server.origin, { viewport: PHONE, permissions: "ask" });
    for (const seat of [pharmacist, patient]) await listenToMedia(seat);
  });
  after(async () => {
    for (const seat of [pharmacist, patient]) await seat?.close();
    await server?.close();
  });

  it("are explained, and keep nobody out of the waiting room", async () => {
    const { page } = patient;
    await page.goto(server.links.patient);
    await giveBirthDate(page, server.birthDate);
    await page.getByRole("heading", { name: /camera is turned off|need your yes for the camera/ }).waitFor();
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await page.getByRole("button", { name: "Skip the check" }).click();
    await page.getByRole("heading", { name: "You are next" }).waitFor();
  });

  it("come back without a reload once they are allowed", async () => {
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await admitAll(pharmacist);
    await patient.page.getByRole("button", { name: "No mic" }).waitFor();
    await pharmacist.page.getByRole("region", { name: "People" }).getByText("muted").first().waitFor();

    await patient.context.grantPermissions(["camera", "microphone"], { origin: server.origin });

    await patient.page.getByRole("button", { name: "Mute", exact: true }).waitFor();
    await until("the pharmacist sees and hears the patient", async () => {
      const now = await media(pharmacist);
      return now.framesDecoded > 0 && now.audioEnergy > 0;
    });
  });
});
