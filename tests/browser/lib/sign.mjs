// What a pharmacist does until nothing is missing before a signature.

import { saved, tab } from "./people.mjs";

/** Fills in whatever the demo plan lacks, from any tab; ends where it can be signed. The patient is in the visit. */
export async function completePlan(pharmacist) {
  const { page } = pharmacist;
  await tab(page, /Implement/);
  await page.getByText(/things are missing/).waitFor();
  await tab(page, /Collect/);
  await page.getByLabel("Verified", { exact: true }).first().waitFor();
  const untold = page.getByRole("button", { name: /^Add As taken/ });
  for (let left = await untold.count(); left > 0; left -= 1) {
    await untold.first().click();
    await page.getByRole("textbox", { name: "In words" }).fill("1 tablet in the morning");
    await page.getByRole("button", { name: "Done", exact: true }).click();
  }
  for (const select of await page.getByLabel("Verified", { exact: true }).all()) await select.selectOption({ label: "Patient confirmed" });
  for (const what of ["Allergies", "Immunizations"]) await page.getByRole("checkbox", { name: `${what} gone through with the patient` }).check();
  await tab(page, /Assess/);
  for (const select of await page.getByRole("combobox", { name: /: (Indicated|Effective|Safe|Adherent)$/ }).all()) await select.selectOption({ label: "Yes" });
  await tab(page, /Follow-up/);
  await page.getByRole("textbox", { name: "Why there is no touchpoint" }).fill("She calls when she needs us.");
  await page.getByRole("textbox", { name: "How often we talk" }).fill("Once a month");
  await page.getByRole("textbox", { name: "What happens next" }).fill("We talk again in April.");
  await page.getByRole("button", { name: /^Add How long we work together/ }).click();
  await page.getByRole("textbox", { name: "From" }).fill("2026-12");
  await page.getByRole("textbox", { name: "Planned until" }).fill("2027-06");
  await page.getByRole("button", { name: "Done", exact: true }).click();
  await tab(page, /Implement/);
  await page.getByRole("button", { name: "Add a teach-back" }).click();
  await page.getByRole("textbox", { name: "What the patient said back" }).fill("One tablet when I get up.");
  await page.getByLabel("How it went").selectOption({ label: "Understood" });
  await page.getByRole("button", { name: "Done", exact: true }).click();
  await saved(pharmacist);
  await page.getByText("Nothing is missing.").waitFor();
}
