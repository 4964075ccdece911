//! The mails that tell of a signed plan: stored in one transaction with the signature, or with the sharing that comes after it.

use clinical::command::Command;
use clinical::doc::Doc;
use clinical::field::DocKind;
use clinical::id::ConnectionId;
use signaling::message::CommandName;
use signaling::role;

use super::Task;
use crate::notice::{self, Around, Plan};
use crate::record::hand_by;
use crate::record::writer::Work;
use crate::store::now;

/// What is about to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    /// The plan is signed.
    Signing,
    /// It is shared, maybe after it was signed.
    Sharing,
}

impl Task {
    /// The mails that go with a signature.
    pub(super) async fn mails_of_signing(&self, connection: ConnectionId) -> Work {
        self.notices(connection, Occasion::Signing).await
    }

    /// The mails that go with a command.
    pub(super) async fn mails_of(&self, connection: ConnectionId, command: &Command) -> Work {
        match command {
            Command::Share if self.may_share(connection) => {
                self.notices(connection, Occasion::Sharing).await
            }
            _ => Work::default(),
        }
    }

    /// Asked before anything is read for it: whoever may not, does not make others wait.
    fn may_share(&self, connection: ConnectionId) -> bool {
        let reader = self.readers.get(&connection);
        reader.is_some_and(|reader| role::may_command(reader.actor.role, CommandName::Share))
    }

    /// The mails that go with it; none where no mail is set up, or something of them does not read. A signature does not
    /// wait for the post.
    async fn notices(&self, connection: ConnectionId, occasion: Occasion) -> Work {
        let inner = &self.home.records.inner;
        let (Some(outbox), Some(reader)) = (&inner.outbox, self.readers.get(&connection)) else {
            return Work::default();
        };
        let doc = |kind| self.session.docs().find(move |held: &&Doc| held.kind() == kind);
        let (Some(plan), Some(visit)) = (doc(DocKind::Plan), reader.visit) else {
            return Work::default();
        };
        let newest = plan.signed().map_or(0, |signed| signed.version);
        let (version, shared) = match occasion {
            Occasion::Signing => (newest.saturating_add(1), plan.shared()),
            Occasion::Sharing if plan.sealed() => (newest, true),
            // There is nothing to tell of yet.
            Occasion::Sharing => return Work::default(),
        };
        let voice = doc(DocKind::Voice)
            .filter(|voice| self.logs.get(&voice.id()).is_some_and(|log| log.poison.is_none()));
        let hand = |role, person| hand_by(voice, role, person);
        let around = Around { store: &inner.store, vault: &inner.vault, outbox };
        let plan = Plan { record: self.home.record, doc: plan.id(), version, shared };
        match notice::statements(around, visit, &plan, hand, now()).await {
            Ok(first) => Work { first, ..Work::default() },
            Err(error) => {
                tracing::error!(record.id = %self.home.record, %error, "nobody is told of the plan by mail");
                Work::default()
            }
        }
    }
}
