//! Payers' rules as data: a dated, versioned table that the operator replaces. Nothing a payer may change is code, and
//! of CPT the numbers alone stand in the table, never a descriptor (the terminology is the AMA's).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::value::PartialDate;

/// The table, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTable {
    version: String,
    rules: Vec<Rule>,
}

/// The table as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    rules: Vec<Rule>,
}

/// One payer's rule for a time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable code: "part_d".
    pub payer: String,
    /// As people know it.
    pub name: String,
    /// First day it holds, as "2026-01-01".
    pub valid_from: PartialDate,
    /// Last day it holds; without it, until further notice.
    pub valid_to: Option<PartialDate>,
    /// Whether this is Medicare, which allows no free service to others (Louisiana's MTM programme).
    #[serde(default)]
    pub medicare: bool,
    /// Whether somebody has compared it with the payer's manual.
    pub verified: bool,
    /// Longest gap that counts, in seconds.
    pub gap_tolerance_s: u32,
    /// How time becomes units.
    pub units: UnitRule,
    /// Codes on the lines.
    pub codes: Codes,
    /// Place of service.
    pub pos: PlaceOfService,
    /// Modifiers.
    #[serde(default)]
    pub modifiers: Modifiers,
}

/// Numbers of the codes a payer takes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// The first unit of a patient new to the organisation.
    pub initial_new: String,
    /// The first unit of one who is not.
    pub initial_established: String,
    /// Each further unit.
    pub additional: String,
}

/// Place-of-service codes (CMS transmittal 11045: 10 in the patient's home, 02 elsewhere).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceOfService {
    /// By telehealth, the patient at home.
    pub home: String,
    /// By telehealth, the patient elsewhere.
    pub elsewhere: String,
    /// In one room with the pharmacist.
    pub in_person: String,
}

/// Modifiers by how the greater part was held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modifiers {
    /// Sound and picture.
    pub video: Option<String>,
    /// Sound alone.
    pub audio: Option<String>,
}

/// How counted time becomes units: 1 initial and n additional.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum UnitRule {
    /// A unit counts from beyond its middle on: with 900 s and 480 s, 8:00 is 1 and 23:00 is 2.
    Midpoint {
        /// Length of a unit, in seconds.
        unit_s: u32,
        /// So much of a unit makes it one, in seconds.
        from_s: u32,
    },
    /// A unit counts once it is full.
    Full {
        /// Length of a unit, in seconds.
        unit_s: u32,
    },
    /// A level by the minimum of all its columns.
    Levels {
        /// Ascending.
        levels: Vec<Level>,
    },
    /// A line for each intervention.
    PerIntervention {
        /// Number of the code on each line.
        code: String,
        /// Put on each line, after the others.
        modifier: Option<String>,
    },
    /// Time alone is shown.
    None {},
}

/// What a level asks for at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Counted seconds.
    pub from_s: u32,
    /// Medicines looked at.
    pub drugs: u32,
    /// Medication therapy problems addressed.
    pub problems: u32,
    /// Conditions.
    pub conditions: u32,
    /// Units it gives, the initial one among them.
    pub units: u32,
}

/// A payer the sheet may be made for, as a choice on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct PayerChoice {
    /// Code.
    pub payer: String,
    /// Name.
    pub name: String,
}

/// Why a table was refused: where, and what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// It is not JSON of the right shape.
    #[error("line {line}, column {column}: {why}")]
    Shape {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser says.
        why: String,
    },
    /// A rule that cannot be.
    #[error("rule {rule} ({payer}), {field}: {why}")]
    Rule {
        /// From 1, in the order of the file.
        rule: usize,
        /// Its payer.
        payer: String,
        /// The field.
        field: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// Without a version nobody can say later by what a sheet was made.
    #[error("version: it is empty or longer than 60 characters")]
    Version,
}

/// Longest gap that a rule may let count: beyond it, time is counted in which nobody spoke.
const LONGEST_GAP_S: u32 = 600;

/// Longest unit or level, and what a sheet may reach: a day.
const LONGEST_S: u32 = 86_400;

