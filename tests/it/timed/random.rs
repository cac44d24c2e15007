//! For any rule and zone, what fires in a year does not depend on how the clock was looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use recipe_engine::clock::Moment;
use recipe_engine::schedule::Rule;
use recipe_engine::store::FireOutcome;
use recipe_engine::trigger::plan;

use super::rig::{Rig, at, name, recipe};

const ZONES: [&str; 9] = [
    "UTC",
    "America/New_York",
    "America/Nuuk",
    "America/Havana",
    "Europe/Rome",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
];

/// Cron lines with some hundreds of fires a year, and intervals.
fn line() -> impl Strategy<Value = String> {
    let minute = prop_oneof![
        (0..60_u8).prop_map(|m| m.to_string()),
        Just("*/30".to_owned())
    ];
    let hour = prop_oneof![
        (0..24_u8).prop_map(|h| h.to_string()),
        Just("*/8".to_owned()),
        (0..12_u8).prop_map(|h| format!("{h},{}", h + 12)),
        Just("1-3".to_owned()),
    ];
    let days = prop_oneof![
        Just("* * *".to_owned()),
        Just("* * 0,6".to_owned()),
        Just("1,15 * *".to_owned()),
        Just("* 3,10,11 *".to_owned()),
        Just("29-31 * MON".to_owned()),
    ];
    (minute, hour, days).prop_map(|(minute, hour, days)| format!("{minute} {hour} {days}"))
}

/// A rule, a zone, and how the clock is looked at: hours until the next look, and what happens
/// there (a new server, a second look, a clock set back).
fn year() -> impl Strategy<Value = (String, &'static str, Vec<(u32, u8)>)> {
    let looks = prop::collection::vec((1..100_u32, 0..6_u8), 200);
    (line(), prop::sample::select(ZONES.to_vec()), looks)
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        rng_seed: RngSeed::Fixed(20_260_301),
        failure_persistence: None,
        ..Config::default()
    })
}

/// Plans made at any moments name each instant once, whoever makes them.
#[test]
fn plans_share_the_instants_of_a_year_out() {
    let (begin, end) = (at("2024-01-15T00:00:00Z"), at("2025-01-15T00:00:00Z"));
    runner(48)
        .run(&year(), |(line, zone, looks)| {
            let rule = Rule::cron(&line, zone).unwrap();
            let expected: Vec<_> = rule
                .after(begin)
                .take_while(|moment| *moment <= end)
                .collect();
            for run_missed_once in [true, false] {
                let mut floor = begin;
                let mut named = Vec::new();
                for (hours, _) in looks.iter().cycle() {
                    let now = floor
                        .after(Duration::from_secs(u64::from(*hours) * 1_877))
                        .min(end);
                    let plan = plan(&rule, floor, now, Duration::from_secs(60), run_missed_once);
                    if let Some((first, last, times)) = plan.missed {
                        let missed: Vec<_> = rule
                            .after(Moment(first.0 - 1))
                            .take_while(|moment| *moment <= last)
                            .collect();
                        prop_assert_eq!(missed.len() as u64, times);
                        named.extend(missed);
                    }
                    let made_up = plan.made_up.is_some();
                    prop_assert!(!made_up || (run_missed_once && plan.due.is_empty()));
                    named.extend(plan.made_up);
                    named.extend(plan.due);
                    floor = now;
                    if now == end {
                        break;
                    }
                }
                prop_assert_eq!(&named, &expected, "{} in {}", line, zone);
            }
            Ok(())
        })
        .unwrap();
}

/// What a ledger says of each instant that had a job.
async fn fired(rig: &Rig) -> BTreeMap<Moment, FireOutcome> {
    let rows = rig.store.fire_rows(&name(), None, 100_000).await.unwrap();
    rows.into_iter()
        .map(|row| (row.instant, row.outcome))
        .collect()
}

/// Looks at the clock for a year, as often as something is due, and between.
async fn a_year(line: &str, zone: &str, looks: &[(u32, u8)]) -> BTreeMap<Moment, FireOutcome> {
    let trigger = format!(
        "{{ schedule: {{ cron: \"{line}\", timezone: {zone}, if_still_running: allow }} }}"
    );
    let end = at("2025-01-15T00:00:00Z");
    let (rig, mut server) = Rig::started(&recipe(&trigger), "2024-01-15T00:00:00Z").await;
    let mut looks = looks.iter().cycle();
    while rig.clock.now() < end {
        let (hours, what) = looks.next().copied().unwrap_or((24, 0));
        let next = server.look().await.unwrap().unwrap_or(end);
        let rest = rig
            .clock
            .now()
            .after(Duration::from_secs(u64::from(hours) * 3_600));
        rig.clock.set(next.min(rest).min(end));
        match what {
            1 => server = rig.server(),
            2 => drop(rig.server().look().await.unwrap()),
            3 => {
                // Set back by as much as a day, with a look there, and right again.
                let now = rig.clock.now();
                server.look().await.unwrap();
                rig.clock
                    .set(now.before(Duration::from_secs(u64::from(hours) * 900)));
                server.look().await.unwrap();
                rig.clock.set(now);
            }
            _ => {}
        }
        server.look().await.unwrap();
    }
    fired(&rig).await
}

/// The ledger of a year is the same however often the server is started anew, the clock set back,
/// or two servers look: every instant of the rule, each fired once.
#[test]
fn the_ledger_of_a_year_is_the_rule_itself() {
    let begin = at("2024-01-15T00:00:00Z");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runner(6)
        .run(&year(), |(line, zone, looks)| {
            let rule = Rule::cron(&line, zone).unwrap();
            let end = at("2025-01-15T00:00:00Z");
            let expected: BTreeMap<_, _> = rule
                .after(begin)
                .take_while(|moment| *moment <= end)
                .map(|moment| (moment, FireOutcome::Fired))
                .collect();
            let found = runtime.block_on(a_year(&line, zone, &looks));
            prop_assert_eq!(found, expected, "{} in {}", line, zone);
            Ok(())
        })
        .unwrap();
}
