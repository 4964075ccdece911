//! A relay, one or two cameras, and viewers whose tiles change: everything about it comes from its seed.

use std::time::{Duration, Instant};

use sfu::command::{Command, Wish};
use sfu::event::{Event, PauseReason};
use sfu::plan::{
    CallKey, Codec, ExtensionIds, Fingerprint, Format, Formats, Mid, PeerKey, Plan, PublishLine,
    Receives, Rid, SlotLine, Source, SrtpAttempt, Ssrc, TrackKey,
};
use sfu::ready_keys::FarEnd;
use sfu::{Config, Egress, Flow, Identity, NtpTime, Sfu};

use super::encoder::{
    DEPENDENCY, Encoder, INTERVAL, Prediction, REPAIRED_RID, RID, payload_type, repair_type,
};
use super::judge::{self, Broken, Law, Seen, Tape};
use crate::browser::{Browser, Seat};
use crate::link::{Delivery, Mapping};
use crate::packet::{MID, Rtp, TRANSPORT_CC, compound, extend};
use crate::profile::{Access, Loss, Profile};
use crate::random::Dice;

/// How long a call lasts.
const LENGTH: Duration = Duration::from_secs(24);

/// Steps of virtual time.
const STEP: Duration = Duration::from_millis(3);

/// A size that nobody wants is called off within this, also where the keyframes are lost with which the last viewer leaves it.
const CALLED_OFF: Duration = Duration::from_secs(2);

/// Numbers at the end of a tape whose repairs may still be on their way.
const TAIL: u64 = 400;

/// What a call is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Of the first camera, and of a second one that takes turns with it in the viewers' one slot.
    pub formats: (Format, Option<Format>),
    /// How larger sizes depend on smaller ones, where one stream carries all.
    pub prediction: Prediction,
    /// Whether packets are lost and overtake each other on their way to the relay.
    pub is_lossy: bool,
    /// What viewers can show.
    pub takes: &'static [Format],
}

/// Spoils what the relay sends to a viewer, in plaintext and in order, to see that the judge finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A number is left out.
    Gap,
    /// The marker is taken off the end of a picture.
    LostMarker,
    /// A packet in the middle is left out, and the numbers close over it.
    TornFrame,
    /// Of a picture the first frame is left out, and the numbers close over it.
    LostFrame,
    /// A picture id steps back.
    PictureIdBack,
    /// A frame number of a dependency descriptor steps back.
    FrameNumberBack,
    /// A timestamp steps back.
    TimestampBack,
    /// A packet goes out in a format that was not negotiated.
    WrongFormat,
}

impl Fault {
    /// All.
    pub const ALL: [Self; 8] = [
        Self::Gap,
        Self::LostMarker,
        Self::TornFrame,
        Self::LostFrame,
        Self::PictureIdBack,
        Self::FrameNumberBack,
        Self::TimestampBack,
        Self::WrongFormat,
    ];

    /// What it breaks, whichever is met first.
    pub fn breaks(self) -> &'static [Law] {
        match self {
            Self::Gap => &[Law::Numbers],
            Self::LostMarker => &[Law::Marker],
            Self::TornFrame => &[Law::Whole, Law::Marker],
            Self::LostFrame => &[Law::Decodable, Law::Marker],
            Self::PictureIdBack | Self::FrameNumberBack => &[Law::Ids],
            Self::TimestampBack => &[Law::Timestamps],
            Self::WrongFormat => &[Law::Format],
        }
    }
}

/// What a call showed, over all viewers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown {
    /// On their tapes.
    pub seen: Seen,
    /// Times that a publisher was told which sizes to send.
    pub demands: u64,
    /// Viewers who were told that they cannot show a format.
    pub unplayable: u64,
}

impl Shown {
    /// Of two calls.
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            seen: self.seen.plus(&other.seen),
            demands: self.demands + other.demands,
            unplayable: self.unplayable + other.unplayable,
        }
    }
}

