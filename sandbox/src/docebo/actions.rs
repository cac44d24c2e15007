//! What people do in the tenant's own pages, for tests and demos. In: an action and its input. Out:
//! what came of it. Always true: the webhooks hear of it as they would of the real thing.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::certifications::revoke_award;
use super::oauth::user_named;
use super::plans::is_completed;
use super::progress::{Cause, Change};
use super::rows::{Association, Status};
use super::state::State;
use crate::moment::Moment;

/// The actions there are, for the error of an unknown one.
const ACTIONS: &str = "complete_course, enroll, enroll_in_plan, award_certification, \
                       update_certification, revoke_certification";

pub(super) fn act(
    state: &mut State,
    action: &str,
    input: Value,
    now: i64,
) -> Result<Value, String> {
    let cause = Cause {
        caller: 0,
        now,
        is_batch: false,
        trigger_certifications: true,
    };
    match action {
        "complete_course" => complete_course(state, read(input)?, cause),
        "enroll" => {
            let (user, course) = read::<Learner>(input)?.find(state)?;
            let is_new = state.enroll((user, course), Change::default(), cause)?;
            Ok(json!({ "user_id": user, "course_id": course, "is_new": is_new }))
        }
        "enroll_in_plan" => {
            let input: PlanLearner = read(input)?;
            let key = (input.user_id, input.learning_plan_id);
            let is_new = state.enroll_in_plan(key, cause)?;
            Ok(json!({ "user_id": key.0, "learning_plan_id": key.1, "is_new": is_new }))
        }
        "award_certification" => award_certification(state, read(input)?, now),
        "update_certification" => update_certification(state, read(input)?, now),
        "revoke_certification" => revoke_certification(state, &read(input)?, now),
        other => Err(format!("no action `{other}`; there are {ACTIONS}")),
    }
}

/// A learner and a course, each by id or by name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Learner {
    user_id: Option<i64>,
    username: Option<String>,
    course_id: Option<i64>,
    course_code: Option<String>,
    completed_at: Option<Moment>,
}

impl Learner {
    fn find(&self, state: &State) -> Result<(i64, i64), String> {
        let named = || user_named(state, self.username.as_deref()?);
        let user = self
            .user_id
            .or_else(named)
            .filter(|id| state.users.contains_key(id));
        let coded = || {
            state
                .courses_by_code
                .get(self.course_code.as_deref()?)
                .copied()
        };
        let course = self
            .course_id
            .or_else(coded)
            .filter(|id| state.courses.contains_key(id));
        Ok((
            user.ok_or("no such user; send `user_id` or `username`")?,
            course.ok_or("no such course; send `course_id` or `course_code`")?,
        ))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanLearner {
    user_id: i64,
    learning_plan_id: i64,
}

/// Enrolls first when the user is not enrolled. An earlier completion is completed once more, so
/// that a demo can be run twice.
fn complete_course(state: &mut State, input: Learner, cause: Cause) -> Result<Value, String> {
    let (user, course) = input.find(state)?;
    let key = (user, course);
    let was_completed = state
        .enrollments
        .get(&key)
        .is_some_and(|row| row.status == Status::Completed);
    if was_completed && let Some(row) = state.enrollments.get_mut(&key) {
        row.status = Status::InProgress;
    }
    let change = Change {
        status: Some(Status::Completed),
        completed_at: input.completed_at,
        ..Change::default()
    };
    state.enroll(key, change, cause)?;
    let plans = state
        .plans_by_course
        .get(&course)
        .into_iter()
        .flatten()
        .copied();
    let plans: Vec<i64> = plans
        .filter(|plan| is_completed(state, (user, *plan)))
        .collect();
    Ok(json!({
        "user_id": user,
        "username": state.users.get(&user).map(|user| &user.username),
        "email": state.users.get(&user).map(|user| &user.email),
        "course_id": course,
        "course_name": state.courses.get(&course).map(|course| &course.name),
        "was_completed_before": was_completed,
        "completed_learning_plans": plans,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AwardInput {
    user_id: i64,
    certification_id: Option<i64>,
    certification_code: Option<String>,
    issued_at: Option<Moment>,
    expires_at: Option<Moment>,
    #[serde(default)]
    association: Association,
}

impl AwardInput {
    fn certification(&self, state: &State) -> Result<i64, String> {
        let by_code = || {
            let code = self.certification_code.as_ref()?;
            let found = state.certifications.values().find(|row| row.code == *code);
            found.map(|row| row.id)
        };
        let id = self.certification_id.or_else(by_code);
        id.ok_or_else(|| "send `certification_id`, or a known `certification_code`".to_owned())
    }
}

fn award_certification(state: &mut State, input: AwardInput, now: i64) -> Result<Value, String> {
    let key = (input.user_id, input.certification(state)?);
    let issued_at = input.issued_at.map_or(now, |at| at.0);
    let expires_at = input.expires_at.map(|at| Some(at.0));
    let id = state.award(key, issued_at, expires_at, input.association, now)?;
    Ok(json!({ "award_id": id }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AwardChange {
    award_id: i64,
    issued_at: Option<Moment>,
    expires_at: Option<Moment>,
}

fn update_certification(state: &mut State, input: AwardChange, now: i64) -> Result<Value, String> {
    let award = state.awards.get_mut(&input.award_id);
    let award = award.ok_or_else(|| format!("there is no award {}", input.award_id))?;
    award.issued_at = input.issued_at.or(award.issued_at);
    award.expires_at = input.expires_at.or(award.expires_at);
    state.tell_award("certification.updated", input.award_id, now);
    Ok(json!({ "award_id": input.award_id }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    award_id: Option<i64>,
    user_id: Option<i64>,
    certification_id: Option<i64>,
}

fn revoke_certification(state: &mut State, input: &Revocation, now: i64) -> Result<Value, String> {
    let held = || {
        let ids = state.awards_by_user.get(&input.user_id?)?;
        ids.iter().copied().rev().find(|id| {
            let award = state.awards.get(id);
            award.is_some_and(|a| !a.archived && Some(a.certification) == input.certification_id)
        })
    };
    let id = input.award_id.or_else(held);
    let id = id.ok_or("no such award; send `award_id`, or `user_id` and `certification_id`")?;
    if !revoke_award(state, id, now) {
        return Err(format!("award {id} is not there or archived already"));
    }
    Ok(json!({ "award_id": id }))
}

fn read<T: DeserializeOwned>(input: Value) -> Result<T, String> {
    let input = if input.is_null() { json!({}) } else { input };
    serde_json::from_value(input).map_err(|error| error.to_string())
}
