//! Doses, times and measures in words, English and Spanish, so that they cannot be misread.
//!
//! The rules are those of the Joint Commission's "Do Not Use" list: no trailing zero ("5 mg"), a leading zero
//! ("0.5 mg"), a space before the unit, "mcg", "mL", "units" in full, "daily" and never "QD". Beyond it: no "once" (in
//! Spanish *once* is eleven), no comma as a thousands mark in Spanish (to many readers it is the decimal point), digits
//! instead of number words. A product's name is never translated.
//!
//! Every dose and every time in these sentences reads back to the same structure; `format/tests.rs` proves it.

mod agree;
mod check;
mod date;
mod measure;
#[cfg(test)]
pub(crate) mod tests;
mod unit;

pub use agree::{TextAdds, says_more};
pub use check::{Misreading, MisreadingKind, misreadings};
pub use date::date;
pub use measure::{measure, measure_name};
pub(crate) use unit::decimal_of_json;
pub use unit::{multiply, unit_word};

use serde::{Deserialize, Serialize};

use crate::medication::{Dose, Frequency, Meal, PeriodUnit, Prn, Product, Route, Sig, TimeOfDay};
use crate::value::Decimal;

/// A language the patient's page is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English as in the United States.
    En,
    /// Spanish as in the United States.
    Es,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::Es];

    /// The language for a BCP 47 tag; everything that is not Spanish is English.
    pub fn of(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("es") { Self::Es } else { Self::En }
    }

    pub(crate) const fn pick<T: Copy>(self, en: T, es: T) -> T {
        match self {
            Self::En => en,
            Self::Es => es,
        }
    }
}

/// "0.5 tablet (half a tablet)", "2 tabletas", "10,000 units".
pub fn dose(dose: &Dose, language: Language) -> String {
    dose_with(dose, None, language)
}

fn dose_with(dose: &Dose, strength: Option<&Strength>, language: Language) -> String {
    let mut text = plain_dose(dose, language);
    let mut aside = Vec::new();
    if dose.value.as_str() == "0.5" && unit_word(&dose.unit) == "tablet" {
        aside.push(language.pick("half a tablet", "media tableta").to_owned());
    }
    if let Some(total) = strength.and_then(|strength| strength.of(dose)) {
        aside.push(plain_dose(&total, language));
    }
    if !aside.is_empty() {
        text.push_str(" (");
        text.push_str(&aside.join(", "));
        text.push(')');
    }
    text
}

fn plain_dose(dose: &Dose, language: Language) -> String {
    format!("{} {}", number(&dose.value, language), unit::unit(&dose.unit, &dose.value, language))
}

/// A number with marks between thousands where it would be misread without: from 10,000 up. In Spanish the mark is a
/// no-break space.
pub fn number(value: &Decimal, language: Language) -> String {
    let text = value.as_str();
    let (whole, rest) = text.find('.').map_or((text, ""), |point| text.split_at(point));
    if whole.len() < 5 {
        return text.to_owned();
    }
    let mark = language.pick(',', '\u{a0}');
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(mark);
        }
        out.push(digit);
    }
    out.push_str(rest);
    out
}

/// How much of the active substance is in one tablet or capsule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strength {
    /// "10 mg".
    pub each: Dose,
    /// "tablet".
    pub form: &'static str,
}

impl Strength {
    /// Reads "10 mg tablet" or an RxNorm name ("Lisinopril 10 MG Oral Tablet"). Answers only where there is exactly one
    /// amount and one solid form: a combination or a concentration has no single amount.
    pub fn read(product: &Product) -> Option<Self> {
        let text =
            if product.strength_form.is_empty() { &product.name } else { &product.strength_form };
        if text.contains('/') {
            return None;
        }
        let words: Vec<String> = text
            .split_whitespace()
            .map(|word| {
                word.trim_matches(|c: char| matches!(c, ',' | ';' | '(' | ')')).to_lowercase()
            })
            .collect();
        let mut found = None;
        for (index, pair) in words.windows(2).enumerate() {
            let [amount, unit] = pair else { continue };
            let unit = unit_word(unit);
            let value = Decimal::parse(amount).filter(|value| value.as_str() != "0");
            if let (Some(value), true) = (value, unit::is_substance(unit)) {
                if found.is_some() {
                    return None;
                }
                found = Some((index, Dose { value, unit: unit.to_owned() }));
            }
        }
        let (index, each) = found?;
        let form = words.iter().skip(index + 2).find_map(|word| match unit_word(word) {
            "tablet" => Some("tablet"),
            "capsule" => Some("capsule"),
            _ => None,
        })?;
        Some(Self { each, form })
    }

