use super::*;
use crate::record::writer::Writer;
use crate::testing::Bench;
use clinical::id::PersonId;
use uuid::Uuid;

fn entry(object: String) -> Entry {
    Entry {
        at_ms: Millis(5),
        person: Some(PersonId(Uuid::now_v7())),
        role: Some(Role::Pcp),
        on_behalf_of: None,
        action: "record.opened",
        outcome: Outcome::Done,
        patient: None,
        object,
        visit: None,
        detail: Some(vec![1, 2, 3]),
    }
}

async fn five_rows(bench: &Bench) {
    for n in 0..5 {
        bench.writer.audit(vec![entry(format!("record:{n}"))]).await.unwrap();
    }
}

/// What somebody does who has the file and no respect for triggers.
async fn tamper(bench: &Bench, sql: &'static str) {
    let all = ["drop trigger audit_no_update", "drop trigger audit_no_delete", sql];
    bench.store.tamper(&all).await.unwrap();
}

#[tokio::test]
async fn a_whole_log_verifies() {
    let bench = Bench::new().await;
    five_rows(&bench).await;
    // A command beside the server has a chain of its own.
    let other = Writer::start(bench.store.clone(), "command").await.unwrap();
    other.audit(vec![entry("record:x".to_owned())]).await.unwrap();

    assert_eq!(verify(&bench.store).await, Ok(Verified { chains: 2, rows: 6 }));
}

#[tokio::test]
async fn a_chain_goes_on_after_a_restart() {
    let bench = Bench::new().await;
    five_rows(&bench).await;

    let again = Writer::start(bench.store.clone(), "test").await.unwrap();
    again.audit(vec![entry("record:x".to_owned())]).await.unwrap();

    assert_eq!(verify(&bench.store).await, Ok(Verified { chains: 1, rows: 6 }));
}

#[tokio::test]
async fn the_database_refuses_to_change_or_delete_a_row() {
    let bench = Bench::new().await;
    five_rows(&bench).await;

    for sql in ["update audit set person = 'x'", "delete from audit"] {
        assert!(bench.store.tamper(&[sql]).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn a_changed_row_is_found() {
    let bench = Bench::new().await;
    five_rows(&bench).await;
    tamper(&bench, "update audit set outcome = 'denied' where n = 3").await;

    let found = verify(&bench.store).await;

    assert_eq!(found, Err(VerifyError::Changed { chain: "test".to_owned(), n: 3 }));
}

#[tokio::test]
async fn a_deleted_row_is_found() {
    let bench = Bench::new().await;
    five_rows(&bench).await;
    tamper(&bench, "delete from audit where n = 2").await;

    let found = verify(&bench.store).await;

    assert_eq!(found, Err(VerifyError::Missing { chain: "test".to_owned(), n: 2 }));
}

#[tokio::test]
async fn two_rows_that_changed_places_are_found() {
    let bench = Bench::new().await;
    five_rows(&bench).await;
    tamper(&bench, "update audit set n = case n when 2 then 103 else 102 end where n in (2, 3)")
        .await;
    bench.store.tamper(&["update audit set n = n - 100 where n > 100"]).await.unwrap();

    assert!(matches!(verify(&bench.store).await, Err(VerifyError::Unlinked { n: 2, .. })));
}

#[tokio::test]
async fn a_row_moved_to_another_chain_is_found() {
    let bench = Bench::new().await;
    five_rows(&bench).await;
    tamper(&bench, "update audit set chain = 'other', n = 1 where n = 5").await;

    assert!(verify(&bench.store).await.is_err());
}
