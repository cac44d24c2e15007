//! Learning plans. In: searches, ids, and who asks for which extra fields. Out: plans, their
//! courses and their learners. Always true: without `extra_fields[]` a plan enrollment shows
//! neither status nor completion.

use serde_json::{Value, json};

use super::call::Call;
use super::fields;
use super::paging;
use super::progress::Cause;
use super::reply::{Answer, Refusal};
use super::rows::{Plan, PlanEnrollment, Status};
use super::state::{Key, State, date_time};
use crate::moment::{Moment, parse_moment};

/// `GET /learningplan/v1/learningplans`.
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    paging::list(call, 200, matching, |state, (id, _)| {
        let plan = state.plans.get(&id)?;
        let learners = state.learners_by_plan.get(&id).map_or(0, |ids| ids.len());
        Some(json!({
            "learning_plan_id": id,
            "uuid": plan.uuid,
            "code": plan.code,
            "title": plan.title,
            "thumbnail_url": "",
            "price": Value::Null,
            "credits": 0,
            "is_published": plan.is_published,
            "is_publishable": true,
            "assigned_courses_count": plan.courses.len() + plan.optional_courses.len(),
            "assigned_enrollments_count": learners,
            "assigned_catalogs_count": 0,
            "assigned_channels_count": 0,
            "created_on": plan.updated_at.map(|at| date_time(at.0)),
            "updated_on": plan.updated_at.map(|at| date_time(at.0)),
        }))
    })
}

fn matching(call: &Call<'_>) -> Result<Vec<Key>, Refusal> {
    let search = call.params.one("search_text").map(str::to_lowercase);
    let wanted = fields::filters(&call.params);
    let is_kept = |plan: &&Plan| {
        let texts = [&plan.title, &plan.code];
        search
            .as_ref()
            .is_none_or(|s| texts.iter().any(|t| t.to_lowercase().contains(s)))
            && fields::holds(&plan.fields, &wanted)
    };
    let mut found: Vec<&Plan> = call.state.plans.values().filter(is_kept).collect();
    if call.params.one("sort_attr") == Some("title") {
        found.sort_by_key(|plan| plan.title.to_lowercase());
    }
    if call.params.one("sort_dir") == Some("desc") {
        found.reverse();
    }
    Ok(found.into_iter().map(|plan| (plan.id, 0)).collect())
}

/// `GET /learningplan/v1/learningplans/{id}`.
pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let plan = find(call)?;
    Ok(json!({
        "learning_plan_id": plan.id,
        "uuid": plan.uuid,
        "code": plan.code,
        "title": plan.title,
        "is_published": plan.is_published,
        "additional_fields": fields::values(call.state, "coursepath", &plan.fields),
    }))
}

/// `PUT /learningplan/v1/learningplans/{id}`: title, code and additional fields.
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let mut plan = find(call)?.clone();
    if let Some(title) = call.body_text("title") {
        plan.title = title.to_owned();
    }
    if let Some(code) = call.body_text("code") {
        plan.code = code.to_owned();
    }
    fields::write(call, "coursepath", &mut plan.fields)?;
    plan.updated_at = Some(Moment(call.now));
    let id = plan.id;
    call.state
        .put_plan(plan, call.now)
        .map_err(Refusal::bad_request)?;
    Ok(json!({ "learning_plan_id": id }))
}

/// `GET /learningplan/v1/learningplans/{id}/courses`.
pub(crate) fn courses(call: &mut Call<'_>) -> Answer {
    let plan = find(call)?;
    let id = plan.id;
    let keys = plan
        .courses
        .iter()
        .chain(&plan.optional_courses)
        .map(|course| (*course, id));
    let keys: Vec<Key> = keys.collect();
    paging::list(
        call,
        200,
        |_| Ok(keys),
        |state, (id, plan)| {
            let course = state.courses.get(&id)?;
            let plan = state.plans.get(&plan)?;
            let all = plan.courses.iter().chain(&plan.optional_courses);
            Some(json!({
                "id": id,
                "uid": course.uid,
                "code": course.code,
                "title": course.name,
                "type": course.kind,
                "sequence": all.take_while(|course| **course != id).count() + 1,
                "is_required": plan.courses.contains(&id),
                "is_published": course.status == 2,
                "prerequisites_count": 0,
                "category": Value::Null,
                "language": course.language,
            }))
        },
    )
}

/// `GET /learn/v1/lp`: plans with their courses in few calls.
pub(crate) fn with_courses(call: &mut Call<'_>) -> Answer {
    let shows_courses = call.params.is_on("return_courses");
    paging::list(call, 20, matching, move |state, (id, _)| {
        let plan = state.plans.get(&id)?;
        let mut item = json!({
            "id": id,
            "code": plan.code,
            "name": plan.title,
            "date_last_updated": plan.updated_at.map(|at| date_time(at.0)),
        });
        if shows_courses {
            let courses = plan.courses.iter().chain(&plan.optional_courses);
            item["courses"] = courses
                .map(|course| json!({ "id_course": course }))
                .collect();
        }
        Some(item)
    })
}

