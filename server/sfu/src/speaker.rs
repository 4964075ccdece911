//! Who speaks, from the levels that browsers write into their packets (RFC 6464); nothing is decoded.

use std::time::Instant;

use crate::limits::{
    NOISE_MEMORY_DECISIONS, SPEAKER_HOLD, SPEAKER_MARGIN_DB, SPEECH_LEVEL, SPEECH_OVER_NOISE_DB,
};

/// Levels of one microphone since the last decision, and what was learnt of it before. Levels are of 127 - level: larger is
/// louder.
///
/// A fan is as loud as a voice, but never stops: as other dominant-speaker detectors do (Jitsi's, after Volfin and Cohen 2013;
/// mediasoup's), the least of the last seconds counts as its noise, and only what stands out from that is speech. Whoever
/// speaks, breathes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    sum: u32,
    packets: u32,
    /// The least of a packet, in this memory and in the last.
    least: [u32; 2],
    /// Decisions in this memory.
    decisions: u32,
    voice: Voice,
}

/// What the sender says by the V bit (RFC 6464 §3), since the last decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    /// It has never set it: it may not know how.
    Unsaid,
    Active,
    Inactive,
}

/// What was heard of one microphone since the last decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Whether anything came but silence.
    pub(crate) sound: bool,
    /// The mean loudness, if it is that of speech.
    pub(crate) speech: Option<u32>,
}

impl Default for Level {
    fn default() -> Self {
        // Of a newcomer nothing is known: a word must not be lost, so all before was silence.
        Self { sum: 0, packets: 0, least: [u32::MAX, 0], decisions: 0, voice: Voice::Unsaid }
    }
}

impl Level {
    /// `value` as the extension carries it: the V bit, and the level in -dBov, 0 the loudest, 127 silence.
    pub(crate) fn note(&mut self, value: u8) {
        let loudness = u32::from(127 - (value & 0x7f));
        self.sum = self.sum.saturating_add(loudness);
        self.packets = self.packets.saturating_add(1);
        let [now, _] = &mut self.least;
        *now = loudness.min(*now);
        if value & 0x80 != 0 {
            self.voice = Voice::Active;
        }
    }

    /// What was heard since the last call.
    pub(crate) fn take(&mut self) -> Heard {
        let Some(mean) = self.sum.checked_div(self.packets) else {
            return Heard { sound: false, speech: None };
        };
        let [now, before] = self.least;
        let noise = now.min(before);
        let least_speech = (127 - u32::from(SPEECH_LEVEL)).max(noise + SPEECH_OVER_NOISE_DB);
        let is_speech = self.voice != Voice::Inactive && mean >= least_speech;
        (self.sum, self.packets) = (0, 0);
        self.voice = match self.voice {
            Voice::Unsaid => Voice::Unsaid,
            Voice::Active | Voice::Inactive => Voice::Inactive,
        };
        self.decisions += 1;
        if self.decisions >= NOISE_MEMORY_DECISIONS {
            self.decisions = 0;
            self.least = [u32::MAX, now];
        }
        Heard { sound: mean > 0, speech: is_speech.then_some(mean) }
    }
}

/// The speaker of one call. `K` names somebody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaker<K> {
    current: Option<K>,
    heard_at: Option<Instant>,
}

impl<K: Copy + PartialEq> Speaker<K> {
    pub(crate) fn new() -> Self {
        Self { current: None, heard_at: None }
    }

    pub(crate) fn current(&self) -> Option<K> {
        self.current
    }

