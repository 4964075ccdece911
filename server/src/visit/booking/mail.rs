//! Mails about booked visits: everybody who comes and is reached by mail gets their own link and the invitation for their
//! calendar, the same when the hour moves, a word when it is cancelled, and two reminders. Nobody whom the patient shuts
//! out gets any.

use axum::extract::{Path, State};
use axum::response::Response;
use clinical::actor::{Millis, Role};
use clinical::format::Language;
use clinical::id::{PersonId, RecordId, SeatId, VisitId};
use clinical::phi::Phi;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use signaling::role;
use uuid::Uuid;

use super::making::{self, Comes};
use super::store::Booked;
use super::{allow, answer, entry, find, hands_on, invitation, whom};
use crate::audit::Entry;
use crate::http::auth::Seated;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::{App, Json};
use crate::link::{self, Token};
use crate::outbox::address::Address;
use crate::outbox::{
    self, Calendar, Hour, Item, Letter, Outbox, Sent, Topic, withdraw, withdraw_one,
};
use crate::patient;
use crate::person::{self, MAIL_CHANGED, Reached};
use crate::record::writer::{Statement, Work};
use crate::record::{self, Loaded};
use crate::store::{StoreError, now};
use crate::vault::{Dek, KeyOf};

/// So long before its hour the second reminder goes out, in milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Where somebody gets mail, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct MailTo {
    /// Their seat in this visit.
    pub seat: SeatId,
    /// The address; empty: none any more.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub address: Phi<String>,
    /// In which language they read.
    pub language: Language,
}

/// How somebody is reached by mail. Only who books sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct Reach {
    /// The address that is known, or that the chart names; empty if none is.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub address: Phi<String>,
    /// In which language they read.
    pub language: Language,
    /// Whether who books may say it. A link of staff carries their powers: where it goes the operator says.
    pub may_set: bool,
}

/// Body of `POST /api/seats/{seat}/bookings/{visit}/mail`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct MailAgain {
    /// Whom: their seat in the booked visit.
    pub seat: SeatId,
    /// Another address than is known.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional, type = "string"))]
    pub address: Option<Phi<String>>,
    /// In which language they read, with an address.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub language: Option<Language>,
}

/// `POST /api/seats/{seat}/bookings/{visit}/mail`: the invitation, or the cancellation, once more to one person.
pub(crate) async fn again(
    State(app): State<App>,
    seated: Seated,
    Path((_seat, visit)): Path<(SeatId, VisitId)>,
    Json(MailAgain { seat, address, language }): Json<MailAgain>,
) -> Result<Response, Problem> {
    let (record, docs) = allow(&app, &seated, "visit.mailed_again").await?;
    let nothing = || Problem::new(ProblemCode::NotFound);
    let booked = find(&app, record, visit).await?;
    let seats = super::super::seats(&app.store, visit).await?;
    if !hands_on(&seated, &booked, &seats) {
        return Err(nothing());
    }
    let mut people = making::people_of(&app, visit).await?;
    people.retain(|one| one.seat == seat);
    let now = now();
    let patient = whom(&app, &seated).await?;
    let mails = Mails::of(&app, record, &docs, now).await?.ok_or_else(nothing)?;
    let wanted: Vec<MailTo> = match address {
        Some(address) => {
            let language = language.unwrap_or(Language::En);
            vec![MailTo { seat, address, language }]
        }
        None => Vec::new(),
    };
    let (mut first, mut audit) = addresses(&app, &seated, &mut people, &wanted).await?;
    let one = people.first().ok_or_else(nothing)?;
    if ends(&booked) <= now {
        return Err(Problem::new(ProblemCode::ChangedMeanwhile));
    }
    first.push(withdraw_one(&about(visit), one.person, Topic::Invitation, now));
    first.push(withdraw_one(&about(visit), one.person, Topic::Cancellation, now));
    let key = Uuid::now_v7().to_string();
    if booked.cancelled {
        first.extend(mails.cancellation(&booked, one, &key)?.map(Statement::one_row));
    } else {
        let token = link::link_of(&app.store, &app.vault, seat).await.map_err(|error| {
            tracing::error!(seat.id = %seat, %error, "a link cannot be made");
            Problem::new(ProblemCode::StoreAway)
        })?;
        first.extend(mails.invitation(&booked, one, &token, &key)?.map(Statement::one_row));
        first.extend(mails.reminders(&booked, one, &token)?);
    }
    audit.push(entry(&seated, patient, "visit.mailed_again", Some(visit)));
    outbox::stored(app.writer.store(Work { first, audit, ..Work::default() }).await)?;
    mails.outbox.wake();
    answer(&app, &seated, record, None).await
}

