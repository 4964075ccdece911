//! The relay with a real browser: does Chromium take our answers, decode what we forward, survive an ICE restart?

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use mortar::media::sdp::Negotiated;
use mortar::media::{Media, MediaConfig, TCP_CONNECTIONS};
use serde::Deserialize;
use sfu::command::Command;
use sfu::plan::{CallKey, PeerKey, Source, SrtpAttempt, TrackKey};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Chromium's start, 3 s of media, a restart, 3 s more; the rest is for a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    one: Option<Heard>,
    two: Option<Heard>,
    after_restart: Option<Heard>,
    frames_before_restart: Option<u64>,
    connection: Option<String>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Heard {
    frames_decoded: u64,
    freeze_count: u64,
    audio_packets: u64,
    audio_energy: f64,
    lost: i64,
    width: u64,
}

/// A page and the signalling that two participants in it need, over plain HTTP.
struct Site {
    media: Media,
    negotiated: HashMap<u32, Negotiated>,
}

impl Site {
    /// The body of the answer; `Err` with the outcome ends the site.
    fn answer(&mut self, path: &str, body: &str) -> Result<std::ops::ControlFlow<Outcome, String>> {
        use std::ops::ControlFlow::{Break, Continue};
        if let Some(number) = path.strip_prefix("/offer/") {
            let number: u32 = number.parse()?;
            let previous = self.negotiated.get(&number);
            let (answer, negotiated) = self.media.offer(
                CallKey(1),
                PeerKey(number),
                previous,
                body,
                SrtpAttempt::First,
            )?;
            self.negotiated.insert(number, negotiated);
            return Ok(Continue(answer));
        }
        match path {
            "/" => Ok(Continue(include_str!("page.html").to_owned())),
            "/introduce" => {
                for (from, to) in [(1, 2), (2, 1)] {
                    for source in [Source::Mic, Source::Cam] {
                        let track = TrackKey { peer: PeerKey(from), source };
                        let peers = vec![PeerKey(to)];
                        self.media.command(Command::Audience { track, peers });
                    }
                }
                Ok(Continue(String::new()))
            }
            "/result" => Ok(Break(serde_json::from_str(body)?)),
            _ => Ok(Continue(String::new())),
        }
    }

    async fn serve(&mut self, listener: TcpListener) -> Result<Outcome> {
        loop {
            let (stream, _) = listener.accept().await?;
            if let std::ops::ControlFlow::Break(outcome) = self.request(stream).await? {
                return Ok(outcome);
            }
        }
    }

    async fn request(
        &mut self,
        mut stream: TcpStream,
    ) -> Result<std::ops::ControlFlow<Outcome, String>> {
        let mut reader = BufReader::new(&mut stream);
        let mut line = String::new();
        reader.read_line(&mut line).await?;
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut length = 0;
        loop {
            line.clear();
            reader.read_line(&mut line).await?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).await?;
        let answer = self.answer(&path, std::str::from_utf8(&body)?)?;
        if let std::ops::ControlFlow::Continue(text) = &answer {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                text.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(text.as_bytes()).await?;
        }
        Ok(answer)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chromium_sees_and_hears_through_the_relay_also_after_an_ice_restart() -> Result<()> {
    let bind = "127.0.0.1:0".parse()?;
    let (media, _events) = Media::start(MediaConfig {
        bind,
        advertise: Vec::new(),
        workers: 1,
        tcp_connections: TCP_CONNECTIONS,
    })?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let profile = std::env::temp_dir().join(format!("mortar-chromium-{}", std::process::id()));
    let mut chromium = tokio::process::Command::new("/usr/bin/chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--autoplay-policy=no-user-gesture-required", "--mute-audio"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("Chromium is needed at /usr/bin/chromium")?;
    let mut site = Site { media: media.clone(), negotiated: HashMap::new() };
    let outcome = tokio::time::timeout(PATIENCE, site.serve(listener)).await;
    chromium.kill().await?;
    // Chromium's helpers may still hold a file or two of it.
    _ = std::fs::remove_dir_all(&profile);
    let counters = media.counters().await;
    let Ok(outcome) = outcome else { bail!("no result from the page: {counters:?}") };
    let outcome = outcome?;
    println!("{outcome:?} {counters:?}");
    assert_eq!(outcome.error, None, "{counters:?}");
    for heard in [&outcome.one, &outcome.two] {
        let heard = heard.as_ref().context("a participant's statistics")?;
        assert!(heard.frames_decoded >= 45, "{heard:?}");
        assert!(heard.audio_packets >= 75 && heard.audio_energy > 0.0, "{heard:?}");
        assert!(heard.width > 0 && heard.lost == 0, "{heard:?}");
        println!("METRIC chromium_freezes {} - info", heard.freeze_count);
    }
    let after = outcome.after_restart.context("statistics after the restart")?;
    let before = outcome.frames_before_restart.context("statistics before the restart")?;
    assert!(after.frames_decoded >= before + 45, "{after:?}");
    assert_eq!(outcome.connection.as_deref(), Some("connected"));
    let counters = counters.first().context("the worker")?;
    assert_eq!(counters.relay.handshakes, 2, "a restart keeps the keys");
    assert_eq!(counters.relay.handshakes_with_fallback_profile, 0);
    assert_eq!(counters.turning.panics, 0);
    Ok(())
}
