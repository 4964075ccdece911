//! Starts the server, and stops it.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use crate::agreement::{Rules, RulesError};
use crate::call::{Calls, Surroundings};
use crate::cds::{Cds, CdsSetupError};
use crate::config::{Config, StepUp, Tls};
use crate::descriptors::Descriptors;
use crate::http::auth::Tickets;
use crate::http::{Address, App, Shared, router, stopped};
use crate::limits::Limits;
use crate::link::NoRandomness;
use crate::media::{Media, MediaConfig, MediaError, TCP_CONNECTIONS};
use crate::metrics;
use crate::outbox::{self, MailSetupError, Outbox};
use crate::passkey::{Asked, NoPasskeys, RelyingParty};
use crate::record::writer::Writer;
use crate::record::{Records, Signing};
use crate::store::{Hold, OpenError, Store, StoreError};
use crate::vault::{Vault, VaultError};
use crate::visit::time::{Terms, TermsError};

/// File of the key that wraps all others, in the data folder.
pub(crate) const KEY_FILE: &str = "mortar.key";

/// This server's chain in the log of accesses.
const CHAIN: &str = "server";

/// TCP connections at once, unless the process may have fewer. Beyond it new ones wait in the kernel's queue.
const CONNECTIONS: usize = 8_192;

/// The same where counters are read: a collector or two, each of which keeps one.
const CONNECTIONS_OF_COLLECTORS: usize = 16;

/// TCP connections at once from one address. A clinic of 50 browsers stands behind one; more would let one machine take
/// every place. Loopback is where our own proxy stands, with everybody behind it: not counted.
const CONNECTIONS_OF_ONE: usize = 256;

/// How long a TLS handshake and the head of a request may take. Longer helps a bad line, shorter a slow attack.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How long the accept loop rests when the system has no file descriptor left, instead of spinning.
const REST: Duration = Duration::from_millis(100);

/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 64;

/// How long connections may take to end when the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// How often limiters forget who has been quiet.
const SHRINK_EVERY: Duration = Duration::from_secs(60);

/// Why the server does not start: what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody else listens there.
    #[error("{address} is taken by another program: stop it, or choose another port with --listen")]
    PortTaken {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on ({why}): choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        why: io::Error,
    },
    /// Counters say how busy a practice is, and ask nobody who reads them.
    #[error(
        "--metrics {address} is not an address of this machine alone: use 127.0.0.1 or [::1], and a collector here"
    )]
    MetricsInTheOpen {
        /// What was asked for.
        address: SocketAddr,
    },
    /// Somebody else uses the media port.
    #[error(
        "media port {port} is taken by another program (UDP or TCP): stop it, or choose another with --media-port"
    )]
    MediaPortTaken {
        /// The port.
        port: u16,
    },
    /// The relay does not start.
    #[error(transparent)]
    Media(MediaError),
    /// Billing sheets cannot be made by these rules.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// The decision support service cannot be used.
    #[error(transparent)]
    Cds(#[from] CdsSetupError),
    /// The rules of agreements are refused.
    #[error(transparent)]
    Agreements(#[from] RulesError),
    /// Nobody could sign.
    #[error(
        "--sign-step-up required, and passkeys do not work here: {0}, or start it with --sign-step-up when-enrolled"
    )]
    NoPasskeys(NoPasskeys),
    /// The database does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The keys do not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The log of accesses does not read.
    #[error("the log of accesses does not read ({0}): restore the last backup")]
    Audit(StoreError),
    /// No secrets can be made.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// Mails cannot be sent.
    #[error(transparent)]
    Mail(#[from] MailSetupError),
    /// The certificate cannot be made or read.
    #[error("the certificate {} cannot be used ({why}): delete it to make a new one", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// A running server. It stops when [`Server::stop`] is called; dropped, it goes on until the process ends.
pub struct Server {
    address: SocketAddr,
    media: Media,
    app: App,
    metrics: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    /// The task that sends mails.
    sending: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({})", self.address)
    }
}

