//! Envelope encryption of columns that hold what people said: a copied database is useless without the key file, and
//! destroying one key erases one patient everywhere, old backups included.
//!
//! A master key (KEK) from a file wraps data keys (DEK): one for each patient, one for the organisation. A sealed value
//! is `version (1) | nonce (12) | ciphertext | tag (16)`, AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce.
//! Associated data names table, document or row, sequence and column, so that a value moved elsewhere does not open.

mod store;

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use clinical::id::PatientId;

use crate::record::writer::Statement;
use crate::store::{Store, StoreError, now};

pub(crate) use store::ALL;

/// Format of a sealed value.
const VERSION: u8 = 1;

/// Bytes of an AES-256 key.
const KEY_LEN: usize = 32;

/// Bytes of a GCM nonce. Random: safe below 2^32 values for each key, and a key here seals one patient's.
const NONCE_LEN: usize = 12;

/// The key of the process's secrets file.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    kek: Aes256Gcm,
    kek_id: String,
    /// Keys in use. Dropped with the vault; `aes-gcm` clears the schedule.
    open: Mutex<HashMap<DekId, Dek>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({})", self.inner.kek_id)
    }
}

/// Id of a data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DekId(pub Uuid);

/// Whose data a key seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOf {
    /// One patient's: their chart, records, and the names of those who speak for them.
    Patient(PatientId),
    /// The organisation's: staff, and rows about no patient.
    Organisation,
}

/// A data key, ready to seal and open.
#[derive(Clone)]
pub struct Dek {
    id: DekId,
    cipher: Arc<Aes256Gcm>,
}

impl std::fmt::Debug for Dek {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dek({})", self.id.0)
    }
}

/// Where a sealed value stands. Sealed with one, it opens with no other.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// Table.
    pub table: &'static str,
    /// Document or row.
    pub row: &'a str,
    /// Sequence in the document; 0 where there is none.
    pub seq: u64,
    /// Column.
    pub column: &'static str,
}

impl Spot<'_> {
    fn bytes(&self) -> Vec<u8> {
        let Self { table, row, seq, column } = self;
        format!("{table}|{row}|{seq}|{column}").into_bytes()
    }
}

/// Why a key or a sealed value does not open.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be made or read.
    #[error("the key file {} cannot be used ({why}): mortar must be able to read it, and nobody else", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// It is gone, and the database needs it.
    #[error("the key file {} is missing, and nothing in the database opens without it: restore it from your backup of keys", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others could read it.
    #[error("the key file {} can be read by others (mode {mode:o}): chmod 600 it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is not a key.
    #[error("the key file {} does not hold a key of 64 hexadecimal digits: restore it from your backup of keys", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The database was sealed under another key.
    #[error(
        "the database was sealed under another key file (its key is {found}, this file holds {have}): restore the right one"
    )]
    OtherKey {
        /// Fingerprint in the database.
        found: String,
        /// Fingerprint of the file.
        have: String,
    },
    /// No such key, or it was destroyed.
    #[error("the data key is not there: it was destroyed, and what it sealed with it")]
    Gone,
    /// The value was changed, or stands in another place than it was sealed for.
    #[error("a sealed value does not open")]
    Broken,
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Random,
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Vault {
    /// Opens the key file; makes one on the first run of a new database.
    ///
    /// # Errors
    /// The file cannot be read or made, is open to others, holds no key, or not the key of this database.
    pub async fn open(file: &Path, store: &Store) -> Result<Self, VaultError> {
        let found = store::some_kek(store).await?;
        let secret = match read_key(file)? {
            Some(secret) => secret,
            // A new key for an old database would only hide that the right one is missing.
            None if found.is_some() => {
                return Err(VaultError::Missing { path: file.to_path_buf() });
            }
            None => make_key(file)?,
        };
        let kek_id = fingerprint(&secret);
        if let Some(found) = found
            && found != kek_id
        {
            return Err(VaultError::OtherKey { found, have: kek_id });
        }
        Ok(Self { inner: Arc::new(Inner { kek: cipher(&secret), kek_id, open: Mutex::default() }) })
    }

    /// The key for new values, made if there is none.
    ///
    /// # Errors
    /// The store said no, or the system gives no randomness.
    pub async fn key(&self, store: &Store, of: KeyOf) -> Result<Dek, VaultError> {
        let found = store::newest(store, of).await?;
        if let Some((id, wrapped)) = found {
            return self.unwrap_key(&id, &wrapped);
        }
        let (dek, wrapped) = self.new_key(of)?;
        let mut write = store.write().await?;
        wrapped.statement().execute(&mut write).await?;
        write.commit().await.map_err(StoreError::from)?;
        Ok(dek)
    }

    /// A new key, to be stored in the transaction of the first row it seals.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn new_key(&self, of: KeyOf) -> Result<(Dek, WrappedKey), VaultError> {
        let secret = random_key()?;
        let id = DekId(Uuid::now_v7());
        let spot = id.0.to_string();
        let wrapped = seal(&self.inner.kek, wrap_spot(&spot), secret.as_slice())?;
        let dek = Dek { id, cipher: Arc::new(cipher(&secret)) };
        self.inner.open().insert(id, dek.clone());
        Ok((dek, WrappedKey { id, of, kek: self.inner.kek_id.clone(), wrapped }))
    }

    /// The key with this id.
    ///
    /// # Errors
    /// It was destroyed, or does not open.
    pub async fn key_by_id(&self, store: &Store, id: DekId) -> Result<Dek, VaultError> {
        if let Some(dek) = self.inner.open().get(&id) {
            return Ok(dek.clone());
        }
        let wrapped = store::by_id(store, id).await?;
        self.unwrap_key(&id.0.to_string(), &wrapped)
    }

    /// Destroys every key of a patient. What they sealed cannot be read again, from here or from a backup of the
    /// database.
    ///
    /// # Errors
    /// The store said no.
    pub async fn shred(&self, store: &Store, patient: PatientId) -> Result<(), VaultError> {
        store::shred(store, patient).await?;
        self.inner.open().clear();
        Ok(())
    }

    fn unwrap_key(&self, id: &str, wrapped: &[u8]) -> Result<Dek, VaultError> {
        let dek_id = DekId(id.parse().map_err(|_wrong| VaultError::Broken)?);
        let secret = Zeroizing::new(open(&self.inner.kek, wrap_spot(id), wrapped)?);
        let secret: &[u8; KEY_LEN] =
            secret.as_slice().try_into().map_err(|_wrong| VaultError::Broken)?;
        let dek = Dek { id: dek_id, cipher: Arc::new(cipher(secret)) };
        self.inner.open().insert(dek_id, dek.clone());
        Ok(dek)
    }
}

