//! `mortar passkey`: who of the staff confirms signatures with which device.

use std::fmt::Write as _;

use anyhow::bail;
use clap::Subcommand;
use clinical::actor::Millis;
use clinical::id::PersonId;
use clinical::value::PartialDate;
use uuid::Uuid;

use super::{chain, on_the_staff, open, say};
use crate::config::Config;
use crate::passkey::{self, LINK_HOLDS_MS, Passkey, RelyingParty};
use crate::person::{self, Person};
use crate::record::writer::Writer;
use crate::serve::origin;

#[derive(Debug, Subcommand)]
pub(super) enum Ask {
    /// Print a link by which somebody on the staff sets up a passkey on their own device: good once, for half an hour.
    Add {
        /// Whose, as `mortar staff` prints it.
        person: PersonId,
    },
    /// List the passkeys of the staff.
    List,
    /// Take a passkey away: a lost device, or somebody who has left. From then on it confirms nothing.
    Remove {
        /// Which, as `mortar passkey list` prints it.
        passkey: Uuid,
    },
}

pub(super) async fn run(config: Config, ask: Ask) -> anyhow::Result<()> {
    match ask {
        Ask::Add { person } => add(config, person).await,
        Ask::List => list(config).await,
        Ask::Remove { passkey } => remove(config, passkey).await,
    }
}

async fn add(config: Config, who: PersonId) -> anyhow::Result<()> {
    let origin = origin(&config, config.listen);
    let origins =
        if config.origins.is_empty() { vec![origin.clone()] } else { config.origins.clone() };
    if let Err(why) = RelyingParty::of(&origins) {
        bail!("passkeys do not work here: {why}");
    }
    let (store, vault) = open(&config).await?;
    let Person { name, .. } = on_the_staff(&store, &vault, who).await?;
    let writer = Writer::start(store.clone(), &chain()).await?;
    let token = passkey::link(&store, &vault, &writer, who).await?;
    say(&format!(
        "A passkey for {}, to be set up within {} minutes. Give this link to them and to nobody else:\n\n  {origin}/k#{}\n\nIt works once, on the device they open it with. From then on their signatures need a passkey.\n",
        name.expose(),
        LINK_HOLDS_MS / 60_000,
        token.text(),
    ));
    writer.flush().await;
    store.close().await;
    Ok(())
}

async fn list(config: Config) -> anyhow::Result<()> {
    let (store, vault) = open(&config).await?;
    let day = |at: Millis| PartialDate::of(at).as_str().to_owned();
    let mut words = String::new();
    for Person { person, name: whose, role: _ } in person::staff(&store, &vault).await? {
        for passkey in passkey::of(&store, &vault, person).await? {
            let Passkey { id, fingerprint, name, added, used, copied, .. } = passkey;
            let fingerprint = fingerprint.as_str().get(..16).unwrap_or_default();
            let used =
                used.map_or_else(|| "never used".to_owned(), |at| format!("used {}", day(at)));
            let copied = copied.map_or_else(String::new, |at| {
                format!("  REFUSED since {}: it may have been copied", day(at))
            });
            let _infallible = writeln!(
                words,
                "{id}  {:<24} {fingerprint}  since {}, {used}  {name}{copied}",
                whose.expose(),
                day(added),
            );
        }
    }
    say(if words.is_empty() { "Nobody has a passkey yet.\n" } else { &words });
    store.close().await;
    Ok(())
}

async fn remove(config: Config, id: Uuid) -> anyhow::Result<()> {
    let (store, _vault) = open(&config).await?;
    let writer = Writer::start(store.clone(), &chain()).await?;
    if !passkey::remove(&store, &writer, id).await? {
        bail!("there is no passkey {id}: `mortar passkey list` lists them");
    }
    say("Removed.\n");
    writer.flush().await;
    store.close().await;
    Ok(())
}
