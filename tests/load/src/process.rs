//! What a process costs, as the kernel counts it.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// CPU time of all threads, as utime + stime but in nanoseconds: those come in ticks of 10 ms. Includes what the kernel
/// did on the process's behalf, also the receiver's half of a virtual network.
pub fn cpu(pid: u32) -> Result<Duration> {
    let mut total = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).context("the server is gone")? {
        let path = thread?.path().join("schedstat");
        // A thread may end while they are counted.
        let Ok(text) = fs::read_to_string(path) else { continue };
        total += text.split(' ').next().and_then(|ran| ran.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(total))
}

/// How long its threads were ready and had to wait for their core: what makes a run worthless.
pub fn waited(pid: u32) -> Result<Duration> {
    let mut total = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).context("the server is gone")? {
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        total += text.split(' ').nth(1).and_then(|wait| wait.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(total))
}

/// Resident memory in KiB.
pub fn resident(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
    text.lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|value| value.trim().split(' ').next()?.parse().ok())
        .context("no VmRSS")
}

/// The middle value.
pub fn median<T: Copy + PartialOrd>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    sorted.get(sorted.len() / 2).copied()
}
