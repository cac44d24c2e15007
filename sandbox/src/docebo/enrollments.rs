//! Course enrollments, read and written one by one. In: filters, ids and changes. Out: the same
//! rows in the three shapes that the vendor's services have for them.

use serde_json::{Value, json};

use super::call::{Call, int};
use super::paging;
use super::progress::{Cause, Change};
use super::reply::{Answer, Refusal};
use super::rows::{Enrollment, Status};
use super::state::{Key, State};
use crate::moment::{Moment, parse_moment};

/// `GET /course/v1/courses/enrollments`: the list for synchronisation.
pub(crate) fn course_list(call: &mut Call<'_>) -> Answer {
    let shows_time = call
        .params
        .all("extra_fields")
        .iter()
        .any(|x| x == "enrollment_time_spent");
    paging::list(
        call,
        200,
        |call| {
            Ok(matching(
                call,
                call.params.ints("course_id"),
                "user_id",
                "enrollment_status",
            ))
        },
        move |state, key| {
            let row = state.enrollments.get(&key)?;
            let user = state.users.get(&key.0)?;
            let course = state.courses.get(&key.1)?;
            let mut item = json!({
                "user_id": key.0,
                "username": user.username,
                "course_id": key.1,
                "course_uid": course.uid,
                "course_code": course.code,
                "course_name": course.name,
                "course_type": course.kind,
                "enrollment_status": row.status.word("enrolled"),
                "enrollment_level": row.level,
                "enrollment_created_at": date(state, row, row.created_at),
                "enrollment_created_by": row.created_by,
                "enrollment_date_last_updated": date(state, row, row.updated_at),
                "enrollment_completion_date": date(state, row, row.completed_at),
                "enrollment_score": row.score,
                "enrollment_validity_begin_datetime": date(state, row, row.active_from),
                "enrollment_validity_end_datetime": date(state, row, row.active_until),
                "assignment_type": Value::Null,
            });
            if shows_time {
                item["enrollment_time_spent"] = json!(0);
            }
            Some(item)
        },
    )
}

/// `GET /course/v1/courses/{id}/enrollments`: the older list, with e-mail addresses.
pub(crate) fn by_course(call: &mut Call<'_>) -> Answer {
    let id = call.id("id")?;
    if !call.state.courses.contains_key(&id) {
        return Err(Refusal::not_found("Course", id));
    }
    paging::list(
        call,
        200,
        |call| Ok(matching(call, vec![id], "user_id", "enrollment_status")),
        |state, key| {
            let row = state.enrollments.get(&key)?;
            let user = state.users.get(&key.0)?;
            Some(json!({
                "user_id": key.0,
                "username": user.username,
                "email": user.email,
                "date_complete": date(state, row, row.completed_at),
                "active_from": date(state, row, row.active_from),
                "active_until": date(state, row, row.active_until),
                "level": row.level,
                "status": row.status.word("enrolled"),
                "status_id": row.status as i64,
            }))
        },
    )
}

/// `GET /learn/v1/enrollments`: the list whose `id` is the course id.
pub(crate) fn learn_list(call: &mut Call<'_>) -> Answer {
    paging::list(
        call,
        20,
        |call| {
            let mut keys = matching(call, call.params.ints("id_course"), "id_user", "status");
            let search = call.params.one("search").map(str::to_lowercase);
            keys.retain(|(_, course)| {
                let name = call
                    .state
                    .courses
                    .get(course)
                    .map(|course| course.name.to_lowercase());
                search
                    .as_ref()
                    .is_none_or(|text| name.is_some_and(|name| name.contains(text)))
            });
            Ok(keys)
        },
        learn_item,
    )
}

