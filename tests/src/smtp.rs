//! A mail server that keeps what it is sent, or refuses it: SMTP as far as one client of ours speaks it (RFC 5321).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::world::PATIENCE;

/// What becomes of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Post {
    /// It is taken.
    Takes,
    /// Its recipient is refused with this code.
    Refuses(u16),
    /// It is heard to its end, and never answered.
    FallsSilent,
}

/// A mail as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Of the envelope.
    pub from: String,
    /// Of the envelope.
    pub to: Vec<String>,
    /// Headers and bodies.
    pub data: String,
}

impl Letter {
    /// The value of a header, unfolded.
    pub fn header(&self, name: &str) -> String {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        let start = format!("{name}: ");
        let found = head.lines().find_map(|line| line.strip_prefix(&start).map(str::to_owned));
        found.unwrap_or_else(|| panic!("no {name} in {head}"))
    }

    /// How often a header stands in the head.
    pub fn count(&self, name: &str) -> usize {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default();
        let start = format!("{}:", name.to_ascii_lowercase());
        head.lines().filter(|line| line.to_ascii_lowercase().starts_with(&start)).count()
    }

    /// Everything it says: each part as it is read.
    pub fn words(&self) -> String {
        let boundary =
            self.data.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next());
        match boundary {
            None => part(&self.data),
            Some(boundary) => {
                let between = format!("--{boundary}");
                let parts = self.data.split(&between).skip(1);
                parts.map(part).collect::<Vec<_>>().join("\n")
            }
        }
    }

    /// The secret of the link in it.
    pub fn token(&self) -> String {
        let words = self.words();
        let token = words.split("/j#").nth(1).unwrap_or_else(|| panic!("no link in {words}"));
        token.chars().take_while(char::is_ascii_alphanumeric).collect()
    }
}

fn part(text: &str) -> String {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return String::new() };
    if head.contains("base64") {
        let plain: String = body.split_whitespace().collect();
        return String::from_utf8(STANDARD.decode(plain).unwrap()).unwrap();
    }
    if !head.contains("quoted-printable") {
        return body.to_owned();
    }
    let body = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = body.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// A running mail server.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    post: Arc<Mutex<Post>>,
    heard: mpsc::UnboundedReceiver<Letter>,
}

impl MailServer {
    /// On a free port of this machine.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let post = Arc::new(Mutex::new(Post::Takes));
        let (hears, heard) = mpsc::unbounded_channel();
        let now = Arc::clone(&post);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (now, hears) = (Arc::clone(&now), hears.clone());
                // A client that goes away in the middle is the end of its own talk.
                tokio::spawn(async move { talk(stream, &now, &hears).await });
            }
        });
        Self { address, post, heard }
    }

    /// For the server's settings.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// What becomes of mails from now on.
    pub fn post(&self, post: Post) {
        *self.post.lock().expect("no test broke here") = post;
    }

    /// The next mail that was heard to its end.
    pub async fn next(&mut self) -> Letter {
        tokio::time::timeout(PATIENCE, self.heard.recv()).await.expect("a mail").expect("it runs")
    }

    /// So many mails, by recipient.
    pub async fn take(&mut self, count: usize) -> Vec<Letter> {
        let mut all = Vec::new();
        while all.len() < count {
            all.push(self.next().await);
        }
        all.sort_by(|one, other| one.to.cmp(&other.to));
        all
    }

    /// What was heard, and nobody asked for yet.
    pub fn rest(&mut self) -> Vec<Letter> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }
}

async fn talk(
    stream: TcpStream,
    post: &Mutex<Post>,
    hears: &mpsc::UnboundedSender<Letter>,
) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mail.example.org ESMTP\r\n").await.ok()?;
    let mut letter = Letter { from: String::new(), to: Vec::new(), data: String::new() };
    loop {
        let line = lines.next_line().await.ok()??;
        let now = *post.lock().expect("no test broke here");
        let answer = match line.get(..4).unwrap_or(&line).to_ascii_uppercase().as_str() {
            "EHLO" => "250-mail.example.org\r\n250 8BITMIME\r\n".to_owned(),
            "MAIL" => {
                letter.from = inside(&line);
                "250 ok\r\n".to_owned()
            }
            "RCPT" => match now {
                Post::Refuses(code) => format!("{code} refused for <{}>\r\n", inside(&line)),
                Post::Takes | Post::FallsSilent => {
                    letter.to.push(inside(&line));
                    "250 ok\r\n".to_owned()
                }
            },
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                loop {
                    let line = lines.next_line().await.ok()??;
                    if line == "." {
                        break;
                    }
                    letter.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                    letter.data.push_str("\r\n");
                }
                let whole = std::mem::replace(
                    &mut letter,
                    Letter { from: String::new(), to: Vec::new(), data: String::new() },
                );
                hears.send(whole).ok()?;
                if now == Post::FallsSilent {
                    // Until the other end goes away.
                    while lines.next_line().await.ok()?.is_some() {}
                    return None;
                }
                "250 taken\r\n".to_owned()
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await.ok()?;
                return Some(());
            }
            _ => "250 ok\r\n".to_owned(),
        };
        write.write_all(answer.as_bytes()).await.ok()?;
    }
}

fn inside(line: &str) -> String {
    let start = line.find('<').map_or(0, |at| at + 1);
    let end = line.find('>').unwrap_or(line.len());
    line.get(start..end).unwrap_or_default().to_owned()
}
