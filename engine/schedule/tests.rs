//! Which cron lines and zones are accepted, and when they fire.

use super::{check_cron, is_zone, next_fire};
use crate::clock::Moment;

#[test]
fn cron_lines_have_five_fields_and_real_dates() {
    for line in ["*/5 * * * *", "30 7 * * 1-5", "0 9 1,15 * *", "0 0 * * MON"] {
        assert_eq!(check_cron(line), Ok(()), "{line}");
    }
    for line in [
        "",
        "* * * *",
        "0 0 0 * * *",
        "61 * * * *",
        "0 0 31 2 *",
        "x * * * *",
    ] {
        assert!(check_cron(line).is_err(), "{line}");
    }
}

#[test]
fn zones_are_iana_names() {
    assert!(is_zone("America/Los_Angeles") && is_zone("UTC"));
    assert!(!is_zone("EST") && !is_zone("Mars/Base") && !is_zone(""));
}

#[test]
fn a_time_in_the_gap_fires_at_its_end() {
    let at = |text: &str| Moment::parse(text).expect("it is a moment");
    let next = next_fire("30 2 * * *", "America/New_York", at("2027-03-14T05:00:00Z"));
    assert_eq!(next, Ok(at("2027-03-14T07:00:00Z")));
    let next = next_fire(
        "0 2 * * *",
        "America/Los_Angeles",
        at("2026-01-01T00:00:00Z"),
    );
    assert_eq!(next, Ok(at("2026-01-01T10:00:00Z")));
}
