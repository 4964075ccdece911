//! Whether the text of a sig says the same as its structure.
//!
//! The page is made of the structure; the text is what a person wrote and read. Where they differ, somebody would take
//! the wrong dose, so the text is read word by word and everything it states is held against the structure: amount and
//! unit, how many times, in how long, when, food, as needed. What is not understood is never taken for agreement.

use std::collections::BTreeSet;

use super::{Language, Strength, sig_sentences, sig_text, unit_word};
use crate::medication::{Dose, Frequency, Meal, PeriodUnit, Product, Route, Sig, TimeOfDay};

/// What the text of a sig adds to its structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextAdds {
    /// Nothing: the sentences made of the structure say it all.
    Nothing,
    /// Words the structure has no place for ("with a full glass of water").
    Words,
    /// Another amount, time or period. One of the two is wrong, or both are incomplete: only the text may be shown.
    Regimen,
}

/// Compares the text of a sig with its structure. A sig without structure is all text.
pub fn says_more(sig: &Sig, product: Option<&Product>) -> TextAdds {
    let ours = Language::ALL.iter().any(|language| {
        sig.text == sig_text(sig, *language)
            || sig.text == sig_sentences(sig, product, *language).join(" ")
    });
    if ours {
        return TextAdds::Nothing;
    }
    let tokens = tokens(&sig.text);
    let mut reading = Reading::of(sig, product, &tokens);
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        index += match token {
            Token::Number(number) => {
                reading.number(number, tokens.get(..index), tokens.get(index + 1..))
            }
            Token::Word(word) => reading.word(word, tokens.get(..index), tokens.get(index + 1..)),
        };
    }
    reading.adds
}

#[derive(Debug, PartialEq)]
enum Token {
    /// In canonical decimal text.
    Number(String),
    /// In lower case.
    Word(String),
}

impl Token {
    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Number(_) => None,
        }
    }
}

/// Splits a text into numbers and words: "10mg" is a number and a word, "q8h" is "every 8 h".
fn tokens(text: &str) -> Vec<Token> {
    let lower = text.to_lowercase();
    let mut tokens = Vec::new();
    let parts = lower
        .split(|c: char| c.is_whitespace() || matches!(c, ';' | ':' | '(' | ')'))
        .map(|part| part.trim_matches(|c: char| matches!(c, '.' | ',' | '!' | '?' | '"')));
    for part in parts.filter(|part| !part.is_empty()) {
        let rest = match part.strip_prefix('q') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
                tokens.push(Token::Word("every".to_owned()));
                rest
            }
            Some(_) | None => part,
        };
        let digits = rest
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',')))
            .unwrap_or(rest.len());
        let (number, word) = rest.split_at(digits);
        match (canonical(number), word) {
            (Some(number), "") => tokens.push(Token::Number(number)),
            (Some(number), word) if word.starts_with(char::is_alphabetic) => {
                tokens.push(Token::Number(number));
                tokens.push(Token::Word(word.to_owned()));
            }
            (Some(_), _) => tokens.push(Token::Word(rest.to_owned())),
            (None, _) => tokens.push(number_word(rest).map_or_else(
                || Token::Word(rest.to_owned()),
                |number| Token::Number(number.to_owned()),
            )),
        }
    }
    tokens
}

fn canonical(text: &str) -> Option<String> {
    let text = text.replace(',', "");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = fraction.trim_end_matches('0');
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

fn number_word(word: &str) -> Option<&'static str> {
    Some(match word {
        "half" | "media" | "medio" | "½" => "0.5",
        "one" | "una" | "un" | "uno" => "1",
        "two" | "dos" => "2",
        "three" | "tres" => "3",
        "four" | "cuatro" => "4",
        "five" | "cinco" => "5",
        "six" | "seis" => "6",
        "eight" | "ocho" => "8",
        "ten" | "diez" => "10",
        "twelve" | "doce" => "12",
        _ => return None,
    })
}

