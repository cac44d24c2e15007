//! Progress of learners. In: "this enrollment changes". Out: the changed rows, the events that
//! webhooks hear, and what follows later: plans recomputed, certifications awarded. Always true:
//! a completion fires `completed` once and not `updated`, whoever caused it.

use serde_json::{Value, json};

use super::rows::{Association, Award, Certification, Enrollment, PlanEnrollment, Status};
use super::state::{Due, Item, Key, State, date, date_time};
use crate::moment::{Moment, SECOND, later_by};

/// What may change of an enrollment; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) status: Option<Status>,
    pub(crate) level: Option<String>,
    pub(crate) created_at: Option<Moment>,
    pub(crate) completed_at: Option<Moment>,
    pub(crate) active_from: Option<Moment>,
    pub(crate) active_until: Option<Moment>,
    pub(crate) score: Option<f64>,
}

/// Who changes something, when and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause {
    pub(crate) caller: i64,
    pub(crate) now: i64,
    pub(crate) is_batch: bool,
    pub(crate) trigger_certifications: bool,
}

impl State {
    /// Enrolls a user, or changes an enrollment; true when it was new.
    pub(crate) fn enroll(
        &mut self,
        key: Key,
        change: Change,
        cause: Cause,
    ) -> Result<bool, String> {
        let old = self.enrollments.get(&key).cloned();
        let mut row = old.clone().unwrap_or_else(|| blank(key, cause));
        change.apply(&mut row);
        let was_completed = old
            .as_ref()
            .is_some_and(|old| old.status == Status::Completed);
        let completes = row.status == Status::Completed && !was_completed;
        if completes && change.completed_at.is_none() {
            row.completed_at = Some(Moment(cause.now));
        }
        if row.status != Status::Completed {
            row.completed_at = None;
        }
        row.updated_at = Some(Moment(cause.now));
        let completed_at = row.completed_at.map_or(cause.now, |at| at.0);
        self.put_enrollment(row, cause.now)?;
        if old.is_none() {
            self.tell_enrollment("course.enrollment.created", key, cause);
        }
        if completes {
            self.tell_enrollment("course.enrollment.completed", key, cause);
            self.follow_completion(key, completed_at, cause);
        } else if old.is_some() {
            self.tell_enrollment("course.enrollment.updated", key, cause);
        }
        Ok(old.is_none())
    }

    /// Takes an enrollment away; false when there was none.
    pub(crate) fn unenroll(&mut self, key: Key, cause: Cause) -> bool {
        if !self.enrollments.contains_key(&key) {
            return false;
        }
        self.tell_enrollment("course.enrollment.deleted", key, cause);
        if let Some(learners) = self.learners_by_course.get_mut(&key.1) {
            learners.remove(&key.0);
        }
        self.enrollments.remove(&key);
        true
    }

    /// Enrolls a user in a learning plan and in all of its courses.
    pub(crate) fn enroll_in_plan(
        &mut self,
        (user, plan): Key,
        cause: Cause,
    ) -> Result<bool, String> {
        let is_new = !self.plan_enrollments.contains_key(&(user, plan));
        if is_new {
            let row = PlanEnrollment {
                user,
                plan,
                status: Status::Subscribed,
                created_at: None,
                updated_at: None,
                completed_at: None,
                percentage: 0,
                created_by: cause.caller,
            };
            self.put_plan_enrollment(row, cause.now)?;
            self.tell_plan("learningplan.enrollment.created", (user, plan), cause.now);
        }
        let found = self.plans.get(&plan);
        let courses = found.map(|plan| [&plan.courses[..], &plan.optional_courses[..]].concat());
        for course in courses.unwrap_or_default() {
            if !self.enrollments.contains_key(&(user, course)) {
                self.enroll((user, course), Change::default(), cause)?;
            }
        }
        self.recompute_plan((user, plan), cause.now);
        Ok(is_new)
    }

