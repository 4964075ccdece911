//! The database: open, migrate, transactions, and the registry of all SQL.
//!
//! One SQL text for SQLite and PostgreSQL through sqlx' `Any` driver: columns are text, bytes, bigint, smallint; ids
//! are text, flags smallint, instants bigint milliseconds. SQL stands in `const` tables beside each feature, made by
//! [`sql!`](crate::store::sql) and listed in [`registry`].

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions as _, Connection as _,
    Executor as _, SqlSafeStr as _, Transaction,
};
use tokio::sync::watch;

use signaling::message::StorageState;

/// Declares the SQL of one feature: each statement a `const`, and `ALL` of them for the registry.
macro_rules! sql {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $text;)*

        /// Every statement here, by name.
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name),)*];
    };
}
pub(crate) use sql;

sql! {
    /// "ok", or the first thing that is wrong.
    QUICK_CHECK = "pragma quick_check(1)";
    /// The newest migration that ran.
    SCHEMA = "select cast(coalesce(max(version), 0) as bigint) from _sqlx_migrations";
}

/// Every statement the server may send, with its name: a test prepares each on a migrated database.
pub fn registry() -> Vec<(String, &'static str)> {
    let mut all = Vec::new();
    for (module, statements) in [
        ("store", ALL),
        ("vault", crate::vault::ALL),
        ("audit", crate::audit::ALL),
        ("credential", crate::credential::ALL),
        ("link", crate::link::ALL),
        ("decision", crate::decision::ALL),
        ("agreement", crate::agreement::ALL),
        ("visit", crate::visit::ALL),
        ("visit::booking", crate::visit::booking::ALL),
        ("visit::time", crate::visit::time::ALL),
        ("passkey", crate::passkey::ALL),
        ("patient", crate::patient::ALL),
        ("person", crate::person::ALL),
        ("outbox", crate::outbox::ALL),
        ("record::writer", crate::record::writer::ALL),
        ("record", crate::record::sql::ALL),
    ] {
        all.extend(statements.iter().map(|(name, text)| (format!("{module}::{name}"), *text)));
    }
    all.extend(crate::record::writer::batches());
    all
}

/// Migrations in order: version, name, text for both engines, text for SQLite alone.
const MIGRATIONS: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "record",
        include_str!("../migrations/0001_record.sql"),
        include_str!("../migrations/0001_record.sqlite.sql"),
    ),
    (2, "visits", include_str!("../migrations/0002_visits.sql"), ""),
    (3, "versions", include_str!("../migrations/0003_versions.sql"), ""),
    (
        4,
        "time",
        include_str!("../migrations/0004_time.sql"),
        include_str!("../migrations/0004_time.sqlite.sql"),
    ),
    (5, "booking", include_str!("../migrations/0005_booking.sql"), ""),
    (6, "decisions", include_str!("../migrations/0006_decisions.sql"), ""),
    (7, "imports", include_str!("../migrations/0007_imports.sql"), ""),
    (
        8,
        "cdtm",
        include_str!("../migrations/0008_cdtm.sql"),
        include_str!("../migrations/0008_cdtm.sqlite.sql"),
    ),
    (9, "touchpoints", include_str!("../migrations/0009_touchpoints.sql"), ""),
    (10, "outbox", include_str!("../migrations/0010_outbox.sql"), ""),
    (11, "passkeys", include_str!("../migrations/0011_passkeys.sql"), ""),
    (12, "telephone", include_str!("../migrations/0012_telephone.sql"), ""),
];

/// Takes the write lock at the start: a transaction that read first and wrote later would get `SQLITE_BUSY` at once,
/// without the busy timeout.
const BEGIN: &str = "begin immediate";

/// File of the database in the data folder.
const DATABASE: &str = "mortar.db";

/// File whose lock says that a server runs on this folder.
const LOCK: &str = "mortar.lock";

