//! A full disk: what cannot be kept is not accepted, and what was accepted is kept.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use recipe_engine::clock::Moment;
use recipe_engine::names::RecipeName;
use recipe_engine::server::Engine;
use recipe_engine::settings::Settings;
use recipe_engine::store::Store;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::house::{House, taken, workspace};

const HOOK: &str = "
title: Hook
trigger: { webhook: { auth: none } }
steps: [{ return: { size: \"{{length trigger.body.text}}\" } }]
";

/// A small file system of its own, if this machine lets us make one.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(path: &'a Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(path).ok()?;
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(path);
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        if is_mounted {
            return Some(Self(path));
        }
        pass_over();
        None
    }
}

/// Says that a story was not told. Where whoever checks everything might mount, it fails instead.
pub(super) fn pass_over() {
    let who = Command::new("id").arg("-u").output();
    let is_root = who.is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let is_gate = std::env::var_os("CI").is_some();
    assert!(
        !(is_gate && is_root),
        "no small disk can be mounted, so that a full one is not tried"
    );
    // Written past the test's own output, which nobody sees of a test that passes.
    let line = "\nPASSED OVER: a full disk is not tried, because no disk can be mounted here\n";
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_loses_nothing() {
    let folder = Arc::new(workspace(&[("recipes/stories/hook.yaml", HOOK)]));
    let data = folder.path().join("data");
    let Some(_disk) = SmallDisk::mount(&data, "3m") else {
        // Without the right to mount there is no disk to fill; the store's own suite has the rest.
        return;
    };
    let house = House::open(folder.clone()).await;
    let send = async |text: String| {
        let request = house
            .request(Method::POST, "/webhooks/stories/hook")
            .json(&json!({ "text": text }));
        request.send().await.unwrap()
    };
    let mut accepted = 0;
    let refused = loop {
        // Text that does not compress to nothing.
        let text: String = (0..3_000)
            .map(|_| uuid::Uuid::new_v4().to_string())
            .collect();
        let answer = send(text).await;
        if answer.status() != StatusCode::ACCEPTED {
            break answer;
        }
        accepted += 1;
        assert!(accepted < 1_000, "the disk never filled");
    };
    assert!(refused.headers().contains_key("retry-after"));
    let (status, problem) = taken(refused).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    assert!(accepted > 0);
    let (status, list) = house.get("/api/jobs?limit=500").await;
    assert_eq!(status, StatusCode::OK, "looking still works");
    assert_eq!(list["jobs"].as_array().unwrap().len(), accepted);
    house.engine.shutdown().await;

    // With room again, all that was accepted is there and goes on.
    let mut remount = Command::new("mount");
    remount.args(["-o", "remount,size=64m"]).arg(&data);
    assert!(remount.output().unwrap().status.success());
    let engine = Engine::open(Settings::private(folder.path()))
        .await
        .unwrap();
    assert_eq!(
        engine.store().queue_length().await.unwrap(),
        accepted as u64
    );
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_disk_that_is_nearly_full_old_history_still_goes() {
    let folder = Arc::new(workspace(&[("recipes/stories/hook.yaml", HOOK)]));
    let data = folder.path().join("data");
    let Some(_disk) = SmallDisk::mount(&data, "64m") else {
        return;
    };
    let file = data.join("recipes.db");
    let store = Store::open(&file).await.unwrap();
    let recipe = RecipeName::new("stories/hook").unwrap();
    let long_ago = Moment(1_600_000_000_000_000);
    store.fill_history(&recipe, 8_000, long_ago).await.unwrap();
    store.close().await;
    leave_free(&data.join("ballast"), 8 << 20);

    let before = std::fs::metadata(&file).unwrap().len();
    let house = House::open(folder.clone()).await;
    let mut jobs = 0;
    loop {
        let (status, pruned) = house
            .post("/api/history/prune", json!({ "older_than": "1d" }))
            .await;
        assert_eq!(status, StatusCode::OK, "{pruned}");
        jobs += pruned["jobs"].as_u64().unwrap();
        if pruned["is_done"] == true {
            break;
        }
    }
    assert_eq!(jobs, 8_000);
    let after = std::fs::metadata(&file).unwrap().len();
    assert!(after < before / 2, "{before} bytes, then {after}");
    house.engine.shutdown().await;
}

/// What a stranger learns of whether the server can take work.
async fn readiness(house: &House) -> (StatusCode, String) {
    let request = house.request(Method::GET, "/readyz");
    let (status, answer) = taken(request.send().await.unwrap()).await;
    (status, answer["detail"].as_str().unwrap_or_default().into())
}

const NOT_READY: &str = "the database cannot be used at the moment; the server's log says why";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_write_is_not_ready() {
    let folder = Arc::new(workspace(&[]));
    let data = folder.path().join("data");
    let Some(_disk) = SmallDisk::mount(&data, "16m") else {
        return;
    };
    let house = House::open(folder.clone()).await;
    let ballast = data.join("ballast");
    leave_free(&ballast, 0);
    // The log has room of its own, which is used up first.
    let store = house.engine.store();
    let mut writes = 0;
    while store.check_writing().await.is_ok() {
        writes += 1;
        assert!(writes < 5_000, "nothing is written at all");
    }
    let (status, said) = readiness(&house).await;
    assert_eq!((status.as_u16(), said.as_str()), (503, NOT_READY));
    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(readiness(&house).await.0, StatusCode::OK);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_not_told_what_is_wrong_with_the_database() {
    let house = House::of(&[]).await;
    house.engine.store().close().await;
    let (status, said) = readiness(&house).await;
    assert_eq!((status.as_u16(), said.as_str()), (503, NOT_READY));
    house.engine.shutdown().await;
}

/// Fills a disk but for so many bytes.
fn leave_free(ballast: &Path, bytes: u64) {
    let mut file = std::fs::File::create(ballast).unwrap();
    let block = [7_u8; 64 * 1024];
    while std::io::Write::write_all(&mut file, &block).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(bytes)).unwrap();
}
