//! The parts that many resources share: concepts, dosages, sections, entries.

use super::out::{Obj, Out};
use super::people::{absent, is_uri};
use super::row::{Made, div};
use super::{Export, say};
use crate::medication::{Dose, Meal, PeriodUnit, Route, Sig, TimeOfDay};
use crate::record::Held;
use crate::value::Code;

/// A concept in words, with its code where it has one.
pub(super) fn concept(text: &str, code: Option<&Code>) -> Obj {
    Obj::new().with("coding", code.and_then(coded).map(|coding| vec![coding])).with("text", text)
}

/// A concept of which only words are known.
pub(super) fn words(text: &str) -> Obj {
    Obj::new().with("text", text)
}

/// A `Coding` of a chart, if FHIR would take it.
fn coded(code: &Code) -> Option<Obj> {
    let shaped = !code.code.is_empty()
        && code.code.split(' ').all(|part| !part.is_empty())
        && !code.code.chars().any(|c| c.is_control() || (c.is_whitespace() && c != ' '));
    (shaped && is_uri(&code.system))
        .then(|| Obj::new().with("system", code.system.as_str()).with("code", code.code.as_str()))
}

/// A concept that must be there, of a value in whatever state: of a conflict all candidates in words and no code.
pub(super) fn required<T>(held: &Held<T>, open: &[String], of: impl FnOnce(&T) -> Obj) -> Obj {
    match held {
        Held::Value(said) => of(&said.value),
        Held::Empty => Obj::new().with("extension", [absent("unknown")]).with("text", "Not known"),
        Held::Conflict(_candidates) => Obj::new()
            .with("extension", [absent("unknown")])
            .with("text", if open.is_empty() { "Not decided".to_owned() } else { open.join(" ") }),
    }
}

/// A sig as a FHIR Dosage: the whole instruction as text, and its structure as far as it has one.
pub(super) fn dosage(sig: &Sig) -> Obj {
    let Sig { text, dose, route, freq, times, prn, max_per_day } = sig;
    let mut repeat = Obj::new();
    if let Some(freq) = freq {
        repeat = repeat
            .with("frequency", u16::from(freq.count))
            .with("period", freq.period)
            .with("periodUnit", period_unit(freq.unit));
    }
    let meal = freq.and_then(|freq| freq.meal);
    repeat = repeat.with("when", when(times, meal));
    let timing = Obj::new().with("repeat", repeat);
    let mut dosage = Obj::new().with("text", text.as_str()).with("timing", timing);
    dosage = match prn {
        Some(prn) if prn.reason.trim().is_empty() => dosage.with("asNeededBoolean", true),
        Some(prn) => dosage.with("asNeededCodeableConcept", words(&prn.reason)),
        None => dosage,
    };
    dosage = dosage.with("route", route.map(|route| words(route_word(route))));
    if let Some(dose) = dose {
        let quantity = Obj::new().with("doseQuantity", quantity(dose));
        dosage = dosage.with("doseAndRate", [quantity]);
    }
    let most = max_per_day.as_ref().map(|most| {
        Obj::new()
            .with(
                "numerator",
                Obj::new().with("value", Out::decimal(most.as_str())).with("unit", "dose"),
            )
            .with("denominator", day())
    });
    dosage.with("maxDosePerPeriod", most)
}

fn day() -> Obj {
    Obj::new()
        .with("value", 1_u16)
        .with("unit", "day")
        .with("system", "http://unitsofmeasure.org")
        .with("code", "d")
}

fn quantity(dose: &Dose) -> Obj {
    Obj::new().with("value", Out::decimal(dose.value.as_str())).with("unit", dose.unit.as_str())
}

const fn period_unit(unit: PeriodUnit) -> &'static str {
    match unit {
        PeriodUnit::H => "h",
        PeriodUnit::D => "d",
        PeriodUnit::Wk => "wk",
        PeriodUnit::Mo => "mo",
    }
}

/// FHIR `EventTiming`: times of day, then the relation to food.
fn when(times: &[TimeOfDay], meal: Option<Meal>) -> Vec<&'static str> {
    let times = times.iter().map(|time| match time {
        TimeOfDay::Morning => "MORN",
        TimeOfDay::Noon => "NOON",
        TimeOfDay::Evening => "EVE",
        TimeOfDay::Bedtime => "HS",
    });
    let meal = meal.map(|meal| match meal {
        Meal::Before => "AC",
        Meal::With => "C",
        Meal::After => "PC",
    });
    times.chain(meal).collect()
}

/// The route in a word that reads back.
const fn route_word(route: Route) -> &'static str {
    match route {
        Route::Oral => "oral",
        Route::Sublingual => "sublingual",
        Route::Inhaled => "inhalation",
        Route::Nasal => "nasal",
        Route::Topical => "topical",
        Route::Transdermal => "transdermal",
        Route::Subcutaneous => "subcutaneous",
        Route::Intramuscular => "intramuscular",
        Route::Ophthalmic => "ophthalmic",
        Route::Otic => "otic",
        Route::Rectal => "rectal",
        Route::Vaginal => "vaginal",
        Route::Other => "other, see the text",
    }
}

/// A section of a composition, in words of its own and with its entries. An empty one says so.
pub(super) fn section(title: &str, code: Obj, words: &str, entries: &[&Made]) -> Obj {
    let refs: Vec<Obj> = entries.iter().map(|made| super::people::reference(made.id)).collect();
    let empty = refs.is_empty().then(|| {
        Obj::new().with(
            "coding",
            [super::row::coding(
                "http://terminology.hl7.org/CodeSystem/list-empty-reason",
                "unavailable",
                "Unavailable",
            )],
        )
    });
    Obj::new()
        .with("title", title)
        .with("code", Obj::new().with("coding", [code]))
        .with("text", div("additional", words))
        .with("entry", refs)
        .with("emptyReason", empty)
}

/// Paragraphs out of lines.
pub(super) fn paragraphs<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let lines: String =
        lines.into_iter().map(|line| format!("<p>{}</p>", say::escape(line))).collect();
    if lines.is_empty() { "<p>None.</p>".to_owned() } else { lines }
}

/// The entries of a bundle.
pub(super) fn entries(made: Vec<Made>) -> Vec<Obj> {
    made.into_iter()
        .map(|made| {
            Obj::new()
                .with("fullUrl", format!("urn:uuid:{}", made.id))
                .with("resource", made.resource)
        })
        .collect()
}

/// 42 CFR §2.32(a): what has to go with records of a substance-use programme.
pub(super) const PART2: &str =
    "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";

impl Export<'_> {
    /// `Bundle.meta`: its profile, and the label of protected records.
    pub(super) fn meta(&self, profile: Option<&'static str>) -> Obj {
        let label = super::row::coding(
            "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "42CFRPart2",
            "42 CFR Part2",
        );
        Obj::new()
            .with("profile", profile.map(|profile| vec![profile]))
            .with("security", self.part2.then(|| vec![label]))
    }
}
