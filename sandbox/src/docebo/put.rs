//! Writing rows. In: a row from a world, a control call or a handler. Out: the state with the row
//! and its indexes. Always true: a row that points at nothing is refused.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use super::branches::Branch;
use super::oauth::{Token, user_named};
use super::rows::{
    Award, Certification, Course, Enrollment, Field, Plan, PlanEnrollment, Session, Source,
    Training, User,
};
use super::state::State;
use crate::moment::Moment;

impl State {
    /// Returns the number of the branch.
    pub(crate) fn put_branch(&mut self, mut row: Branch) -> Result<i64, String> {
        if let Some(parent) = row.parent {
            known("branch", parent, &self.branches)?;
        }
        row.id = numbered(row.id, &self.branches);
        let id = row.id;
        self.branches.insert(id, row);
        Ok(id)
    }

    pub(crate) fn put_user(&mut self, mut row: User, now: i64) {
        row.id = numbered(row.id, &self.users);
        row.created_at.get_or_insert(Moment(now));
        row.updated_at.get_or_insert(Moment(now));
        if let Some(old) = self.users.get(&row.id) {
            let old_texts = texts(old);
            old_texts
                .into_iter()
                .for_each(|text| unlink(&mut self.users_by_text, &text, row.id));
        }
        texts(&row)
            .into_iter()
            .for_each(|text| link(&mut self.users_by_text, text, row.id));
        self.users.insert(row.id, row);
    }

    pub(crate) fn put_token(&mut self, row: Token) -> Result<(), String> {
        let user = user_named(self, &row.username);
        let user = user.ok_or_else(|| format!("there is no user `{}`", row.username))?;
        self.tokens.put(row, user);
        Ok(())
    }

    pub(crate) fn put_field(&mut self, mut row: Field) {
        row.id = numbered(row.id, &self.fields);
        let options = row.options.iter().map(|option| option.id);
        self.last_option = options.fold(self.last_option, i64::max);
        self.fields.insert(row.id, row);
    }

    pub(crate) fn put_course(&mut self, mut row: Course, now: i64) {
        row.id = numbered(row.id, &self.courses);
        row.updated_at.get_or_insert(Moment(now));
        if row.uid.is_empty() {
            row.uid = format!("E-{:06X}", row.id);
        }
        if let Some(old) = self.courses.get(&row.id) {
            self.courses_by_code.remove(&old.code);
        }
        if !row.code.is_empty() {
            self.courses_by_code.insert(row.code.clone(), row.id);
        }
        self.courses.insert(row.id, row);
    }

    pub(crate) fn put_session(&mut self, mut row: Session) -> Result<(), String> {
        known("course", row.course, &self.courses)?;
        row.id = numbered(row.id, &self.sessions);
        self.sessions.insert(row.id, row);
        Ok(())
    }

    pub(crate) fn put_plan(&mut self, mut row: Plan, now: i64) -> Result<(), String> {
        for course in row.courses.iter().chain(&row.optional_courses) {
            known("course", *course, &self.courses)?;
        }
        row.id = numbered(row.id, &self.plans);
        row.updated_at.get_or_insert(Moment(now));
        if row.uuid.is_empty() {
            row.uuid = self.chance.uuid().to_string();
        }
        if let Some(old) = self.plans.get(&row.id) {
            let courses: Vec<i64> = old
                .courses
                .iter()
                .chain(&old.optional_courses)
                .copied()
                .collect();
            courses
                .iter()
                .for_each(|course| unlink(&mut self.plans_by_course, course, row.id));
        }
        for course in row.courses.iter().chain(&row.optional_courses) {
            link(&mut self.plans_by_course, *course, row.id);
        }
        self.plans.insert(row.id, row);
        Ok(())
    }

    pub(crate) fn put_enrollment(&mut self, mut row: Enrollment, now: i64) -> Result<(), String> {
        known("user", row.user, &self.users)?;
        known("course", row.course, &self.courses)?;
        row.created_at.get_or_insert(Moment(now));
        row.updated_at.get_or_insert(Moment(now));
        link(&mut self.learners_by_course, row.course, row.user);
        self.enrollments.insert((row.user, row.course), row);
        Ok(())
    }

    pub(crate) fn put_plan_enrollment(
        &mut self,
        mut row: PlanEnrollment,
        now: i64,
    ) -> Result<(), String> {
        known("user", row.user, &self.users)?;
        known("learning plan", row.plan, &self.plans)?;
        row.created_at.get_or_insert(Moment(now));
        row.updated_at.get_or_insert(Moment(now));
        link(&mut self.learners_by_plan, row.plan, row.user);
        self.plan_enrollments.insert((row.user, row.plan), row);
        Ok(())
    }

    pub(crate) fn put_certification(&mut self, mut row: Certification) {
        row.id = numbered(row.id, &self.certifications);
        self.certifications.insert(row.id, row);
    }

    /// Returns the number of the award.
    pub(crate) fn put_award(&mut self, mut row: Award, now: i64) -> Result<i64, String> {
        known("user", row.user, &self.users)?;
        known("certification", row.certification, &self.certifications)?;
        row.id = numbered(row.id, &self.awards);
        row.issued_at.get_or_insert(Moment(now));
        let id = row.id;
        link(&mut self.awards_by_user, row.user, id);
        link(&mut self.awards_by_certification, row.certification, id);
        self.awards.insert(id, row);
        Ok(id)
    }

    pub(crate) fn put_source(&mut self, mut row: Source) {
        row.id = numbered(row.id, &self.sources);
        self.sources.insert(row.id, row);
    }

    /// Returns the number of the record.
    pub(crate) fn put_training(&mut self, mut row: Training) -> Result<i64, String> {
        known("user", row.user, &self.users)?;
        row.id = numbered(row.id, &self.trainings);
        let id = row.id;
        if let Some(old) = self.trainings.get(&id) {
            unlink(&mut self.trainings_by_user, &old.user.clone(), id);
        }
        link(&mut self.trainings_by_user, row.user, id);
        self.trainings.insert(id, row);
        Ok(id)
    }
}

/// What a user is found by: e-mail, username and names, in lower case.
fn texts(user: &User) -> BTreeSet<String> {
    let all = [
        &user.email,
        &user.username,
        &user.first_name,
        &user.last_name,
    ];
    all.into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| text.to_lowercase())
        .collect()
}

/// The given number, or the next free one when it is 0.
fn numbered<T>(id: i64, rows: &BTreeMap<i64, T>) -> i64 {
    if id != 0 {
        id
    } else {
        rows.keys().next_back().unwrap_or(&0) + 1
    }
}

fn known<T>(what: &str, id: i64, rows: &BTreeMap<i64, T>) -> Result<(), String> {
    if rows.contains_key(&id) {
        Ok(())
    } else {
        Err(format!("there is no {what} {id}"))
    }
}

fn link<K: Hash + Eq>(index: &mut HashMap<K, BTreeSet<i64>>, key: K, id: i64) {
    index.entry(key).or_default().insert(id);
}

fn unlink<K: Hash + Eq>(index: &mut HashMap<K, BTreeSet<i64>>, key: &K, id: i64) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}
