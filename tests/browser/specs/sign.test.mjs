// The whole way of a plan: everything verified and assessed, signed, read by the doctor, answered by the patient, handed on.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { meet, openConsult } from "../lib/consult.mjs";
import { share, tab } from "../lib/people.mjs";
import { assertNone, look, lookNarrow } from "../lib/screens.mjs";
import { completePlan } from "../lib/sign.mjs";

describe("a plan from draft to the people it is for", { concurrency: false }, () => {
  let consult;
  let server;
  let pharmacist;
  let clinician;
  let patient;

  before(async () => {
    consult = await openConsult();
    ({ server, pharmacist, clinician, patient } = consult);
    await meet(consult);
    await share(pharmacist.page);
  });

  after(async () => {
    await consult?.close();
  });

  it("says what is missing until nothing is", async () => {
    await completePlan(pharmacist);
    // Nobody asks a patient about a plan that is not signed.
    assert.equal(await patient.page.getByRole("button", { name: "I agree with my plan" }).count(), 0);
  });

  it("is signed, and waits for everybody it is for", async () => {
    const { page } = pharmacist;
    await page.getByRole("button", { name: "Sign the plan" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign the plan" }).click();
    await page.getByText("The plan is signed and closed to changes.").waitFor();
    const who = page.getByLabel("Who has the plan", { exact: true });
    await who.getByText("Primary care provider: Nothing yet about version 1.").waitFor();
    await who.getByText("Patient: Nothing yet about version 1.").waitFor();
    assert.equal(await who.getByRole("button", { name: /I have read/ }).count(), 0, "the doctor says that, and nobody for her");
  });

  it("is read by the doctor, asked about and then agreed to by the patient, and everybody sees it", async () => {
    await tab(clinician.page, /Implement/);
    await clinician.page.getByRole("button", { name: "I have read version 1" }).click();
    const phone = patient.page;
    await phone.getByText("Dr. Priya Raman has read it.").waitFor();
    await phone.getByRole("heading", { name: "Your plan is ready" }).scrollIntoViewIfNeeded();
    const narrow = await lookNarrow(phone, "signed-patient-narrow");
    await phone.getByRole("button", { name: "I have questions" }).click();
    await phone.getByRole("textbox", { name: "What do you want to ask?" }).fill("Do I take it with food?");
    const asking = await look(phone, "signed-patient-asks");
    await phone.getByRole("button", { name: "Tell my team" }).click();
    await phone.getByText("You said: I have questions. Your team can see this.").waitFor();
    for (const { page } of [pharmacist, clinician]) await page.getByText("Do I take it with food?").waitFor();
    const asked = await look(pharmacist.page, "signed-team-asked");
    await phone.getByRole("button", { name: "I agree with my plan" }).click();
    await phone.getByText("You said: I agree.").waitFor();
    await pharmacist.page.getByText(/Ruth Elena Delgado agrees with version 1/).waitFor();
    assertNone([...narrow, ...asking, ...asked, ...(await look(phone, "signed-patient"))]);
  });

  it("is handed on, with whom and how", async () => {
    const { page } = pharmacist;
    await page.getByRole("button", { name: "Note who was given it" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Who").selectOption({ label: "Pharmacy" });
    await dialog.getByRole("textbox", { name: "Name, if it helps" }).fill("Main Street Pharmacy");
    await dialog.getByLabel("How").selectOption({ label: "by fax" });
    const filled = await look(page, "signed-hand-on");
    await dialog.getByRole("button", { name: "Done" }).click();
    await clinician.page.getByText(/Pharmacy, Main Street Pharmacy: by fax\. Noted by Ana Reyes/).waitFor();
    assertNone([...filled, ...(await look(page, "signed-team"))]);
  });

  it("begins anew with the next version", async () => {
    const { page } = pharmacist;
    await page.getByRole("button", { name: "Open a revision" }).click();
    await page.getByRole("dialog").getByRole("textbox", { name: "Why" }).fill("New laboratory value.");
    await page.getByRole("dialog").getByRole("button", { name: "Done" }).click();
    await page.getByText("Nothing is missing.").waitFor();
    // Until it is signed, the first version is the plan in force.
    await page.getByText(/Ruth Elena Delgado agrees with version 1/).waitFor();
    await page.getByRole("button", { name: "Sign the plan" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign the plan" }).click();
    await page.getByText("Patient: Nothing yet about version 2.").waitFor();
    await patient.page.getByRole("button", { name: "I agree with my plan" }).waitFor();
    await clinician.page.getByRole("button", { name: "I have read version 2" }).waitFor();
  });
});