impl Server {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the relay listens.
    pub fn media_address(&self) -> Option<SocketAddr> {
        self.media.local_addr()
    }

    /// Where counters can be read.
    pub const fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// The relay, for its counters.
    pub const fn media(&self) -> &Media {
        &self.media
    }

    /// What its handlers share: the database, calls, records.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// The origin a browser on this machine uses, or the first that was configured.
    pub fn origin(&self) -> String {
        origin(&self.app.config, self.address)
    }

    /// Tells every connection, stores what is under way, and closes the database.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ended = self.accepting.await;
        if let Some(sending) = self.sending {
            let _ended = sending.await;
        }
        self.media.shutdown();
        self.app.records.shutdown().await;
        self.app.writer.flush().await;
        self.app.store.close().await;
    }
}

/// The origin in links: the first configured, else `localhost` where it listens.
pub(crate) fn origin(config: &Config, address: SocketAddr) -> String {
    match (config.origins.first(), config.public_ip) {
        (Some(origin), _) => origin.clone(),
        (None, Some(ip)) => {
            format!("{}://{}", config.tls.scheme(), SocketAddr::new(ip, address.port()))
        }
        (None, None) => format!("{}://localhost:{}", config.tls.scheme(), address.port()),
    }
}

/// Opens the data folder and listens.
///
/// # Errors
/// See [`ServeError`]; each says what to do.
pub async fn serve(config: Config) -> Result<Server, ServeError> {
    // The port first: a second start on the same port says so, and touches nothing.
    let listener = listen(config.listen).await?;
    let address =
        listener.local_addr().map_err(|why| ServeError::Listen { address: config.listen, why })?;

    let origins = match config.origins.as_slice() {
        [] => vec![origin(&config, address)],
        origins => origins.to_vec(),
    };
    let site = RelyingParty::of(&origins);
    if let (Err(why), StepUp::Required) = (&site, config.practice.step_up) {
        return Err(ServeError::NoPasskeys(why.clone()));
    }

    let metrics = match config.metrics {
        Some(address) if !address.ip().is_loopback() => {
            return Err(ServeError::MetricsInTheOpen { address });
        }
        Some(address) => Some(listen(address).await?),
        None => None,
    };

    let terms = Terms::read(config.payer_rules.as_deref(), &config.practice.zone)?;
    let token = config.cds_hooks_token.as_deref();
    let cds = config.cds_hooks.as_deref().map(|base| Cds::new(base, token)).transpose()?;
    let store = Store::open(&config.data, Hold::Server).await?;
    let vault = Vault::open(&store.folder().join(KEY_FILE), &store).await?;
    let writer = Writer::start(store.clone(), CHAIN).await.map_err(ServeError::Audit)?;
    let links = origin(&config, address);
    let outbox = config.mail.as_ref().map(|mail| {
        Outbox::new(mail, links, config.practice.clone(), store.clone(), vault.clone())
    });
    let outbox = outbox.transpose()?;
    let tls = match config.tls {
        Tls::Off => None,
        Tls::SelfSigned => Some(acceptor(store.folder(), &config)?),
    };
    let practice = &config.practice;
    let signing = Signing { requires: practice.sign_requires.clone(), step_up: practice.step_up };
    let agreements = Arc::new(Rules::read(config.cdtm_rules.as_deref(), terms.zone().clone())?);
    let records = Records::new(
        store.clone(),
        vault.clone(),
        writer.clone(),
        signing,
        Arc::clone(&agreements),
        outbox.clone(),
    );
    let descriptors = Descriptors::raise();
    let media_config = media_config(&config, descriptors);
    descriptors.tell(CONNECTIONS.saturating_add(TCP_CONNECTIONS * media_config.workers));
    let (media, events) = Media::start(media_config).map_err(|why| match why {
        MediaError::Socket(io::ErrorKind::AddrInUse) => {
            ServeError::MediaPortTaken { port: config.media_port }
        }
        why => ServeError::Media(why),
    })?;
    let around = Surroundings {
        store: store.clone(),
        vault: vault.clone(),
        writer: writer.clone(),
        records: records.clone(),
        media: media.clone(),
        practice: config.practice.clone(),
    };
    let calls = Calls::new(around, events);
    let (stop, stopping) = watch::channel(false);
    let app = App::new(Shared {
        config,
        store,
        vault,
        writer,
        records,
        calls,
        terms,
        cds,
        outbox: outbox.clone(),
        agreements,
        agreement_writes: tokio::sync::Mutex::default(),
        limits: Limits::default(),
        birth_dates: tokio::sync::Mutex::default(),
        tickets: Tickets::new()?,
        site,
        asked: Asked::default(),
        stopping: stopping.clone(),
    });
    tracing::info!(server.address = %address, "mortar listens");
    let reading = stopping.clone();
    let sending = outbox.map(|outbox| outbox::start(outbox, stopping.clone()));
    let router = router(app.clone());
    let places = descriptors.for_pages(CONNECTIONS);
    let accepting = tokio::spawn(accept(listener, places, tls, router, app.clone(), stopping));
    let metrics_address = metrics.as_ref().and_then(|listener| listener.local_addr().ok());
    if let Some(listener) = metrics {
        let router = metrics::router(app.clone(), media.clone());
        let places = CONNECTIONS_OF_COLLECTORS;
        tokio::spawn(accept(listener, places, None, router, app.clone(), reading));
    }
    Ok(Server { address, media, app, metrics: metrics_address, stop, accepting, sending })
}