impl Inner {
    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<DekId, Dek>> {
        // A panic elsewhere leaves a map of whole entries.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A new key as it is stored.
#[derive(Debug)]
pub struct WrappedKey {
    id: DekId,
    of: KeyOf,
    kek: String,
    wrapped: Vec<u8>,
}

impl WrappedKey {
    /// The row, for the transaction of the first row it seals.
    pub(crate) fn statement(self) -> Statement {
        let Self { id, of, kek, wrapped } = self;
        let patient = match of {
            KeyOf::Patient(patient) => Some(patient.to_string()),
            KeyOf::Organisation => None,
        };
        Statement::new(store::ADD_KEY)
            .text(id.0.to_string())
            .text_or_null(patient)
            .text(kek)
            .bytes(wrapped)
            .int(now().0)
    }
}

impl Dek {
    /// Its id, as in `doc_head.dek`.
    pub const fn id(&self) -> DekId {
        self.id
    }

    /// Seals a value for its place.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn seal(&self, spot: Spot<'_>, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        seal(&self.cipher, spot, plain)
    }

    /// Opens a value sealed for this place.
    ///
    /// # Errors
    /// It was changed, or stands elsewhere.
    pub fn open(&self, spot: Spot<'_>, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        open(&self.cipher, spot, sealed)
    }
}

const fn wrap_spot(id: &str) -> Spot<'_> {
    Spot { table: "dek", row: id, seq: 0, column: "wrapped" }
}

fn cipher(secret: &[u8; KEY_LEN]) -> Aes256Gcm {
    Aes256Gcm::new(secret.into())
}

fn seal(cipher: &Aes256Gcm, spot: Spot<'_>, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0_u8; NONCE_LEN];
    getrandom::fill(&mut nonce).map_err(|_none| VaultError::Random)?;
    let sealed = cipher
        .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: &spot.bytes() })
        .map_err(|_too_long| VaultError::Broken)?;
    let mut value = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
    value.push(VERSION);
    value.extend_from_slice(&nonce);
    value.extend_from_slice(&sealed);
    Ok(value)
}

fn open(cipher: &Aes256Gcm, spot: Spot<'_>, value: &[u8]) -> Result<Vec<u8>, VaultError> {
    let (&version, rest) = value.split_first().ok_or(VaultError::Broken)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Broken)?;
    if version != VERSION {
        return Err(VaultError::Broken);
    }
    cipher
        .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: &spot.bytes() })
        .map_err(|_forged| VaultError::Broken)
}

fn random_key() -> Result<Zeroizing<[u8; KEY_LEN]>, VaultError> {
    let mut secret = Zeroizing::new([0; KEY_LEN]);
    getrandom::fill(secret.as_mut_slice()).map_err(|_none| VaultError::Random)?;
    Ok(secret)
}

