//! Dosage: how the chart says a medicine was prescribed.
//!
//! The text always stands. Structure comes with it only if a [`Sig`] holds **all** the chart says: half a structure
//! ("2 times a day" of "2 times a day on Mondays") is a regimen nobody wrote. Without any text the words are made of
//! the structure, of exactly what is there.

use super::code::{Concept, SNOMED};
use crate::fhir::issue::IssueCode;
use crate::fhir::node::Node;
use crate::format::{self, Language, TextAdds, decimal_of_json};
use crate::medication::{Dose, Frequency, Meal, PeriodUnit, Prn, Product, Route, Sig, TimeOfDay};
use crate::value::Check;

/// Reads a list of Dosages as one sig; `None` if it says nothing.
pub(super) fn read(node: &Node<'_>, member: &str, product: &Product) -> Option<Sig> {
    let dosages = node.list(member);
    let mut parts: Vec<(Sig, bool)> = dosages.iter().filter_map(one).collect();
    let (mut sig, whole) = if parts.len() == 1 {
        parts.pop()?
    } else {
        // Steps of a taper, or different doses in the morning and at night: one text, in order.
        let texts: Vec<String> = parts.into_iter().map(|(sig, _)| sig.text).collect();
        if texts.is_empty() {
            return None;
        }
        (Sig { text: texts.join("; "), ..Sig::default() }, false)
    };
    if !whole {
        node.remark_at(member, IssueCode::DosageTextOnly);
    }
    sig.text = sig.text.trim().to_owned();
    if sig.text.encode_utf16().count() > 300 {
        node.remark_at(member, IssueCode::DosageTooLong);
        return None;
    }
    if format::is_structured(&sig) && format::says_more(&sig, Some(product)) == TextAdds::Regimen {
        node.remark_at(member, IssueCode::DosageUnclear);
        sig = Sig { text: sig.text, ..Sig::default() };
    }
    if sig.check().is_err() {
        sig = Sig { text: sig.text, ..Sig::default() };
        node.remark_at(member, IssueCode::DosageTextOnly);
    }
    (!sig.text.is_empty()).then_some(sig)
}

/// One Dosage, and whether the structure holds all of it.
fn one(dosage: &Node<'_>) -> Option<(Sig, bool)> {
    let written = dosage.text("text").or_else(|| dosage.text("patientInstruction"));
    let mut parts = Parts::default();
    parts.amount(dosage);
    parts.route(dosage);
    parts.timing(dosage);
    parts.as_needed(dosage);
    parts.most(dosage);
    for extra in Concept::list(dosage, "additionalInstruction") {
        parts.words(extra.label());
    }
    if let Some(site) = Concept::read(dosage, "site") {
        parts.words(site.label());
    }
    let Parts { sig, words, lost } = parts;
    let whole = !lost && words.is_empty();
    let text = written.unwrap_or_else(|| {
        let mut said = format::sig_text(&sig, Language::En);
        for word in words {
            if !said.is_empty() {
                said.push_str(", ");
            }
            said.push_str(&word);
        }
        said
    });
    if text.is_empty() {
        return None;
    }
    let sig = if whole { Sig { text, ..sig } } else { Sig { text, ..Sig::default() } };
    Some((sig, whole))
}

/// What was found: structure, words for what has no place in it, and whether something was there that neither tells.
#[derive(Default)]
struct Parts {
    sig: Sig,
    words: Vec<String>,
    lost: bool,
}

impl Parts {
    /// Notes what the structure has no place for.
    fn words(&mut self, text: Option<String>) {
        match text {
            Some(text) => self.words.push(text),
            None => self.lost = true,
        }
    }

