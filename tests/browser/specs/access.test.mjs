// Who may see the plan: the patient says it, and it counts at once.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { openSeat, PHONE, until } from "../lib/browser.mjs";
import { admitAll, joinAsStaff, share, tab, wait } from "../lib/people.mjs";
import { assertNone, look } from "../lib/screens.mjs";
import { startServer } from "../lib/server.mjs";

describe("who may see the plan", { concurrency: false }, () => {
  let server;
  let pharmacist;
  let patient;
  let daughter;

  before(async () => {
    server = await startServer();
    pharmacist = await openSeat(server.origin);
    patient = await openSeat(server.origin, { viewport: PHONE });
    daughter = await openSeat(server.origin, { viewport: PHONE });
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await wait(patient, server.links.patient, server.birthDate);
    await admitAll(pharmacist);
    await share(pharmacist.page);
  });

  after(async () => {
    for (const seat of [pharmacist, patient, daughter]) await seat?.close();
    await server?.close();
  });

  it("lets a daughter in once the patient said yes aloud", async () => {
    await wait(daughter, server.links.caregiver, server.birthDate);
    const { page } = pharmacist;
    await page.getByRole("button", { name: "Admit Elena Delgado" }).click();
    const asked = page.getByRole("dialog", { name: "Did the patient agree that Elena Delgado joins?" });
    await asked.waitFor();
    assertNone(await look(page, "access-agreed"));
    await asked.getByRole("button", { name: "Not yet" }).click();
    await daughter.page.getByRole("heading", { name: /You are next/ }).waitFor();
    await admitAll(pharmacist);
    await daughter.page.getByRole("tab", { name: "More" }).waitFor();
  });

  it("lets her read what her mother reads, and write nothing", async () => {
    const { page } = daughter;
    await tab(page, "More");
    await page.getByRole("heading", { name: "Questions I want to ask" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Add a question" }).count(), 0, "no question to add");
    assert.equal(await page.locator("textarea, [contenteditable=true]").count(), 0, "nothing to write in");
  });

  it("lets her help as soon as the patient wants it", async () => {
    const { page } = patient;
    await tab(page, "More");
    const choice = page.getByRole("combobox", { name: /^Elena Delgado/ });
    await choice.scrollIntoViewIfNeeded();
    assertNone(await look(page, "access-patient"));
    await choice.selectOption({ label: "Can also write for me" });
    await daughter.page.getByRole("button", { name: "Add a question" }).click();
    await daughter.page.keyboard.type("Can she take it with coffee?");
    await until("the question is in the patient's page", async () => (await page.getByText("Can she take it with coffee?").count()) > 0 || (await page.locator("textarea").evaluateAll((all) => all.some((one) => one.value.includes("coffee")))));
  });

  it("does not tell her what her mother wishes of others", async () => {
    await patient.page.getByRole("combobox", { name: /specialist/i }).selectOption({ label: "Cannot see it" });
    const { page } = daughter;
    const list = page.locator("[data-field='access.content']");
    await list.filter({ hasText: "Elena Delgado" }).scrollIntoViewIfNeeded();
    assert.deepEqual((await list.allTextContents()).filter((line) => /specialist|nurse|health worker/i.test(line)), []);
    assertNone(await look(page, "access-daughter"));
  });

  it("takes everything from her screen when the patient wants that", async () => {
    await patient.page.getByRole("combobox", { name: /^Elena Delgado/ }).selectOption({ label: "Cannot see it" });
    await daughter.page.getByText("This plan is not open to you").waitFor();
    assert.equal(await daughter.page.getByText("Questions I want to ask").count(), 0);
    assertNone(await look(daughter.page, "access-shut"));
  });

  it("shows the team the same choice, and nothing to choose about pharmacist and doctor", async () => {
    const { page } = pharmacist;
    await page.getByRole("button", { name: /^Before we begin/ }).click();
    const list = page.getByRole("region", { name: "Who may see this plan" });
    await list.scrollIntoViewIfNeeded();
    await list.getByText(/Ana Reyes, PharmD, pharmacist: Always sees it/).waitFor();
    assert.equal(await list.getByRole("combobox", { name: /Elena Delgado/ }).inputValue(), "none");
    assertNone(await look(page, "access-team"));
    await list.getByRole("combobox", { name: /Elena Delgado/ }).selectOption({ label: "May join and read" });
    await daughter.page.getByRole("tab", { name: "More" }).waitFor();
  });
});