fn period(word: &str) -> Option<PeriodUnit> {
    Some(match word {
        "h" | "hr" | "hrs" | "hour" | "hours" | "hora" | "horas" => PeriodUnit::H,
        "day" | "days" | "día" | "días" | "dia" | "dias" => PeriodUnit::D,
        "week" | "weeks" | "semana" | "semanas" => PeriodUnit::Wk,
        "month" | "months" | "mes" | "meses" => PeriodUnit::Mo,
        _ => return None,
    })
}

/// A unit of a dose, in its one spelling.
fn unit(word: &str) -> Option<&str> {
    let unit = unit_word(word);
    matches!(
        unit,
        "tablet"
            | "capsule"
            | "mg"
            | "mcg"
            | "g"
            | "mL"
            | "mEq"
            | "units"
            | "puff"
            | "spray"
            | "drop"
            | "patch"
            | "suppository"
            | "packet"
            | "lozenge"
            | "application"
            | "dose"
    )
    .then_some(unit)
}

/// The structure, and what the text turned out to add to it.
struct Reading<'s> {
    sig: &'s Sig,
    freq: Option<Frequency>,
    /// Amounts the structure stands for, with their units.
    amounts: BTreeSet<(String, String)>,
    /// Words of the reason of an as-needed medicine.
    reason: BTreeSet<String>,
    /// Whether the text says how many times: "2 times", "twice", "BID".
    counted: bool,
    adds: TextAdds,
}

impl<'s> Reading<'s> {
    fn of(sig: &'s Sig, product: Option<&Product>, tokens: &[Token]) -> Self {
        let mut amounts = BTreeSet::new();
        let strength = product.and_then(Strength::read);
        let total =
            strength.as_ref().zip(sig.dose.as_ref()).and_then(|(strength, dose)| strength.of(dose));
        let each = strength.map(|strength| strength.each);
        for Dose { value, unit } in [sig.dose.clone(), total, each].into_iter().flatten() {
            amounts.insert((value.as_str().to_owned(), unit_word(&unit).to_owned()));
        }
        let reason = sig.prn.iter().flat_map(|prn| tokens_of_reason(&prn.reason)).collect();
        let counted = tokens.iter().filter_map(Token::word).any(|word| {
            matches!(
                word,
                "time" | "times" | "vez" | "veces" | "once" | "twice" | "bid" | "tid" | "qid"
            )
        });
        Self { sig, freq: sig.freq, amounts, reason, counted, adds: TextAdds::Nothing }
    }

    fn note(&mut self, adds: TextAdds) {
        self.adds = self.adds.max(adds);
    }

    /// Holds a statement against the structure.
    fn must(&mut self, agrees: bool) {
        if !agrees {
            self.note(TextAdds::Regimen);
        }
    }

    fn is_freq(&self, agrees: impl Fn(&Frequency) -> bool) -> bool {
        self.freq.as_ref().is_some_and(agrees)
    }

    /// A number and the word it counts; answers how many tokens were read.
    fn number(&mut self, number: &str, before: Option<&[Token]>, after: Option<&[Token]>) -> usize {
        let after = after.unwrap_or_default();
        // "half a tablet", "2 of the tablets"
        let filler =
            |token: &&Token| matches!(token.word(), Some("a" | "an" | "of" | "the" | "de"));
        let skipped = after.iter().take_while(filler).count();
        let next = after.get(skipped).and_then(Token::word).unwrap_or_default();
        let most = before
            .unwrap_or_default()
            .iter()
            .rev()
            .take(4)
            .filter_map(Token::word)
            .any(|word| matches!(word, "max" | "maximum" | "most" | "than" | "máximo"));
        let is = |value: u32| number == value.to_string();
        if let Some(unit) = unit(next) {
            let max = self.sig.max_per_day.as_ref().is_some_and(|max| max.as_str() == number);
            let amount = self.amounts.contains(&(number.to_owned(), unit.to_owned()));
            self.must(if most { max } else { amount });
        } else if matches!(next, "time" | "times" | "vez" | "veces") {
            self.must(self.is_freq(|freq| is(freq.count.into())));
        } else if let Some(unit) = period(next) {
            // "at most 3 a day", "3 doses in 1 day"
            let max =
                self.sig.max_per_day.as_ref().is_some_and(|max| most && max.as_str() == number);
            let per_day = unit == PeriodUnit::D && (max || most_per_day(self.sig, before) && is(1));
            self.must(per_day || self.is_freq(|freq| freq.unit == unit && is(freq.period.into())));
            self.needs_count(before);
        } else if most {
            self.must(self.sig.max_per_day.as_ref().is_some_and(|max| max.as_str() == number));
            return 1;
        } else {
            self.note(TextAdds::Regimen);
            return 1;
        }
        skipped + 2
    }

