//! Rate limits. A clinic sits behind one address, so limits by address are loose and limits by seat are strict.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clinical::id::SeatId;

/// How often something may happen: a bucket that holds `burst` and refills to it in `burst / each` times `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many…
    pub each: u32,
    /// …in this time…
    pub per: Duration,
    /// …and so many at once.
    pub burst: u32,
}

const fn rate(each: u32, per: u64, burst: u32) -> Rate {
    Rate { each, per: Duration::from_secs(per), burst }
}

/// Link claims from one address. Higher helps a waiting room full of patients behind one router, lower slows guessing,
/// which 128 bits make hopeless anyway.
pub const CLAIMS_BY_ADDRESS: Rate = rate(20, 60, 40);

/// Link claims on the whole server: each costs two reads of the database.
pub const CLAIMS: Rate = rate(200, 1, 200);

/// Join tickets for one seat. A phone in a lift reconnects every few seconds.
pub const TICKETS_BY_SEAT: Rate = rate(10, 60, 20);

/// WebSocket handshakes from one address.
pub const SOCKETS_BY_ADDRESS: Rate = rate(60, 60, 120);

/// Other requests about one seat.
pub const REQUESTS_BY_SEAT: Rate = rate(20, 1, 60);

/// Messages on one connection. A person who types and moves sends fewer than 20 a second; the burst takes what was
/// typed without a line.
pub const MESSAGES: Rate = rate(100, 1, 200);

/// Keys of one limiter. Beyond it everybody waits: more would let a flood of addresses grow memory.
const KEYS: usize = 100_000;

/// A bucket of tokens, kept as the time at which it will be full again (the generic cell rate algorithm).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    full_at: Instant,
}

impl Bucket {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes one token, or says how long until there is one.
    pub(crate) fn take(&mut self, now: Instant, rate: Rate) -> Result<(), Duration> {
        let Rate { each, per, burst } = rate;
        let step = per / each.max(1);
        let room = step * burst;
        let full_at = self.full_at.max(now) + step;
        let ahead = full_at.saturating_duration_since(now);
        if ahead > room {
            return Err(ahead.saturating_sub(room));
        }
        self.full_at = full_at;
        Ok(())
    }
}

/// One bucket for each key.
#[derive(Debug)]
struct Keyed<K> {
    rate: Rate,
    buckets: Mutex<HashMap<K, Bucket>>,
}

impl<K: Eq + Hash> Keyed<K> {
    fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::default() }
    }

    fn take(&self, now: Instant, key: K) -> Result<(), Duration> {
        // A panic elsewhere leaves a map of whole entries.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEYS {
            buckets.retain(|_, bucket| bucket.full_at > now);
            if buckets.len() >= KEYS {
                return Err(self.rate.per);
            }
        }
        buckets.entry(key).or_insert_with(|| Bucket::new(now)).take(now, self.rate)
    }

    fn shrink(&self, now: Instant) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.retain(|_, bucket| bucket.full_at > now);
        buckets.shrink_to_fit();
    }
}

/// What is limited, by whom it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Claiming a link.
    Claim(IpAddr),
    /// Asking for a ticket.
    Ticket(SeatId),
    /// Opening a WebSocket.
    Socket(IpAddr),
    /// Any other request about a seat.
    Request(SeatId),
}

/// Every limiter of the server.
#[derive(Debug)]
pub struct Limits {
    claims_by_address: Keyed<IpAddr>,
    claims: Keyed<()>,
    tickets: Keyed<SeatId>,
    sockets: Keyed<IpAddr>,
    requests: Keyed<SeatId>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            claims_by_address: Keyed::new(CLAIMS_BY_ADDRESS),
            claims: Keyed::new(CLAIMS),
            tickets: Keyed::new(TICKETS_BY_SEAT),
            sockets: Keyed::new(SOCKETS_BY_ADDRESS),
            requests: Keyed::new(REQUESTS_BY_SEAT),
        }
    }
}

impl Limits {
    /// Takes one, or says how long until it may be tried again.
    ///
    /// # Errors
    /// Too many of it.
    pub fn take(&self, now: Instant, what: What) -> Result<(), Duration> {
        match what {
            What::Claim(address) => {
                self.claims_by_address.take(now, network(address))?;
                self.claims.take(now, ())
            }
            What::Ticket(seat) => self.tickets.take(now, seat),
            What::Socket(address) => self.sockets.take(now, network(address)),
            What::Request(seat) => self.requests.take(now, seat),
        }
    }

    /// Forgets who has been quiet. Called every minute.
    pub fn shrink(&self, now: Instant) {
        let Self { claims_by_address, claims, tickets, sockets, requests } = self;
        claims_by_address.shrink(now);
        claims.shrink(now);
        tickets.shrink(now);
        sockets.shrink(now);
        requests.shrink(now);
    }
}

/// One household or clinic: an IPv6 customer owns at least a /64 (RFC 6177), and could come from each address of it.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        for rate in [CLAIMS_BY_ADDRESS, TICKETS_BY_SEAT, SOCKETS_BY_ADDRESS, MESSAGES] {
            bucket.full_at = start;
            let taken = (0..1_000).filter(|_| bucket.take(start, rate).is_ok()).count();
            assert_eq!(taken, usize::try_from(rate.burst).unwrap(), "{rate:?}");

            let later = start + rate.per;
            let taken = (0..1_000).filter(|_| bucket.take(later, rate).is_ok()).count();
            assert_eq!(taken, usize::try_from(rate.each).unwrap(), "{rate:?}");
        }
    }

    #[test]
    fn one_address_that_floods_leaves_others_alone() {
        let limits = Limits::default();
        let now = Instant::now();
        let flood: IpAddr = [192, 0, 2, 1].into();

        while limits.take(now, What::Claim(flood)).is_ok() {}

        assert_eq!(limits.take(now, What::Claim([192, 0, 2, 2].into())), Ok(()));
    }

    #[test]
    fn who_was_quiet_is_forgotten() {
        let limits = Limits::default();
        let now = Instant::now();
        limits.take(now, What::Socket([192, 0, 2, 1].into())).unwrap();

        limits.shrink(now + Duration::from_secs(120));

        assert!(limits.sockets.buckets.lock().unwrap().is_empty());
    }

    #[test]
    fn one_ipv6_customer_counts_once() {
        let a: IpAddr = "2001:db8::1".parse().unwrap();
        let b: IpAddr = "2001:db8::ffff:2".parse().unwrap();

        assert_eq!(network(a), network(b));
    }
}