/// Connections for reading. More serve more loads at once; each costs about 2 MB of page cache.
const READERS: u32 = 4;

/// How long a statement waits for another process's write (an operator's command beside the server). Longer hides a
/// stuck command, shorter fails a write that would have gone through.
const BUSY: Duration = Duration::from_secs(5);

/// How long a caller waits for a connection. Longer only piles up requests behind a stuck disk.
const ACQUIRE: Duration = Duration::from_secs(10);

/// Who opens the data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The server: the only one, held by a file lock until the last clone of the store is gone.
    Server,
    /// An operator's command, which may run beside the server and adds rows of its own.
    Command,
}

/// Why the store does not open: what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or written.
    #[error(
        "the data folder {} cannot be written ({why}): give the user that runs mortar write access to it, or choose another with --data",
        path.display()
    )]
    NotWritable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// Another server runs on it.
    #[error("another mortar server is running on {}: stop it first, or choose another folder with --data", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The file is not a sound database.
    #[error(
        "the database {} is damaged ({why}): keep a copy of the whole folder, then restore the last backup. Nothing was changed",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the check says: pages and counts, never content.
        why: String,
    },
    /// A newer mortar wrote it.
    #[error(
        "the database {} has schema {found}, this mortar knows {known}: start the newer version, or restore a backup made before the upgrade",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A migration did not run.
    #[error("the database {} could not be brought to schema {known} ({why}): nothing was lost, start again after mending that", path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// The schema wanted.
        known: i64,
        /// What the database says.
        why: String,
    },
    /// There is no room, or the disk fails.
    #[error("the database {} cannot be opened ({why}): check that the disk has room and is healthy", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the database says.
        why: String,
    },
}

/// Why a statement failed. Carries codes, never text that might hold what somebody typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room (`SQLITE_FULL`).
    #[error("the store has no room")]
    Full,
    /// An I/O error. A failed fsync may have lost pages: the store stops for good, a restart recovers from the disk.
    #[error("the store stopped after an I/O error")]
    Failed,
    /// Out of reach for the moment, or busy for longer than [`BUSY`].
    #[error("the store is away")]
    Away,
    /// A constraint said no.
    #[error("a constraint refuses it")]
    Constraint,
    /// The file is damaged.
    #[error("the database is damaged")]
    Damaged,
    /// A row that must exist does not, or does not read.
    #[error("a row is missing or does not read")]
    Row,
    /// Anything else: a bug in a statement.
    #[error("statement refused (code {code})")]
    Statement {
        /// The engine's code; 0 if it gave none.
        code: i32,
    },
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                let code = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0);
                Self::of_sqlite(code)
            }
            sqlx::Error::RowNotFound
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::Decode(_) => Self::Row,
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Away,
            _ => Self::Statement { code: 0 },
        }
    }
}

impl StoreError {
    /// The meaning of an extended result code (sqlite.org/rescode.html).
    const fn of_sqlite(code: i32) -> Self {
        match (code & 0xff, code) {
            // SQLITE_FULL; SQLITE_IOERR_SHMSIZE: the index of the WAL could not grow. It holds nothing durable.
            (13, _) | (_, 4874) => Self::Full,
            (10, _) => Self::Failed,
            // BUSY, LOCKED, INTERRUPT.
            (5 | 6 | 9, _) => Self::Away,
            (19, _) => Self::Constraint,
            // CORRUPT, NOTADB.
            (11 | 26, _) => Self::Damaged,
            _ => Self::Statement { code },
        }
    }
}

/// The database. Cheap to clone; the last clone closes it.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// One connection: SQLite has one writer, and `begin immediate` on it never meets another of ours.
    write: AnyPool,
    read: AnyPool,
    state: watch::Sender<StorageState>,
    folder: PathBuf,
    /// Held while the store is open; the system lets go of it when the process dies.
    _lock: Option<File>,
}

