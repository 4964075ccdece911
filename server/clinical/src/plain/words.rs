//! The page's own words. One idea a sentence, at most 12 words, "you"; *usted* in Spanish.

use super::{PlainBadge, PlainSlot};
use crate::actor::{Millis, Role};
use crate::cdtm::day::Day;
use crate::format::Language;
use crate::touchpoint::TouchpointFormat;
use crate::value::PartialDate;

/// The words of one language.
pub(super) struct Words {
    pub title: &'static str,
    pub date: &'static str,
    pub talked_with: &'static str,
    pub call_number: &'static str,
    pub tasks: &'static str,
    pub talked_about: &'static str,
    pub should_do: &'static str,
    pub when: &'static str,
    pub medicines: &'static str,
    pub how: &'static str,
    pub why: &'static str,
    pub prescriber: &'static str,
    pub allergies: &'static str,
    pub no_allergies: &'static [&'static str],
    pub shots: &'static str,
    pub goals: &'static str,
    pub by: &'static str,
    pub visits: &'static str,
    pub with: &'static str,
    pub did_not_meet: &'static str,
    pub find_a_time: &'static [&'static str],
    pub questions: &'static str,
    pub follow_up: &'static str,
    pub call: &'static str,
    pub emergency: &'static str,
    pub emergency_text: &'static [&'static str],
    pub disposal: &'static str,
    pub disposal_text: &'static [&'static str],
    pub newer: &'static [&'static str],
    pub not_decided_name: &'static str,
    pub not_decided: &'static [&'static str],
    pub no_sig: &'static [&'static str],
    pub on_hold: &'static [&'static str],
    pub stopped: &'static [&'static str],
    pub left: &'static [&'static str],
    pub stopped_on: &'static str,
    pub because: &'static str,
}

static EN: Words = Words {
    title: "My medicine plan",
    date: "Date",
    talked_with: "You talked with",
    call_number: "If you have questions, call",
    tasks: "My to-do list",
    talked_about: "What we talked about",
    should_do: "What I should do",
    when: "When",
    medicines: "My medicines",
    how: "How I take it",
    why: "Why I use it",
    prescriber: "Who prescribes it",
    allergies: "Allergies and bad reactions",
    no_allergies: &["No allergy is on this list.", "Tell us if you have one."],
    shots: "My shots",
    goals: "My goals",
    by: "By",
    visits: "Next visits",
    with: "With",
    did_not_meet: "We did not meet on",
    find_a_time: &["Call us to find a new time."],
    questions: "Questions I want to ask",
    follow_up: "What comes next",
    call: "When to call",
    emergency: "When to call 911",
    emergency_text: &["If you think you are in danger, call 911 now."],
    disposal: "Old medicine",
    disposal_text: &["Ask your drug store how to throw out old medicine."],
    newer: &["There is a newer plan.", "This page shows it.", "Throw out older copies."],
    not_decided_name: "Not decided yet",
    not_decided: &["Not decided yet.", "Ask your team before your next dose."],
    no_sig: &["How to take it is not written down yet.", "Ask your team."],
    on_hold: &["Do not take this for now.", "Your team will tell you when to start again."],
    stopped: &["Do not take this any more."],
    left: &["This is not on your list any more.", "Ask your team if you still have it."],
    stopped_on: "Stopped",
    because: "Why",
};

static ES: Words = Words {
    title: "Mi plan de medicinas",
    date: "Fecha",
    talked_with: "Usted habló con",
    call_number: "Si tiene preguntas, llame al",
    tasks: "Mi lista de cosas por hacer",
    talked_about: "De qué hablamos",
    should_do: "Qué debo hacer",
    when: "Cuándo",
    medicines: "Mis medicinas",
    how: "Cómo la tomo",
    why: "Para qué la uso",
    prescriber: "Quién la receta",
    allergies: "Alergias y malas reacciones",
    no_allergies: &["No hay alergias en esta lista.", "Díganos si tiene una."],
    shots: "Mis vacunas",
    goals: "Mis metas",
    by: "Para el",
    visits: "Próximas visitas",
    with: "Con",
    did_not_meet: "No nos vimos el",
    find_a_time: &["Llámenos para buscar otra fecha."],
    questions: "Preguntas que quiero hacer",
    follow_up: "Lo que sigue",
    call: "Cuándo llamar",
    emergency: "Cuándo llamar al 911",
    emergency_text: &["Si cree que está en peligro, llame ya al 911."],
    disposal: "Medicina vieja",
    disposal_text: &["Pida en su farmacia que le digan cómo tirar la medicina vieja."],
    newer: &["Hay un plan más nuevo.", "Esta página lo muestra.", "Tire las copias viejas."],
    not_decided_name: "Todavía sin decidir",
    not_decided: &["Todavía sin decidir.", "Pregunte a su equipo antes de la próxima dosis."],
    no_sig: &["Todavía no dice cómo se toma.", "Pregunte a su equipo."],
    on_hold: &["No la tome por ahora.", "Su equipo le dirá cuándo volver a tomarla."],
    stopped: &["Ya no la tome."],
    left: &["Ya no está en su lista.", "Pregunte a su equipo si todavía la tiene."],
    stopped_on: "Fecha en que se dejó",
    because: "Por qué",
};

