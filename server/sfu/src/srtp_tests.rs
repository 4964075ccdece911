use super::*;

const MATERIAL: [u8; 88] = {
    let mut bytes = [0; 88];
    let mut at = 0;
    while at < 88 {
        bytes[at] = (at * 7 + 3) as u8;
        at += 1;
    }
    bytes
};

fn session(profile: SrtpProfile) -> Session {
    let (key, salt) = key_lengths(profile);
    let material = SecretVec::new(MATERIAL[..2 * (key + salt)].to_vec());
    Session::new(profile, material, &Crypto::new().unwrap()).unwrap()
}

/// What a browser does with the same material: `Way::ToServer` uses the client's keys.
fn reference(profile: SrtpProfile, way: Way) -> Context {
    let (key, salt) = key_lengths(profile);
    let (key_at, salt_at) = match way {
        Way::ToServer => (0, 2 * key),
        Way::FromServer => (key, 2 * key + salt),
    };
    Context::new(
        &MATERIAL[key_at..key_at + key],
        &MATERIAL[salt_at..salt_at + salt],
        protection_profile(profile),
        None,
        None,
        RingProvider::new().crypto(),
    )
    .unwrap()
}

enum Way {
    ToServer,
    FromServer,
}

fn packet(sequence: u16, payload: usize) -> Vec<u8> {
    let mut bytes = vec![0x90, 0xe0];
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&[0, 0, 0x12, 0x34, 0xca, 0xfe, 0xba, 0xbe]);
    bytes.extend_from_slice(&[0xbe, 0xde, 0, 1, 0x11, 1, 2, 0]);
    bytes.extend((0..payload).map(|at| at as u8));
    bytes
}

const SSRC: Ssrc = Ssrc(0xcafe_babe);
const HEADER: usize = 20;

#[test]
fn sealed_packets_equal_those_of_rtc_srtp_byte_for_byte_in_both_gcm_sizes() {
    for profile in [SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm] {
        let mut ours = session(profile);
        let mut theirs = reference(profile, Way::FromServer);
        // Over a rollover, with every payload length that touches a block boundary.
        for step in 0..200_u64 {
            let index = 65_400 + step;
            let plain = packet(low16(index), step as usize * 7);
            let mut cell = plain.clone();
            cell.resize(1_536, 0);
            // rtc-srtp takes its rollover counter from the packets it has seen.
            let expected = theirs.encrypt_rtp(&plain).unwrap();

            let len = ours.seal(&mut cell, plain.len(), HEADER, SSRC, index).unwrap();

            assert_eq!(&cell[..len], &expected[..], "{profile:?} step {step}");
        }
    }
}

#[test]
fn packets_of_rtc_srtp_open_in_place_in_every_profile() {
    for profile in
        [SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm, SrtpProfile::Aes128CmSha1_80]
    {
        let mut ours = session(profile);
        let mut theirs = reference(profile, Way::ToServer);
        for index in 65_500..65_600 {
            let plain = packet(low16(index), 300);
            let mut sealed = theirs.encrypt_rtp(&plain).unwrap().to_vec();

            let len = ours.open(&mut sealed, HEADER, SSRC, index).unwrap();

            assert_eq!(&sealed[..len], &plain[..], "{profile:?} {index}");
        }
    }
}

#[test]
fn a_forged_packet_does_not_open() {
    for profile in
        [SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm, SrtpProfile::Aes128CmSha1_80]
    {
        let mut ours = session(profile);
        let sealed = reference(profile, Way::ToServer).encrypt_rtp(&packet(7, 50)).unwrap();
        for at in [2, 13, 25, sealed.len() - 1] {
            let mut forged = sealed.to_vec();
            forged[at] ^= 1;

            assert!(ours.open(&mut forged, HEADER, SSRC, 7).is_err(), "{profile:?} byte {at}");
        }
        assert!(ours.open(&mut [0x80; 15], 12, SSRC, 7).is_err());
    }
}

#[test]
fn rtcp_passes_both_ways() {
    let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
    for profile in [SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmSha1_80] {
        let mut ours = session(profile);
        let sealed = reference(profile, Way::ToServer).encrypt_rtcp(&report).unwrap();

        assert!(ours.is_authentic_rtcp(&sealed, &Crypto::new().unwrap()));
        assert_eq!(ours.open_rtcp(&sealed).unwrap().as_ref(), report);
        assert!(ours.open_rtcp(&sealed).is_none(), "a replay");

        let out = ours.seal_rtcp(&report).unwrap();
        assert_eq!(&reference(profile, Way::FromServer).decrypt_rtcp(&out).unwrap()[..], report);
    }
}

#[test]
fn an_index_is_fresh_once_and_only_inside_the_window() {
    let mut window = ReplayWindow::default();
    assert!(window.is_fresh(30_000));
    window.commit(30_000);
    assert!(!window.is_fresh(30_000));
    assert!(window.is_fresh(29_999) && window.is_fresh(30_001));
    window.commit(31_023);
    assert!(!window.is_fresh(30_000));
    assert!(window.is_fresh(30_001));
    window.commit(31_024);
    assert!(!window.is_fresh(30_000), "left the window");
    assert!(!window.is_fresh(31_024 - 1_024));
    window.commit(100_000);
    assert!(window.is_fresh(99_500));
    assert!(!window.is_fresh(90_000));
}

#[test]
fn the_rollover_counter_follows_reordering_around_the_wrap() {
    let mut window = ReplayWindow::default();
    for (sequence, index) in [
        (65_534, 65_534),
        (1, 65_537),
        (65_535, 65_535),
        (0, 65_536),
        (2, 65_538),
        (32_768, 98_304),
        (65_535, 131_071),
        (0, 131_072),
    ] {
        assert_eq!(window.estimate(sequence), Some(index));
        window.commit(index);
    }
    let mut fresh = ReplayWindow::default();
    fresh.commit(3);
    assert_eq!(fresh.estimate(65_000), None, "before the beginning");
}