impl Store {
    /// Opens the database in a folder, making both where they are missing, checks it and brings its schema up to date.
    ///
    /// # Errors
    /// See [`OpenError`]; each says what to do.
    pub async fn open(folder: &Path, hold: Hold) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let not_writable = |why| OpenError::NotWritable { path: folder.to_path_buf(), why };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(not_writable)?;
        let folder = folder.canonicalize().map_err(not_writable)?;
        let lock = hold_folder(&folder, hold)?;
        let path = folder.join(DATABASE);
        // Made by us so that only we read it; SQLite gives the WAL the same mode.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|why| OpenError::NotWritable { path: folder.clone(), why })?;
        check(&path).await?;
        let write = pool(&path, 1).await?;
        migrate(&write, &path).await?;
        let read = pool(&path, READERS).await?;
        let (state, _watching) = watch::channel(StorageState::Ok);
        Ok(Self { inner: Arc::new(Inner { write, read, state, folder, _lock: lock }) })
    }

    /// Connections for reading. Keep reads short: a long one keeps the WAL from shrinking.
    pub fn read(&self) -> &AnyPool {
        &self.inner.read
    }

    /// A write transaction. Audit rows go through the writer instead: one hand for each chain.
    ///
    /// # Errors
    /// The store has stopped, or no connection came free.
    pub async fn write(&self) -> Result<Transaction<'static, Any>, StoreError> {
        if self.state() == StorageState::Failed {
            return Err(StoreError::Failed);
        }
        match self.inner.write.begin_with(BEGIN).await {
            // A full disk makes SQLite roll back by itself; sqlx' own rollback then fails and leaves the connection
            // counting a transaction that is not there. A new connection counts from zero.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                self.inner.write.acquire().await?.close().await?;
                Ok(self.inner.write.begin_with(BEGIN).await?)
            }
            begun => Ok(begun?),
        }
    }

    /// Whether edits can be stored.
    pub fn state(&self) -> StorageState {
        *self.inner.state.borrow()
    }

    /// Follows [`Store::state`].
    pub fn watch(&self) -> watch::Receiver<StorageState> {
        self.inner.state.subscribe()
    }

    /// The folder it stands in.
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Notes what a write met. `Failed` stays for ever.
    pub(crate) fn set_state(&self, new: StorageState) {
        self.inner.state.send_if_modified(|state| {
            let moves = *state != new && *state != StorageState::Failed;
            if moves {
                *state = new;
            }
            moves
        });
    }

    /// Closes all connections and folds the WAL into the database.
    pub async fn close(&self) {
        self.inner.read.close().await;
        self.inner.write.close().await;
    }
}

fn hold_folder(folder: &Path, hold: Hold) -> Result<Option<File>, OpenError> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(folder.join(LOCK))
        .map_err(|why| OpenError::NotWritable { path: folder.to_path_buf(), why })?;
    match hold {
        Hold::Command => Ok(None),
        Hold::Server => match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => {
                Err(OpenError::Locked { path: folder.to_path_buf() })
            }
            Err(fs::TryLockError::Error(why)) => {
                Err(OpenError::NotWritable { path: folder.to_path_buf(), why })
            }
        },
    }
}

fn options(path: &Path) -> Result<AnyConnectOptions, OpenError> {
    let url = format!("sqlite://{}?mode=rw", percent_encoded(path));
    Ok(url
        .parse::<AnyConnectOptions>()
        .map_err(|error| opening(path, &error))?
        .disable_statement_logging())
}

async fn prepare(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    // NORMAL is many times faster for single commits, and loses acknowledged work when the power goes.
    let pragmas = format!(
        "pragma busy_timeout={}; pragma journal_mode=wal; pragma synchronous=full; pragma foreign_keys=on; pragma secure_delete=on",
        BUSY.as_millis()
    );
    connection.execute(AssertSqlSafe(pragmas)).await?;
    Ok(())
}

