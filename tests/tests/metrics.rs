//! What an operator's collector reads, and that it says nothing of anybody.

use clinical::actor::Role;
use clinical::field::DocKind;
use mortar::config::Config;
use tests::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn counters_are_open_metrics_and_name_nobody() {
    let world = World::start().await;
    let record = world.record().await;
    let mut pharmacist = world.join(Role::Pharmacist).await;
    pharmacist.open(record, DocKind::Plan).await;

    let read = world.read_counters("/metrics").await;
    assert_eq!(read.status, 200);
    assert!(read.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    // Chunks of the transfer are not looked at: lines are what counts.
    let lines: Vec<&str> = read.body.lines().collect();
    assert!(lines.contains(&"# EOF"), "it is whole");
    for line in ["mortar_calls 1", "mortar_records 1", "mortar_storage_ok 1"] {
        assert!(lines.contains(&line), "{line} is missing:\n{}", read.body);
    }
    assert!(lines.contains(&"mortar_worker_panics_total{worker=\"0\"} 0"), "{}", read.body);
    assert!(lines.iter().any(|line| line.starts_with("mortar_relay_stun_checks_total{")));

    let samples = lines.iter().filter(|line| line.starts_with("mortar_"));
    for sample in samples {
        let (name, value) = sample.rsplit_once(' ').expect("a value");
        assert!(value.parse::<u64>().is_ok(), "{sample}");
        if let Some((_, labels)) = name.split_once('{') {
            let worker = labels.strip_prefix("worker=\"").and_then(|it| it.strip_suffix("\"}"));
            assert!(worker.is_some_and(|it| it.parse::<u16>().is_ok()), "{sample}");
        }
    }
    for secret in world.secrets(Role::Pharmacist).iter().chain([&world.birth_date()]) {
        assert!(!read.body.contains(secret.as_str()));
    }
    assert_eq!(world.read_counters("/").await.status, 404);
    assert_eq!(world.read_counters_as("localhost:9464", "/metrics").await.status, 200);
    let rebound = world.read_counters_as("rebound.example:9464", "/metrics").await;
    assert_eq!((rebound.status, rebound.body.as_str()), (421, ""), "not for pages of others");
    assert_eq!(
        world.get("/metrics", "").await.status,
        404,
        "nothing of it on the door that patients use"
    );
    world.stop().await;
}

#[tokio::test]
async fn counters_are_not_published_to_other_machines() {
    let metrics = Some("0.0.0.0:0".parse().unwrap());
    let data = std::env::temp_dir().join(format!("mortar-metrics-{}", uuid::Uuid::now_v7()));
    let listen = "127.0.0.1:0".parse().unwrap();
    let refused =
        mortar::serve(Config { data: data.clone(), listen, metrics, ..Config::default() });
    let refused = refused.await.unwrap_err().to_string();
    assert!(
        refused.contains("--metrics 0.0.0.0:0 is not an address of this machine alone"),
        "{refused}"
    );
    assert!(!data.exists(), "nothing was touched");
}
