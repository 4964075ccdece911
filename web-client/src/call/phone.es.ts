import type { Translation } from "../i18n";
import type { phoneEn } from "./phone.en";

/** "la 1:05 p. m.", "las 2:05 p. m." */
const hour = (since: string) => `${since.startsWith("1:") ? "la" : "las"} ${since}`;

export const phoneEs: Translation<typeof phoneEn> = {
  "phone.control": "Por teléfono",
  "phone.offer": ({ name }) => `El sonido y la imagen de ${name} no llegan desde hace un minuto.`,
  "phone.offer.go": "Seguir por teléfono",
  "phone.title": "¿Seguir por teléfono?",
  "phone.what": "Usted llama al paciente. Todos siguen en la visita y el expediente queda abierto. El tiempo cuenta como llamada telefónica desde ahora hasta que usted diga que terminó.",
  "phone.number": "El número del paciente",
  "phone.number.attested": "anotado en esta visita",
  "phone.number.chart": "del expediente",
  "phone.number.loading": "Buscando el número.",
  "phone.number.none": "No se conoce ningún número. Puede anotarlo en la hoja de cobro, en Lado del paciente.",
  "phone.number.away": "El número no se puede mostrar ahora. Cierre esto y vuelva a intentarlo.",
  "phone.begin": "Seguimos por teléfono",
  "phone.not_now": "Ahora no",
  "phone.booked": "Esta visita es por teléfono.",
  "phone.booked.begin": "La llamada ha empezado",
  "phone.on": ({ since }) => `Por teléfono desde ${hour(since)}`,
  "phone.on.by": ({ name, since }) => `${name} habla por teléfono con el paciente desde ${hour(since)}`,
  "phone.call": ({ number }) => `Llamar al ${number}`,
  "phone.back": "Volver al video",
  "phone.back.ready": "La conexión del paciente ha vuelto.",
  "phone.back.not_yet": "Para volver al video, primero tiene que llegar aquí el sonido o la imagen del paciente.",
  "phone.over": "La llamada terminó",
  "phone.no_answer": "¿Nadie contesta? Diga que la llamada terminó y reste los minutos en la hoja de cobro.",
  "phone.chip": "al teléfono",

  "phone.patient.title": "Seguimos por teléfono",
  "phone.patient.now": ({ name }) => `${name} le está llamando ahora. Por favor, conteste el teléfono.`,
  "phone.patient.now.nobody": "Su farmacéutico le está llamando ahora. Por favor, conteste el teléfono.",
  "phone.patient.with": ({ name }) => `Su visita sigue por teléfono con ${name}.`,
  "phone.patient.with.nobody": "Su visita sigue por teléfono.",
  "phone.patient.number": ({ digits }) => `La llamada va al número que termina en ${digits}.`,
  "phone.patient.stay": "Esta página sigue abierta, sin sonido. Puede seguir escribiendo en ella.",
  "phone.patient.keep": "Puede dejar esta página abierta. No pierde su lugar.",
  "phone.visit.title": "Su visita es por teléfono",
  "phone.visit.when": ({ when }) => `Le llamaremos: ${when}.`,
  "phone.visit.soon": "Le llamaremos.",
  "phone.visit.what": "No necesita cámara. Tenga su teléfono cerca, por favor.",
  "phone.visit.wrong": "¿No es su número?",
  "phone.visit.page": "Puede dejar esta página abierta. Mientras hablan, su equipo puede mostrarle aquí su plan.",
  "phone.visit.caregiver": ({ when }) => `La clínica llamará al paciente: ${when}.`,
  "phone.others": "El farmacéutico y el paciente hablan ahora por teléfono. Aquí quizás oiga solo a uno de los dos.",

  "phone.say.patient": "Su farmacéutico le está llamando ahora por teléfono. Por favor, conteste.",
  "phone.say.on": "La visita sigue por teléfono.",
  "phone.say.off": "La llamada terminó.",
};
