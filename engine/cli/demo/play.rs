//! Plays the scenes of a story: tells, sends, awaits and checks.
//!
//! In: a story and its stage. Out: the story told, or why it did not end as it must.
//! Always true: everything is done over HTTP, at the engine's API and at the control surfaces of
//! the stand-ins; a check counts exactly.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};

use super::fill::{fill, fill_text};
use super::stage::Stage;
use super::story::{Check, ROW, Step, Story};
use super::teller::Teller;
use super::tree::{Growing, took};
use crate::clock::Clock;
use crate::data::{Object, Value, same};

/// How often jobs are looked at while they are awaited.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The most jobs of one step that are told each by itself.
const TOLD_MAX: usize = 3;

/// The most rows of one check that are shown.
const SHOWN_MAX: usize = 5;

/// A story that is being played.
pub(super) struct Player<'a> {
    story: &'a Story,
    stage: &'a Stage,
    teller: &'a Teller,
    http: reqwest::Client,
    known: Object,
    jobs: HashMap<String, Followed>,
}

/// A job that has been seen.
#[derive(Default)]
struct Followed {
    growing: Growing,
    is_over: bool,
}

impl<'a> Player<'a> {
    /// A player who knows what the stage told.
    pub(super) fn new(
        story: &'a Story,
        stage: &'a Stage,
        teller: &'a Teller,
        known: Object,
    ) -> anyhow::Result<Self> {
        let http = super::super::client::http()?;
        Ok(Self {
            story,
            stage,
            teller,
            http,
            known,
            jobs: HashMap::new(),
        })
    }

    /// Plays all scenes; stops at the first thing that is not as it must be.
    pub(super) async fn play(&mut self) -> anyhow::Result<()> {
        let story = self.story;
        for (index, scene) in story.scenes.iter().enumerate() {
            self.teller.scene(index + 1, &scene.title)?;
            for step in &scene.steps {
                self.step(step)
                    .await
                    .with_context(|| format!("in the scene \"{}\"", scene.title))?;
            }
        }
        Ok(())
    }

