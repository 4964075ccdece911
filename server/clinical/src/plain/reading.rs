//! How hard a text is to read: Flesch-Kincaid for English, Fernández-Huerta for Spanish.
//!
//! Fernández-Huerta is taken in its corrected form, 206.84 − 60 × syllables per word − 1.02 × words per sentence; many
//! published copies have the two terms wrong. Names of medicines are left out of the count: they are as long as they
//! are.

use serde::{Deserialize, Serialize};

use crate::format::Language;

/// A reading score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// By which formula: English a US school grade (less is easier), Spanish 0 to 100 (more is easier).
    pub language: Language,
    /// The score in tenths.
    pub tenths: i32,
    /// What to make of it.
    pub verdict: ReadingVerdict,
}

/// What to make of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ReadingVerdict {
    /// Grade 6 or lower; 70 or more in Spanish.
    Good,
    /// Up to grade 8; 60 or more.
    Hard,
    /// Harder.
    TooHard,
}

impl Reading {
    /// The score of no text at all.
    pub(super) const fn default_of(language: Language) -> Self {
        let tenths = match language {
            Language::En => 0,
            Language::Es => 1000,
        };
        Self { language, tenths, verdict: ReadingVerdict::Good }
    }
}

/// Scores sentences. Each text ends a sentence, whatever it ends with. Words of `names` are left out.
pub fn of<'t>(texts: impl Iterator<Item = &'t str>, names: &[&str], language: Language) -> Reading {
    let names: Vec<String> = names
        .iter()
        .flat_map(|name| name.split_whitespace())
        .map(bare)
        .filter(|word| word.len() > 2)
        .collect();
    let mut count = Count::default();
    for text in texts {
        for sentence in split(text) {
            count.sentence(sentence, &names, language);
        }
    }
    let Count { sentences, words, syllables } = count;
    if words == 0 {
        return Reading::default_of(language);
    }
    let [sentences, words, syllables] = [sentences, words, syllables].map(f64::from);
    let (length, weight) = (words / sentences, syllables / words);
    let score = match language {
        Language::En => 0.39 * length + 11.8 * weight - 15.59,
        Language::Es => 206.84 - 60.0 * weight - 1.02 * length,
    };
    #[expect(clippy::cast_possible_truncation, reason = "scores lie between -200 and 3000")]
    let tenths = (score * 10.0).round() as i32;
    let verdict = match (language, tenths) {
        (Language::En, ..=60) | (Language::Es, 700..) => ReadingVerdict::Good,
        (Language::En, 61..=80) | (Language::Es, 600..700) => ReadingVerdict::Hard,
        (Language::En, 81..) | (Language::Es, ..600) => ReadingVerdict::TooHard,
    };
    Reading { language, tenths, verdict }
}

#[derive(Default)]
struct Count {
    sentences: u32,
    words: u32,
    syllables: u32,
}

impl Count {
    fn sentence(&mut self, sentence: &str, names: &[String], language: Language) {
        let mut found = 0;
        for word in sentence.split(|c: char| c.is_whitespace() || matches!(c, '/' | '-')) {
            let word = bare(word);
            if word.is_empty() || names.contains(&word) {
                continue;
            }
            found += 1;
            self.syllables += syllables(&word, language);
        }
        if found > 0 {
            self.sentences += 1;
            self.words += found;
        }
    }
}

/// Splits at the end of sentences: ".", "!", "?" or ":" before a space; not inside "0.5".
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut before: Option<(usize, char)> = None;
    for (at, letter) in text.char_indices() {
        if letter.is_whitespace()
            && let Some((_, '.' | '!' | '?' | ':')) = before
        {
            parts.extend(text.get(start..at));
            start = at;
        }
        before = Some((at, letter));
    }
    parts.extend(text.get(start..));
    parts
}

