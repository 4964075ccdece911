//! The impairer does what its profile says.

use std::time::{Duration, Instant};

use simulation::link::{Change, Delivery, Direction, HEADER_BYTES, Link, Mapping, Step};
use simulation::profile::{Jitter, Loss, Passage, Preset, Profile, Queue, Rate, Reorder};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Sends `count` packets of `len` bytes, one each `gap`, and collects what arrives.
fn run(mut link: Link, start: Instant, count: u32, len: usize, gap: Duration) -> Vec<Delivery> {
    let mut arrived = Vec::new();
    for number in 0..count {
        let now = start + gap * number;
        while let Some(at) = link.next().filter(|at| *at <= now) {
            arrived.extend(link.poll(at));
        }
        let mut bytes = vec![0; len];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        link.push(now, bytes);
    }
    while let Some(at) = link.next() {
        arrived.extend(link.poll(at));
    }
    arrived
}

fn number(delivery: &Delivery) -> u32 {
    u32::from_be_bytes(delivery.bytes[..4].try_into().unwrap())
}

#[test]
fn the_same_seed_gives_the_same_bytes_at_the_same_times_and_another_seed_does_not() {
    let start = Instant::now();
    let profile = Profile {
        duplicates: 0.05,
        reorder: Reorder { probability: 0.05, by: ms(30) },
        ..Preset::LteEdge.access().down
    };
    let once = |seed, direction| {
        run(Link::new(seed, direction, profile.clone()), start, 2_000, 500, ms(4))
    };

    assert_eq!(once(7, Direction::Up), once(7, Direction::Up));
    assert_ne!(once(7, Direction::Up), once(8, Direction::Up));
    assert_ne!(once(7, Direction::Up), once(7, Direction::Down));
}

#[test]
fn the_decision_about_a_packet_does_not_depend_on_when_it_is_sent() {
    let start = Instant::now();
    let profile = Profile::delayed(5).losing(Loss::bursts(0.2, 5.0));
    let survivors = |gap| -> Vec<u32> {
        let link = Link::new(3, Direction::Up, profile.clone());
        run(link, start, 3_000, 100, gap).iter().map(number).collect()
    };

    assert_eq!(survivors(ms(1)), survivors(ms(37)));
}

#[test]
fn measured_loss_is_that_of_the_profile_for_random_and_for_burst_loss() {
    let start = Instant::now();
    for loss in [Loss::Random(0.1), Loss::bursts(0.1, 5.0), Loss::Random(0.01)] {
        let link = Link::new(1, Direction::Down, Profile::default().losing(loss));
        let arrived = run(link, start, 60_000, 100, ms(1)).len();
        let lost = 1.0 - arrived as f64 / 60_000.0;
        let relative = lost / loss.share();
        assert!((0.9..1.1).contains(&relative), "{loss:?}: {lost}");
    }
}

#[test]
fn bursts_are_as_long_as_asked_for() {
    let start = Instant::now();
    let link = Link::new(1, Direction::Down, Profile::default().losing(Loss::bursts(0.05, 4.0)));
    let arrived: Vec<_> = run(link, start, 60_000, 100, ms(1)).iter().map(number).collect();
    let gaps: Vec<_> =
        arrived.windows(2).map(|pair| pair[1] - pair[0] - 1).filter(|gap| *gap > 0).collect();
    let mean = f64::from(gaps.iter().sum::<u32>()) / gaps.len() as f64;

    assert!((3.5..4.5).contains(&mean), "{mean}");
}

#[test]
fn a_bottleneck_passes_its_rate_and_delays_by_its_queue() {
    let start = Instant::now();
    let profile = Profile::delayed(10).limited(500_000, 400);
    let link = Link::new(1, Direction::Down, profile);
    // 2 Mb/s into 500 kb/s for 10 s.
    let arrived = run(link, start, 2_000, 1_250 - HEADER_BYTES, ms(5));

    let bits = 8 * 1_250 * arrived.len() as u64;
    let seconds = (arrived.last().unwrap().at - arrived[0].at).as_secs_f64();
    let relative = bits as f64 / seconds / 500_000.0;
    assert!((0.98..1.02).contains(&relative), "{relative}");
    let most = arrived.iter().map(|it| it.at - (start + ms(5) * number(it))).max().unwrap();
    assert!(most > ms(390) && most <= ms(450), "{most:?}");
}