async fn pool(path: &Path, connections: u32) -> Result<AnyPool, OpenError> {
    AnyPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE)
        // A connection to a local file does not go stale.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(prepare(connection)))
        .connect_with(options(path)?)
        .await
        .map_err(|error| opening(path, &error))
}

/// A path as it may stand in a URL: everything but the unreserved characters (RFC 3986 §2.3) and `/` by its number.
fn percent_encoded(path: &Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt as _;

    let mut text = String::new();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte))
            }
            _ => {
                let _infallible = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

fn opening(path: &Path, error: &sqlx::Error) -> OpenError {
    let path = path.to_path_buf();
    let why = error.to_string();
    let code = match error {
        sqlx::Error::Database(error) => {
            error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0)
        }
        _ => 0,
    };
    match code & 0xff {
        11 | 26 => OpenError::Damaged { path, why },
        // READONLY, CANTOPEN: the folder itself was writable a moment ago.
        8 | 14 => OpenError::NotWritable { path, why: io::Error::other(why) },
        _ => OpenError::Disk { path, why },
    }
}

/// Looks at the file on a connection of its own: a pool would try again and again, and say only that time ran out.
///
/// `quick_check` reads every page once: seconds for a gigabyte. A damaged page found now is better than one found in
/// the middle of a visit.
async fn check(path: &Path) -> Result<(), OpenError> {
    let look = async {
        let mut connection =
            options(path)?.connect().await.map_err(|error| opening(path, &error))?;
        let looked = async {
            prepare(&mut connection).await?;
            sqlx::query_scalar::<_, String>(QUICK_CHECK).fetch_one(&mut connection).await
        };
        let answer = looked.await.map_err(|error| opening(path, &error));
        let _closed = connection.close().await;
        answer
    };
    match look.await?.as_str() {
        "ok" => Ok(()),
        why => Err(OpenError::Damaged { path: path.to_path_buf(), why: why.to_owned() }),
    }
}

async fn migrate(pool: &AnyPool, path: &Path) -> Result<(), OpenError> {
    let known = MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or(0);
    // No such table: a new database.
    let found: i64 = sqlx::query_scalar(SCHEMA).fetch_one(pool).await.unwrap_or(0);
    if found > known {
        return Err(OpenError::Newer { path: path.to_path_buf(), found, known });
    }
    Migrator::with_migrations(migrations()).run(pool).await.map_err(|error| OpenError::Migration {
        path: path.to_path_buf(),
        known,
        why: error.to_string(),
    })
}

fn migrations() -> Vec<Migration> {
    MIGRATIONS
        .iter()
        .map(|(version, name, both, sqlite)| {
            let text = format!("{both}\n{sqlite}").replace("BYTES", "blob");
            Migration::new(
                *version,
                (*name).into(),
                MigrationType::Simple,
                AssertSqlSafe(text).into_sql_str(),
                false,
            )
        })
        .collect()
}

/// Plain questions of tests, which need not know what carries them out.
#[cfg(test)]
impl Store {
    pub(crate) async fn ask<T>(&self, text: &'static str) -> Vec<T>
    where
        T: for<'r> sqlx::Decode<'r, Any> + sqlx::Type<Any> + Send + Unpin + 'static,
        (T,): for<'r> sqlx::FromRow<'r, sqlx::any::AnyRow>,
    {
        sqlx::query_scalar(text).fetch_all(self.read()).await.unwrap()
    }

    pub(crate) async fn count(&self, text: &'static str) -> i64 {
        self.ask::<i64>(text).await[0]
    }

    /// Each statement in one transaction.
    pub(crate) async fn tamper(&self, texts: &[&'static str]) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        for text in texts {
            sqlx::query(*text).fetch_all(&mut *write).await?;
        }
        write.commit().await?;
        Ok(())
    }
}

/// The wall clock, for rows and people; nothing is ordered by it.
pub fn now() -> clinical::actor::Millis {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    clinical::actor::Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
