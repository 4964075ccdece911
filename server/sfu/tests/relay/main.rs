//! The relay from outside: browsers made of rtc-dtls and rtc-srtp, in virtual time.
//!
//! The handshakes inside rtc-dtls draw their own randomness; everything else repeats exactly.

#[cfg(test)]
mod abuse;
#[cfg(test)]
mod client;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod feedback;
#[cfg(test)]
mod forwarding;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod path_check;
#[cfg(test)]
mod random_calls;
#[cfg(test)]
mod redundancy;
#[cfg(test)]
mod seats;
#[cfg(test)]
mod stun;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod world;
