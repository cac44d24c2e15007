//! The history of jobs within its budgets: what goes, what stays, and that the work goes on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use recipe_engine::clock::{Clock, Moment};
use recipe_engine::history::{Budgets, History, Wish};
use recipe_engine::library::{Library, Shelf};
use recipe_engine::names::{JobId, RecipeName};
use recipe_engine::store::{Arrival, JobFilter, Jobs, NewJob, Store};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;

const NOW: Moment = Moment(1_800_000_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);

/// A store in a file, a shelf with some recipes, a clock that stands still.
struct House {
    folder: TempDir,
    store: Arc<Store>,
    shelf: Arc<Shelf>,
    clock: Clock,
    stop: watch::Sender<bool>,
}

impl House {
    async fn of(recipes: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("recipes/tests");
        std::fs::create_dir_all(&project).unwrap();
        std::fs::write(project.join("project.yaml"), "title: T\nversion: 1.0.0\n").unwrap();
        for (name, head) in recipes {
            let text =
                format!("title: T\n{head}\ntrigger: {{ manual: }}\nsteps: [{{ log: hello }}]\n");
            std::fs::write(project.join(format!("{name}.yaml")), text).unwrap();
        }
        let library = Library::read(folder.path()).unwrap();
        let errors: Vec<_> = library
            .diagnostics
            .iter()
            .map(|d| d.message.clone())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        let store = Store::open(&folder.path().join("store.db")).await.unwrap();
        Self {
            folder,
            store: Arc::new(store),
            shelf: Shelf::new(library),
            clock: Clock::test(NOW),
            stop: watch::channel(false).0,
        }
    }

    fn history(&self, budgets: Budgets) -> Arc<History> {
        History::new(
            self.store.clone(),
            self.shelf.clone(),
            self.clock.clone(),
            budgets,
            self.stop.subscribe(),
        )
    }

    /// Jobs that ended this many days ago.
    async fn fill(&self, name: &str, count: u64, days: u32) {
        let ended = Moment(NOW.0 - i64::try_from((DAY * days).as_micros()).unwrap());
        let filled = self.store.fill_history(&recipe(name), count, ended).await;
        filled.unwrap();
    }

    /// How many jobs of a recipe have their history, and how many do not.
    async fn kept(&self, name: &str) -> (usize, usize) {
        let filter = JobFilter {
            recipe: Some(recipe(name)),
            limit: 100_000,
            ..JobFilter::default()
        };
        let jobs = self.store.jobs(&filter).await.unwrap();
        let kept = jobs.iter().filter(|job| job.pruned.is_none()).count();
        (kept, jobs.len() - kept)
    }

    /// The rules that removed history, each once.
    async fn rules(&self) -> Vec<String> {
        let filter = JobFilter {
            limit: 100_000,
            ..JobFilter::default()
        };
        let jobs = self.store.jobs(&filter).await.unwrap();
        let mut rules: Vec<String> = jobs
            .into_iter()
            .filter_map(|job| job.pruned.map(|pruned| pruned.rule))
            .collect();
        rules.sort();
        rules.dedup();
        rules
    }
}

fn recipe(name: &str) -> RecipeName {
    RecipeName::new(&format!("tests/{name}")).unwrap()
}

fn days(days: u32) -> Budgets {
    Budgets {
        age: Some(DAY * days),
        ..Budgets::UNBOUNDED
    }
}