/// What is shown and withdrawn together.
pub(super) fn about(visit: VisitId) -> String {
    format!("visit:{visit}")
}

/// Takes what was typed of people's addresses: into `people`, and as statements. Nothing is said where nothing changes.
///
/// # Errors
/// One is no address, or not this seat's to say.
pub(super) async fn addresses(
    app: &App,
    seated: &Seated,
    people: &mut [Comes],
    wanted: &[MailTo],
) -> Result<(Vec<Statement>, Vec<Entry>), Problem> {
    let (mut first, mut audit) = (Vec::new(), Vec::new());
    for MailTo { seat, address, language } in wanted {
        let bad = || Problem::new(ProblemCode::BadRequest);
        let one = people.iter_mut().find(|one| one.seat == *seat).ok_or_else(bad)?;
        let text = address.expose().trim();
        let mail = if text.is_empty() {
            None
        } else {
            let wrong = Problem { seat: Some(*seat), ..Problem::new(ProblemCode::BadAddress) };
            Some(Address::parse(text).map_err(|_not_one| wrong)?)
        };
        let reached = Reached { mail, language: Some(*language) };
        if one.reached == reached || (one.reached.mail.is_none() && reached.mail.is_none()) {
            continue;
        }
        if !may_set(one.role) {
            return Err(Problem::new(ProblemCode::NotAllowed));
        }
        let (store, vault) = (&app.store, &app.vault);
        let mail = reached.mail.as_ref();
        first.push(person::set_mail(store, vault, one.person, mail, *language).await?);
        let patient = whom(app, seated).await?;
        let object = format!("person:{}", one.person);
        audit.push(Entry { object, ..entry(seated, patient, MAIL_CHANGED, None) });
        one.reached = reached;
    }
    Ok((first, audit))
}

/// Whether who books says where somebody gets mail: of those whose link they hand on anyway. Of staff the operator says it, and
/// nobody by a link, not even their own: whoever found it would be sent every later one.
const fn may_set(role: Role) -> bool {
    role::hands_on_link(role)
}

/// How people are reached, for a screen; `None`: mail is not set up.
pub(super) struct Reaches {
    language: Language,
    proposed: Option<Address>,
}

impl Reaches {
    pub(super) async fn of(app: &App, record: RecordId) -> Result<Option<Self>, Problem> {
        if app.outbox.is_none() {
            return Ok(None);
        }
        let language = home_language(app, record).await?;
        let chart = patient::chart_of(&app.store, &app.vault, record).await?;
        let emails = chart.map(|(_, facts)| facts.emails).unwrap_or_default();
        let proposed = emails.iter().find_map(|text| Address::parse(text.expose()).ok());
        Ok(Some(Self { language, proposed }))
    }

    /// Of one person. What the chart says is proposed until somebody has said it here.
    pub(super) fn reach(&self, role: Role, known: &Reached) -> Reach {
        let Reached { mail, language } = known;
        let from_chart = match (role, language) {
            (Role::Patient, None) => self.proposed.as_ref(),
            _ => None,
        };
        let address = mail.as_ref().or(from_chart).map(|mail| mail.as_str().to_owned());
        Reach {
            address: Phi::new(address.unwrap_or_default()),
            language: language.unwrap_or(if is_home(role) { self.language } else { Language::En }),
            may_set: may_set(role),
        }
    }
}

/// Whether somebody belongs to the patient's side, and reads as the patient does until they say otherwise.
const fn is_home(role: Role) -> bool {
    matches!(role, Role::Patient | Role::Caregiver)
}

async fn home_language(app: &App, record: RecordId) -> Result<Language, Problem> {
    let told = patient::language_of(&app.store, &app.vault, record).await?;
    Ok(told.map_or(Language::En, |tag| Language::of(tag.expose())))
}

/// What is needed to write mails about the visits of one record.
pub(crate) struct Mails<'a> {
    app: &'a App,
    pub(super) outbox: &'a Outbox,
    /// Seals what the mails say: erasing the patient erases it.
    dek: Dek,
    /// Seals links, as ever.
    links: Dek,
    language: Language,
    record: RecordId,
    docs: &'a [Loaded],
    now: Millis,
}