    /// Decides from the mean loudness of everybody who speaks; the new speaker if it changed.
    pub(crate) fn decide(
        &mut self,
        speech: impl Iterator<Item = (K, u32)>,
        now: Instant,
    ) -> Option<Option<K>> {
        let mut loudest: Option<(K, u32)> = None;
        let mut current_level = 0;
        for (who, level) in speech {
            if Some(who) == self.current {
                current_level = level;
                self.heard_at = Some(now);
            }
            if loudest.is_none_or(|(_, most)| level > most) {
                loudest = Some((who, level));
            }
        }
        let is_held =
            self.heard_at.is_some_and(|heard| now.saturating_duration_since(heard) < SPEAKER_HOLD);
        let next = match loudest {
            Some((who, level))
                if self.current.is_none()
                    || Some(who) == self.current
                    || level >= current_level + SPEAKER_MARGIN_DB =>
            {
                Some(who)
            }
            Some(_) => self.current,
            None if is_held => self.current,
            None => None,
        };
        if next == self.current {
            return None;
        }
        self.current = next;
        self.heard_at = next.map(|_| now);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SPEAKER_INTERVAL;
    use crate::time::anchor;

    #[test]
    fn the_speaker_changes_only_for_a_clearly_louder_voice_and_ends_in_silence() {
        let start = anchor();
        let mut speaker = Speaker::new();
        let mut decide = |step: u32, levels: [Option<u32>; 2]| {
            let levels = ["pharmacist", "patient"].into_iter().zip(levels);
            let speech = levels.filter_map(|(who, level)| Some((who, level?)));
            speaker.decide(speech, start + SPEAKER_INTERVAL * step)
        };

        assert_eq!(decide(0, [None, None]), None, "both silent");
        assert_eq!(decide(1, [Some(90), None]), Some(Some("pharmacist")));
        assert_eq!(decide(2, [Some(90), Some(95)]), None, "5 dB are not enough");
        assert_eq!(decide(3, [Some(85), Some(95)]), Some(Some("patient")));
        assert_eq!(decide(4, [None, None]), None, "a breath");
        assert_eq!(decide(8, [None, None]), Some(None));
    }

    /// Decisions of 300 ms in which packets of 20 ms have these levels, in -dBov; in how many of them it was speech.
    fn speech(level: &mut Level, decisions: u32, values: impl Fn(u32) -> u8) -> u32 {
        let decision = |at| {
            (0..15).for_each(|packet| level.note(values(at * 15 + packet)));
            u32::from(level.take().speech.is_some())
        };
        (0..decisions).map(decision).sum()
    }

    /// Noise that wavers by 6 dB.
    fn fan(loudest: u8) -> impl Fn(u32) -> u8 {
        move |packet| loudest + u8::try_from(packet * 7 % 5).unwrap() * 3 / 2
    }

    /// Words of 0.4 s at -25 dBov, with 0.1 s between them.
    fn words(packet: u32) -> u8 {
        if packet % 25 < 20 { 25 } else { 60 }
    }

    #[test]
    fn a_steady_noise_is_speech_only_until_it_is_known() {
        let mut level = Level::default();
        assert!(speech(&mut level, 2 * NOISE_MEMORY_DECISIONS, fan(35)) > 0, "a word is not lost");
        assert_eq!(speech(&mut level, 500, fan(35)), 0);
        assert_eq!(speech(&mut level, 10, fan(20)), 10, "another, louder noise may be a voice");
        assert_eq!(speech(&mut level, 10, |_| 127), 0);
    }

    #[test]
    fn a_voice_over_a_noise_is_speech_for_as_long_as_it_lasts() {
        let mut level = Level::default();
        speech(&mut level, 2 * NOISE_MEMORY_DECISIONS, fan(45));
        let over_the_fan = |packet| words(packet).min(fan(45)(packet));
        assert_eq!(speech(&mut level, 500, over_the_fan), 500);
        let mut quiet = Level::default();
        assert_eq!(speech(&mut quiet, 500, words), 500, "and without any");
    }

    #[test]
    fn what_the_sender_calls_no_voice_is_none_once_it_has_told_of_one() {
        let mut level = Level::default();
        assert_eq!(speech(&mut level, 5, words), 5, "it may not know how to tell");
        assert_eq!(speech(&mut level, 5, |packet| words(packet) | 0x80), 5);
        assert_eq!(speech(&mut level, 5, words), 0);
        assert_eq!(speech(&mut level, 5, |packet| words(packet) | 0x80), 5);
    }
}
