//! How budgets are written and read, and that nobody waits for a sweep longer than they want.

use std::time::Duration;

use super::{Budgets, History, Wish, parse_size, show_age, show_size};
use crate::clock::{Clock, Moment};
use crate::library::{Library, Shelf};
use crate::store::Store;

#[test]
fn sizes_are_read_and_shown() {
    let cases = [
        ("500 MiB", Some(500 << 20)),
        ("10GiB", Some(10 << 30)),
        ("10 gb", Some(10 << 30)),
        ("2T", Some(2 << 40)),
        ("64k", Some(64 << 10)),
        ("100 B", Some(100)),
        ("0", Some(0)),
        ("500", None),
        ("", None),
        ("-1 GiB", None),
        ("1.5 GiB", None),
        ("many", None),
        ("99999999999 TiB", None),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_size(text).ok(), expected, "{text}");
    }
    assert_eq!(show_size(0), "0 B");
    assert_eq!(show_size(1536), "1.5 KiB");
    assert_eq!(show_size(10 << 30), "10 GiB");
    assert_eq!(show_age(Duration::from_secs(86_400 * 90)), "90d");
    assert_eq!(show_age(Duration::from_secs(5_400)), "90m");
    assert_eq!(show_age(Duration::from_millis(1_500)), "1500ms");
    assert_eq!(show_age(Duration::ZERO), "0ms");
}

#[tokio::test]
async fn a_wish_does_not_wait_for_a_sweep_that_is_under_way() {
    let (_stop, is_stopping) = tokio::sync::watch::channel(false);
    let history = History::new(
        Store::in_memory().await.unwrap().into(),
        Shelf::new(Library::default()),
        Clock::test(Moment(0)),
        Budgets::UNBOUNDED,
        is_stopping,
    );
    let under_way = history.under_way.lock().await;
    let wish = Wish {
        older_than: Some(Duration::ZERO),
        ..Wish::default()
    };
    let swept = history.prune(&wish, Duration::ZERO).await.unwrap();
    assert_eq!((swept.jobs, swept.is_done), (0, false));
    drop(under_way);
    let patience = Duration::from_secs(60);
    assert!(history.prune(&wish, patience).await.unwrap().is_done);
}
