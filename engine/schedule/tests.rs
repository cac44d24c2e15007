//! Which rules and zones are accepted, and when they fire; the ported suites stand in `tests/`.

use std::time::Duration;

use super::{Rule, is_zone, on_the_wall};
use crate::clock::Moment;

fn at(text: &str) -> Moment {
    Moment::parse(text).expect("it is a moment")
}

fn cron(line: &str, zone: &str) -> Rule {
    Rule::cron(line, zone).expect("it is a rule")
}

#[test]
fn cron_lines_have_five_fields_and_real_dates() {
    for line in [
        "*/5 * * * *",
        "30 7 * * 1-5",
        "0 9 1,15 * *",
        "0 0 * * Mon",
        "0 0 29 2 *",
    ] {
        assert!(Rule::cron(line, "UTC").is_ok(), "{line}");
    }
    for (line, why) in [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("0 0 0 * * *", "five fields"),
        ("@daily", "no cron line"),
        ("61 * * * *", "no cron line"),
        ("0 0 31 2 *", "never comes"),
        ("0 0 30 2 *", "never comes"),
        ("x * * * *", "no minute"),
        ("0 0 L * *", "no day of the month"),
        ("0 0 15W * *", "no day of the month"),
        ("0 0 * * 5#2", "`#`"),
        ("0 0 1 * ?", "`?`"),
        ("0 0 1 * +1", "`+`"),
        ("0 0 * FOO *", "no month"),
    ] {
        let said = Rule::cron(line, "UTC").expect_err(line);
        assert!(said.contains(why), "{line}: {said}");
    }
    assert!(Rule::every(Duration::from_millis(999)).is_err());
}

#[test]
fn zones_are_iana_names() {
    assert!(is_zone("America/Los_Angeles") && is_zone("UTC"));
    assert!(!is_zone("EST") && !is_zone("Mars/Base") && !is_zone(""));
    let shown = on_the_wall(at("2026-03-01T09:00:00Z"), "America/Los_Angeles");
    assert_eq!(shown, "2026-03-01T01:00:00-08:00");
}

#[test]
fn a_rule_reads_what_it_writes() {
    for rule in [
        Rule::every(Duration::from_secs(300)).expect("it is a rule"),
        cron("0  2 1,15 * MON", "Europe/Rome"),
    ] {
        let text = rule.to_string();
        let again = Rule::read(&text).expect("it can be read back");
        assert_eq!(again.to_string(), text);
        let from = at("2026-03-01T00:00:00Z");
        let both = rule.after(from).zip(again.after(from)).take(50);
        assert!(both.into_iter().all(|(a, b)| a == b));
    }
    assert!(Rule::read("").is_none() && Rule::read("every nothing").is_none());
}

#[test]
fn an_interval_has_its_marks_whoever_asks() {
    let rule = Rule::every(Duration::from_secs(3600)).expect("it is a rule");
    let marks: Vec<_> = rule.after(at("2026-03-29T00:30:00Z")).take(3).collect();
    let expected = ["01:00", "02:00", "03:00"].map(|time| at(&format!("2026-03-29T{time}:00Z")));
    assert_eq!(marks, expected);
    assert_eq!(rule.after(expected[0]).next(), Some(expected[1]));
    assert_eq!(
        rule.last_within(expected[0], expected[1]),
        Some(expected[1])
    );
    assert_eq!(rule.last_within(expected[1], expected[1]), None);
}

/// Forwards and backwards name the same moments, in any zone and across its changes.
#[test]
fn the_last_moment_is_one_of_those_in_order() {
    for zone in [
        "America/Nuuk",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Europe/London",
    ] {
        for line in ["*/7 * * * *", "30 23,0,1 * * *", "15 2 * * *", "0 0 31 * *"] {
            let rule = cron(line, zone);
            let floor = at("2011-03-01T00:00:00Z");
            let moments: Vec<_> = rule.after(floor).take(400).collect();
            assert!(
                moments.windows(2).all(|two| two[0] < two[1]),
                "{line} in {zone}"
            );
            for two in moments.windows(2).step_by(7) {
                let between = Moment(two[1].0 - 1);
                assert_eq!(
                    rule.last_within(floor, between),
                    Some(two[0]),
                    "{line} in {zone}"
                );
                assert_eq!(
                    rule.last_within(floor, two[1]),
                    Some(two[1]),
                    "{line} in {zone}"
                );
                assert_eq!(rule.last_within(two[0], between), None, "{line} in {zone}");
            }
        }
    }
}
