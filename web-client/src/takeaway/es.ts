import type { Translation } from "../i18n";
import type { takeawayEn } from "./en";

export const takeawayEs: Translation<typeof takeawayEn> = {
  "takeaway.loading": "Buscando su plan.",
  "takeaway.print": "Imprimir mi plan",
  "takeaway.medicare": "Mostrar el formulario de Medicare",
  "takeaway.medicare.back": "Mostrar mi página",
  "takeaway.nothing": "En esta visita no se mostró un plan.",
  "takeaway.nothing.what": "Su clínica le dirá qué sigue. Llame si tiene preguntas.",
  "takeaway.away": "Ahora no se puede ver su plan.",
  "takeaway.away.what": "Está seguro en su clínica. Pruebe en un minuto.",
  "takeaway.again": "Probar de nuevo",
  "takeaway.done": "Hecho",
  "takeaway.keep": "Guarde o imprima esta hoja. Es solo para usted.",
  "takeaway.staff.saved": "El servidor tiene todo lo que escribió.",
  "takeaway.staff.unsent": (v, g) => g.plural(v.count, {
    one: "1 cambio está solo en este dispositivo.",
    other: `${g.number(v.count)} cambios están solo en este dispositivo.`,
  }),
  "takeaway.staff.unsent.what": "Vuelva a entrar para enviarlos. No cierre su cuenta antes.",
  "takeaway.staff.page": "Lo que el paciente se lleva",
};
