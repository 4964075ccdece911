//! The command line: the server, and an operator's commands.

mod import;
mod passkey;

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use clinical::actor::Role;
use clinical::cdtm::agreement::Standing;
use clinical::cdtm::day::Day;
use clinical::format::Language;
use clinical::gate::{Credential, CredentialKind};
use clinical::id::PersonId;
use clinical::value::PartialDate;
use signaling::message::CameraFormat;
use uuid::Uuid;

use crate::acceptance;
use crate::agreement::{self, Listed, Rules};
use crate::config::{Config, Demo, Mail, MailWay, Practice, StepUp, Tls};
use crate::credential;
use crate::demo::{self, Invitation, Invited};
use crate::http::assets;
use crate::outbox::address::Address;
use crate::passkey::{default_for, held_by};
use crate::person::{self, Person};
use crate::record::writer::Writer;
use crate::serve::{KEY_FILE, origin, serve};
use crate::store::{Hold, Store};
use crate::vault::Vault;
use crate::verify;
use crate::visit::time::Terms;

/// Video consults for virtual pharmacists.
#[derive(Debug, Parser)]
#[command(name = "mortar", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// Data folder: database and keys. Back it up, and keep it to yourself.
    #[arg(long, global = true, env = "MORTAR_DATA", default_value = "mortar-data")]
    data: PathBuf,

    /// Address and port of the web pages.
    #[arg(long, global = true, env = "MORTAR_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Port of sound and pictures: UDP, and TCP for networks without it.
    #[arg(long, global = true, env = "MORTAR_MEDIA_PORT", default_value_t = 3478)]
    media_port: u16,

    /// Address at which browsers reach this machine, when it is not one of its own.
    #[arg(long, global = true, env = "MORTAR_PUBLIC_IP")]
    public_ip: Option<IpAddr>,

    /// Address and port of `/metrics` (OpenMetrics), on this machine alone: 127.0.0.1:9464.
    #[arg(long, global = true, env = "MORTAR_METRICS")]
    metrics: Option<SocketAddr>,

    /// Encrypt with a certificate of our own making, so that other devices in the network may use camera and
    /// microphone. They warn once. Listen on 0.0.0.0 with it.
    #[arg(long, global = true, env = "MORTAR_TLS")]
    tls: bool,

    /// Origin that browsers use, as https://visits.example.org. Once for each.
    #[arg(long, global = true, env = "MORTAR_ORIGIN", value_delimiter = ',')]
    origin: Vec<String>,

    /// Name of the practice, as patients know it.
    #[arg(long, global = true, env = "MORTAR_PRACTICE", default_value_t = Practice::default().name)]
    practice: String,

    /// Whom patients call when nothing works.
    #[arg(long, global = true, env = "MORTAR_PHONE", default_value_t = Practice::default().phone)]
    phone: String,

    /// Credentials without which nobody signs a plan: license, mtm_cert, cdtm_registration, board_cert.
    #[arg(long, global = true, env = "MORTAR_SIGN_REQUIRES", value_delimiter = ',', value_parser = credential_kind, default_values = ["license", "mtm_cert"])]
    sign_requires: Vec<CredentialKind>,

    /// Whether a signature needs a passkey: `required`, or `when-enrolled`, which asks only those who have one. Without it:
    /// required where --origin names a site with https, and else when-enrolled.
    #[arg(long, global = true, env = "MORTAR_SIGN_STEP_UP", value_parser = step_up)]
    sign_step_up: Option<StepUp>,

    /// Time zone of the practice, as America/New_York: of the days on billing sheets and the hours in invitations.
    #[arg(long, global = true, env = "MORTAR_TIME_ZONE", default_value_t = Practice::default().zone)]
    time_zone: String,

    /// In which format cameras are sent: vp8, h264, vp9 or av1. Browsers that cannot send it take VP8, or else H.264.
    #[arg(long, global = true, env = "MORTAR_CAMERA", default_value = "vp8", value_parser = camera_format)]
    camera: CameraFormat,

    /// File of the payers' rules for billing sheets. Without it the example that ships, which nobody has verified.
    #[arg(long, global = true, env = "MORTAR_PAYER_RULES")]
    payer_rules: Option<PathBuf>,

    /// Base address of a CDS Hooks 2.0 service, as https://cds.example.org: it is sent the plan whenever a clinician looks
    /// at it, and what it says is shown as its words. Without it nobody is asked.
    #[arg(long, global = true, env = "MORTAR_CDS_HOOKS")]
    cds_hooks: Option<String>,

    /// File of the bearer token that service wants.
    #[arg(long, global = true, env = "MORTAR_CDS_HOOKS_TOKEN", requires = "cds_hooks")]
    cds_hooks_token: Option<PathBuf>,

    /// File of what jurisdictions ask of CDTM agreements. Without it the rules that ship: Louisiana's, which nobody has
    /// verified.
    #[arg(long, global = true, env = "MORTAR_CDTM_RULES")]
    cdtm_rules: Option<PathBuf>,

    /// The operator's mail server, as smtps://USER@mail.example.org, or smtp://mail.example.org:587 with STARTTLS. Without
    /// it, and without --mail-folder, no mail is sent and staff hand links on themselves.
    #[arg(long, global = true, env = "MORTAR_SMTP", requires = "mail_from", group = "mail_way")]
    smtp: Option<String>,

    /// File of the password of that user.
    #[arg(long, global = true, env = "MORTAR_SMTP_PASSWORD", requires = "smtp")]
    smtp_password: Option<PathBuf>,

    /// Address that mails come from, as visits@example.org.
    #[arg(long, global = true, env = "MORTAR_MAIL_FROM", requires = "mail_way")]
    mail_from: Option<String>,

    /// Folder that mails are written into instead of being sent, for a trial.
    #[arg(
        long,
        global = true,
        env = "MORTAR_MAIL_FOLDER",
        requires = "mail_from",
        group = "mail_way"
    )]
    mail_folder: Option<PathBuf>,

    /// Leave an empty database empty.
    #[arg(long, global = true, env = "MORTAR_NO_DEMO")]
    no_demo: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (the default).
    Serve,
    /// Import a FHIR R4 chart (a Bundle in JSON, or NDJSON) of a new patient. Exit code 3: the patient is here already
    /// and the chart says something else; 4: a warning wants a word of yours. Then nothing was stored.
    Import(import::Import),
    /// Print the links of the newest visit.
    Links,
    /// List staff and their credentials.
    Staff,
    /// Note a credential of somebody on the staff, after having checked it.
    Credential {
        /// Whose, as `mortar staff` prints it.
        person: PersonId,
        /// license, mtm_cert, cdtm_registration or board_cert.
        #[arg(value_parser = credential_kind)]
        kind: CredentialKind,
        /// As printed on it.
        number: String,
        /// The last day it holds: 2027-06-30.
        #[arg(value_parser = day)]
        expires: PartialDate,
        /// The State that gave it.
        #[arg(long, default_value = "")]
        state: String,
    },
    /// Note where somebody on the staff gets mail, after having checked it; without an address, that they get none. Links
    /// of staff carry their powers, so nobody else may say where those go.
    Address {
        /// Whose, as `mortar staff` prints it.
        person: PersonId,
        /// As ana@example.org.
        #[arg(value_parser = mail_address)]
        mail: Option<Address>,
        /// In which language: en or es.
        #[arg(long, default_value = "en", value_parser = ["en", "es"])]
        language: String,
    },
    /// Passkeys of the staff, with which they confirm their signatures.
    #[command(subcommand)]
    Passkey(passkey::Ask),
    /// Count how many recommendations were accepted, and how fast they were answered.
    Report {
        /// First day they were sent on (UTC): 2026-01-01.
        #[arg(long, value_parser = day)]
        from: PartialDate,
        /// Last day they were sent on (UTC): 2026-06-30.
        #[arg(long, value_parser = day)]
        to: PartialDate,
    },
    /// List the CDTM agreements: ids, days, where each stands. No patient's name, no clinical text.
    Agreements,
    /// Check that everything stored is what was stored: logs, signed versions, the log of accesses.
    Verify,
}

