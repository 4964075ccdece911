//! What a mail says, every word of it. Mails are read over shoulders, on shared computers and by the companies that keep
//! them: none names a patient, a medicine, a problem or a specialty, and none but the link itself leads anywhere.
//!
//! Plain text, and no HTML: a telephone shows it in the size its owner has chosen, it costs a weak line nothing, and the
//! address that is read is the address that is opened.

use clinical::actor::{Millis, Role};
use clinical::format::Language;
use clinical::phi::Phi;
use clinical::touchpoint::TouchpointFormat;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::Calendar;
use crate::config::Practice;

/// When a visit is, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hour {
    /// When it begins.
    pub(crate) starts: Millis,
    /// Length in minutes.
    pub(crate) minutes: u16,
    /// The zone in which the hour was agreed.
    pub(crate) zone: String,
    /// By which way.
    pub(crate) format: TouchpointFormat,
}

/// A mail before it is put into words. A link is a secret.
#[derive(Clone, Debug)]
pub(crate) enum Letter {
    /// Somebody comes to a visit.
    Invited { hour: Hour, link: Phi<String>, calendar: Calendar },
    /// It has another hour.
    Moved { hour: Hour, link: Phi<String>, calendar: Calendar },
    /// It does not take place.
    Cancelled { hour: Hour, calendar: Calendar },
    /// It comes near.
    Reminder { hour: Hour, link: Phi<String> },
    /// The patient's page can be read.
    PlanReady { link: Phi<String>, until: Millis, zone: String },
    /// The plan waits to be read by the primary care provider.
    PlanToRead { link: Phi<String>, until: Millis, zone: String },
}

impl Letter {
    /// What goes with it for a calendar.
    pub(super) fn calendar(self) -> Option<Calendar> {
        match self {
            Self::Invited { hour: _, link: _, calendar }
            | Self::Moved { hour: _, link: _, calendar }
            | Self::Cancelled { hour: _, calendar } => Some(calendar),
            Self::Reminder { .. } | Self::PlanReady { .. } | Self::PlanToRead { .. } => None,
        }
    }
}

/// Subject and text, to somebody with this role.
pub(super) fn write(
    letter: &Letter,
    role: Role,
    practice: &Practice,
    language: Language,
) -> (String, String) {
    let name = one_line(&practice.name);
    let phone = one_line(&practice.phone);
    let (subject, mut parts) = match language {
        Language::En => english(letter, role, &name),
        Language::Es => spanish(letter, role, &name),
    };
    parts.push(match language {
        Language::En => format!(
            "Questions? Call {name}: {phone}\nPlease do not answer this email: nobody reads the answers."
        ),
        Language::Es => format!(
            "¿Preguntas? Llame a {name}: {phone}\nPor favor no conteste a este correo electrónico: nadie lee las respuestas."
        ),
    });
    (one_line(&subject), parts.join("\n\n") + "\n")
}

fn english(letter: &Letter, role: Role, name: &str) -> (String, Vec<String>) {
    let when = |hour: &Hour| {
        format!("When: {}\nHow: {}", moment(hour, Language::En), how(hour.format, Language::En))
    };
    match letter {
        Letter::Invited { hour, link, calendar: _ } => {
            let first = format!("You have a visit with {name}.");
            let subject = format!("Your visit with {name}: {}", short(hour, Language::En));
            (subject, joined([first, when(hour)], come(hour, link, role, Language::En)))
        }
        Letter::Moved { hour, link, calendar: _ } => {
            let first = format!(
                "Your visit with {name} has a new time. If you had a link before, it does not work any more."
            );
            let subject =
                format!("New time of your visit with {name}: {}", short(hour, Language::En));
            (subject, joined([first, when(hour)], come(hour, link, role, Language::En)))
        }
        Letter::Cancelled { hour, calendar: _ } => {
            let first =
                format!("Your visit with {name} is cancelled. You do not have to do anything.");
            let was = format!("It was to be: {}", moment(hour, Language::En));
            (format!("Cancelled: your visit with {name}"), vec![first, was])
        }
        Letter::Reminder { hour, link } => {
            let first = format!("A reminder: you have a visit with {name}.");
            let subject =
                format!("Reminder, your visit with {name}: {}", short(hour, Language::En));
            (subject, joined([first, when(hour)], come(hour, link, role, Language::En)))
        }
        Letter::PlanReady { link, until, zone } => {
            let day = day(*until, zone, Language::En);
            let parts = vec![
                format!("Your plan from {name} is ready. You can read it and print it here:"),
                link.expose().clone(),
                format!(
                    "We ask for the date of birth first. This link is only for you: please do not pass it on. It works until {day}."
                ),
            ];
            (format!("Your plan from {name} is ready"), parts)
        }
        Letter::PlanToRead { link, until, zone } => {
            let day = day(*until, zone, Language::En);
            let parts = vec![
                format!(
                    "A plan from {name} is signed and ready for you to read. Please say there that you have read it:"
                ),
                link.expose().clone(),
                format!(
                    "This link is only for you: please do not pass it on. It works until {day}."
                ),
            ];
            (format!("A plan from {name} is ready to read"), parts)
        }
    }
}

