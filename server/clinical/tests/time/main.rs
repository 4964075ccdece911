//! Billing time against calculators that were written another way: time by painting tenths of a second into an array,
//! units by counting up.

#![expect(clippy::print_stdout, reason = "figures are printed for whoever collects them")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside test functions, where failing is the honest answer"
)]

mod reference;
mod script;

use clinical::actor::Millis;
use clinical::id::{PersonId, SeatId};
use clinical::phi::Phi;
use clinical::time::rules::RuleTable;
use clinical::time::sheet::{
    Acquaintance, Adjustment, Attestation, Billing, Consult, Facts, Going, Said, Sheet,
    SheetCommand, Warning, sheet,
};
use clinical::time::units::Done;
use clinical::time::{Attendance, Event, Live, Modality, Setting, Side, counted_ms, segments};
use clinical::value::{Check as _, PartialDate};
use script::{Random, Script, TICK_MS};
use uuid::Uuid;

/// Scripted visits of one run.
const VISITS: u64 = 200;

const TABLE: &str = include_str!("../../../rules/example.json");

fn table() -> RuleTable {
    RuleTable::parse(TABLE).unwrap()
}

#[test]
fn the_ledger_agrees_with_an_array_over_200_scripted_visits() {
    let (mut drops, mut left_out, mut worst_ms) = (0, 0, 0);
    for seed in 1..=VISITS {
        let script = Script::random(&mut Random::new(seed));
        let found = segments(&script.calls(), Setting::Remote, 120);
        let painted = reference::time(&script, 120_000 / TICK_MS);

        drops += script.drops;
        left_out += found.iter().filter(|segment| !segment.counted).count();
        for modality in Modality::ALL {
            let ms: i64 = found
                .iter()
                .filter(|segment| segment.counted && segment.modality == modality)
                .map(|segment| segment.ms())
                .sum();
            let expected = painted.get(&modality).copied().unwrap_or(0) * TICK_MS;
            worst_ms = worst_ms.max((ms - expected).abs());
            assert!((ms - expected).abs() <= 1_000, "seed {seed} {modality:?}: {ms} {expected}");
        }
        let total: i64 = painted.values().sum::<i64>() * TICK_MS;
        assert!((counted_ms(&found) - total).abs() <= 1_000, "seed {seed}");
        for pair in found.windows(2) {
            assert_eq!(pair[0].stop, pair[1].start, "seed {seed}: segments touch");
        }
    }
    println!("METRIC ledger_visits={VISITS} drops={drops} left_out={left_out} worst_ms={worst_ms}");
    // The scripts reach what they are for.
    assert!(drops > 200 && left_out > 50, "{drops} drops, {left_out} left out");
}

fn talk(seconds: i64, live: Live) -> Vec<Attendance> {
    let event =
        |n, side, live| Event { at: Millis(0), seat: SeatId(Uuid::from_u128(n)), side, live };
    let events = vec![event(1, Side::Pharmacist, Live::Video), event(2, Side::Patient, live)];
    vec![Attendance { events, until: Millis(seconds * 1_000) }]
}

fn said(what: SheetCommand) -> Said<SheetCommand> {
    let name = Phi::new("Ana Reyes".to_owned());
    Said { by: PersonId(Uuid::nil()), name, at: Millis(0), what }
}

fn attest(at_home: bool, setting: Setting) -> Said<SheetCommand> {
    let attestation = Attestation {
        identity_checked: true,
        location_state: "CT".to_owned(),
        at_home,
        setting,
        callback: "555-0100".to_owned(),
        private: true,
        others_present: Vec::new(),
    };
    attestation.check().unwrap();
    said(SheetCommand::Attest { attestation })
}

fn bill(payer: &str) -> Said<SheetCommand> {
    let billing = Billing {
        payer: payer.to_owned(),
        patient: Acquaintance::Established,
        free: false,
        npi: Some("1234567893".to_owned()),
    };
    billing.check().unwrap();
    said(SheetCommand::Bill { billing })
}