impl RuleTable {
    /// Reads and checks a table.
    ///
    /// # Errors
    /// It is not one; says where and why.
    pub fn parse(json: &str) -> Result<Self, TableError> {
        let File { version, rules } = serde_json::from_str(json).map_err(|error| {
            TableError::Shape { line: error.line(), column: error.column(), why: error.to_string() }
        })?;
        if version.trim().is_empty() || version.chars().count() > 60 {
            return Err(TableError::Version);
        }
        for (n, rule) in rules.iter().enumerate() {
            let refused = |(field, why)| TableError::Rule {
                rule: n + 1,
                payer: rule.payer.clone(),
                field,
                why,
            };
            rule.check().map_err(refused)?;
            let before = rules.iter().take(n).filter(|before| before.payer == rule.payer);
            if before.clone().any(|before| before.overlaps(rule)) {
                return Err(refused(("valid_from", "another rule of this payer holds then")));
            }
        }
        Ok(Self { version, rules })
    }

    /// Which table this is.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The rule of a payer on a day ("2026-03-10").
    pub fn rule(&self, payer: &str, day: &PartialDate) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.payer == payer && rule.holds_on(day))
    }

    /// Whom a sheet can be made for on a day, in the order of the table.
    pub fn payers(&self, day: &PartialDate) -> Vec<PayerChoice> {
        let holding = self.rules.iter().filter(|rule| rule.holds_on(day));
        holding
            .map(|rule| PayerChoice { payer: rule.payer.clone(), name: rule.name.clone() })
            .collect()
    }

    /// Whether this organisation bills Medicare on a day.
    pub fn bills_medicare(&self, day: &PartialDate) -> bool {
        self.rules.iter().any(|rule| rule.medicare && rule.holds_on(day))
    }
}

/// Field and reason.
type Wrong = (&'static str, &'static str);

impl Rule {
    /// Whole dates of the same length, so the text's order is the calendar's.
    fn holds_on(&self, day: &PartialDate) -> bool {
        self.valid_from <= *day && self.valid_to.as_ref().is_none_or(|last| day <= last)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let ends_before = |one: &Self, other: &Self| {
            one.valid_to.as_ref().is_some_and(|last| *last < other.valid_from)
        };
        !ends_before(self, other) && !ends_before(other, self)
    }

