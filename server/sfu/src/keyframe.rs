//! Asking a publisher for a keyframe, however many subscribers need one.

use std::time::{Duration, Instant};

use crate::limits::KEYFRAME_RETRY;

/// Requests to one layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyframeRequests {
    state: State,
    last_sent: Option<Instant>,
    interval: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody waits.
    Idle,
    /// Somebody waits who came after the last request.
    Wanted,
    /// All who wait were there when it was sent.
    Asked,
}

impl KeyframeRequests {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { state: State::Idle, last_sent: None, interval }
    }

    /// Somebody needs one.
    pub(crate) fn want(&mut self) {
        self.state = State::Wanted;
    }

    /// One came, or nobody watches any more.
    pub(crate) fn satisfy(&mut self) {
        self.state = State::Idle;
    }

    /// Whether nobody waits for one.
    pub(crate) fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// When a request may be sent to a publisher whose round trip is `rtt`.
    pub(crate) fn deadline(&self, rtt: Duration) -> Option<Due> {
        let wait = match self.state {
            State::Idle => return None,
            State::Wanted => self.interval,
            State::Asked => self.interval.max(KEYFRAME_RETRY + 2 * rtt),
        };
        Some(self.last_sent.map_or(Due::Now, |sent| Due::At(sent + wait)))
    }

    /// Whether to send one now.
    pub(crate) fn send(&mut self, now: Instant, rtt: Duration) -> bool {
        let due = match self.deadline(rtt) {
            None => false,
            Some(Due::Now) => true,
            Some(Due::At(at)) => now >= at,
        };
        if due {
            self.state = State::Asked;
            self.last_sent = Some(now);
        }
        due
    }
}

/// When something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Now,
    At(Instant),
}

impl Due {
    /// As an instant, not before `now`.
    pub(crate) fn at(self, now: Instant) -> Instant {
        match self {
            Self::Now => now,
            Self::At(at) => at.max(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::KEYFRAME_INTERVAL;
    use crate::time::anchor;

    const RTT: Duration = Duration::from_millis(100);

    #[test]
    fn three_newcomers_at_once_cost_one_keyframe() {
        let start = anchor();
        let mut requests = KeyframeRequests::new(KEYFRAME_INTERVAL);

        let sent = [0, 10, 20, 340].map(|ms| {
            requests.want();
            requests.send(start + Duration::from_millis(ms), RTT)
        });

        assert_eq!(sent, [true, false, false, true]);
    }

    #[test]
    fn a_keyframe_that_does_not_come_is_asked_for_again_and_one_that_came_is_not() {
        let start = anchor();
        let mut requests = KeyframeRequests::new(KEYFRAME_INTERVAL);
        requests.want();

        assert!(requests.send(start, RTT));
        assert!(!requests.send(start + KEYFRAME_RETRY + RTT, RTT));
        assert!(requests.send(start + KEYFRAME_RETRY + 2 * RTT, RTT));
        requests.satisfy();
        assert!(!requests.send(start + 3 * KEYFRAME_RETRY, RTT));
    }
}