    /// Does the work that has become due.
    pub(crate) fn settle(&mut self, now: i64) {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((at, _), due) = entry.remove_entry();
            match due {
                Due::RecomputePlan { user, plan } => self.recompute_plan((user, plan), at),
                Due::Certify {
                    user,
                    item,
                    completed_at,
                } => self.certify(user, item, completed_at, at),
            }
        }
    }

    fn follow_completion(&mut self, (user, course): Key, completed_at: i64, cause: Cause) {
        let delay = self.quirks.plan_recompute_s * SECOND;
        for plan in self
            .plans_by_course
            .get(&course)
            .cloned()
            .unwrap_or_default()
        {
            if self.plan_enrollments.contains_key(&(user, plan)) {
                self.later(cause.now + delay, Due::RecomputePlan { user, plan });
            }
        }
        if cause.trigger_certifications {
            let due = Due::Certify {
                user,
                item: Item::Course(course),
                completed_at,
            };
            self.later(cause.now + self.quirks.certification_s * SECOND, due);
        }
        self.settle(cause.now);
    }

    /// Sets a plan's status from its courses: completed when every needed course is.
    fn recompute_plan(&mut self, (user, plan): Key, now: i64) {
        let Some(courses) = self.plans.get(&plan).map(|plan| plan.courses.clone()) else {
            return;
        };
        let is_completed = |course: &&i64| {
            let row = self.enrollments.get(&(user, **course));
            row.is_some_and(|row| row.status == Status::Completed)
        };
        let done = courses.iter().filter(is_completed).count();
        let Some(row) = self.plan_enrollments.get_mut(&(user, plan)) else {
            return;
        };
        let percentage = (done * 100 / courses.len().max(1)) as i64;
        if row.status == Status::Completed || row.percentage == percentage {
            return;
        }
        row.percentage = percentage;
        row.updated_at = Some(Moment(now));
        row.status = Status::InProgress;
        if done == courses.len() {
            row.status = Status::Completed;
            row.completed_at = Some(Moment(now));
            self.tell_plan("learningplan.enrollment.completed", (user, plan), now);
            let due = Due::Certify {
                user,
                item: Item::Plan(plan),
                completed_at: now,
            };
            self.later(now + self.quirks.certification_s * SECOND, due);
        }
    }

    /// Awards every certification that this completion earns and the user does not hold.
    fn certify(&mut self, user: i64, item: Item, completed_at: i64, now: i64) {
        let is_earned = |certification: &&Certification| match item {
            Item::Course(course) => certification.courses.contains(&course),
            Item::Plan(plan) => certification.learning_plans.contains(&plan),
        };
        let earned = self.certifications.values().filter(is_earned);
        for id in earned
            .map(|certification| certification.id)
            .collect::<Vec<_>>()
        {
            let held = self.awards_by_user.get(&user).into_iter().flatten();
            let mut held = held.filter_map(|id| self.awards.get(id));
            if held.any(|award| award.certification == id && !award.archived) {
                continue;
            }
            let (kind, item_id) = match item {
                Item::Course(course) => ("course", course),
                Item::Plan(plan) => ("learning_plan", plan),
            };
            let association = Association {
                kind: kind.to_owned(),
                item_id: Some(item_id),
                source_id: None,
                link: None,
            };
            // The user and the certification were there a moment ago; nothing can be refused.
            let _ = self.award((user, id), completed_at, None, association, now);
        }
    }

    /// Awards a certification and tells the webhooks; the expiry is the certification's own
    /// unless one is given.
    pub(crate) fn award(
        &mut self,
        (user, certification): Key,
        issued_at: i64,
        expires_at: Option<Option<i64>>,
        association: Association,
        now: i64,
    ) -> Result<i64, String> {
        let found = self.certifications.get(&certification);
        let found = found.ok_or_else(|| format!("there is no certification {certification}"))?;
        let lasts = Some(found.duration).filter(|duration| *duration > 0);
        let own = lasts.and_then(|count| later_by(issued_at, count, &found.duration_unit));
        let row = Award {
            id: 0,
            certification,
            user,
            issued_at: Some(Moment(issued_at)),
            expires_at: expires_at.unwrap_or(own).map(Moment),
            archived: false,
            association,
        };
        let id = self.put_award(row, now)?;
        self.tell_award("certification.awarded", id, now);
        Ok(id)
    }

    fn tell_enrollment(&mut self, event: &str, key: Key, cause: Cause) {
        let Some(row) = self.enrollments.get(&key) else {
            return;
        };
        let user = self
            .users
            .get(&key.0)
            .map_or("", |user| user.username.as_str());
        let course = self.courses.get(&key.1);
        let text = |moment: Option<Moment>| moment.map(|at| date_time(at.0));
        let mut payload = json!({
            "fired_at": date_time(cause.now),
            "user_id": key.0,
            "username": user,
            "course_id": key.1,
            "course_name": course.map(|course| &course.name),
            "course_code": course.map(|course| &course.code),
            "level": hook_level(&row.level),
            "enrollment_date": text(row.created_at),
            "enrollment_date_begin_validity": text(row.active_from),
            "enrollment_date_end_validity": text(row.active_until),
            "subscribed_by_id": row.created_by,
            "status": row.status.word("subscribed"),
        });
        if row.status == Status::Completed {
            payload["completion_date"] = json!(text(row.completed_at));
        }
        self.emit(event, cause.is_batch, payload);
    }

    fn tell_plan(&mut self, event: &str, (user, plan): Key, now: i64) {
        let payload = json!({
            "fired_at": date_time(now),
            "user_id": user,
            "username": self.users.get(&user).map(|user| &user.username),
            "learning_plan_id": plan,
            "learning_plan_code": self.plans.get(&plan).map(|plan| &plan.code),
        });
        self.emit(event, false, payload);
    }

    pub(crate) fn tell_award(&mut self, event: &str, award: i64, now: i64) {
        let Some(row) = self.awards.get(&award) else {
            return;
        };
        let certification = self.certifications.get(&row.certification);
        let payload: Value = json!({
            "fired_at": date_time(now),
            "certification_id": row.certification,
            "certification_code": certification.map(|row| &row.code),
            "certification_title": certification.map(|row| &row.title),
            "user_id": row.user,
            "username": self.users.get(&row.user).map(|user| &user.username),
            "issued_on": row.issued_at.map(|at| date(at.0)),
            "expires_on": row.expires_at.map(|at| date(at.0)),
            "association_type": row.association.kind,
            "external_link": row.association.link,
        });
        self.emit(event, false, payload);
    }
}

