//! What is in a medicine, as far as its name tells.
//!
//! A prompt for the eye, not an interaction checker: "Clopidogrel 75 MG Oral Tablet" and "clopidogrel (Plavix)" hold
//! the same; whether two names of one class belong together is for a person to see.

/// Words of a salt or ester that do not make another ingredient.
const SALTS: [&str; 30] = [
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
];

/// Words before a name that say how it is given out.
const LEADING: [&str; 4] = ["hr", "hour", "actuat", "ml"];

/// The ingredients of a product name, in lower case.
pub(in crate::fhir) fn of(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    // A brand in brackets repeats what stands before it.
    let bare = lower.split(['[', '(']).next().unwrap_or_default();
    bare.split(" / ").filter_map(one).collect()
}

fn one(part: &str) -> Option<String> {
    let mut words: Vec<&str> = part
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .skip_while(|word| word.starts_with(|c: char| c.is_ascii_digit()) || LEADING.contains(word))
        .take_while(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
        .take_while(|word| {
            !matches!(
                *word,
                "oral"
                    | "tablet"
                    | "tablets"
                    | "capsule"
                    | "capsules"
                    | "extended"
                    | "injection"
                    | "solution"
            )
        })
        .collect();
    while words.len() > 1 && words.last().is_some_and(|last| SALTS.contains(last)) {
        words.pop();
    }
    (!words.is_empty()).then(|| words.join(" "))
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
            (
                "60 ACTUAT Fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler",
                vec!["fluticasone", "salmeterol"],
            ),
            ("Ginkgo", vec!["ginkgo"]),
            ("", vec![]),
        ] {
            assert_eq!(of(name), ingredients, "{name}");
        }
    }
}
