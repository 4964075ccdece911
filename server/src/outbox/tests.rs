//! The outbox by itself: mails into a folder, or to where nobody listens.

use clinical::format::Language;
use clinical::id::PersonId;
use clinical::phi::Phi;

use super::store::delivered;
use super::*;
use crate::config::MailWay;
use crate::outbox::address::Address;
use crate::person;
use crate::record::writer::{Answer, Work};
use crate::testing::{Bench, Folder};
use crate::vault::KeyOf;

const ABOUT: &str = "plan:test:1";

struct Office {
    bench: Bench,
    outbox: Outbox,
    person: PersonId,
    mails: Folder,
}

impl Office {
    async fn new(practice: &str, way: impl FnOnce(&Folder) -> MailWay) -> Self {
        let (bench, mails) = (Bench::new().await, Folder::new());
        let Bench { store, vault, writer, .. } = &bench;
        let name = Phi::new("Ruth".to_owned());
        let person = person::add(store, vault, writer, &name, Role::Pcp, None).await.unwrap();
        let mail = Mail { from: "visits@harbor.example".to_owned(), way: way(&mails) };
        let practice = Practice { name: practice.to_owned(), ..Practice::default() };
        let origin = "https://visits.harbor.example".to_owned();
        let outbox = Outbox::new(&mail, origin, practice, store.clone(), vault.clone()).unwrap();
        let office = Self { bench, outbox, person, mails };
        office.reached("ruth.canary@example.org").await;
        office
    }

    async fn into_folder(practice: &str) -> Self {
        Self::new(practice, |mails| MailWay::Folder(mails.path().to_path_buf())).await
    }

    async fn reached(&self, address: &str) {
        let Bench { store, vault, writer, .. } = &self.bench;
        let address = Address::parse(address).ok();
        let around = (store, vault, writer);
        person::note_mail(around, self.person, address.as_ref(), Language::En).await.unwrap();
    }

    async fn mail(&self, key: &str, expires: i64) -> Statement {
        let dek = self.bench.vault.key(&self.bench.store, KeyOf::Organisation).await.unwrap();
        let link = Phi::new("https://visits.harbor.example/j#TOKENCANARY".to_owned());
        let until = Millis(now().0 + 1_000_000);
        let item = Item {
            person: self.person,
            role: Role::Pcp,
            record: None,
            topic: Topic::Plan,
            about: ABOUT,
            key: key.to_owned(),
            letter: Letter::PlanToRead { link, until, zone: "America/New_York".to_owned() },
            language: Language::En,
            not_before: Millis(0),
            expires: Millis(expires),
        };
        self.outbox.statement(&dek, item).unwrap()
    }

    async fn store(&self, first: Vec<Statement>) -> Answer {
        self.bench.writer.store(Work { first, ..Work::default() }).await
    }

    async fn state(&self) -> Option<Sent> {
        let all = delivered(&self.bench.store, ABOUT).await.unwrap();
        all.into_iter().next().map(|(_, sent)| sent)
    }

    /// Every mail in the folder.
    fn sent(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.mails.path()).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

#[tokio::test]
async fn a_mail_goes_with_what_causes_it_once_and_leaves_nothing_readable() {
    let office = Office::into_folder("Harbor Street").await;
    let never = i64::MAX;
    let mail = office.mail("first", never).await;
    // Something of the same transaction is refused.
    let other = Statement::new("update person set role = role where id = $1").text("nobody");
    assert_ne!(office.store(vec![mail, other.one_row()]).await, Answer::Stored);
    office.outbox.send_due().await.unwrap();
    assert_eq!((office.state().await, office.sent().len()), (None, 0));

    // Made twice, it is one.
    let twice = vec![office.mail("first", never).await, office.mail("first", never).await];
    assert_eq!(office.store(twice).await, Answer::Stored);
    assert_eq!(office.state().await, Some(Sent::Queued));
    for canary in ["ruth.canary", "TOKENCANARY", "ready for you to read"] {
        assert!(!office.bench.folder.holds(canary), "{canary} waits sealed");
    }
    office.outbox.send_due().await.unwrap();
    office.outbox.send_due().await.unwrap();
    assert!(matches!(office.state().await, Some(Sent::Sent { .. })));
    let sent = office.sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].contains("\r\nTo: ruth.canary@example.org\r\n"), "{}", sent[0]);
    let payloads = office.bench.store.ask::<Vec<u8>>("select payload from outbox").await;
    assert_eq!(payloads, [Vec::<u8>::new()], "what was sent is gone here");
}

#[tokio::test]
async fn no_name_begins_another_header() {
    let evil = "Evil\r\nBcc: all@example.org\r\n\r\nBuy";
    let office = Office::into_folder(evil).await;
    office.store(vec![office.mail("first", i64::MAX).await]).await;

    office.outbox.send_due().await.unwrap();

    let sent = office.sent();
    let head = sent[0].split("\r\n\r\n").next().unwrap();
    assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{head}");
    for once in ["From:", "To:", "Subject:", "Message-ID:"] {
        assert_eq!(head.lines().filter(|line| line.starts_with(once)).count(), 1, "{once} {head}");
    }
}

#[tokio::test]
async fn it_goes_where_the_person_is_reached_when_it_is_sent() {
    let office = Office::into_folder("Harbor Street").await;
    office.store(vec![office.mail("first", i64::MAX).await]).await;
    office.reached("other@example.org").await;
    office.outbox.send_due().await.unwrap();
    assert!(office.sent()[0].contains("\r\nTo: other@example.org\r\n"));

    office.store(vec![office.mail("second", i64::MAX).await]).await;
    office.reached("").await;
    office.outbox.send_due().await.unwrap();
    let why = MailTrouble::NoAddress;
    assert_eq!(office.state().await, Some(Sent::Failed { why, code: None }));
    assert_eq!(office.sent().len(), 1);
}

#[tokio::test]
async fn what_comes_too_late_is_not_sent_and_where_nobody_listens_is_tried_again() {
    let office = Office::into_folder("Harbor Street").await;
    office.store(vec![office.mail("late", now().0 - 1).await]).await;
    office.outbox.send_due().await.unwrap();
    assert_eq!(office.state().await, Some(Sent::Failed { why: MailTrouble::Late, code: None }));

    // Bound and dropped: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("smtp://127.0.0.1:{port}");
    let office = Office::new("Harbor", |_| MailWay::Smtp { url, password: None }).await;
    office.store(vec![office.mail("first", i64::MAX).await]).await;
    office.outbox.send_due().await.unwrap();
    let Some(Sent::Trying { why: MailTrouble::Unreachable, next_ms }) = office.state().await else {
        panic!("{:?}", office.state().await)
    };
    assert!(next_ms > now());
    // The twelfth time in vain is the last.
    for _ in 1..TRIES {
        office.bench.store.tamper(&["update outbox set not_before_ms = 0"]).await.unwrap();
        office.outbox.send_due().await.unwrap();
    }
    let why = MailTrouble::Unreachable;
    assert_eq!(office.state().await, Some(Sent::Failed { why, code: None }));
    assert_eq!(office.outbox.counts().await.unwrap().failed, 1);
}