    fn amount(&mut self, dosage: &Node<'_>) {
        let rates = dosage.list("doseAndRate");
        let ordered = |rate: &&Node<'_>| {
            Concept::read(rate, "type")
                .is_some_and(|kind| kind.codes().any(|code| code == "ordered"))
        };
        let Some(rate) = rates.iter().find(ordered).or_else(|| rates.first()) else { return };
        self.lost |= rates.len() > 1;
        if let Some(quantity) = rate.object("doseQuantity") {
            let value = quantity.number("value");
            let unit = quantity.text("unit").or_else(|| quantity.text("code"));
            let compared = quantity.string("comparator").unwrap_or_default();
            match (value, value.and_then(decimal_of_json), unit) {
                (Some(_), Some(value), Some(unit)) if compared.is_empty() => {
                    let unit = format::unit_word(&unit).to_owned();
                    self.sig.dose = Some(Dose { value, unit });
                }
                (Some(written), _, None) => {
                    self.words.push(format!("{compared}{written} (unit not given)"))
                }
                (Some(written), _, Some(unit)) => {
                    self.words.push(format!("{compared}{written} {unit}"))
                }
                (None, _, _) => self.lost = true,
            }
        }
        if let Some(range) = rate.object("doseRange") {
            let end = |name| {
                let quantity = range.object(name)?;
                let unit =
                    quantity.text("unit").or_else(|| quantity.text("code")).unwrap_or_default();
                quantity.number("value").map(|value| format!("{value} {unit}").trim().to_owned())
            };
            match (end("low"), end("high")) {
                (Some(low), Some(high)) => self.words.push(format!("{low} to {high}")),
                (low, high) => self.words(low.or(high)),
            }
        }
        if ["rateRatio", "rateRange", "rateQuantity"].iter().any(|name| rate.has(name)) {
            self.words.push("at the rate in the chart".to_owned());
        }
    }

    fn route(&mut self, dosage: &Node<'_>) {
        let Some(concept) = Concept::read(dosage, "route") else { return };
        // Only the codes HL7's own examples carry; the others come with their words.
        let by_code = concept.code_in(SNOMED).and_then(|code| match code.code.as_str() {
            "26643006" => Some(Route::Oral),
            "34206005" => Some(Route::Subcutaneous),
            "78421000" => Some(Route::Intramuscular),
            _ => None,
        });
        let found = by_code.or_else(|| {
            concept.words().find_map(|word| {
                // "Inhalation route (qualifier value)"
                let word = word.split(" (").next().unwrap_or_default();
                Some(match word.trim_end_matches(" route").trim_end_matches(" use") {
                    "oral" | "by mouth" | "po" => Route::Oral,
                    "sublingual" | "sl" => Route::Sublingual,
                    "inhalation" | "inhaled" | "respiratory" => Route::Inhaled,
                    "nasal" => Route::Nasal,
                    "topical" | "cutaneous" => Route::Topical,
                    "transdermal" => Route::Transdermal,
                    "subcutaneous" | "subcut" | "sc" | "sq" => Route::Subcutaneous,
                    "intramuscular" | "im" => Route::Intramuscular,
                    "ophthalmic" | "ocular" => Route::Ophthalmic,
                    "otic" => Route::Otic,
                    "rectal" => Route::Rectal,
                    "vaginal" => Route::Vaginal,
                    _ => return None,
                })
            })
        });
        match found {
            Some(route) => self.sig.route = Some(route),
            None => self.words(concept.label()),
        }
    }

    fn timing(&mut self, dosage: &Node<'_>) {
        let Some(timing) = dosage.object("timing") else { return };
        if !timing.strings("event").is_empty() {
            self.words.push("on the dates in the chart".to_owned());
        }
        if let Some(repeat) = timing.object("repeat") {
            self.repeat(&repeat);
            return;
        }
        if let Some(concept) = Concept::read(&timing, "code")
            && !self.abbreviation(&concept)
        {
            self.words(concept.label().or_else(|| concept.codes().next().map(str::to_owned)));
        }
    }

    /// HL7's timing abbreviations.
    fn abbreviation(&mut self, concept: &Concept) -> bool {
        let times = |count, period, unit| Frequency { count, period, unit, meal: None };
        let (freq, time) = match concept.codes().next() {
            Some("QD") => (times(1, 1, PeriodUnit::D), None),
            Some("BID") => (times(2, 1, PeriodUnit::D), None),
            Some("TID") => (times(3, 1, PeriodUnit::D), None),
            Some("QID") => (times(4, 1, PeriodUnit::D), None),
            Some("QOD") => (times(1, 2, PeriodUnit::D), None),
            Some("AM") => (times(1, 1, PeriodUnit::D), Some(TimeOfDay::Morning)),
            Some("PM") => (times(1, 1, PeriodUnit::D), Some(TimeOfDay::Evening)),
            Some("BED") => (times(1, 1, PeriodUnit::D), Some(TimeOfDay::Bedtime)),
            Some("Q1H") => (times(1, 1, PeriodUnit::H), None),
            Some("Q2H") => (times(1, 2, PeriodUnit::H), None),
            Some("Q3H") => (times(1, 3, PeriodUnit::H), None),
            Some("Q4H") => (times(1, 4, PeriodUnit::H), None),
            Some("Q6H") => (times(1, 6, PeriodUnit::H), None),
            Some("Q8H") => (times(1, 8, PeriodUnit::H), None),
            Some("WK") => (times(1, 1, PeriodUnit::Wk), None),
            Some("MO") => (times(1, 1, PeriodUnit::Mo), None),
            Some(_) | None => return false,
        };
        self.sig.freq = Some(freq);
        self.sig.times.extend(time);
        true
    }

    fn repeat(&mut self, repeat: &Node<'_>) {
        let mut meal = None;
        for when in repeat.strings("when") {
            match when_of(when) {
                Some((time, relation)) => {
                    self.sig.times.extend(time);
                    self.lost |= meal.is_some() && relation.is_some() && meal != relation;
                    meal = meal.or(relation);
                }
                None => {
                    self.lost = true;
                    if when.len() > 20 {
                        repeat.remark_at("when", IssueCode::UnknownCode);
                    }
                }
            }
        }
        self.sig.times.sort_unstable();
        self.sig.times.dedup();
        self.frequency(repeat, meal);
        let days: Vec<&str> = repeat
            .strings("dayOfWeek")
            .into_iter()
            .filter_map(|day| {
                Some(match day {
                    "mon" => "Monday",
                    "tue" => "Tuesday",
                    "wed" => "Wednesday",
                    "thu" => "Thursday",
                    "fri" => "Friday",
                    "sat" => "Saturday",
                    "sun" => "Sunday",
                    _ => {
                        repeat.remark_at("dayOfWeek", IssueCode::UnknownCode);
                        return None;
                    }
                })
            })
            .collect();
        if !days.is_empty() {
            self.words.push(format!("on {}", days.join(", ")));
        }
        for time in repeat.strings("timeOfDay") {
            let time = time.get(..5).unwrap_or(time);
            self.words.push(format!("at {}", crate::fhir::node::clean(time)));
        }
        if let Some(count) = repeat.number("count") {
            self.words.push(format!("{count} times in all"));
        }
        if let Some(bounds) = repeat.object_quiet("boundsDuration") {
            let unit = bounds.text("unit").or_else(|| bounds.text("code")).unwrap_or_default();
            let length =
                bounds.number("value").map(|value| format!("for {value} {unit}").trim().to_owned());
            self.words(length);
        }
        // The period of a prescription is not part of how a dose is taken; a range of lengths is.
        self.lost |= ["boundsRange", "countMax", "duration", "durationMax", "offset"]
            .iter()
            .any(|name| repeat.has(name));
    }

    fn frequency(&mut self, repeat: &Node<'_>, meal: Option<Meal>) {
        let count = repeat.number("frequency");
        let period = repeat.number("period");
        let unit = repeat.string("periodUnit");
        let most = repeat.number("frequencyMax");
        let longest = repeat.number("periodMax");
        if period.is_none() && unit.is_none() && most.is_none() && longest.is_none() {
            match (count, meal) {
                // "In the morning", said by times alone.
                (None, None) => {}
                // "Before breakfast": each day is what the code means.
                (None, Some(_)) => {
                    let times = self.sig.times.len().max(1);
                    self.sig.freq = u8::try_from(times).ok().map(|count| Frequency {
                        count,
                        period: 1,
                        unit: PeriodUnit::D,
                        meal,
                    });
                    self.lost |= self.sig.times.is_empty();
                    if self.lost {
                        self.sig.freq = None;
                    }
                }
                // So many times, and nobody says in how long.
                (Some(count), _) => {
                    self.words.push(format!("{count} times (how often is not given)"))
                }
            }
            return;
        }
        let exact = || {
            let unit = match unit? {
                "h" => PeriodUnit::H,
                "d" => PeriodUnit::D,
                "wk" => PeriodUnit::Wk,
                "mo" => PeriodUnit::Mo,
                _ => return None,
            };
            let count: u8 = decimal_of_json(count.unwrap_or("1"))?.as_str().parse().ok()?;
            let period: u16 = decimal_of_json(period?)?.as_str().parse().ok()?;
            let fits = (1..=24).contains(&count) && (1..=365).contains(&period);
            (fits && most.is_none() && longest.is_none()).then_some(Frequency {
                count,
                period,
                unit,
                meal,
            })
        };
        match exact() {
            Some(freq) => self.sig.freq = Some(freq),
            None => {
                if !matches!(unit, Some("s" | "min" | "h" | "d" | "wk" | "mo" | "a") | None) {
                    repeat.remark_at("periodUnit", IssueCode::UnknownCode);
                }
                let range = |from: Option<&str>, to: Option<&str>| match (from, to) {
                    (Some(from), Some(to)) => format!("{from} to {to}"),
                    (Some(one), None) | (None, Some(one)) => one.to_owned(),
                    (None, None) => "1".to_owned(),
                };
                let unit = match unit {
                    Some("s") => "seconds",
                    Some("min") => "minutes",
                    Some("h") => "hours",
                    Some("d") => "days",
                    Some("wk") => "weeks",
                    Some("mo") => "months",
                    Some("a") => "years",
                    Some(_) | None => "(unit not given)",
                };
                self.words.push(format!(
                    "{} times every {} {unit}",
                    range(count, most),
                    range(period, longest)
                ));
            }
        }
    }

    fn as_needed(&mut self, dosage: &Node<'_>) {
        if dosage.has("asNeededCodeableConcept") {
            let reason = Concept::read(dosage, "asNeededCodeableConcept")
                .and_then(|concept| concept.label());
            self.sig.prn = Some(Prn { reason: reason.unwrap_or_default() });
        } else if dosage.truth("asNeededBoolean") == Some(true) {
            self.sig.prn = Some(Prn { reason: String::new() });
        }
    }

    fn most(&mut self, dosage: &Node<'_>) {
        if dosage.has("maxDosePerAdministration") || dosage.has("maxDosePerLifetime") {
            self.words.push("with the highest amount in the chart".to_owned());
        }
        let Some(ratio) = dosage.object("maxDosePerPeriod") else { return };
        let side = |name| {
            let quantity = ratio.object(name)?;
            let unit = quantity.text("unit").or_else(|| quantity.text("code")).unwrap_or_default();
            quantity.number("value").map(|value| (value, unit))
        };
        let (Some((amount, unit)), Some((length, per))) = (side("numerator"), side("denominator"))
        else {
            self.lost = true;
            return;
        };
        let a_day =
            matches!((length, per.as_str()), ("1", "d" | "day") | ("24", "h" | "hour" | "hours"));
        // "At most 4 tablets a day" is "at most 4 doses" only where a dose is 1 tablet.
        let one_each = self.sig.dose.as_ref().is_some_and(|dose| {
            dose.value.as_str() == "1" && dose.unit == format::unit_word(&unit)
        }) || format::unit_word(&unit) == "dose";
        match decimal_of_json(amount) {
            Some(most) if a_day && one_each => self.sig.max_per_day = Some(most),
            Some(_) | None => {
                self.words.push(format!("at most {amount} {unit} in {length} {per}"));
            }
        }
    }
}

