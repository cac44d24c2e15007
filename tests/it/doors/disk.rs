//! A full disk: what cannot be kept is not accepted, and what was accepted is kept.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use recipe_engine::server::Engine;
use recipe_engine::settings::Settings;
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
    fn mount(path: &'a Path) -> Option<Self> {
        std::fs::create_dir_all(path).ok()?;
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
            .arg(path);
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        is_mounted.then_some(Self(path))
    }
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
    let Some(_disk) = SmallDisk::mount(&data) else {
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