    /// What a dose of so many pieces amounts to.
    pub fn of(&self, dose: &Dose) -> Option<Dose> {
        if unit_word(&dose.unit) != self.form {
            return None;
        }
        let value = multiply(&self.each.value, &dose.value)?;
        Some(Dose { value, unit: self.each.unit.clone() })
    }
}

/// "2 times a day", "cada 8 horas". Meal apart.
pub fn frequency(frequency: &Frequency, language: Language) -> String {
    let Frequency { count, period, unit, meal: _ } = *frequency;
    match language {
        Language::En => {
            let (one, many) = match unit {
                PeriodUnit::H => ("hour", "hours"),
                PeriodUnit::D => ("day", "days"),
                PeriodUnit::Wk => ("week", "weeks"),
                PeriodUnit::Mo => ("month", "months"),
            };
            let article = if matches!(unit, PeriodUnit::H) { "an" } else { "a" };
            match (count, period, unit) {
                (1, 1, PeriodUnit::D) => "daily".to_owned(),
                (1, 2, PeriodUnit::D) => "every other day".to_owned(),
                (1, 1, PeriodUnit::H) => "every hour".to_owned(),
                (1, 1, PeriodUnit::Wk | PeriodUnit::Mo) => format!("1 time a {one}"),
                (1, period, _) => format!("every {period} {many}"),
                (count, 1, _) => format!("{count} times {article} {one}"),
                (count, period, _) => format!("{count} times every {period} {many}"),
            }
        }
        Language::Es => {
            let (each, many) = match unit {
                PeriodUnit::H => ("por hora", "horas"),
                PeriodUnit::D => ("al día", "días"),
                PeriodUnit::Wk => ("por semana", "semanas"),
                PeriodUnit::Mo => ("al mes", "meses"),
            };
            match (count, period, unit) {
                (1, 1, PeriodUnit::H) => "cada hora".to_owned(),
                (1, 2, PeriodUnit::D) => "cada 2 días (un día sí y un día no)".to_owned(),
                (1, 1, _) => format!("1 vez {each}"),
                (1, period, _) => format!("cada {period} {many}"),
                (count, 1, _) => format!("{count} veces {each}"),
                (count, period, _) => format!("{count} veces cada {period} {many}"),
            }
        }
    }
}

/// "in the morning".
pub const fn time_of_day(time: TimeOfDay, language: Language) -> &'static str {
    match (time, language) {
        (TimeOfDay::Morning, Language::En) => "in the morning",
        (TimeOfDay::Noon, Language::En) => "at noon",
        (TimeOfDay::Evening, Language::En) => "in the evening",
        (TimeOfDay::Bedtime, Language::En) => "at bedtime",
        (TimeOfDay::Morning, Language::Es) => "por la mañana",
        (TimeOfDay::Noon, Language::Es) => "al mediodía",
        (TimeOfDay::Evening, Language::Es) => "por la noche",
        (TimeOfDay::Bedtime, Language::Es) => "al acostarse",
    }
}

fn meal(meal: Meal, language: Language) -> &'static str {
    match (meal, language) {
        (Meal::Before, Language::En) => "before you eat",
        (Meal::With, Language::En) => "with food",
        (Meal::After, Language::En) => "after you eat",
        (Meal::Before, Language::Es) => "antes de comer",
        (Meal::With, Language::Es) => "con comida",
        (Meal::After, Language::Es) => "después de comer",
    }
}

/// "by mouth"; nothing where the verb says it ("breathe in"), or the text.
pub const fn route(route: Route, language: Language) -> Option<&'static str> {
    Some(match (route, language) {
        (Route::Oral, Language::En) => "by mouth",
        (Route::Sublingual, Language::En) => "under your tongue",
        (Route::Nasal, Language::En) => "in your nose",
        (Route::Topical | Route::Transdermal, Language::En) => "on your skin",
        (Route::Subcutaneous, Language::En) => "under your skin",
        (Route::Intramuscular, Language::En) => "into a muscle",
        (Route::Ophthalmic, Language::En) => "in your eye",
        (Route::Otic, Language::En) => "in your ear",
        (Route::Rectal, Language::En) => "in your rectum",
        (Route::Vaginal, Language::En) => "in your vagina",
        (Route::Oral, Language::Es) => "por la boca",
        (Route::Sublingual, Language::Es) => "debajo de la lengua",
        (Route::Nasal, Language::Es) => "en la nariz",
        (Route::Topical | Route::Transdermal, Language::Es) => "en la piel",
        (Route::Subcutaneous, Language::Es) => "debajo de la piel",
        (Route::Intramuscular, Language::Es) => "en un músculo",
        (Route::Ophthalmic, Language::Es) => "en el ojo",
        (Route::Otic, Language::Es) => "en el oído",
        (Route::Rectal, Language::Es) => "en el recto",
        (Route::Vaginal, Language::Es) => "en la vagina",
        (Route::Inhaled | Route::Other, Language::En | Language::Es) => return None,
    })
}