impl<'a> Mails<'a> {
    /// `None`: mail is not set up.
    pub(crate) async fn of(
        app: &'a App,
        record: RecordId,
        docs: &'a [Loaded],
        now: Millis,
    ) -> Result<Option<Self>, Problem> {
        let Some(outbox) = &app.outbox else { return Ok(None) };
        let patient = patient::of_record(&app.store, &app.vault, record).await?;
        let of = patient.map_or(KeyOf::Organisation, |(patient, _)| KeyOf::Patient(patient));
        let sealed = |error| {
            tracing::error!(record.id = %record, %error, "a mail cannot be sealed");
            Problem::new(ProblemCode::StoreAway)
        };
        let dek = app.vault.key(&app.store, of).await.map_err(sealed)?;
        let links = app.vault.key(&app.store, KeyOf::Organisation).await.map_err(sealed)?;
        let language = home_language(app, record).await?;
        Ok(Some(Self { app, outbox, dek, links, language, record, docs, now }))
    }

    /// Invites everybody who comes and is reached, to a visit that is stored with it.
    pub(super) fn invited(
        &self,
        booked: &Booked,
        people: &[Comes],
    ) -> Result<Vec<Statement>, Problem> {
        let mut all = Vec::new();
        for one in people.iter().filter(|one| self.is_reached(one)) {
            let token = Token::new()?;
            let seal = |error| self.broken(error);
            all.push(link::statement(&self.links, one.there, &token, self.now).map_err(seal)?);
            all.extend(self.invitation(booked, one, &token, "first")?);
            all.extend(self.reminders(booked, one, &token)?);
        }
        Ok(all)
    }

    /// Takes back what waits about a visit that does not take place, and tells who knows of it, if its hour is to come.
    pub(crate) async fn cancelled(
        &self,
        visit: VisitId,
        tell: Option<&Booked>,
    ) -> Result<Vec<Statement>, Problem> {
        let mut all = vec![withdraw(&about(visit), self.now)];
        let Some(booked) = tell.filter(|booked| booked.starts > self.now) else { return Ok(all) };
        let after = Booked {
            sequence: booked.sequence.saturating_add(1),
            changed: self.now,
            cancelled: true,
            ..booked.clone()
        };
        for one in making::people_of(self.app, visit).await? {
            all.extend(self.cancellation(&after, &one, "first")?);
        }
        Ok(all)
    }

    fn cancellation(
        &self,
        booked: &Booked,
        one: &Comes,
        key: &str,
    ) -> Result<Option<Statement>, Problem> {
        let Some(calendar) = self.calendar(booked, one) else { return Ok(None) };
        let letter = Letter::Cancelled { hour: hour(booked), calendar };
        let due = (self.now, ends(booked));
        self.item(booked, one, Topic::Cancellation, key, letter, due)
    }

    fn invitation(
        &self,
        booked: &Booked,
        one: &Comes,
        token: &Token,
        key: &str,
    ) -> Result<Option<Statement>, Problem> {
        let Some(calendar) = self.calendar(booked, one) else { return Ok(None) };
        let (hour, link) = (hour(booked), self.link(token));
        let letter = if booked.sequence > 0 {
            Letter::Moved { hour, link, calendar }
        } else {
            Letter::Invited { hour, link, calendar }
        };
        self.item(booked, one, Topic::Invitation, key, letter, (self.now, ends(booked)))
    }

    /// The day before at the same hour where it was agreed, and an hour before; none for a moment that is over.
    fn reminders(
        &self,
        booked: &Booked,
        one: &Comes,
        token: &Token,
    ) -> Result<Vec<Statement>, Problem> {
        let hour_before = Millis(booked.starts.0.saturating_sub(HOUR_MS));
        let at = [("day", day_before(booked)), ("hour", Some(hour_before))];
        let mut all = Vec::new();
        for (key, at) in at {
            let Some(at) = at.filter(|at| *at > self.now) else { continue };
            let letter = Letter::Reminder { hour: hour(booked), link: self.link(token) };
            let due = (at, booked.starts);
            all.extend(self.item(booked, one, Topic::Reminder, key, letter, due)?);
        }
        Ok(all)
    }

    fn item(
        &self,
        booked: &Booked,
        one: &Comes,
        topic: Topic,
        key: &str,
        letter: Letter,
        (not_before, expires): (Millis, Millis),
    ) -> Result<Option<Statement>, Problem> {
        if !self.is_reached(one) {
            return Ok(None);
        }
        let about = about(booked.visit);
        let item = Item {
            person: one.person,
            role: one.role,
            record: Some(self.record),
            topic,
            about: &about,
            key: format!("{about}/{}/{topic:?}/{key}", one.person),
            letter,
            language: self.language_of(one),
            not_before,
            expires,
        };
        self.outbox.statement(&self.dek, item).map(Some).map_err(|error| self.broken(error))
    }

