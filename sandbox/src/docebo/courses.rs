//! Courses, in the two services that know them. In: searches and ids. Out: `id_course/name` from
//! `learn`, `id/title` from `course`. Always true: the two services name the same thing
//! differently, as the vendor does.

use serde_json::{Value, json};

use super::call::Call;
use super::fields;
use super::paging;
use super::reply::{Answer, Refusal};
use super::rows::{Course, Session};
use super::state::{Key, State, date_time};
use crate::moment::{Moment, parse_moment};

/// `GET /learn/v1/courses`.
pub(crate) fn learn_list(call: &mut Call<'_>) -> Answer {
    paging::list(call, 20, matching, |state, (id, _)| {
        let course = state.courses.get(&id)?;
        Some(json!({
            "id_course": id,
            "uidCourse": course.uid,
            "name": course.name,
            "code": course.code,
            "course_type": course.kind,
            "description": course.description,
            "date_last_updated": course.updated_at.map(|at| date_time(at.0)),
            "language": course.language,
            "language_label": capitalised(&course.language),
            "multi_languages": [],
            "slug_name": slug(&course.name),
            "duration": course.duration,
            "credits": course.credits,
            "price": "0",
            "selling": false,
            "start_date": state.date_time(id, None),
            "end_date": state.date_time(id, None),
            "category": Value::Null,
            "enrollment_policy": 1,
            "can_self_unenroll": false,
            "img_url": "",
            "is_new": "0",
            "is_opened": "1",
        }))
    })
}

/// `GET /course/v1/courses`.
pub(crate) fn course_list(call: &mut Call<'_>) -> Answer {
    paging::list(call, 200, matching, |state, (id, _)| {
        let course = state.courses.get(&id)?;
        Some(json!({
            "id": id,
            "uid": course.uid,
            "code": course.code,
            "title": course.name,
            "type": course.kind,
            "status": if course.status == 2 { "published" } else { "under_maintenance" },
            "language_label": capitalised(&course.language),
            "average_completion_time": course.duration,
            "category": Value::Null,
            "enrollments_count": state.learners_by_course.get(&id).map_or(0, |ids| ids.len()),
        }))
    })
}

fn matching(call: &Call<'_>) -> Result<Vec<Key>, Refusal> {
    let search = call.params.one("search_text").map(str::to_lowercase);
    let kinds = call.params.all("type");
    let moment = |name: &str| call.params.one(name).and_then(parse_moment);
    let (from, to) = (moment("updated_from"), moment("updated_to"));
    let wanted = fields::filters(&call.params);
    let is_kept = |course: &&Course| {
        let texts = [&course.name, &course.code];
        search
            .as_ref()
            .is_none_or(|s| texts.iter().any(|t| t.to_lowercase().contains(s)))
            && (kinds.is_empty() || kinds.contains(&course.kind))
            && from.is_none_or(|from| course.updated_at.is_some_and(|at| at.0 >= from))
            && to.is_none_or(|to| course.updated_at.is_some_and(|at| at.0 <= to))
            && fields::holds(&course.fields, &wanted)
    };
    let mut found: Vec<&Course> = call.state.courses.values().filter(is_kept).collect();
    match call
        .params
        .one("sort_by")
        .or_else(|| call.params.one("sort_attr"))
    {
        Some("last_update" | "date_last_updated") => found.sort_by_key(|course| course.updated_at),
        Some("name" | "title") => found.sort_by_key(|course| course.name.to_lowercase()),
        _ => {}
    }
    let direction = call
        .params
        .one("sort_by_direction")
        .or_else(|| call.params.one("sort_dir"));
    if direction == Some("desc") {
        found.reverse();
    }
    Ok(found.into_iter().map(|course| (course.id, 0)).collect())
}

/// `GET /learn/v1/courses/{id}`: with its learning plans and additional fields.
pub(crate) fn learn_get(call: &mut Call<'_>) -> Answer {
    let course = find(call)?;
    let id = course.id;
    let plans = call.state.plans_by_course.get(&id).into_iter().flatten();
    Ok(json!({
        "id": id,
        "name": course.name,
        "type": course.kind,
        "code": course.code,
        "uidCourse": course.uid,
        "lang_code": course.language,
        "description": course.description,
        "status": course.status,
        "duration": course.duration,
        "credits": course.credits,
        "thumbnail": "",
        "slug_name": slug(&course.name),
        "deadline": Value::Null,
        "learningplans": plans.map(|id| json!({ "id": id })).collect::<Vec<_>>(),
        "additional_fields": fields::values(call.state, "course", &course.fields),
        "instructors": [],
        "sessions": sessions_of(call.state, id).map(session_in_course).collect::<Vec<_>>(),
        "self_unenrollment_settings": {},
    }))
}