fn made(calls: &[Attendance], done: Done, said: &[Said<SheetCommand>]) -> Sheet {
    let day = PartialDate::parse("2026-03-10").unwrap();
    let consult = Consult::Later;
    let table = table();
    sheet(&Facts { table: &table, day, consult, calls, going: Going::Over, done, said })
}

#[test]
fn units_equal_the_reference_calculators_for_every_kind_of_rule() {
    let mut random = Random::new(7);
    let mut lines = 0;
    for visit in 0..VISITS {
        let seconds = i64::try_from(random.below(5_400)).unwrap();
        let mut count = || u32::try_from(random.below(6)).unwrap();
        let (drugs, problems, conditions, interventions) = (count(), count(), count(), count());
        let done = Done { drugs, problems, conditions, interventions };
        for (payer, kind) in [
            ("example_midpoint", reference::Kind::Midpoint),
            ("example_full", reference::Kind::Full),
            ("example_levels", reference::Kind::Levels),
            ("example_per_intervention", reference::Kind::PerIntervention),
            ("none", reference::Kind::None),
        ] {
            let entries = [attest(true, Setting::Remote), bill(payer)];
            let sheet = made(&talk(seconds, Live::Video), done, &entries);

            let expected = reference::units(kind, seconds, done);
            assert_eq!(
                i64::from(sheet.units),
                expected,
                "visit {visit} {payer} {seconds} {done:?}"
            );
            let on_lines: u32 = sheet.lines.iter().map(|line| line.units).sum();
            assert_eq!(on_lines, sheet.units, "{payer}");
            lines += sheet.lines.len();
        }
    }
    assert!(lines > 1_000, "{lines}");
}

#[test]
fn the_boundary_figures_hold_on_the_sheet() {
    for (payer, seconds, units) in [
        ("example_midpoint", 7 * 60 + 59, 0),
        ("example_midpoint", 8 * 60, 1),
        ("example_midpoint", 22 * 60 + 59, 1),
        ("example_midpoint", 23 * 60, 2),
        ("example_full", 14 * 60 + 59, 0),
        ("example_full", 15 * 60, 1),
        ("example_full", 29 * 60 + 59, 1),
        ("example_full", 30 * 60, 2),
    ] {
        let sheet = made(&talk(seconds, Live::Video), Done::default(), &[bill(payer)]);
        assert_eq!(sheet.units, units, "{payer} {seconds}");
    }
    let sheet = made(&talk(23 * 60, Live::Video), Done::default(), &[bill("example_midpoint")]);
    let lines: Vec<_> = sheet.lines.iter().map(|line| (line.code.as_str(), line.units)).collect();
    assert_eq!(lines, [("99606", 1), ("99607", 1)]);
}

#[test]
fn the_place_of_service_is_10_at_home_and_02_elsewhere() {
    for (live, modifier) in [(Live::Video, "95"), (Live::Audio, "95"), (Live::Phone, "93")] {
        for (at_home, setting, pos) in [
            (true, Setting::Remote, "10"),
            (false, Setting::Remote, "02"),
            (false, Setting::ClinicAssisted, "02"),
        ] {
            let entries = [attest(at_home, setting), bill("example_midpoint")];
            let sheet = made(&talk(900, live), Done::default(), &entries);

            assert_eq!(sheet.pos.as_deref(), Some(pos), "{live:?} {at_home} {setting:?}");
            // The pharmacist's picture is one way, which is enough; a telephone sees nothing.
            assert_eq!(sheet.lines[0].modifiers, [modifier], "{live:?}");
        }
    }
    let in_person = [attest(false, Setting::InPerson), bill("example_midpoint")];
    let sheet = made(&talk(900, Live::Video), Done::default(), &in_person);
    assert_eq!((sheet.pos.as_deref(), sheet.lines[0].modifiers.len()), (Some("11"), 0));
    // Nobody said where they are: no place is made up.
    let sheet = made(&talk(900, Live::Video), Done::default(), &[bill("example_midpoint")]);
    assert_eq!(sheet.pos, None);
    assert!(sheet.warnings.contains(&Warning::NotAttested));
}

