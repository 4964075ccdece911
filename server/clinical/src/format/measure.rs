//! Readings, rounded for the eye; the record keeps the digits of the source.

use super::Language;
use crate::measure::{Measure, MeasureKind};

/// What was measured: "Blood pressure".
pub const fn measure_name(kind: MeasureKind, language: Language) -> &'static str {
    match (kind, language) {
        (MeasureKind::BloodPressure, Language::En) => "Blood pressure",
        (MeasureKind::Weight, Language::En) => "Weight",
        (MeasureKind::HeartRate, Language::En) => "Heart rate",
        (MeasureKind::Hba1c, Language::En | Language::Es) => "HbA1c",
        (MeasureKind::LdlCholesterol, Language::En) => "LDL cholesterol",
        (MeasureKind::Creatinine, Language::En) => "Creatinine",
        (MeasureKind::Egfr, Language::En) => "eGFR (kidneys)",
        (MeasureKind::Potassium, Language::En) => "Potassium",
        (MeasureKind::Inr, Language::En | Language::Es) => "INR",
        (MeasureKind::Alt, Language::En) => "ALT (liver)",
        (MeasureKind::BloodPressure, Language::Es) => "Presión arterial",
        (MeasureKind::Weight, Language::Es) => "Peso",
        (MeasureKind::HeartRate, Language::Es) => "Frecuencia cardíaca",
        (MeasureKind::LdlCholesterol, Language::Es) => "Colesterol LDL",
        (MeasureKind::Creatinine, Language::Es) => "Creatinina",
        (MeasureKind::Egfr, Language::Es) => "eGFR (riñones)",
        (MeasureKind::Potassium, Language::Es) => "Potasio",
        (MeasureKind::Alt, Language::Es) => "ALT (hígado)",
    }
}

/// The reading and its unit: "132/84 mm Hg", "7.2 %". What is no number is shown as it is.
pub fn measure(measure: &Measure, language: Language) -> String {
    let Measure { kind, value, unit, at: _, source: _ } = measure;
    let places = places(*kind);
    let parts: Vec<String> = value
        .split('/')
        .map(|part| round(part, places).unwrap_or_else(|| part.to_owned()))
        .collect();
    let number = parts.join("/");
    match unit_text(unit, language) {
        "" => number,
        unit => format!("{number} {unit}"),
    }
}

/// Places after the point that decide anything for this measure.
const fn places(kind: MeasureKind) -> usize {
    match kind {
        MeasureKind::BloodPressure
        | MeasureKind::HeartRate
        | MeasureKind::LdlCholesterol
        | MeasureKind::Egfr
        | MeasureKind::Alt => 0,
        MeasureKind::Weight | MeasureKind::Hba1c | MeasureKind::Potassium | MeasureKind::Inr => 1,
        MeasureKind::Creatinine => 2,
    }
}

/// Rounds half up, on the digits themselves. A shorter number stays as it is: a laboratory's "7.0" is not "7".
fn round(text: &str, places: usize) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let (kept, rest) = match fraction.split_at_checked(places) {
        Some((kept, rest)) if !rest.is_empty() => (kept, rest),
        Some(_) | None => return Some(text.to_owned()),
    };
    let mut number: u64 = format!("{whole}{kept}").parse().ok()?;
    if rest.starts_with(['5', '6', '7', '8', '9']) {
        number = number.checked_add(1)?;
    }
    let padded = format!("{number:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at_checked(padded.len() - places)?;
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

fn unit_text(unit: &str, language: Language) -> &str {
    match unit {
        "mm[Hg]" | "mmHg" => "mm Hg",
        "[lb_av]" | "lbs" => "lb",
        "/min" | "{beats}/min" | "{Beats}/min" | "beats/minute" | "bpm" => {
            language.pick("beats a minute", "latidos por minuto")
        }
        "mL/min/{1.73_m2}" | "mL/min/{1.73_m2}.m2" | "mL/min/1.73.m2" | "mL/min/1.73m2" => {
            "mL/min/1.73 m²"
        }
        "meq/L" => "mEq/L",
        "umol/L" => "µmol/L",
        "[iU]/L" | "IU/L" => "units/L",
        "U/L" => language.pick("units/L", "unidades/L"),
        "{INR}" | "1" | "{ratio}" => "",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::MeasureSource;

    fn shown(kind: MeasureKind, value: &str, unit: &str) -> String {
        let measure = Measure {
            kind,
            value: value.to_owned(),
            unit: unit.to_owned(),
            at: "2021-01-04".to_owned(),
            source: MeasureSource::Chart,
        };
        super::measure(&measure, Language::En)
    }

    #[test]
    fn a_reading_is_rounded_for_the_eye_only() {
        use MeasureKind::{BloodPressure, Creatinine, Egfr, Hba1c, Inr, Weight};
        assert_eq!(shown(BloodPressure, "137.39980562052983/84.5", "mm[Hg]"), "137/85 mm Hg");
        assert_eq!(shown(BloodPressure, "99.5/9.4", "mm[Hg]"), "100/9 mm Hg");
        assert_eq!(shown(Weight, "86.149", "kg"), "86.1 kg");
        assert_eq!(shown(Hba1c, "7.0", "%"), "7.0 %");
        assert_eq!(shown(Hba1c, "7", "%"), "7 %");
        assert_eq!(shown(Creatinine, "0.995", "mg/dL"), "1.00 mg/dL");
        assert_eq!(shown(Egfr, "0.04", "mL/min/{1.73_m2}"), "0 mL/min/1.73 m²");
        assert_eq!(shown(Inr, "2.45", "{INR}"), "2.5");
        assert_eq!(shown(Inr, "<0.8", ""), "<0.8");
    }
}
