// A pharmacist sets up a passkey by the operator's link, and signs with it: a real browser with a virtual authenticator.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { openSeat, until } from "../lib/browser.mjs";
import { meet, openConsult } from "../lib/consult.mjs";
import { share } from "../lib/people.mjs";
import { assertNone, look, lookNarrow } from "../lib/screens.mjs";
import { command } from "../lib/server.mjs";
import { completePlan } from "../lib/sign.mjs";

/** The finger on a laptop's reader. `fails`: it is somebody else's. */
async function device({ context, page }) {
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
  return {
    recognises: (isUserVerified) => cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    credentials: async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
  };
}

describe("a passkey", { concurrency: false }, () => {
  let consult;
  let server;
  let pharmacist;
  let finger;
  let link;

  before(async () => {
    consult = await openConsult();
    ({ server, pharmacist } = consult);
    finger = await device(pharmacist);
    const person = (await command(server, "staff")).match(/^(\S+)\s.*Ana Reyes/m)?.[1];
    const told = await command(server, "passkey", "add", person);
    link = told.match(/https?:\S+\/k#\S+/)?.[0];
    assert.ok(link?.startsWith(server.origin), told);
  });

  after(async () => {
    // Refusals are part of what this is about: the browser reports each as a failed resource.
    if (pharmacist !== undefined) pharmacist.faults.splice(0, pharmacist.faults.length, ...pharmacist.faults.filter((fault) => !/status of 4\d\d/.test(fault)));
    await consult?.close();
  });

  it("is not offered at an address where it could not work, and says where it does", async () => {
    const numbers = server.origin.replace("localhost", "127.0.0.1");
    const seat = await openSeat(numbers);
    await seat.page.goto(link.replace("localhost", "127.0.0.1"));
    await seat.page.getByRole("alert").getByText(`Passkeys work only at ${server.origin}. Open your link there.`).waitFor();
    assert.equal(await seat.page.getByRole("button", { name: "Set up a passkey" }).count(), 0);
    await seat.close();
  });

  it("is set up by its link, on a page that says what it does", async () => {
    const { page } = pharmacist;
    await page.goto(link);
    await page.getByRole("heading", { name: "A passkey for Ana Reyes, PharmD" }).waitFor();
    assert.equal(new URL(page.url()).hash, "", "the link's secret does not stay in the address");
    const faults = [...(await look(page, "passkey")), ...(await lookNarrow(page, "passkey"))];
    await page.emulateMedia({ colorScheme: "dark" });
    faults.push(...(await look(page, "passkey-dark")));
    await page.getByLabel("Language").selectOption("es");
    await page.getByRole("heading", { name: "Una llave de acceso para Ana Reyes, PharmD" }).waitFor();
    faults.push(...(await look(page, "passkey-es-dark")), ...(await lookNarrow(page, "passkey-es-dark")));
    await page.getByLabel("Idioma").selectOption("en");
    await page.emulateMedia({ colorScheme: "light" });
    // A finger the device does not know makes none.
    await finger.recognises(false);
    await page.getByRole("textbox", { name: "What to call it" }).fill("Work laptop");
    await page.getByRole("button", { name: "Set up a passkey" }).click();
    await page.getByRole("alert").getByText("It was not confirmed.").waitFor();
    faults.push(...(await look(page, "passkey-not-confirmed")));
    assert.deepEqual(await finger.credentials(), []);
    await finger.recognises(true);
    await page.getByRole("button", { name: "Set up a passkey" }).click();
    await page.getByRole("heading", { name: "Your passkey is set up" }).waitFor();
    assertNone([...faults, ...(await look(page, "passkey-done"))]);
    assert.equal((await finger.credentials()).length, 1);
    assert.match(await command(server, "passkey", "list"), /Ana Reyes, PharmD .* never used {2}Work laptop/);
    // Once.
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByRole("heading", { name: "This link does not work any more" }).waitFor();
  });

  it("lets nobody else's finger sign, and its owner's", async () => {
    await meet(consult);
    const { page } = pharmacist;
    await share(page);
    await completePlan(pharmacist);
    await page.getByText("You confirm your signature with your passkey").waitFor();
    const faults = await look(page, "passkey-sign-off");
    await finger.recognises(false);
    await page.getByRole("button", { name: "Sign the plan" }).click();
    const dialog = page.getByRole("dialog");
    faults.push(...(await look(page, "passkey-sign-ask")));
    await dialog.getByRole("button", { name: "Sign the plan" }).click();
    await dialog.getByRole("alert").getByText("It was not confirmed.").waitFor();
    faults.push(...(await look(page, "passkey-sign-refused")), ...(await lookNarrow(page, "passkey-sign-refused")));
    assert.equal(await page.getByText("The plan is signed and closed to changes.").count(), 0);
    await finger.recognises(true);
    await dialog.getByRole("button", { name: "Sign the plan" }).click();
    await page.getByText("The plan is signed and closed to changes.").waitFor();
    await page.getByText(/^Confirmed with passkey [0-9a-f]{16}, /).waitFor();
    assertNone([...faults, ...(await look(page, "passkey-signed"))]);
    assert.match(await command(server, "verify"), /1 signed versions[^]*Everything is as it was stored/);
    assert.match(await command(server, "passkey", "list"), / used \d{4}-/);
  });

  it("is asked for again with every signature, until the operator takes it away", async () => {
    const { page } = pharmacist;
    const revise = async (reason) => {
      await page.getByRole("button", { name: "Open a revision" }).click();
      await page.getByRole("dialog").getByRole("textbox", { name: "Why" }).fill(reason);
      await page.getByRole("dialog").getByRole("button", { name: "Done" }).click();
      await page.getByText("Nothing is missing.").waitFor();
    };
    await revise("New laboratory value.");
    await page.getByRole("button", { name: "Sign the plan" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign the plan" }).click();
    await page.getByText(/^Version 2, signed by/).first().waitFor();
    await until("both versions say so", async () => (await page.getByText(/^Confirmed with passkey/).count()) === 2);
    const id = (await command(server, "passkey", "list")).split(" ")[0];
    await command(server, "passkey", "remove", id);
    await revise("The device was lost.");
    await until("the panel says so", async () => (await page.getByText("You have no passkey, so your visit link alone is enough").count()) > 0);
    await page.getByRole("button", { name: "Sign the plan" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign the plan" }).click();
    // Once over the panel, once in the list below it.
    await until("the third version is listed", async () => (await page.getByText(/^Version 3, signed by/).count()) === 2);
    assert.equal(await page.getByText(/^Confirmed with passkey/).count(), 2, "the third names none");
  });
});
