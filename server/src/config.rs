//! Every knob, with unit, default and range.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clinical::gate::CredentialKind;
use signaling::message::CameraFormat;

/// How the server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Data folder: database and keys. Made with mode 0700 if it is missing.
    pub data: PathBuf,
    /// Address of HTTP and WebSocket. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Port of media, UDP and TCP. Port 0 takes a free one.
    pub media_port: u16,
    /// Address that browsers reach media at. Without it the server names the addresses of its own interfaces.
    pub public_ip: Option<IpAddr>,
    /// Where counters can be read, on this machine alone. Without it nowhere. Port 0 takes a free one.
    pub metrics: Option<SocketAddr>,
    /// Whether HTTP is encrypted here.
    pub tls: Tls,
    /// Origins that may use the server, as `https://host[:port]`. Empty: `localhost` and plain addresses.
    pub origins: Vec<String>,
    /// The practice.
    pub practice: Practice,
    /// File of the payers' rules. Without it the example, which nobody has verified.
    pub payer_rules: Option<PathBuf>,
    /// Base address of a CDS Hooks service. Without it nobody is asked anything.
    pub cds_hooks: Option<String>,
    /// File of the bearer token it wants.
    pub cds_hooks_token: Option<PathBuf>,
    /// File of what jurisdictions ask of CDTM agreements. Without it the rules that ship, which nobody has verified.
    pub cdtm_rules: Option<PathBuf>,
    /// How mails are sent. Without it none are, and staff hand links on themselves.
    pub mail: Option<Mail>,
    /// Whether an empty database gets the demo practice.
    pub demo: Demo,
}

/// How mails are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The address they come from.
    pub from: String,
    /// Which way.
    pub way: MailWay,
}

/// Which way mails go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailWay {
    /// To the operator's mail server.
    Smtp {
        /// `smtps://host`, or `smtp://host` with STARTTLS, with the user's name before an `@`.
        url: String,
        /// File of the password.
        password: Option<PathBuf>,
    },
    /// Into a folder, one file for each, to be looked at.
    Folder(PathBuf),
}

/// Whether HTTP is encrypted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not: on `localhost`, or behind a proxy that does.
    Off,
    /// With a certificate of our own making, for other devices in the same network. Browsers warn once.
    SelfSigned,
}

impl Tls {
    /// The scheme of the addresses.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Off => "http",
            Self::SelfSigned => "https",
        }
    }
}

/// Whether an empty database gets the demo practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demo {
    /// It does.
    Yes,
    /// It stays empty.
    No,
}

/// Whether a signature needs a passkey. Whoever has one always confirms with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepUp {
    /// It does: who has none cannot sign.
    Required,
    /// Only of those who have one.
    WhenEnrolled,
}

/// Who runs the visits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Practice {
    /// Name, as patients know it.
    pub name: String,
    /// Whom to call when nothing works.
    pub phone: String,
    /// Credentials without which nobody signs a plan.
    pub sign_requires: Vec<CredentialKind>,
    /// Whether a signature needs a passkey.
    pub step_up: StepUp,
    /// Time zone of the IANA database: of its days and hours.
    pub zone: String,
    /// In which format cameras are sent, by browsers that can.
    pub camera: CameraFormat,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("mortar-data"),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            media_port: 3478,
            public_ip: None,
            metrics: None,
            tls: Tls::Off,
            origins: Vec::new(),
            practice: Practice::default(),
            payer_rules: None,
            cds_hooks: None,
            cds_hooks_token: None,
            cdtm_rules: None,
            mail: None,
            demo: Demo::Yes,
        }
    }
}

impl Default for Practice {
    fn default() -> Self {
        Self {
            name: "Harbor Street Family Practice".to_owned(),
            // Kept for fiction by the North American Numbering Plan.
            phone: "555-0142".to_owned(),
            sign_requires: vec![CredentialKind::License, CredentialKind::MtmCert],
            step_up: StepUp::WhenEnrolled,
            zone: "America/New_York".to_owned(),
            camera: CameraFormat::Vp8,
        }
    }
}