/// `GET /course/v1/courses/{id}`.
pub(crate) fn course_get(call: &mut Call<'_>) -> Answer {
    let course = find(call)?;
    Ok(json!({
        "id": course.id,
        "uid": course.uid,
        "code": course.code,
        "name": course.name,
        "type": course.kind,
        "language": course.language,
        "status": course.status,
        "additional_fields": fields::values(call.state, "course", &course.fields),
    }))
}

/// `PUT /course/v1/courses/{id}`: name, code, description and additional fields.
pub(crate) fn course_update(call: &mut Call<'_>) -> Answer {
    let mut course = find(call)?.clone();
    if let Some(name) = call.body_text("name") {
        course.name = name.to_owned();
    }
    if let Some(code) = call.body_text("code") {
        course.code = code.to_owned();
    }
    if let Some(description) = call.body_text("description") {
        course.description = description.to_owned();
    }
    fields::write(call, "course", &mut course.fields)?;
    course.updated_at = Some(Moment(call.now));
    let id = course.id;
    let payload = json!({
        "fired_at": date_time(call.now), "course_id": id, "name": course.name,
        "code": course.code, "type": course.kind, "language": course.language,
        "duration": course.duration, "start_date": Value::Null, "end_date": Value::Null,
        "update_date": date_time(call.now),
    });
    call.state.put_course(course, call.now);
    call.state.emit("course.updated", false, payload);
    Ok(json!({ "id": id }))
}

/// `GET /course/v1/courses/{id}/sessions`.
pub(crate) fn sessions(call: &mut Call<'_>) -> Answer {
    let id = find(call)?.id;
    let keys: Vec<Key> = sessions_of(call.state, id)
        .map(|session| (session.id, 0))
        .collect();
    if keys.is_empty() && call.state.quirks.no_sessions_is_400 {
        return Err(Refusal::bad_request(format!(
            "The course {id} does not have sessions"
        )));
    }
    paging::list(
        call,
        200,
        |_| Ok(keys),
        |state, (id, _)| {
            let session = state.sessions.get(&id)?;
            Some(json!({
                "id": id,
                "uid_session": format!("S-{id:06X}"),
                "code": session.code,
                "name": session.name,
                "date_start": state.date_time(id, session.starts_at.map(|at| at.0)),
                "date_end": state.date_time(id, session.ends_at.map(|at| at.0)),
                "enrolled": 0,
            }))
        },
    )
}

/// `GET /learn/v1/courses/{id}/classroom/session`: the list that calls its items `sessions`.
pub(crate) fn classroom(call: &mut Call<'_>) -> Answer {
    let id = find(call)?.id;
    let keys: Vec<Key> = sessions_of(call.state, id)
        .map(|session| (session.id, 0))
        .collect();
    let total = keys.len();
    let mut data = paging::list(
        call,
        20,
        |_| Ok(keys),
        |state, (id, _)| {
            let session = state.sessions.get(&id)?;
            Some(json!({
                "id_session": id,
                "name": session.name,
                "date_begin": state.date_time(id, session.starts_at.map(|at| at.0)),
                "date_end": state.date_time(id, session.ends_at.map(|at| at.0)),
            }))
        },
    )?;
    data["total_count"] = json!(total);
    if call.state.quirks.classroom_in_sessions {
        data["sessions"] = data["items"].take();
        data.as_object_mut().map(|data| data.shift_remove("items"));
    }
    Ok(data)
}

/// `GET /course/v1/sessions/{id}`.
pub(crate) fn session_get(call: &mut Call<'_>) -> Answer {
    let id = call.id("id")?;
    let session = call
        .state
        .sessions
        .get(&id)
        .ok_or_else(|| Refusal::not_found("Session", id))?;
    let course = call
        .state
        .courses
        .get(&session.course)
        .map_or("", |course| &course.name);
    Ok(json!({
        "id": id,
        "name": session.name,
        "course": { "id": session.course, "name": course },
        "instructors": [],
        "additional_fields": fields::values(call.state, "ilt", &session.fields),
    }))
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Course, Refusal> {
    let id = call.id("id")?;
    call.state
        .courses
        .get(&id)
        .ok_or_else(|| Refusal::not_found("Course", id))
}

fn sessions_of(state: &State, course: i64) -> impl Iterator<Item = &Session> {
    state
        .sessions
        .values()
        .filter(move |session| session.course == course)
}

fn session_in_course(session: &Session) -> Value {
    json!({
        "id_session": session.id,
        "uid_session": format!("S-{:06X}", session.id),
        "name": session.name,
        "start_date": session.starts_at.map(|at| date_time(at.0)),
        "end_date": session.ends_at.map(|at| date_time(at.0)),
        "dates": [],
        "additional_fields": [],
    })
}

fn slug(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars
        .next()
        .map(|c| c.to_uppercase().collect::<String>())
        .unwrap_or_default();
    first + chars.as_str()
}