/// The verb before an amount, and the verb with "it" where there is none.
fn verb(sig: &Sig, language: Language) -> (&'static str, &'static str) {
    let swallowed =
        sig.dose.as_ref().is_some_and(|dose| matches!(unit_word(&dose.unit), "tablet" | "capsule"));
    match (sig.route, language) {
        (Some(Route::Oral), Language::En) => ("Take", "Take it"),
        (Some(Route::Oral), Language::Es) => ("Tome", "Tómela"),
        (
            Some(
                Route::Sublingual
                | Route::Topical
                | Route::Ophthalmic
                | Route::Otic
                | Route::Rectal
                | Route::Vaginal,
            ),
            Language::En,
        ) => ("Put", "Put it"),
        (
            Some(
                Route::Sublingual
                | Route::Topical
                | Route::Ophthalmic
                | Route::Otic
                | Route::Rectal
                | Route::Vaginal,
            ),
            Language::Es,
        ) => ("Ponga", "Póngala"),
        (Some(Route::Inhaled), Language::En) => ("Breathe in", "Breathe it in"),
        (Some(Route::Inhaled), Language::Es) => ("Inhale", "Inhálela"),
        (Some(Route::Nasal), Language::En) => ("Use", "Use it"),
        (Some(Route::Nasal), Language::Es) => ("Use", "Úsela"),
        (Some(Route::Transdermal), Language::En) => ("Stick", "Stick it"),
        (Some(Route::Transdermal), Language::Es) => ("Pegue", "Péguela"),
        (Some(Route::Subcutaneous | Route::Intramuscular), Language::En) => ("Inject", "Inject it"),
        (Some(Route::Subcutaneous | Route::Intramuscular), Language::Es) => {
            ("Inyecte", "Inyéctela")
        }
        (Some(Route::Other) | None, Language::En) if swallowed => ("Take", "Take it"),
        (Some(Route::Other) | None, Language::Es) if swallowed => ("Tome", "Tómela"),
        (Some(Route::Other) | None, Language::En) => ("Use", "Use it"),
        (Some(Route::Other) | None, Language::Es) => ("Use", "Úsela"),
    }
}

fn times(times: &[TimeOfDay], language: Language) -> Option<String> {
    let words: Vec<&str> = times.iter().map(|time| time_of_day(*time, language)).collect();
    let and = language.pick(" and ", " y ");
    match words.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        [first @ .., last] => Some(format!("{}{and}{last}", first.join(", "))),
    }
}

/// Whether a sig says anything beside its text.
pub const fn is_structured(sig: &Sig) -> bool {
    let Sig { text: _, dose, route: _, freq, times, prn, max_per_day } = sig;
    dose.is_some() || freq.is_some() || !times.is_empty() || prn.is_some() || max_per_day.is_some()
}

/// The sentences the patient reads: "Take 1 tablet (10 mg) by mouth, daily." Empty if the sig is text only.
pub fn sig_sentences(sig: &Sig, product: Option<&Product>, language: Language) -> Vec<String> {
    if !is_structured(sig) {
        return Vec::new();
    }
    let Sig { text: _, dose, route: way, freq, times: day, prn, max_per_day } = sig;
    let (with_amount, without) = verb(sig, language);
    let strength = product.and_then(Strength::read);
    let mut first = match dose {
        Some(dose) => format!("{with_amount} {}", dose_with(dose, strength.as_ref(), language)),
        None => without.to_owned(),
    };
    if let Some(way) = way.and_then(|way| route(way, language)) {
        first.push(' ');
        first.push_str(way);
    }
    // One idea a sentence: several times of day, and food, get their own.
    let inline = if freq.is_none() || day.len() == 1 { times(day, language) } else { None };
    let apart = if inline.is_none() { times(day, language) } else { None };
    let with_food =
        freq.as_ref().and_then(|freq| freq.meal).map(|with| meal(with, language).to_owned());
    for part in [freq.as_ref().map(|freq| frequency(freq, language)), inline].into_iter().flatten()
    {
        first.push_str(", ");
        first.push_str(&part);
    }
    first.push('.');
    let mut sentences = vec![first];
    for part in [apart, with_food].into_iter().flatten() {
        sentences.push(format!("{without} {part}."));
    }
    if let Some(Prn { reason }) = prn {
        sentences.push(as_needed(reason, language));
    }
    if let Some(most) = max_per_day {
        let amount = number(most, language);
        let one = most.as_str() == "1";
        sentences.push(match language {
            Language::En if one => "Do not use more than 1 dose in 1 day.".to_owned(),
            Language::En => format!("Do not use more than {amount} doses in 1 day."),
            Language::Es => format!("No use más de {amount} dosis en 1 día."),
        });
    }
    sentences
}

