//! Who speaks, from the levels that browsers write into their packets (RFC 6464); nothing is decoded.

use std::time::Instant;

use crate::limits::{SPEAKER_HOLD, SPEAKER_MARGIN_DB, SPEECH_LEVEL};

/// Levels of one microphone since the last decision.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Level {
    /// Of 127 - level: larger is louder.
    sum: u32,
    packets: u32,
}

impl Level {
    /// `level` in -dBov, 0 the loudest, 127 silence.
    pub(crate) fn note(&mut self, level: u8) {
        self.sum = self.sum.saturating_add(u32::from(127 - (level & 0x7f)));
        self.packets = self.packets.saturating_add(1);
    }

    /// The mean since the last call.
    pub(crate) fn take(&mut self) -> u32 {
        let mean = self.sum.checked_div(self.packets).unwrap_or(0);
        *self = Self::default();
        mean
    }
}

/// Whether a mean loudness is that of speech.
pub(crate) fn is_speech(level: u32) -> bool {
    level >= 127 - u32::from(SPEECH_LEVEL)
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

    /// Decides from everybody's mean loudness; the new speaker if it changed.
    pub(crate) fn decide(
        &mut self,
        levels: impl Iterator<Item = (K, u32)>,
        now: Instant,
    ) -> Option<Option<K>> {
        let mut loudest: Option<(K, u32)> = None;
        let mut current_level = 0;
        for (who, level) in levels {
            if Some(who) == self.current {
                current_level = level;
            }
            if is_speech(level) && loudest.is_none_or(|(_, most)| level > most) {
                loudest = Some((who, level));
            }
        }
        if is_speech(current_level) {
            self.heard_at = Some(now);
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
        let mut decide = |step: u32, levels: [u32; 2]| {
            let levels = ["pharmacist", "patient"].into_iter().zip(levels);
            speaker.decide(levels, start + SPEAKER_INTERVAL * step)
        };

        assert_eq!(decide(0, [20, 30]), None, "both silent");
        assert_eq!(decide(1, [90, 30]), Some(Some("pharmacist")));
        assert_eq!(decide(2, [90, 95]), None, "5 dB are not enough");
        assert_eq!(decide(3, [85, 95]), Some(Some("patient")));
        assert_eq!(decide(4, [10, 10]), None, "a breath");
        assert_eq!(decide(8, [10, 10]), Some(None));
    }
}