#[test]
fn a_queue_may_be_counted_in_bytes() {
    let start = Instant::now();
    let rate = Rate { bits_per_second: 80_000, queue: Queue::Bytes(1_000) };
    let link = Link::new(1, Direction::Up, Profile { rate: Some(rate), ..Profile::default() });

    // All at once: one on the wire, those that find at most 1 000 bytes before them wait.
    let arrived = run(link, start, 50, 100 - HEADER_BYTES, ms(0));

    assert_eq!(arrived.len(), 11);
}

#[test]
fn jitter_keeps_the_order_and_stays_within_its_bound() {
    let start = Instant::now();
    for jitter in [Jitter::Uniform(ms(40)), Jitter::Normal(ms(20)), Jitter::HeavyTail(ms(20))] {
        let link = Link::new(1, Direction::Down, Profile::delayed(50).jittery(jitter));
        let arrived = run(link, start, 5_000, 100, ms(20));
        assert!(arrived.windows(2).all(|pair| number(&pair[0]) < number(&pair[1])));
        let extra = |it: &Delivery| it.at - (start + ms(20) * number(it)) - ms(50);
        let mean = arrived.iter().map(extra).sum::<Duration>() / 5_000;
        assert!(mean > ms(5) && mean < ms(40), "{jitter:?}: {mean:?}");
        assert!(arrived.iter().all(|it| extra(it) <= ms(200)), "{jitter:?}");
    }
}

#[test]
fn duplicates_and_overtaken_packets_come_as_often_as_asked_for() {
    let start = Instant::now();
    let profile = Profile {
        duplicates: 0.1,
        reorder: Reorder { probability: 0.1, by: ms(25) },
        ..Profile::delayed(5)
    };
    let arrived = run(Link::new(1, Direction::Up, profile), start, 20_000, 100, ms(10));

    assert!((21_500..22_500).contains(&arrived.len()), "{}", arrived.len());
    let overtaken = arrived.windows(2).filter(|pair| number(&pair[0]) > number(&pair[1])).count();
    assert!((1_500..4_500).contains(&overtaken), "{overtaken}");
}

#[test]
fn a_size_limit_swallows_long_datagrams_and_a_black_hole_swallows_all() {
    let start = Instant::now();
    let narrow = Profile { max_bytes: Some(1_200), ..Profile::default() };
    let mut link = Link::new(1, Direction::Up, narrow);
    link.push(start, vec![0; 1_201]);
    link.push(start, vec![0; 1_200]);
    assert_eq!((link.counters().too_long, link.poll(start).unwrap().bytes.len()), (1, 1_200));

    link.change(Profile { passage: Passage::Blocked, ..Profile::default() });
    link.push(start, vec![0; 10]);
    assert_eq!((link.counters().blocked, link.next()), (1, None));
}

#[test]
fn a_script_changes_the_link_and_its_address_over_time() {
    let start = Instant::now();
    let steps = [
        Step { after: ms(1_000), change: Change::Become(Profile::delayed(50)) },
        Step { after: ms(2_000), change: Change::Rebind },
    ];
    let link = Link::new(1, Direction::Up, Profile::delayed(10)).with_script(start, steps);

    let arrived = run(link, start, 30, 100, ms(100));

    let delay = |at: usize| arrived[at].at - (start + ms(100) * at as u32);
    assert_eq!((delay(9), delay(10)), (ms(10), ms(50)));
    assert_eq!((arrived[19].mapping, arrived[20].mapping), (Mapping(0), Mapping(1)));
}

#[test]
fn every_preset_carries_a_call_except_the_network_without_udp() {
    let start = Instant::now();
    for preset in Preset::ALL {
        let link = Link::new(1, Direction::Up, preset.access().up);
        let arrived = run(link, start, 500, 100, ms(20)).len();
        assert_eq!(arrived > 450, preset != Preset::Hospital, "{preset:?}: {arrived}");
    }
}
