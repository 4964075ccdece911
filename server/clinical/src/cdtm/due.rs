//! What is due under an agreement, and when its end is to be spoken of.

use serde::{Deserialize, Serialize};

use super::agreement::Agreement;
use super::day::Day;
use super::entry::Deed;

/// Something that is to be done by a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementDue"))]
pub struct Due {
    /// What.
    pub what: DueKind,
    /// By when, this day included.
    pub on: Day,
    /// Days left; negative: overdue by so many.
    pub days: i32,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AgreementDueKind"))]
#[serde(rename_all = "snake_case")]
pub enum DueKind {
    /// The status report.
    Report,
    /// The physician's review.
    Review,
    /// The registration with the Board.
    Registration,
    /// The agreement itself ends.
    End,
}

impl Agreement {
    /// What is due, the most pressing first. Nothing is due before the term begins or once it was ended.
    pub fn dues(&self, today: Day, withdrawn_in_record: bool) -> Vec<Due> {
        let holds = self.standing(today, withdrawn_in_record).holds();
        let (Some(template), Some(start)) = (self.template(), self.terms().start) else {
            return Vec::new();
        };
        if !holds {
            return Vec::new();
        }
        let last = |is: fn(&Deed) -> bool| {
            let days = self.entries().iter().filter(|entry| is(&entry.deed)).map(|entry| entry.day);
            days.max().map_or(start, |day| day.max(start))
        };
        let reported = last(|deed| matches!(deed, Deed::Reported { .. }));
        let reviewed = last(|deed| matches!(deed, Deed::Reviewed { .. }));
        let mut dues = vec![
            (DueKind::Report, reported.plus_days(template.report_every_days)),
            (DueKind::Review, reviewed.plus_months(template.review_every_months)),
        ];
        if let (true, Some((_, expires))) = (template.registration, self.registration()) {
            dues.push((DueKind::Registration, expires));
        }
        dues.extend(self.terms().end.map(|end| (DueKind::End, end)));
        let mut dues: Vec<Due> =
            dues.into_iter().map(|(what, on)| Due { what, on, days: today.until(on) }).collect();
        dues.sort_by_key(|due| (due.on, due.what));
        dues
    }

    /// The step of the notices that its end has come to: 60, 30 or 7 days in Louisiana.
    pub fn notice(&self, today: Day) -> Option<u16> {
        let (template, end) = (self.template()?, self.terms().end?);
        let left = today.until(end);
        let steps = template.notice_days.iter().copied();
        steps.filter(|days| (0..=i32::from(*days)).contains(&left)).min()
    }
}
