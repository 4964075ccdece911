//! Dates as exact as they are known.

use super::Language;
use crate::value::PartialDate;

/// "March 10, 2026", "10 de marzo de 2026", "March 2026", "2026".
pub fn date(date: &PartialDate, language: Language) -> String {
    let mut parts = date.as_str().split('-');
    let year = parts.next().unwrap_or_default();
    let Some(month) = parts.next().and_then(|month| month_name(month, language)) else {
        return year.to_owned();
    };
    let day = parts.next().map(|day| day.trim_start_matches('0'));
    match (language, day) {
        (Language::En, Some(day)) => format!("{month} {day}, {year}"),
        (Language::En, None) => format!("{month} {year}"),
        (Language::Es, Some(day)) => format!("{day} de {month} de {year}"),
        (Language::Es, None) => format!("{month} de {year}"),
    }
}

fn month_name(number: &str, language: Language) -> Option<&'static str> {
    let (en, es) = match number {
        "01" => ("January", "enero"),
        "02" => ("February", "febrero"),
        "03" => ("March", "marzo"),
        "04" => ("April", "abril"),
        "05" => ("May", "mayo"),
        "06" => ("June", "junio"),
        "07" => ("July", "julio"),
        "08" => ("August", "agosto"),
        "09" => ("September", "septiembre"),
        "10" => ("October", "octubre"),
        "11" => ("November", "noviembre"),
        "12" => ("December", "diciembre"),
        _ => return None,
    };
    Some(language.pick(en, es))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_exact_as_it_is_known() {
        for (text, en, es) in [
            ("2026-03-10", "March 10, 2026", "10 de marzo de 2026"),
            ("2026-11-04", "November 4, 2026", "4 de noviembre de 2026"),
            ("2026-03", "March 2026", "marzo de 2026"),
            ("2026", "2026", "2026"),
        ] {
            let day = PartialDate::parse(text).unwrap();
            assert_eq!(date(&day, Language::En), en);
            assert_eq!(date(&day, Language::Es), es);
        }
    }
}
