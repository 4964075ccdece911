//! The calculators that the product is compared with.

use std::collections::BTreeMap;

use clinical::time::units::Done;
use clinical::time::{Live, Modality, Side};

use super::script::Script;

/// Counted ticks by modality. Each tick is painted with what each side has; then the array is read from left to right.
pub(crate) fn time(script: &Script, tolerance: i64) -> BTreeMap<Modality, i64> {
    let length = usize::try_from(script.ticks).unwrap();
    let mut pharmacist = vec![Live::Off; length];
    let mut patient = vec![Live::Off; length];
    for presence in &script.presences {
        let side = match presence.side {
            Side::Pharmacist => &mut pharmacist,
            Side::Patient => &mut patient,
        };
        for tick in presence.from..presence.to {
            let in_a_call = script.calls.iter().any(|(from, to)| (*from..*to).contains(&tick));
            let cell = &mut side[usize::try_from(tick).unwrap()];
            if in_a_call && *cell < presence.live {
                *cell = presence.live;
            }
        }
    }
    let painted = pharmacist.iter().zip(&patient).map(|(one, other)| {
        let both = [*one, *other];
        if both.contains(&Live::Off) {
            None
        } else if both.contains(&Live::Phone) {
            Some(Modality::Phone)
        } else if both.contains(&Live::Video) {
            Some(Modality::Video)
        } else {
            Some(Modality::Audio)
        }
    });
    let mut counted = BTreeMap::new();
    let mut before = None;
    let mut silence = 0;
    for cell in painted {
        match (cell, before) {
            (Some(modality), _) => {
                if let Some(before) = before
                    && silence <= tolerance
                {
                    *counted.entry(before).or_insert(0) += silence;
                }
                *counted.entry(modality).or_insert(0) += 1;
                before = Some(modality);
                silence = 0;
            }
            (None, Some(_)) => silence += 1,
            (None, None) => {}
        }
    }
    counted
}

/// How time becomes units, as the design writes it.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Midpoint,
    Full,
    Levels,
    PerIntervention,
    None,
}

/// Units by counting up, second by second or column by column.
pub(crate) fn units(kind: Kind, seconds: i64, done: Done) -> i64 {
    match kind {
        Kind::Midpoint => {
            let mut units = 0;
            let mut left = seconds;
            // Eight minutes of a unit make it one.
            while left >= 8 * 60 {
                units += 1;
                left -= 15 * 60;
            }
            units
        }
        Kind::Full => (1..=seconds).filter(|second| second % (15 * 60) == 0).count() as i64,
        Kind::Levels => {
            let by_time = match seconds {
                ..900 => 0,
                900..960 => 1,
                960..1_860 => 2,
                _ => 3,
            };
            let by_drugs = done.drugs.min(3);
            let by_problems = 1 + done.problems.min(2);
            let by_conditions = match done.conditions {
                0 => 0,
                1 => 2,
                _ => 3,
            };
            let columns = [by_time, by_drugs, by_problems, by_conditions];
            // The example gives as many units as the level says.
            columns.into_iter().min().unwrap().into()
        }
        Kind::PerIntervention => i64::from(done.interventions),
        Kind::None => 0,
    }
}