impl Change {
    fn apply(&self, row: &mut Enrollment) {
        row.status = self.status.unwrap_or(row.status);
        if let Some(level) = &self.level {
            row.level = level.clone();
        }
        row.created_at = self.created_at.or(row.created_at);
        row.completed_at = self.completed_at.or(row.completed_at);
        row.active_from = self.active_from.or(row.active_from);
        row.active_until = self.active_until.or(row.active_until);
        row.score = self.score.or(row.score);
    }
}

impl Status {
    /// The word for this status; services differ in the one for "subscribed".
    pub(crate) fn word(self, subscribed: &'static str) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::ToConfirm => "to_confirm",
            Self::Subscribed => subscribed,
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Suspended => "suspended",
            Self::Overbooked => "overbooking",
        }
    }

    /// Reads any of the words and numbers that the services use.
    pub(crate) fn read(text: &str) -> Option<Self> {
        Some(match text {
            "-2" | "waiting" => Self::Waiting,
            "-1" | "to_confirm" | "subscription_to_confirm" => Self::ToConfirm,
            "0" | "subscribed" | "enrolled" | "not_started" => Self::Subscribed,
            "1" | "in_progress" => Self::InProgress,
            "2" | "completed" => Self::Completed,
            "3" | "suspended" => Self::Suspended,
            "4" | "overbooking" => Self::Overbooked,
            _ => return None,
        })
    }
}

fn blank((user, course): Key, cause: Cause) -> Enrollment {
    Enrollment {
        user,
        course,
        status: Status::Subscribed,
        level: "student".to_owned(),
        created_at: Some(Moment(cause.now)),
        updated_at: Some(Moment(cause.now)),
        completed_at: None,
        active_from: None,
        active_until: None,
        score: None,
        created_by: cause.caller,
    }
}

/// Webhooks say `learner` where the API says `student`.
fn hook_level(level: &str) -> &str {
    if level == "student" { "learner" } else { level }
}