/// A reason is quoted as it was written, at the end of its sentence.
fn as_needed(reason: &str, language: Language) -> String {
    let reason = reason.trim().trim_end_matches('.');
    match (language, reason) {
        (Language::En, "") => "Use it only if you need it.".to_owned(),
        (Language::Es, "") => "Úsela solo si la necesita.".to_owned(),
        (Language::En, reason) => format!("Use it only if you need it for: {reason}."),
        (Language::Es, reason) => format!("Úsela solo si la necesita para: {reason}."),
    }
}

/// One line for staff: "1 tablet by mouth, 2 times a day, with food, as needed for pain, at most 3 doses a day". Empty
/// if the sig is text only. Also what an editor offers as the text of a structured sig.
pub fn sig_text(sig: &Sig, language: Language) -> String {
    let Sig { text: _, dose: amount, route: way, freq, times: day, prn, max_per_day } = sig;
    let start: Vec<String> = [
        amount.as_ref().map(|amount| plain_dose(amount, language)),
        way.and_then(|way| staff_route(way, language)).map(str::to_owned),
    ]
    .into_iter()
    .flatten()
    .collect();
    let parts = [
        (!start.is_empty()).then(|| start.join(" ")),
        freq.as_ref().map(|freq| frequency(freq, language)),
        times(day, language),
        freq.as_ref().and_then(|freq| freq.meal).map(|with| staff_meal(with, language).to_owned()),
        prn.as_ref().map(|Prn { reason }| match (language, reason.as_str()) {
            (Language::En, "") => "as needed".to_owned(),
            (Language::Es, "") => "según necesidad".to_owned(),
            (Language::En, reason) => format!("as needed for {reason}"),
            (Language::Es, reason) => format!("según necesidad para {reason}"),
        }),
        max_per_day.as_ref().map(|most| {
            let amount = number(most, language);
            match language {
                Language::En if most.as_str() == "1" => "at most 1 dose a day".to_owned(),
                Language::En => format!("at most {amount} doses a day"),
                Language::Es => format!("como máximo {amount} dosis al día"),
            }
        }),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

const fn staff_route(way: Route, language: Language) -> Option<&'static str> {
    Some(match (way, language) {
        (Route::Sublingual, Language::En) => "under the tongue",
        (Route::Inhaled, Language::En) => "inhaled",
        (Route::Nasal, Language::En) => "in the nose",
        (Route::Topical, Language::En) => "on the skin",
        (Route::Transdermal, Language::En) => "on the skin (patch)",
        (Route::Subcutaneous, Language::En) => "under the skin",
        (Route::Ophthalmic, Language::En) => "in the eye",
        (Route::Otic, Language::En) => "in the ear",
        (Route::Rectal, Language::En) => "rectally",
        (Route::Vaginal, Language::En) => "vaginally",
        (Route::Inhaled, Language::Es) => "inhalado",
        (Route::Transdermal, Language::Es) => "en la piel (parche)",
        (Route::Oral | Route::Intramuscular | Route::Other, Language::En)
        | (
            Route::Oral
            | Route::Sublingual
            | Route::Nasal
            | Route::Topical
            | Route::Subcutaneous
            | Route::Intramuscular
            | Route::Ophthalmic
            | Route::Otic
            | Route::Rectal
            | Route::Vaginal
            | Route::Other,
            Language::Es,
        ) => return route(way, language),
    })
}

const fn staff_meal(with: Meal, language: Language) -> &'static str {
    match (with, language) {
        (Meal::Before, Language::En) => "before food",
        (Meal::With, Language::En) => "with food",
        (Meal::After, Language::En) => "after food",
        (Meal::Before, Language::Es) => "antes de comer",
        (Meal::With, Language::Es) => "con comida",
        (Meal::After, Language::Es) => "después de comer",
    }
}

/// A product as it is shown: its name, and its strength and form where they stand apart. Only the unit words that
/// RxNorm shouts are put in their safe spelling: "Simvastatin 20 MG Oral Tablet" → "Simvastatin 20 mg Oral Tablet".
pub fn product(product: &Product) -> String {
    let words: Vec<String> = product.name.split(' ').map(quiet).collect();
    let mut text = words.join(" ");
    if !product.strength_form.is_empty() {
        text.push_str(", ");
        text.push_str(&product.strength_form);
    }
    text
}

/// "MG/ML" → "mg/mL".
fn quiet(word: &str) -> String {
    let parts: Vec<&str> = word
        .split('/')
        .map(|part| match part {
            "MG" => "mg",
            "MCG" | "UG" => "mcg",
            "GM" => "g",
            "ML" => "mL",
            "MEQ" => "mEq",
            "UNT" => "units",
            "ACTUAT" => "actuation",
            "HR" => "hour",
            other => other,
        })
        .collect();
    parts.join("/")
}
