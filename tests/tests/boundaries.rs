//! The rules of the layout, each with its reason. A failure says which rule and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Names of the crates that `package` reaches, or depends on directly (`depth` 1).
fn dependencies(package: &str, depth: Option<u8>) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root());
    cargo.args([
        "tree",
        "--locked",
        "--offline",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    cargo.args(["--package", package]);
    if let Some(depth) = depth {
        cargo.args(["--depth", &depth.to_string()]);
    }
    let tree = cargo.output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let names = String::from_utf8(tree.stdout).unwrap();
    names
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != package)
        .map(str::to_owned)
        .collect()
}

/// Every Rust source of the product and its tests, by path from the root.
fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for folder in ["server", "signaling", "tests"] {
        walk(&root().join(folder), &mut |path| {
            if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        });
    }
    found
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "node_modules", "dist"].contains(&name.as_str()) {
            walk(&path, visit);
        } else if path.is_file() {
            visit(&path);
        }
    }
}

/// The part of a source that ships: what stands before its test module.
fn shipped(source: &str) -> &str {
    source.split("#[cfg(test)]\nmod tests").next().unwrap_or(source)
}

#[test]
fn the_cores_are_free_of_io() {
    let io = [
        "axum",
        "hyper",
        "mio",
        "quinn-udp",
        "redis",
        "reqwest",
        "rusqlite",
        "socket2",
        "sqlx",
        "tokio",
        "tungstenite",
    ];
    for core in ["clinical", "sfu", "signaling"] {
        let reached: Vec<_> = dependencies(core, None)
            .into_iter()
            .filter(|name| io.contains(&name.as_str()))
            .collect();
        assert!(reached.is_empty(), "`{core}` must stay free of IO but depends on {reached:?}");
    }
}

#[test]
fn imports_point_inwards() {
    let ours = ["clinical", "mortar", "sfu", "signaling", "tests"];
    for (package, allowed) in
        [("clinical", vec![]), ("sfu", vec![]), ("signaling", vec!["clinical"])]
    {
        let found: Vec<_> = dependencies(package, Some(1))
            .into_iter()
            .filter(|name| ours.contains(&name.as_str()))
            .collect();
        assert_eq!(found, allowed, "`{package}` may import exactly {allowed:?} of ours");
    }
}

#[test]
fn one_crypto_provider_is_built() {
    let reached = dependencies("mortar", None);
    for forbidden in ["aws-lc-rs", "aws-lc-sys", "openssl", "native-tls"] {
        assert!(
            !reached.contains(forbidden),
            "`mortar` depends on {forbidden}: ring is the one crypto provider"
        );
    }
}

#[test]
fn the_product_has_no_way_around_the_handshake() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root());
    cargo.args(["tree", "--locked", "--offline", "--edges", "normal,features", "--invert", "sfu"]);
    cargo.args(["--package", "mortar"]);
    let tree = cargo.output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let features = String::from_utf8(tree.stdout).unwrap();
    assert!(
        features.contains("sfu")
            && !features.contains("feature \"simulation\"")
            && !features.contains("feature \"fuzzing\""),
        "`sfu` with feature `simulation` takes keys from its caller, and `fuzzing` brings that: only tests may"
    );
}

/// A crate that moves fast, or that only one place should know, and the files that may name it.
const NAMED_IN: &[(&str, &[&str])] = &[
    (
        "sqlx::",
        &[
            "server/src/store.rs",
            "server/src/*/store.rs",
            "server/src/record/store/*",
            "server/src/record/version.rs",
            "server/src/record/walk.rs",
            "server/src/record/writer.rs",
            "server/src/store/*",
        ],
    ),
    ("cbor4ii::", &["server/src/passkey/webauthn.rs"]),
    ("use ring::", &["server/src/passkey/webauthn.rs"]),
    ("yrs::", &["server/clinical/src/text.rs", "server/clinical/src/text/*"]),
    ("rtc_sdp::", &["server/src/media/sdp.rs", "server/src/media/sdp/*"]),
    ("rtc_dtls::", &["server/sfu/src/dtls.rs"]),
    ("rtc_srtp::", &["server/sfu/src/dtls.rs", "server/sfu/src/srtp.rs", "server/sfu/src/srtp/*"]),
    ("rtc_rtcp::", &["server/sfu/src/rtcp.rs", "server/sfu/src/feedback.rs"]),
    ("lettre::", &["server/src/outbox/post.rs"]),
    ("quinn_udp::", &["server/src/media/receive.rs", "server/src/media/send.rs"]),
];

