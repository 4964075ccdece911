//! What a booked visit is made of: the people who come, and the rows that are stored for it.

use clinical::actor::{Millis, Role};
use clinical::id::{PersonId, RecordId, SeatId, VisitId};
use clinical::phi::Phi;
use clinical::touchpoint::Expected;
use signaling::visit::{Entry as Way, VisitKind};
use uuid::Uuid;

use super::super::{seats, store as visits};
use super::store::{Booked, book};
use crate::http::App;
use crate::http::auth::Seated;
use crate::http::problem::Problem;
use crate::person::{self, Reached};
use crate::record::writer::Statement;

/// What is booked in a visit is a follow-up.
const KIND: VisitKind = VisitKind::FollowUp;

/// Somebody who comes.
pub(super) struct Comes {
    /// Their seat where it is booked from.
    pub(super) seat: SeatId,
    pub(super) person: PersonId,
    pub(super) role: Role,
    pub(super) name: Phi<String>,
    /// Their seat in the visit that is booked.
    pub(super) there: SeatId,
    /// How they get mail.
    pub(super) reached: Reached,
}

/// Those of this visit who come: everybody a follow-up has a seat for, or those of `chosen`. `None`: a seat that is not
/// there or may not come, one twice, or nobody.
pub(super) async fn people(
    app: &App,
    seated: &Seated,
    chosen: Option<&[SeatId]>,
) -> Result<Option<Vec<Comes>>, Problem> {
    let all = people_of(app, seated.visit.id).await?;
    let Some(chosen) = chosen else { return Ok((!all.is_empty()).then_some(all)) };
    let known = |seat: &SeatId| all.iter().any(|one| one.seat == *seat);
    let twice = chosen.iter().enumerate().any(|(n, seat)| {
        let before = chosen.get(..n).unwrap_or_default();
        before.contains(seat)
    });
    if chosen.is_empty() || twice || !chosen.iter().all(known) {
        return Ok(None);
    }
    Ok(Some(all.into_iter().filter(|one| chosen.contains(&one.seat)).collect()))
}

/// The people of a visit a follow-up has a seat for.
pub(super) async fn people_of(app: &App, visit: VisitId) -> Result<Vec<Comes>, Problem> {
    let mut people = Vec::new();
    for seat in seats(&app.store, visit).await? {
        let comes = match KIND.entry(seat.role) {
            Way::Enters | Way::Waits => !seat.revoked,
            Way::Refused => false,
        };
        if comes {
            let known = person::person(&app.store, &app.vault, seat.person).await?;
            let name = known.map(|person| person.name).unwrap_or_default();
            let reached = person::reached(&app.store, &app.vault, seat.person).await?;
            let there = SeatId(Uuid::now_v7());
            let visits::Seat { id: seat, person, role, .. } = seat;
            people.push(Comes { seat, person, role, name, there, reached });
        }
    }
    Ok(people)
}

/// The rows of a booked visit.
pub(super) fn statements(
    booked: &Booked,
    record: RecordId,
    people: &[Comes],
    now: Millis,
) -> Vec<Statement> {
    let visit = booked.visit;
    let mut first = vec![visits::visit_statement(visit, KIND, Some(record), now), book(booked)];
    first.extend(
        people
            .iter()
            .map(|one| visits::seat_statement(one.there, visit, one.person, one.role, now)),
    );
    first
}

/// The same people for the plan.
pub(super) fn expected(people: &[Comes]) -> Vec<Expected> {
    let expected = |one: &Comes| Expected { role: one.role, name: one.name.expose().clone() };
    people.iter().map(expected).collect()
}