struct Publisher {
    browser: Browser,
    far: FarEnd,
    encoder: Encoder,
    /// Since when each size is sent for nobody.
    needless: [Option<Instant>; 3],
}

struct Viewer {
    browser: Browser,
    far: FarEnd,
    tile: u16,
    tape: Tape,
    newest: Option<u64>,
    can_show: bool,
}

struct Call {
    setting: Setting,
    sfu: Sfu,
    now: Instant,
    dice: Dice,
    egress: Egress,
    publishers: Vec<Publisher>,
    viewers: Vec<Viewer>,
    shown: Shown,
    on_screen: usize,
}

/// The process's start, for all calls: an instant can only come from the clock.
fn epoch() -> (Instant, Identity) {
    static EPOCH: std::sync::OnceLock<(Instant, Identity)> = std::sync::OnceLock::new();
    EPOCH.get_or_init(|| (Instant::now(), Identity::generate().unwrap())).clone()
}

/// Runs a seed.
pub fn run(seed: u64, setting: Setting, fault: Option<Fault>) -> Result<Shown, Broken> {
    let mut call = Call::new(seed, setting);
    call.pass(LENGTH)?;
    let loss = if setting.is_lossy { judge::Loss::Repaired } else { judge::Loss::None };
    for viewer in &mut call.viewers {
        if let Some(fault) = fault {
            spoil(fault, &mut viewer.tape);
        }
        let seen = viewer.tape.judge(setting.takes, loss, TAIL)?;
        call.shown.seen = call.shown.seen.plus(&seen);
    }
    Ok(call.shown)
}

impl Call {
    fn new(seed: u64, setting: Setting) -> Self {
        let (now, identity) = epoch();
        let mut dice = Dice::new(seed ^ 0x1a7e);
        let wall = NtpTime::from_unix(Duration::from_secs(1_800_000_000));
        let sfu = Sfu::new(Config { identity, seed }, now, wall).unwrap();
        let up = if setting.is_lossy {
            let mut line = Profile::delayed(15).losing(Loss::Random(0.03));
            line.reorder.probability = 0.02;
            line.reorder.by = Duration::from_millis(9);
            line
        } else {
            Profile::delayed(15)
        };
        let mut call = Self {
            setting,
            sfu,
            now,
            egress: Egress::new(),
            publishers: Vec::new(),
            viewers: Vec::new(),
            shown: Shown::default(),
            on_screen: 0,
            dice: Dice::new(seed),
        };
        let formats = [Some(setting.formats.0), setting.formats.1];
        for (number, format) in (0..).zip(formats.into_iter().flatten()) {
            let mut browser = browser(number, seed, up.clone(), now);
            let encoder = Encoder::new(number as u8, format, setting.prediction, &mut dice);
            browser.plan = publishes(format);
            let far = call.join(&mut browser);
            call.publishers.push(Publisher { browser, far, encoder, needless: [None; 3] });
        }
        for number in 2..5 {
            let mut browser = browser(number, seed, Profile::delayed(1), now);
            browser.plan = shows(number, setting.takes, &mut dice);
            let far = call.join(&mut browser);
            let (tape, newest) = (Tape::default(), None);
            call.viewers.push(Viewer { browser, far, tile: 180, tape, newest, can_show: true });
        }
        call.put_on_screen(0);
        call
    }

    fn join(&mut self, browser: &mut Browser) -> FarEnd {
        self.sfu.handle_command(
            self.now,
            Command::Join {
                call: CallKey(1),
                peer: browser.key,
                ice: browser.ice.clone(),
                theirs: browser.theirs.clone(),
                fingerprint: Fingerprint([0; 32]),
                srtp: SrtpAttempt::First,
                plan: browser.plan.clone(),
            },
        );
        check(&mut self.sfu, browser, self.now);
        self.sfu.connect_with_keys(browser.key, &browser.material, self.now).unwrap();
        FarEnd::new(&browser.material).unwrap()
    }

