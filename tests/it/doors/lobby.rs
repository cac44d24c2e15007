//! Strangers at the door: what costs the server something before anybody signed in.

use std::sync::Arc;
use std::time::Duration;

use recipe_engine::api::Bounds;
use recipe_engine::settings::Settings;
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::house::{House, taken, workspace};

const CONNECTIONS: &str = "
connections:
  sender: { connector: webhook_basic, username: vendor, password: { file: secret } }
  token: { connector: webhook_token, token: { file: secret } }
  signed: { connector: webhook_hmac, secret: { file: secret }, header: X-Hub }
";

/// `vendor:s3cret` in base64.
const RIGHT: &str = "Authorization: Basic dmVuZG9yOnMzY3JldA==";

/// Longer than anything here takes; only a server that does not answer at all comes to it.
const FOR_EVER: Duration = Duration::from_secs(60);

async fn house(bounds: Bounds) -> House {
    let recipe = |auth: &str| {
        format!("title: T\ntrigger: {{ webhook: {{ auth: {auth} }} }}\nsteps: [{{ log: hello }}]\n")
    };
    let folder = workspace(&[
        ("connections.yaml", CONNECTIONS),
        ("recipes/stories/basic.yaml", &recipe("{ basic: sender }")),
        ("recipes/stories/token.yaml", &recipe("{ token: token }")),
        ("recipes/stories/signed.yaml", &recipe("{ hmac: signed }")),
        ("recipes/stories/open.yaml", &recipe("none")),
    ]);
    let settings = Settings {
        bounds,
        ..Settings::private(folder.path())
    };
    House::with(Arc::new(folder), settings).await
}

/// A connection that says exactly what a story wants.
struct Wire(TcpStream);

impl Wire {
    async fn to(house: &House) -> Self {
        Self(TcpStream::connect(house.listening.address).await.unwrap())
    }

    async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// The head of a delivery to a recipe, with more header lines.
    async fn head(&mut self, recipe: &str, lines: &[&str]) {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        self.say(&format!(
            "POST /webhooks/stories/{recipe} HTTP/1.1\r\nHost: here\r\n{lines}\r\n"
        ))
        .await;
    }

    /// The status of the next answer, whose body is read too; `None` if the connection is closed.
    async fn status(&mut self) -> Option<u16> {
        let mut text = String::new();
        let mut bytes = [0; 4096];
        while !is_whole(&text) {
            let read = tokio::time::timeout(FOR_EVER, self.0.read(&mut bytes)).await;
            let count = read.expect("the server says nothing").unwrap_or(0);
            if count == 0 {
                return None;
            }
            text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
        text.split(' ').nth(1)?.parse().ok()
    }
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length: ")?
            .parse::<usize>()
            .ok()
    });
    body.len() >= length.unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_come_in_is_told_before_the_body_is_read() {
    let house = house(Bounds::default()).await;
    let large = format!("Content-Length: {}", 10 * 1024 * 1024 + 1);
    let small = "Content-Length: 1000";
    let cases = [
        ("nothing", vec![small], 404),
        ("basic", vec![small], 401),
        ("basic", vec![small, "Authorization: Basic eDp5"], 401),
        ("basic", vec![&large, RIGHT], 413),
        ("basic", vec![small, RIGHT], 100),
        ("token", vec![small, "Authorization: Bearer guess"], 401),
        ("token", vec![small, "Authorization: Bearer s3cret"], 100),
        ("signed", vec![small], 401),
        ("signed", vec![small, "X-Hub: 00"], 100),
        ("open", vec![&large], 413),
        ("open", vec![small], 100),
    ];
    for (recipe, mut lines, expected) in cases {
        lines.push("Expect: 100-continue");
        let mut wire = Wire::to(&house).await;
        wire.head(recipe, &lines).await;
        assert_eq!(wire.status().await, Some(expected), "{recipe} {lines:?}");
    }
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_bodies_together_take_no_more_than_there_is_room_for() {
    let bounds = Bounds {
        bodies_bytes: 1000,
        ..Bounds::default()
    };
    let house = house(bounds).await;
    let send = async |bytes: usize| {
        let body = format!("\"{}\"", " ".repeat(bytes - 2));
        let request = house.request(Method::POST, "/webhooks/stories/open");
        taken(request.body(body).send().await.unwrap()).await
    };
    let (status, problem) = send(1001).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    for _ in 0..3 {
        // What was taken in gives its room back.
        assert_eq!(send(900).await.0, StatusCode::ACCEPTED);
    }

    // Of two that come at the same moment either may find no room, so it is tried again.
    let mut slow = None;
    for _ in 0..200 {
        let mut wire = Wire::to(&house).await;
        wire.head("open", &["Content-Length: 800"]).await;
        wire.say(&format!("\"{}", " ".repeat(699))).await;
        for _ in 0..50 {
            if send(400).await.0 == StatusCode::SERVICE_UNAVAILABLE {
                slow = Some(wire);
                break;
            }
        }
        if slow.is_some() {
            break;
        }
    }
    let mut slow = slow.expect("there is room without end");
    slow.say(&format!("{}\"", " ".repeat(99))).await;
    assert_eq!(slow.status().await, Some(202));
    assert_eq!(send(400).await.0, StatusCode::ACCEPTED);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_more_is_not_waited_for() {
    let short = Duration::from_millis(50);
    let heads = Bounds {
        head_within: short,
        ..Bounds::default()
    };
    let in_all = Bounds {
        body_within: short,
        ..Bounds::default()
    };
    let silence = Bounds {
        silence_max: short,
        ..Bounds::default()
    };
    for (bounds, said, expected) in [
        (heads, "POST /webhooks/stories/open HTTP/1.1\r\nHost", None),
        (heads, "", None),
        (in_all, "half a", Some(408)),
        (silence, "half a", Some(408)),
    ] {
        let house = house(bounds).await;
        let mut wire = Wire::to(&house).await;
        if expected.is_some() {
            wire.head("open", &["Content-Length: 100"]).await;
        }
        wire.say(said).await;
        assert_eq!(wire.status().await, expected, "{said}");
        house.engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_more_connections_than_there_may_be() {
    let bounds = Bounds {
        connections: 1,
        ..Bounds::default()
    };
    let house = house(bounds).await;
    let mut first = Wire::to(&house).await;
    let mut second = Wire::to(&house).await;
    for wire in [&mut second, &mut first] {
        wire.head("open", &["Content-Length: 2"]).await;
        wire.say("{}").await;
    }
    assert_eq!(first.status().await, Some(202));
    for _ in 0..20 {
        first.head("open", &["Content-Length: 2"]).await;
        first.say("{}").await;
        assert_eq!(first.status().await, Some(202));
    }
    let none = second.0.try_read(&mut [0; 100]).unwrap_err();
    assert_eq!(none.kind(), std::io::ErrorKind::WouldBlock);
    // Its turn comes once the first has gone.
    drop(first);
    assert_eq!(second.status().await, Some(202));
    drop(second);
    house.engine.shutdown().await;
}
