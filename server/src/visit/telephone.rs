//! Visits by telephone: for which hour and how a visit was booked, and the number under which the patient is called.

use axum::extract::State;
use axum::response::Response;
use clinical::actor::Millis;
use clinical::phi::Phi;
use clinical::touchpoint::TouchpointFormat;
use serde::Serialize;
use signaling::role::{self, NumberView};

use super::booking;
use super::time;
use crate::audit::{Entry, Outcome};
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, reply};
use crate::patient;

/// For when a visit was booked, and how it is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct BookedFor {
    /// When it begins.
    pub starts_ms: Millis,
    /// Length in minutes.
    pub minutes: u16,
    /// Zone in which the hour was agreed.
    pub zone: String,
    /// By which way.
    pub format: TouchpointFormat,
}

/// Where a number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum NumberSource {
    /// The patient said it in this visit: the number to call back on the billing sheet.
    Attested,
    /// It stands in the chart.
    Chart,
}

/// Reply of `GET /api/seats/{seat}/telephone`: under which number the patient is called. Empty: none is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct TelephoneNumber {
    /// The number, for whoever calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "string"))]
    pub number: Option<Phi<String>>,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub source: Option<NumberSource>,
    /// Its last four digits, for whoever is called: enough to know one's own telephone, and nothing for somebody else who
    /// holds the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "string"))]
    pub ends_in: Option<Phi<String>>,
}

/// `GET /api/seats/{seat}/telephone`.
pub(crate) async fn number(State(app): State<App>, seated: Seated) -> Result<Response, Problem> {
    let Seated { session: _, seat, visit } = &seated;
    let view = role::telephone_number(seat.role).zip(visit.record);
    let Some((view, record)) = view else {
        let denied = booking::entry(&seated, None, "patient.number_read", None);
        app.writer.audit(vec![Entry { outcome: Outcome::Denied, ..denied }]).await?;
        return Err(Problem::new(ProblemCode::NotFound));
    };
    let chart = patient::chart_of(&app.store, &app.vault, record).await?;
    let (patient, facts) = chart.unzip();
    // Written first: what cannot be written down is not shown.
    app.writer.audit(vec![booking::entry(&seated, patient, "patient.number_read", None)]).await?;
    let attested = time::callback(&app, visit.id).await?;
    let charted = facts.and_then(|facts| facts.phones.into_iter().next());
    let found = attested
        .map(|number| (number, NumberSource::Attested))
        .or_else(|| charted.map(|number| (number, NumberSource::Chart)));
    reply(&match (view, found) {
        (_, None) => TelephoneNumber::default(),
        (NumberView::Whole, Some((number, source))) => {
            TelephoneNumber { number: Some(number), source: Some(source), ends_in: None }
        }
        (NumberView::Ending, Some((number, _))) => {
            TelephoneNumber { ends_in: Some(ending(&number)), ..TelephoneNumber::default() }
        }
    })
}

/// For when a visit was booked, if it was.
pub(super) async fn booked_for(
    app: &App,
    visit: clinical::id::VisitId,
) -> Result<Option<BookedFor>, Problem> {
    Ok(booking::store::of_visit(&app.store, visit).await?)
}

/// The last four digits, without an extension.
fn ending(number: &Phi<String>) -> Phi<String> {
    let line = number.expose().chars().take_while(|c| !c.is_alphabetic() && *c != '#');
    let digits: Vec<char> = line.filter(char::is_ascii_digit).collect();
    Phi::new(digits.iter().skip(digits.len().saturating_sub(4)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_known_again_by_its_last_four_digits() {
        for (number, expected) in
            [("(860) 555-0142", "0142"), ("+1 860 555 0199 ext. 2", "0199"), ("12", "12"), ("", "")]
        {
            assert_eq!(ending(&Phi::new(number.to_owned())).expose(), expected, "{number}");
        }
    }
}