fn spanish(letter: &Letter, role: Role, name: &str) -> (String, Vec<String>) {
    let when = |hour: &Hour| {
        format!("Cuándo: {}\nCómo: {}", moment(hour, Language::Es), how(hour.format, Language::Es))
    };
    match letter {
        Letter::Invited { hour, link, calendar: _ } => {
            let first = format!("Usted tiene una visita con {name}.");
            let subject = format!("Su visita con {name}: {}", short(hour, Language::Es));
            (subject, joined([first, when(hour)], come(hour, link, role, Language::Es)))
        }
        Letter::Moved { hour, link, calendar: _ } => {
            let first = format!(
                "Su visita con {name} tiene una hora nueva. Si tenía un enlace de antes, ya no sirve."
            );
            let subject =
                format!("Hora nueva de su visita con {name}: {}", short(hour, Language::Es));
            (subject, joined([first, when(hour)], come(hour, link, role, Language::Es)))
        }
        Letter::Cancelled { hour, calendar: _ } => {
            let first = format!("Su visita con {name} está cancelada. No tiene que hacer nada.");
            let was = format!("Iba a ser: {}", moment(hour, Language::Es));
            (format!("Cancelada: su visita con {name}"), vec![first, was])
        }
        Letter::Reminder { hour, link } => {
            let first = format!("Un recordatorio: usted tiene una visita con {name}.");
            let subject =
                format!("Recordatorio, su visita con {name}: {}", short(hour, Language::Es));
            (subject, joined([first, when(hour)], come(hour, link, role, Language::Es)))
        }
        Letter::PlanReady { link, until, zone } => {
            let day = day(*until, zone, Language::Es);
            let parts = vec![
                format!("Su plan de {name} está listo. Puede leerlo e imprimirlo aquí:"),
                link.expose().clone(),
                format!(
                    "Primero le pediremos la fecha de nacimiento. Este enlace es solo para usted: por favor no lo comparta. Sirve hasta el {day}."
                ),
            ];
            (format!("Su plan de {name} está listo"), parts)
        }
        Letter::PlanToRead { link, until, zone } => {
            let day = day(*until, zone, Language::Es);
            let parts = vec![
                format!(
                    "Un plan de {name} está firmado y listo para que usted lo lea. Por favor diga ahí que lo leyó:"
                ),
                link.expose().clone(),
                format!(
                    "Este enlace es solo para usted: por favor no lo comparta. Sirve hasta el {day}."
                ),
            ];
            (format!("Un plan de {name} está listo para leer"), parts)
        }
    }
}

fn joined(first: [String; 2], then: Vec<String>) -> Vec<String> {
    first.into_iter().chain(then).collect()
}

/// What to do when the hour comes. On the telephone the link leads to the plan; to the clinic staff alone bring it along.
fn come(hour: &Hour, link: &Phi<String>, role: Role, language: Language) -> Vec<String> {
    let Some(first) = before_link(hour.format, role, language) else {
        return vec![match language {
            Language::En => "Please come to the clinic.".to_owned(),
            Language::Es => "Venga a la clínica, por favor.".to_owned(),
        }];
    };
    let only = match language {
        Language::En => {
            "This link is only for you: please do not pass it on. You may open it more than once, and on any device."
        }
        Language::Es => {
            "Este enlace es solo para usted: por favor no lo comparta. Puede abrirlo más de una vez y en cualquier dispositivo."
        }
    };
    vec![first.to_owned(), link.expose().clone(), only.to_owned()]
}

