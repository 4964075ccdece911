//! What is in a medicine, as far as its name tells.
//!
//! A prompt for the eye, not an interaction checker: "Clopidogrel 75 MG Oral Tablet" and "clopidogrel (Plavix)" hold
//! the same; whether two names of one class belong together is for a person to see. Whole names are compared, never
//! their beginnings: "vitamin D" and "vitamin B12" share a word and nothing else.

/// Words of a salt or ester that do not make another ingredient.
const SALTS: [&str; 31] = [
    "hydrochloride",
    "hcl",
    "sodium",
    "potassium",
    "besylate",
    "mesylate",
    "maleate",
    "tartrate",
    "succinate",
    "fumarate",
    "sulfate",
    "phosphate",
    "acetate",
    "citrate",
    "bromide",
    "hydrobromide",
    "calcium",
    "magnesium",
    "propionate",
    "furoate",
    "bisulfate",
    "trihydrate",
    "monohydrate",
    "dihydrate",
    "anhydrous",
    "bitartrate",
    "chloride",
    "carbonate",
    "disodium",
    "nitrate",
    "dipropionate",
];

/// Words before a name that say how it is given out.
const LEADING: [&str; 4] = ["hr", "hour", "actuat", "ml"];

/// Words of form, release and strength: the name ends where one of them begins.
const FORMS: [&str; 58] = [
    "oral",
    "tablet",
    "tablets",
    "tab",
    "tabs",
    "capsule",
    "capsules",
    "cap",
    "caps",
    "extended",
    "delayed",
    "sustained",
    "controlled",
    "immediate",
    "release",
    "injection",
    "injectable",
    "solution",
    "suspension",
    "syrup",
    "cream",
    "ointment",
    "gel",
    "patch",
    "inhaler",
    "spray",
    "drops",
    "powder",
    "pen",
    "chewable",
    "enteric",
    "coated",
    "film",
    "low",
    "high",
    "dose",
    "strength",
    "extra",
    "regular",
    "er",
    "xr",
    "xl",
    "sr",
    "cr",
    "ec",
    "dr",
    "la",
    "ir",
    "cd",
    "odt",
    "hfa",
    "otc",
    "mg",
    "mcg",
    "tableta",
    "tabletas",
    "pastillas",
    "jarabe",
];

/// Short and second names (USAN beside INN, and what is written on paper), and what they mean. Those that cannot mean
/// another medicine; the error-prone ones (MS, MTX) are left as they are written.
const SAME: [(&str, &str); 7] = [
    ("acetylsalicylic acid", "aspirin"),
    ("asa", "aspirin"),
    ("apap", "acetaminophen"),
    ("paracetamol", "acetaminophen"),
    ("salbutamol", "albuterol"),
    ("glyburide", "glibenclamide"),
    ("hctz", "hydrochlorothiazide"),
];

/// The ingredients of a product name, in lower case.
pub(crate) fn of(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    // A brand in brackets repeats what stands before it.
    let bare = lower.split(['[', '(']).next().unwrap_or_default();
    let mut found: Vec<String> = Vec::new();
    for part in bare.split(" / ").flat_map(|part| part.split(" and ")).flat_map(|p| p.split('+')) {
        for one in one(part) {
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

/// The second name in brackets: "metformin" of "Glucophage (metformin)". It says something only where another medicine
/// goes by it, because people write notes in brackets too.
pub(crate) fn second(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let inside = lower.split(['[', '(']).nth(1)?.split([']', ')']).next()?;
    one(inside).into_iter().next()
}

fn one(part: &str) -> Vec<String> {
    let number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let mut words: Vec<&str> = part
        .split([' ', ',', '\t', '\n'])
        .filter(|word| !word.is_empty())
        .skip_while(|word| number(word) || LEADING.contains(word) || FORMS.contains(word))
        .take_while(|word| !number(word) && !form(word))
        .collect();
    while words.len() > 1 && words.last().is_some_and(|last| SALTS.contains(last)) {
        words.pop();
    }
    if words.is_empty() {
        return Vec::new();
    }
    let name = words.join(" ");
    // Two in one word: "lisinopril/hctz", "acetaminophen-codeine".
    let parts: Vec<&str> = name.split('/').flat_map(hyphenated).collect();
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(meant).collect()
}

/// "extended-release" is a form as "extended" is.
fn form(word: &str) -> bool {
    word.split('-').next().is_some_and(|first| FORMS.contains(&first))
}

/// Long parts only: "alpha-lipoic", "omega-3" and "co-trimoxazole" are one name.
fn hyphenated(name: &str) -> Vec<&str> {
    match name.split_once('-') {
        Some((first, second))
            if first.len() >= 6
                && second.len() >= 4
                && !name.contains(' ')
                && second.chars().all(char::is_alphabetic) =>
        {
            vec![first, second]
        }
        Some(_) | None => vec![name],
    }
}

fn meant(name: &str) -> String {
    SAME.iter().find(|(written, _)| *written == name).map_or(name, |(_, meant)| meant).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ingredient_is_found_in_the_name() {
        for (name, ingredients) in [
            ("Clopidogrel 75 MG Oral Tablet", vec!["clopidogrel"]),
            ("clopidogrel 75 MG Oral Tablet [Plavix]", vec!["clopidogrel"]),
            ("Verapamil Hydrochloride 40 MG", vec!["verapamil"]),
            ("Penicillin V Potassium 500 MG Oral Tablet", vec!["penicillin v"]),
            ("potassium chloride 20 MEQ Extended Release Oral Tablet", vec!["potassium"]),
            (
                "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet",
                vec!["metformin"],
            ),
            ("Metformin ER", vec!["metformin"]),
            ("metformin extended-release tablets", vec!["metformin"]),
            ("Aspirin low dose", vec!["aspirin"]),
            ("ASA EC 81 mg", vec!["aspirin"]),
            ("Lisinopril/HCTZ 10/12.5", vec!["lisinopril", "hydrochlorothiazide"]),
            ("acetaminophen-codeine #3", vec!["acetaminophen-codeine #3"]),
            ("Acetaminophen-Codeine 300-30 mg", vec!["acetaminophen", "codeine"]),
            ("amoxicillin and clavulanate potassium", vec!["amoxicillin", "clavulanate"]),
            ("alpha-lipoic acid", vec!["alpha-lipoic acid"]),
            ("omega-3", vec!["omega-3"]),
            (
                "60 ACTUAT Fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler",
                vec!["fluticasone", "salmeterol"],
            ),
            ("Vitamin D3 2000 units", vec!["vitamin d3"]),
            ("Ginkgo", vec!["ginkgo"]),
            ("", vec![]),
        ] {
            assert_eq!(of(name), ingredients, "{name}");
        }
        assert_eq!(second("Glucophage (metformin) 500 mg"), Some("metformin".to_owned()));
        assert_eq!(second("metformin"), None);
    }
}
