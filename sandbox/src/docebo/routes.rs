//! The route table of the Docebo stand-in, each route with the evidence it stands on.

use super::call::Call;
use super::guard::Class;
use super::reply::Answer;
use super::{
    batch, branches, certifications, courses, enrollments, fields, plans, training, user_batch,
    users,
};
use crate::wire::route::Provenance::{Assumed, Found, Weak};
use crate::wire::route::Route;

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Handler {
    /// Sign-in; the only route without a token.
    Token,
    /// A call with a token.
    Call {
        run: fn(&mut Call<'_>) -> Answer,
        level: Level,
        class: Class,
    },
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Anyone who is signed in.
    Anyone,
    /// Only a superadmin.
    Superadmin,
}

const fn anyone(run: fn(&mut Call<'_>) -> Answer) -> Handler {
    Handler::Call {
        run,
        level: Level::Anyone,
        class: Class::Free,
    }
}

const fn admin(run: fn(&mut Call<'_>) -> Answer) -> Handler {
    Handler::Call {
        run,
        level: Level::Superadmin,
        class: Class::Free,
    }
}

const fn exclusive(run: fn(&mut Call<'_>) -> Answer) -> Handler {
    Handler::Call {
        run,
        level: Level::Superadmin,
        class: Class::Batch,
    }
}

const fn on_tree(run: fn(&mut Call<'_>) -> Answer) -> Handler {
    Handler::Call {
        run,
        level: Level::Superadmin,
        class: Class::Tree,
    }
}

const PLANS: &str = "/learningplan/v1/learningplans";
const PLAN_ENROLLMENT: &str = "/learningplan/v1/learningplans/{id}/enrollments/{user}";
const PLANS_ENROLLMENTS: &str = "/learningplan/v1/learningplans/enrollments";
const PLAN_LEARNERS: &str = "/learningplan/v1/learningplans/{id}/courses/enrollments";
const ENROLLMENT: &str = "/learn/v1/enrollments/{course}/{user}";
const FIELDS: &str = "/learn/v1/courses/field";
const FIELD: &str = "/learn/v1/courses/field/{id}";
const AWARDS: &str = "/certification/v1/certifications/{id}/awards";
const AWARDS_OF_USER: &str = "/certification/v1/awards/users/{user}";
const SOURCES: &str = "/certification/v1/external_sources";
const AWARD: &str = "/certification/v1/awards/{id}";
const TRAININGS: &str = "/learn/v1/external_training";
const TRAINING: &str = "/learn/v1/external_training/{id}";

#[rustfmt::skip]
pub(crate) const ROUTES: [Route<Handler>; 49] = [
    Route::new(Found, "POST", "/oauth2/token", Handler::Token),
    Route::new(Found, "GET", "/manage/v1/user/session", anyone(users::session)),
    Route::new(Found, "GET", "/manage/v1/user", admin(users::list)),
    Route::new(Found, "GET", "/manage/v1/user/{id}", admin(users::get)),
    Route::new(Found, "POST", "/manage/v1/user/batch", on_tree(user_batch::write)),
    Route::new(Found, "GET", "/manage/v1/orgchart", admin(branches::list)),
    Route::new(Found, "POST", "/manage/v1/orgchart/batch", on_tree(branches::write)),
    Route::new(Found, "GET", "/learn/v1/courses", admin(courses::learn_list)),
    Route::new(Found, "GET", "/learn/v1/courses/{id}", admin(courses::learn_get)),
    Route::new(Found, "GET", "/course/v1/courses", admin(courses::course_list)),
    Route::new(Found, "GET", "/course/v1/courses/{id}", admin(courses::course_get)),
    Route::new(Assumed, "PUT", "/course/v1/courses/{id}", admin(courses::course_update)),
    Route::new(Found, "GET", "/course/v1/courses/{id}/sessions", admin(courses::sessions)),
    Route::new(Found, "GET", "/learn/v1/courses/{id}/classroom/session", admin(courses::classroom)),
    Route::new(Found, "GET", "/course/v1/sessions/{id}", admin(courses::session_get)),
    Route::new(Found, "GET", FIELDS, admin(fields::list)),
    Route::new(Assumed, "POST", FIELDS, admin(fields::create)),
    Route::new(Assumed, "GET", FIELD, admin(fields::get)),
    Route::new(Assumed, "PUT", FIELD, admin(fields::update)),
    Route::new(Found, "GET", "/course/v1/courses/enrollments", admin(enrollments::course_list)),
    Route::new(Found, "GET", "/course/v1/courses/{id}/enrollments", admin(enrollments::by_course)),
    Route::new(Found, "GET", "/learn/v1/enrollments", admin(enrollments::learn_list)),
    Route::new(Found, "POST", "/learn/v1/enrollments", admin(enrollments::enroll_many)),
    Route::new(Found, "GET", ENROLLMENT, admin(enrollments::learn_get)),
    Route::new(Found, "POST", ENROLLMENT, admin(enrollments::enroll)),
    Route::new(Found, "PUT", ENROLLMENT, admin(enrollments::update)),
    Route::new(Found, "DELETE", ENROLLMENT, admin(enrollments::remove)),
    Route::new(Found, "POST", "/learn/v1/enrollment/batch", exclusive(batch::write)),
    Route::new(Found, "GET", PLANS, admin(plans::list)),
    Route::new(Found, "GET", "/learningplan/v1/learningplans/{id}", admin(plans::get)),
    Route::new(Assumed, "PUT", "/learningplan/v1/learningplans/{id}", admin(plans::update)),
    Route::new(Weak, "GET", "/learningplan/v1/learningplans/{id}/courses", admin(plans::courses)),
    Route::new(Found, "GET", "/learn/v1/lp", admin(plans::with_courses)),
    Route::new(Found, "GET", PLANS_ENROLLMENTS, admin(plans::enrollments)),
    Route::new(Found, "GET", PLAN_LEARNERS, admin(plans::course_enrollments)),
    Route::new(Found, "POST", PLAN_ENROLLMENT, admin(plans::enroll)),
    Route::new(Assumed, "DELETE", PLAN_ENROLLMENT, admin(plans::unenroll)),
    Route::new(Found, "GET", "/learn/v1/certification", admin(certifications::list)),
    Route::new(Weak, "GET", AWARDS_OF_USER, admin(certifications::by_user)),
    Route::new(Assumed, "GET", AWARDS, admin(certifications::by_certification)),
    Route::new(Assumed, "POST", AWARDS, admin(certifications::award)),
    Route::new(Assumed, "PUT", AWARD, admin(certifications::update)),
    Route::new(Assumed, "DELETE", AWARD, admin(certifications::revoke)),
    Route::new(Assumed, "GET", SOURCES, admin(certifications::sources)),
    Route::new(Weak, "GET", TRAININGS, admin(training::list)),
    Route::new(Assumed, "POST", TRAININGS, admin(training::create)),
    Route::new(Assumed, "GET", TRAINING, admin(training::get)),
    Route::new(Assumed, "PUT", TRAINING, admin(training::update)),
    Route::new(Assumed, "DELETE", TRAINING, admin(training::remove)),
];