/// `None`: there is nothing to open.
const fn before_link(
    format: TouchpointFormat,
    role: Role,
    language: Language,
) -> Option<&'static str> {
    Some(match (format, role, language) {
        (TouchpointFormat::Video | TouchpointFormat::Message, _, Language::En) => {
            "Open this link a few minutes before:"
        }
        (TouchpointFormat::Video | TouchpointFormat::Message, _, Language::Es) => {
            "Abra este enlace unos minutos antes:"
        }
        (TouchpointFormat::Phone, Role::Patient, Language::En) => {
            "We will call you by phone. To see your plan while we talk, open this link:"
        }
        (TouchpointFormat::Phone, Role::Patient, Language::Es) => {
            "Le llamaremos por teléfono. Para ver su plan mientras hablamos, abra este enlace:"
        }
        (TouchpointFormat::Phone, _, Language::En) => {
            "The patient will be called by phone. To be in the visit, open this link a few minutes before:"
        }
        (TouchpointFormat::Phone, _, Language::Es) => {
            "Se llamará al paciente por teléfono. Para estar en la visita, abra este enlace unos minutos antes:"
        }
        (TouchpointFormat::InPerson, Role::Patient | Role::Caregiver, _) => return None,
        (TouchpointFormat::InPerson, _, Language::En) => {
            "The visit is at the clinic. Its record opens with this link:"
        }
        (TouchpointFormat::InPerson, _, Language::Es) => {
            "La visita es en la clínica. Su registro se abre con este enlace:"
        }
    })
}

const fn how(format: TouchpointFormat, language: Language) -> &'static str {
    match (format, language) {
        (TouchpointFormat::Video | TouchpointFormat::Message, Language::En) => {
            "by video, on a phone, tablet or computer"
        }
        (TouchpointFormat::Video | TouchpointFormat::Message, Language::Es) => {
            "por video, en un teléfono, una tableta o una computadora"
        }
        (TouchpointFormat::Phone, Language::En) => "by phone",
        (TouchpointFormat::Phone, Language::Es) => "por teléfono",
        (TouchpointFormat::InPerson, Language::En) => "at the clinic",
        (TouchpointFormat::InPerson, Language::Es) => "en la clínica",
    }
}

/// "Friday, July 10, 2027, 10:00 AM (EDT), 30 minutes".
fn moment(hour: &Hour, language: Language) -> String {
    let Some(at) = zoned(hour.starts, &hour.zone) else { return String::new() };
    let minutes = match language {
        Language::En => "minutes",
        Language::Es => "minutos",
    };
    let (date, clock) = (date(&at, language), clock(&at, language));
    format!("{date}, {clock} ({}), {} {minutes}", at.strftime("%Z"), hour.minutes)
}

/// "July 10, 10:00 AM".
fn short(hour: &Hour, language: Language) -> String {
    let Some(at) = zoned(hour.starts, &hour.zone) else { return String::new() };
    let clock = clock(&at, language);
    match language {
        Language::En => format!("{} {}, {clock}", at.strftime("%B"), at.day()),
        Language::Es => format!("{} de {}, {clock}", at.day(), month(&at)),
    }
}

fn day(at: Millis, zone: &str, language: Language) -> String {
    zoned(at, zone).map(|at| date(&at, language)).unwrap_or_default()
}

fn zoned(at: Millis, zone: &str) -> Option<Zoned> {
    let zone = TimeZone::get(zone).ok()?;
    Some(Timestamp::from_millisecond(at.0).ok()?.to_zoned(zone))
}

fn date(at: &Zoned, language: Language) -> String {
    match language {
        Language::En => format!("{} {}, {}", at.strftime("%A, %B"), at.day(), at.year()),
        Language::Es => {
            format!("{} {} de {} de {}", weekday(at), at.day(), month(at), at.year())
        }
    }
}

fn clock(at: &Zoned, language: Language) -> String {
    let half = match (at.hour() < 12, language) {
        (true, Language::En) => "AM",
        (false, Language::En) => "PM",
        (true, Language::Es) => "a. m.",
        (false, Language::Es) => "p. m.",
    };
    let hour = if at.hour() % 12 == 0 { 12 } else { at.hour() % 12 };
    format!("{hour}:{:02} {half}", at.minute())
}

