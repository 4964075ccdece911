//! No locked crate has a known vulnerability, by a snapshot of the RustSec advisory database that is read in place.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result};

/// One advisory: the first fenced TOML block of its file (`[advisory]` and `[versions]`).
struct Advisory {
    id: String,
    package: String,
    informational: bool,
    safe: Vec<semver::VersionReq>,
}

#[test]
fn no_locked_crate_has_a_known_vulnerability() -> Result<()> {
    let Some(database) = database()? else {
        println!(
            "skipped: no advisory database (set MORTAR_ADVISORY_DB to a checkout of rustsec/advisory-db)"
        );
        return Ok(());
    };
    let advisories = read(&database)?;
    assert!(
        advisories.len() > 500,
        "only {} advisories were read: the checker is broken",
        advisories.len()
    );

    let locked = locked()?;
    let mut vulnerable = Vec::new();
    for (name, version) in &locked {
        for advisory in advisories.iter().filter(|advisory| advisory.package == *name) {
            if !advisory.safe.iter().any(|requirement| requirement.matches(version)) {
                if advisory.informational {
                    println!("note: {name} {version}: {} (informational)", advisory.id);
                } else {
                    vulnerable.push(format!("{name} {version}: {}", advisory.id));
                }
            }
        }
    }

    println!(
        "METRIC supply.vulnerable {} ==0 info crates={} snapshot={}",
        vulnerable.len(),
        locked.len(),
        newest(&database)
    );
    assert!(vulnerable.is_empty(), "known vulnerabilities: {vulnerable:#?}");
    Ok(())
}

fn database() -> Result<Option<PathBuf>> {
    if let Some(folder) = env::var_os("MORTAR_ADVISORY_DB") {
        return Ok(Some(folder.into()));
    }
    let archive = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/fixtures/rustsec-advisory-db.tar.gz");
    if !archive.exists() {
        return Ok(None);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("advisories");
    fs::create_dir_all(&folder)?;
    let status = Command::new("tar")
        .arg("-xzf")
        .arg(&archive)
        .arg("-C")
        .arg(&folder)
        .status()
        .context("running tar")?;
    assert!(status.success(), "tar could not unpack the advisory database");
    Ok(Some(folder.join("advisory-db")))
}

fn read(database: &Path) -> Result<Vec<Advisory>> {
    let mut found = Vec::new();
    for package in fs::read_dir(database.join("crates"))? {
        for file in fs::read_dir(package?.path())? {
            let text = fs::read_to_string(file?.path())?;
            if let Some(advisory) = parse(&text) {
                found.push(advisory);
            }
        }
    }
    Ok(found)
}

fn parse(text: &str) -> Option<Advisory> {
    let block = text.split("```toml").nth(1)?.split("```").next()?;
    let toml: toml::Table = block.parse().ok()?;
    let advisory = toml.get("advisory")?;
    if advisory.get("withdrawn").is_some() {
        return None;
    }
    let versions = toml.get("versions");
    let requirements = |key: &str| -> Vec<semver::VersionReq> {
        let listed =
            versions.and_then(|versions| versions.get(key)).and_then(toml::Value::as_array);
        listed.into_iter().flatten().filter_map(|text| text.as_str()?.parse().ok()).collect()
    };
    Some(Advisory {
        id: advisory.get("id")?.as_str()?.to_owned(),
        package: advisory.get("package")?.as_str()?.to_owned(),
        informational: advisory.get("informational").is_some(),
        safe: [requirements("patched"), requirements("unaffected")].concat(),
    })
}

/// Name and version of every package in `Cargo.lock`.
fn locked() -> Result<Vec<(String, semver::Version)>> {
    let lock: toml::Table =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock"))?.parse()?;
    let packages = lock
        .get("package")
        .and_then(toml::Value::as_array)
        .context("Cargo.lock lists no package")?;
    packages
        .iter()
        .map(|package| {
            let text = |key: &str| {
                package.get(key).and_then(toml::Value::as_str).context("a package without a name")
            };
            Ok((text("name")?.to_owned(), text("version")?.parse()?))
        })
        .collect()
}

/// Date of the youngest advisory: how old the snapshot is.
fn newest(database: &Path) -> String {
    let mut newest = String::new();
    for package in fs::read_dir(database.join("crates")).into_iter().flatten().flatten() {
        for file in fs::read_dir(package.path()).into_iter().flatten().flatten() {
            let text = fs::read_to_string(file.path()).unwrap_or_default();
            if let Some(date) = text.lines().find_map(|line| line.strip_prefix("date = \"")) {
                newest = newest.max(date.trim_end_matches('"').to_owned());
            }
        }
    }
    newest
}
