//! The schema and every statement on a real PostgreSQL: the one SQL text is for both engines.
//!
//! Needs `initdb`, `pg_ctl` and `psql`. A server of its own, in a folder of its own, on a socket alone.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use uuid::Uuid;

/// Whoever owns the data: PostgreSQL refuses to run as root.
const OWNER: &str = "postgres";

struct Postgres {
    folder: PathBuf,
    as_owner: bool,
}

impl Postgres {
    /// `None` where there is no PostgreSQL.
    fn start() -> Option<Self> {
        for program in ["initdb", "pg_ctl", "psql"] {
            Command::new(program).arg("--version").stdout(Stdio::null()).status().ok()?;
        }
        let folder = std::env::temp_dir().join(format!("mortar-postgres-{}", Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let this = Self { folder, as_owner: root };
        if root {
            let chown = Command::new("chown").arg(OWNER).arg(&this.folder).status();
            if !chown.is_ok_and(|status| status.success()) {
                return None;
            }
        }
        let data = this.folder.join("data");
        let data = data.to_str().unwrap();
        this.run("initdb", &["-D", data, "-A", "trust", "-U", OWNER, "-N"]);
        let socket = format!("-c listen_addresses= -k {}", this.folder.display());
        let log = this.folder.join("log");
        this.run(
            "pg_ctl",
            &["-D", data, "-w", "-l", log.to_str().unwrap(), "-o", &socket, "start"],
        );
        Some(this)
    }

    fn run(&self, program: &str, args: &[&str]) -> Output {
        let mut command = if self.as_owner {
            let mut command = Command::new("runuser");
            command.args(["-u", OWNER, "--", program]);
            command
        } else {
            Command::new(program)
        };
        // A daemon that kept the pipe of its output would never let this end.
        let output = command.args(args).current_dir("/").stdin(Stdio::null());
        let output = if program == "pg_ctl" {
            output.stdout(Stdio::null()).stderr(Stdio::null()).output()
        } else {
            output.output()
        };
        let output = output.unwrap_or_else(|why| panic!("{program}: {why}"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{program} {args:?}: {said}");
        output
    }

    /// Runs a script; it stops at the first thing PostgreSQL refuses.
    fn script(&self, name: &str, text: &str) -> String {
        let file = self.folder.join(name);
        std::fs::write(&file, text).unwrap();
        let host = self.folder.to_str().unwrap();
        let file = file.to_str().unwrap();
        let args =
            ["-h", host, "-U", OWNER, "-v", "ON_ERROR_STOP=1", "-qAt", "-f", file, "postgres"];
        String::from_utf8(self.run("psql", &args).stdout).unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        let args = ["-D", data.to_str().unwrap(), "-m", "immediate", "stop"];
        let mut command = if self.as_owner {
            let mut command = Command::new("runuser");
            command.args(["-u", OWNER, "--", "pg_ctl"]);
            command
        } else {
            Command::new("pg_ctl")
        };
        let _stopped = command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

/// The migrations that are for both engines, in order.
fn migrations() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/migrations");
    let mut found: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| !path.to_string_lossy().ends_with(".sqlite.sql"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn the_whole_schema_and_every_statement_are_postgresqls_too() {
    let Some(postgres) = Postgres::start() else {
        println!("SKIPPED: no PostgreSQL here (initdb, pg_ctl and psql)");
        return;
    };
    let migrations = migrations();
    assert!(migrations.len() >= 10, "the folder of migrations was not found");
    for (name, text) in &migrations {
        let text = text.replace("BYTES", "bytea");
        postgres.script(name, &format!("begin;\n{text}\ncommit;\n"));
    }
    // What the migrator itself keeps.
    let kept = "create table _sqlx_migrations (version bigint primary key);";
    postgres.script("kept.sql", kept);

    // As the server prepares them: PostgreSQL looks at each table, column and type.
    let mut script = String::new();
    let mut prepared = 0;
    for (n, (name, text)) in mortar::store::registry().iter().enumerate() {
        // Of SQLite alone.
        if text.starts_with("pragma") || name.ends_with("sqlite") {
            continue;
        }
        writeln!(script, "\\echo {name}\nprepare s{n} as {text};").unwrap();
        prepared += 1;
    }
    postgres.script("statements.sql", &script);
    println!("METRIC postgres_statements={prepared} migrations={}", migrations.len());
    assert!(prepared > 100);

    // The row of a visit by telephone, there and back.
    let there =
        "insert into visit (id, kind, record, created_ms) values ('v', 'follow_up', null, 1);
        update visit set phone_since_ms = 5, phone_by = 's' where id = 'v';
        select phone_since_ms, phone_by from visit where id = 'v';";
    assert_eq!(postgres.script("telephone.sql", there).trim(), "5|s");
}
