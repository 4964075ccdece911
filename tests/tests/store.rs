//! The store with real charts: read in place, never copied.

use std::path::{Path, PathBuf};

use mortar::patient;
use mortar::record::writer::Writer;
use mortar::store::{Hold, Store};
use mortar::vault::Vault;
use uuid::Uuid;

/// `MORTAR_FIXTURES`, or the folder `shared/fixtures` beside one of the folders above.
fn fixtures() -> Option<PathBuf> {
    let named = std::env::var_os("MORTAR_FIXTURES").map(PathBuf::from);
    named.or_else(|| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .map(|above| above.join("shared/fixtures"))
            .find(|folder| folder.is_dir())
    })
}

#[tokio::test]
async fn every_real_chart_imports_and_none_of_it_stands_readable_in_the_files() {
    let Some(fixtures) = fixtures() else {
        println!("SKIPPED: no folder shared/fixtures; name one in MORTAR_FIXTURES");
        return;
    };
    let folder = std::env::temp_dir().join(format!("mortar-store-{}", Uuid::now_v7()));
    let store = Store::open(&folder, Hold::Server).await.unwrap();
    let vault = Vault::open(&folder.join("mortar.key"), &store).await.unwrap();
    let writer = Writer::start(store.clone(), "test").await.unwrap();

    let mut names = Vec::new();
    for file in std::fs::read_dir(fixtures.join("fhir")).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let bytes = std::fs::read(&file).unwrap();
        match patient::import(&store, &vault, &writer, &bytes, None).await {
            Ok(report) => {
                let (_, facts) =
                    patient::of_record(&store, &vault, report.record).await.unwrap().unwrap();
                names.push(facts.name.into_exposed());
                let rows: usize = report.rows.values().sum();
                println!("{}: {rows} rows, {} remarks", file.display(), report.issues.len());
                assert!(rows > 0);
            }
            Err(error) => panic!("{}: {error}", file.display()),
        }
    }
    assert!(!names.is_empty());

    let mut all = Vec::new();
    for file in std::fs::read_dir(&folder).unwrap() {
        all.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    for name in names {
        let found = all.windows(name.len()).any(|window| window == name.as_bytes());
        assert!(!found, "a patient's name stands readable in the data folder");
    }
    store.close().await;
    std::fs::remove_dir_all(&folder).unwrap();
}
