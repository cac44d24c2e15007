//! Budgets of days and bytes, as admins write them.

use std::time::Duration;

/// One day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The units of a size, each 1,024 of the one before.
const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

/// How much history is kept, overall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// How long the history of a job is kept after its end; for ever if none.
    pub age: Option<Duration>,
    /// How large the database may grow before the oldest history goes; no bound if none.
    pub bytes: Option<u64>,
    /// How long it is kept what people did and what rows of lookup tables were; for ever if none.
    pub changes_age: Option<Duration>,
}

impl Budgets {
    /// Everything is kept.
    pub const UNBOUNDED: Self = Self {
        age: None,
        bytes: None,
        changes_age: None,
    };
}

impl Default for Budgets {
    /// 90 days, 10 GiB, and 400 days of changes: the last year can be looked at.
    fn default() -> Self {
        Self {
            age: Some(DAY * 90),
            bytes: Some(10 << 30),
            changes_age: Some(DAY * 400),
        }
    }
}

/// Reads a size, such as `500 MiB` or `10GB`.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size: write 500 MiB, 10 GiB or 2 TiB");
    let trimmed = text.trim();
    let end = trimmed
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(trimmed.len());
    let amount: u64 = trimmed[..end].parse().map_err(|_| wrong())?;
    let unit = trimmed[end..].trim().to_ascii_lowercase();
    // Nobody who writes GB means to be told of the difference.
    let unit = unit.trim_end_matches('b').trim_end_matches('i');
    let power = match unit {
        "" if trimmed[end..].trim().is_empty() && amount > 0 => return Err(wrong()),
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return Err(wrong()),
    };
    amount.checked_mul(1 << (10 * power)).ok_or_else(wrong)
}

/// A size as people read it.
pub fn show_size(bytes: u64) -> String {
    let mut unit = 0;
    let mut whole = bytes;
    let mut rest = 0;
    while whole >= 1024 && unit + 1 < UNITS.len() {
        rest = whole % 1024;
        whole /= 1024;
        unit += 1;
    }
    let tenths = rest * 10 / 1024;
    match tenths {
        0 => format!("{whole} {}", UNITS[unit]),
        tenths => format!("{whole}.{tenths} {}", UNITS[unit]),
    }
}

/// A length of time as people read it.
pub fn show_age(age: Duration) -> String {
    let seconds = age.as_secs();
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    for (unit, length) in units {
        if age.subsec_nanos() == 0 && seconds >= length && seconds.is_multiple_of(length) {
            return format!("{}{unit}", seconds / length);
        }
    }
    format!("{}ms", age.as_millis())
}
