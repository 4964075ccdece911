import type { Translation } from "../i18n";
import type { decisionEn } from "./en";

export const decisionEs: Translation<typeof decisionEn> = {
  "decision.loading": "Abriendo la recomendación",
  "decision.gone": "Este enlace ya no funciona",
  "decision.gone.what": "Está mal escrito, se retiró o tiene más de 14 días. Pida uno nuevo al farmacéutico que lo envió.",
  "decision.not_yours": "Este enlace es para otra persona",
  "decision.not_yours.what": "En este navegador inició sesión quien hizo el enlace, o alguien que no responde por quien receta. Envíe el enlace a quien receta, para que lo abra en el suyo.",
  "decision.who": "Quién responde",
  "decision.who.name": "Su nombre",
  "decision.who.credential": "Su título o número",
  "decision.who.credential.hint": "Por ejemplo: MD, NPI 1234567893",
  "decision.who.attest": (v) => `Soy ${v.prescriber}, o respondo por su orden. Mi nombre y mi título se guardan con esta respuesta.`,
  "decision.who.needed": "Diga primero quién responde: nombre, título y la casilla.",
  "decision.away": "El servidor no responde",
  "decision.again": "Intentar de nuevo",
  "decision.for": (v) => (v.born === "" ? `Para ${v.prescriber}, sobre ${v.patient}` : `Para ${v.prescriber}, sobre ${v.patient}, fecha de nacimiento ${v.born}`),
  "decision.stored": "Esta respuesta está guardada. El farmacéutico la ve.",
  "decision.unknown": "La conexión se cortó antes de que llegara la respuesta. Abra el enlace otra vez para ver si se guardó.",
  "decision.until": (v) => `Este enlace funciona hasta ${v.until}. Preguntas: ${v.phone}`,
};
