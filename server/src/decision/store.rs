//! Links to a recommendation at rest. Only the SHA-256 of a token is kept, so a link is shown once.

use clinical::actor::Millis;
use clinical::id::{PersonId, RecordId, RowId, SeatId};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::sql;
use crate::link::Token;
use crate::store::{Store, StoreError, now};

/// Where a link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) record: RecordId,
    pub(super) row: RowId,
    pub(super) person: PersonId,
    /// The place its answer comes from: no seat of a visit.
    pub(super) seat: SeatId,
    /// Who made it: they do not answer by it.
    pub(super) made_by: PersonId,
    pub(super) expires: Millis,
}

fn hash(token: &Token) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

pub(super) async fn add(store: &Store, token: &Token, link: Link) -> Result<(), StoreError> {
    let Link { record, row, person, seat, made_by, expires } = link;
    let mut write = store.write().await?;
    sqlx::query(sql::ADD_LINK)
        .bind(hash(token))
        .bind(record.to_string())
        .bind(row.to_string())
        .bind(person.to_string())
        .bind(seat.to_string())
        .bind(made_by.to_string())
        .bind(now().0)
        .bind(expires.0)
        .execute(&mut *write)
        .await?;
    write.commit().await?;
    Ok(())
}

pub(super) async fn find(store: &Store, token: &Token) -> Result<Option<Link>, StoreError> {
    let row: Option<(String, String, String, String, String, i64)> = sqlx::query_as(sql::LINK)
        .bind(hash(token))
        .bind(now().0)
        .fetch_optional(store.read())
        .await?;
    let Some((record, row, person, seat, made_by, expires)) = row else { return Ok(None) };
    let id = |text: &str| text.parse::<Uuid>().map_err(|_wrong| StoreError::Row);
    Ok(Some(Link {
        record: RecordId(id(&record)?),
        row: RowId(id(&row)?),
        person: PersonId(id(&person)?),
        seat: SeatId(id(&seat)?),
        made_by: PersonId(id(&made_by)?),
        expires: Millis(expires),
    }))
}

/// Who was sent a link to a recommendation before: one prescriber elsewhere is one person here.
pub(super) async fn person(store: &Store, row: RowId) -> Result<Option<PersonId>, StoreError> {
    let found: Option<String> =
        sqlx::query_scalar(sql::PERSON).bind(row.to_string()).fetch_optional(store.read()).await?;
    found.map(|id| id.parse().map_err(|_wrong| StoreError::Row)).transpose()
}

pub(super) async fn revoke(store: &Store, record: RecordId, row: RowId) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    sqlx::query(sql::REVOKE)
        .bind(record.to_string())
        .bind(row.to_string())
        .bind(now().0)
        .execute(&mut *write)
        .await?;
    write.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[tokio::test]
    async fn a_link_is_found_until_it_expires_or_is_taken_back() {
        let bench = Bench::new().await;
        let store = &bench.store;
        let id = Uuid::now_v7;
        let link = |expires: i64| Link {
            record: RecordId(id()),
            row: RowId(id()),
            person: PersonId(id()),
            seat: SeatId(id()),
            made_by: PersonId(id()),
            expires: Millis(expires),
        };
        let (old, fresh) = (Token::new().unwrap(), Token::new().unwrap());
        let holds = link(now().0 + 60_000);
        add(store, &old, link(now().0 - 1)).await.unwrap();
        add(store, &fresh, holds).await.unwrap();

        assert_eq!(find(store, &old).await.unwrap(), None);
        assert_eq!(find(store, &fresh).await.unwrap(), Some(holds));
        assert_eq!(find(store, &Token::new().unwrap()).await.unwrap(), None);
        assert_eq!(person(store, holds.row).await.unwrap(), Some(holds.person));
        revoke(store, RecordId(id()), holds.row).await.unwrap();
        assert_eq!(find(store, &fresh).await.unwrap(), Some(holds), "another record's");
        revoke(store, holds.record, holds.row).await.unwrap();
        assert_eq!(find(store, &fresh).await.unwrap(), None);
        assert!(!bench.folder.holds(&fresh.text()), "the token itself is nowhere kept");
    }
}
