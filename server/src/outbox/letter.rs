//! What a mail says, every word of it. Mails are read over shoulders, on shared computers and by the companies that keep
//! them: none names a patient, a medicine, a problem or a specialty, and none but the link itself leads anywhere.
//!
//! Plain text, and no HTML: a telephone shows it in the size its owner has chosen, it costs a weak line nothing, and the
//! address that is read is the address that is opened.

use clinical::actor::Millis;
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

/// Subject and text.
pub(super) fn write(letter: &Letter, practice: &Practice, language: Language) -> (String, String) {
    let name = one_line(&practice.name);
    let phone = one_line(&practice.phone);
    let (subject, mut parts) = match language {
        Language::En => english(letter, &name),
        Language::Es => spanish(letter, &name),
    };
    parts.push(match language {
        Language::En => format!(
            "Questions? Call {name}: {phone}\nPlease do not answer this mail: nobody reads the answers."
        ),
        Language::Es => format!(
            "¿Preguntas? Llame a {name}: {phone}\nPor favor no conteste a este correo: nadie lee las respuestas."
        ),
    });
    (one_line(&subject), parts.join("\n\n") + "\n")
}

fn english(letter: &Letter, name: &str) -> (String, Vec<String>) {
    let when = |hour: &Hour| {
        format!("When: {}\nHow: {}", moment(hour, Language::En), how(hour.format, Language::En))
    };
    match letter {
        Letter::Invited { hour, link, calendar: _ } => {
            let first = format!("You have a visit with {name}.");
            let subject = format!("Your visit with {name}: {}", short(hour, Language::En));
            (subject, joined([first, when(hour)], come(hour, link, Language::En)))
        }
        Letter::Moved { hour, link, calendar: _ } => {
            let first = format!(
                "Your visit with {name} has a new time. An earlier link does not work any more."
            );
            let subject =
                format!("New time of your visit with {name}: {}", short(hour, Language::En));
            (subject, joined([first, when(hour)], come(hour, link, Language::En)))
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
            (subject, joined([first, when(hour)], come(hour, link, Language::En)))
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
                    "A plan from {name} is signed and waits for you. Please read it, and say there that you have read it:"
                ),
                link.expose().clone(),
                format!(
                    "This link is only for you: please do not pass it on. It works until {day}."
                ),
            ];
            (format!("A plan from {name} waits for you"), parts)
        }
    }
}

fn spanish(letter: &Letter, name: &str) -> (String, Vec<String>) {
    let when = |hour: &Hour| {
        format!("Cuándo: {}\nCómo: {}", moment(hour, Language::Es), how(hour.format, Language::Es))
    };
    match letter {
        Letter::Invited { hour, link, calendar: _ } => {
            let first = format!("Usted tiene una visita con {name}.");
            let subject = format!("Su visita con {name}: {}", short(hour, Language::Es));
            (subject, joined([first, when(hour)], come(hour, link, Language::Es)))
        }
        Letter::Moved { hour, link, calendar: _ } => {
            let first = format!(
                "Su visita con {name} tiene una hora nueva. El enlace de antes ya no sirve."
            );
            let subject =
                format!("Hora nueva de su visita con {name}: {}", short(hour, Language::Es));
            (subject, joined([first, when(hour)], come(hour, link, Language::Es)))
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
            (subject, joined([first, when(hour)], come(hour, link, Language::Es)))
        }
        Letter::PlanReady { link, until, zone } => {
            let day = day(*until, zone, Language::Es);
            let parts = vec![
                format!("Su plan de {name} está listo. Puede leerlo e imprimirlo aquí:"),
                link.expose().clone(),
                format!(
                    "Primero preguntamos la fecha de nacimiento. Este enlace es solo para usted: por favor no lo comparta. Sirve hasta el {day}."
                ),
            ];
            (format!("Su plan de {name} está listo"), parts)
        }
        Letter::PlanToRead { link, until, zone } => {
            let day = day(*until, zone, Language::Es);
            let parts = vec![
                format!(
                    "Un plan de {name} está firmado y lo espera. Por favor léalo, y diga ahí que lo leyó:"
                ),
                link.expose().clone(),
                format!(
                    "Este enlace es solo para usted: por favor no lo comparta. Sirve hasta el {day}."
                ),
            ];
            (format!("Un plan de {name} lo espera"), parts)
        }
    }
}

fn joined(first: [String; 2], then: Vec<String>) -> Vec<String> {
    first.into_iter().chain(then).collect()
}

/// What to do when the hour comes; a link only where it is needed.
fn come(hour: &Hour, link: &Phi<String>, language: Language) -> Vec<String> {
    match (hour.format, language) {
        (TouchpointFormat::Video | TouchpointFormat::Message, Language::En) => vec![
            "Open this link a few minutes before:".to_owned(),
            link.expose().clone(),
            "This link is only for you: please do not pass it on. You may open it more than once, and on any device.".to_owned(),
        ],
        (TouchpointFormat::Video | TouchpointFormat::Message, Language::Es) => vec![
            "Abra este enlace unos minutos antes:".to_owned(),
            link.expose().clone(),
            "Este enlace es solo para usted: por favor no lo comparta. Puede abrirlo más de una vez y en cualquier aparato.".to_owned(),
        ],
        (TouchpointFormat::Phone, Language::En) => vec!["We will call you by phone.".to_owned()],
        (TouchpointFormat::Phone, Language::Es) => vec!["Le llamaremos por teléfono.".to_owned()],
        (TouchpointFormat::InPerson, Language::En) => {
            vec!["Please come to the clinic.".to_owned()]
        }
        (TouchpointFormat::InPerson, Language::Es) => {
            vec!["Venga a la clínica, por favor.".to_owned()]
        }
    }
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

        let (subject, text) = write(&letter, &practice, Language::En);
        assert_eq!(subject, "Your visit with Harbor Street Family Practice: March 10, 10:00 AM");
        assert!(
            text.contains("When: Tuesday, March 10, 2026, 10:00 AM (EDT), 30 minutes"),
            "{text}"
        );
        // On a line of its own, so that every mail program makes a link of it.
        assert!(text.contains("\n\nhttps://visits.example.org/j#TOKEN\n\n"), "{text}");
        assert!(text.contains("555-0142"), "{text}");

        let (subject, text) = write(&letter, &practice, Language::Es);
        assert_eq!(
            subject,
            "Su visita con Harbor Street Family Practice: 10 de marzo, 10:00 a. m."
        );
        assert!(text.contains("Cuándo: martes 10 de marzo de 2026, 10:00 a. m. (EDT), 30 minutos"));
    }

    #[test]
    fn a_visit_by_phone_or_at_the_clinic_has_no_link_to_open() {
        for format in [TouchpointFormat::Phone, TouchpointFormat::InPerson] {
            for language in [Language::En, Language::Es] {
                let letter = Letter::Reminder { hour: hour(format), link: link() };
                let (_, text) = write(&letter, &Practice::default(), language);
                assert!(!text.contains("TOKEN"), "{text}");
            }
        }
    }

    #[test]
    fn a_subject_is_one_line_whatever_the_practice_is_called() {
        let name = "Evil\r\nBcc: all@example.org".to_owned();
        let practice = Practice { name, ..Practice::default() };
        let until = Millis(1_773_151_200_000);
        let letter = Letter::PlanReady { link: link(), until, zone: "UTC".to_owned() };

        let (subject, _) = write(&letter, &practice, Language::En);

        assert_eq!(subject, "Your plan from Evil  Bcc: all@example.org is ready");
    }
}
