//! The message on the wire, and the way to the operator's mail server: the one place that knows `lettre`.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clinical::actor::Millis;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address as Wire, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use super::Payload;
use super::address::Address;
use super::store::MailTrouble;
use crate::config::{Mail, MailWay, Practice};

/// How long the mail server may take for one answer. RFC 5321 section 4.5.3.2 asks for minutes; ours is a relay nearby,
/// and what takes longer is tried again.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// How long the whole way of one mail may take: less than the time for which it was taken.
const SENT_WITHIN: Duration = Duration::from_secs(45);

/// Why mails cannot be sent. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum MailSetupError {
    /// No sender.
    #[error(
        "--mail-from {from} is no mail address: write the one that mails come from, as visits@example.org"
    )]
    From {
        /// What was given.
        from: String,
    },
    /// Not the address of a mail server.
    #[error(
        "--smtp is no address of a mail server: write it as smtps://mail.example.org or smtp://mail.example.org:587, with a user as smtps://USER@mail.example.org"
    )]
    Url,
    /// The password would stand in the list of processes.
    #[error(
        "--smtp holds a password, which everybody on this machine can read: take it out, change it, and write it into a file for --smtp-password"
    )]
    PasswordInUrl,
    /// One of the two is missing.
    #[error(
        "--smtp with a user and --smtp-password belong together: give both, or neither to a mail server that wants no login"
    )]
    HalfALogin,
    /// The password does not read. What was given is not said again: it may be the password itself.
    #[error(
        "the file of --smtp-password cannot be read ({why}): it takes the name of a file that holds the password alone"
    )]
    Password {
        /// What the system says.
        why: io::Error,
    },
    /// No certificates to check against.
    #[error(
        "this machine has no root certificates: install ca-certificates, or use a mail server on this machine"
    )]
    Roots,
    /// Links in mails would lead nowhere.
    #[error(
        "mails hold links, and {origin} is no address for them: nobody else reaches this machine by it, or it is not encrypted. Say with --origin where browsers reach it, as https://visits.example.org"
    )]
    Origin {
        /// Where links would lead.
        origin: String,
    },
    /// Patients would be told another practice's name or number.
    #[error(
        "mails name the practice and whom to call, and this is still the example's name or number: give --practice and --phone"
    )]
    Example,
    /// The folder cannot be written.
    #[error("the folder {} cannot be written ({why}): check --mail-folder", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
}

/// Why a mail was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// It may be taken later.
    Now { why: MailTrouble, code: Option<u16> },
    /// It never will be.
    ForGood { why: MailTrouble, code: Option<u16> },
}

/// A way for mails.
#[derive(Debug)]
pub(super) struct Post {
    from: Mailbox,
    address: Address,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

/// RFC 3834 section 5: nobody's holiday answers this.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Post {
    /// Nothing is connected yet.
    pub(super) fn new(mail: &Mail, practice: &str) -> Result<Self, MailSetupError> {
        let Mail { from, way } = mail;
        let no_sender = || MailSetupError::From { from: from.clone() };
        let address = Address::parse(from).map_err(|_not_one| no_sender())?;
        let wire: Wire = address.as_str().parse().map_err(|_not_one| no_sender())?;
        let name: String = practice.chars().filter(|c| !c.is_control()).collect();
        let from = Mailbox::new(Some(name), wire);
        let way = match way {
            MailWay::Smtp { url, password } => {
                Way::Smtp(smtp(url, password.as_deref(), from.email.domain())?)
            }
            MailWay::Folder(path) => {
                let failed = |why| MailSetupError::Folder { path: path.clone(), why };
                std::fs::create_dir_all(path).map_err(failed)?;
                Way::Folder(path.clone())
            }
        };
        Ok(Self { from, address, way })
    }

    /// The address mails come from.
    pub(super) fn from(&self) -> &str {
        self.address.as_str()
    }

