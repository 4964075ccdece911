// The pharmacist's clock in the call, and the billing sheet from the first word to paper.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { PHONE, shot, until } from "../lib/browser.mjs";
import { openConsult } from "../lib/consult.mjs";
import { admitAll, joinAsStaff, seesAndHears, wait } from "../lib/people.mjs";
import { assertNone, look, lookNarrow } from "../lib/screens.mjs";

describe("the billing sheet", { concurrency: false }, () => {
  let consult;
  let server;
  let pharmacist;
  let clinician;
  let patient;

  before(async () => {
    consult = await openConsult({ media: true });
    ({ server, pharmacist, clinician, patient } = consult);
  });

  after(async () => {
    await consult?.close();
  });

  const clock = () => pharmacist.page.getByRole("button", { name: /Counted time/ });
  const shown = async () => {
    const [, minutes, seconds] = /(\d+):(\d\d)/.exec(await clock().innerText());
    return Number(minutes) * 60 + Number(seconds);
  };

  it("runs from the moment both see each other, and not before", async () => {
    await wait(patient, server.links.patient, server.birthDate);
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await clock().waitFor();
    assert.match(await clock().innerText(), /0:00[\s\S]*not running/);

    await admitAll(pharmacist);
    await seesAndHears(patient, "the patient");

    await until("the clock goes", async () => (await shown()) >= 2);
    assert.equal(await patient.page.getByRole("button", { name: /Counted time|Billing/ }).count(), 0);
    await shot(pharmacist, "billing-clock");
  });

  it("takes attestation, payer and an adjustment in the call", async () => {
    const { page } = pharmacist;
    await clock().click();
    const dialog = page.getByRole("dialog", { name: "Billing support sheet" });
    await dialog.getByText("Nothing is attested").waitFor();

    await dialog.getByRole("button", { name: "Attest" }).click();
    const attest = dialog.getByRole("form", { name: "Patient's side" });
    await attest.getByRole("button", { name: "Save" }).click();
    await attest.getByRole("alert").waitFor();
    await attest.getByLabel("I checked who the patient is").check();
    await attest.getByLabel("Where is the patient?").selectOption({ label: "At home" });
    await attest.getByLabel("State where the patient is").selectOption("CT");
    await attest.getByLabel("Call-back number").fill("555-0199");
    await attest.getByLabel("The patient can speak freely").check();
    await attest.getByLabel("Who else is there?").fill("daughter, neighbor");
    assertNone([...(await look(page, "billing-attest")), ...(await lookNarrow(page, "billing-attest"))]);
    await attest.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("daughter and neighbor").waitFor();

    await dialog.getByRole("button", { name: "Choose payer" }).click();
    await dialog.getByLabel("Payer", { exact: true }).selectOption({ label: "Example payer, from the middle of a unit" });
    await dialog.getByLabel("NPI", { exact: true }).fill("1234567890");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("This is not an NPI").waitFor();
    await dialog.getByLabel("NPI", { exact: true }).fill("1234567893");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("No line follows").waitFor();

    await dialog.getByRole("button", { name: "Adjust time" }).click();
    await dialog.getByLabel("Minutes").fill("23");
    await dialog.getByLabel("Reason").fill("spoke by telephone before");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByRole("cell", { name: "99607" }).waitFor();
    assert.equal(await dialog.getByRole("cell", { name: "10", exact: true }).count(), 2, "place of service at home");
    await page.keyboard.press("Escape");
    await until("the clock has the adjustment", async () => (await shown()) >= 23 * 60);
  });

  it("stands at the end of the visit, to read and print, also for the clinician", async () => {
    await joinAsStaff(clinician, server.links.clinician);
    await pharmacist.page.getByRole("button", { name: "Leave" }).first().click();
    await pharmacist.page.getByRole("button", { name: /End/ }).click();
    for (const seat of [pharmacist, clinician]) {
      await seat.page.getByRole("button", { name: "Billing sheet" }).click();
      await seat.page.getByRole("cell", { name: "99606" }).waitFor();
    }
    assert.equal(await clinician.page.getByRole("button", { name: "Adjust time" }).count(), 0, "reading alone");
    await until("the end is written down", async () => {
      await pharmacist.page.getByRole("button", { name: "Count again" }).click();
      return (await pharmacist.page.getByText("The visit still goes on").count()) === 0;
    });
    assertNone([...(await look(pharmacist.page, "billing-sheet")), ...(await lookNarrow(pharmacist.page, "billing-sheet"))]);
    await pharmacist.page.emulateMedia({ media: "print" });
    await shot(pharmacist, "billing-paper");
    await pharmacist.page.emulateMedia({ media: "screen" });
    await clinician.page.setViewportSize(PHONE);
    await clinician.page.getByLabel("Language").selectOption("es");
    await clinician.page.getByRole("heading", { name: "Hoja de apoyo para el cobro" }).waitFor();
    assertNone([...(await look(clinician.page, "billing-sheet-es-phone")), ...(await lookNarrow(clinician.page, "billing-sheet-es-phone"))]);
    assert.equal(await patient.page.getByRole("button", { name: /Billing/ }).count(), 0);
    for (const seat of [pharmacist, clinician, patient]) assert.deepEqual(seat.faults, []);
  });
});