    fn check(&self) -> Result<(), Wrong> {
        let plain = |text: &str, most: usize| {
            !text.trim().is_empty()
                && text.chars().count() <= most
                && !text.chars().any(char::is_control)
        };
        if !plain(&self.payer, 40)
            || !self.payer.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Err(("payer", "1 to 40 letters, digits and underscores"));
        }
        if !plain(&self.name, 80) {
            return Err(("name", "1 to 80 characters"));
        }
        let whole = |date: &PartialDate| date.as_str().len() == "2026-01-01".len();
        if !whole(&self.valid_from) {
            return Err(("valid_from", "not a whole date, as 2026-01-01"));
        }
        if let Some(last) = &self.valid_to {
            if !whole(last) {
                return Err(("valid_to", "not a whole date, as 2026-12-31"));
            }
            if *last < self.valid_from {
                return Err(("valid_to", "before valid_from"));
            }
        }
        if self.gap_tolerance_s > LONGEST_GAP_S {
            return Err(("gap_tolerance_s", "more than 600 s"));
        }
        let Codes { initial_new, initial_established, additional } = &self.codes;
        let code = |text: &str| {
            (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if ![initial_new, initial_established, additional].into_iter().all(|text| code(text)) {
            return Err(("codes", "1 to 10 letters and digits: the number, not a description"));
        }
        let PlaceOfService { home, elsewhere, in_person } = &self.pos;
        let two = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if ![home, elsewhere, in_person].into_iter().all(|text| two(text)) {
            return Err(("pos", "two digits each"));
        }
        let Modifiers { video, audio } = &self.modifiers;
        let modifier = |text: &Option<String>| {
            text.as_ref().is_none_or(|text| {
                text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
        };
        if !modifier(video) || !modifier(audio) {
            return Err(("modifiers", "two letters or digits each"));
        }
        match &self.units {
            UnitRule::Midpoint { unit_s, from_s } => {
                if !(60..=LONGEST_S).contains(unit_s) {
                    return Err(("units.unit_s", "60 to 86400"));
                }
                if !(1..=*unit_s).contains(from_s) {
                    return Err(("units.from_s", "1 to unit_s"));
                }
            }
            UnitRule::Full { unit_s } => {
                if !(60..=LONGEST_S).contains(unit_s) {
                    return Err(("units.unit_s", "60 to 86400"));
                }
            }
            UnitRule::Levels { levels } => check_levels(levels)?,
            UnitRule::PerIntervention { code: on_lines, modifier: _ } if !code(on_lines) => {
                return Err(("units.code", "1 to 10 letters and digits"));
            }
            UnitRule::PerIntervention { code: _, modifier: on_lines } => {
                if !modifier(on_lines) {
                    return Err(("units.modifier", "two letters or digits"));
                }
            }
            UnitRule::None {} => {}
        }
        Ok(())
    }
}

fn check_levels(levels: &[Level]) -> Result<(), Wrong> {
    if !(1..=10).contains(&levels.len()) {
        return Err(("units.levels", "1 to 10 levels"));
    }
    let starts: BTreeSet<u32> = levels.iter().map(|level| level.from_s).collect();
    if starts.len() != levels.len() {
        return Err(("units.levels", "two levels begin at the same second"));
    }
    // A later level that asked for less would make the level fall as time goes on.
    let ascends = levels.iter().zip(levels.iter().skip(1)).all(|(one, next)| {
        one.from_s < next.from_s
            && one.drugs <= next.drugs
            && one.problems <= next.problems
            && one.conditions <= next.conditions
            && one.units <= next.units
    });
    if !ascends {
        return Err(("units.levels", "each level asks for at least what the one before it does"));
    }
    if levels.iter().any(|level| level.from_s > LONGEST_S || level.units > 100) {
        return Err(("units.levels", "at most 86400 s and 100 units"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> PartialDate {
        PartialDate::parse(text).unwrap()
    }

    /// The example with something else in one place.
    fn changed(from: &str, to: &str) -> Result<RuleTable, TableError> {
        let example = include_str!("../../../rules/example.json");
        assert!(example.contains(from), "{from}");
        RuleTable::parse(&example.replacen(from, to, 1))
    }

    #[test]
    fn the_example_reads_and_holds_in_its_time_alone() {
        let table = changed("{", "{").unwrap();

        assert!(table.rule("example_midpoint", &day("2026-01-01")).is_some());
        assert!(table.rule("example_midpoint", &day("2025-12-31")).is_none());
        let last = table.rule("example_full", &day("2026-12-31")).unwrap();
        let next = table.rule("example_full", &day("2027-01-01")).unwrap();
        assert_ne!(last.units, next.units);
        assert!(table.rules.iter().all(|rule| !rule.verified), "nobody has verified an example");
    }

    #[test]
    fn a_table_that_cannot_be_is_refused_with_where_and_why() {
        for (from, to, place) in [
            ("\"rules\"", "\"rulez\"", "line 3, column"),
            ("\"midpoint\"", "\"middle\"", "unknown variant `middle`"),
            ("\"2026-01-01\"", "\"2026-13-01\"", "line 7, column"),
            ("\"2026-01-01\"", "\"2026\"", "rule 1 (example_midpoint), valid_from"),
            ("\"99605\"", "\"MTM, initial 15 minutes\"", "rule 1 (example_midpoint), codes"),
            ("\"from_s\": 480", "\"from_s\": 901", "rule 1 (example_midpoint), units.from_s"),
            ("\"unit_s\": 900", "\"unit_s\": 0", "rule 1 (example_midpoint), units.unit_s"),
            ("\"10\"", "\"home\"", "rule 1 (example_midpoint), pos"),
            ("\"95\"", "\"095\"", "rule 1 (example_midpoint), modifiers"),
            ("\"gap_tolerance_s\": 120", "\"gap_tolerance_s\": 601", "gap_tolerance_s"),
            (
                "\"valid_from\": \"2027-01-01\"",
                "\"valid_from\": \"2026-12-31\"",
                "rule 3 (example_full), valid_from: another rule",
            ),
            ("\"from_s\": 960", "\"from_s\": 900", "rule 4 (example_levels), units.levels"),
            ("\"example-", "\"", "version"),
        ] {
            let to = if place == "version" { "\"" } else { to };
            let table = if place == "version" {
                changed("\"version\": \"example-2026-1\"", "\"version\": \" \"")
            } else {
                changed(from, to)
            };
            let error = table.expect_err(place).to_string();
            assert!(error.contains(place), "{place}: {error}");
        }
    }
}
