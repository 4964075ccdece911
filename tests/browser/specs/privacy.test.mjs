// What the team writes for itself reaches no patient's device, no log, no file and no address.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { openSeat, PHONE } from "../lib/browser.mjs";
import { canary, filesWith, holds, recordEverything } from "../lib/canary.mjs";
import { addBareMedicine, addProblem, addRecommendation, admitAll, joinAsStaff, saved, share, tab, wait } from "../lib/people.mjs";
import { startServer } from "../lib/server.mjs";

describe("what is written for the team", { concurrency: false }, () => {
  const secret = {
    note: canary("Note"),
    condition: canary("Condition"),
    association: canary("Association"),
    recommendation: canary("Recommendation"),
    rationale: canary("Rationale"),
    assessment: canary("Assessment"),
    summary: canary("Summary"),
  };
  const medicine = canary("Medicine");
  let server;
  let pharmacist;
  let patient;
  let atPharmacist;
  let atPatient;

  before(async () => {
    server = await startServer({ env: { MORTAR_LOG: "trace", RUST_LOG: "trace" } });
    pharmacist = await openSeat(server.origin);
    patient = await openSeat(server.origin, { viewport: PHONE });
    atPharmacist = recordEverything(pharmacist.page);
    atPatient = recordEverything(patient.page);
    await wait(patient, server.links.patient, server.birthDate);
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await admitAll(pharmacist);
    await patient.page.getByRole("button", { name: "Mute", exact: true }).waitFor();
  });

  after(async () => {
    for (const seat of [pharmacist, patient]) await seat?.close();
    await server?.close();
  });

  const patientReads = async (when) => {
    assert.ok(atPatient.size > 0, "the patient's page received something");
    for (const [field, word] of Object.entries(secret)) {
      assert.equal(await atPatient.has(word), false, `${field} reached the patient's device ${when}`);
      assert.equal((await patient.page.content()).includes(word), false, `${field} stands on the patient's screen ${when}`);
    }
  };

  it("stays with the team before anything is shared", async () => {
    const { page } = pharmacist;
    await addBareMedicine(page, medicine);
    await tab(page, "Assess");
    await page.getByRole("combobox", { name: `${medicine}: Indicated` }).selectOption({ label: "Not sure" });
    await page.getByRole("button", { name: `Add a note to ${medicine}: Indicated` }).click();
    await page.getByRole("textbox", { name: "Note" }).fill(secret.assessment);
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByText(secret.assessment).first().waitFor();

    await tab(page, "Plan");
    await addProblem(page, secret.condition);
    await page.getByRole("textbox", { name: "Why they do not fit" }).fill(secret.association);
    await addRecommendation(page, secret.recommendation);
    await page.getByRole("textbox", { name: "Rationale" }).fill(secret.rationale);

    await tab(page, "Follow-up");
    await page.getByRole("textbox", { name: "Summary for the team" }).fill(secret.summary);
    await tab(page, "Team notes");
    await page.getByRole("textbox", { name: "Team note" }).fill(secret.note);
    await saved(pharmacist);

    await patientReads("before sharing");
    assert.equal(await atPatient.has(medicine), false, "nor the medicine, before it is shared");
  });

  it("stays with the team when the plan is shared, and the plan arrives", async () => {
    await share(pharmacist.page);
    await patient.page.getByText(medicine).first().waitFor();
    assert.ok(await atPatient.has(medicine), "what is shared arrives, and this test would see it");
    await patientReads("after sharing");
  });

  it("stays with the team when the patient comes back", async () => {
    await patient.page.reload();
    await patient.page.getByText(medicine).first().waitFor();
    for (const part of ["My to-do list", "More"]) await tab(patient.page, part);
    await patientReads("after a reload");
  });

  it("is found by this test where it does belong", async () => {
    await pharmacist.page.reload();
    await tab(pharmacist.page, "Team notes");
    await pharmacist.page.getByRole("textbox", { name: "Team note" }).waitFor();
    await saved(pharmacist);
    for (const [field, word] of Object.entries(secret)) assert.ok(await atPharmacist.has(word), `${field} comes back to the pharmacist in a form that this test can read`);
  });

  it("stands in no address, no log and no file, and neither does the patient's name", async () => {
    const words = [...Object.values(secret), medicine, "Ruth Elena Delgado"];
    for (const word of words) {
      for (const url of [...pharmacist.requests, ...patient.requests]) assert.equal(holds(decodeURIComponent(url), word), false, `${word} in an address`);
      assert.deepEqual(await filesWith(server.data, word), [], `${word} in a file of the server`);
    }
    // The links and whose they are stand on the operator's terminal on purpose; everything after them is the log.
    const log = server.output.slice(server.output.indexOf("Stop it with"));
    const lines = log.split("\n").filter((line) => words.some((word) => holds(line, word)));
    const writers = new Set(lines.map((line) => line.match(/"target":"([^"]+)"/)?.[1] ?? line.slice(0, 40)));
    assert.deepEqual([...writers], [], "parts of the server that wrote any of it into the log");
  });
});
