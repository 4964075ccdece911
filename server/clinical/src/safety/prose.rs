//! Doses in running text.

/// Units in which medicines are dosed, English and Spanish. Grams and plain numbers are left out: "2 g sodium diet"
/// and "3 visits" are no doses.
const UNITS: [&str; 43] = [
    "mg",
    "mgs",
    "milligram",
    "milligrams",
    "miligramo",
    "miligramos",
    "mcg",
    "µg",
    "μg",
    "ug",
    "microgram",
    "micrograms",
    "microgramo",
    "microgramos",
    "ml",
    "mls",
    "meq",
    "iu",
    "ui",
    "unit",
    "units",
    "unidad",
    "unidades",
    "tablet",
    "tablets",
    "tab",
    "tabs",
    "tableta",
    "tabletas",
    "pastilla",
    "pastillas",
    "pill",
    "pills",
    "capsule",
    "capsules",
    "cap",
    "caps",
    "capsula",
    "cápsula",
    "cápsulas",
    "puff",
    "puffs",
    "drops",
];

/// Behind a slash they make a concentration in blood or urine, or a size, and no dose: "LDL 130 mg/dL", "ACR 30 mg/g".
const PER: [&str; 7] = ["dl", "l", "g", "mmol", "min", "m2", "hr"];

/// Whether a text holds a number with a unit of dose.
pub(super) fn holds_dose(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut rest = lower.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '½')))
            .unwrap_or(from.len());
        let (_, after) = from.split_at(end);
        // "B12" and "A1c" are names.
        let stands_alone = !before.chars().next_back().is_some_and(char::is_alphabetic);
        if stands_alone && unit_follows(after) {
            return true;
        }
        rest = after;
    }
    false
}

fn unit_follows(after: &str) -> bool {
    let after = after.strip_prefix(['-', ' ', '\u{a0}']).unwrap_or(after);
    let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
    let (unit, behind) = after.split_at(end);
    if !UNITS.contains(&unit) {
        return false;
    }
    let Some(per) = behind.strip_prefix('/') else { return true };
    let end = per.find(|c: char| !c.is_alphanumeric()).unwrap_or(per.len());
    let (per, _) = per.split_at(end);
    !PER.contains(&per)
}

/// Whether a text, in lower case, names a medicine as a word of its own.
pub(super) fn names(lower: &str, name: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric();
    name.len() >= 3
        && lower.match_indices(name).any(|(start, found)| {
            let (before, _) = lower.split_at(start);
            let (_, after) = lower.split_at(start + found.len());
            !before.chars().next_back().is_some_and(letter)
                && !after.chars().next().is_some_and(letter)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dose_in_prose_is_found_and_a_reading_is_not() {
        for text in [
            "lower simvastatin to 10 mg",
            "10mg at night",
            "1.5 mg daily",
            "took 2 tablets",
            "bajar a 10 miligramos",
            "dos veces, 1 pastilla",
            "25-mg tablet",
            "insulin 12 units",
            "5 mg/kg",
            "250 mg/5 mL",
        ] {
            assert!(holds_dose(text), "{text}");
        }
        for text in [
            "",
            "LDL 130 mg/dL",
            "creatinine 88 mcg/L",
            "ACR 30 mg/g",
            "vitamin B12 units differ",
            "call in 2 weeks",
            "2 g sodium diet",
            "BP 142/88",
            "A1c 8.2 %",
            "mg",
            "one tablet",
        ] {
            assert!(!holds_dose(text), "{text}");
        }
    }

    #[test]
    fn a_medicine_is_named_by_a_whole_word() {
        assert!(names("raise metformin, please", "metformin"));
        assert!(names("vitamin d: 50 mcg", "vitamin d"));
        assert!(!names("vitamin d3", "vitamin d"));
        assert!(!names("metforminium", "metformin"));
    }
}