    /// Lets everybody see this camera and no other.
    fn put_on_screen(&mut self, which: usize) {
        self.on_screen = which;
        for at in 0..self.publishers.len() {
            let key = self.publishers[at].browser.key;
            let track = TrackKey { peer: key, source: Source::Cam };
            let peers = self.viewers.iter().map(|it| it.browser.key).filter(|_| at == which);
            let peers = peers.collect();
            self.sfu.handle_command(self.now, Command::Audience { track, peers });
        }
    }

    fn pass(&mut self, length: Duration) -> Result<(), Broken> {
        let end = self.now + length;
        let (mut next_picture, mut next_check) = (self.now, self.now);
        while self.now < end {
            self.now += STEP;
            // Whatever is due within a step is done at its end, so that nothing happens between.
            if self.now >= next_check {
                next_check += Duration::from_millis(2_500);
                let each = self.publishers.iter_mut().map(|it| &mut it.browser);
                for browser in each.chain(self.viewers.iter_mut().map(|it| &mut it.browser)) {
                    check(&mut self.sfu, browser, self.now);
                }
            }
            if self.now >= next_picture {
                next_picture += INTERVAL;
                for publisher in &mut self.publishers {
                    for plain in publisher.encoder.picture(&mut self.dice) {
                        send(publisher, plain, self.now);
                    }
                }
            }
            for at in 0..self.publishers.len() {
                let path = self.publishers[at].browser.path(Mapping(0));
                while let Some(Delivery { mut bytes, .. }) =
                    self.publishers[at].browser.up.poll(self.now)
                {
                    self.sfu.handle_datagram(self.now, path, &mut bytes);
                }
            }
            self.settle();
            if self.sfu.poll_timeout().is_some_and(|at| at <= self.now) {
                self.sfu.handle_timeout(self.now);
                self.settle();
            }
            if self.dice.one_in(150) {
                self.happen();
                self.settle();
            }
            self.check_demand()?;
        }
        Ok(())
    }

    /// A tile changes, or another camera comes on the screen.
    fn happen(&mut self) {
        if self.publishers.len() > 1 && self.dice.one_in(5) {
            return self.put_on_screen(1 - self.on_screen);
        }
        let at = self.dice.below(self.viewers.len() as u64) as usize;
        let tile = self.dice.pick(&[0, 90, 180, 300, 360, 540, 720]);
        let viewer = &mut self.viewers[at];
        viewer.tile = tile;
        let wish = Wish { mid: viewer.browser.plan.slots[0].mid, max_height: tile, priority: 0 };
        let peer = viewer.browser.key;
        self.sfu.handle_command(self.now, Command::Want { peer, slots: vec![wish] });
    }

    /// The largest size that somebody's tile asks for.
    fn largest(&self, publisher: usize) -> Option<usize> {
        let format = self.publishers[publisher].encoder.format;
        let can_see = self.setting.takes.contains(&format) && self.on_screen == publisher;
        let tiles = self.viewers.iter().map(|it| it.tile).filter(|tile| can_see && *tile > 0);
        tiles.map(|tile| [202, 405].iter().position(|most| tile <= *most).unwrap_or(2)).max()
    }

    fn check_demand(&mut self) -> Result<(), Broken> {
        for at in 0..self.publishers.len() {
            let largest = self.largest(at);
            let publisher = &mut self.publishers[at];
            for (size, is_sent) in publisher.encoder.sizes().into_iter().enumerate() {
                let is_needless = is_sent && largest.is_none_or(|largest| size > largest);
                let since = &mut publisher.needless[size];
                if !is_needless {
                    *since = None;
                } else if self.now - *since.get_or_insert(self.now) > CALLED_OFF {
                    let what = format!("size {size} of {at} is sent for nobody");
                    return Err(Broken { law: Law::Demand, what });
                }
            }
        }
        Ok(())
    }

