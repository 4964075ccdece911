//! What in a free text could be misread.
//!
//! Nothing here rewrites what somebody wrote. Staff see what could be misread and what it would say in full.

use std::ops::Range;

/// A place in a text that could be misread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misreading {
    /// Where, in bytes.
    pub at: Range<usize>,
    /// Why.
    pub kind: MisreadingKind,
    /// What it would say in full; `None` where only its writer knows.
    pub instead: Option<String>,
}

/// Why a piece of text could be misread (Joint Commission, "Do Not Use" list, and Latin that patients do not read).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MisreadingKind {
    /// "5.0 mg" is read as 50.
    TrailingZero,
    /// ".5 mg" is read as 5.
    NakedPoint,
    /// QD, QOD, U, IU, MS, µg, cc …
    DoNotUse,
    /// BID, PRN, PO …
    Abbreviation,
}

/// Finds what could be misread, in order.
pub fn misreadings(text: &str) -> Vec<Misreading> {
    words(text).filter_map(|(at, word)| misreading(text, at, word)).collect()
}

fn misreading(text: &str, start: usize, word: &str) -> Option<Misreading> {
    let at = start..start + word.len();
    if let Some((kind, instead)) = number(word) {
        return Some(Misreading { at, kind, instead: Some(instead) });
    }
    let upper: String = word.chars().filter(|c| *c != '.').flat_map(char::to_uppercase).collect();
    let (kind, instead) = match upper.as_str() {
        "QD" | "Q1D" => (MisreadingKind::DoNotUse, "daily"),
        "QOD" => (MisreadingKind::DoNotUse, "every other day"),
        // A lone capital only: "u" is a Spanish word.
        "U" if word == "U" && after_number(text, start) => (MisreadingKind::DoNotUse, "units"),
        "IU" => (MisreadingKind::DoNotUse, "units"),
        "ΜG" => (MisreadingKind::DoNotUse, "mcg"),
        "CC" if after_number(text, start) => (MisreadingKind::DoNotUse, "mL"),
        "MSO4" | "MGSO4" => {
            return Some(Misreading { at, kind: MisreadingKind::DoNotUse, instead: None });
        }
        "MS" if word == "MS" => {
            return Some(Misreading { at, kind: MisreadingKind::DoNotUse, instead: None });
        }
        "QHS" | "HS" => (MisreadingKind::DoNotUse, "at bedtime"),
        "BID" => (MisreadingKind::Abbreviation, "2 times a day"),
        "TID" => (MisreadingKind::Abbreviation, "3 times a day"),
        "QID" => (MisreadingKind::Abbreviation, "4 times a day"),
        "QAM" => (MisreadingKind::Abbreviation, "every morning"),
        "QPM" => (MisreadingKind::Abbreviation, "every evening"),
        "Q4H" => (MisreadingKind::Abbreviation, "every 4 hours"),
        "Q6H" => (MisreadingKind::Abbreviation, "every 6 hours"),
        "Q8H" => (MisreadingKind::Abbreviation, "every 8 hours"),
        "Q12H" => (MisreadingKind::Abbreviation, "every 12 hours"),
        "PRN" => (MisreadingKind::Abbreviation, "as needed"),
        "PO" => (MisreadingKind::Abbreviation, "by mouth"),
        "SL" => (MisreadingKind::Abbreviation, "under the tongue"),
        "SC" | "SQ" | "SUBQ" => (MisreadingKind::Abbreviation, "under the skin"),
        "IM" => (MisreadingKind::Abbreviation, "into a muscle"),
        "AC" if word == "AC" || word == "ac" => (MisreadingKind::Abbreviation, "before food"),
        "PC" if word == "PC" || word == "pc" => (MisreadingKind::Abbreviation, "after food"),
        _ => return None,
    };
    Some(Misreading { at, kind, instead: Some(instead.to_owned()) })
}

/// A number that could be misread, and how it is written well.
fn number(word: &str) -> Option<(MisreadingKind, String)> {
    let (whole, rest) = word.split_once('.')?;
    let fraction: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let unit = rest.get(fraction.len()..)?;
    if fraction.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let short = fraction.trim_end_matches('0');
    let point = if short.is_empty() { "" } else { "." };
    let first = if whole.is_empty() { "0" } else { whole };
    let instead = format!("{first}{point}{short}{unit}");
    if whole.is_empty() {
        Some((MisreadingKind::NakedPoint, instead))
    } else {
        (short.len() < fraction.len()).then_some((MisreadingKind::TrailingZero, instead))
    }
}

fn after_number(text: &str, start: usize) -> bool {
    text.get(..start)
        .and_then(|before| before.trim_end().chars().next_back())
        .is_some_and(|last| last.is_ascii_digit())
}

/// Words with their place, without the punctuation around them. A number and the letters right after it are one word.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '(' | ')' | '/'))
        .map(|word| word.trim_end_matches(['.', '!', '?', '"']))
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr().addr() - text.as_ptr().addr(), word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, Option<String>)> {
        misreadings(text).into_iter().map(|m| (&text[m.at], m.instead)).collect()
    }

    #[test]
    fn what_could_be_misread_is_found_and_not_rewritten() {
        assert_eq!(
            found("5.0 mg PO BID, insulin 10 U q.d. (.5 tab PRN)"),
            [
                ("5.0", Some("5".to_owned())),
                ("PO", Some("by mouth".to_owned())),
                ("BID", Some("2 times a day".to_owned())),
                ("U", Some("units".to_owned())),
                ("q.d", Some("daily".to_owned())),
                (".5", Some("0.5".to_owned())),
                ("PRN", Some("as needed".to_owned())),
            ]
        );
        assert_eq!(
            found("5.0mg 2.50mg MS 10 µg"),
            [
                ("5.0mg", Some("5mg".to_owned())),
                ("2.50mg", Some("2.5mg".to_owned())),
                ("MS", None),
                ("µg", Some("mcg".to_owned())),
            ]
        );
        assert_eq!(found("Take 1 tablet (0.5 mg) by mouth daily. Uno u otro."), []);
    }
}
