//! Opening good, bad and foreign databases.

use super::*;
use crate::testing::Folder;

#[tokio::test]
async fn every_statement_prepares_on_a_migrated_database() {
    let folder = Folder::new();
    let store = Store::open(folder.path(), Hold::Server).await.unwrap();

    for (name, text) in registry() {
        let mut connection = store.read().acquire().await.unwrap();
        let prepared = connection.prepare(text.into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
}

#[tokio::test]
async fn every_connection_waits_for_the_disk() {
    let folder = Folder::new();
    let store = Store::open(folder.path(), Hold::Server).await.unwrap();

    let mut write = store.write().await.unwrap();
    let full: i64 = sqlx::query_scalar("pragma synchronous").fetch_one(&mut *write).await.unwrap();
    let mode: String =
        sqlx::query_scalar("pragma journal_mode").fetch_one(store.read()).await.unwrap();

    assert_eq!((full, mode.as_str()), (2, "wal"));
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_is_refused_and_a_command_is_not() {
    let folder = Folder::new();
    let _first = Store::open(folder.path(), Hold::Server).await.unwrap();

    let second = Store::open(folder.path(), Hold::Server).await;
    let command = Store::open(folder.path(), Hold::Command).await;

    assert!(matches!(second, Err(OpenError::Locked { .. })), "{second:?}");
    assert!(command.is_ok(), "{command:?}");
}

#[tokio::test]
async fn a_folder_name_may_hold_any_character() {
    let folder = Folder::new();

    let store = Store::open(&folder.path().join("Dr. Ñandú? 100% #1"), Hold::Server).await;

    assert!(store.is_ok(), "{store:?}");
}

#[tokio::test]
async fn a_damaged_database_says_so_and_is_left_alone() {
    let folder = Folder::new();
    let garbage = vec![0x5a; 8192];
    fs::write(folder.path().join(DATABASE), &garbage).unwrap();

    let opened = Store::open(folder.path(), Hold::Server).await;

    assert!(matches!(opened, Err(OpenError::Damaged { .. })), "{opened:?}");
    assert_eq!(fs::read(folder.path().join(DATABASE)).unwrap(), garbage);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let folder = Folder::new();
    let store = Store::open(folder.path(), Hold::Server).await.unwrap();
    let mut write = store.write().await.unwrap();
    sqlx::query("update _sqlx_migrations set version = 900 where version = 1")
        .execute(&mut *write)
        .await
        .unwrap();
    write.commit().await.unwrap();
    store.close().await;
    drop(store);

    let opened = Store::open(folder.path(), Hold::Server).await;

    assert!(matches!(opened, Err(OpenError::Newer { found: 900, .. })), "{opened:?}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_says_so() {
    let folder = Folder::new();
    fs::write(folder.path().join("file"), "").unwrap();

    let opened = Store::open(&folder.path().join("file/data"), Hold::Server).await;

    assert!(matches!(opened, Err(OpenError::NotWritable { .. })), "{opened:?}");
}

#[test]
fn a_disk_without_room_is_told_from_a_disk_that_fails() {
    assert_eq!(StoreError::of_sqlite(13), StoreError::Full);
    assert_eq!(StoreError::of_sqlite(4874), StoreError::Full);
    // SQLITE_IOERR_FSYNC.
    assert_eq!(StoreError::of_sqlite(1034), StoreError::Failed);
    // SQLITE_CONSTRAINT_PRIMARYKEY.
    assert_eq!(StoreError::of_sqlite(1555), StoreError::Constraint);
    assert_eq!(StoreError::of_sqlite(5), StoreError::Away);
}