    fn settle(&mut self) {
        loop {
            let flow = self.sfu.poll_transmit(self.now, &mut self.egress);
            let sent: Vec<_> =
                self.egress.datagrams().map(|(path, bytes)| (path, bytes.to_vec())).collect();
            self.egress.clear();
            for (path, bytes) in sent {
                let (number, _) = Browser::of_path(path);
                self.deliver(number, bytes);
            }
            if flow == Flow::Done {
                break;
            }
        }
        while let Some(event) = self.sfu.poll_event() {
            match event {
                Event::LayerDemand { track, rids } => {
                    self.shown.demands += 1;
                    if let Some(publisher) = self.publishers.get_mut(track.peer.0 as usize) {
                        publisher.encoder.watch(&rids);
                    }
                }
                Event::VideoPaused { peer, reason: PauseReason::Format, .. } => {
                    self.shown.unplayable += 1;
                    self.viewer(peer).can_show = false;
                }
                Event::VideoResumed { peer, .. } => self.viewer(peer).can_show = true,
                _ => {}
            }
        }
    }

    fn viewer(&mut self, peer: PeerKey) -> &mut Viewer {
        &mut self.viewers[peer.0 as usize - 2]
    }

    fn deliver(&mut self, number: usize, mut bytes: Vec<u8>) {
        if bytes[0] < 128 {
            return;
        }
        let now = self.now;
        if let Some(publisher) = self.publishers.get_mut(number).filter(|_| number < 2) {
            let Some(report) = publisher.far.open_rtcp(&bytes) else { return };
            let mut repairs = Vec::new();
            for packet in compound(&report) {
                if let Some(media) = packet.picture_loss() {
                    publisher.encoder.keyframe_asked(media, now);
                }
                if let Some((media, lost)) = packet.nack() {
                    repairs.extend(publisher.encoder.again(media, &lost));
                }
            }
            repairs.into_iter().for_each(|plain| send(publisher, plain, now));
            return;
        }
        let viewer = &mut self.viewers[number - 2];
        if (192..224).contains(&bytes[1]) {
            return;
        }
        let packet = Rtp(&bytes);
        let (ssrc, header_len) = (packet.ssrc(), packet.header_len());
        assert_eq!(ssrc, viewer.browser.plan.slots[0].ssrc, "nobody asks for anything again");
        let index = extend(viewer.newest, packet.sequence());
        let len = viewer.far.open(&mut bytes, header_len, ssrc, index).expect("under its keys");
        bytes.truncate(len);
        viewer.newest = Some(viewer.newest.map_or(index, |newest| newest.max(index)));
        viewer.tape.take(&bytes);
    }
}

fn check(sfu: &mut Sfu, browser: &mut Browser, now: Instant) {
    let mut request = browser.binding_request();
    sfu.handle_datagram(now, browser.path(Mapping(0)), &mut request);
}

fn send(publisher: &mut Publisher, plain: crate::sender::Plain, now: Instant) {
    let crate::sender::Plain { mut bytes, header_len, ssrc, index } = plain;
    assert!(publisher.far.seal(&mut bytes, header_len, ssrc, index));
    publisher.browser.up.push(now, bytes);
}

fn browser(number: u32, seed: u64, up: Profile, now: Instant) -> Browser {
    let access = Access { up, down: Profile::delayed(1) };
    let seat = Seat { call: CallKey(1), sources: Vec::new(), slots: (0, 1), access };
    Browser::new(number, seat, seed, now)
}

fn extensions(format: Option<Format>) -> ExtensionIds {
    let named = format.is_some_and(|format| !format.is_scalable());
    ExtensionIds {
        mid: Some(MID),
        transport_cc: Some(TRANSPORT_CC),
        rid: named.then_some(RID),
        repaired_rid: named.then_some(REPAIRED_RID),
        dependency: (format != Some(Format::Vp9)).then_some(DEPENDENCY),
        ..ExtensionIds::default()
    }
}

fn publishes(format: Format) -> Plan {
    let (pt, rtx) = (payload_type(format), Some(repair_type(format)));
    let line = PublishLine {
        mid: Mid::new("cam").unwrap(),
        source: Source::Cam,
        codec: Codec::Picture { format, pt, rtx },
        extensions: extensions(Some(format)),
        rids: if format.is_scalable() { Vec::new() } else { Rid::ALL.to_vec() },
        ssrcs: Vec::new(),
        rtx_of: Vec::new(),
    };
    Plan { publish: vec![line], slots: Vec::new() }
}

