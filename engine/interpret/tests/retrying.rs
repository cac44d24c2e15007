//! When a further try begins: later for each, not at the same moment everywhere.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::*;
use crate::connector::Retry;

#[test]
fn waits_before_a_further_try_are_spread_by_place_and_are_the_same_again() {
    let rule = Retry {
        tries: 5,
        delay: Duration::from_secs(100),
        backoff: 2.0,
        max_delay: Duration::from_secs(10_000),
        within: None,
    };
    let failed = Moment(1_000_000);
    let wait = |place: &str, tries: u32, asked_for| {
        let key = EntryKey(place.into());
        let next = super::super::retry::next_try(&rule, tries, failed, failed, asked_for, &key);
        next.expect("there is a further try").since(failed)
    };
    let places: Vec<String> = (0..200).map(|n| format!("each[{n}]/thing")).collect();
    for (tries, least) in [(1, 100), (2, 200), (3, 400)] {
        let waits: BTreeSet<Duration> = places.iter().map(|at| wait(at, tries, None)).collect();
        let (least, most) = (
            Duration::from_secs(least),
            Duration::from_secs(least / 5 * 6),
        );
        assert!(waits.first() >= Some(&least) && waits.last() <= Some(&most));
        assert!(waits.len() > 150, "{} different waits", waits.len());
        let width = *waits.last().unwrap() - *waits.first().unwrap();
        assert!(width > least / 10, "they lie within {width:?}");
    }
    for at in &places {
        assert_eq!(wait(at, 1, None), wait(at, 1, None));
        let asked = Some(Duration::from_secs(5_000));
        assert_eq!(wait(at, 1, asked), Duration::from_secs(5_000));
    }
}
