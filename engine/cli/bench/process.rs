//! What a process has used, as the system tells it.
//!
//! Out: processor time and memory; nothing where the system does not tell (`/proc` is Linux's).

use std::fs;
use std::time::Duration;

/// How long one tick of `/proc/PID/stat` is on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// Processor time that a process has used so far, in all its threads.
pub(super) fn cpu(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold blanks and brackets; the numbers follow the last bracket.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<u32>().ok();
    Some(TICK * (ticks(11)? + ticks(12)?))
}

/// Memory that it has in use now, in MiB.
pub(super) fn resident_mib(pid: u32) -> Option<f64> {
    status_mib(pid, "VmRSS:")
}

/// The most memory that it ever had in use, in MiB.
pub(super) fn peak_mib(pid: u32) -> Option<f64> {
    status_mib(pid, "VmHWM:")
}

fn status_mib(pid: u32, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}