/// The letters and digits of a word, in lower case.
fn bare(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Syllables of a word. A number counts as one: it is read at a glance.
pub fn syllables(word: &str, language: Language) -> u32 {
    if word.chars().any(|c| c.is_ascii_digit()) {
        return 1;
    }
    let counted = match language {
        Language::En => english(word),
        Language::Es => spanish(word),
    };
    counted.max(1)
}

/// Groups of vowels, less what is silent.
fn english(word: &str) -> u32 {
    let vowel = |c: char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    let mut count: u32 = 0;
    let mut before = false;
    for letter in word.chars() {
        let now = vowel(letter);
        count += u32::from(now && !before);
        before = now;
    }
    let ends = |end: &str| word.ends_with(end);
    let le_after_consonant = ends("le") && word.chars().rev().nth(2).is_some_and(|c| !vowel(c));
    // "tablet" 2, "take" 1, "table" 2, "needed" 2, "used" 1.
    if (ends("e") && !le_after_consonant) && !ends("ee") {
        count = count.saturating_sub(1);
    }
    if ends("ed") && !ends("ted") && !ends("ded") && count > 1 {
        count -= 1;
    }
    // "medicines" 3, "times" 1, but "doses" 2 and "changes" 2.
    if ends("es")
        && count > 1
        && !["ses", "ces", "ges", "zes", "xes", "shes", "ches", "ies"].iter().any(|end| ends(end))
    {
        count -= 1;
    }
    // Two vowels in two syllables: "ia" in "insomnia", "io" in "period" (not in "-tion").
    for pair in ["ia", "io", "eo", "iu", "ua"] {
        if word.contains(pair)
            && !["tia", "cia", "tio", "sio", "cio", "gio", "gua", "qua"]
                .iter()
                .any(|not| word.contains(not))
        {
            count += 1;
        }
    }
    count
}

/// Strong vowels and accented weak ones make a syllable each; weak ones join what stands beside them.
fn spanish(word: &str) -> u32 {
    let mut count = 0;
    let mut before: Option<Kind> = None;
    let letters: Vec<char> = word.chars().collect();
    for (index, letter) in letters.iter().enumerate() {
        let kind = match letter {
            'a' | 'e' | 'o' | 'á' | 'é' | 'ó' => Some(Kind::Strong),
            'í' | 'ú' => Some(Kind::Accented),
            'i' | 'u' | 'ü' => Some(Kind::Weak),
            'y' if index + 1 == letters.len() => Some(Kind::Weak),
            _ => None,
        };
        count += match (before, kind) {
            (_, None) => 0,
            (None, Some(_)) => 1,
            (Some(_), Some(Kind::Accented)) | (Some(Kind::Accented), Some(Kind::Strong)) => 1,
            (Some(Kind::Strong), Some(Kind::Strong)) => 1,
            (Some(_), Some(Kind::Weak)) | (Some(Kind::Weak), Some(Kind::Strong)) => 0,
        };
        before = kind;
    }
    count
}

#[derive(Clone, Copy)]
enum Kind {
    Strong,
    Weak,
    Accented,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The screens score what is typed with code of their own: both must agree on these. `MORTAR_BLESS` writes them.
    #[test]
    fn the_screens_and_the_page_agree() {
        #[derive(Deserialize, Serialize)]
        struct Case {
            text: String,
            names: Vec<String>,
            language: Language,
            tenths: i32,
            verdict: ReadingVerdict,
        }
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../signaling/fixtures/reading/cases.json");
        let mut cases: Vec<Case> =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let bless = std::env::var_os("MORTAR_BLESS").is_some();
        for case in &mut cases {
            let names: Vec<&str> = case.names.iter().map(String::as_str).collect();
            let found = of([case.text.as_str()].into_iter(), &names, case.language);
            if bless {
                (case.tenths, case.verdict) = (found.tenths, found.verdict);
            }
            assert_eq!((found.tenths, found.verdict), (case.tenths, case.verdict), "{}", case.text);
        }
        if bless {
            std::fs::write(&path, serde_json::to_string_pretty(&cases).unwrap() + "\n").unwrap();
        }
    }

    #[test]
    fn english_syllables_are_counted() {
        for (word, count) in [
            ("take", 1),
            ("tablet", 2),
            ("medicine", 3),
            ("every", 3),
            ("table", 2),
            ("needed", 2),
            ("used", 1),
            ("times", 1),
            ("doses", 2),
            ("evening", 3),
            ("bedtime", 2),
            ("mouth", 1),
            ("tongue", 1),
            ("insomnia", 4),
            ("you", 1),
            ("daily", 2),
            ("pharmacist", 3),
            ("people", 2),
        ] {
            let counted = syllables(word, Language::En);
            assert!(
                counted.abs_diff(count)
                    <= u32::from(matches!(
                        word,
                        "evening" | "every" | "people" | "tongue" | "bedtime"
                    )),
                "{word}: {counted}"
            );
        }
    }

    #[test]
    fn spanish_syllables_are_counted() {
        for (word, count) in [
            ("tome", 2),
            ("tableta", 3),
            ("día", 2),
            ("veces", 2),
            ("mediodía", 4),
            ("noche", 2),
            ("acostarse", 4),
            ("quien", 1),
            ("agua", 2),
            ("cuándo", 2),
            ("oído", 3),
            ("farmacéutico", 5),
            ("muy", 1),
            ("y", 1),
            ("leer", 2),
        ] {
            assert_eq!(syllables(word, Language::Es), count, "{word}");
        }
    }

    #[test]
    fn the_formulas_are_the_published_ones() {
        // 7 words, 1 sentence, 7 syllables: 0.39 × 7 + 11.8 × 1 − 15.59 = −1.06.
        let cat = of(["The cat sat on the mat now."].into_iter(), &[], Language::En);
        assert_eq!((cat.tenths, cat.verdict), (-11, ReadingVerdict::Good));
        // 4 words, 1 sentence, 9 syllables: 206.84 − 60 × 9/4 − 1.02 × 4 = 67.76.
        let toma = of(["Tome una tableta diaria."].into_iter(), &[], Language::Es);
        assert_eq!((toma.tenths, toma.verdict), (678, ReadingVerdict::Hard));
    }

    #[test]
    fn hard_text_is_told_from_plain_text() {
        let hard = "Concomitant administration of nonsteroidal antiinflammatory medications potentially precipitates deterioration of renal function.";
        assert_eq!(of([hard].into_iter(), &[], Language::En).verdict, ReadingVerdict::TooHard);
        let plain = "Do not take this pill with your heart pills. It can hurt your kidneys.";
        assert_eq!(of([plain].into_iter(), &[], Language::En).verdict, ReadingVerdict::Good);
    }

    #[test]
    fn the_name_of_a_medicine_does_not_count() {
        let with =
            of(["Take hydrochlorothiazide."].into_iter(), &["hydrochlorothiazide"], Language::En);
        let without = of(["Take."].into_iter(), &[], Language::En);
        assert_eq!(with, without);
    }

    #[test]
    fn a_point_inside_a_number_ends_no_sentence() {
        assert_eq!(split("Take 0.5 tablet. Then rest.").len(), 2);
    }
}
