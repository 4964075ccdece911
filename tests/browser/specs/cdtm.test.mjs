// A collaborative agreement in three browsers: drafted, signed, agreed to, used, and stopped by the patient.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { meet, openConsult } from "../lib/consult.mjs";
import { share, tab } from "../lib/people.mjs";
import { assertNone, look, lookNarrow } from "../lib/screens.mjs";

/** A day as the forms take it, so many days from now in the practice's zone. */
function day(offset) {
  const at = new Date(Date.now() + offset * 86_400_000);
  return new Intl.DateTimeFormat("en-CA", { timeZone: "America/New_York", year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
}

describe("a collaborative agreement", { concurrency: false }, () => {
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

  const panel = async ({ page }) => {
    const dialog = page.getByRole("dialog", { name: "Collaborative agreement" });
    if ((await dialog.count()) === 0) await page.getByRole("button", { name: /^Agreement$|due|overdue|ends/ }).first().click();
    await dialog.waitFor();
    return dialog;
  };
  const close = async ({ page }) => page.getByRole("dialog").getByRole("button", { name: "Close" }).first().click();

  it("is written by the physician from the template, with what is missing listed", async () => {
    const dialog = await panel(clinician);
    await dialog.getByText("This patient has no agreement.").waitFor();
    assertNone(await look(clinician.page, "cdtm-none"));
    await dialog.getByRole("button", { name: "Write an agreement" }).click();
    const form = dialog.getByRole("form", { name: "Write an agreement" });
    await form.getByLabel("Disease").fill("Hypertension");
    await form.getByRole("button", { name: "Save the draft" }).click();
    await dialog.getByText("Missing before it can be signed").waitFor();
    await dialog.getByText("Day of the face-to-face visit").waitFor();
    assert.equal(await dialog.getByRole("button", { name: "Sign" }).count(), 0, "nothing to sign yet");
    assertNone([...(await look(clinician.page, "cdtm-missing")), ...(await lookNarrow(clinician.page, "cdtm-missing"))]);

    await dialog.getByRole("button", { name: "Change the draft" }).click();
    const boxes = {
      "Face-to-face visit": day(-3), "First day": day(0), "Last day": day(300), "Board told of the physician": day(-2),
      "Physician's phone": "555-0175", "Pharmacist's phone": "555-0142", "Physician who stands in": "Dr. Luis Ortega", "Their phone": "555-0188",
      "Patient's phone": "555-0121", Address: "12 Elm St, Monroe LA", Gender: "female",
      "Tests the pharmacist may order": "Basic metabolic panel\nPotassium",
      "Type and extent of what is authorized": "Start, stop and adjust the drugs listed here for hypertension.",
      "Procedures, decision criteria or plan": "Titrate every 2 to 4 weeks by home readings.",
      "Responsibilities of the physician": "Diagnosis and yearly review.", "Responsibilities of the pharmacist": "Titration, laboratory tests, reports.",
      "How you talk": "Phone, and a note in the record", "How often": "Each month", "In what form": "Note in the record",
      Reporting: "A note after each visit.", "Events the physician must be told of": "Systolic above 180\nPotassium above 5.5",
      "What is done when the physician is needed at once": "Call Dr. Raman, else Dr. Ortega.", "Outcomes to measure": "Blood pressure below 140/90",
      "Financial arrangements, as the patient reads them": "The clinic pays both. No maker of drugs pays them.",
    };
    for (const [label, value] of Object.entries(boxes)) await form.getByLabel(label, { exact: true }).fill(value);
    await form.getByRole("button", { name: "Add a drug" }).click();
    const drug = form.getByRole("region", { name: "Drug 1" });
    await drug.getByLabel("Generic name").fill("lisinopril");
    for (const action of ["Stop", "Change the dose"]) await drug.getByLabel(action, { exact: true }).check();
    await drug.getByLabel("Least dose").fill("2.5");
    await drug.getByLabel("Highest dose").fill("5,0");
    await form.getByRole("button", { name: "Save the draft" }).click();
    await drug.getByText("Write a number such as 2.5").waitFor();
    assertNone([...(await look(clinician.page, "cdtm-form")), ...(await lookNarrow(clinician.page, "cdtm-form"))]);
    await drug.getByLabel("Highest dose").fill("40");
    await drug.getByLabel("Highest in one day").fill("40");
    await form.getByRole("button", { name: "Save the draft" }).click();
    await dialog.getByRole("button", { name: "Sign", exact: true }).click();
    await dialog.getByText("It cannot be changed afterwards").waitFor();
    await dialog.getByRole("form", { name: "Sign" }).getByRole("button", { name: "Sign" }).click();
    await dialog.getByText("Signed by the physician").waitFor();
  });

  it("is signed by the pharmacist, once the registration is entered", async () => {
    const dialog = await panel(pharmacist);
    const again = dialog.getByRole("button", { name: "Look again" });
    await again.click();
    await dialog.getByText("the pharmacist enters it below").waitFor();
    await dialog.getByRole("button", { name: "Enter the registration" }).click();
    await dialog.getByLabel("Registration number of the Board").fill("CDTM-118");
    await dialog.getByLabel("Last day it holds").fill(day(300));
    await dialog.getByRole("form").getByRole("button", { name: "Enter the registration" }).click();
    await dialog.getByRole("button", { name: "Sign", exact: true }).click();
    await dialog.getByRole("form", { name: "Sign" }).getByRole("button", { name: "Sign" }).click();
    await dialog.getByText("Waits for the patient's written consent.").waitFor();
    const call = dialog.getByRole("link", { name: /Call Dr\. Priya Raman: 555-0175/ });
    assert.equal(await call.getAttribute("href"), "tel:5550175");
    assertNone(await look(pharmacist.page, "cdtm-waits"));
  });

  it("is read by the patient in plain words, and agreed to in writing", async () => {
    const { page } = patient;
    await page.getByRole("tab", { name: /More/ }).click();
    const section = page.getByRole("region", { name: "My agreement with my pharmacist and my doctor" });
    await section.waitFor();
    await section.getByText("Your care goes on either way.").waitFor();
    await section.getByRole("heading", { name: "Do you agree?" }).scrollIntoViewIfNeeded();
    assertNone([...(await look(page, "cdtm-patient")), ...(await lookNarrow(page, "cdtm-patient"))]);
    await section.getByRole("button", { name: "Yes, I agree" }).click();
    await section.getByText("This is needed.").waitFor();
    await section.getByLabel("Your name, as you sign").fill("Ruth Elena Delgado");
    await section.getByRole("button", { name: "Yes, I agree" }).click();
    await section.getByText(/This agreement is in use/).waitFor();
    assertNone(await look(page, "cdtm-patient-yes"));

    const dialog = await panel(pharmacist);
    await dialog.getByRole("button", { name: "Look again" }).click();
    await dialog.getByText("Status report due in 90 days").waitFor();
    assertNone([...(await look(pharmacist.page, "cdtm-active")), ...(await lookNarrow(pharmacist.page, "cdtm-active"))]);
    await close(pharmacist);
  });

  /** Drafts another dose of lisinopril, to be done under the agreement. */
  const draft = async (summary, dose) => {
    const { page } = pharmacist;
    await page.getByRole("button", { name: "Add a recommendation" }).click();
    await page.getByRole("textbox", { name: "In one line" }).fill(summary);
    const med = page.getByLabel("Medicine", { exact: true });
    const names = await med.getByRole("option").allInnerTexts();
    await med.selectOption({ label: names.find((name) => /lisinopril/i.test(name)) });
    await page.getByRole("button", { name: "Add how it should be taken" }).click();
    await page.getByLabel("Dose", { exact: true }).fill(dose);
    await page.getByLabel("Unit", { exact: true }).fill("mg");
    await page.getByLabel("Times", { exact: true }).fill("1");
    await page.getByLabel("Every", { exact: true }).fill("1");
    await page.getByRole("button", { name: "Done" }).click();
    const card = page.getByRole("region", { name: summary }).or(page.getByLabel(summary, { exact: true })).first();
    await card.getByLabel("Who decides").selectOption({ label: "I do it under the agreement with Dr. Priya Raman (Hypertension)" });
    await card.getByRole("group", { name: "Do it under the agreement" }).waitFor();
    return card;
  };

  it("lets the pharmacist change a dose in one step, and says by what", async () => {
    await tab(pharmacist.page, "Plan");
    const card = await draft("Lisinopril 40 mg once daily", "40");
    await card.getByRole("group", { name: "Do it under the agreement" }).scrollIntoViewIfNeeded();
    assertNone([...(await look(pharmacist.page, "cdtm-do")), ...(await lookNarrow(pharmacist.page, "cdtm-do"))]);
    await card.getByRole("button", { name: "Do it under the agreement" }).click();
    await card.getByText(/Done under the agreement with Dr\. Priya Raman for Hypertension/).waitFor();
    assertNone(await look(pharmacist.page, "cdtm-done"));
    await patient.page.getByText("Your pharmacist did this under your agreement with your doctor.").waitFor();
    await tab(pharmacist.page, "Collect");
    await pharmacist.page.getByText(/Changed by an accepted recommendation: Lisinopril 40 mg once daily/).first().waitFor();
  });

  it("sends to the physician what it does not allow, with the reasons", async () => {
    await tab(pharmacist.page, "Plan");
    const card = await draft("Lisinopril 80 mg once daily", "80");
    await card.getByRole("button", { name: "Do it under the agreement" }).click();
    await card.getByText(/The dose is outside the range: 80 mg \(2\.5 mg – 40 mg\)/).waitFor();
    await card.getByText("To Dr. Priya Raman").waitFor();
    await card.getByText(/The dose is outside the range/).scrollIntoViewIfNeeded();
    assertNone([...(await look(pharmacist.page, "cdtm-refused")), ...(await lookNarrow(pharmacist.page, "cdtm-refused"))]);
  });

  it("is reported on, and handed to a Board on paper", async () => {
    const { page } = pharmacist;
    const dialog = await panel(pharmacist);
    await dialog.getByText("Done under this agreement").waitFor();
    await dialog.getByRole("button", { name: "Write a status report" }).click();
    const form = dialog.getByRole("form", { name: "Write a status report" });
    assert.match(await form.getByLabel("What was done").inputValue(), /Lisinopril 40 mg once daily/);
    for (const label of ["Problems", "Complications"]) await form.getByLabel(label).fill("None.");
    await form.getByLabel("Does the patient take what was agreed?").fill("Yes, each morning.");
    assertNone([...(await look(page, "cdtm-report")), ...(await lookNarrow(page, "cdtm-report"))]);
    await form.getByRole("button", { name: "Write a status report" }).click();
    await dialog.getByRole("definition").filter({ hasText: "Yes, each morning." }).waitFor();
    await dialog.getByRole("button", { name: "Report for handing over" }).click();
    await dialog.getByRole("definition").filter({ hasText: "Yes, each morning." }).waitFor();
    assertNone(await look(page, "cdtm-paper"));
    await dialog.getByRole("button", { name: "Back" }).click();
    await dialog.getByRole("button", { name: "All my patients under an agreement" }).click();
    await dialog.getByRole("cell", { name: /Ruth Elena Delgado[^]*Hypertension/ }).waitFor();
    assertNone([...(await look(page, "cdtm-inspection")), ...(await lookNarrow(page, "cdtm-inspection"))]);
    // Paper gets the list and nothing that stands around it.
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.getByRole("button", { name: "Leave" }).first().isVisible(), false);
    assert.equal(await dialog.getByRole("cell", { name: /Ruth Elena Delgado/ }).isVisible(), true);
    assert.equal(await dialog.getByRole("button", { name: "Print" }).isVisible(), false);
    await page.emulateMedia({ media: "screen" });
    await close(pharmacist);
  });

  it("is stopped by the patient on any day, in Spanish too, and the visit goes on", async () => {
    const { page } = patient;
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("dialog").getByLabel(/Language/).selectOption({ label: "Español" });
    await page.keyboard.press("Escape");
    const section = page.getByRole("region", { name: "Mi acuerdo con mi farmacéutico y mi médico" });
    await section.getByRole("button", { name: "Parar este acuerdo" }).scrollIntoViewIfNeeded();
    assertNone(await look(page, "cdtm-patient-es"));
    await section.getByRole("button", { name: "Parar este acuerdo" }).click();
    await page.getByRole("dialog").getByText("Su atención sigue.").waitFor();
    assertNone([...(await look(page, "cdtm-stop-es")), ...(await lookNarrow(page, "cdtm-stop-es"))]);
    await page.getByRole("button", { name: "Sí, pararlo" }).click();
    await section.getByText(/Usted paró este acuerdo/).waitFor();
    assertNone(await look(page, "cdtm-stopped-es"));

    const dialog = await panel(pharmacist);
    await dialog.getByRole("button", { name: "Look again" }).click();
    await dialog.getByText("Consent withdrawn").first().waitFor();
    assertNone(await look(pharmacist.page, "cdtm-withdrawn"));
    await close(pharmacist);
    await pharmacist.page.getByRole("button", { name: "Leave" }).first().waitFor();
  });
});
