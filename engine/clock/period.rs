//! Lengths of time as admins write them: `30s`, `5m`, `6h`, `7d`, `1h 30m`.

use std::time::Duration;

/// Reads a length of time; the error says how one is written.
pub fn parse_period(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a length of time: write 500ms, 30s, 5m, 6h, 7d or 1h 30m");
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let amount: u32 = rest[..digits].parse().map_err(|_| wrong())?;
        let after = rest[digits..].trim_start();
        let letters = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let unit = match &after[..letters] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            "d" => Duration::from_secs(86_400),
            _ => return Err(wrong()),
        };
        total = unit
            .checked_mul(amount)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(wrong)?;
        rest = after[letters..].trim_start();
    }
    Ok(total)
}
