//! What folded loops leave in a journal, and what goes for it.

use recipe_engine::data::Value;
use recipe_engine::journal::{Entry, EntryKind, LoopHead, PageHead, PagesHead, append};
use recipe_engine::store::{Advance, Jobs, Lease, Next, Store};
use serde_json::json;

use super::fixtures::{at, claim_one, in_a_file, in_memory, key, queue, succeeded, with_next};

fn head(place: &str, head: LoopHead) -> Entry {
    let kind = EntryKind::LoopFolded {
        head: Box::new(head),
    };
    Entry {
        key: key(place),
        at: at(9),
        kind,
    }
}

fn gathered(place: &str, given: Value) -> Entry {
    Entry {
        key: key(place),
        at: at(9),
        kind: EntryKind::LoopGathered { given },
    }
}

fn folded(kept: u64, mark: u64, above: &[(u64, u64)]) -> LoopHead {
    LoopHead {
        kept,
        mark,
        above: above.to_vec(),
        now: at(5),
        ..LoopHead::default()
    }
}

/// A value that is stored by content.
fn large(text: &str) -> Value {
    json!({ "text": text.repeat(5_000) })
}

async fn commit(store: &Store, lease: &Lease, model: &mut Vec<Entry>, entries: Vec<Entry>) {
    append(model, entries.clone());
    let advance = Advance {
        entries,
        ..Advance::default()
    };
    store.commit(lease, at(9), advance).await.unwrap();
}

