//! What a seat shows of itself: one mechanism for mute, camera, hand and the step of the device check. Never stored.

use serde::{Deserialize, Serialize};

/// State of a seat that others see at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// Sends no sound, by its own word.
    pub muted: bool,
    /// Sends no picture, by its own word.
    pub camera_off: bool,
    /// Sends no picture for now, since its line carries the voice and not more. It comes back by itself.
    pub camera_resting: bool,
    /// Wants to speak.
    pub hand: bool,
    /// Where a waiting seat stands in its device check.
    pub step: Option<CheckStep>,
}

/// A step of the device check and how it goes, for staff who can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum CheckStep {
    /// At the camera question.
    Camera,
    /// At the microphone question.
    Microphone,
    /// At the sound question.
    Speaker,
    /// Stopped at the camera: blocked, busy or missing.
    StuckCamera,
    /// Stopped at the microphone.
    StuckMicrophone,
    /// Done, ready to be admitted.
    Ready,
}

/// A change of presence; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", optional_fields))]
#[serde(deny_unknown_fields)]
pub struct PresencePatch {
    /// See [`Presence::muted`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    /// See [`Presence::camera_off`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera_off: Option<bool>,
    /// See [`Presence::camera_resting`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera_resting: Option<bool>,
    /// See [`Presence::hand`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand: Option<bool>,
    /// See [`Presence::step`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<CheckStep>,
}

impl Presence {
    /// Takes over what the patch names.
    pub fn merge(&mut self, patch: PresencePatch) {
        let PresencePatch { muted, camera_off, camera_resting, hand, step } = patch;
        self.muted = muted.unwrap_or(self.muted);
        self.camera_off = camera_off.unwrap_or(self.camera_off);
        self.camera_resting = camera_resting.unwrap_or(self.camera_resting);
        self.hand = hand.unwrap_or(self.hand);
        self.step = step.or(self.step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_patch_leaves_out_stays() {
        let before = Presence {
            muted: true,
            camera_off: true,
            camera_resting: true,
            hand: false,
            step: Some(CheckStep::Ready),
        };
        let mut presence = before.clone();

        presence.merge(PresencePatch { hand: Some(true), ..PresencePatch::default() });

        assert_eq!(presence, Presence { hand: true, ..before });
    }
}