const fn month_name(month: i8) -> &'static str {
    match month {
        1 => "enero",
        2 => "febrero",
        3 => "marzo",
        4 => "abril",
        5 => "mayo",
        6 => "junio",
        7 => "julio",
        8 => "agosto",
        9 => "septiembre",
        10 => "octubre",
        11 => "noviembre",
        _ => "diciembre",
    }
}

fn month(at: &Zoned) -> &'static str {
    month_name(at.month())
}

fn weekday(at: &Zoned) -> &'static str {
    use jiff::civil::Weekday;

    match at.weekday() {
        Weekday::Monday => "lunes",
        Weekday::Tuesday => "martes",
        Weekday::Wednesday => "miércoles",
        Weekday::Thursday => "jueves",
        Weekday::Friday => "viernes",
        Weekday::Saturday => "sábado",
        Weekday::Sunday => "domingo",
    }
}

/// A name of the operator's as part of a line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(format: TouchpointFormat) -> Hour {
        // 2026-03-10 10:00 in New York, two days after the clocks went forward there.
        let starts = Millis(1_773_151_200_000);
        Hour { starts, minutes: 30, zone: "America/New_York".to_owned(), format }
    }

    fn calendar() -> Calendar {
        Calendar { method: "REQUEST".to_owned(), file: "BEGIN:VCALENDAR".to_owned() }
    }

    fn link() -> Phi<String> {
        Phi::new("https://visits.example.org/j#TOKEN".to_owned())
    }

    #[test]
    fn an_invitation_says_when_how_and_where_to_in_both_languages() {
        let practice = Practice::default();
        let hour = hour(TouchpointFormat::Video);
        let letter = Letter::Invited { hour, link: link(), calendar: calendar() };

        let (subject, text) = write(&letter, Role::Patient, &practice, Language::En);
        assert_eq!(subject, "Your visit with Harbor Street Family Practice: March 10, 10:00 AM");
        assert!(
            text.contains("When: Tuesday, March 10, 2026, 10:00 AM (EDT), 30 minutes"),
            "{text}"
        );
        // On a line of its own, so that every mail program makes a link of it.
        assert!(text.contains("\n\nhttps://visits.example.org/j#TOKEN\n\n"), "{text}");
        assert!(text.contains("555-0142"), "{text}");

        let (subject, text) = write(&letter, Role::Patient, &practice, Language::Es);
        assert_eq!(
            subject,
            "Su visita con Harbor Street Family Practice: 10 de marzo, 10:00 a. m."
        );
        assert!(text.contains("Cuándo: martes 10 de marzo de 2026, 10:00 a. m. (EDT), 30 minutos"));
    }

    #[test]
    fn who_has_something_to_open_gets_a_link_whichever_way_the_visit_goes() {
        for language in [Language::En, Language::Es] {
            let text = |format, role| {
                let letter = Letter::Reminder { hour: hour(format), link: link() };
                write(&letter, role, &Practice::default(), language).1
            };
            for role in [Role::Patient, Role::Caregiver, Role::Pharmacist, Role::Pcp] {
                assert!(text(TouchpointFormat::Video, role).contains("TOKEN"));
                assert!(text(TouchpointFormat::Phone, role).contains("TOKEN"));
            }
            // Only the patient is called.
            let patient = text(TouchpointFormat::Phone, Role::Patient);
            let pharmacist = text(TouchpointFormat::Phone, Role::Pharmacist);
            assert!(patient.contains("We will call you") || patient.contains("Le llamaremos"));
            assert!(!pharmacist.contains("call you") && !pharmacist.contains("Le llamaremos"));

            assert!(!text(TouchpointFormat::InPerson, Role::Patient).contains("TOKEN"));
            assert!(text(TouchpointFormat::InPerson, Role::Pharmacist).contains("TOKEN"));
        }
    }

    #[test]
    fn a_subject_is_one_line_whatever_the_practice_is_called() {
        let name = "Evil\r\nBcc: all@example.org".to_owned();
        let practice = Practice { name, ..Practice::default() };
        let until = Millis(1_773_151_200_000);
        let letter = Letter::PlanReady { link: link(), until, zone: "UTC".to_owned() };

        let (subject, _) = write(&letter, Role::Patient, &practice, Language::En);

        assert_eq!(subject, "Your plan from Evil  Bcc: all@example.org is ready");
    }
}