fn shows(number: u32, takes: &[Format], dice: &mut Dice) -> Plan {
    let formats = takes.iter().fold(Formats::default(), |formats, format| {
        formats.with(*format, payload_type(*format), Some(repair_type(*format)))
    });
    let slot = SlotLine {
        mid: Mid::new("v0").unwrap(),
        receives: Receives::Pictures(formats),
        // Where nobody reports arrivals, nothing limits what is sent.
        extensions: ExtensionIds { transport_cc: None, ..extensions(None) },
        ssrc: Ssrc(0x60 << 24 | number),
        rtx: Some(Ssrc(0x61 << 24 | number)),
        first_sequence: dice.below(0x8000) as u16,
        first_timestamp: dice.roll() as u32,
    };
    Plan { publish: Vec::new(), slots: vec![slot] }
}

/// Carries out a fault on what a viewer was sent.
fn spoil(fault: Fault, tape: &mut Tape) {
    let middle = tape.packets.len() / 2;
    let keys: Vec<u64> = tape.packets.keys().copied().collect();
    let pt = |bytes: &[u8]| Rtp(bytes).pt();
    let of = |format: Format| payload_type(format);
    let spoilt = keys.iter().skip(middle).find(|key| {
        let bytes = &tape.packets[key];
        let mark = super::encoder::Mark::read(Rtp(bytes).payload());
        let Some(mark) = mark.filter(|_| bytes[0] & 0x20 == 0) else { return false };
        match fault {
            Fault::Gap | Fault::TimestampBack | Fault::WrongFormat => true,
            Fault::LostMarker => Rtp(bytes).marker(),
            Fault::TornFrame => mark.parts > 2 && mark.part == 1,
            Fault::LostFrame => mark.parts == 1 && mark.frame.temporal == 0,
            Fault::PictureIdBack => {
                mark.part == 0 && [of(Format::Vp8), of(Format::Vp9)].contains(&pt(bytes))
            }
            Fault::FrameNumberBack => pt(bytes) == of(Format::Av1),
        }
    });
    let Some(&at) = spoilt else { return };
    match fault {
        Fault::Gap => {
            tape.packets.remove(&at);
        }
        Fault::TornFrame | Fault::LostFrame => {
            let after = tape.packets.split_off(&at);
            tape.packets.extend(after.into_iter().skip(1).map(|(key, bytes)| (key - 1, bytes)));
        }
        Fault::LostMarker => tape.packets.get_mut(&at).unwrap()[1] &= 0x7f,
        Fault::TimestampBack => {
            let bytes = tape.packets.get_mut(&at).unwrap();
            let back = Rtp(bytes).timestamp().wrapping_sub(90_000);
            bytes[4..8].copy_from_slice(&back.to_be_bytes());
        }
        Fault::WrongFormat => {
            let bytes = tape.packets.get_mut(&at).unwrap();
            bytes[1] = bytes[1] & 0x80 | 120;
        }
        Fault::PictureIdBack => {
            let bytes = tape.packets.get_mut(&at).unwrap();
            let at = Rtp(bytes).header_len() + if pt(bytes) == of(Format::Vp8) { 2 } else { 1 };
            let id = u16::from_be_bytes([bytes[at], bytes[at + 1]]).wrapping_sub(300) | 0x8000;
            bytes[at..at + 2].copy_from_slice(&id.to_be_bytes());
        }
        Fault::FrameNumberBack => {
            let bytes = tape.packets.get_mut(&at).unwrap();
            let header_len = Rtp(bytes).header_len();
            let value = super::encoder::extension(&bytes[..header_len], DEPENDENCY).unwrap();
            let at = value.as_ptr() as usize - bytes.as_ptr() as usize + 2;
            bytes[at] = bytes[at].wrapping_sub(7);
        }
    }
}
