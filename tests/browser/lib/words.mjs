// The few words that a person needs to get from the link to the end, in each language.

export const WORDS = {
  en: {
    month: "Month", day: "Day", year: "Year", go: "Go on", skip: "Skip the check",
    seeMyself: "Yes, I see myself", micGo: "Go on", sound: "Do you hear the sound?", hear: "Yes, I hear it",
    next: /You are next|before you/, mute: "Mute", leave: "Leave", stay: "Stay", settings: "Settings", close: "Close",
    over: "The visit is over", remove: /^Remove/,
  },
  es: {
    month: "Mes", day: "Día", year: "Año", go: "Seguir", skip: "Saltar la prueba",
    seeMyself: "Sí, me veo", micGo: "Seguir", sound: "¿Oye el sonido?", hear: "Sí, lo oigo",
    next: /Usted sigue|antes/, mute: "Silenciar", leave: "Salir", stay: "Quedarme", settings: "Ajustes", close: "Cerrar",
    over: "La visita acabó", remove: /^Quitar/,
  },
};

/** Puts the date of birth into the door and goes on. */
export async function giveBirthDate(page, birthDate, words = WORDS.en) {
  const [year, month, day] = birthDate.split("-");
  await page.getByLabel(words.month, { exact: true }).selectOption(String(Number(month)));
  await page.getByLabel(words.day, { exact: true }).fill(String(Number(day)));
  await page.getByLabel(words.year, { exact: true }).fill(year);
  await page.getByRole("button", { name: words.go }).click();
}
