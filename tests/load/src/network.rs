//! Where server and clients stand: on loopback, or in two network namespaces joined by a virtual cable, for servers that
//! do not use loopback.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Real-time scheduling: whatever else runs on the machine does not get between a packet and its server. Round-robin,
/// so that threads of one process share their core.
const URGENT: [&str; 3] = ["chrt", "-r", "1"];

const SERVER_SIDE: &str = "load-server";
const CLIENT_SIDE: &str = "load-clients";

/// Where servers and clients are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Both on loopback; needs no rights.
    Loopback,
    /// Both in namespaces; needs root, and this process in that of the clients.
    Namespaces,
}

impl Network {
    /// The server's address.
    pub fn server(self) -> IpAddr {
        match self {
            Self::Loopback => Ipv4Addr::LOCALHOST.into(),
            Self::Namespaces => Ipv4Addr::new(10, 99, 0, 1).into(),
        }
    }

    /// The /16 of the clients.
    pub fn clients(self) -> Ipv4Addr {
        match self {
            Self::Loopback => Ipv4Addr::new(127, 77, 0, 0),
            Self::Namespaces => Ipv4Addr::new(10, 98, 0, 0),
        }
    }

    /// How a server is started.
    pub fn prefix(self, core: usize) -> Vec<String> {
        let core = core.to_string();
        let namespace = ["ip", "netns", "exec", SERVER_SIDE];
        let words: Vec<&str> = match self {
            Self::Loopback => vec!["taskset", "-c", &core],
            Self::Namespaces => {
                namespace.into_iter().chain(URGENT).chain(["taskset", "-c", &core]).collect()
            }
        };
        words.into_iter().map(str::to_owned).collect()
    }
}

/// Makes both namespaces anew.
pub fn make() -> Result<()> {
    remove();
    let steps = [
        format!("netns add {SERVER_SIDE}"),
        format!("netns add {CLIENT_SIDE}"),
        format!("-n {SERVER_SIDE} link add load0 type veth peer name load1 netns {CLIENT_SIDE}"),
        format!("-n {SERVER_SIDE} addr add 10.99.0.1/24 dev load0"),
        format!("-n {CLIENT_SIDE} addr add 10.99.0.2/24 dev load1"),
        format!("-n {SERVER_SIDE} link set lo up"),
        format!("-n {CLIENT_SIDE} link set lo up"),
        format!("-n {SERVER_SIDE} link set load0 up"),
        format!("-n {CLIENT_SIDE} link set load1 up"),
        format!("-n {SERVER_SIDE} route add 10.98.0.0/16 via 10.99.0.2"),
        // The whole block is local there, without an address for each client.
        format!("-n {CLIENT_SIDE} route add local 10.98.0.0/16 dev lo"),
    ];
    for step in steps {
        let done = Command::new("ip").args(step.split(' ')).output().context("no ip command")?;
        if !done.status.success() {
            bail!("ip {step}: {}", String::from_utf8_lossy(&done.stderr));
        }
    }
    Ok(())
}

/// Removes them.
pub fn remove() {
    for side in [SERVER_SIDE, CLIENT_SIDE] {
        let _was_not_there = Command::new("ip").args(["netns", "del", side]).output();
    }
}

/// This process once more on the other side, pinned to a core.
pub fn inside(core: usize) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", CLIENT_SIDE]).args(URGENT);
    command.args(["taskset", "-c", &core.to_string()]);
    command
}