/// The first 16 hexadecimal digits of SHA-256 over the key: tells two keys apart, says nothing about either.
fn fingerprint(secret: &[u8; KEY_LEN]) -> String {
    hex(&Sha256::digest(secret)).chars().take(16).collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

fn read_key(path: &Path) -> Result<Option<Zeroizing<[u8; KEY_LEN]>>, VaultError> {
    let failed = |why| VaultError::File { path: path.to_path_buf(), why };
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(failed(why)),
    };
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(VaultError::Exposed { path: path.to_path_buf(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(failed)?;
    let mut secret = Zeroizing::new([0; KEY_LEN]);
    let digits = text.trim().as_bytes();
    if digits.len() != 2 * KEY_LEN {
        return Err(VaultError::NotAKey { path: path.to_path_buf() });
    }
    for (byte, pair) in secret.iter_mut().zip(digits.chunks(2)) {
        *byte = std::str::from_utf8(pair)
            .ok()
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .ok_or_else(|| VaultError::NotAKey { path: path.to_path_buf() })?;
    }
    Ok(Some(secret))
}

/// Writes a new key beside the path and moves it there, so that a crash leaves a whole file or none.
fn make_key(path: &Path) -> Result<Zeroizing<[u8; KEY_LEN]>, VaultError> {
    let failed = |why| VaultError::File { path: path.to_path_buf(), why };
    let secret = random_key()?;
    let text = Zeroizing::new(hex(secret.as_slice()));
    let new = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&new)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.write_all(b"\n").map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&new, path).map_err(failed)?;
    if let Some(folder) = path.parent() {
        // The name must outlive a power cut too, or the database would be sealed under a key that is gone.
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Hold;
    use crate::testing::{Bench, Folder};

    const SPOT: Spot<'static> = Spot { table: "doc_change", row: "d", seq: 4, column: "body" };

    async fn dek() -> (Bench, Dek) {
        let bench = Bench::new().await;
        let of = KeyOf::Patient(PatientId(Uuid::now_v7()));
        let dek = bench.vault.key(&bench.store, of).await.unwrap();
        (bench, dek)
    }

    #[tokio::test]
    async fn a_sealed_value_opens_where_it_was_sealed_and_nowhere_else() {
        let (_bench, dek) = dek().await;
        let sealed = dek.seal(SPOT, b"metformin").unwrap();

        assert_eq!(dek.open(SPOT, &sealed).unwrap(), b"metformin");
        for elsewhere in [
            Spot { table: "doc_snapshot", ..SPOT },
            Spot { row: "e", ..SPOT },
            Spot { seq: 5, ..SPOT },
            Spot { column: "reason", ..SPOT },
        ] {
            assert!(dek.open(elsewhere, &sealed).is_err(), "{elsewhere:?}");
        }
    }

    #[tokio::test]
    async fn each_flipped_bit_and_each_missing_byte_is_found() {
        let (_bench, dek) = dek().await;
        let sealed = dek.seal(SPOT, b"metformin").unwrap();

        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[at] ^= 1 << bit;
                assert!(dek.open(SPOT, &changed).is_err(), "byte {at} bit {bit}");
            }
            assert!(dek.open(SPOT, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[tokio::test]
    async fn the_same_words_never_look_the_same() {
        let (_bench, dek) = dek().await;

        assert_ne!(dek.seal(SPOT, b"a").unwrap(), dek.seal(SPOT, b"a").unwrap());
    }

    #[tokio::test]
    async fn a_key_survives_a_restart() {
        let folder = Folder::new();
        let file = folder.path().join("mortar.key");
        let store = Store::open(folder.path(), Hold::Server).await.unwrap();
        let vault = Vault::open(&file, &store).await.unwrap();
        let dek = vault.key(&store, KeyOf::Organisation).await.unwrap();
        let sealed = dek.seal(SPOT, b"x").unwrap();

        let again = Vault::open(&file, &store).await.unwrap();
        let same = again.key_by_id(&store, dek.id()).await.unwrap();

        assert_eq!(same.open(SPOT, &sealed).unwrap(), b"x");
    }

    #[tokio::test]
    async fn an_erased_patient_is_unreadable() {
        let bench = Bench::new().await;
        let patient = PatientId(Uuid::now_v7());
        let dek = bench.vault.key(&bench.store, KeyOf::Patient(patient)).await.unwrap();

        bench.vault.shred(&bench.store, patient).await.unwrap();

        let gone = bench.vault.key_by_id(&bench.store, dek.id()).await;
        assert!(matches!(gone, Err(VaultError::Gone)), "{gone:?}");
    }

    #[tokio::test]
    async fn a_key_file_is_for_one_reader() {
        let bench = Bench::new().await;
        let file = bench.folder.path().join("mortar.key");
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);

        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();

        let opened = Vault::open(&file, &bench.store).await;
        assert!(matches!(opened, Err(VaultError::Exposed { .. })), "{opened:?}");
    }

    #[tokio::test]
    async fn the_wrong_key_file_is_told_from_a_missing_one() {
        let (bench, _dek) = dek().await;
        let file = bench.folder.path().join("other.key");
        let missing = Vault::open(&file, &bench.store).await;
        make_key(&file).unwrap();
        let wrong = Vault::open(&file, &bench.store).await;
        fs::write(&file, "not a key").unwrap();
        let garbage = Vault::open(&file, &bench.store).await;

        assert!(matches!(missing, Err(VaultError::Missing { .. })), "{missing:?}");
        assert!(matches!(wrong, Err(VaultError::OtherKey { .. })), "{wrong:?}");
        assert!(matches!(garbage, Err(VaultError::NotAKey { .. })), "{garbage:?}");
    }
}