fn credential_kind(name: &str) -> Result<CredentialKind, String> {
    credential::kind_of(name).ok_or_else(|| {
        format!("{name} is no credential: license, mtm_cert, cdtm_registration or board_cert")
    })
}

fn mail_address(text: &str) -> Result<Address, String> {
    Address::parse(text)
        .map_err(|_not_one| format!("{text} is no mail address: write it as ana@example.org"))
}

fn step_up(name: &str) -> Result<StepUp, String> {
    match name {
        "required" => Ok(StepUp::Required),
        "when-enrolled" => Ok(StepUp::WhenEnrolled),
        _ => Err(format!("{name} is neither required nor when-enrolled")),
    }
}

fn camera_format(name: &str) -> Result<CameraFormat, String> {
    match name {
        "vp8" => Ok(CameraFormat::Vp8),
        "h264" => Ok(CameraFormat::H264),
        "vp9" => Ok(CameraFormat::Vp9),
        "av1" => Ok(CameraFormat::Av1),
        _ => Err(format!("{name} is no format of pictures: write vp8, h264, vp9 or av1")),
    }
}

fn day(text: &str) -> Result<PartialDate, String> {
    PartialDate::parse(text)
        .filter(|date| date.as_str().len() == 10)
        .ok_or_else(|| format!("{text} is no day: write it as 2027-06-30"))
}

