//! Somebody's microphone and camera in a call.

use std::sync::Arc;
use std::time::Duration;

use clinical::phi::Phi;
use signaling::message::{ClientMessage, ServerMessage, SrtpAttempt, TransportKind};
use tokio::task::JoinHandle;

use crate::participant::Participant;
use crate::peer::{Frame, Peer, Slots};

/// Sound and a picture, sent until this is dropped.
pub struct Picture {
    peer: Arc<Peer>,
    sending: JoinHandle<()>,
}

impl Picture {
    /// Turns on what somebody has who is in the call.
    ///
    /// # Panics
    /// The server does not connect it.
    pub async fn of(participant: &mut Participant) -> Self {
        let peer = Arc::new(Peer::new(Slots { video: 1, audio: 1 }).await.expect("a browser"));
        let sdp = Phi::new(peer.offer().await.expect("an offer"));
        let (srtp, transport) = (SrtpAttempt::First, TransportKind::New);
        participant.send(&ClientMessage::Offer { n: 1, sdp, srtp, transport }).await;
        let answer = |message: &ServerMessage| matches!(message, ServerMessage::Answer { .. });
        let ServerMessage::Answer { sdp, .. } = participant.until("an answer", answer).await else {
            panic!("no answer")
        };
        peer.take_answer(sdp.expose()).await.expect("an answer that reads");
        peer.connected().await.expect("a line");
        let sends = Arc::clone(&peer);
        let sending = tokio::spawn(async move {
            let mut clock = tokio::time::interval(Duration::from_millis(50));
            let mut frame = Frame::Key;
            loop {
                clock.tick().await;
                // A server that is gone takes nothing.
                let _gone = sends.send_voice().await;
                let _gone = sends.send_frame(frame, 1).await;
                frame = Frame::Delta;
            }
        });
        Self { peer, sending }
    }

    /// Nothing comes of them any more.
    pub async fn breaks_off(self) {
        self.sending.abort();
        let _closed = self.peer.close().await;
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        self.sending.abort();
    }
}
