//! Connections whose saving is cut off: wholly as they were, or wholly as they shall be.

use std::path::{Path, PathBuf};
use std::process::Command;

use recipe_engine::clock::Moment;
use recipe_engine::data::{Secret, digest};
use recipe_engine::names::SecretName;
use recipe_engine::store::{AuditEntry, Saving, Vault, key_beside};
use recipe_engine::workspace::connections_hash;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::disk::pass_over;
use super::house::{House, Vendor, taken, write};

const CALLS: &str = "
title: Calls
trigger: { manual: }
steps: [{ id: read, action: http.get, connection: shop, with: { path: /x } }]
";
const OLD: &str = "Old7-of-the-shop-515253";
const NEW: &str = "New7-of-the-shop-616263";

/// Saves the connection with this address and secret; its status and answer.
async fn save(house: &House, header: &str, url: &str, secret: &str) -> (StatusCode, Value) {
    let token = house.listening.local_token.reveal();
    let request = house.request(Method::PUT, "/api/connections/shop");
    let request = request.bearer_auth(token).header(header, "*");
    let body = json!({
        "connector": "http", "allow_private": true,
        "fields": { "base_url": url, "sign_in": "bearer", "token": secret },
    });
    taken(request.json(&body).send().await.unwrap()).await
}

/// What the next call through the connection sends.
async fn sent(house: &House, vendor: &Vendor) -> String {
    let job = house.run("calls", json!({})).await;
    let asked = vendor.asked().await;
    let text = asked.text.clone();
    asked.answer("{}").await;
    assert_eq!(house.settled(&job).await["status"], "succeeded");
    text
}

/// A file that cannot be replaced, if this machine lets us have one.
struct Fixed(PathBuf);

impl Fixed {
    fn of(path: &Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.arg("--bind").args([path, path]);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(path.to_owned()));
        }
        pass_over();
        None
    }
}

impl Drop for Fixed {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_cannot_be_written_keeps_its_secret() {
    let vendor = Vendor::open().await;
    let house = House::of(&[("recipes/stories/calls.yaml", CALLS)]).await;
    let (status, answer) = save(&house, "if-none-match", &vendor.url(), OLD).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let file = house.folder.path().join("connections.yaml");
    let before = std::fs::read(&file).unwrap();
    let Some(fixed) = Fixed::of(&file) else {
        return;
    };
    let (_, audit) = house.get("/api/audit").await;
    let elsewhere = "https://elsewhere.example";
    let (status, problem) = save(&house, "if-match", elsewhere, NEW).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    drop(fixed);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert_eq!(house.get("/api/audit").await.1, audit);
    let text = sent(&house, &vendor).await;
    assert!(text.contains(OLD) && !text.contains(NEW), "{text}");
    // Nothing of it comes to light later.
    let folder = house.folder.clone();
    house.engine.shutdown().await;
    let house = House::open(folder).await;
    let text = sent(&house, &vendor).await;
    assert!(text.contains(OLD) && !text.contains(NEW), "{text}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_a_crash_cut_off_is_all_as_it_was_or_all_as_it_shall_be() {
    for is_in_place in [false, true] {
        let (before, after) = (Vendor::open().await, Vendor::open().await);
        let house = House::of(&[("recipes/stories/calls.yaml", CALLS)]).await;
        let (status, answer) = save(&house, "if-none-match", &before.url(), OLD).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        let file = house.folder.path().join("connections.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replace(&before.url(), &after.url());
        // This is how far it gets before the file is in its place.
        let entry = AuditEntry {
            at: Moment(1),
            by: "ada".to_owned(),
            action: "connection_saved".to_owned(),
            subject: "connection:shop".to_owned(),
            detail: Value::Null,
        };
        let saving = Saving {
            file: digest(text.as_bytes()),
            entry,
            secrets: vec![(SecretName::new("shop.token").unwrap(), Secret::new(NEW))],
        };
        house.engine.store().begin_saving(saving).await.unwrap();
        let sent_meanwhile = sent(&house, &before).await;
        assert!(sent_meanwhile.contains(OLD), "{sent_meanwhile}");
        let folder = house.folder.clone();
        house.engine.shutdown().await;
        if is_in_place {
            write(folder.path(), "connections.yaml", &text);
        }
        let (vendor, secret) = match is_in_place {
            true => (&after, NEW),
            false => (&before, OLD),
        };
        // Whoever looks before a server starts sees the same.
        let database = folder.path().join("data/recipes.db");
        let now = connections_hash(folder.path());
        let vault = Vault::read(&database, &key_beside(&database), &now)
            .await
            .unwrap();
        let seen = vault.get(&SecretName::new("shop.token").unwrap()).unwrap();
        assert_eq!(seen.reveal(), secret);
        let house = House::open(folder).await;
        let text = sent(&house, vendor).await;
        assert!(text.contains(secret), "{text}");
        let (_, audit) = house.get("/api/audit?subject=connection:shop").await;
        let by: Vec<_> = audit["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["by"])
            .collect();
        assert_eq!(by.contains(&&json!("ada")), is_in_place, "{audit}");
        house.engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_waits_is_finished_before_a_connection_is_saved() {
    let house = House::at_rest(&[]).await;
    let path = "recipes/stories/more.yaml";
    let text = "title: More\ntrigger: { manual: }\nsteps: [{ log: hi }]\n";
    let waiting = json!({
        "name": "a", "files": [{ "path": path, "before": null, "after": text }],
    });
    let list = "recipes/.change/list.json";
    write(house.folder.path(), list, &waiting.to_string());
    let (status, answer) = save(&house, "if-none-match", "https://a.example", NEW).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let found = std::fs::read_to_string(house.folder.path().join(path)).unwrap();
    assert_eq!(found, text);
    assert!(!house.folder.path().join(list).exists());
    house.engine.shutdown().await;
}