impl Cli {
    fn config(self) -> (Command, Config) {
        let Self {
            command,
            data,
            listen,
            media_port,
            public_ip,
            metrics,
            tls,
            origin,
            practice,
            phone,
            sign_requires,
            sign_step_up,
            time_zone,
            camera,
            payer_rules,
            cds_hooks,
            cds_hooks_token,
            cdtm_rules,
            smtp,
            smtp_password,
            mail_from,
            mail_folder,
            no_demo,
        } = self;
        let smtp = smtp.map(|url| MailWay::Smtp { url, password: smtp_password });
        let way = smtp.or_else(|| mail_folder.map(MailWay::Folder));
        let mail = way.zip(mail_from).map(|(way, from)| Mail { from, way });
        let origins: Vec<String> =
            origin.iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect();
        let step_up = sign_step_up.unwrap_or_else(|| default_for(&origins));
        let config = Config {
            data,
            listen,
            media_port,
            public_ip,
            metrics,
            tls: if tls { Tls::SelfSigned } else { Tls::Off },
            origins,
            practice: Practice {
                name: practice,
                phone,
                sign_requires,
                step_up,
                zone: time_zone,
                camera,
            },
            payer_rules,
            cds_hooks,
            cds_hooks_token,
            cdtm_rules,
            mail,
            demo: if no_demo { Demo::No } else { Demo::Yes },
        };
        (command.unwrap_or(Command::Serve), config)
    }
}

