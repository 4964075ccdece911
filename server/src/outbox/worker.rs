//! The task that sends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use clinical::actor::Millis;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::post::NotTaken;
use super::store::{self, Became, MailTrouble, Taken};
use super::{Outbox, TRIES};
use crate::http::stopped;
use crate::person::{self, PersonError};
use crate::record::{self, LoadError};
use crate::store::{StoreError, now};
use crate::vault::VaultError;

/// How often it is looked whether something is due. Shorter costs reads, longer lets a reminder wait.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often what is long settled is forgotten.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);

/// Mails on their way at once: connections to the operator's mail server.
const AT_ONCE: i64 = 4;

/// The first pause before another try, in milliseconds. Each is three times the one before, up to an hour: a mail server
/// that asks an unknown sender to come again takes it after some minutes.
const FIRST_PAUSE_MS: i64 = 5_000;
const LONGEST_PAUSE_MS: i64 = 60 * 60 * 1_000;

/// Sends what is due until the server stops.
pub(crate) fn start(outbox: Outbox, stopping: watch::Receiver<bool>) -> JoinHandle<()> {
    tokio::spawn(run(outbox, stopping))
}

async fn run(outbox: Outbox, mut stopping: watch::Receiver<bool>) {
    if let Err(error) = store::free(&outbox.0.store).await {
        tracing::warn!(%error, "mails that were on their way wait for a minute");
    }
    let mut purge = tokio::time::interval(PURGE_EVERY);
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => return,
            () = outbox.0.due.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = purge.tick() => {
                if let Err(error) = store::purge(&outbox.0.store, now()).await {
                    tracing::warn!(%error, "settled mails could not be forgotten");
                }
            }
        }
        tokio::select! {
            // What is on its way is sent again after the next start, with the same id.
            () = stopped(&mut stopping) => return,
            sent = outbox.send_due() => {
                if let Err(error) = sent {
                    tracing::warn!(%error, "mails cannot be read or noted: they wait");
                }
            }
        }
    }
}

impl Outbox {
    /// Sends everything that is due.
    pub(super) async fn send_due(&self) -> Result<(), StoreError> {
        loop {
            if store::oldest_due(&self.0.store, now()).await?.is_none() {
                return Ok(());
            }
            let taken = store::lease(&self.0.store, now(), AT_ONCE).await?;
            if taken.is_empty() {
                return Ok(());
            }
            let mut on_their_way = JoinSet::new();
            for mail in taken {
                let outbox = self.clone();
                on_their_way.spawn(async move { outbox.settle(mail).await });
            }
            // What one of them ran into stops none of the others.
            let mut end = Ok(());
            while let Some(settled) = on_their_way.join_next().await {
                let settled = settled.map_err(|_broke| StoreError::Row).and_then(|settled| settled);
                end = end.and(settled);
            }
            end?;
        }
    }

    /// Tries one, and notes what became of it.
    async fn settle(&self, mail: Taken) -> Result<(), StoreError> {
        let (id, attempts) = (mail.id, mail.attempts);
        let became = self.try_one(mail).await?;
        match became {
            Became::Sent => {
                self.0.sent.fetch_add(1, Ordering::Relaxed);
                tracing::info!(mail.id = %id, mail.attempts = attempts, "a mail was sent");
            }
            Became::Again { why, code, at: _ } => {
                let (why, code) = (why.name(), code.unwrap_or(0));
                tracing::warn!(mail.id = %id, mail.attempts = attempts, mail.why = why, smtp.code = code, "a mail was not taken: it is tried again");
            }
            Became::Failed { why, code } => {
                self.0.failed.fetch_add(1, Ordering::Relaxed);
                let (why, code) = (why.name(), code.unwrap_or(0));
                tracing::warn!(mail.id = %id, mail.attempts = attempts, mail.why = why, smtp.code = code, "a mail has failed");
            }
        }
        store::note(&self.0.store, id, became, now()).await
    }

    async fn try_one(&self, mail: Taken) -> Result<Became, StoreError> {
        let failed = |why| Ok(Became::Failed { why, code: None });
        if mail.expires <= now() {
            return failed(MailTrouble::Late);
        }
        let (store, vault) = (&self.0.store, &self.0.vault);
        let payload = match mail.open(store, vault).await {
            Ok(payload) => payload,
            Err(VaultError::Store(error)) => return Err(error),
            // Erased, or not what was stored.
            Err(_) => return failed(MailTrouble::Broken),
        };
        if self.shuts_out(&mail).await? {
            return failed(MailTrouble::ShutOut);
        }
        let reached = match person::reached(store, vault, mail.person).await {
            Ok(reached) => reached,
            Err(PersonError::Store(error)) => return Err(error),
            Err(PersonError::Vault(_)) => return failed(MailTrouble::Broken),
        };
        let Some(to) = reached.mail else { return failed(MailTrouble::NoAddress) };
        let post = &self.0.post;
        let sent = match post.message(mail.id, &to, payload, now()) {
            Ok(message) => post.send(mail.id, message).await,
            Err(broken) => Err(broken),
        };
        Ok(match sent {
            Ok(()) => Became::Sent,
            Err(NotTaken::ForGood { why, code }) => Became::Failed { why, code },
            Err(NotTaken::Now { why, code }) if mail.attempts >= TRIES => {
                Became::Failed { why, code }
            }
            Err(NotTaken::Now { why, code }) => {
                let at = now().0.saturating_add(pause(mail.attempts, chance()));
                Became::Again { at: Millis(at), why, code }
            }
        })
    }

    /// Whether the patient does not want them to have anything any more.
    async fn shuts_out(&self, mail: &Taken) -> Result<bool, StoreError> {
        let Some(record) = mail.record else { return Ok(false) };
        match record::load(&self.0.store, &self.0.vault, record).await {
            Ok(loaded) => Ok(record::hand(&loaded.docs, mail.role, mail.person).is_shut_out()),
            Err(LoadError::Store(error)) => Err(error),
            // Nobody knows what the patient wants.
            Err(LoadError::NotFound | LoadError::Vault(_)) => Ok(true),
        }
    }
}

/// How long until the next try, in milliseconds: three quarters to five quarters of the step, so that a thousand mails
/// do not come back in one second.
fn pause(attempts: i64, chance: u8) -> i64 {
    let times = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    let step = FIRST_PAUSE_MS.saturating_mul(3_i64.saturating_pow(times)).min(LONGEST_PAUSE_MS);
    step / 4 * 3 + step / 2 * i64::from(chance) / 255
}

/// Without randomness there is no spread, which hurts nobody.
fn chance() -> u8 {
    let mut byte = [128];
    let _spread = getrandom::fill(&mut byte);
    let [byte] = byte;
    byte
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_twelve_tries_take_an_afternoon() {
        assert_eq!(pause(1, 0), 3_750);
        assert_eq!(pause(1, 255), 6_250);
        assert!(pause(1, 255) < pause(2, 0));
        assert_eq!(pause(100, 255), 4_500_000);
        let all: i64 = (1..TRIES).map(|attempts| pause(attempts, 128)).sum();
        let hours = all / 3_600_000;
        assert!((5..=7).contains(&hours), "{hours}");
    }
}
