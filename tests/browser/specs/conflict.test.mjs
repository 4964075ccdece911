// Two people who cannot see each other write two doses: both stand, nobody loses, and no third dose is ever shown.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { until } from "../lib/browser.mjs";
import { meet, openConsult } from "../lib/consult.mjs";
import { addBareMedicine, saved, share } from "../lib/people.mjs";
import { assertNone, look } from "../lib/screens.mjs";

const MEDICINE = "Warfarin tablets";

describe("two doses at once", { concurrency: false }, () => {
  let consult;
  let server;
  let pharmacist;
  let clinician;
  let patient;

  before(async () => {
    consult = await openConsult();
    ({ server, pharmacist, clinician, patient } = consult);
    await meet(consult);
    await addBareMedicine(pharmacist.page, MEDICINE);
    await share(pharmacist.page);
    await patient.page.getByRole("heading", { name: MEDICINE }).waitFor();
    await clinician.page.getByLabel(MEDICINE, { exact: true }).first().waitFor();
    for (const seat of [pharmacist, clinician, patient]) await rememberDoses(seat.page);
  });

  after(async () => {
    server?.child.kill("SIGCONT");
    await consult?.close();
  });

  it("shows both values and who wrote them to both, and no dose to the patient", async () => {
    server.child.kill("SIGSTOP");
    try {
      await setDose(pharmacist.page, "5");
      await setDose(clinician.page, "20");
      await card(pharmacist.page).getByText("5 mg", { exact: true }).first().waitFor();
      await card(clinician.page).getByText("20 mg", { exact: true }).first().waitFor();
    } finally {
      server.child.kill("SIGCONT");
    }
    for (const seat of [pharmacist, clinician]) {
      const conflict = seat.page.getByRole("group", { name: "Two values: As taken" });
      await conflict.waitFor();
      for (const words of ["5 mg", "20 mg", /Ana Reyes/, /Priya Raman/]) await conflict.getByText(words, { exact: true }).first().waitFor();
      await seat.page.getByRole("tab", { name: "1 conflict" }).waitFor();
    }
    await patientCard(patient.page).getByText("Not decided yet").waitFor();
    assert.doesNotMatch(await patientCard(patient.page).innerText(), /mg/, "no dose while it is not decided");
    assertNone([...(await look(pharmacist.page, "conflict-team")), ...(await look(patient.page, "conflict-patient"))]);
  });

  it("gives everybody the value that one of them chooses", async () => {
    await clinician.page.getByRole("button", { name: "Keep this: 20 mg" }).click();
    for (const seat of [pharmacist, clinician]) {
      await seat.page.getByRole("group", { name: "Two values: As taken" }).waitFor({ state: "detached" });
      await card(seat.page).getByText("20 mg", { exact: true }).first().waitFor();
      await saved(seat);
    }
    await until("the patient reads the chosen dose", async () => {
      const words = await patientCard(patient.page).innerText();
      return /20 mg/.test(words) && !/Not decided yet/.test(words);
    });
  });

  it("never showed anybody another dose", async () => {
    for (const [who, seat] of Object.entries({ pharmacist, clinician, patient })) {
      const doses = await seat.page.evaluate(() => [...globalThis.mortarDoses]);
      assert.ok(doses.includes("20 mg"), `${who} saw the chosen dose`);
      assert.deepEqual(doses.filter((dose) => dose !== "5 mg" && dose !== "20 mg"), [], `${who} saw a dose that nobody wrote`);
    }
  });
});

const card = (page) => page.getByLabel(MEDICINE, { exact: true }).first();
const patientCard = (page) => page.getByRole("heading", { name: MEDICINE }).locator("xpath=..");

async function setDose(page, dose) {
  await card(page).getByRole("button", { name: /As taken/ }).click();
  await card(page).getByRole("textbox", { name: "Dose" }).fill(dose);
  await card(page).getByRole("combobox", { name: "Unit" }).fill("mg");
  await card(page).getByRole("button", { name: "Done" }).click();
}

/** Keeps every dose that ever stands in the medicine's card, at each change of the page. */
async function rememberDoses(page) {
  await page.evaluate((medicine) => {
    globalThis.mortarDoses = new Set();
    const read = () => {
      const heading = [...document.querySelectorAll("h3")].find((one) => one.textContent.includes(medicine));
      const shown = document.querySelector(`[aria-label="${medicine}"]`) ?? heading?.parentElement;
      if (shown === null || shown === undefined) return;
      // The form that somebody fills in is not what the field says.
      const forms = new Set(shown.querySelectorAll("form"));
      const walk = document.createTreeWalker(shown, NodeFilter.SHOW_TEXT, (node) => ([...forms].some((form) => form.contains(node)) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
      for (let node = walk.nextNode(); node !== null; node = walk.nextNode()) {
        for (const [dose] of node.textContent.matchAll(/[\d.,]+\s*mg/g)) globalThis.mortarDoses.add(dose);
      }
    };
    read();
    new MutationObserver(read).observe(document.body, { subtree: true, childList: true, characterData: true });
  }, MEDICINE);
}
