//! Units of a dose, and exact decimals.

use super::Language;
use crate::value::Decimal;

/// The safe spelling of a dose unit: "tab" → "tablet", "µg" → "mcg", "cc" → "mL", "IU" → "units". A unit we do not
/// know stays as it is written.
pub fn unit_word(unit: &str) -> &str {
    let bare = unit.trim().trim_matches(|c| matches!(c, '{' | '}' | '[' | ']' | '.'));
    let lower = bare.to_lowercase();
    match lower.as_str() {
        "tablet" | "tablets" | "tab" | "tabs" | "tbl" | "tableta" | "tabletas" => "tablet",
        "capsule" | "capsules" | "cap" | "caps" | "cápsula" | "cápsulas" => "capsule",
        "mg" | "milligram" | "milligrams" => "mg",
        "mcg" | "ug" | "µg" | "μg" | "microgram" | "micrograms" => "mcg",
        "g" | "gm" | "gram" | "grams" => "g",
        "ml" | "cc" | "milliliter" | "milliliters" => "mL",
        "meq" => "mEq",
        "unit" | "units" | "u" | "iu" | "unt" | "unidad" | "unidades" => "units",
        "puff" | "puffs" | "actuat" | "actuation" | "actuations" | "inhalation" | "inhalations" => {
            "puff"
        }
        "spray" | "sprays" => "spray",
        "drop" | "drops" | "gtt" | "drp" => "drop",
        "patch" | "patches" => "patch",
        "suppository" | "suppositories" | "supp" => "suppository",
        "packet" | "packets" | "pkt" | "pckt" => "packet",
        "lozenge" | "lozenges" => "lozenge",
        "application" | "applications" => "application",
        "dose" | "doses" => "dose",
        _ => unit.trim(),
    }
}

/// Whether the unit measures the active substance.
pub(super) fn is_substance(unit: &str) -> bool {
    matches!(unit, "mg" | "mcg" | "g" | "mEq" | "units")
}

/// The unit beside a number, in the right number.
pub(super) fn unit(unit: &str, value: &Decimal, language: Language) -> String {
    // "0.5 tablet", "1 tablet", "1.5 tablets".
    let one = value.as_str() == "1" || value.as_str().starts_with("0.");
    let word = unit_word(unit);
    let (en, en_many, es, es_many) = match word {
        "tablet" => ("tablet", "tablets", "tableta", "tabletas"),
        "capsule" => ("capsule", "capsules", "cápsula", "cápsulas"),
        "units" => ("unit", "units", "unidad", "unidades"),
        "puff" => ("puff", "puffs", "inhalación", "inhalaciones"),
        "spray" => ("spray", "sprays", "rociada", "rociadas"),
        "drop" => ("drop", "drops", "gota", "gotas"),
        "patch" => ("patch", "patches", "parche", "parches"),
        "suppository" => ("suppository", "suppositories", "supositorio", "supositorios"),
        "packet" => ("packet", "packets", "sobre", "sobres"),
        "lozenge" => ("lozenge", "lozenges", "pastilla", "pastillas"),
        "application" => ("application", "applications", "aplicación", "aplicaciones"),
        "dose" => ("dose", "doses", "dosis", "dosis"),
        _ => return word.to_owned(),
    };
    let chosen = match (language, one) {
        (Language::En, true) => en,
        (Language::En, false) => en_many,
        (Language::Es, true) => es,
        (Language::Es, false) => es_many,
    };
    chosen.to_owned()
}

/// Exact product of two decimals; `None` where it would not fit or would be longer than a decimal may be.
pub fn multiply(a: &Decimal, b: &Decimal) -> Option<Decimal> {
    let (a, a_places) = scaled(a.as_str())?;
    let (b, b_places) = scaled(b.as_str())?;
    canonical(a.checked_mul(b)?, a_places + b_places)
}

fn scaled(text: &str) -> Option<(u64, usize)> {
    let places = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    text.replace('.', "").parse().ok().map(|digits| (digits, places))
}

fn canonical(digits: u64, places: usize) -> Option<Decimal> {
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at_checked(padded.len().checked_sub(places)?)?;
    decimal(whole, fraction)
}

/// The canonical form of a number's parts: no leading zeros but one, no trailing ones.
fn decimal(whole: &str, fraction: &str) -> Option<Decimal> {
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        Decimal::parse(whole)
    } else {
        Decimal::parse(&format!("{whole}.{fraction}"))
    }
}

/// The canonical decimal of a JSON number; `None` for a negative, an exponent, or more digits than a dose has.
pub(crate) fn decimal_of_json(text: &str) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    decimal(whole, fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_of_decimals_is_exact() {
        for (a, b, product) in [
            ("0.5", "10", "5"),
            ("2", "0.125", "0.25"),
            ("1.5", "2.5", "3.75"),
            ("0.1", "0.1", "0.01"),
        ] {
            let [a, b] = [a, b].map(|text| Decimal::parse(text).unwrap());
            assert_eq!(multiply(&a, &b).unwrap().as_str(), product);
        }
        let big = Decimal::parse("999999999").unwrap();
        assert_eq!(multiply(&big, &big), None);
    }

    #[test]
    fn a_json_number_becomes_a_safe_decimal() {
        for (json, decimal) in [("5.0", "5"), ("0.50", "0.5"), ("10", "10"), ("100.250", "100.25")]
        {
            assert_eq!(decimal_of_json(json).unwrap().as_str(), decimal);
        }
        for json in ["-1", "1e3", "0.1234567"] {
            assert_eq!(decimal_of_json(json), None, "{json}");
        }
    }

    #[test]
    fn a_unit_gets_its_safe_spelling() {
        for (written, safe) in [
            ("µg", "mcg"),
            ("IU", "units"),
            ("cc", "mL"),
            ("TAB", "tablet"),
            ("{tbl}", "tablet"),
            ("scoop", "scoop"),
        ] {
            assert_eq!(unit_word(written), safe);
        }
    }
}
