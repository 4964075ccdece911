//! The demo practice: invented people, one follow-up visit, one link for each seat.

use clinical::actor::{Millis, Role};
use clinical::gate::{Credential, CredentialKind};
use clinical::id::{PersonId, RecordId};
use clinical::phi::Phi;
use clinical::value::PartialDate;
use signaling::message::PatientFacts;
use signaling::visit::VisitKind;

use crate::credential;
use crate::link::{self, LinkError, Token};
use crate::patient::{self, ImportError, ImportReport};
use crate::person::{self, PersonError};
use crate::record::writer::Writer;
use crate::store::{Store, StoreError, now};
use crate::vault::Vault;
use crate::visit::{self, Seat, SeatError, Visit};

/// FHIR R4 charts of our own making. The first is the patient of the demo visit.
const CHARTS: [&[u8]; 4] = [
    include_bytes!("../demo/ruth-delgado.json"),
    include_bytes!("../demo/harold-whitfield.json"),
    include_bytes!("../demo/minh-nguyen.json"),
    include_bytes!("../demo/tamika-brooks.json"),
];

const PHARMACIST: &str = "Ana Reyes, PharmD";
const PCP: &str = "Dr. Priya Raman";
const CAREGIVER: &str = "Elena Delgado";

/// How long the credentials of the demo pharmacist hold.
const A_YEAR_MS: i64 = 365 * 86_400_000;

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A chart was not taken: a bug, the charts are ours.
    #[error("a demo chart was not imported: {0}")]
    Import(#[from] ImportError),
    /// Names do not read or write.
    #[error(transparent)]
    Person(#[from] PersonError),
    /// A seat was not made.
    #[error(transparent)]
    Seat(#[from] SeatError),
    /// A link was not made.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A visit with the link of each seat.
#[derive(Debug)]
pub struct Invitation {
    /// Whom it is about.
    pub patient: Option<PatientFacts>,
    /// The seats, in order of being invited.
    pub seats: Vec<Invited>,
}

/// A seat with its link.
#[derive(Debug)]
pub struct Invited {
    /// The seat.
    pub seat: Seat,
    /// Who sits there.
    pub name: Phi<String>,
    /// The secret of the link.
    pub token: Token,
}

/// Imports the demo practice into an empty database. In one that has visits, a visit that is over gets a successor
/// with the same people, so that the links of the next start lead somewhere.
///
/// # Errors
/// See [`DemoError`].
pub async fn prepare(store: &Store, vault: &Vault, writer: &Writer) -> Result<(), DemoError> {
    match visit::newest_visit(store).await? {
        Some(over) if over.ended.is_some() => {
            let next = visit::create(store, over.kind, over.record).await?;
            for seat in visit::seats(store, over.id).await? {
                if !seat.revoked {
                    visit::invite(store, &next, seat.person, seat.role).await?;
                }
            }
            Ok(())
        }
        Some(_open) => Ok(()),
        None if patient::records(store).await?.is_empty() => {
            let mut first = None;
            for chart in CHARTS {
                let report = patient::import(store, vault, writer, chart, None).await?;
                first.get_or_insert(report);
            }
            match first {
                Some(report) => demo_visit(store, vault, writer, &report).await,
                None => Ok(()),
            }
        }
        // Somebody's own charts: no demo beside them.
        None => Ok(()),
    }
}

/// Schedules a follow-up visit for an imported chart: the patient, and the team of the newest visit. Where there has
/// been none, a pharmacist and a clinician who are called by their roles.
///
/// # Errors
/// See [`DemoError`].
pub async fn schedule(
    store: &Store,
    vault: &Vault,
    writer: &Writer,
    imported: &ImportReport,
) -> Result<(), DemoError> {
    let mut team = Vec::new();
    if let Some(newest) = visit::newest_visit(store).await? {
        let seats = visit::seats(store, newest.id).await?;
        team.extend(seats.iter().filter(|seat| !seat.revoked).map(|seat| (seat.person, seat.role)));
        team.retain(|(_, role)| matches!(role, Role::Pharmacist | Role::Pcp | Role::Nurse));
    }
    if team.is_empty() {
        for (name, role) in [("Pharmacist", Role::Pharmacist), ("Clinician", Role::Pcp)] {
            let name = Phi::new(name.to_owned());
            team.push((person::add(store, vault, writer, &name, role, None).await?, role));
        }
    }
    team.push((imported.person, Role::Patient));
    follow_up(store, imported.record, &team).await
}

/// The invented team and the caregiver of the first demo patient.
async fn demo_visit(
    store: &Store,
    vault: &Vault,
    writer: &Writer,
    imported: &ImportReport,
) -> Result<(), DemoError> {
    let mut people = Vec::new();
    for (name, role, cares_for) in [
        (PHARMACIST, Role::Pharmacist, None),
        (PCP, Role::Pcp, None),
        (CAREGIVER, Role::Caregiver, Some(imported.patient)),
    ] {
        let name = Phi::new(name.to_owned());
        people.push((person::add(store, vault, writer, &name, role, cares_for).await?, role));
    }
    if let Some((pharmacist, _)) = people.first() {
        for (kind, number) in
            [(CredentialKind::License, "RPH-10442"), (CredentialKind::MtmCert, "MTM-2291")]
        {
            let (number, state) = (number.to_owned(), "LA".to_owned());
            let expires = PartialDate::of(Millis(now().0 + A_YEAR_MS));
            let held = Credential { kind, number, state, expires };
            credential::add(writer, *pharmacist, &held).await?;
        }
    }
    people.insert(2, (imported.person, Role::Patient));
    follow_up(store, imported.record, &people).await
}

async fn follow_up(
    store: &Store,
    record: RecordId,
    people: &[(PersonId, Role)],
) -> Result<(), DemoError> {
    let visit = visit::create(store, VisitKind::FollowUp, Some(record)).await?;
    for (person, role) in people {
        visit::invite(store, &visit, *person, *role).await?;
    }
    Ok(())
}

/// The newest visit with a link for each seat; `None` if there is no visit, or it is over.
///
/// # Errors
/// See [`DemoError`].
pub async fn invitation(store: &Store, vault: &Vault) -> Result<Option<Invitation>, DemoError> {
    let Some(Visit { id, kind: _, record, ended: None }) = visit::newest_visit(store).await? else {
        return Ok(None);
    };
    let patient = match record {
        Some(record) => patient::of_record(store, vault, record).await?.map(|(_, facts)| facts),
        None => None,
    };
    let mut seats = Vec::new();
    for seat in visit::seats(store, id).await? {
        if seat.revoked {
            continue;
        }
        let name = person::person(store, vault, seat.person).await?;
        let name = name.map(|person| person.name).unwrap_or_default();
        let token = link::link_of(store, vault, seat.id).await?;
        seats.push(Invited { seat, name, token });
    }
    Ok(Some(Invitation { patient, seats }))
}
