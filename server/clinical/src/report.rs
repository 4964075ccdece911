//! How many recommendations were accepted, and how fast they were answered: counts for a programme, no clinical text.

use std::collections::BTreeMap;

use crate::actor::Millis;
use crate::doc::Doc;
use crate::field::{Address, FieldName, ListName};
use crate::id::PersonId;
use crate::problem::ProblemCategory;
use crate::recommendation::{Decision, DecisionOutcome, RecommendationContent, Standing};
use crate::register::Register;
use crate::value::Value;

/// A recommendation that was sent, without a word of what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When it was sent.
    pub sent: Millis,
    /// Who answered; else to whom it is addressed, where that is somebody known here.
    pub prescriber: Option<PersonId>,
    /// Of the problem it answers.
    pub category: Option<ProblemCategory>,
    /// The answer and when it came.
    pub answer: Option<(DecisionOutcome, Millis)>,
    /// Where it stands.
    pub standing: Standing,
}

impl Doc {
    /// Every recommendation of a plan that was sent.
    pub fn sent_recommendations(&self, now: Millis) -> impl Iterator<Item = Sent> {
        self.standing(ListName::Recommendations).filter_map(move |row| {
            let on = |field| Address { row: Some(row), field };
            let sent = self.sent_at(row)?;
            // Nobody was asked.
            if self.done_under_agreement(row) {
                return None;
            }
            let answer = match self.register(&on(FieldName::RecommendationsDecision)) {
                Register::Value { value: Some(value), at_ms, .. } => {
                    value.read::<Decision>().map(|decision| (decision, *at_ms))
                }
                Register::Value { value: None, .. }
                | Register::Empty
                | Register::Conflict { .. } => None,
            };
            let content: Option<RecommendationContent> =
                self.register(&on(FieldName::RecommendationsContent)).value().and_then(Value::read);
            let category = content.and_then(|content| content.problem).and_then(|problem| {
                let at = Address { row: Some(problem), field: FieldName::ProblemsCategory };
                self.register(&at).value().and_then(Value::read)
            });
            Some(Sent {
                sent,
                prescriber: answer
                    .as_ref()
                    .map(|(decision, _)| decision.by)
                    .or_else(|| self.addressee(row)),
                category,
                answer: answer.map(|(decision, at)| (decision.outcome, at)),
                standing: self.standing_of(row, now),
            })
        })
    }
}

/// Counts of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sent in the range, without those taken back or replaced before an answer.
    pub sent: u32,
    /// As proposed.
    pub accepted: u32,
    /// With a change.
    pub accepted_modified: u32,
    /// Not taken.
    pub declined: u32,
    /// Without an answer 14 days after they were sent.
    pub no_response: u32,
    /// Sent, and still in time for an answer.
    pub waiting: u32,
    /// Carried out, verified ones among them.
    pub implemented: u32,
    /// Milliseconds from sending to answer.
    times: Vec<i64>,
}

/// Milliseconds of a day.
const DAY_MS: f64 = 24.0 * 60.0 * 60.0 * 1000.0;

impl Counts {
    /// (accepted + accepted with a change) ÷ sent, 0 to 1; none where nothing was sent.
    pub fn acceptance(&self) -> Option<f64> {
        let taken = self.accepted.saturating_add(self.accepted_modified);
        (self.sent > 0).then(|| f64::from(taken) / f64::from(self.sent))
    }

    /// Median days from sending to answer; none where nothing was answered. Of an even number, the mean of the two in
    /// the middle.
    pub fn median_days(&self) -> Option<f64> {
        let mut times = self.times.clone();
        times.sort_unstable();
        let upper = times.get(times.len() / 2)?;
        let lower = times.get(times.len().saturating_sub(1) / 2)?;
        let mean = (*lower as f64).midpoint(*upper as f64);
        Some(mean / DAY_MS)
    }

    fn take(&mut self, one: &Sent) {
        self.sent = self.sent.saturating_add(1);
        let count = match (one.answer, one.standing) {
            (Some((DecisionOutcome::Accepted, _)), _) => &mut self.accepted,
            (Some((DecisionOutcome::AcceptedModified, _)), _) => &mut self.accepted_modified,
            (Some((DecisionOutcome::Declined, _)), _) => &mut self.declined,
            (None, Standing::NoResponse) => &mut self.no_response,
            (None, _) => &mut self.waiting,
        };
        *count = count.saturating_add(1);
        if matches!(one.standing, Standing::Implemented | Standing::Verified) {
            self.implemented = self.implemented.saturating_add(1);
        }
        if let Some((_, at)) = one.answer {
            self.times.push(at.0.saturating_sub(one.sent.0).max(0));
        }
    }
}

/// The whole report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// Of all.
    pub total: Counts,
    /// By who answered or is asked; `None`: a prescriber who is not known here.
    pub by_prescriber: BTreeMap<Option<PersonId>, Counts>,
    /// By category of the problem; `None`: no problem is named.
    pub by_category: BTreeMap<Option<ProblemCategory>, Counts>,
}

/// Counts the recommendations whose sending was `within` what is asked for.
pub fn acceptance(
    all: impl IntoIterator<Item = Sent>,
    within: impl Fn(Millis) -> bool,
) -> Acceptance {
    let mut report = Acceptance::default();
    for one in all {
        let taken_back = match one.standing {
            Standing::Withdrawn | Standing::Replaced => one.answer.is_none(),
            Standing::Draft
            | Standing::Sent
            | Standing::Seen
            | Standing::NoResponse
            | Standing::Accepted
            | Standing::AcceptedModified
            | Standing::Declined
            | Standing::Implemented
            | Standing::Verified => false,
        };
        if taken_back || !within(one.sent) {
            continue;
        }
        report.total.take(&one);
        report.by_prescriber.entry(one.prescriber).or_default().take(&one);
        report.by_category.entry(one.category).or_default().take(&one);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn sent(day: i64, answer: Option<(DecisionOutcome, i64)>, standing: Standing) -> Sent {
        Sent {
            sent: Millis(day * DAY),
            prescriber: None,
            category: Some(ProblemCategory::Cost),
            answer: answer.map(|(outcome, day)| (outcome, Millis(day * DAY))),
            standing,
        }
    }

    #[test]
    fn acceptance_is_what_was_taken_of_what_was_sent_in_the_range() {
        use DecisionOutcome::{Accepted, AcceptedModified, Declined};
        let all = [
            sent(1, Some((Accepted, 2)), Standing::Implemented),
            sent(1, Some((AcceptedModified, 4)), Standing::AcceptedModified),
            sent(2, Some((Declined, 12)), Standing::Declined),
            sent(3, None, Standing::NoResponse),
            sent(9, None, Standing::Seen),
            sent(9, None, Standing::Withdrawn),
            sent(9, None, Standing::Replaced),
            sent(0, Some((Accepted, 1)), Standing::Accepted),
            sent(10, Some((Accepted, 11)), Standing::Accepted),
        ];

        let report = acceptance(all, |sent| (DAY..10 * DAY).contains(&sent.0));

        let Counts { sent, accepted, accepted_modified, declined, .. } = report.total;
        assert_eq!((sent, accepted, accepted_modified, declined), (5, 1, 1, 1));
        let Counts { no_response, waiting, implemented, .. } = report.total;
        assert_eq!((no_response, waiting, implemented), (1, 1, 1));
        assert_eq!(report.total.acceptance(), Some(0.4));
        assert_eq!(report.total.median_days(), Some(3.0));
        assert_eq!(report.by_category.get(&Some(ProblemCategory::Cost)), Some(&report.total));
        assert_eq!(Counts::default().acceptance(), None);
    }
}
