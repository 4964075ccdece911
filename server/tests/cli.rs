//! The command line when something is wrong: it says what, where and what to do, and loses nothing.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by it")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use uuid::Uuid;

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("mortar-cli-{}", Uuid::now_v7()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn mortar(data: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mortar"))
        .arg("--data")
        .arg(data)
        .args(["--listen", "127.0.0.1:0", "--media-port", "0"])
        .args(arguments)
        .stdin(Stdio::null())
        .env("MORTAR_LOG", "off")
        .output()
        .unwrap()
}

/// It fails, in one line that has all these words, and says nothing on the other stream.
fn fails(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("mortar: "), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

const CHART: &[u8] = include_bytes!("../demo/ruth-delgado.json");

#[test]
fn passkeys_want_a_name_and_somebody_on_the_staff() {
    let folder = Folder::new();
    let nobody = Uuid::nil().to_string();
    for origin in ["https://192.0.2.7", "http://visits.example.org"] {
        let output = mortar(&folder.data(), &["--origin", origin, "passkey", "add", &nobody]);
        fails(&output, &["passkeys do not work here", origin, "--origin https://NAME"]);
        let required = ["--origin", origin, "--sign-step-up", "required"];
        fails(&mortar(&folder.data(), &required), &[origin, "--sign-step-up when-enrolled"]);
    }
    assert!(!folder.data().exists(), "nothing was touched");

    let output = mortar(&folder.data(), &["passkey", "add", &nobody]);
    fails(&output, &[&nobody, "mortar staff"]);
    let output = mortar(&folder.data(), &["passkey", "remove", &nobody]);
    fails(&output, &[&nobody, "mortar passkey list"]);
    let output = mortar(&folder.data(), &["passkey", "list"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Nobody has a passkey yet.\n");
}

#[test]
fn a_taken_port_is_named_and_nothing_is_touched() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_mortar"))
        .arg("--data")
        .arg(folder.data())
        .args(["--listen", &address])
        .output()
        .unwrap();

    fails(&output, &[&address, "--listen"]);
    assert!(!folder.data().exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = Folder::new();
    let file = folder.file("in-the-way", b"");
    let data = file.join("data");

    fails(&mortar(&data, &["links"]), &[data.to_str().unwrap(), "--data"]);
}

#[test]
fn a_chart_that_is_none_is_refused_with_the_reason_and_the_record_stays() {
    let folder = Folder::new();
    let good = folder.file("good.json", CHART);
    let imported = mortar(&folder.data(), &["import", good.to_str().unwrap()]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let huge = folder.file("huge.json", b"");
    fs::File::options().write(true).open(&huge).unwrap().set_len(50 << 20).unwrap();
    let beyond = folder.file("beyond.json", b"");
    fs::File::options().write(true).open(&beyond).unwrap().set_len(65 << 20).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/fhir");
    let cut = folder.file("cut.json", &CHART[..CHART.len() / 2]);

    for (file, words) in [
        (folder.0.join("missing.json"), ["cannot be read", "check its name"]),
        (folder.0.clone(), ["cannot be read", "check its name"]),
        (fixtures.join("empty.json"), ["was not imported", "empty"]),
        (fixtures.join("xml.xml"), ["XML", "FHIR R4 JSON"]),
        (fixtures.join("r5.json"), ["R5", "not R4"]),
        (cut, ["line", "not JSON"]),
        (huge, ["was not imported", "bytes"]),
        (beyond, ["bytes", "one patient at a time"]),
    ] {
        let name = file.to_str().unwrap();
        let output = mortar(&folder.data(), &["import", name]);
        fails(&output, &[name]);
        fails(&output, &words);
    }
    let again = mortar(&folder.data(), &["links"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn keys_that_are_missing_wrong_or_open_to_others_stop_everything() {
    let folder = Folder::new();
    let chart = folder.file("chart.json", CHART);
    assert!(mortar(&folder.data(), &["import", chart.to_str().unwrap()]).status.success());
    let key = folder.data().join("mortar.key");
    let right = fs::read(&key).unwrap();
    let named = key.canonicalize().unwrap();
    let named = named.to_str().unwrap();

    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    fails(&mortar(&folder.data(), &["links"]), &[named, "644", "chmod 600"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&key, b"not a key").unwrap();
    fails(&mortar(&folder.data(), &["links"]), &[named, "restore"]);
    fs::write(&key, "0".repeat(64)).unwrap();
    fails(&mortar(&folder.data(), &["links"]), &["another key file", "restore"]);
    fs::remove_file(&key).unwrap();
    fails(&mortar(&folder.data(), &["links"]), &[named, "restore"]);
    assert!(!key.exists(), "a new key would hide that the right one is missing");

    fs::write(&key, right).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(mortar(&folder.data(), &["links"]).status.success());
}

#[test]
fn a_damaged_database_is_left_as_it_is() {
    let folder = Folder::new();
    let chart = folder.file("chart.json", CHART);
    assert!(mortar(&folder.data(), &["import", chart.to_str().unwrap()]).status.success());
    let database = folder.data().join("mortar.db");
    let mut bytes = fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[4096..middle].fill(0xa5);
    fs::write(&database, &bytes).unwrap();

    fails(&mortar(&folder.data(), &[]), &["mortar.db", "damaged", "backup"]);
    assert_eq!(fs::read(&database).unwrap(), bytes);

    fs::write(&database, b"this is not a database at all, but a letter to my aunt ").unwrap();
    fails(&mortar(&folder.data(), &[]), &["mortar.db", "damaged", "backup"]);
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let folder = Folder::new();
    let mut first = Command::new(env!("CARGO_BIN_EXE_mortar"))
        .arg("--data")
        .arg(folder.data())
        .args(["--listen", "127.0.0.1:0", "--media-port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    let runs = lines.by_ref().map_while(Result::ok).any(|line| line.contains("running at"));
    let second = mortar(&folder.data(), &[]);
    first.kill().unwrap();
    first.wait().unwrap();

    assert!(runs);
    fails(&second, &["another mortar server", "data", "--data"]);
}

/// A server under `ulimit` flags, and what it wrote to standard error so far.
fn run_under(limits: &str, folder: &Folder) -> (Child, SocketAddr, String) {
    let log = folder.0.join("log");
    let mut server = Command::new("sh")
        .args(["-c", &format!("ulimit {limits}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_mortar")])
        .arg("--data")
        .arg(folder.data())
        .args(["--listen", "127.0.0.1:0", "--media-port", "0"])
        .env("MORTAR_LOG", "mortar=info")
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let at = lines.map_while(Result::ok).find_map(|line| {
        line.split_once("running at http://localhost:").and_then(|(_, port)| port.parse().ok())
    });
    let address = SocketAddr::from(([127, 0, 0, 1], at.unwrap()));
    (server, address, fs::read_to_string(log).unwrap())
}

fn open_files_of(server: &Child) -> Vec<String> {
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().skip(3).take(2).map(str::to_owned).collect()
}

#[test]
fn the_soft_limit_of_open_files_is_raised_to_the_hard_one_and_told() {
    let folder = Folder::new();
    let (mut server, _, log) = run_under("-S -n 256; ulimit -H -n 16000", &folder);
    let limits = open_files_of(&server);
    server.kill().unwrap();
    server.wait().unwrap();

    assert_eq!(limits, ["16000", "16000"]);
    assert!(log.contains("16000 files may be open at once"), "{log}");
    assert!(!log.contains("LimitNOFILE"), "{log}");
}

#[test]
fn with_few_open_files_it_warns_and_a_crowd_of_connections_does_not_take_them_all() {
    let folder = Folder::new();
    let (mut server, address, _) = run_under("-n 96", &folder);
    let crowd: Vec<TcpStream> = (0..120).map(|_| TcpStream::connect(address).unwrap()).collect();
    let begun = Instant::now();
    let files = format!("/proc/{}/fd", server.id());
    while fs::read_dir(&files).unwrap().count() < 64 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody is let in");
        std::thread::yield_now();
    }
    drop(crowd);
    let mut late = TcpStream::connect(address).unwrap();
    late.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    late.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answer = [0; 8];
    let answered = late.read_exact(&mut answer);
    server.kill().unwrap();
    server.wait().unwrap();

    answered.unwrap();
    assert_eq!(&answer, b"HTTP/1.1");
    let log = fs::read_to_string(folder.0.join("log")).unwrap();
    assert!(log.contains("LimitNOFILE"), "{log}");
    assert!(!log.contains("not accepted"), "{log}");
}

#[test]
fn payers_rules_that_cannot_be_stop_the_start_with_where_and_why() {
    let folder = Folder::new();
    let example = include_str!("../rules/example.json");
    let swapped = example.replacen("\"10\"", "\"home\"", 1);
    let torn = example.get(..200).unwrap();
    for (text, words) in [
        (swapped.as_str(), ["rule 1 (example_midpoint), pos", "two digits"]),
        (torn, ["line ", "column "]),
    ] {
        let rules = folder.file("rules.json", text.as_bytes());
        let rules = rules.to_str().unwrap();
        fails(&mortar(&folder.data(), &["--payer-rules", rules]), &[rules, words[0], words[1]]);
    }
    fails(&mortar(&folder.data(), &["--payer-rules", "/nowhere"]), &["/nowhere", "cannot be read"]);
    fails(&mortar(&folder.data(), &["--time-zone", "Mars"]), &["Mars", "America/New_York"]);
    assert!(!folder.data().exists(), "nothing is touched");
}

/// An import: its exit code and what it said.
fn import(folder: &Folder, file: &Path, flags: &[&str]) -> (i32, String) {
    let mut arguments = vec!["import", file.to_str().unwrap()];
    arguments.extend(flags);
    let output = mortar(&folder.data(), &arguments);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
}

/// The record an import named.
fn record_in(said: &str) -> String {
    said.split_once("record ").unwrap().1.chars().take(36).collect()
}

#[test]
fn a_chart_imported_twice_is_one_patient_and_a_changed_one_changes_nothing_here() {
    let folder = Folder::new();
    let chart = folder.file("chart.json", CHART);
    let changed = String::from_utf8_lossy(CHART).replacen(
        "\"status\": \"active\"",
        "\"status\": \"stopped\"",
        1,
    );
    let changed = folder.file("changed.json", changed.as_bytes());

    let (code, would) = import(&folder, &chart, &["--preview"]);
    assert_eq!(code, 0, "{would}");
    assert!(would.contains("would make a new patient"), "{would}");
    assert!(!folder.data().exists(), "a preview makes no folder");
    let (code, first) = import(&folder, &chart, &[]);
    assert_eq!(code, 0, "{first}");
    for flags in [&[][..], &["--preview"], &["--another-person"]] {
        let (code, again) = import(&folder, &chart, flags);
        assert_eq!(code, 0, "{again}");
        assert!(again.contains("Nothing changed"), "{again}");
        assert_eq!(record_in(&again), record_in(&first));
        let (code, other) = import(&folder, &changed, flags);
        assert_eq!(code, 3, "{other}");
        assert_eq!(record_in(&other), record_in(&first));
        assert!(other.contains("meds: changed in the chart"), "{other}");
    }
}

#[test]
fn the_same_file_by_two_commands_at_once_is_one_patient() {
    let folder = Folder::new();
    let chart = folder.file("chart.json", CHART);
    import(&folder, &folder.file("other.json", &renamed("Otra", "Persona")), &[]);

    let said: Vec<(i32, String)> = std::thread::scope(|both| {
        let each: Vec<_> = (0..3).map(|_| both.spawn(|| import(&folder, &chart, &[]))).collect();
        each.into_iter().map(|one| one.join().unwrap()).collect()
    });

    let made = said.iter().filter(|(_, said)| said.starts_with("Imported")).count();
    assert_eq!(made, 1, "{said:?}");
    assert!(said.iter().all(|(code, _)| *code == 0), "{said:?}");
}

/// The demo chart without its numbers, under another name.
fn renamed(given: &str, family: &str) -> Vec<u8> {
    let mut chart: serde_json::Value = serde_json::from_slice(CHART).unwrap();
    let patient = chart.pointer_mut("/entry/0/resource").unwrap().as_object_mut().unwrap();
    assert_eq!(patient.get("resourceType").unwrap(), "Patient");
    patient.remove("identifier");
    let name = serde_json::json!([{ "given": [given], "family": family }]);
    patient.insert("name".to_owned(), name);
    serde_json::to_vec(&chart).unwrap()
}

#[test]
fn somebody_of_the_same_name_and_birth_date_is_for_a_person_to_decide() {
    let folder = Folder::new();
    let first = folder.file("first.json", CHART);
    assert_eq!(import(&folder, &first, &[]).0, 0);
    let twin = folder.file("twin.json", &renamed("Ruth", "DELGADO"));

    let (code, said) = import(&folder, &twin, &[]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("same name and birth date") && said.contains("--another-person"));
    let (code, said) = import(&folder, &twin, &["--another-person"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("Imported"), "{said}");
}

#[test]
fn the_chart_of_somebody_who_has_died_is_kept_only_when_asked_for_and_makes_no_visit() {
    let folder = Folder::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/fhir");
    let chart = fixtures.join("deceased.json");

    let (code, said) = import(&folder, &chart, &[]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("--deceased"), "{said}");
    let (code, said) = import(&folder, &chart, &["--deceased"]);
    assert_eq!(code, 0, "{said}");
    let links = mortar(&folder.data(), &["links"]);
    assert!(String::from_utf8_lossy(&links.stdout).contains("There is no open visit"));
}