/// `GET /learningplan/v1/learningplans/enrollments`.
pub(crate) fn enrollments(call: &mut Call<'_>) -> Answer {
    let asked = call.params.all("extra_fields").to_vec();
    paging::list(
        call,
        200,
        |call| Ok(learners(call)),
        move |state, key| {
            let row = state.plan_enrollments.get(&key)?;
            let plan = state.plans.get(&key.1)?;
            let user = state.users.get(&key.0)?;
            let date = |moment: Option<Moment>| state.date_time(key.0, moment.map(|at| at.0));
            let mut item = json!({
                "learning_plan_id": key.1,
                "learning_plan_code": plan.code,
                "learning_plan_name": plan.title,
                "user_id": key.0,
                "username": user.username,
                "assignment_type": Value::Null,
                "enrollment_created_at": date(row.created_at),
                "enrollment_created_by": row.created_by,
                "enrollment_date_last_updated": date(row.updated_at),
                "enrollment_validity_begin_date": Value::Null,
                "enrollment_validity_end_date": Value::Null,
            });
            let shows = |name: &str| {
                !state.quirks.plan_status_on_request || asked.iter().any(|asked| asked == name)
            };
            for (name, value) in extras(row, &date) {
                if shows(name) {
                    item[name] = value;
                }
            }
            Some(item)
        },
    )
}

fn extras(
    row: &PlanEnrollment,
    date: &dyn Fn(Option<Moment>) -> Value,
) -> [(&'static str, Value); 4] {
    [
        ("enrollment_status", json!(row.status.word("not_started"))),
        ("enrollment_completion_date", date(row.completed_at)),
        ("enrollment_completion_percentage", json!(row.percentage)),
        ("enrollment_time_spent", json!(0)),
    ]
}

fn learners(call: &Call<'_>) -> Vec<Key> {
    let state = &*call.state;
    let (plans, users) = (
        call.params.ints("learning_plan_id"),
        call.params.ints("user_id"),
    );
    let updated_from = call.params.one("updated_from").and_then(parse_moment);
    let mut keys: Vec<Key> = if !users.is_empty() {
        let of_user = |user: &i64| {
            let range = (*user, i64::MIN)..=(*user, i64::MAX);
            state.plan_enrollments.range(range).map(|(key, _)| *key)
        };
        users.iter().flat_map(of_user).collect()
    } else if plans.is_empty() {
        state.plan_enrollments.keys().copied().collect()
    } else {
        let of_plan = |plan: &i64| {
            let learners = state.learners_by_plan.get(plan).into_iter().flatten();
            let plan = *plan;
            learners.map(move |user| (*user, plan))
        };
        plans.iter().flat_map(of_plan).collect()
    };
    keys.retain(|key| {
        let Some(row) = state.plan_enrollments.get(key) else {
            return false;
        };
        (plans.is_empty() || plans.contains(&key.1))
            && updated_from.is_none_or(|from| row.updated_at.is_some_and(|at| at.0 >= from))
    });
    keys
}

/// `GET /learningplan/v1/learningplans/{id}/courses/enrollments`.
pub(crate) fn course_enrollments(call: &mut Call<'_>) -> Answer {
    let plan = find(call)?;
    let id = plan.id;
    let courses = [&plan.courses[..], &plan.optional_courses[..]].concat();
    let wanted = call.params.ints("user_id");
    let learners = call
        .state
        .learners_by_plan
        .get(&id)
        .into_iter()
        .flatten()
        .copied();
    let learners = learners.filter(|user| wanted.is_empty() || wanted.contains(user));
    let keys: Vec<Key> = learners
        .flat_map(|user| courses.iter().map(move |course| (user, *course)))
        .filter(|key| call.state.enrollments.contains_key(key))
        .collect();
    paging::list(
        call,
        200,
        |_| Ok(keys),
        |state: &State, key| {
            let row = state.enrollments.get(&key)?;
            let course = state.courses.get(&key.1)?;
            let date = state.date_time(key.0, row.completed_at.map(|at| at.0));
            Some(json!({
                "course_id": key.1,
                "course_code": course.code,
                "course_name": course.name,
                "user_id": key.0,
                "enrollment_status": row.status.word("enrolled"),
                "enrollment_completion_date": date,
            }))
        },
    )
}

/// `POST /learningplan/v1/learningplans/{id}/enrollments/{user}`.
pub(crate) fn enroll(call: &mut Call<'_>) -> Answer {
    let key = (call.id("user")?, find(call)?.id);
    let cause = cause(call);
    call.state
        .enroll_in_plan(key, cause)
        .map_err(Refusal::bad_request)?;
    Ok(json!({ "learning_plan_id": key.1, "user_id": key.0, "status": "subscribed" }))
}

/// `DELETE /learningplan/v1/learningplans/{id}/enrollments/{user}`: the courses stay.
pub(crate) fn unenroll(call: &mut Call<'_>) -> Answer {
    let key = (call.id("user")?, find(call)?.id);
    if call.state.plan_enrollments.remove(&key).is_none() {
        return Err(Refusal::not_found("Enrollment", key.0));
    }
    if let Some(learners) = call.state.learners_by_plan.get_mut(&key.1) {
        learners.remove(&key.0);
    }
    Ok(json!({ "learning_plan_id": key.1, "user_id": key.0 }))
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Plan, Refusal> {
    let id = call.id("id")?;
    call.state
        .plans
        .get(&id)
        .ok_or_else(|| Refusal::not_found("Learning plan", id))
}

fn cause(call: &Call<'_>) -> Cause {
    Cause {
        caller: call.caller,
        now: call.now,
        is_batch: false,
        trigger_certifications: true,
    }
}

/// A plan that a learner has completed, for the control surface.
pub(crate) fn is_completed(state: &State, key: Key) -> bool {
    state
        .plan_enrollments
        .get(&key)
        .is_some_and(|row| row.status == Status::Completed)
}
