//! What a verdict and a broken exchange mean for a call.

use std::time::Duration;

use serde_json::json;

use super::{broken, called};
use crate::connector::{Effect, Page, Trouble, Verdict};
use crate::interpret::Called;

fn shown(called: &Called) -> String {
    match called {
        Called::Done { output } => format!("done {output}"),
        Called::Failed { failure, retry } => format!("failed {} {retry:?}", failure.code),
        Called::Doubtful { failure } => format!("doubtful {}", failure.code),
    }
}

fn trouble() -> Trouble {
    Trouble::new("x", "why")
}

#[test]
fn every_verdict_has_its_end() {
    let page = Verdict::Page {
        items: vec![json!(1)],
        next: Some(Page::default()),
        total: Some(7),
    };
    let Called::Done { output } = called(page) else {
        panic!("a page is a good end");
    };
    assert_eq!(output["items"], json!([1]));
    assert_eq!(output["total"], 7);
    assert!(output["next"].is_object(), "{output}");
    let wait = Duration::from_secs(7);
    for (verdict, end) in [
        (Verdict::Success(json!({ "id": 1 })), r#"done {"id":1}"#),
        (Verdict::Retry(trouble()), "failed x Some(0ns)"),
        (
            Verdict::RetryLater(trouble(), Some(wait)),
            "failed x Some(7s)",
        ),
        (Verdict::RetryLater(trouble(), None), "failed x Some(0ns)"),
        (Verdict::SignInAgainOnce(trouble()), "failed x None"),
        (Verdict::Fail(trouble()), "failed x None"),
        (Verdict::Doubtful(trouble()), "doubtful x"),
    ] {
        assert_eq!(shown(&called(verdict)), end);
    }
}

#[test]
fn what_broke_off_is_in_doubt_or_tried_again() {
    for (effect, end) in [
        (Effect::Read, "failed x Some(0ns)"),
        (Effect::Repeatable, "failed x Some(0ns)"),
        (Effect::Once, "doubtful x"),
    ] {
        assert_eq!(shown(&broken(effect, trouble())), end);
    }
}