    /// "Every 8 hours" without "2 times" means one time.
    fn needs_count(&mut self, before: Option<&[Token]>) {
        let every = before.unwrap_or_default().last().and_then(Token::word);
        if matches!(every, Some("every" | "each" | "cada")) && !self.counted {
            self.must(self.is_freq(|freq| freq.count == 1));
        }
    }

    fn word(&mut self, word: &str, before: Option<&[Token]>, after: Option<&[Token]>) -> usize {
        let after = after.unwrap_or_default();
        let next = after.first().and_then(Token::word).unwrap_or_default();
        let last = before.unwrap_or_default().last().and_then(Token::word).unwrap_or_default();
        let per = |unit: PeriodUnit| move |freq: &Frequency| freq.unit == unit && freq.period == 1;
        match word {
            // "a tablet"
            "a" | "an" if unit(next).is_some() => return self.number("1", before, Some(after)),
            "a" | "an" | "per" | "every" | "each" | "al" | "cada" | "por"
                if period(next).is_some() =>
            {
                if let Some(unit) = period(next) {
                    let most = most_per_day(self.sig, before) && unit == PeriodUnit::D;
                    self.must(most || self.is_freq(per(unit)));
                    if matches!(word, "every" | "each" | "cada") && !self.counted {
                        self.must(self.is_freq(|freq| freq.count == 1));
                    }
                }
                return 2;
            }
            "other" | "alternate" if period(next) == Some(PeriodUnit::D) => {
                self.must(self.is_freq(|freq| {
                    freq.unit == PeriodUnit::D && freq.period == 2 && freq.count == 1
                }));
                return 2;
            }
            "once" => self.must(self.is_freq(|freq| freq.count == 1)),
            "twice" => self.must(self.is_freq(|freq| freq.count == 2)),
            "bid" => self.must(self.is_freq(|freq| freq.count == 2 && per(PeriodUnit::D)(freq))),
            "tid" => self.must(self.is_freq(|freq| freq.count == 3 && per(PeriodUnit::D)(freq))),
            "qid" => self.must(self.is_freq(|freq| freq.count == 4 && per(PeriodUnit::D)(freq))),
            "daily" | "qd" | "diario" | "diaria" => self.each(PeriodUnit::D),
            "weekly" | "semanal" => self.each(PeriodUnit::Wk),
            "monthly" | "mensual" => self.each(PeriodUnit::Mo),
            "qam" => self.each_at(TimeOfDay::Morning),
            "qpm" => self.each_at(TimeOfDay::Evening),
            "qhs" => self.each_at(TimeOfDay::Bedtime),
            "morning" | "am" | "mañana" => self.at(TimeOfDay::Morning),
            "noon" | "mediodía" => self.at(TimeOfDay::Noon),
            "evening" | "night" | "pm" | "noche" => self.at(TimeOfDay::Evening),
            "bedtime" | "hs" | "acostarse" => self.at(TimeOfDay::Bedtime),
            "food" | "meal" | "meals" | "comida" | "comidas" | "eat" | "eating" | "comer" => {
                let words = before.unwrap_or_default().iter().rev().take(3).filter_map(Token::word);
                let meal = words.into_iter().find_map(|word| match word {
                    "before" | "antes" => Some(Meal::Before),
                    "with" | "con" => Some(Meal::With),
                    "after" | "después" => Some(Meal::After),
                    _ => None,
                });
                match (self.freq.and_then(|freq| freq.meal), meal) {
                    (Some(ours), Some(theirs)) => self.must(ours == theirs),
                    (None, _) | (Some(_), None) => self.note(TextAdds::Words),
                }
            }
            "prn" | "needed" | "need" | "necesita" | "necesidad" => {
                self.must(self.sig.prn.is_some())
            }
            "po" | "oral" | "orally" => self.through(&[Route::Oral]),
            "mouth" | "boca" if matches!(last, "by" | "la") => {
                self.through(&[Route::Oral, Route::Inhaled]);
            }
            "tongue" | "sublingual" | "sl" | "lengua" => self.through(&[Route::Sublingual]),
            "inhale" | "breathe" | "inhaled" | "lungs" => self.through(&[Route::Inhaled]),
            "nose" | "nostril" | "nariz" => self.through(&[Route::Nasal]),
            "inject" | "inyecte" | "subcutaneously" => {
                self.through(&[Route::Subcutaneous, Route::Intramuscular]);
            }
            "eye" | "ojo" => self.through(&[Route::Ophthalmic]),
            "ear" | "oído" => self.through(&[Route::Otic]),
            "skin" | "piel" => {
                self.through(&[Route::Topical, Route::Transdermal, Route::Subcutaneous]);
            }
            "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday"
            | "mondays" | "tuesdays" | "wednesdays" | "thursdays" | "fridays" | "saturdays"
            | "sundays" | "lunes" | "martes" | "miércoles" | "jueves" | "viernes" | "sábado"
            | "domingo" | "weekdays" | "except" | "excepto" | "skip" | "then" | "until"
            | "hasta" | "luego" | "or" | "not" | "no" | "never" | "nunca" | "stop" | "increase"
            | "decrease" | "reduce" | "double" | "quarter" | "alternate" | "other"
            | "alternating" | "biweekly" | "qod" => self.note(TextAdds::Regimen),
            _ if period(word).is_some() => self.note(TextAdds::Regimen),
            _ if unit(word).is_some() || is_filler(word) || self.reason.contains(word) => {}
            // "1-2", "4/day": a number that is not understood.
            _ if word.contains(|c: char| c.is_ascii_digit()) => self.note(TextAdds::Regimen),
            _ => self.note(TextAdds::Words),
        }
        1
    }