/// The places and values of a journal, whatever the order.
fn sorted(entries: &[Entry]) -> Vec<String> {
    let mut lines: Vec<String> = entries
        .iter()
        .map(|entry| serde_json::to_string(entry).unwrap())
        .collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn a_head_takes_the_place_of_all_it_stands_for() {
    let store = in_memory().await;
    queue(&store, "loop", 0).await;
    let claimed = claim_one(&store, 1).await;
    let lease = claimed.lease;
    let model = &mut Vec::new();
    let iteration = |index: u64| {
        let output = match index % 3 {
            0 => large(&index.to_string()),
            _ => json!({ "id": index }),
        };
        succeeded(&format!("each[{index}]/made"), 2, output)
    };
    let outside = [
        succeeded("first", 1, large("a")),
        succeeded("each[x]", 1, json!(1)),
    ];
    commit(&store, &lease, model, outside.to_vec()).await;
    // Each commit holds what goes with different heads.
    for round in 0..10 {
        let entries = [round, round + 10, round + 20].map(iteration);
        commit(&store, &lease, model, entries.to_vec()).await;
    }
    let inner = [
        succeeded("each[7]/inner[3]~2/made", 2, json!(1)),
        succeeded("each[70]/inner[3]/made", 2, json!(1)),
        head("each[7]/inner", folded(0, 2, &[])),
        gathered("each[7]/inner", json!({ "collected": [[1, large("c")]] })),
        head("each[8]~2/inner", folded(0, 2, &[])),
        succeeded("other/page[4]", 2, large("p")),
    ];
    commit(&store, &lease, model, inner.to_vec()).await;
    for (mark, above) in [
        (6, vec![(8, 8)]),
        (12, vec![(14, 15), (25, 25)]),
        (30, vec![]),
    ] {
        let entries = vec![
            gathered("each", json!({ "collected": [[mark, large("b")]] })),
            gathered("each", json!({ "collected": [[mark + 1, 2]] })),
            head("each", folded(2, mark, &above)),
            succeeded(&format!("each[{}]/made", mark + 40), 3, json!(1)),
        ];
        commit(&store, &lease, model, entries).await;
        let (_, entries, _) = store.job(&lease.job).await.unwrap();
        assert_eq!(sorted(&entries), sorted(model), "up to {mark}");
    }
    let places: Vec<&str> = model.iter().map(|entry| &*entry.key.0).collect();
    assert!(places.contains(&"each[1]/made") && !places.contains(&"each[2]/made"));
    assert!(places.contains(&"each[8]~2/inner") && !places.contains(&"each[7]/inner"));
    assert!(places.contains(&"each[70]/inner[3]/made"));
}

#[tokio::test]
async fn pages_go_when_nothing_of_them_is_open() {
    let store = in_memory().await;
    queue(&store, "pages", 0).await;
    let lease = claim_one(&store, 1).await.lease;
    let model = &mut Vec::new();
    let page = |number: u64| PageHead {
        number,
        first: (number - 1) * 10,
        count: 10,
        ..PageHead::default()
    };
    for number in 1..=5 {
        let items = succeeded(&format!("each/page[{number}]"), 2, large("i"));
        let try_before = succeeded(&format!("each/page[{number}]~2"), 2, json!(1));
        let entries = (0..10).map(|index| {
            succeeded(
                &format!("each[{number}.{index}]/made"),
                2,
                json!({ "id": index }),
            )
        });
        let entries = entries.chain([items, try_before]).collect();
        commit(&store, &lease, model, entries).await;
    }
    let pages = PagesHead {
        open: vec![page(1), page(4)],
        next: Some(page(6)),
    };
    let of_pages = LoopHead {
        pages: Some(pages),
        ..folded(3, 34, &[(36, 49)])
    };
    commit(&store, &lease, model, vec![head("each", of_pages)]).await;
    let (_, entries, _) = store.job(&lease.job).await.unwrap();
    assert_eq!(sorted(&entries), sorted(model));
    let left: Vec<&str> = model.iter().map(|entry| &*entry.key.0).collect();
    let wanted = [
        "each[1.0]/made",
        "each[1.1]/made",
        "each[1.2]/made",
        "each/page[1]",
        "each/page[1]~2",
        "each[4.4]/made",
        "each[4.5]/made",
        "each/page[4]",
        "each/page[4]~2",
        "each",
    ];
    assert_eq!(left, wanted);
}

#[tokio::test]
async fn large_values_go_with_the_last_entry_that_needs_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_a_file(&folder).await;
    let path = folder.path().join("engine.db");
    queue(&store, "loop", 0).await;
    queue(&store, "other", 0).await;
    let claimed = store.claim(2, at(1), super::fixtures::LEASE).await.unwrap();
    let [lease, other] = [0, 1].map(|index: usize| claimed[index].lease.clone());
    let model = &mut Vec::new();
    let shared = vec![succeeded("made", 2, large("shared"))];
    commit(&store, &other, &mut Vec::new(), shared).await;
    for (index, text) in ["own", "own", "shared", "around", "late"]
        .iter()
        .enumerate()
    {
        let entry = succeeded(&format!("each[{index}]/made"), 2, large(text));
        commit(&store, &lease, model, vec![entry]).await;
    }
    let around = vec![succeeded("around", 2, large("around"))];
    commit(&store, &lease, model, around).await;
    assert_eq!(count(&path).await, 4);
    commit(&store, &lease, model, vec![head("each", folded(0, 1, &[]))]).await;
    assert_eq!(count(&path).await, 4, "the second iteration needs it still");
    commit(&store, &lease, model, vec![head("each", folded(0, 4, &[]))]).await;
    assert_eq!(
        count(&path).await,
        3,
        "one went, two are needed elsewhere, one is not folded"
    );
    let (_, entries, _) = store.job(&lease.job).await.unwrap();
    assert_eq!(sorted(&entries), sorted(model));
    store
        .commit(&lease, at(9), with_next(Next::GivenBack))
        .await
        .unwrap();
    let (_, entries, _) = store.job(&other.job).await.unwrap();
    assert_eq!(entries[0].kind, succeeded("made", 2, large("shared")).kind);
}

async fn count(path: &std::path::Path) -> i64 {
    use sqlx::Connection;
    let url = format!("sqlite://{}?mode=ro", path.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::query_scalar("SELECT COUNT(*) FROM large_value")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}