/// Reads the arguments and does what they say.
///
/// # Errors
/// What is wrong and what to do, for the terminal.
pub fn run() -> anyhow::Result<ExitCode> {
    let (command, config) = Cli::parse().config();
    for origin in &config.origins {
        if !(origin.starts_with("https://") || origin.starts_with("http://")) {
            bail!("--origin {origin} is not an origin: write it as https://visits.example.org");
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the system gives no threads")?;
    runtime.block_on(async {
        match command {
            Command::Import(asked) => return import::run(config, asked).await,
            Command::Serve => run_server(config).await,
            Command::Links => links(config).await,
            Command::Staff => staff(config).await,
            Command::Credential { person, kind, number, expires, state } => {
                note_credential(config, person, Credential { kind, number, state, expires }).await
            }
            Command::Address { person, mail, language } => {
                note_address(config, person, mail.as_ref(), Language::of(&language)).await
            }
            Command::Passkey(ask) => passkey::run(config, ask).await,
            Command::Report { from, to } => report(config, from, to).await,
            Command::Agreements => agreements(config).await,
            Command::Verify => verify_all(config).await,
        }?;
        Ok(ExitCode::SUCCESS)
    })
}

async fn run_server(config: Config) -> anyhow::Result<()> {
    let (wants_demo, step_up) = (config.demo, config.practice.step_up);
    let server = serve(config).await?;
    let app = server.app();
    if wants_demo == Demo::Yes {
        demo::prepare(&app.store, &app.vault, &app.writer).await?;
    }
    if !assets::is_built() {
        say("The web client is not built, so browsers see nothing. Run `make run`.\n");
    }
    let mut words = format!("\nMortar is running at {}\n", server.origin());
    if let Some(invitation) = demo::invitation(&app.store, &app.vault).await? {
        describe(&mut words, &server.origin(), &invitation);
    }
    if step_up == StepUp::Required {
        who_cannot_sign(&mut words, &app.store, &app.vault).await?;
    }
    words.push_str("\nStop it with Ctrl-C.\n");
    say(&words);

    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("signals cannot be watched")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("signals cannot be watched")?,
        _ = terminate.recv() => {}
    }
    say("Stopping: everything typed is being stored.\n");
    server.stop().await;
    Ok(())
}

/// Learned at the start, and not in a visit from a button that does nothing.
async fn who_cannot_sign(words: &mut String, store: &Store, vault: &Vault) -> anyhow::Result<()> {
    for Person { person, role, name: _ } in person::staff(store, vault).await? {
        if role == Role::Pharmacist && held_by(store, person).await? == 0 {
            tracing::warn!(person.id = %person, "has no passkey and cannot sign");
            let _infallible = writeln!(
                words,
                "\n{person} (`mortar staff` says who) has no passkey and cannot sign: `mortar passkey add {person}`, or start with --sign-step-up when-enrolled"
            );
        }
    }
    Ok(())
}

async fn links(config: Config) -> anyhow::Result<()> {
    let (store, vault) = open(&config).await?;
    let mut words = String::new();
    match demo::invitation(&store, &vault).await? {
        Some(invitation) => describe(&mut words, &origin(&config, config.listen), &invitation),
        None => words.push_str("There is no open visit. Start the server to make one.\n"),
    }
    say(&words);
    store.close().await;
    Ok(())
}

async fn staff(config: Config) -> anyhow::Result<()> {
    let (store, vault) = open(&config).await?;
    let mut words = String::new();
    for Person { person, role, name } in person::staff(&store, &vault).await? {
        let _infallible = writeln!(words, "{person}  {:<12} {}", role_name(role), name.expose());
        for Credential { kind, number, state, expires } in credential::of(&store, person).await? {
            let kind = credential::kind_name(kind);
            let _infallible =
                writeln!(words, "    {kind} {number} {state} to {}", expires.as_str());
        }
    }
    say(if words.is_empty() { "There is no staff yet.\n" } else { &words });
    store.close().await;
    Ok(())
}

async fn on_the_staff(store: &Store, vault: &Vault, who: PersonId) -> anyhow::Result<Person> {
    let staff = person::staff(store, vault).await?;
    let found = staff.into_iter().find(|known| known.person == who);
    found
        .with_context(|| format!("nobody on the staff has the id {who}: `mortar staff` lists them"))
}

/// Under which name a command writes into the log of accesses.
fn chain() -> String {
    format!("command-{}", Uuid::now_v7())
}

async fn note_credential(
    config: Config,
    person: PersonId,
    credential: Credential,
) -> anyhow::Result<()> {
    let (store, vault) = open(&config).await?;
    on_the_staff(&store, &vault, person).await?;
    let writer = Writer::start(store.clone(), &chain()).await?;
    credential::add(&writer, person, &credential).await?;
    say("Noted.\n");
    writer.flush().await;
    store.close().await;
    Ok(())
}

async fn note_address(
    config: Config,
    person: PersonId,
    mail: Option<&Address>,
    language: Language,
) -> anyhow::Result<()> {
    let (store, vault) = open(&config).await?;
    on_the_staff(&store, &vault, person).await?;
    let writer = Writer::start(store.clone(), &chain()).await?;
    person::note_mail((&store, &vault, &writer), person, mail, language).await?;
    say("Noted.\n");
    writer.flush().await;
    store.close().await;
    Ok(())
}

async fn report(config: Config, from: PartialDate, to: PartialDate) -> anyhow::Result<()> {
    if from > to {
        bail!("--from {} is after --to {}", from.as_str(), to.as_str());
    }
    let (store, vault) = open(&config).await?;
    let writer = Writer::start(store.clone(), &chain()).await?;
    let report = acceptance::report(&store, &vault, &writer, &from, &to).await?;
    say(&report.words());
    writer.flush().await;
    store.close().await;
    Ok(())
}

async fn agreements(config: Config) -> anyhow::Result<()> {
    let zone = Terms::read(None, &config.practice.zone)?.zone().clone();
    let rules = Rules::read(config.cdtm_rules.as_deref(), zone)?;
    let (store, vault) = open(&config).await?;
    let writer = Writer::start(store.clone(), &chain()).await?;
    let mut words = String::new();
    for one in agreement::listed(&store, &vault, &writer, &rules).await? {
        let Listed { id, patient, jurisdiction, standing, start, end, report_in_days } = one;
        let day = |day: Option<Day>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
        let report = match report_in_days {
            Some(days) if days < 0 => format!("report overdue by {} days", -days),
            Some(days) => format!("report due in {days} days"),
            None => String::new(),
        };
        let _infallible = writeln!(
            words,
            "{id}  patient {patient}  {jurisdiction}  {:<18} {} to {}  {report}",
            standing_name(standing),
            day(start),
            day(end)
        );
    }
    say(if words.is_empty() { "There is no agreement yet.\n" } else { &words });
    writer.flush().await;
    store.close().await;
    Ok(())
}

const fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Draft => "draft",
        Standing::SignedPhysician => "signed_physician",
        Standing::SignedPharmacist => "signed_pharmacist",
        Standing::Active => "active",
        Standing::Expiring => "expiring",
        Standing::Expired => "expired",
        Standing::Withdrawn => "withdrawn",
        Standing::Revoked => "revoked",
    }
}