/// Media listens on every address, as the gate of the relay is a STUN check, not the interface.
fn media_config(config: &Config, descriptors: Descriptors) -> MediaConfig {
    let any: IpAddr = match config.listen.ip() {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let mut advertise: Vec<IpAddr> = config.public_ip.into_iter().collect();
    advertise.extend(own_address(any));
    // Browsers on this machine, also when it has no network.
    advertise.push(match any {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    });
    advertise.dedup();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = cores.saturating_sub(1).max(1);
    MediaConfig {
        bind: SocketAddr::new(any, config.media_port),
        advertise,
        workers,
        tcp_connections: descriptors.for_media(TCP_CONNECTIONS, workers),
    }
}

/// The address of the interface that leads out. Nothing is sent: connecting a UDP socket only asks the routing table,
/// for a documentation address (RFC 5737, RFC 3849).
fn own_address(any: IpAddr) -> Option<IpAddr> {
    let outside: IpAddr = match any {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    let socket = std::net::UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(outside, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|why| match why.kind() {
        io::ErrorKind::AddrInUse => ServeError::PortTaken { address },
        _ => ServeError::Listen { address, why },
    })
}

/// Takes connections, `most` at a time, until the server stops, and waits for them to end.
async fn accept(
    listener: TcpListener,
    most: usize,
    tls: Option<TlsAcceptor>,
    router: Router,
    app: App,
    mut stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(most));
    let guests = Guests::default();
    let mut shrink = tokio::time::interval(SHRINK_EVERY);
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = stopped(&mut stopping) => break,
        };
        let Ok(place) = place else { break };
        let accepted = loop {
            tokio::select! {
                accepted = listener.accept() => break Some(accepted),
                () = stopped(&mut stopping) => break None,
                _ = shrink.tick() => app.limits.shrink(Instant::now()),
            }
        };
        match accepted {
            None => break,
            // One that came is gone already, which says nothing of those behind it.
            Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Some(Err(error)) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(REST).await;
            }
            Some(Ok((stream, from))) => {
                let Some(guest) = guests.enter(from.ip()) else { continue };
                let (tls, router, stopping) = (tls.clone(), router.clone(), stopping.clone());
                tokio::spawn(async move {
                    connection(stream, Address(from.ip()), tls, router, stopping).await;
                    drop((place, guest));
                });
            }
        }
    }
    drop(listener);
    let all = u32::try_from(most).unwrap_or(u32::MAX);
    // Whoever has not ended by then is cut off with the process.
    let _ended = tokio::time::timeout(STOP_WITHIN, places.acquire_many(all)).await;
}