    /// The bytes of a message. Its id is that of the row: sent twice, it is one message.
    pub(super) fn message(
        &self,
        id: Uuid,
        to: &Address,
        payload: Payload,
        leaves: Millis,
    ) -> Result<Message, NotTaken> {
        let broken = NotTaken::ForGood { why: MailTrouble::Broken, code: None };
        let wire: Wire = to.as_str().parse().map_err(|_not_one| broken)?;
        let domain = self.from.email.domain();
        let at = Duration::from_millis(u64::try_from(leaves.0).unwrap_or(0));
        let head = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, wire))
            .subject(payload.subject)
            .message_id(Some(format!("<{id}@{domain}>")))
            .date(SystemTime::UNIX_EPOCH + at)
            .header(AutoSubmitted);
        let text = SinglePart::plain(payload.text);
        let built = match payload.calendar {
            None => head.singlepart(text),
            Some(calendar) => {
                // RFC 6047 section 2.4: the method stands here as in the file.
                let kind = format!("text/calendar; charset=utf-8; method={}", calendar.method);
                let kind = ContentType::parse(&kind).map_err(|_wrong| broken)?;
                let file = Attachment::new("visit.ics".to_owned()).body(calendar.file, kind);
                head.multipart(MultiPart::mixed().singlepart(text).singlepart(file))
            }
        };
        built.map_err(|_wrong| broken)
    }

    /// Hands a message to the mail server, which answers for it from then on.
    pub(super) async fn send(&self, id: Uuid, message: Message) -> Result<(), NotTaken> {
        let away = NotTaken::Now { why: MailTrouble::Unreachable, code: None };
        match &self.way {
            Way::Smtp(server) => {
                match tokio::time::timeout(SENT_WITHIN, server.send(message)).await {
                    Ok(Ok(_taken)) => Ok(()),
                    Ok(Err(error)) => Err(not_taken(&error)),
                    Err(_elapsed) => Err(away),
                }
            }
            Way::Folder(path) => {
                into_folder(path, id, &message.formatted()).await.map_err(|_why| away)
            }
        }
    }
}

/// What an answer means for the mail. A login that is refused is the operator's to mend, not the end of the mail.
fn not_taken(error: &lettre::transport::smtp::Error) -> NotTaken {
    let code = error.status().map(u16::from);
    match code {
        Some(530 | 534 | 535 | 538) => NotTaken::Now { why: MailTrouble::Login, code },
        // RFC 5321 section 4.2.3: no such mailbox, not here, not allowed.
        Some(550 | 551 | 553) if error.is_permanent() => {
            NotTaken::ForGood { why: MailTrouble::NoMailbox, code }
        }
        Some(_) if error.is_permanent() => NotTaken::ForGood { why: MailTrouble::Refused, code },
        Some(_) => NotTaken::Now { why: MailTrouble::Refused, code },
        None => NotTaken::Now { why: MailTrouble::Unreachable, code },
    }
}

/// The address of a mail server, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Relay<'a> {
    /// From the first byte on, or by STARTTLS.
    wrapped: bool,
    user: Option<&'a str>,
    host: &'a str,
    port: u16,
}

impl<'a> Relay<'a> {
    fn parse(url: &'a str) -> Result<Self, MailSetupError> {
        let (scheme, rest) = url.split_once("://").ok_or(MailSetupError::Url)?;
        let wrapped = match scheme {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(MailSetupError::Url),
        };
        // The last one: the user's name may be a mail address itself.
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err(MailSetupError::PasswordInUrl),
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let place = place.trim_end_matches('/');
        let standard = if wrapped { 465 } else { 587 };
        let (host, port) = match (place.strip_prefix('['), place.rsplit_once(':')) {
            (Some(inside), _) => {
                let (host, after) = inside.split_once(']').ok_or(MailSetupError::Url)?;
                (host, after.strip_prefix(':'))
            }
            (None, Some((host, port))) => (host, Some(port)),
            (None, None) => (place, None),
        };
        let port = port.map_or(Ok(standard), str::parse).map_err(|_not_one| MailSetupError::Url)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        let good = !host.is_empty() && host.chars().all(plain) && user != Some("");
        if good { Ok(Self { wrapped, user, host, port }) } else { Err(MailSetupError::Url) }
    }

