//! A person wants a stored event taken in once more.
//!
//! In: the number of a stored event. Out: new jobs, whatever is known of the event already.
//! Always true: the event is split as the recipe says now; the jobs run whether the recipe is
//! started or not, as everything that a person runs; the event remembers who did it.

use serde_json::json;

use crate::compile::Trigger;
use crate::names::{JobId, RecipeName};
use crate::store::StoreError;

use super::webhook::root;
use super::{Delivered, Intake, Made, Refusal, body, sign_in, split, take_in};

/// Makes new jobs of a stored event; answers its recipe and them.
pub async fn replay(
    intake: &Intake,
    event: i64,
    by: &str,
) -> Result<(RecipeName, Vec<JobId>), Refusal> {
    if *intake.is_stopping.borrow() {
        return Err(Refusal::later("the server is stopping"));
    }
    let stored = intake.store.event(event).await.map_err(gone)?;
    let recipe = stored.event.recipe;
    let Some(program) = intake.shelf.program(&recipe) else {
        return Err(Refusal::Conflict(format!(
            "the recipe `{recipe}` that event {event} came for is gone or has errors; mend it, then \
             replay the event"
        )));
    };
    let Trigger::Webhook(webhook) = &program.root().trigger else {
        return Err(Refusal::Conflict(format!(
            "the recipe `{recipe}` that event {event} came for has no webhook any more"
        )));
    };
    let headers = stored.payload.headers.as_object();
    let kind = headers.and_then(|headers| sign_in::text(headers, "content-type"));
    let body = body::read(&stored.payload.body, kind)?;
    let now = intake.clock.now();
    let delivery = root(body, &stored.payload);
    let made = Made {
        split: split::events(webhook, delivery, now, &program.root().timezone).all_new(),
        recipe: recipe.clone(),
        input: json!({}),
        delivered: Some(Delivered::Again {
            event,
            by: by.to_owned(),
        }),
        started_by: format!("person:{by}"),
        needs_started_recipe: false,
    };
    let jobs = take_in(intake, made).await?;
    Ok((recipe, jobs.into_iter().map(|(id, _)| id).collect()))
}

/// An event that is not there is the asker's mistake, any other trouble is ours.
fn gone(error: StoreError) -> Refusal {
    match error {
        StoreError::NotFound(what) => Refusal::Unknown(format!(
            "there is no {what}; it may have gone with the history of its jobs"
        )),
        other => other.into(),
    }
}
