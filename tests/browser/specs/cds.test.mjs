// Decision support of another party: its words, under its name, asked again when the plan changes; and its silence said.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";

import { openSeat, until } from "../lib/browser.mjs";
import { joinAsStaff, saved } from "../lib/people.mjs";
import { assertNone, look } from "../lib/screens.mjs";
import { startServer } from "../lib/server.mjs";

describe("decision support", { concurrency: false }, () => {
  const asked = [];
  let silent = false;
  let service;
  let server;
  let pharmacist;

  before(async () => {
    service = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += chunk)).on("end", () => {
        if (request.method === "GET") {
          return response.end(JSON.stringify({ services: [{ hook: "patient-view", id: "interactions", title: "Interaction Service", prefetch: { meds: "MedicationStatement?patient={{context.patientId}}" } }] }));
        }
        const meds = JSON.parse(body).prefetch.meds.entry.map(({ resource }) => resource.medicationCodeableConcept?.text ?? "");
        asked.push(meds);
        if (silent) return response.writeHead(503).end();
        const simvastatin = meds.some((name) => /simvastatin/i.test(name));
        response.end(JSON.stringify({ cards: [
          { summary: "Lisinopril: check potassium", indicator: "info", source: { label: "Example Formulary" } },
          ...(simvastatin ? [{ summary: "Simvastatin with verapamil: limit the dose", detail: "Muscle damage.\nSee the label.", indicator: "critical", source: { label: "Example Formulary" }, links: [{ label: "Label", url: "https://example.org/label", type: "absolute" }] }] : []),
        ] }));
      });
    });
    await new Promise((ready) => service.listen(0, "127.0.0.1", ready));
    server = await startServer({ args: ["--cds-hooks", `http://127.0.0.1:${service.address().port}`] });
    pharmacist = await openSeat(server.origin);
    await joinAsStaff(pharmacist, server.links.pharmacist);
  });

  after(async () => {
    await pharmacist?.close();
    await server?.close();
    service?.close();
  });

  it("shows what the service says, and that it is not ours", async () => {
    const { page } = pharmacist;
    await page.getByRole("heading", { name: "What Interaction Service says" }).waitFor();
    await page.getByText("Lisinopril: check potassium").waitFor();
    await page.getByText("These are the words of a service that your practice chose.").first().waitFor();
  });

  it("lets a card be laid aside with a reason that stays", async () => {
    const { page } = pharmacist;
    await page.getByRole("button", { name: "Lay aside: Lisinopril: check potassium" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Why it needs nothing" }).fill("Checked on Monday: 4.2.");
    await dialog.getByRole("button", { name: "Done" }).click();
    await page.getByText("1 card laid aside").click();
    await page.getByText(/Laid aside by Ana Reyes.*: Checked on Monday: 4\.2\./).waitFor();
    await saved(pharmacist);
    assertNone(await look(page, "cds-laid-aside"));
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await page.getByText("1 card laid aside").waitFor();
    assert.equal(await page.getByRole("button", { name: "Lay aside: Lisinopril: check potassium" }).count(), 0);
  });

  it("asks again when a medicine comes, and puts the most urgent first", async () => {
    const { page } = pharmacist;
    await page.getByRole("button", { name: "Add a medicine" }).click();
    await page.getByRole("combobox", { name: "Medicine in one line" }).fill("simvastatin 20 mg tablet, 1 tablet by mouth at bedtime");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await saved(pharmacist);
    await page.getByText("Simvastatin with verapamil: limit the dose").waitFor();
    assert.ok(asked.at(-1).some((name) => /simvastatin/i.test(name)));
    const cards = page.getByRole("region", { name: "What Interaction Service says" });
    assert.match(await cards.getByRole("listitem").first().innerText(), /^Critical/);
    const link = cards.getByRole("link", { name: "Label" });
    assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
    await cards.scrollIntoViewIfNeeded();
    assertNone(await look(page, "cards"));
  });

  it("says that it does not answer, and does not show old words as if they were of now", async () => {
    const { page } = pharmacist;
    silent = true;
    await page.getByRole("button", { name: "Ask again" }).click();
    await page.getByText("It does not answer now. What it would say is not known.").waitFor();
    await until("the old words are gone", async () => (await page.getByText("Lisinopril: check potassium").count()) === 0);
  });
});
