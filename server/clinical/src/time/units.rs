//! From counted seconds to units.

use serde::{Deserialize, Serialize};

use super::rules::{Level, UnitRule};
use crate::condition::{Condition, ConditionStatus};
use crate::doc::Doc;
use crate::field::{Address, FieldName, ListName, Presence};
use crate::id::RowId;
use crate::medication::MedicationStatus;
use crate::value::Value;

/// What was done in the visit, besides time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// Medicines the patient takes.
    pub drugs: u32,
    /// Medication therapy problems of the plan.
    pub problems: u32,
    /// Conditions.
    pub conditions: u32,
    /// Recommendations of the plan.
    pub interventions: u32,
}

impl Done {
    /// What a plan holds. It does not say in which visit a row was found, so all rows that stand are counted; what two
    /// people disagree about is counted, as it is for a person to decide.
    pub fn of_plan(plan: &Doc) -> Self {
        let value = |row: RowId, field| -> Option<&Value> {
            plan.register(&Address { row: Some(row), field }).value()
        };
        let count = |list: ListName, takes: &dyn Fn(RowId) -> bool| {
            let standing = plan.rows(list).iter().filter(|row| {
                let presence = value(**row, FieldName::Presence);
                let removed = presence.and_then(Value::read::<Presence>);
                !matches!(removed, Some(Presence::Removed { reason: _ })) && takes(**row)
            });
            u32::try_from(standing.count()).unwrap_or(u32::MAX)
        };
        let is_taken = |row| {
            let status = value(row, FieldName::MedsStatus).and_then(Value::read);
            matches!(status, None | Some(MedicationStatus::Active))
        };
        let matters = |row| {
            let condition = value(row, FieldName::ConditionsContent).and_then(Value::read);
            condition.is_none_or(|Condition { status, .. }| status == ConditionStatus::Active)
        };
        Self {
            drugs: count(ListName::Meds, &is_taken),
            problems: count(ListName::Problems, &|_| true),
            conditions: count(ListName::Conditions, &matters),
            interventions: count(ListName::Recommendations, &|_| true),
        }
    }
}

/// Units: at most one initial, and additional ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// 0 or 1.
    pub initial: u32,
    /// Beyond the initial one.
    pub additional: u32,
}

impl Units {
    const fn of(total: u32) -> Self {
        if total == 0 {
            Self { initial: 0, additional: 0 }
        } else {
            Self { initial: 1, additional: total - 1 }
        }
    }

    /// Both together.
    pub const fn total(self) -> u32 {
        self.initial.saturating_add(self.additional)
    }
}

/// The units a rule gives for counted seconds. `PerIntervention` gives one line for each intervention, not units of time:
/// all of them are `additional`.
pub fn units(rule: &UnitRule, counted_s: u32, done: Done) -> Units {
    match rule {
        UnitRule::Midpoint { unit_s, from_s } => match counted_s.checked_sub(*from_s) {
            None => Units::default(),
            Some(beyond) => Units::of(whole(beyond, *unit_s).saturating_add(1)),
        },
        UnitRule::Full { unit_s } => Units::of(whole(counted_s, *unit_s)),
        UnitRule::Levels { levels } => {
            let reached = levels.iter().take_while(|level| level.is_reached(counted_s, done));
            Units::of(reached.last().map_or(0, |level| level.units))
        }
        UnitRule::PerIntervention { code: _, modifier: _ } => {
            Units { initial: 0, additional: done.interventions }
        }
        UnitRule::None {} => Units::default(),
    }
}

/// The counted second at which time alone next gives more; `None` if it never will.
pub fn next_threshold_s(rule: &UnitRule, counted_s: u32, done: Done) -> Option<u32> {
    match rule {
        UnitRule::Midpoint { unit_s, from_s } => match counted_s.checked_sub(*from_s) {
            None => Some(*from_s),
            Some(beyond) => from_s.checked_add(next(beyond, *unit_s)?),
        },
        UnitRule::Full { unit_s } => next(counted_s, *unit_s),
        UnitRule::Levels { levels } => levels
            .iter()
            .find(|level| level.from_s > counted_s)
            .filter(|level| level.is_reached(level.from_s, done))
            .map(|level| level.from_s),
        UnitRule::PerIntervention { code: _, modifier: _ } | UnitRule::None {} => None,
    }
}

impl Level {
    const fn is_reached(&self, counted_s: u32, done: Done) -> bool {
        counted_s >= self.from_s
            && done.drugs >= self.drugs
            && done.problems >= self.problems
            && done.conditions >= self.conditions
    }
}

/// How many whole units are in it. A table with units of 0 s is refused; here it gives nothing.
const fn whole(seconds: u32, unit_s: u32) -> u32 {
    match seconds.checked_div(unit_s) {
        Some(units) => units,
        None => 0,
    }
}

fn next(seconds: u32, unit_s: u32) -> Option<u32> {
    whole(seconds, unit_s).checked_add(1)?.checked_mul(unit_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDPOINT: UnitRule = UnitRule::Midpoint { unit_s: 900, from_s: 480 };
    const FULL: UnitRule = UnitRule::Full { unit_s: 900 };

    fn total(rule: &UnitRule, minutes: u32, seconds: u32) -> u32 {
        units(rule, minutes * 60 + seconds, Done::default()).total()
    }

    #[test]
    fn the_midpoint_rule_turns_at_8_00_and_23_00() {
        for (minutes, seconds, expected) in [(7, 59, 0), (8, 0, 1), (22, 59, 1), (23, 0, 2)] {
            assert_eq!(total(&MIDPOINT, minutes, seconds), expected, "{minutes}:{seconds:02}");
        }
    }

    #[test]
    fn full_units_turn_at_15_00_and_30_00() {
        for (minutes, seconds, expected) in [(14, 59, 0), (15, 0, 1), (29, 59, 1), (30, 0, 2)] {
            assert_eq!(total(&FULL, minutes, seconds), expected, "{minutes}:{seconds:02}");
        }
    }

    #[test]
    fn the_next_threshold_is_where_the_units_change() {
        for rule in [MIDPOINT, FULL] {
            for counted_s in 0..4_000 {
                let done = Done::default();
                let next = next_threshold_s(&rule, counted_s, done).unwrap();
                let now = units(&rule, counted_s, done);
                assert_eq!(units(&rule, next - 1, done), now, "{rule:?} {counted_s}");
                assert_eq!(units(&rule, next, done).total(), now.total() + 1);
            }
        }
    }

    #[test]
    fn a_level_needs_every_column() {
        let level = |from_s, drugs, problems, conditions, units| Level {
            from_s,
            drugs,
            problems,
            conditions,
            units,
        };
        let rule = UnitRule::Levels {
            levels: vec![level(900, 1, 0, 1, 1), level(960, 2, 1, 1, 2), level(1_860, 3, 2, 2, 3)],
        };
        let done =
            |drugs, problems, conditions| Done { drugs, problems, conditions, interventions: 0 };
        for (counted_s, done, expected) in [
            (899, done(9, 9, 9), 0),
            (900, done(1, 0, 1), 1),
            (900, done(0, 0, 1), 0),
            (1_900, done(2, 0, 1), 1),
            (1_900, done(2, 1, 1), 2),
            (1_900, done(5, 5, 1), 2),
            (1_900, done(3, 2, 2), 3),
        ] {
            assert_eq!(units(&rule, counted_s, done).total(), expected, "{counted_s} {done:?}");
        }
        assert_eq!(next_threshold_s(&rule, 900, done(2, 1, 1)), Some(960));
        assert_eq!(next_threshold_s(&rule, 900, done(2, 0, 1)), None);
    }
}