fn learn_item(state: &State, key: Key) -> Option<Value> {
    let row = state.enrollments.get(&key)?;
    let course = state.courses.get(&key.1)?;
    let user = state.users.get(&key.0)?;
    let id = if state.quirks.course_id_is_id {
        "id"
    } else {
        "course_id"
    };
    Some(json!({
        id: key.1,
        "user_id": key.0,
        "username": user.username,
        "name": course.name,
        "code": course.code,
        "type": course.kind,
        "status": learn_word(row.status),
        "level": row.level,
        "lang_code": course.language,
        "score": row.score,
        "enroll_date_of_enrollment": date(state, row, row.created_at),
        "enroll_begin_date": date(state, row, row.active_from),
        "enroll_end_date": date(state, row, row.active_until),
        "course_complete_date": date(state, row, row.completed_at),
        "date_last_updated": date(state, row, row.updated_at),
        "subscribed_by": row.created_by,
        "waiting": row.status == Status::Waiting,
        "complete_percent": if row.status == Status::Completed { 100 } else { 0 },
        "total_time": 0,
        "enrollment_fields": [],
        "url": "",
    }))
}

/// `GET /learn/v1/enrollments/{course}/{user}`.
pub(crate) fn learn_get(call: &mut Call<'_>) -> Answer {
    let key = key(call)?;
    let row = call.state.enrollments.get(&key);
    let row = row.ok_or_else(|| Refusal::not_found("Enrollment", call.uri_path.as_str()))?;
    let course = call.state.courses.get(&key.1);
    Ok(json!({ "records": {
        "id": key.1,
        "name": course.map(|course| &course.name),
        "course_code": course.map(|course| &course.code),
        "type": course.map(|course| &course.kind),
        "status": learn_word(row.status),
        "score": row.score,
        "enroll_begin_date": date(call.state, row, row.active_from),
        "course_complete_date": date(call.state, row, row.completed_at),
        "lang_code": course.map(|course| &course.language),
        "enrollment_fields": [],
    } }))
}

/// `POST /learn/v1/enrollments`: enroll many users in many courses.
pub(crate) fn enroll_many(call: &mut Call<'_>) -> Answer {
    let (courses, users) = (call.body_ints("course_ids"), call.body_ints("user_ids"));
    if courses.is_empty() || users.is_empty() {
        return Err(Refusal::bad_request(
            "course_ids and user_ids cannot be blank",
        ));
    }
    let cause = cause(call);
    let (mut enrolled, mut errors) = (Vec::new(), Vec::new());
    for course in courses {
        for user in &users {
            let row = json!({ "user_id": user, "course_id": course });
            let is_known = call.state.enrollments.contains_key(&(*user, course));
            let change = change(&call.body)?;
            match call.state.enroll((*user, course), change, cause) {
                Ok(_) if !is_known => enrolled.push(row),
                _ => errors.push(row),
            }
        }
    }
    Ok(json!({ "enrolled": enrolled, "errors": errors }))
}

/// `POST /learn/v1/enrollments/{course}/{user}`.
pub(crate) fn enroll(call: &mut Call<'_>) -> Answer {
    let (user, course) = key(call)?;
    let (cause, change) = (cause(call), change(&call.body)?);
    let is_new = call
        .state
        .enroll((user, course), change, cause)
        .map_err(Refusal::bad_request)?;
    let row = json!({ "course_id": course, "user_id": user });
    Ok(if is_new {
        json!({ "enrolled": [row], "errors": [] })
    } else {
        json!({ "enrolled": [], "errors": [row] })
    })
}

/// `PUT /learn/v1/enrollments/{course}/{user}`: status by number, dates, score.
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let (user, course) = key(call)?;
    if !call.state.enrollments.contains_key(&(user, course)) {
        let row = json!([{ "course_id": course, "user_id": user }]);
        let not_updated = json!({ "invalid_enrollments": row, "validation_errors": [] });
        return Ok(json!({ "updated": [], "not_updated": not_updated }));
    }
    let (cause, change) = (cause(call), change(&call.body)?);
    call.state
        .enroll((user, course), change, cause)
        .map_err(Refusal::bad_request)?;
    let not_updated = json!({ "invalid_enrollments": [], "validation_errors": [] });
    let updated = json!([{ "course_id": course, "user_id": user }]);
    Ok(json!({ "updated": updated, "not_updated": not_updated }))
}