impl Words {
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Es => &ES,
        }
    }
}

pub(super) const fn slot(slot: PlainSlot, language: Language) -> &'static str {
    match (slot, language) {
        (PlainSlot::Morning, Language::En) => "Morning",
        (PlainSlot::Noon, Language::En) => "Noon",
        (PlainSlot::Evening, Language::En) => "Evening",
        (PlainSlot::Bedtime, Language::En) => "Bedtime",
        (PlainSlot::OtherTimes, Language::En) => "Other times",
        (PlainSlot::AsNeeded, Language::En) => "Only if I need it",
        (PlainSlot::Ask, Language::En) => "Ask about these",
        (PlainSlot::OnHold, Language::En) => "Not for now",
        (PlainSlot::Stopped, Language::En) => "Stopped",
        (PlainSlot::Morning, Language::Es) => "Mañana",
        (PlainSlot::Noon, Language::Es) => "Mediodía",
        (PlainSlot::Evening, Language::Es) => "Noche",
        (PlainSlot::Bedtime, Language::Es) => "Al acostarse",
        (PlainSlot::OtherTimes, Language::Es) => "Otras horas",
        (PlainSlot::AsNeeded, Language::Es) => "Solo si la necesito",
        (PlainSlot::Ask, Language::Es) => "Pregunte por estas",
        (PlainSlot::OnHold, Language::Es) => "Por ahora no",
        (PlainSlot::Stopped, Language::Es) => "Ya no se toman",
    }
}

pub(super) const fn badge(badge: PlainBadge, language: Language) -> &'static str {
    match (badge, language) {
        (PlainBadge::New, Language::En) => "New",
        (PlainBadge::Changed, Language::En) => "Changed",
        (PlainBadge::Stopped, Language::En) => "Stopped",
        (PlainBadge::New, Language::Es) => "Nueva",
        (PlainBadge::Changed, Language::Es) => "Cambió",
        (PlainBadge::Stopped, Language::Es) => "Suspendida",
    }
}

pub(super) const fn format(format: TouchpointFormat, language: Language) -> &'static str {
    match (format, language) {
        (TouchpointFormat::Video, Language::En) => "By video.",
        (TouchpointFormat::Phone, Language::En) => "By phone.",
        (TouchpointFormat::InPerson, Language::En) => "At the clinic.",
        (TouchpointFormat::Message, Language::En) => "By message.",
        (TouchpointFormat::Video, Language::Es) => "Por video.",
        (TouchpointFormat::Phone, Language::Es) => "Por teléfono.",
        (TouchpointFormat::InPerson, Language::Es) => "En la clínica.",
        (TouchpointFormat::Message, Language::Es) => "Por mensaje.",
    }
}

/// The day of the week.
pub(super) fn weekday(day: &PartialDate, language: Language) -> Option<&'static str> {
    // 1970-01-01 was a Thursday.
    let days = Day::of(Millis(0)).until(Day::parse(day.as_str())?);
    let (en, es) = match days.rem_euclid(7) {
        0 => ("Thursday", "Jueves"),
        1 => ("Friday", "Viernes"),
        2 => ("Saturday", "Sábado"),
        3 => ("Sunday", "Domingo"),
        4 => ("Monday", "Lunes"),
        5 => ("Tuesday", "Martes"),
        _ => ("Wednesday", "Miércoles"),
    };
    Some(language.pick(en, es))
}

