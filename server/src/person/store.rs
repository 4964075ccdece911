//! Names at rest.

use clinical::actor::{Millis, Role};
use clinical::format::Language;
use clinical::id::{PatientId, PersonId};
use clinical::phi::Phi;

use super::{Person, PersonError, Reached};
use crate::audit::role_name;
use crate::outbox::address::Address;
use crate::record::writer::Statement;
use crate::store::{Store, StoreError, sql};
use crate::vault::{Dek, DekId, Spot, Vault, VaultError};

sql! {
    /// A new person.
    ADD_PERSON = "insert into person (id, patient, role, dek, name, created_ms) values ($1, $2, $3, $4, $5, $6)";
    /// Who somebody is.
    PERSON = "select id, role, dek, name from person where id = $1";
    /// Staff: they belong to no patient.
    STAFF = "select id, role, dek, name from person where patient is null order by created_ms, id";
    /// How somebody is reached.
    REACHED = "select dek, mail, mail_language from person where id = $1";
    /// They are reached elsewhere, or not at all.
    SET_MAIL = "update person set mail = $2, mail_language = $3 where id = $1";
    /// The patient, and who speaks for them.
    OF_PATIENT = "select id, role, dek, name from person where patient = $1 order by created_ms, id";
}

/// The row of a new person.
pub(crate) fn statement(
    dek: &Dek,
    person: &Person,
    patient: Option<PatientId>,
    now: Millis,
) -> Result<Statement, VaultError> {
    let Person { person, role, name } = person;
    let id = person.to_string();
    let sealed = dek.seal(name_spot(&id), name.expose().as_bytes())?;
    Ok(Statement::new(ADD_PERSON)
        .text(id)
        .text_or_null(patient.map(|patient| patient.to_string()))
        .text(role_name(*role))
        .text(dek.id().0.to_string())
        .bytes(sealed)
        .int(now.0))
}

/// One person.
pub(super) async fn person(
    store: &Store,
    vault: &Vault,
    person: PersonId,
) -> Result<Option<Person>, PersonError> {
    let row: Option<Row> =
        sqlx::query_as(PERSON).bind(person.to_string()).fetch_optional(store.read()).await?;
    match row {
        Some(row) => opened(store, vault, row).await.map(Some),
        None => Ok(None),
    }
}

/// Everybody who works here.
pub(super) async fn staff(store: &Store, vault: &Vault) -> Result<Vec<Person>, PersonError> {
    let rows: Vec<Row> = sqlx::query_as(STAFF).fetch_all(store.read()).await?;
    all(store, vault, rows).await
}

/// The patient, and who speaks for them.
pub(super) async fn of_patient(
    store: &Store,
    vault: &Vault,
    patient: PatientId,
) -> Result<Vec<Person>, PersonError> {
    let rows: Vec<Row> =
        sqlx::query_as(OF_PATIENT).bind(patient.to_string()).fetch_all(store.read()).await?;
    all(store, vault, rows).await
}

/// How somebody is reached.
pub(super) async fn reached(
    store: &Store,
    vault: &Vault,
    person: PersonId,
) -> Result<Reached, PersonError> {
    let row: Option<(String, Option<Vec<u8>>, Option<String>)> =
        sqlx::query_as(REACHED).bind(person.to_string()).fetch_optional(store.read()).await?;
    let Some((dek, sealed, language)) = row else { return Ok(Reached::default()) };
    let mail = match sealed {
        None => None,
        Some(sealed) => {
            let dek = DekId(dek.parse().map_err(|_wrong| StoreError::Row)?);
            let dek = vault.key_by_id(store, dek).await?;
            let plain = dek.open(mail_spot(&person.to_string()), &sealed)?;
            let text = String::from_utf8(plain).map_err(|_wrong| StoreError::Row)?;
            Some(Address::parse(&text).map_err(|_wrong| StoreError::Row)?)
        }
    };
    Ok(Reached { mail, language: language.map(|tag| Language::of(&tag)) })
}

/// Says how somebody is reached from now on.
pub(super) async fn set_mail(
    store: &Store,
    vault: &Vault,
    person: PersonId,
    mail: Option<&Address>,
    language: Language,
) -> Result<Statement, PersonError> {
    let row: Option<(String, Option<Vec<u8>>, Option<String>)> =
        sqlx::query_as(REACHED).bind(person.to_string()).fetch_optional(store.read()).await?;
    let (dek, ..) = row.ok_or(StoreError::Row)?;
    let dek = DekId(dek.parse().map_err(|_wrong| StoreError::Row)?);
    let dek = vault.key_by_id(store, dek).await?;
    let id = person.to_string();
    let sealed = mail.map(|mail| dek.seal(mail_spot(&id), mail.as_str().as_bytes())).transpose()?;
    let language = match language {
        Language::En => "en",
        Language::Es => "es",
    };
    Ok(Statement::new(SET_MAIL).text(id).bytes_or_null(sealed).text(language))
}

/// id, role, key, name.
type Row = (String, String, String, Vec<u8>);

async fn all(store: &Store, vault: &Vault, rows: Vec<Row>) -> Result<Vec<Person>, PersonError> {
    let mut people = Vec::with_capacity(rows.len());
    for row in rows {
        people.push(opened(store, vault, row).await?);
    }
    Ok(people)
}

async fn opened(store: &Store, vault: &Vault, row: Row) -> Result<Person, PersonError> {
    let (id, role, dek, sealed) = row;
    let dek = DekId(dek.parse().map_err(|_wrong| StoreError::Row)?);
    let dek = vault.key_by_id(store, dek).await?;
    let name = dek.open(name_spot(&id), &sealed)?;
    Ok(Person {
        person: id.parse().map_err(|_wrong| StoreError::Row)?,
        role: Role::ALL
            .into_iter()
            .find(|known| role_name(*known) == role)
            .ok_or(StoreError::Row)?,
        name: Phi::new(String::from_utf8(name).map_err(|_wrong| StoreError::Row)?),
    })
}

const fn mail_spot(person: &str) -> Spot<'_> {
    Spot { table: "person", row: person, seq: 0, column: "mail" }
}

const fn name_spot(person: &str) -> Spot<'_> {
    Spot { table: "person", row: person, seq: 0, column: "name" }
}

impl From<sqlx::Error> for PersonError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
