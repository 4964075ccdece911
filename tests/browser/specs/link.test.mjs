// One recommendation by link: who answers says who they are, the answer says how it came, and whom the patient shuts out
// gets neither link nor paper.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { openSeat, PHONE } from "../lib/browser.mjs";
import { joinAsStaff, saved, tab } from "../lib/people.mjs";
import { assertNone, look, lookNarrow } from "../lib/screens.mjs";
import { startServer } from "../lib/server.mjs";

async function recommend(page, summary, to, kind) {
  await page.getByRole("button", { name: "Add a recommendation" }).click();
  await page.getByRole("textbox", { name: "In one line" }).fill(summary);
  await page.getByRole("button", { name: "Done" }).click();
  const card = page.getByLabel(summary, { exact: true }).first();
  await card.getByRole("button", { name: /The prescriber of this visit/ }).click();
  await card.getByRole("textbox", { name: "Name of the prescriber" }).fill(to);
  // Without the kind of prescriber it is not finished.
  await card.getByRole("button", { name: "Done" }).click();
  const asked = card.getByRole("combobox", { name: "What kind of prescriber" });
  await asked.waitFor();
  const faults = await look(page, `link-addressee-${kind}`);
  await asked.selectOption({ label: kind });
  await card.getByRole("button", { name: "Done" }).click();
  await card.getByRole("button", { name: "Send to the prescriber" }).click();
  await card.getByText("Sent, waiting for an answer").first().waitFor();
  return { card, faults };
}

async function linkOf(page, card) {
  await card.getByRole("button", { name: "Link for the prescriber" }).click();
  const dialog = page.getByRole("dialog");
  const address = await dialog.getByLabel("Link", { exact: true }).inputValue();
  await dialog.getByRole("button", { name: "Done" }).click();
  return address;
}

describe("a recommendation by link", { concurrency: false }, () => {
  let server;
  let pharmacist;
  let card;
  let address;

  before(async () => {
    server = await startServer();
    pharmacist = await openSeat(server.origin);
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await tab(pharmacist.page, "Plan");
  });

  after(async () => {
    await pharmacist?.close();
    await server?.close();
  });

  it("asks what kind of prescriber somebody is who has no account", async () => {
    const { page } = pharmacist;
    const made = await recommend(page, "Stop the second statin.", "Dr. Amy Chen", "Primary care");
    card = made.card;
    assertNone(made.faults);
    await saved(pharmacist);
    address = await linkOf(page, card);
  });

  it("is not for the browser of who made it", async () => {
    const page = await pharmacist.context.newPage();
    await page.goto(address);
    await page.getByRole("heading", { name: "This link is for somebody else" }).waitFor();
    assert.equal(await page.getByText("second statin").count(), 0);
    assertNone(await look(page, "link-not-yours"));
    await page.close();
    // What the server refuses stands in the console of a browser; here it is meant.
    pharmacist.faults.splice(0);
  });

  it("asks who answers before it takes an answer, in both languages", async () => {
    for (const [locale, colorScheme] of [["en-US", "light"], ["es-US", "dark"]]) {
      const prescriber = await openSeat(server.origin, { viewport: PHONE, locale, colorScheme });
      const { page } = prescriber;
      await page.goto(address);
      await page.getByRole("heading", { name: "Stop the second statin." }).waitFor();
      const words = locale === "en-US" ? { accept: /^Accept/, needed: /Say who answers first/ } : { accept: /^Acept/, needed: /Diga primero quién responde/ };
      await page.getByRole("button", { name: words.accept }).click();
      await page.getByText(words.needed).waitFor();
      await page.getByText(words.needed).scrollIntoViewIfNeeded();
      assertNone(await look(page, `link-who-${locale}-${colorScheme}`));
      assertNone(await lookNarrow(page, `link-who-${locale}-${colorScheme}`));
      await prescriber.close();
    }
  });

  it("takes the answer with a name and a credential, and shows how it came", async () => {
    const prescriber = await openSeat(server.origin, { viewport: PHONE });
    const { page } = prescriber;
    await page.goto(address);
    await page.getByLabel("Your name").fill("Amy Chen");
    await page.getByLabel("Your credential").fill("MD, NPI 1234567893");
    await page.getByRole("checkbox", { name: /^I am Dr. Amy Chen/ }).check();
    await page.getByRole("button", { name: /^Accept/ }).click();
    await page.getByText("This answer is stored. The pharmacist sees it.").waitFor();
    assertNone(await look(page, "link-answered"));
    await prescriber.close();

    const said = card.locator("[data-said=by_link]");
    await said.waitFor();
    assert.equal(await said.textContent(), "By a link Ana Reyes, PharmD made. Answered by somebody who says they are Amy Chen, MD, NPI 1234567893.");
    await said.scrollIntoViewIfNeeded();
    assertNone(await look(pharmacist.page, "link-decided"));
  });

  it("is neither made nor printed for whom the patient shuts out, and says why", async () => {
    const { page } = pharmacist;
    const made = await recommend(page, "Check the heart rate.", "Dr. Otto Weiss", "Specialist");
    await tab(page, "Collect");
    await page.getByRole("button", { name: /^Before we begin/ }).click();
    const list = page.getByRole("region", { name: "Who may see this plan" });
    await list.getByRole("combobox", { name: /specialist/i }).first().selectOption({ label: "May not see it" });
    await saved(pharmacist);
    await tab(page, "Plan");
    await made.card.getByRole("button", { name: "Link for the prescriber" }).click();
    await made.card.getByText(/No link was made: the patient does not want this prescriber/).waitFor();
    await made.card.getByText(/No link was made/).scrollIntoViewIfNeeded();
    assertNone(await look(page, "link-shut-out"));
    await page.getByRole("button", { name: "Page for a prescriber" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/Nothing is printed for Dr. Otto Weiss/).waitFor();
    assertNone(await look(page, "link-paper-shut-out"));
    assert.equal(await page.locator("[data-print=prescriber]").getByText("heart rate").count(), 0);
    pharmacist.faults.splice(0);
  });
});
