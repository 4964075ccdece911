//! The names of those who wrote in a record.

use std::collections::BTreeSet;

use clinical::id::PersonId;
use signaling::message::PersonName;

use crate::person;
use crate::record::Home;

impl Home {
    /// Names of authors; who does not read is left without one.
    pub(super) async fn names(&self, authors: BTreeSet<PersonId>) -> Vec<PersonName> {
        let inner = &self.records.inner;
        let mut names = Vec::with_capacity(authors.len());
        for author in authors {
            match person::person(&inner.store, &inner.vault, author).await {
                Ok(Some(person::Person { person, role, name })) => {
                    names.push(PersonName { person, name, role });
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "a name does not read"),
            }
        }
        names
    }
}
