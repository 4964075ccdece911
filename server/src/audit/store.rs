//! The chain of the log of accesses: append, walk.

use sha2::{Digest as _, Sha256};

use super::{Entry, Verified, VerifyError, role_name};
use crate::store::{Store, StoreError, sql};

sql! {
    /// The end of a chain.
    HEAD = "select n, hash from audit where chain = $1 order by n desc limit 1";
    /// One row.
    APPEND = "insert into audit (chain, n, at_ms, person, role, on_behalf_of, org, action, outcome, patient, object, visit, detail, prev_hash, hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    /// A stretch of all chains, in order.
    WALK = "select chain, n, at_ms, person, role, on_behalf_of, org, action, outcome, patient, object, visit, detail, prev_hash, hash from audit where chain > $1 or (chain = $1 and n > $2) order by chain, n limit 1000";
    /// Who touched a patient's data, newest first.
    OF_PATIENT = "select at_ms, person, role, action, outcome, object, visit from audit where patient = $1 order by at_ms desc limit 1000";
}

/// The organisation of every row, until there are several on one server.
const ORGANISATION: &str = "practice";

type Hash = [u8; 32];

/// The row as it is stored, but for the hash.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    chain: String,
    n: i64,
    at_ms: i64,
    person: String,
    role: String,
    on_behalf_of: Option<String>,
    org: String,
    action: String,
    outcome: String,
    patient: Option<String>,
    object: String,
    visit: Option<String>,
    detail: Option<Vec<u8>>,
    prev_hash: Vec<u8>,
}

impl Row {
    fn hash(&self) -> Hash {
        let Self {
            chain,
            n,
            at_ms,
            person,
            role,
            on_behalf_of,
            org,
            action,
            outcome,
            patient,
            object,
            visit,
            detail,
            prev_hash,
        } = self;
        let mut sha = Sha256::new();
        let mut add = |bytes: Option<&[u8]>| match bytes {
            // Length first, or "ab"+"c" would be "a"+"bc"; absent is not empty.
            Some(bytes) => {
                sha.update([1]);
                sha.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
                sha.update(bytes);
            }
            None => sha.update([0]),
        };
        add(Some(prev_hash));
        add(Some(chain.as_bytes()));
        add(Some(&n.to_be_bytes()));
        add(Some(&at_ms.to_be_bytes()));
        add(Some(person.as_bytes()));
        add(Some(role.as_bytes()));
        add(on_behalf_of.as_deref().map(str::as_bytes));
        add(Some(org.as_bytes()));
        add(Some(action.as_bytes()));
        add(Some(outcome.as_bytes()));
        add(patient.as_deref().map(str::as_bytes));
        add(Some(object.as_bytes()));
        add(visit.as_deref().map(str::as_bytes));
        add(detail.as_deref());
        sha.finalize().into()
    }
}

/// The end of this process's chain. Moves on only when the transaction that wrote the rows is committed.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    name: String,
    n: i64,
    last: Hash,
}

impl Chain {
    /// Looks up where a chain ends.
    pub(crate) async fn load(store: &Store, name: &str) -> Result<Self, StoreError> {
        let head: Option<(i64, Vec<u8>)> =
            sqlx::query_as(HEAD).bind(name).fetch_optional(store.read()).await?;
        let (n, last) = head.unwrap_or_default();
        Ok(Self { name: name.to_owned(), n, last: last.try_into().unwrap_or_default() })
    }

    /// Looks up again where it ends.
    pub(crate) async fn reload(&self, store: &Store) -> Result<Self, StoreError> {
        Self::load(store, &self.name).await
    }

    /// Appends a row within a transaction; answers the chain's new end.
    pub(crate) async fn append(
        &self,
        write: &mut sqlx::Transaction<'static, sqlx::Any>,
        entry: &Entry,
    ) -> Result<Self, StoreError> {
        let Entry {
            at_ms,
            person,
            role,
            on_behalf_of,
            action,
            outcome,
            patient,
            object,
            visit,
            detail,
        } = entry;
        let row = Row {
            chain: self.name.clone(),
            n: self.n + 1,
            at_ms: at_ms.0,
            person: person.map(|person| person.to_string()).unwrap_or_default(),
            role: role.map(role_name).unwrap_or_default().to_owned(),
            on_behalf_of: on_behalf_of.map(|person| person.to_string()),
            org: ORGANISATION.to_owned(),
            action: (*action).to_owned(),
            outcome: outcome.as_str().to_owned(),
            patient: patient.map(|patient| patient.to_string()),
            object: object.clone(),
            visit: visit.map(|visit| visit.to_string()),
            detail: detail.clone(),
            prev_hash: self.last.to_vec(),
        };
        let hash = row.hash();
        let end = Self { name: row.chain.clone(), n: row.n, last: hash };
        sqlx::query(APPEND)
            .bind(row.chain)
            .bind(row.n)
            .bind(row.at_ms)
            .bind(row.person)
            .bind(row.role)
            .bind(row.on_behalf_of)
            .bind(row.org)
            .bind(row.action)
            .bind(row.outcome)
            .bind(row.patient)
            .bind(row.object)
            .bind(row.visit)
            .bind(row.detail)
            .bind(row.prev_hash)
            .bind(hash.to_vec())
            .execute(&mut **write)
            .await?;
        Ok(end)
    }
}

/// Walks every chain and stops at the first row that is not as it was written. Rows cut off at the end of a chain leave
/// no trace in the chain itself: compare with the count that a backup's manifest holds.
///
/// # Errors
/// The first bad row, or the store said no.
pub async fn verify(store: &Store) -> Result<Verified, VerifyError> {
    use sqlx::Row as _;

    let mut done = Verified::default();
    let mut chain = String::new();
    let mut n = 0_i64;
    let mut last: Vec<u8> = Vec::new();
    loop {
        let rows = sqlx::query(WALK)
            .bind(&chain)
            .bind(n)
            .fetch_all(store.read())
            .await
            .map_err(StoreError::from)?;
        if rows.is_empty() {
            return Ok(done);
        }
        for stored in rows {
            let read = || -> Result<(Row, Vec<u8>), sqlx::Error> {
                Ok((
                    Row {
                        chain: stored.try_get(0)?,
                        n: stored.try_get(1)?,
                        at_ms: stored.try_get(2)?,
                        person: stored.try_get(3)?,
                        role: stored.try_get(4)?,
                        on_behalf_of: stored.try_get(5)?,
                        org: stored.try_get(6)?,
                        action: stored.try_get(7)?,
                        outcome: stored.try_get(8)?,
                        patient: stored.try_get(9)?,
                        object: stored.try_get(10)?,
                        visit: stored.try_get(11)?,
                        detail: stored.try_get(12)?,
                        prev_hash: stored.try_get(13)?,
                    },
                    stored.try_get(14)?,
                ))
            };
            let (row, hash) = read().map_err(StoreError::from)?;
            if row.chain != chain {
                done.chains += 1;
                chain.clone_from(&row.chain);
                n = 0;
                last = vec![0; 32];
            }
            if row.n != n + 1 {
                return Err(VerifyError::Missing { chain, n: n + 1 });
            }
            n = row.n;
            if row.prev_hash != last {
                return Err(VerifyError::Unlinked { chain, n });
            }
            if row.hash().as_slice() != hash.as_slice() {
                return Err(VerifyError::Changed { chain, n });
            }
            last = hash;
            done.rows += 1;
        }
    }
}