/// A time zone as people of the United States call it; any other by its city.
pub(super) fn zone(zone: &str, language: Language) -> String {
    let (en, es) = match zone {
        "America/New_York" => ("Eastern time", "hora del este"),
        "America/Chicago" => ("Central time", "hora del centro"),
        "America/Denver" => ("Mountain time", "hora de la montaña"),
        "America/Phoenix" => ("Arizona time", "hora de Arizona"),
        "America/Los_Angeles" => ("Pacific time", "hora del Pacífico"),
        "America/Anchorage" => ("Alaska time", "hora de Alaska"),
        "Pacific/Honolulu" => ("Hawaii time", "hora de Hawái"),
        "America/Puerto_Rico" => ("Puerto Rico time", "hora de Puerto Rico"),
        _ => {
            let city = zone.rsplit('/').next().unwrap_or(zone).replace('_', " ");
            return match language {
                Language::En => format!("{city} time"),
                Language::Es => format!("hora de {city}"),
            };
        }
    };
    language.pick(en, es).to_owned()
}

/// Who takes part, as the patient knows them; the patient itself is not told.
pub(super) const fn role(role: Role, language: Language) -> Option<&'static str> {
    Some(match (role, language) {
        (Role::Patient | Role::Facilitator | Role::Learner | Role::Observer, _) => return None,
        (Role::Caregiver, Language::En) => "the person who helps you",
        (Role::Interpreter, Language::En) => "an interpreter",
        (Role::Pharmacist, Language::En) => "your pharmacist",
        (Role::Pcp, Language::En) => "your main doctor",
        (Role::Nurse, Language::En) => "your nurse",
        (Role::Chw, Language::En) => "your health worker",
        (Role::Specialist, Language::En) => "your specialist",
        (Role::Caregiver, Language::Es) => "la persona que le ayuda",
        (Role::Interpreter, Language::Es) => "un intérprete",
        (Role::Pharmacist, Language::Es) => "su farmacéutico",
        (Role::Pcp, Language::Es) => "su médico principal",
        (Role::Nurse, Language::Es) => "su enfermera",
        (Role::Chw, Language::Es) => "su promotor de salud",
        (Role::Specialist, Language::Es) => "su especialista",
    })
}

/// The words of the cover letter of one language.
pub(super) struct LetterWords {
    pub prepared_for: &'static str,
    pub born: &'static str,
    pub dear: &'static str,
    pub talked_on: &'static str,
    pub talked_with: &'static str,
    pub enclosed: &'static [&'static str],
    pub keep: &'static [&'static str],
    pub contact: &'static str,
    pub closing: &'static str,
    pub tasks: &'static str,
    pub medicines: &'static str,
    pub medicine: &'static str,
    pub other: &'static str,
}

static LETTER_EN: LetterWords = LetterWords {
    prepared_for: "Prepared for",
    born: "Date of birth",
    dear: "Dear",
    talked_on: "We talked about your health and medicines on",
    talked_with: "You talked with",
    enclosed: &[
        "With this letter you get two lists.",
        "Your to-do list says what you can do to get the best from your medicines.",
        "Your medicine list says what you take, how, and why.",
    ],
    keep: &[
        "Keep both lists with you.",
        "Ask your doctors, pharmacists and others to bring them up to date at each visit.",
        "Take them with you when you go to the hospital or emergency room.",
        "Give a copy to your family or those who care for you.",
    ],
    contact: "If you have questions about this letter or the lists, call",
    closing: "Thank you for talking with us.",
    tasks: "Recommended to-do list",
    medicines: "Medicine list",
    medicine: "Medicine",
    other: "Other things to know",
};

static LETTER_ES: LetterWords = LetterWords {
    prepared_for: "Preparado para",
    born: "Fecha de nacimiento",
    dear: "Estimado(a)",
    talked_on: "Hablamos de su salud y sus medicinas el",
    talked_with: "Usted habló con",
    enclosed: &[
        "Con esta carta recibe dos listas.",
        "La lista de cosas por hacer dice cómo aprovechar mejor sus medicinas.",
        "La lista de medicinas dice qué toma, cómo y para qué.",
    ],
    keep: &[
        "Lleve las dos listas con usted.",
        "Pida a sus médicos y farmacéuticos que las pongan al día en cada visita.",
        "Llévelas cuando vaya al hospital o a urgencias.",
        "Dé una copia a su familia o a quienes le cuidan.",
    ],
    contact: "Si tiene preguntas sobre esta carta o las listas, llame al",
    closing: "Gracias por hablar con nosotros.",
    tasks: "Lista de cosas por hacer",
    medicines: "Lista de medicinas",
    medicine: "Medicina",
    other: "Otras cosas que saber",
};

impl LetterWords {
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &LETTER_EN,
            Language::Es => &LETTER_ES,
        }
    }
}