/// How many connections each address has. An address without one is not kept.
#[derive(Clone, Debug, Default)]
struct Guests(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address, until it is dropped.
#[derive(Debug)]
struct Guest {
    guests: Guests,
    from: IpAddr,
}

impl Guests {
    /// `None`: this address has as many as it may.
    fn enter(&self, from: IpAddr) -> Option<Guest> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(from).or_default();
        if *count >= CONNECTIONS_OF_ONE && !from.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Guest { guests: self.clone(), from })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.guests.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.from);
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    from: Address,
    tls: Option<TlsAcceptor>,
    router: Router,
    stopping: watch::Receiver<bool>,
) {
    // Small messages must not wait for each other (Nagle). A socket that cannot say so is about to fail anyway.
    let _set = stream.set_nodelay(true);
    match tls {
        None => requests(stream, from, router, stopping).await,
        Some(tls) => match tokio::time::timeout(HEAD_WITHIN, tls.accept(stream)).await {
            Ok(Ok(stream)) => requests(stream, from, router, stopping).await,
            // A scanner, or a browser that does not trust our certificate yet.
            Ok(Err(_)) | Err(_) => tracing::debug!("a TLS handshake failed"),
        },
    }
}

async fn requests<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    from: Address,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(from);
        router.clone().call(request)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_headers(100);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(16 * 1024)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(serving);
    tokio::select! {
        // A broken connection is its client's affair.
        _ended = serving.as_mut() => {}
        () = stopped(&mut stopping) => {
            serving.as_mut().graceful_shutdown();
            let _ended = tokio::time::timeout(STOP_WITHIN, serving).await;
        }
    }
}

/// A certificate of our own making, kept in the data folder so that browsers warn only once.
fn acceptor(folder: &Path, config: &Config) -> Result<TlsAcceptor, ServeError> {
    let path = folder.join("tls.pem");
    let failed = |why: String| ServeError::Certificate { path: path.clone(), why };
    let pem = match std::fs::read(&path) {
        Ok(pem) => pem,
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            make_certificate(&path, config).map_err(failed)?
        }
        Err(why) => return Err(failed(why.to_string())),
    };
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|why| failed(why.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|why| failed(why.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|why| failed(why.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|why| failed(why.to_string()))?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(tls)))
}

fn make_certificate(path: &Path, config: &Config) -> Result<Vec<u8>, String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(config.public_ip.map(|ip| ip.to_string()));
    if !config.listen.ip().is_unspecified() {
        names.push(config.listen.ip().to_string());
    }
    names.sort();
    names.dedup();
    let made = rcgen::generate_simple_self_signed(names).map_err(|why| why.to_string())?;
    let pem = format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem()).into_bytes();
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(&pem))
        .map_err(|why| why.to_string())?;
    Ok(pem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_takes_its_share_of_the_places_and_gives_them_back() {
        let guests = Guests::default();
        let greedy: IpAddr = Ipv4Addr::new(192, 0, 2, 7).into();
        let mut inside: Vec<Guest> = std::iter::from_fn(|| guests.enter(greedy)).collect();

        assert_eq!(inside.len(), CONNECTIONS_OF_ONE);
        assert!(guests.enter(Ipv4Addr::new(192, 0, 2, 8).into()).is_some());
        inside.pop();
        assert!(guests.enter(greedy).is_some());
        inside.clear();
        assert!(guests.0.lock().unwrap().is_empty());
    }
}