    fn each(&mut self, unit: PeriodUnit) {
        self.must(self.is_freq(|freq| freq.unit == unit && freq.period == 1));
        if !self.counted {
            self.must(self.is_freq(|freq| freq.count == 1));
        }
    }

    fn each_at(&mut self, time: TimeOfDay) {
        self.each(PeriodUnit::D);
        self.at(time);
    }

    /// A time of day the structure leaves open is more; one it does not have is another.
    fn at(&mut self, time: TimeOfDay) {
        if self.sig.times.is_empty() {
            self.note(TextAdds::Words);
        } else {
            self.must(self.sig.times.contains(&time));
        }
    }

    fn through(&mut self, routes: &[Route]) {
        match self.sig.route {
            None | Some(Route::Other) => self.note(TextAdds::Words),
            Some(route) => self.must(routes.contains(&route)),
        }
    }
}

/// Whether a day named here belongs to "at most 3 doses a day".
fn most_per_day(sig: &Sig, before: Option<&[Token]>) -> bool {
    sig.max_per_day.is_some()
        && before
            .unwrap_or_default()
            .iter()
            .rev()
            .take(6)
            .filter_map(Token::word)
            .any(|word| matches!(word, "max" | "maximum" | "most" | "than" | "máximo"))
}

fn tokens_of_reason(reason: &str) -> Vec<String> {
    tokens(reason).iter().filter_map(Token::word).map(str::to_owned).collect()
}