/// FHIR `EventTiming`: a time of day, a relation to food, or both.
fn when_of(code: &str) -> Option<(Option<TimeOfDay>, Option<Meal>)> {
    Some(match code {
        "MORN" => (Some(TimeOfDay::Morning), None),
        "NOON" => (Some(TimeOfDay::Noon), None),
        "EVE" | "NIGHT" => (Some(TimeOfDay::Evening), None),
        "HS" => (Some(TimeOfDay::Bedtime), None),
        "AC" => (None, Some(Meal::Before)),
        "C" => (None, Some(Meal::With)),
        "PC" => (None, Some(Meal::After)),
        "ACM" => (Some(TimeOfDay::Morning), Some(Meal::Before)),
        "CM" => (Some(TimeOfDay::Morning), Some(Meal::With)),
        "PCM" => (Some(TimeOfDay::Morning), Some(Meal::After)),
        "ACD" => (Some(TimeOfDay::Noon), Some(Meal::Before)),
        "CD" => (Some(TimeOfDay::Noon), Some(Meal::With)),
        "PCD" => (Some(TimeOfDay::Noon), Some(Meal::After)),
        "ACV" => (Some(TimeOfDay::Evening), Some(Meal::Before)),
        "CV" => (Some(TimeOfDay::Evening), Some(Meal::With)),
        "PCV" => (Some(TimeOfDay::Evening), Some(Meal::After)),
        _ => return None,
    })
}
