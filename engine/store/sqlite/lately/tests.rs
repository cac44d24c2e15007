//! What is told to those who look on, and what they are told that they missed.

use super::{KEPT_MAX, Lately, Place};

fn jobs(lately: &Lately, place: Place, most: usize) -> (Vec<i64>, bool) {
    let since = lately.since(place, most);
    let jobs = since.jobs.into_iter().map(|(job, _)| job).collect();
    (jobs, since.has_gap)
}

#[test]
fn each_change_is_told_once_and_the_last_of_a_job_counts() {
    let lately = Lately::new();
    let begin = lately.now();
    lately.take_in(vec![1, 2, 1]);
    lately.take_in(vec![3]);
    assert_eq!(jobs(&lately, begin, 100), (vec![2, 1, 3], false));
    let since = lately.since(begin, 3);
    assert_eq!(jobs(&lately, since.end, 100), (vec![3], false));
    // Whoever comes back to where a job was told goes on behind it.
    let (_, place) = since.jobs[0];
    let written = lately.written(place);
    assert_eq!(lately.read(&written), Some(place));
    assert_eq!(jobs(&lately, place, 100), (vec![1, 3], false));
    assert_eq!(jobs(&lately, lately.now(), 100), (vec![], false));
    for foreign in [Lately::new().written(place), "7".to_owned(), String::new()] {
        assert_eq!(lately.read(&foreign), None, "{foreign}");
    }
}

#[test]
fn whoever_is_too_slow_is_told_so_and_goes_on_with_what_is_kept() {
    let lately = Lately::new();
    let begin = lately.now();
    let all = KEPT_MAX as i64 + 10;
    for job in 0..all {
        lately.take_in(vec![job]);
    }
    let (found, has_gap) = jobs(&lately, begin, 5);
    assert_eq!((found, has_gap), ((10..15).collect(), true));
    let (found, _) = jobs(&lately, begin, usize::MAX);
    assert_eq!(found.len(), KEPT_MAX);
    let end = lately.since(begin, 5).end;
    assert!(!lately.since(end, 5).has_gap);
}