#[test]
fn the_greater_part_wins_and_is_flagged() {
    // Scenario A5: video, then a telephone.
    for (phone_from, until, modifier) in [(660, 1_000, "95"), (300, 1_000, "93")] {
        let mut calls = talk(until, Live::Video);
        let event =
            Event { at: Millis(phone_from * 1_000), live: Live::Phone, ..calls[0].events[1] };
        calls[0].events.push(event);

        let entries = [attest(true, Setting::Remote), bill("example_midpoint")];
        let sheet = made(&calls, Done::default(), &entries);

        assert_eq!(sheet.segments.len(), 2);
        assert_eq!(sheet.lines[0].modifiers, [modifier], "{phone_from}");
        assert!(sheet.warnings.contains(&Warning::MixedModality));
    }
    let calm = made(&talk(900, Live::Video), Done::default(), &[bill("example_midpoint")]);
    assert!(!calm.warnings.contains(&Warning::MixedModality));
}

#[test]
fn a_free_visit_beside_medicare_is_flagged() {
    let free = |free| {
        let SheetCommand::Bill { billing } = bill("none").what else { unreachable!() };
        said(SheetCommand::Bill { billing: Billing { free, ..billing } })
    };
    let flagged = |said| {
        let sheet = made(&talk(900, Live::Video), Done::default(), &[said]);
        sheet.warnings.contains(&Warning::FreeWithMedicare)
    };
    assert!(flagged(free(true)));
    assert!(!flagged(free(false)));
}

#[test]
fn adjustments_add_up_and_never_go_below_nothing() {
    let adjust = |delta_s| {
        let adjustment = Adjustment { delta_s, reason: "spoke by telephone".to_owned() };
        adjustment.check().unwrap();
        said(SheetCommand::Adjust { adjustment })
    };
    let entries = [bill("example_midpoint"), adjust(600), adjust(-120)];
    let sheet = made(&talk(420, Live::Video), Done::default(), &entries);
    assert_eq!((sheet.measured_s, sheet.adjusted_s, sheet.counted_s), (420, 480, 900));
    assert_eq!((sheet.units, sheet.next_threshold_s), (1, Some(23 * 60)));
    assert!(sheet.warnings.contains(&Warning::Adjusted));

    let sheet = made(&talk(420, Live::Video), Done::default(), &[adjust(-3_600)]);
    assert_eq!(sheet.counted_s, 0);

    for (delta_s, reason) in
        [(0, "nothing"), (14_401, "too much"), (60, " "), (60, "\u{7}\u{7}\u{7}")]
    {
        let adjustment = Adjustment { delta_s, reason: reason.to_owned() };
        assert!(adjustment.check().is_err(), "{delta_s} {reason:?}");
    }
}

#[test]
fn a_payer_without_a_rule_that_day_gets_no_lines() {
    let sheet = made(&talk(900, Live::Video), Done::default(), &[bill("somebody_else")]);
    assert!(sheet.lines.is_empty() && sheet.rule.is_none());
    assert!(sheet.warnings.contains(&Warning::NoRule));
}

#[test]
fn an_identifier_with_a_wrong_check_digit_is_refused() {
    // 1234567893 is the example of CMS.
    for (npi, good) in [
        ("1234567893", true),
        ("1234567890", false),
        ("1234567839", false),
        ("123456789", false),
        ("3234567893", false),
        ("123456789x", false),
    ] {
        let SheetCommand::Bill { billing } = bill("none").what else { unreachable!() };
        let billing = Billing { npi: Some(npi.to_owned()), ..billing };
        assert_eq!(billing.check().is_ok(), good, "{npi}");
    }
}