#[test]
fn a_crate_is_named_in_one_place() {
    for (path, source) in sources() {
        if path.starts_with("tests/") || path.contains("/tests/") || path.contains("/benches/") {
            continue;
        }
        for (name, allowed) in NAMED_IN {
            let permitted = allowed.iter().any(|pattern| matches(pattern, &path));
            assert!(
                permitted || !shipped(&source).contains(name),
                "{path} names `{name}`, which only {allowed:?} may: the rest should not have to know it"
            );
        }
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        Some((head, tail)) => path.starts_with(head) && path.ends_with(tail),
        None => pattern == path,
    }
}

#[test]
fn one_module_holds_the_unsafe_code() {
    let mut found: Vec<_> = sources()
        .into_iter()
        .filter(|(path, source)| {
            !path.starts_with("tests/") && shipped(source).contains("unsafe_code")
        })
        .map(|(path, _)| path)
        .collect();
    // A crate's own tests may count allocations, which takes an allocator.
    found.retain(|path| !path.contains("/tests/"));
    assert!(
        found.iter().all(|path| path == "server/src/media/send.rs"),
        "{found:?}: unsafe code stands in server/src/media/send.rs and nowhere else"
    );
}

#[test]
fn patient_data_is_exposed_only_where_it_is_stored_projected_or_shown() {
    let allowed = [
        "server/clinical/src/",
        // The names of staff in the operator's report; the token of a prescriber's link.
        "server/src/acceptance.rs",
        "server/src/decision.rs",
        // Its answers are authorised replies; the rest is sealed under the patient's key.
        "server/src/agreement",
        "server/src/record/",
        "server/src/record.rs",
        // Names of staff, the token of a link, and what was signed, to be checked against its confirmation.
        "server/src/passkey",
        "server/src/patient",
        "server/src/person",
        // The secret of a link in a mail, and what a mail says, on their way to whom they are for.
        "server/src/outbox",
        "server/src/notice.rs",
        "server/src/vault.rs",
        "server/src/visit",
        "server/src/link",
        "server/src/http",
        "server/src/call/actor.rs",
        "server/src/call/",
        "server/src/media.rs",
        "server/src/media/sdp",
        "server/src/demo.rs",
        "server/src/cli",
        "server/src/socket.rs",
        "signaling/src/call",
        "signaling/src/role.rs",
        "signaling/src/record",
    ];
    for (path, source) in sources() {
        let test = path.starts_with("tests/") || path.contains("/tests/");
        let exposes =
            shipped(&source).contains(".expose()") || shipped(&source).contains(".into_exposed()");
        assert!(
            test || !exposes || allowed.iter().any(|prefix| path.starts_with(prefix)),
            "{path} exposes patient data: only storing, projecting, showing and negotiating may"
        );
    }
}

#[test]
fn no_file_outgrows_a_head() {
    // path, reason. May only shrink.
    let listed: &[(&str, &str)] =
        &[("signaling/src/message.rs", "the protocol reads best in one piece")];
    for (path, source) in sources() {
        let lines = source.lines().count();
        assert!(
            lines <= 600 || listed.iter().any(|(long, _)| *long == path),
            "{path} has {lines} lines: past 600 it is split, or listed here with a reason"
        );
    }
}

#[test]
fn the_documents_speak_of_the_product_alone() {
    let mut texts = Vec::new();
    for name in [
        "README.md",
        "CHANGELOG.md",
        "signaling/README.md",
        "server/README.md",
        "tests/load/README.md",
        "web-client/README.md",
    ] {
        if let Ok(text) = fs::read_to_string(root().join(name)) {
            texts.push((name.to_owned(), text));
        }
    }
    texts.extend(sources().into_iter().filter(|(path, _)| path != "tests/tests/boundaries.rs"));
    for (path, text) in texts {
        for word in ["TODO", "FIXME"] {
            assert!(!text.contains(word), "{path} says {word:?}: finish it, or leave it out");
        }
    }
}