/// Words that state nothing by themselves.
fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "take"
            | "takes"
            | "use"
            | "put"
            | "give"
            | "apply"
            | "swallow"
            | "it"
            | "a"
            | "an"
            | "per"
            | "every"
            | "each"
            | "the"
            | "at"
            | "in"
            | "into"
            | "and"
            | "of"
            | "as"
            | "if"
            | "only"
            | "for"
            | "to"
            | "with"
            | "before"
            | "after"
            | "your"
            | "you"
            | "under"
            | "on"
            | "by"
            | "max"
            | "maximum"
            | "most"
            | "more"
            | "than"
            | "up"
            | "tome"
            | "ponga"
            | "por"
            | "la"
            | "el"
            | "de"
            | "al"
            | "con"
            | "antes"
            | "después"
            | "y"
            | "cada"
            | "según"
            | "si"
            | "solo"
            | "para"
            | "como"
            | "máximo"
            | "en"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::medication::Prn;
    use crate::value::Decimal;

    fn sig(text: &str) -> Sig {
        Sig {
            text: text.to_owned(),
            dose: Some(Dose { value: Decimal::parse("1").unwrap(), unit: "tablet".to_owned() }),
            route: Some(Route::Oral),
            freq: Some(Frequency { count: 2, period: 1, unit: PeriodUnit::D, meal: None }),
            ..Sig::default()
        }
    }

    fn adds(text: &str) -> TextAdds {
        says_more(&sig(text), None)
    }

    #[test]
    fn text_that_says_the_same_adds_nothing() {
        for text in [
            "1 tab PO BID",
            "Take one tablet by mouth twice a day",
            "Take 1 tablet by mouth 2 times daily.",
            "a tablet twice daily",
            "Tome una tableta por la boca 2 veces al día",
        ] {
            assert_eq!(adds(text), TextAdds::Nothing, "{text}");
        }
        let lisinopril = Product {
            name: "Lisinopril 10 MG Oral Tablet".to_owned(),
            code: None,
            strength_form: String::new(),
            ingredients: Vec::new(),
        };
        assert_eq!(
            says_more(&sig("Take 1 tablet (10 mg) twice a day"), Some(&lisinopril)),
            TextAdds::Nothing
        );
    }

    #[test]
    fn text_that_says_more_is_told() {
        for text in [
            "1 tab BID with a full glass of water",
            "1 tablet 2 times a day. Swallow whole.",
            "1 tablet 2 times a day. Rinse your mouth.",
            "1 tablet twice a day with food",
            "1 tablet twice a day, morning and evening",
        ] {
            assert_eq!(adds(text), TextAdds::Words, "{text}");
        }
    }

    #[test]
    fn text_that_names_another_regimen_is_never_taken_for_the_same() {
        for text in [
            "Take 2 tablets 1 time a day",
            "2 tablets twice a day",
            "1 tablet 3 times a day",
            "1 tablet daily",
            "1 tablet weekly",
            "1 tablet twice a week",
            "1 tablet every other day",
            "1 tablet every 12 hours",
            "1 mL twice a day",
            "1 tablet twice a day as needed",
            "1 tablet on Mondays",
            "1-2 tablets twice a day",
            "1 tablet twice a day for 7 days",
            "1 tablet twice a day, then stop",
            "half a tablet twice a day",
            "a tablet under the tongue twice a day",
            "1 tablet qod",
            "1/2 tablet BID",
            "10 mg BID",
        ] {
            assert_eq!(adds(text), TextAdds::Regimen, "{text}");
        }
    }

    #[test]
    fn every_other_part_of_a_sig_is_compared() {
        let mut night =
            sig("1 tablet at bedtime daily if needed for chest pain, max 3 doses a day");
        night.freq = Some(Frequency { count: 1, period: 1, unit: PeriodUnit::D, meal: None });
        night.times = vec![TimeOfDay::Bedtime];
        night.prn = Some(Prn { reason: "Chest pain".to_owned() });
        night.max_per_day = Decimal::parse("3");
        assert_eq!(says_more(&night, None), TextAdds::Nothing);
        night.text = "1 tablet in the morning".to_owned();
        assert_eq!(says_more(&night, None), TextAdds::Regimen);
        night.text = "1 tablet, max 4 doses a day".to_owned();
        assert_eq!(says_more(&night, None), TextAdds::Regimen);
        let mut hours = sig("1 tab q8h");
        hours.freq =
            Some(Frequency { count: 1, period: 8, unit: PeriodUnit::H, meal: Some(Meal::With) });
        assert_eq!(says_more(&hours, None), TextAdds::Nothing);
        hours.text = "1 tab q6h".to_owned();
        assert_eq!(says_more(&hours, None), TextAdds::Regimen);
        hours.text = "1 tablet every 8 hours after food".to_owned();
        assert_eq!(says_more(&hours, None), TextAdds::Regimen);
    }
}
