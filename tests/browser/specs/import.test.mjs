// A chart from elsewhere into the record of a visit: looked at first, accepted row by row, said in words when it is none.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";

import { openSeat, PHONE, WIDE } from "../lib/browser.mjs";
import { addMedicine, joinAsStaff, saved } from "../lib/people.mjs";
import { assertNone, look, lookNarrow } from "../lib/screens.mjs";
import { startServer } from "../lib/server.mjs";

const ROOT = resolve(import.meta.dirname, "../../..");

/** The chart of the visit's patient, as another practice might have it a month later. */
async function later() {
  const chart = JSON.parse(await readFile(join(ROOT, "server/demo/ruth-delgado.json"), "utf8"));
  const patient = `Patient/${chart.entry[0].resource.id}`;
  const requests = chart.entry.map(({ resource }) => resource).filter(({ resourceType }) => resourceType === "MedicationRequest");
  requests[0].status = "stopped";
  requests[1].dosageInstruction = [{ text: "1 tablet three times daily" }];
  const add = (resource) => chart.entry.push({ resource });
  add({ resourceType: "MedicationRequest", id: "n1", status: "active", intent: "order", subject: { reference: patient }, medicationCodeableConcept: { text: "Rosuvastatin 10 MG Oral Tablet" }, dosageInstruction: [{ text: "1 tablet at bedtime" }] });
  add({ resourceType: "MedicationRequest", id: "n2", status: "active", intent: "order", subject: { reference: patient }, medicationCodeableConcept: { text: "Warfarin 5 MG Oral Tablet" } });
  add({ resourceType: "AllergyIntolerance", id: "n3", patient: { reference: patient }, code: { text: "latex" }, reaction: [{ manifestation: [{ text: "hives" }] }] });
  add({ resourceType: "Device", id: "n4" });
  return chart;
}

const file = (chart, name = "chart.json") => ({ name, mimeType: "application/json", buffer: Buffer.from(typeof chart === "string" ? chart : JSON.stringify(chart)) });

describe("a chart from elsewhere", { concurrency: false }, () => {
  let server;
  let pharmacist;
  let dialog;

  before(async () => {
    server = await startServer();
    pharmacist = await openSeat(server.origin, { viewport: WIDE });
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await addMedicine(pharmacist.page, "Vitamin C", "1 tablet every morning");
    await saved(pharmacist);
    await pharmacist.page.getByRole("button", { name: "Import a chart" }).click();
    dialog = pharmacist.page.getByRole("dialog");
  });

  after(async () => {
    await pharmacist?.close();
    await server?.close();
  });

  const choose = (...what) => dialog.locator("input[type=file]").setInputFiles(file(...what));

  it("is refused in words when it is none: where, why, and what to do", async () => {
    const chart = await readFile(join(ROOT, "server/demo/ruth-delgado.json"), "utf8");
    const other = chart.replace("MRN-204418", "MRN-9").replace("1948-04-12", "1990-01-01");
    for (const [text, name, words] of [
      [chart.slice(0, chart.length / 2), "torn.json", /Line \d+, column \d+: the text breaks off/],
      ["<Bundle/>", "chart.xml", /The file is XML\. Export the chart as FHIR R4 JSON/],
      [await readFile(join(ROOT, "tests/fixtures/fhir/r5.json"), "utf8"), "r5.json", /FHIR R5, not R4/],
      [" ".repeat(17 * 1024 * 1024), "huge.json", /larger than 16 MB/],
      [other, "other.json", /Neither an identifier nor name and birth date agree/],
    ]) {
      await choose(text, name);
      await dialog.getByRole("alert").filter({ hasText: words }).waitFor();
      await dialog.getByRole("button", { name: "Choose another file" }).click();
    }
    await dialog.getByRole("button", { name: "Show what would change" }).click();
    await dialog.getByRole("alert").filter({ hasText: "Choose a file or paste its text first" }).waitFor();
  });

  it("that says nothing new says so", async () => {
    await dialog.getByRole("textbox").fill(await readFile(join(ROOT, "server/demo/ruth-delgado.json"), "utf8"));
    await dialog.getByRole("button", { name: "Show what would change" }).click();
    await dialog.getByText("Nothing changed. The record has what this file says.").waitFor();
    await dialog.getByText(/This very file was imported on/).waitFor();
    assert.equal(await dialog.getByRole("button", { name: /^Import/ }).count(), 0);
    await dialog.getByRole("button", { name: "Choose another file" }).click();
  });

  it("shows row by row what would change, and what stays", async () => {
    await choose(await later());
    await dialog.getByText("Same identifier").waitFor();
    const row = (name) => dialog.locator("[data-kind]").filter({ hasText: name });
    await row("Rosuvastatin").getByText("As prescribed: 1 tablet at bedtime").waitFor();
    await row("Warfarin").getByText("The file does not say how it is taken").waitFor();
    await row("latex, hives").getByText("New", { exact: true }).waitFor();
    await dialog.getByText("Stopped in the chart").waitFor();
    await dialog.getByText("1 tablet three times daily").waitFor();
    await dialog.getByText("Not read (1)").click();
    await dialog.getByText("1 × Device").waitFor();
    await dialog.getByText(/^Remarks on the file/).click();
    assertNone([...(await look(pharmacist.page, "import-preview")), ...(await lookNarrow(pharmacist.page, "import-preview"))]);
  });

  it("waits for the warnings to be read, and takes what is ticked and nothing else", async () => {
    const { page } = pharmacist;
    await dialog.getByRole("button", { name: /^Import \d+ rows/ }).click();
    await dialog.getByRole("alert").filter({ hasText: "Read the warnings" }).waitFor();
    await dialog.getByLabel(/Medicines without a dosage go in as unverified/).check();
    await dialog.locator("[data-kind]").filter({ hasText: "latex" }).getByRole("checkbox").uncheck();
    await dialog.getByRole("button", { name: /^Import \d+ rows/ }).click();
    await dialog.getByText(/rows are in the record, as your edits/).waitFor();
    assertNone(await look(page, "import-done"));
    await dialog.getByRole("button", { name: "Look again" }).click();
    await dialog.locator("[data-kind]").waitFor();
    assert.equal(await dialog.locator("[data-kind]").count(), 1, "what was left is shown again");
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.getByLabel("Warfarin 5 MG Oral Tablet", { exact: true }).first().waitFor();
    await page.getByLabel("Vitamin C", { exact: true }).first().getByText("1 tablet every morning").waitFor();
    assert.equal(await page.getByText("latex").count(), 0);
  });

  it("fits a telephone, in Spanish and in the dark", async () => {
    const seat = await openSeat(server.origin, { viewport: PHONE, locale: "es-US", colorScheme: "dark" });
    const { page } = seat;
    await page.goto(server.links.clinician);
    await page.getByRole("button", { name: /^(Saltar la prueba|Sí, ir a mi visita)$/ }).click();
    await page.getByRole("button", { name: "Importar un expediente" }).click();
    const spanish = page.getByRole("dialog");
    const faults = await look(page, "import-choose-es");
    await spanish.locator("input[type=file]").setInputFiles(file(await later()));
    await spanish.locator("[data-kind]").waitFor();
    faults.push(...(await look(page, "import-preview-es")));
    await seat.close();
    assertNone(faults);
  });
});