    /// Tells what may be tried next.
    pub(super) fn tell_next(&self) -> anyhow::Result<()> {
        for next in &self.story.next {
            let (say, run) = (self.text(&next.say)?, self.text(&next.run)?);
            self.teller.next(&say, &run)?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> anyhow::Result<()> {
        match step {
            Step::Say(text) => self.teller.paragraph(&self.text(text)?),
            Step::Send {
                server,
                path,
                body,
                keep,
            } => {
                let body = fill(body, &self.known).map_err(anyhow::Error::msg)?;
                self.teller.sent(server, path, &body)?;
                let answer = self.send(server, path, &body).await?;
                if let Some(name) = keep {
                    self.known.insert(name.clone(), answer);
                }
                Ok(())
            }
            Step::Await {
                recipe,
                jobs,
                status,
                within,
            } => self.wait(recipe, *jobs, status, *within).await,
            Step::Check(check) => self.check(check).await,
        }
    }

    /// Asks the control surface of a stand-in for something.
    async fn send(&self, server: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = self.control(server, path)?;
        let request = self.http.post(&url);
        let request = if body.is_null() {
            request
        } else {
            request.json(body)
        };
        self.answer(request, &url).await
    }

    fn control(&self, server: &str, path: &str) -> anyhow::Result<String> {
        let base = self
            .known
            .get(server)
            .and_then(|server| server["url"].as_str());
        let base = base.ok_or_else(|| anyhow!("the story has no stand-in `{server}`"))?;
        Ok(format!("{base}/_control/{path}"))
    }

    async fn answer(&self, request: reqwest::RequestBuilder, url: &str) -> anyhow::Result<Value> {
        let answer = request
            .send()
            .await
            .with_context(|| format!("{url} does not answer"))?;
        let status = answer.status();
        let body: Value = answer
            .json()
            .await
            .with_context(|| format!("{url} answers no JSON"))?;
        if !status.is_success() {
            let why = body["error"]
                .as_str()
                .map_or_else(|| body.to_string(), str::to_owned);
            bail!("{url} refuses it ({status}): {why}");
        }
        Ok(body)
    }

    /// Follows the new jobs of a recipe to their end, and sees to it that there are as many as
    /// there must be.
    async fn wait(
        &mut self,
        name: &str,
        wanted: usize,
        status: &str,
        within: Duration,
    ) -> anyhow::Result<()> {
        let recipe = self
            .known
            .get(name)
            .and_then(|recipe| recipe["name"].as_str())
            .ok_or_else(|| anyhow!("the story starts no `{name}`"))?
            .to_owned();
        let began = Instant::now();
        loop {
            let new = self.new_jobs(&recipe).await?;
            if new.len() > wanted {
                self.teller
                    .bad(&format!("{} new jobs, not {wanted}", new.len()))?;
                bail!(
                    "there are {} new jobs of `{recipe}` where {wanted} must be",
                    new.len()
                );
            }
            let mut ended = 0;
            for id in &new {
                ended += usize::from(self.follow(id, status, wanted <= TOLD_MAX).await?);
            }
            if ended == wanted {
                return self.settle(new, wanted, &recipe);
            }
            if began.elapsed() > within {
                bail!(
                    "{ended} of {wanted} jobs of `{recipe}` have ended within {} s",
                    within.as_secs()
                );
            }
            Clock::rest(LOOK_EVERY).await;
        }
    }

    /// Remembers jobs as known, so that the next step awaits others.
    fn settle(&mut self, new: Vec<String>, wanted: usize, recipe: &str) -> anyhow::Result<()> {
        for id in new {
            self.jobs.entry(id).or_default().is_over = true;
        }
        match wanted {
            0 => self.teller.good("no new job was made"),
            1..=TOLD_MAX => Ok(()),
            _ => self
                .teller
                .good(&format!("{wanted} jobs of {recipe} have ended")),
        }
    }

    /// The jobs of a recipe that no step has awaited yet, oldest first.
    async fn new_jobs(&self, recipe: &str) -> anyhow::Result<Vec<String>> {
        let mut new = Vec::new();
        let mut page = Some(format!("/api/jobs?recipe={recipe}&limit=500"));
        while let Some(path) = page {
            let list = self.stage.client.get(&path).await?;
            let ids = list["jobs"].as_array().into_iter().flatten();
            let ids = ids.filter_map(|job| job["id"].as_str()).map(str::to_owned);
            new.extend(ids.filter(|id| !self.jobs.get(id).is_some_and(|job| job.is_over)));
            page = list["next"].as_str().map(str::to_owned);
        }
        new.reverse();
        Ok(new)
    }

    /// Tells what is new in a job; whether it has ended, in the way it must.
    async fn follow(&mut self, id: &str, wanted: &str, is_told: bool) -> anyhow::Result<bool> {
        if self.jobs.get(id).is_some_and(|job| job.is_over) {
            return Ok(true);
        }
        let job = self.stage.client.get(&format!("/api/jobs/{id}")).await?;
        let is_new = !self.jobs.contains_key(id);
        let followed = self.jobs.entry(id.to_owned()).or_default();
        let lines = followed.growing.lines(&job);
        if is_told && is_new {
            let recipe = job["recipe"].as_str().unwrap_or_default();
            self.teller.job(id, recipe)?;
        }
        for line in lines.iter().filter(|_| is_told) {
            self.teller.line(line)?;
        }
        let status = job["status"].as_str().unwrap_or_default();
        let has_ended = job["ended_at"].is_string();
        if is_told && has_ended {
            self.teller.ended(status, took(&job))?;
        }
        if (has_ended && status != wanted) || status == "needs_decision" {
            let why = job["failure"]["message"]
                .as_str()
                .unwrap_or("see its steps");
            bail!("job {id} is {status} where it must be {wanted}: {why}");
        }
        Ok(has_ended)
    }

    /// Counts what is in the state of a stand-in.
    async fn check(&mut self, check: &Check) -> anyhow::Result<()> {
        let url = self.control(&check.server, &format!("state/{}", check.rows))?;
        let state = self.answer(self.http.get(&url), &url).await?;
        let wanted = fill(&check.wanted, &self.known).map_err(anyhow::Error::msg)?;
        let rows = state["items"].as_array().into_iter().flatten();
        let found: Vec<&Value> = rows.filter(|row| holds(row, &wanted)).collect();
        let means = self.text(&check.means)?;
        if found.len() != check.count {
            self.teller.bad(&means)?;
            for row in found.iter().take(SHOWN_MAX) {
                self.teller.detail(&row.to_string())?;
            }
            bail!(
                "{} has {} {} with {wanted} where {} must be",
                check.server,
                found.len(),
                check.rows,
                check.count
            );
        }
        self.teller.good(&means)?;
        if let Some(show) = &check.show {
            for row in found.into_iter().take(SHOWN_MAX) {
                let mut known = self.known.clone();
                known.insert(ROW.to_owned(), row.clone());
                self.teller
                    .detail(&fill_text(show, &known).map_err(anyhow::Error::msg)?)?;
            }
        }
        Ok(())
    }

    fn text(&self, text: &str) -> anyhow::Result<String> {
        fill_text(text, &self.known).map_err(anyhow::Error::msg)
    }
}

/// Whether a row holds everything that is wanted; what is not named may be as it is.
pub(super) fn holds(row: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Null => true,
        Value::Object(fields) => fields.iter().all(|(name, wanted)| {
            row.get(name).is_some_and(|row| match wanted {
                Value::Null => row.is_null(),
                wanted => holds(row, wanted),
            })
        }),
        wanted => same(row, wanted),
    }
}