fn file_bytes(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

#[tokio::test]
async fn a_recipe_has_its_own_days_and_the_others_those_of_the_settings() {
    let house = House::of(&[
        ("usual", ""),
        ("brief", "retention: 2d"),
        ("long", "retention: { age: 365d }"),
    ])
    .await;
    for name in ["usual", "brief", "long", "removed"] {
        house.fill(name, 3, 40).await;
        house.fill(name, 3, 10).await;
    }
    let swept = house.history(days(30)).sweep().await.unwrap();
    assert_eq!((swept.jobs, swept.is_done), (12, true));
    assert_eq!(house.kept("usual").await, (3, 3));
    assert_eq!(house.kept("brief").await, (0, 6));
    assert_eq!(house.kept("long").await, (6, 0));
    assert_eq!(
        house.kept("removed").await,
        (3, 3),
        "a recipe without a file"
    );
    assert_eq!(
        house.rules().await,
        [
            "it ended more than 2d ago (`retention` of the recipe)",
            "it ended more than 30d ago (setting `history_age`)",
        ]
    );
    let again = house.history(days(30)).sweep().await.unwrap();
    assert_eq!(again.jobs, 0);
}

#[tokio::test]
async fn the_oldest_goes_until_the_bytes_are_kept() {
    let house = House::of(&[("small", "retention: { size_mib: 1 }"), ("free", "")]).await;
    house.fill("small", 1_000, 1).await;
    house.fill("free", 1_000, 3).await;
    // About 2.5 KB a job: 1 MiB is about 400 of them.
    house.history(Budgets::UNBOUNDED).sweep().await.unwrap();
    let (kept, pruned) = house.kept("small").await;
    assert!((300..500).contains(&kept), "{kept} kept, {pruned} pruned");
    assert_eq!(house.kept("free").await, (1_000, 0));

    let used = house.store.space().await.unwrap().used_bytes();
    let budget = used / 2;
    let overall = Budgets {
        bytes: Some(budget),
        ..Budgets::UNBOUNDED
    };
    let swept = house.history(overall.clone()).sweep().await.unwrap();
    assert!(swept.is_done && !swept.is_over);
    assert!(swept.after.used_bytes() <= budget);
    let (free, _) = house.kept("free").await;
    assert!(free < 1_000 && free + kept > 100, "{free}, {kept}");
    let again = house.history(overall).sweep().await.unwrap();
    assert_eq!(again.jobs, 0, "there is room before the next time");
}

#[tokio::test]
async fn of_a_recipe_what_is_too_old_goes_before_what_is_too_much() {
    let house = House::of(&[
        ("both", "retention: { age: 30d, size_mib: 1 }"),
        ("free", ""),
    ])
    .await;
    // About 2.5 KB a job: 300 of them fit, once those that are too old are gone.
    house.fill("both", 150, 1).await;
    house.fill("both", 300, 40).await;
    house.fill("both", 150, 2).await;
    house.fill("free", 50, 40).await;
    let history = house.history(Budgets::UNBOUNDED);
    let plan = history.plan(&Wish::default()).await.unwrap();
    let swept = history.sweep().await.unwrap();
    assert_eq!((plan.jobs, swept.jobs), (300, 300), "planned as it is done");
    assert_eq!(house.kept("both").await, (300, 300));
    assert_eq!(house.kept("free").await, (50, 0));
    let rules = house.rules().await;
    assert_eq!(
        rules,
        ["it ended more than 30d ago (`retention` of the recipe)"]
    );
    house.fill("both", 1_000, 1).await;
    let plan = history.plan(&Wish::default()).await.unwrap();
    let swept = history.sweep().await.unwrap();
    assert_eq!(plan.jobs, swept.jobs);
    assert!((700..1_100).contains(&swept.jobs), "{}", swept.jobs);
}

#[tokio::test]
async fn the_file_shrinks() {
    let house = House::of(&[("usual", "")]).await;
    house.fill("usual", 4_000, 40).await;
    let path = house.folder.path().join("store.db");
    house.store.work_log_in().await.unwrap();
    let before = file_bytes(&path);
    assert!(before > 8 << 20, "{before}");
    let swept = house.history(days(30)).sweep().await.unwrap();
    assert_eq!(swept.jobs, 4_000);
    assert_eq!(swept.after.free_bytes, 0, "all free room was given back");
    assert!(file_bytes(&path) < before / 4, "{}", file_bytes(&path));
    assert_eq!(
        house.kept("usual").await,
        (0, 4_000),
        "a line of each stays"
    );
}

#[tokio::test]
async fn a_plan_says_what_would_go_and_a_wish_what_goes() {
    let house = House::of(&[("long", "retention: 365d")]).await;
    house.fill("long", 100, 40).await;
    house.fill("long", 100, 10).await;
    let history = house.history(days(30));
    let wish = |older_than: Option<u32>, to_bytes| Wish {
        older_than: older_than.map(|days| DAY * days),
        to_bytes,
        by: "ada".into(),
    };
    assert_eq!(history.plan(&wish(None, None)).await.unwrap().jobs, 0);
    let plan = history.plan(&wish(Some(20), None)).await.unwrap();
    assert_eq!(plan.jobs, 100);
    assert!((150_000..500_000).contains(&plan.bytes), "{}", plan.bytes);
    assert_eq!(history.plan(&wish(None, Some(0))).await.unwrap().jobs, 200);
    assert_eq!(house.kept("long").await, (200, 0), "a plan changes nothing");
    let patience = Duration::from_secs(60);
    let swept = history
        .prune(&wish(Some(20), None), patience)
        .await
        .unwrap();
    assert_eq!((swept.jobs, swept.is_done), (100, true));
    let swept = history.prune(&wish(None, Some(0)), patience).await.unwrap();
    assert_eq!((swept.jobs, swept.is_over), (100, true));
    assert_eq!(
        house.rules().await,
        [
            "ada removed the oldest, down to 0 B",
            "ada removed what ended more than 20d ago",
        ]
    );
    let swept = history
        .prune(&wish(Some(0), None), Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(swept.jobs, 0);
}

#[tokio::test]
async fn the_loop_keeps_the_days_as_time_goes_on() {
    let house = House::of(&[("usual", "")]).await;
    house.fill("usual", 10, 25).await;
    let history = house.history(days(30));
    let working = tokio::spawn(history.clone().work());
    assert_eq!(history.pruned(), 0);
    while history.pruned() < 10 {
        house.clock.advance(DAY);
        tokio::task::yield_now().await;
    }
    house.stop.send_replace(true);
    working.await.unwrap();
    assert_eq!(house.kept("usual").await, (0, 10));
}

#[tokio::test]
async fn history_goes_in_small_steps() {
    let house = House::of(&[("usual", "")]).await;
    house.fill("usual", 5_000, 40).await;
    let history = house.history(days(30));
    let wish = Wish {
        older_than: Some(DAY),
        to_bytes: None,
        by: "ada".into(),
    };
    // Without any time there is one step all the same: the writer is free after a few jobs.
    for _ in 0..3 {
        let swept = history.prune(&wish, Duration::ZERO).await.unwrap();
        assert!((1..=50).contains(&swept.jobs), "{} at once", swept.jobs);
        assert!(!swept.is_done);
    }
    // With all the time there is, no step is large: each is a commit.
    let before = house.store.counts().commits;
    let swept = history.sweep().await.unwrap();
    let commits = house.store.counts().commits - before;
    assert!(swept.jobs > 4_800 && swept.is_done, "{}", swept.jobs);
    assert!(commits > swept.jobs / 400, "{commits} commits");
}

#[tokio::test]
async fn who_waits_for_little_time_is_answered_whatever_there_is_to_tidy() {
    let house = House::of(&[("usual", "")]).await;
    let long_ago = Moment(NOW.0 - 1);
    let jobs = (0..1_200).map(|number| NewJob {
        id: JobId::fresh(),
        recipe: recipe("usual"),
        event: json!({}),
        input: json!({}),
        started_by: "webhook".into(),
        needs_started_recipe: false,
        dedupe: Some((number.to_string(), long_ago)),
    });
    let arrival = Arrival {
        recipe: recipe("usual"),
        payload: None,
        jobs: jobs.collect(),
        at: Moment(NOW.0 - 2),
    };
    house.store.enqueue(arrival).await.unwrap();
    let history = house.history(days(30));
    let mut is_done = Vec::new();
    while is_done.last() != Some(&true) {
        let swept = history.prune(&Wish::default(), Duration::ZERO).await;
        is_done.push(swept.unwrap().is_done);
    }
    assert!(is_done.len() > 2, "500 keys a time: {is_done:?}");
}

#[tokio::test]
async fn what_is_cut_short_goes_on_where_it_was() {
    let house = House::of(&[("usual", "")]).await;
    house.fill("usual", 3_000, 40).await;
    let history = house.history(days(30));
    let wish = Wish {
        older_than: Some(DAY),
        to_bytes: None,
        by: "ada".into(),
    };
    let mut total = 0;
    let mut rounds = 0;
    loop {
        let swept = history
            .prune(&wish, Duration::from_millis(1))
            .await
            .unwrap();
        total += swept.jobs;
        rounds += 1;
        if swept.is_done {
            break;
        }
    }
    assert_eq!(total, 3_000);
    assert!(rounds > 1);
}