    fn is_reached(&self, one: &Comes) -> bool {
        one.reached.mail.is_some() && !shut_out(self.docs, one.role, one.person)
    }

    fn language_of(&self, one: &Comes) -> Language {
        let home = if is_home(one.role) { self.language } else { Language::En };
        one.reached.language.unwrap_or(home)
    }

    fn link(&self, token: &Token) -> Phi<String> {
        Phi::new(self.outbox.link(&format!("/j#{}", token.text())))
    }

    /// Addressed from and to, as calendars want it of a mail (RFC 6047 section 2.3): it goes to nobody else.
    fn calendar(&self, booked: &Booked, one: &Comes) -> Option<Calendar> {
        let to = one.reached.mail.as_ref()?;
        let organizer = mailto(self.outbox.from());
        let parties = invitation::Parties { organizer: &organizer, attendee: mailto(to.as_str()) };
        let practice = &self.app.config.practice;
        let file = invitation::write(booked, practice, &parties, self.language_of(one))?;
        let method = if booked.cancelled { "CANCEL" } else { "REQUEST" };
        Some(Calendar { method: method.to_owned(), file })
    }

    fn broken(&self, error: crate::vault::VaultError) -> Problem {
        tracing::error!(record.id = %self.record, %error, "a mail cannot be sealed");
        Problem::new(ProblemCode::StoreAway)
    }
}

fn hour(booked: &Booked) -> Hour {
    let Booked { starts, minutes, zone, format, .. } = booked;
    Hour { starts: *starts, minutes: *minutes, zone: zone.clone(), format: *format }
}

fn ends(booked: &Booked) -> Millis {
    Millis(booked.starts.0.saturating_add(i64::from(booked.minutes) * 60_000))
}

/// The same hour on the day before, where it was agreed: on the days on which clocks change that is not 24 hours.
fn day_before(booked: &Booked) -> Option<Millis> {
    let zone = TimeZone::get(&booked.zone).ok()?;
    let starts = Timestamp::from_millisecond(booked.starts.0).ok()?.to_zoned(zone);
    Some(Millis(starts.checked_sub(1.day()).ok()?.timestamp().as_millisecond()))
}

/// RFC 6068: what is not plain stands as its number.
fn mailto(address: &str) -> String {
    use std::fmt::Write as _;

    let mut uri = "mailto:".to_owned();
    for c in address.bytes() {
        if c.is_ascii_alphanumeric() || b"@.-_+".contains(&c) {
            uri.push(char::from(c));
        } else {
            let _infallible = write!(uri, "%{c:02X}");
        }
    }
    uri
}

/// Whether the patient wants somebody to have nothing.
pub(super) fn shut_out(docs: &[Loaded], role: Role, person: PersonId) -> bool {
    record::hand(docs, role, person).is_shut_out()
}

/// What became of the mails about a visit, by person.
pub(super) async fn sent(app: &App, visit: VisitId) -> Result<Vec<(PersonId, Sent)>, StoreError> {
    match &app.outbox {
        Some(_) => outbox::delivered(&app.store, &about(visit)).await,
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use clinical::touchpoint::TouchpointFormat;

    use super::*;

    #[test]
    fn the_day_before_is_the_same_hour_where_it_was_agreed() {
        let visit = VisitId(Uuid::from_u128(8));
        let booked = |starts: i64| Booked {
            visit,
            booked_in: visit,
            starts: Millis(starts),
            minutes: 30,
            zone: "America/New_York".to_owned(),
            sequence: 0,
            changed: Millis(0),
            cancelled: false,
            touchpoint: None,
            format: TouchpointFormat::Video,
            uid: visit,
        };
        // 2026-03-08 10:00, the day on which the clocks went forward: the day before has 23 hours to it.
        let sunday = 1_772_978_400_000;
        assert_eq!(day_before(&booked(sunday)), Some(Millis(sunday - 23 * HOUR_MS)));
        let monday = sunday + 24 * HOUR_MS;
        assert_eq!(day_before(&booked(monday)), Some(Millis(sunday)));
    }

    #[test]
    fn a_mailto_holds_nothing_a_calendar_could_read_as_more() {
        assert_eq!(mailto("ruth+a@example.org"), "mailto:ruth+a@example.org");
        assert_eq!(mailto("o'b%{x}@example.org"), "mailto:o%27b%25%7Bx%7D@example.org");
    }
}
