//! Files that are just being written, while somebody changes others over the API.
//!
//! Always true: where files rest is told by their times, which the stories set; no story waits for one
//! to be written.

use std::fs;
use std::time::{Duration, Instant};

use recipe_engine::clock::Clock;
use recipe_engine::names::RecipeName;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, taken, write_at};
use super::upgrading::{FILES, MINE};

const NOTE: &str = "title: Note\ntrigger: { manual: }\nsteps: [{ log: hi }]\n";

/// Writes a file of which nothing says that it rests: its time is still to come.
fn write_now(house: &House, path: &str, text: &str) {
    let at = Clock::real(1.0).now().after(Duration::from_secs(3_600));
    write_at(house.folder.path(), path, text, at);
}

async fn save_connection(house: &House, name: &str) {
    let token = house.listening.local_token.reveal();
    let path = format!("/api/connections/{name}");
    let request = house.request(Method::PUT, &path).bearer_auth(token);
    let body = json!({ "connector": "http", "fields": { "base_url": "https://a.example" } });
    let answer = request.header("if-none-match", "*").json(&body).send();
    let (status, answer) = taken(answer.await.unwrap()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

async fn clone(house: &House, name: &str) -> Value {
    let wish = json!({ "as": name });
    let (status, answer) = house.post("/api/projects/news/clone", wish).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_is_writing_does_not_count_with_the_change_of_another() {
    let mut files = FILES.to_vec();
    files.push(("recipes/stories/note.yaml", NOTE));
    files.push(("recipes/stories/gone.yaml", NOTE));
    let house = House::at_rest(&files).await;
    let title = |name: &str| {
        let name = RecipeName::of("stories", name).unwrap();
        house.engine.shelf().one(&name).map(|one| one.title)
    };
    let edited = NOTE.replace("title: Note", "title: Half");
    write_now(&house, "recipes/stories/note.yaml", &edited);
    write_now(&house, "recipes/stories/new.yaml", &edited);
    fs::remove_file(house.folder.path().join("recipes/stories/gone.yaml")).unwrap();
    let check = || {
        assert_eq!(title("note").as_deref(), Some("Note"));
        assert_eq!(title("gone").as_deref(), Some("Note"));
        assert_eq!(title("new"), None);
    };
    clone(&house, "acme").await;
    check();
    save_connection(&house, "shop").await;
    check();
    // What was changed itself counts, and what was held back is still to be taken up.
    let name = RecipeName::new("acme/send").unwrap();
    assert!(house.engine.shelf().has_file(&name));
    let (_, list) = house.get("/api/connections").await;
    assert!(list.to_string().contains("shop"), "{list}");
    house.engine.take_up_files().await.unwrap();
    assert_eq!(title("note").as_deref(), Some("Half"));
    assert_eq!(title("gone"), None);
    assert_eq!(title("new").as_deref(), Some("Half"));
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_change_is_made_of_is_read_once_it_rests() {
    let house = House::at_rest(&FILES).await;
    let rest = Duration::from_millis(500);
    let text = FILES[1].1.replace("Hello us", "Hello you");
    write_now(&house, FILES[1].0, &text);
    let began = Instant::now();
    clone(&house, "acme").await;
    assert!(began.elapsed() >= rest, "it was not looked at twice");
    assert_eq!(
        fs::read_to_string(house.folder.path().join(MINE)).unwrap(),
        text
    );
    house.engine.take_up_files().await.unwrap();

    write_now(&house, MINE, &text.replace("from: us", "from: me"));
    let began = Instant::now();
    let (status, plan) = house.get("/api/projects/acme/upgrade").await;
    assert_eq!(status, StatusCode::OK, "{plan}");
    assert!(began.elapsed() >= rest, "it was not looked at twice");
    write_now(&house, "connections.yaml", "connections:\n");
    let began = Instant::now();
    save_connection(&house, "shop").await;
    assert!(began.elapsed() >= rest, "it was not looked at twice");
    house.engine.shutdown().await;
}
