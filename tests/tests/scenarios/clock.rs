//! The words for sound, picture and telephone, and for the time they take.

use std::time::{Duration, Instant};

use serde_json::Value;
use signaling::message::{ClientMessage, ServerMessage, TelephoneStep};
use tests::picture::Picture;
use tests::world::PATIENCE;

use crate::clinic::{Clinic, Person};

impl Clinic {
    /// So many minutes go by: nobody waits for them.
    pub(crate) async fn minutes_pass(&self, minutes: i64) {
        self.world.minutes_pass(self.world.visit(), minutes).await;
    }

    /// Waits until the pharmacist's clock "runs" or "stands still".
    pub(crate) async fn until_the_clock(&self, pharmacist: &mut Person, does: &str) {
        let begun = Instant::now();
        loop {
            let timer: Value = serde_json::from_str(&self.gets(pharmacist, "timer").await).unwrap();
            if timer["running"] == (does == "runs") {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the clock never {does}: {timer}");
            // Their page is alive meanwhile.
            pharmacist.line.settle().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Says something to the billing sheet; gives back what it says then.
    pub(crate) async fn says_on_the_sheet(&self, person: &Person, what: &Value) -> Value {
        let path = format!("/api/seats/{}/sheet", person.line.seat);
        let reply = self.world.post(&path, &person.cookie, what).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json["sheet"].clone()
    }
}

impl Person {
    /// Turns on microphone and camera.
    pub(crate) async fn shows_themselves(&mut self) -> Picture {
        Picture::of(&mut self.line).await
    }

    /// Says that they go on by telephone, or do not any more.
    pub(crate) async fn says_of_the_telephone(&mut self, step: TelephoneStep) {
        self.line.send(&ClientMessage::Telephone { step }).await;
    }

    /// Waits until the page says whether the visit is by telephone.
    pub(crate) async fn hears_that_the_visit_is_by_telephone(&mut self, by_telephone: bool) {
        let told = |message: &ServerMessage| matches!(message, ServerMessage::Telephone { telephone } if telephone.is_some() == by_telephone);
        self.line.until("a word about the telephone", told).await;
    }
}