/// `DELETE /learn/v1/enrollments/{course}/{user}`.
pub(crate) fn remove(call: &mut Call<'_>) -> Answer {
    let (user, course) = key(call)?;
    let cause = cause(call);
    if !call.state.unenroll((user, course), cause) {
        return Err(Refusal::not_found("Enrollment", call.uri_path.as_str()));
    }
    Ok(json!({ "deleted_enrollment": { "course_id": course, "user_id": user } }))
}

/// The enrollments that the filters of a list want, by the shortest index there is.
fn matching(call: &Call<'_>, courses: Vec<i64>, user: &str, status: &str) -> Vec<Key> {
    let state = &*call.state;
    let users = call.params.ints(user);
    let mut keys: Vec<Key> = if !users.is_empty() {
        let of_user = |user: &i64| {
            let range = (*user, i64::MIN)..=(*user, i64::MAX);
            state.enrollments.range(range).map(|(key, _)| *key)
        };
        users.iter().flat_map(of_user).collect()
    } else if courses.is_empty() {
        state.enrollments.keys().copied().collect()
    } else {
        let of_course = |course: &i64| {
            let learners = state.learners_by_course.get(course).into_iter().flatten();
            let course = *course;
            learners.map(move |user| (*user, course))
        };
        courses.iter().flat_map(of_course).collect()
    };
    let statuses: Vec<Status> = call
        .params
        .all(status)
        .iter()
        .filter_map(|text| Status::read(text))
        .collect();
    let updated_from = call.params.one("updated_from").and_then(parse_moment);
    keys.retain(|key| {
        let Some(row) = state.enrollments.get(key) else {
            return false;
        };
        (courses.is_empty() || courses.contains(&key.1))
            && (statuses.is_empty() || statuses.contains(&row.status))
            && updated_from.is_none_or(|from| row.updated_at.is_some_and(|at| at.0 >= from))
    });
    keys
}

/// User and course from the path.
fn key(call: &Call<'_>) -> Result<Key, Refusal> {
    Ok((call.id("user")?, call.id("course")?))
}

fn cause(call: &Call<'_>) -> Cause {
    Cause {
        caller: call.caller,
        now: call.now,
        is_batch: false,
        trigger_certifications: true,
    }
}

fn change(body: &Value) -> Result<Change, Refusal> {
    let moment = |name: &str| match body.get(name).and_then(Value::as_str) {
        None | Some("") => Ok(None),
        Some(text) => parse_moment(text)
            .map(|at| Some(Moment(at)))
            .ok_or_else(|| Refusal::bad_request(format!("Invalid {name}: {text}"))),
    };
    let status = match body.get("status").filter(|value| !value.is_null()) {
        None => None,
        Some(value) => {
            let number = int(value).map(|number| number.to_string());
            let text = number.as_deref().or(value.as_str()).unwrap_or("");
            let status = Status::read(text);
            Some(status.ok_or_else(|| Refusal::bad_request(format!("Invalid status: {value}")))?)
        }
    };
    let level = match body.get("level").and_then(int) {
        None => body.get("level").and_then(Value::as_str).map(str::to_owned),
        Some(4) => Some("tutor".to_owned()),
        Some(6) => Some("instructor".to_owned()),
        Some(_) => Some("student".to_owned()),
    };
    Ok(Change {
        status,
        level,
        created_at: None,
        completed_at: moment("date_complete")?,
        active_from: moment("date_begin_validity")?,
        active_until: moment("date_expire_validity")?,
        score: body.get("score_given").and_then(Value::as_f64),
    })
}

fn date(state: &State, row: &Enrollment, moment: Option<Moment>) -> Value {
    state.date_time(row.user * 100_003 + row.course, moment.map(|at| at.0))
}

/// `learn` has a word of its own for "to confirm".
fn learn_word(status: Status) -> &'static str {
    if status == Status::ToConfirm {
        "subscription_to_confirm"
    } else {
        status.word("enrolled")
    }
}