async fn verify_all(config: Config) -> anyhow::Result<()> {
    let (store, vault) = open(&config).await?;
    let report = verify::verify(&store, &vault).await?;
    say(&report.words());
    store.close().await;
    if !report.faults.is_empty() {
        bail!(
            "something stored is not what was stored: keep this database as it is, and restore a backup beside it"
        );
    }
    Ok(())
}

async fn open(config: &Config) -> anyhow::Result<(Store, Vault)> {
    let store = Store::open(&config.data, Hold::Command).await?;
    let vault = Vault::open(&store.folder().join(KEY_FILE), &store).await?;
    Ok((store, vault))
}

/// The visit and its links, for the operator's terminal.
fn describe(words: &mut String, origin: &str, invitation: &Invitation) {
    let Invitation { patient, seats } = invitation;
    if let Some(patient) = patient {
        let _infallible = writeln!(words, "\nFollow-up visit of {}", patient.name.expose());
    }
    words.push_str("Open each link in a window of its own:\n\n");
    for Invited { seat, name, token } in seats {
        let _infallible = writeln!(
            words,
            "  {:<12} {:<24} {origin}/j#{}",
            role_name(seat.role),
            name.expose(),
            token.text()
        );
    }
    if let Some(patient) = patient {
        let _infallible = writeln!(
            words,
            "\nPatient and caregiver are asked for the patient's date of birth: {}",
            patient.birth_date.expose()
        );
    }
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Patient => "Patient",
        Role::Caregiver => "Caregiver",
        Role::Interpreter => "Interpreter",
        Role::Pharmacist => "Pharmacist",
        Role::Pcp => "Clinician",
        Role::Nurse => "Nurse",
        Role::Chw => "Health worker",
        Role::Specialist => "Specialist",
        Role::Facilitator => "Facilitator",
        Role::Learner => "Learner",
        Role::Observer => "Observer",
    }
}

fn say(words: &str) {
    // A terminal that is gone does not stop the server.
    let _closed = std::io::stdout().write_all(words.as_bytes());
}