    fn is_loopback(&self) -> bool {
        let ip = self.host.parse::<IpAddr>();
        self.host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

/// Whether mails may leave this machine as they are: their links are secrets that lead somewhere, and they name who sends them.
///
/// # Errors
/// [`MailSetupError::Origin`], [`MailSetupError::Example`].
pub(super) fn may_leave(
    mail: &Mail,
    origin: &str,
    practice: &Practice,
) -> Result<(), MailSetupError> {
    let leaves = match &mail.way {
        MailWay::Folder(_) => false,
        MailWay::Smtp { url, password: _ } => !Relay::parse(url)?.is_loopback(),
    };
    let example = Practice::default();
    if leaves && !origin.starts_with("https://") {
        Err(MailSetupError::Origin { origin: origin.to_owned() })
    } else if leaves && (practice.name == example.name || practice.phone == example.phone) {
        Err(MailSetupError::Example)
    } else {
        Ok(())
    }
}

fn smtp(
    url: &str,
    password: Option<&Path>,
    own: &str,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailSetupError> {
    let relay = Relay::parse(url)?;
    let encrypted =
        || TlsParameters::new(relay.host.to_owned()).map_err(|_none| MailSetupError::Roots);
    let tls = if relay.wrapped {
        Tls::Wrapper(encrypted()?)
    } else if relay.is_loopback() {
        Tls::None
    } else {
        Tls::Required(encrypted()?)
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(relay.host)
        .port(relay.port)
        .tls(tls)
        .hello_name(ClientId::Domain(own.to_owned()))
        .timeout(Some(ANSWER_WITHIN));
    match (relay.user, password) {
        (None, None) => {}
        (Some(user), Some(path)) => {
            let unreadable = |why| MailSetupError::Password { why };
            let text = std::fs::read_to_string(path).map_err(unreadable)?;
            let word = text.trim_end_matches(['\r', '\n']).to_owned();
            builder = builder.credentials(Credentials::new(user.to_owned(), word));
        }
        (Some(_), None) | (None, Some(_)) => return Err(MailSetupError::HalfALogin),
    }
    Ok(builder.build())
}

/// A file of its own for each mail, whole or not there. Of the same id there is one.
async fn into_folder(folder: &Path, id: Uuid, bytes: &[u8]) -> io::Result<()> {
    let (new, path) = (folder.join(format!("{id}.new")), folder.join(format!("{id}.eml")));
    let mut file = tokio::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&new)
        .await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    tokio::fs::rename(new, path).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_is_named_without_a_password() {
        let relay = Relay::parse("smtps://visits@example.org@mail.example.org").unwrap();
        assert_eq!((relay.user, relay.port), (Some("visits@example.org"), 465));
        let relay = Relay::parse("smtp://[::1]:2525").unwrap();
        assert_eq!((relay.host, relay.port, relay.is_loopback()), ("::1", 2525, true));
        assert!(!Relay::parse("smtp://mail.example.org/").unwrap().is_loopback());
        for bad in ["mail.example.org", "http://mail", "smtp://", "smtp://@mail", "smtp://a b"] {
            assert!(matches!(Relay::parse(bad), Err(MailSetupError::Url)), "{bad}");
        }
        let with = Relay::parse("smtp://ana:hunter2@mail.example.org");
        assert!(matches!(with, Err(MailSetupError::PasswordInUrl)));
        let told = with.unwrap_err().to_string();
        assert!(!told.contains("hunter2"), "{told}");
    }

    #[test]
    fn a_login_wants_both_halves_and_another_machine_an_origin() {
        let from = "visits@example.org".to_owned();
        let mail = |url: &str| {
            let way = MailWay::Smtp { url: url.to_owned(), password: None };
            Mail { from: from.clone(), way }
        };
        let half = Post::new(&mail("smtp://ana@127.0.0.1:25"), "Practice");
        assert!(matches!(half, Err(MailSetupError::HalfALogin)));
        let example = Practice::default();
        let named = |name: &str, phone: &str| Practice {
            name: name.to_owned(),
            phone: phone.to_owned(),
            ..Practice::default()
        };
        let own = named("Bay Family Practice", "504-555-0100");
        let (out, here) = (mail("smtps://mail.example.org"), mail("smtp://127.0.0.1:25"));
        let site = "https://visits.example.org";
        for origin in ["http://localhost:8080", "http://192.0.2.7:8080"] {
            assert!(matches!(may_leave(&out, origin, &own), Err(MailSetupError::Origin { .. })));
            assert!(may_leave(&here, origin, &example).is_ok());
        }
        for half in [example.clone(), named("Bay", &example.phone), named(&example.name, "504")] {
            assert!(matches!(may_leave(&out, site, &half), Err(MailSetupError::Example)));
        }
        assert!(may_leave(&out, site, &own).is_ok());
    }
}
